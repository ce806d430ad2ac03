// Decoding and repair of text.
#include "gateway/text.h"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace tocsin::gateway {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void Decode(std::string_view in, bool plus_is_space, std::string& out) {
  out.clear();
  for (size_t i = 0; i < in.size(); ++i) {
    const char c = in[i];
    if (c == '%' && i + 2 < in.size()) {
      const int high = HexDigit(in[i + 1]);
      const int low = HexDigit(in[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(c == '+' && plus_is_space ? ' ' : c);
  }
}

bool IsPlain(std::string_view in) {
  for (char c : in) {
    if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

struct Sequence {
  size_t size;  // bytes that belong together
  bool valid;
};

// The character, or the maximal ill-formed part of one, at the front of `in`.
Sequence FrontOf(std::string_view in) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(in[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  size_t size = 0;
  // The range of the second byte (Unicode 15, table 3-7).
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (size_t i = 1; i < size; ++i) {
    if (i >= in.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

}  // namespace

void DecodeForm(std::string_view in, std::string& out) { Decode(in, true, out); }

void DecodePath(std::string_view in, std::string& out) { Decode(in, false, out); }

void CleanUtf8(std::string_view in, size_t max_bytes, std::string& out) {
  if (in.size() <= max_bytes && IsPlain(in)) {
    out.assign(in);
    return;
  }
  out.clear();
  while (!in.empty()) {
    const Sequence sequence = FrontOf(in);
    std::string_view piece = sequence.valid ? in.substr(0, sequence.size) : kReplacement;
    if (in.front() == '\0') piece = {};
    if (out.size() + piece.size() > max_bytes) return;
    out.append(piece);
    in.remove_prefix(sequence.size);
  }
}

std::string JsonString(std::string_view in) {
  using Json = nlohmann::json;
  return Json(std::string(in)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view TrimSpace(std::string_view in) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = in.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return in.substr(begin, in.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace tocsin::gateway
