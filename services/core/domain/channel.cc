// Which channels get the alerts of a monitor.
#include "services/core/domain/channel.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/domain/selector.h"

namespace tocsin::core {

std::string_view FormatName(ChannelFormat format) {
  switch (format) {
    case ChannelFormat::kStandardWebhook:
      return "standard_webhook";
    case ChannelFormat::kSlack:
      return "slack";
    case ChannelFormat::kPagerDuty:
      return "pagerduty";
  }
  return "unknown";
}

bool SelectorMatches(const std::string& selector, const MonitorDefinition& definition) {
  const absl::StatusOr<Selector> parsed = ParseSelector(selector, "selector");
  return parsed.ok() && Matches(*parsed, definition);
}

std::vector<ChannelKey> Route(const MonitorDefinition& definition,
                              const std::vector<Channel>& channels) {
  std::vector<ChannelKey> covering;
  std::vector<ChannelKey> defaults;
  for (const Channel& channel : channels) {
    if (channel.disabled_at.has_value()) continue;
    const bool named = std::find(definition.channels.begin(), definition.channels.end(),
                                 channel.id) != definition.channels.end();
    if (named || SelectorMatches(channel.selector, definition)) covering.push_back(channel.key);
    if (channel.is_default) defaults.push_back(channel.key);
  }
  return covering.empty() ? defaults : covering;
}

void DropOldSecrets(Channel& channel, absl::Time now) {
  if (!channel.old_secrets_until.has_value() || *channel.old_secrets_until > now) return;
  channel.old_secrets_until.reset();
  if (channel.secrets.size() > 1) channel.secrets.resize(1);
}

std::string MaskUrl(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return "";
  const size_t begin = scheme + 3;
  // As the client that sends there reads it: a backslash before an @ is part of the user's name.
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  std::string host = url.substr(begin, end - begin);
  if (const size_t user = host.rfind('@'); user != std::string::npos) host.erase(0, user + 1);
  return absl::StrCat(url.substr(0, begin), host);
}

}  // namespace tocsin::core
