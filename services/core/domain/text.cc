// What jobs say, made fit to be stored.
#include "services/core/domain/text.h"

#include <cstdint>

namespace tocsin::core {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  size_t bytes = 1;
  bool valid = false;
};

// Unicode 15, table 3-7: the bytes that may follow each first byte.
Character NextCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {.bytes = 1, .valid = true};
  size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0) return {.bytes = 1, .valid = false};
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (first == 0xE0) low = 0xA0;   // no overlong forms
  if (first == 0xED) high = 0x9F;  // no surrogates
  if (first == 0xF0) low = 0x90;   // no overlong forms
  if (first == 0xF4) high = 0x8F;  // nothing above U+10FFFF
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {.bytes = i, .valid = false};
    low = 0x80;
    high = 0xBF;
  }
  return {.bytes = length, .valid = true};
}

}  // namespace

std::string CleanText(std::string_view raw, size_t max_bytes) {
  std::string clean;
  clean.reserve(raw.size() < max_bytes ? raw.size() : max_bytes);
  while (!raw.empty()) {
    const Character character = NextCharacter(raw);
    std::string_view kept = character.valid ? raw.substr(0, character.bytes) : kReplacement;
    raw.remove_prefix(character.bytes);
    if (kept[0] == '\0') continue;
    if (clean.size() + kept.size() > max_bytes) break;
    clean += kept;
  }
  return clean;
}

bool IsCleanText(std::string_view text) {
  while (!text.empty()) {
    const Character character = NextCharacter(text);
    if (!character.valid || text[0] == '\0') return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

}  // namespace tocsin::core
