// Strict percent-decoding.
#include "gateway/rest/percent.h"

#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool EscapesAreWhole(std::string_view in) {
  for (size_t at = in.find('%'); at != std::string_view::npos; at = in.find('%', at + 1)) {
    if (at + 2 >= in.size() || !IsHexDigit(in[at + 1]) || !IsHexDigit(in[at + 2])) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> DecodeStrictly(std::string_view in, Plus plus) {
  if (!EscapesAreWhole(in)) {
    return absl::InvalidArgumentError("has a \"%\" without two hexadecimal digits after it");
  }
  std::string out;
  if (plus == Plus::kSpace) {
    DecodeForm(in, out);
  } else {
    DecodePath(in, out);
  }
  if (!IsCleanUtf8(out)) return absl::InvalidArgumentError("is not UTF-8, or has a NUL");
  return out;
}

bool IsCleanUtf8(std::string_view in) {
  std::string clean;
  CleanUtf8(in, 3 * in.size(), clean);
  return clean == in;
}

}  // namespace tocsin::gateway
