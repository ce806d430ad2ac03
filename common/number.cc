// Numbers as people read them.
#include "common/number.h"

#include <charconv>
#include <cmath>

namespace tocsin {
namespace {

constexpr double kSmallestFixed = 1e-6;
constexpr double kEndOfFixed = 1e15;
// A sign, 15 digits before the point or 6 zeros after it, the point and 17 digits.
constexpr int kMaxBytes = 64;

}  // namespace

std::string NumberText(double number) {
  const double size = std::fabs(number);
  const bool fixed = size == 0 || (size >= kSmallestFixed && size < kEndOfFixed);
  char text[kMaxBytes];
  const std::to_chars_result end =
      std::to_chars(text, text + sizeof(text), number,
                    fixed ? std::chars_format::fixed : std::chars_format::general);
  return {text, end.ptr};
}

}  // namespace tocsin
