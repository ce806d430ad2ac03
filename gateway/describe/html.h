// Text made safe to stand in HTML.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::gateway {

inline void AppendEscaped(char c, std::string& html) {
  switch (c) {
    case '&':
      html += "&amp;";
      break;
    case '<':
      html += "&lt;";
      break;
    case '>':
      html += "&gt;";
      break;
    case '"':
      html += "&quot;";
      break;
    default:
      html += c;
  }
}

inline std::string Escaped(std::string_view text) {
  std::string html;
  for (char c : text) AppendEscaped(c, html);
  return html;
}

}  // namespace tocsin::gateway
