// Names to ids.
#include "gateway/monitor_id.h"

#include <algorithm>

namespace tocsin::gateway {

bool IsMonitorId(std::string_view id) {
  const auto fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !id.empty() && id.size() <= 63 && id.front() != '-' &&
         std::all_of(id.begin(), id.end(), fit);
}

std::optional<std::string> MonitorIdOf(std::string_view name) {
  std::string id;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c == '_' || c == '.' || c == ' ') c = '-';
    if (c == '-' && id.empty()) continue;
    id += c;
  }
  if (!IsMonitorId(id)) return std::nullopt;
  return id;
}

}  // namespace tocsin::gateway
