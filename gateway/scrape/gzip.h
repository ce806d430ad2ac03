// Compresses a text that comes in pieces. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tocsin::gateway {

// Not thread-safe, but may be used by one thread after another. Some 260 KB.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // Appends what there is of the compressed text; a part of it comes with later pieces.
  void Add(std::string_view piece, std::string& out) { Deflate(piece, false, out); }
  // Appends the rest. Nothing may be added any more.
  void End(std::string& out) { Deflate({}, true, out); }

 private:
  void Deflate(std::string_view piece, bool last, std::string& out);

  struct State;
  std::unique_ptr<State> state_;
};

// Whether a client that sent this Accept-Encoding takes gzip (RFC 9110, 12.5.3); "*" is not taken
// for it.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace tocsin::gateway
