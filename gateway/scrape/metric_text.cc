// Writing text.
#include "gateway/scrape/metric_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace tocsin::gateway {

void AppendGaugeHead(std::string_view name, std::string_view help, std::string& out) {
  out.append("# HELP ").append(name).append(" ").append(help);
  out.append("\n# TYPE ").append(name).append(" gauge\n");
}

void AppendLabel(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append("=\"");
  for (const char c : value) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

void AppendNumber(double value, std::string& out) {
  if (std::isnan(value)) {
    out.append("NaN");
  } else if (std::isinf(value)) {
    out.append(value > 0 ? "+Inf" : "-Inf");
  } else {
    char buffer[32];
    const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof(buffer), value);
    out.append(buffer, end.ptr);
  }
}

void AppendSeconds(int64_t micros, std::string& out) {
  constexpr int64_t kMicros = 1'000'000;
  const std::lldiv_t parts = std::lldiv(micros, kMicros);
  if (micros < 0) out.push_back('-');
  out.append(std::to_string(std::llabs(parts.quot)));
  if (parts.rem == 0) return;
  // The digits after the point, from 1'000'000 + rem: its first digit stands for the zeros.
  std::string fraction = std::to_string(kMicros + std::llabs(parts.rem));
  fraction[0] = '.';
  fraction.erase(fraction.find_last_not_of('0') + 1);
  out.append(fraction);
}

std::string LabelNameOf(std::string_view key) {
  std::string name = "label_";
  for (const char c : key) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name.push_back(fits ? c : '_');
  }
  return name;
}

}  // namespace tocsin::gateway
