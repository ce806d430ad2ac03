// Text for chats that read Slack's markup.
#include "services/notifier/channel/mrkdwn.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

constexpr absl::string_view kEllipsis = "…";
constexpr absl::string_view kBreak = "\u200b";  // zero-width space

// How many bytes the first character of `text`, which is valid UTF-8, has.
size_t CharacterBytes(absl::string_view text) {
  size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
  return bytes;
}

std::string Piece(absl::string_view character, char before, bool in_address) {
  switch (character[0]) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '@':
      return in_address ? "%40" : absl::StrCat("@", kBreak);
    case '(':
      return before == ']' ? absl::StrCat(kBreak, "(") : "(";
    default:
      return std::string(character);
  }
}

}  // namespace

std::string Mrkdwn(absl::string_view text, size_t max_bytes) {
  const std::string plain = PlainText(text, max_bytes);
  absl::string_view rest = plain;
  std::string out;
  size_t last_fit = 0;  // where to cut so that the ellipsis still fits
  bool in_address = false;
  char before = ' ';
  while (!rest.empty()) {
    if (before == ' ') {
      in_address = absl::StartsWith(rest, "https://") || absl::StartsWith(rest, "http://");
    }
    const absl::string_view character = rest.substr(0, CharacterBytes(rest));
    const std::string piece = Piece(character, before, in_address);
    if (out.size() + piece.size() > max_bytes) {
      out.resize(last_fit);
      return absl::StrCat(out, kEllipsis);
    }
    out += piece;
    if (out.size() + kEllipsis.size() <= max_bytes) last_fit = out.size();
    before = character.back();
    rest.remove_prefix(character.size());
  }
  return out;
}

}  // namespace tocsin::notifier
