// What a handler sees of a request and what it answers.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gateway/http/ip_address.h"

namespace tocsin::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;  // without the spaces around it
};

// A complete request. Every view is valid only during the call that hands it over.
struct Request {
  std::string_view method;  // as sent; methods are case-sensitive
  std::string_view target;  // as sent, e.g. "/api/push/token?status=up"
  absl::Span<const HeaderField> fields;
  std::string_view body;
  IpAddress peer;

  // The value of the first field of that name (any case); empty when there is none.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type{};  // empty: no body
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};  // besides those of the framing
  bool close = false;                                          // close the connection after it
};

// How a client knows where the body ends.
enum class Framing {
  kLength,   // told beforehand
  kChunked,  // the body comes in pieces
  kClose,    // the same for HTTP/1.0: by the end of the connection
};

// A response whose bytes were put together once. Immutable.
class CannedResponse {
 public:
  explicit CannedResponse(const Response& response, Framing framing = Framing::kLength);

  enum class ConnectionField { kNone, kClose, kKeepAlive };
  // Appends the message to `out`. `date` is the whole Date line with its CRLF. Without its body
  // (but with the body's length) for HEAD.
  void AppendTo(std::string& out, std::string_view date, ConnectionField connection,
                bool head_only) const;

  int status() const { return status_; }
  bool close() const { return close_; }

 private:
  int status_;
  bool close_;
  std::string status_line_;
  std::string rest_;  // headers, the empty line and the body
  size_t head_size_;  // of `rest_`, without the body
};

// "Not Found"; "Unknown" for a status that this server never sends.
std::string_view ReasonPhrase(int status);

// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" of a Unix time in seconds.
std::string DateLine(int64_t unix_seconds);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace tocsin::http
