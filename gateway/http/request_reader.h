// Reads one HTTP/1.x request from bytes that arrive in pieces, with limits. No I/O.
//
// Grammar and framing (RFC 9112: chunked bodies, conflicting lengths, smuggling) are those of
// Boost.Beast's parser; this class adds the limits, leniency where clients need it, and storage
// that is used again, so that a request that arrives whole costs no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/http/message.h"

namespace tocsin::http {

struct RequestLimits {
  size_t head_bytes = 16 * 1024;
  size_t body_bytes = 64 * 1024;
};

class RequestReader {
 public:
  explicit RequestReader(const RequestLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  enum class State {
    kHead,      // more of the head is needed
    kBody,      // the head is there, more of the body is needed
    kComplete,  // request() can be read
    kRefused,   // error() says why; the connection cannot be used any further
  };
  struct Error {
    int status = 0;           // 400, 413, 417, 431, 501, 505
    std::string_view reason;  // in words
  };

  // Begins a new request.
  void Reset();

  // Reads from the front of `input` and says in `consumed` how much; what was not consumed is to
  // be given again, together with what follows. After kBody it needs no earlier input any more.
  State Feed(std::string_view input, size_t& consumed);

  // After kComplete, until the input or the reader changes. `peer` is left to the caller. Without
  // its body after kRefused with 413, too.
  const Request& request() const;
  const Error& error() const;
  // After kBody or kComplete.
  bool keep_alive() const;
  bool is_head() const;  // the method is HEAD
  bool is_http10() const;
  bool wants_continue() const;  // the client waits for "100 Continue" before its body

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::http
