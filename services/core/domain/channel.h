// A configured destination of alerts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/channel_headers.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class ChannelFormat : int16_t { kStandardWebhook = 1, kSlack = 2, kPagerDuty = 3 };

// "standard_webhook", "slack", "pagerduty"; "unknown" for a number that is none of these.
std::string_view FormatName(ChannelFormat format);

// Whether its receivers take what they are told of one incident together, by its name, so that one
// that they never hear the end of stays open.
inline bool KnowsIncidents(ChannelFormat format) { return format == ChannelFormat::kPagerDuty; }

// What people were told last of a channel that does not work.
struct ChannelTold {
  absl::Time at;
  // As they were then.
  std::optional<absl::Time> failing_since;
  std::optional<absl::Time> disabled_at;

  friend bool operator==(const ChannelTold&, const ChannelTold&) = default;
};

inline constexpr int32_t kDefaultGroupLimit = 10;
inline constexpr absl::Duration kDefaultGroupWait = absl::Seconds(10);

struct Channel {
  ChannelKey key = 0;
  ProjectKey project = 0;
  std::string project_id;
  std::string id;
  std::string display_name;
  // Plain in memory, sealed (encrypted, see sealer.h) in the store. Never logged.
  std::string url;
  // What signs messages, `whsec_…`, the newest first; of PagerDuty the routing key; of Slack none.
  std::vector<std::string> secrets;
  // Until when those behind the first sign, too; nullopt: for good, or there are none.
  std::optional<absl::Time> old_secrets_until;
  // Sealed in the store, as the URL is; never logged.
  ChannelHeaders headers;
  bool headers_closed = false;  // it has some, which this core's keys do not open
  ChannelFormat format = ChannelFormat::kStandardWebhook;  // for good
  std::string selector;  // "team=payments,severity=critical"; empty selects none
  bool is_default = false;
  std::string fallback_channel;  // id; empty: the default channels
  // What comes beyond so many alerts within so long is gathered (see gathering.h); zero: nothing
  // is.
  int32_t group_limit = kDefaultGroupLimit;
  absl::Duration group_wait = kDefaultGroupWait;
  bool omit_output = false;  // messages leave out what jobs put out
  std::optional<absl::Time> disabled_at;
  std::string disable_reason;
  std::optional<absl::Time> failing_since;  // every attempt since then failed
  std::string last_error;
  std::optional<ChannelTold> told;
  // What was leased before may have gone to another URL, or with other headers, which it had then:
  // a few seconds after it was given these, since they who lease may read the one before until that
  // is committed.
  std::optional<absl::Time> url_set_at;
  // Drawn anew by each change that people make; 0 until the first one of a channel that is older
  // than this.
  int64_t version = 0;
  absl::Time created_at;
  absl::Time updated_at;

  friend bool operator==(const Channel&, const Channel&) = default;
};

// Takes away the secrets that do not sign any more at `now`.
void DropOldSecrets(Channel& channel, absl::Time now);

// "https://host:8443" of "https://user:password@host:8443/path?query"; empty when it is no such
// URL.
std::string MaskUrl(const std::string& url);

// Whether the selector (see selector.h) selects the monitor. Empty or malformed: false.
bool SelectorMatches(const std::string& selector, const MonitorDefinition& definition);

// The channels that get the alerts of a monitor: those whose selector matches and those that it
// names; when none of them is enabled, the default ones, so that a channel that was disabled does
// not swallow alerts. Disabled channels are left out. Each once, in the order of `channels` (all
// those of the monitor's project).
std::vector<ChannelKey> Route(const MonitorDefinition& definition,
                              const std::vector<Channel>& channels);

}  // namespace tocsin::core
