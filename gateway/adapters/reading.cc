// Paths, parameters and the values in them.
#include "gateway/adapters/reading.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "gateway/text.h"

namespace tocsin::gateway {

std::vector<std::string> PathParts(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  std::vector<std::string> parts;
  while (true) {
    const size_t slash = path.find('/');
    DecodePath(path.substr(0, slash), parts.emplace_back());
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

void ForEachParameter(
    std::string_view form,
    const std::function<void(const std::string& name, const std::string& value)>& see) {
  std::string name, value;
  while (!form.empty()) {
    const size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    DecodeForm(pair.substr(0, equals), name);
    DecodeForm(pair.substr(std::min(equals + 1, pair.size())), value);
    see(name, value);
  }
}

std::optional<std::string> FindParameter(std::string_view form, std::string_view name) {
  std::optional<std::string> found;
  ForEachParameter(form, [&](const std::string& seen, const std::string& value) {
    if (!found && seen == name) found = value;
  });
  return found;
}

std::optional<std::string> ReadUuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string uuid;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (dash ? c != '-' : !hex) return std::nullopt;
    uuid += c;
  }
  return uuid;
}

std::optional<double> ReadNumber(std::string_view text) {
  double number = 0;
  if (!absl::SimpleAtod({text.data(), text.size()}, &number) || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<int> ReadExitStatus(std::string_view text) {
  int status = 0;
  if (!IsDigits(text) || !absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &status) ||
      status > 255) {
    return std::nullopt;
  }
  return status;
}

}  // namespace tocsin::gateway
