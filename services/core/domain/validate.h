// What a definition must fulfil, with the limits that proto/tocsin/v1 states.
//
// Every function adds all the faults it finds; `prefix` is the path of the message in the request,
// e.g. "monitor", so that a fault names "monitor.schedule.heartbeat.timeout".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

inline constexpr absl::Duration kMinTimeout = absl::Seconds(1);
inline constexpr absl::Duration kMaxTimeout = absl::Hours(24 * 366);
inline constexpr absl::Duration kMaxGrace = absl::Hours(24 * 366);
inline constexpr absl::Duration kDefaultCronGrace = absl::Minutes(5);
inline constexpr absl::Duration kMaxEarlyTolerance = absl::Hours(24);
inline constexpr absl::Duration kMinReminderInterval = absl::Minutes(1);
inline constexpr int32_t kMaxThreshold = 100;
inline constexpr absl::Duration kDefaultTokenOverlap = absl::Hours(24);
inline constexpr absl::Duration kMaxTokenOverlap = absl::Hours(24 * 30);
inline constexpr size_t kMaxRunIdBytes = 64;

// Whether it is 1 to 63 of [a-z0-9-] and begins with a letter or digit.
bool IsResourceId(std::string_view id);
// Whether it is 1 to 63 of [a-z0-9_.-].
bool IsLabelKey(std::string_view key);
// Whether it is `whsec_` and base64 of 24 to 64 bytes.
bool IsWebhookSecret(std::string_view secret);
// Whether it is 32 letters and digits, as PagerDuty's are.
bool IsRoutingKey(std::string_view key);

// `field` is the whole path, e.g. "monitor_id".
void ValidateResourceId(std::string_view id, std::string_view field, FieldFaults& faults);
// At most 128 bytes of text.
void ValidateDisplayName(const std::string& name, std::string_view field, FieldFaults& faults);
// As the format needs it: a standard webhook may leave it to us (empty), a Slack channel has none,
// PagerDuty must have a routing key. The secret is not repeated in the fault.
void ValidateWebhookSecret(ChannelFormat format, std::string_view secret, std::string_view field,
                           FieldFaults& faults);
// Nothing, or an etag as resources have them.
void ValidateEtag(std::string_view etag, std::string_view field, FieldFaults& faults);
// Nothing, or a UUID of any version in any case.
void ValidateRequestId(std::string_view id, std::string_view field, FieldFaults& faults);
// Nothing (nullopt), or 64 hexadecimal digits in any case.
std::optional<TokenHash> ReadTokenHash(std::string_view hex, std::string_view field,
                                       FieldFaults& faults);
void ValidateTokenOverlap(absl::Duration overlap, std::string_view field, FieldFaults& faults);

// Gives what was left out its default: display name, recommended interval or grace of a cron
// schedule, thresholds; and cuts
// durations to whole microseconds. Call it before validating.
void FillDefaults(MonitorDefinition& definition);
void FillDefaults(Channel& channel);

// All but the id, which is immutable. Whether the channels named exist is not looked at.
void ValidateMonitor(const MonitorDefinition& definition, std::string_view prefix,
                     FieldFaults& faults);
// Grace and tolerance of a schedule that has a cron rule; `path` is that of its message.
void ValidateCron(const Schedule& schedule, std::string_view path, FieldFaults& faults);
// All but the id and the secrets.
void ValidateChannel(const Channel& channel, std::string_view prefix, FieldFaults& faults);

// Of a push, after the message was made clean (text.h): value, exit status and run id. `prefix`
// may be empty.
void ValidateHeartbeat(const Heartbeat& heartbeat, std::string_view prefix, FieldFaults& faults);

}  // namespace tocsin::core
