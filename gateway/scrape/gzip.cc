// zlib, in the form that HTTP calls gzip.
#include "gateway/scrape/gzip.h"

#include <zlib.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/any_string_view.h"

namespace tocsin::gateway {
namespace {

// Metrics repeat themselves: the least effort makes them some twenty times smaller.
constexpr int kLevel = 1;
constexpr int kGzipWindow = 15 + 16;
constexpr int kMemory = 8;
constexpr size_t kRoom = size_t{16} << 10;

}  // namespace

struct Gzip::State {
  z_stream stream{};
};

Gzip::Gzip() : state_(std::make_unique<State>()) {
  // It fails for want of memory alone, as everything else would.
  if (deflateInit2(&state_->stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    std::abort();
  }
}

Gzip::~Gzip() { deflateEnd(&state_->stream); }

void Gzip::Deflate(std::string_view piece, bool last, std::string& out) {
  z_stream& stream = state_->stream;
  // zlib does not write to it.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream.avail_in = static_cast<uInt>(piece.size());
  do {
    const size_t before = out.size();
    out.resize(before + kRoom);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(kRoom);
    deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
    out.resize(before + kRoom - stream.avail_out);
  } while (stream.avail_out == 0);
}

bool AcceptsGzip(std::string_view accept_encoding) {
  const std::vector<std::string> codings =
      absl::StrSplit(AnyStringView(accept_encoding).absl(), ',');
  for (const std::string& coding : codings) {
    const std::vector<std::string> parts = absl::StrSplit(coding, ';');
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), "gzip")) continue;
    if (parts.size() == 1) return true;
    const std::vector<std::string> weight = absl::StrSplit(parts[1], '=');
    double q = 0;
    return weight.size() == 2 &&
           absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(weight[0]), "q") &&
           absl::SimpleAtod(absl::StripAsciiWhitespace(weight[1]), &q) && q > 0;
  }
  return false;
}

}  // namespace tocsin::gateway
