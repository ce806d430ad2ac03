// What a definition must fulfil, with the limits that proto/tocsin/v1 states.
#include "services/core/domain/validate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "common/number.h"
#include "common/status_details.h"
#include "services/core/domain/channel_headers.h"
#include "services/core/domain/selector.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxIdBytes = 63;
constexpr size_t kMaxLabelKeyBytes = 63;
constexpr size_t kMaxShortTextBytes = 128;
constexpr size_t kMaxDescriptionBytes = 4096;
constexpr size_t kMaxUrlBytes = 2048;
constexpr size_t kMaxSelectorBytes = 1024;
constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxNamedChannels = 16;
constexpr size_t kRoutingKeyBytes = 32;
constexpr std::string_view kIdRule = "1 to 63 of [a-z0-9-], beginning with a letter or digit";
constexpr std::string_view kUrlRule =
    "an http or https URL with a host, of at most 2048 bytes, without blanks";

// Adds faults below a prefix.
class Checker {
 public:
  Checker(std::string_view prefix, FieldFaults& faults) : prefix_(prefix), faults_(faults) {}

  void Fault(absl::string_view field, std::string_view problem, std::string_view accepted) {
    faults_.Add(Path(field), problem, accepted);
  }

  void Text(absl::string_view field, const std::string& text, size_t max_bytes) {
    if (text.size() > max_bytes) {
      Fault(field, absl::StrCat("it has ", text.size(), " bytes"),
            absl::StrCat("at most ", max_bytes, " bytes"));
    }
    if (!IsCleanText(text)) Fault(field, "it is not valid text", "UTF-8 without NUL");
  }

  std::string Path(absl::string_view field) const {
    return prefix_.empty() ? std::string(field) : absl::StrCat(prefix_, ".", field);
  }

 private:
  std::string prefix_;
  FieldFaults& faults_;
};

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

// Enough to refuse what no HTTP client could reach; the host is looked up when it is used.
bool IsHttpUrl(absl::string_view url) {
  if (url.size() > kMaxUrlBytes) return false;
  const bool printable = std::all_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
  if (!printable) return false;
  absl::string_view rest = url;
  if (absl::StartsWithIgnoreCase(url, "https://")) {
    rest.remove_prefix(8);
  } else if (absl::StartsWithIgnoreCase(url, "http://")) {
    rest.remove_prefix(7);
  } else {
    return false;
  }
  absl::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  // Where some end the host, and others have a user's name: nobody could say where it leads.
  if (authority.find('\\') != absl::string_view::npos) return false;
  const size_t at = authority.rfind('@');
  if (at != absl::string_view::npos) authority.remove_prefix(at + 1);
  return !authority.empty() && authority.front() != ':';
}

constexpr int32_t kMaxGroupLimit = 1000;
constexpr absl::Duration kMaxGroupWait = absl::Minutes(5);

void CheckUrl(Checker& check, absl::string_view field, const std::string& url) {
  if (!IsHttpUrl(url) || !IsCleanText(url)) {
    // Not repeated in the message: the path of such a URL is often a secret.
    check.Fault(field, "it is no such URL", kUrlRule);
  }
}

// In days when it is whole days, as the limits are.
std::string Words(absl::Duration duration) {
  constexpr absl::Duration kDay = absl::Hours(24);
  if (duration < 2 * kDay || duration % kDay != absl::ZeroDuration()) {
    return absl::FormatDuration(duration);
  }
  return absl::StrCat(duration / kDay, " days");
}

void CheckSchedule(Checker& check, const Schedule& schedule) {
  if (schedule.timeout < kMinTimeout || schedule.timeout > kMaxTimeout) {
    check.Fault("schedule.heartbeat.timeout",
                schedule.timeout == absl::ZeroDuration()
                    ? "missing or 0"
                    : absl::StrCat("it is ", Words(schedule.timeout)),
                "1 s to 366 days");
  } else if (schedule.recommended_interval <= absl::ZeroDuration() ||
             schedule.recommended_interval > schedule.timeout) {
    check.Fault("schedule.heartbeat.recommended_interval",
                absl::StrCat("it is ", Words(schedule.recommended_interval)),
                absl::StrCat("more than 0, at most the timeout (", Words(schedule.timeout), ")"));
  }
  if (schedule.grace < absl::ZeroDuration() || schedule.grace > kMaxGrace) {
    check.Fault("schedule.heartbeat.grace", absl::StrCat("it is ", Words(schedule.grace)),
                "0 to 366 days");
  }
}

void CheckLabels(Checker& check, const Labels& labels) {
  if (labels.size() > kMaxLabels) {
    check.Fault("labels", absl::StrCat("there are ", labels.size()), "at most 32 labels");
  }
  for (const auto& [key, value] : labels) {
    if (!IsLabelKey(key)) {
      check.Fault("labels", absl::StrCat("the key \"", CleanText(key, kMaxShortTextBytes), "\""),
                  "keys of 1 to 63 of [a-z0-9_.-]");
    } else {
      check.Text(absl::StrCat("labels.", key), value, kMaxShortTextBytes);
    }
  }
}

void CheckThreshold(Checker& check, absl::string_view field, int32_t threshold) {
  if (threshold < 1 || threshold > kMaxThreshold) {
    check.Fault(field, absl::StrCat("it is ", threshold), "1 to 100");
  }
}

void CheckValueBounds(Checker& check, const MonitorDefinition& definition) {
  const auto finite = [&](absl::string_view field, const std::optional<double>& bound) {
    if (!bound.has_value() || std::isfinite(*bound)) return true;
    check.Fault(field, absl::StrCat("it is ", NumberText(*bound)), "a finite number");
    return false;
  };
  const bool min_is_finite = finite("value_min", definition.value_min);
  const bool max_is_finite = finite("value_max", definition.value_max);
  if (!min_is_finite || !max_is_finite) return;
  if (definition.value_min.has_value() && definition.value_max.has_value() &&
      *definition.value_min > *definition.value_max) {
    check.Fault("value_max", absl::StrCat("it is ", NumberText(*definition.value_max)),
                absl::StrCat("at least value_min (", NumberText(*definition.value_min), ")"));
  }
}

// Zero is none.
void CheckSpan(Checker& check, absl::string_view field, absl::Duration span, absl::Duration least) {
  if (span == absl::ZeroDuration() || (span >= least && span <= kMaxTimeout)) return;
  check.Fault(field, absl::StrCat("it is ", Words(span)),
              absl::StrCat("0 (none), or ", absl::FormatDuration(least), " to 366 days"));
}

void CheckNamedChannels(Checker& check, const std::vector<std::string>& channels) {
  if (channels.size() > kMaxNamedChannels) {
    check.Fault("channels", absl::StrCat("there are ", channels.size()), "at most 16 channels");
  }
  for (const std::string& id : channels) {
    if (!IsResourceId(id)) {
      check.Fault("channels",
                  absl::StrCat("the id \"", CleanText(id, kMaxShortTextBytes), "\" is malformed"),
                  kIdRule);
    }
  }
  if (std::set<std::string>(channels.begin(), channels.end()).size() != channels.size()) {
    check.Fault("channels", "a channel is named twice", "each channel once");
  }
}

}  // namespace

bool IsResourceId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && IsLowerOrDigit(id.front()) &&
         std::all_of(id.begin(), id.end(), [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxLabelKeyBytes &&
         std::all_of(key.begin(), key.end(),
                     [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsWebhookSecret(std::string_view secret) {
  absl::string_view encoded = AnyStringView(secret).absl();
  if (!absl::StartsWith(encoded, "whsec_")) return false;
  encoded.remove_prefix(6);
  std::string bytes;
  return absl::Base64Unescape(encoded, &bytes) && bytes.size() >= 24 && bytes.size() <= 64;
}

bool IsRoutingKey(std::string_view key) {
  return key.size() == kRoutingKeyBytes && std::all_of(key.begin(), key.end(), absl::ascii_isalnum);
}

void ValidateResourceId(std::string_view id, std::string_view field, FieldFaults& faults) {
  if (IsResourceId(id)) return;
  faults.Add(field,
             id.empty() ? "missing"
                        : absl::StrCat("\"", CleanText(id, kMaxShortTextBytes), "\" is malformed"),
             kIdRule);
}

void ValidateDisplayName(const std::string& name, std::string_view field, FieldFaults& faults) {
  Checker("", faults).Text(AnyStringView(field).absl(), name, kMaxShortTextBytes);
}

void ValidateWebhookSecret(ChannelFormat format, std::string_view secret, std::string_view field,
                           FieldFaults& faults) {
  switch (format) {
    case ChannelFormat::kSlack:
      if (!secret.empty()) {
        faults.Add(field, "a Slack channel has none: who knows its URL may post", "nothing");
      }
      return;
    case ChannelFormat::kPagerDuty:
      if (!IsRoutingKey(secret)) {
        faults.Add(field, secret.empty() ? "missing" : "it is no routing key",
                   "the integration's routing key, 32 letters and digits");
      }
      return;
    case ChannelFormat::kStandardWebhook:
      break;
  }
  if (!secret.empty() && !IsWebhookSecret(secret)) {
    faults.Add(field, "it is no such secret", "whsec_ followed by base64 of 24 to 64 bytes");
  }
}

void ValidateEtag(std::string_view etag, std::string_view field, FieldFaults& faults) {
  const bool hex = std::all_of(etag.begin(), etag.end(), [](char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
  if (!hex || etag.size() > 2 * sizeof(int64_t)) {
    faults.Add(field, "it is none of ours", "the etag of the resource as it was read, or none");
  }
}

void ValidateRequestId(std::string_view id, std::string_view field, FieldFaults& faults) {
  if (id.empty()) return;
  bool is_uuid = id.size() == 36;
  for (size_t i = 0; is_uuid && i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    is_uuid = dash ? id[i] == '-' : absl::ascii_isxdigit(id[i]);
  }
  if (!is_uuid) {
    faults.Add(field, absl::StrCat("\"", CleanText(id, kMaxIdBytes), "\" is no UUID"),
               "a UUID, e.g. 0c6c9a8e-1f7b-4a55-9d0e-6a2f5f1c7d42");
  }
}

std::optional<TokenHash> ReadTokenHash(std::string_view hex, std::string_view field,
                                       FieldFaults& faults) {
  if (hex.empty()) return std::nullopt;
  TokenHash hash;
  if (hex.size() != 2 * hash.size() || !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    // Not repeated: it may be the token itself.
    faults.Add(field, "it is no SHA-256", "64 hexadecimal digits");
    return std::nullopt;
  }
  const std::string bytes = absl::HexStringToBytes(AnyStringView(hex).absl());
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

void ValidateTokenOverlap(absl::Duration overlap, std::string_view field, FieldFaults& faults) {
  if (overlap < absl::ZeroDuration() || overlap > kMaxTokenOverlap) {
    faults.Add(field, absl::StrCat("it is ", Words(overlap)), "0 to 30 days");
  }
}

void FillDefaults(MonitorDefinition& definition) {
  Schedule& schedule = definition.schedule;
  for (absl::Duration* duration :
       {&schedule.timeout, &schedule.recommended_interval, &schedule.grace,
        &definition.max_run_duration, &definition.reminder_interval}) {
    *duration = absl::Trunc(*duration, absl::Microseconds(1));
  }
  if (schedule.cron.has_value()) {
    std::optional<absl::Duration>& early = schedule.cron->early_tolerance;
    if (early.has_value()) early = absl::Trunc(*early, absl::Microseconds(1));
    if (schedule.grace == absl::ZeroDuration()) schedule.grace = kDefaultCronGrace;
  }
  if (definition.display_name.empty()) definition.display_name = definition.id;
  if (schedule.recommended_interval == absl::ZeroDuration()) {
    schedule.recommended_interval = schedule.timeout;
  }
  if (definition.failure_threshold == 0) definition.failure_threshold = 1;
  if (definition.recovery_threshold == 0) definition.recovery_threshold = 1;
}

void FillDefaults(Channel& channel) {
  if (channel.display_name.empty()) channel.display_name = channel.id;
}

void ValidateCron(const Schedule& schedule, std::string_view path, FieldFaults& faults) {
  Checker check(path, faults);
  if (schedule.grace <= absl::ZeroDuration() || schedule.grace > kMaxGrace) {
    check.Fault("grace", absl::StrCat("it is ", Words(schedule.grace)),
                "more than 0, at most 366 days; 0 or nothing means 5 min");
  }
  const absl::Duration early = schedule.cron->early_tolerance.value_or(absl::ZeroDuration());
  if (early < absl::ZeroDuration() || early > kMaxEarlyTolerance) {
    check.Fault("early_tolerance", absl::StrCat("it is ", Words(early)), "0 to 24 h");
  }
}

void ValidateMonitor(const MonitorDefinition& definition, std::string_view prefix,
                     FieldFaults& faults) {
  Checker check(prefix, faults);
  check.Text("display_name", definition.display_name, kMaxShortTextBytes);
  check.Text("description", definition.description, kMaxDescriptionBytes);
  check.Text("owner", definition.owner, kMaxShortTextBytes);
  if (!definition.runbook_url.empty()) CheckUrl(check, "runbook_url", definition.runbook_url);
  CheckLabels(check, definition.labels);
  if (definition.schedule.cron.has_value()) {
    ValidateCron(definition.schedule, std::string(prefix) + ".schedule.cron", faults);
  } else {
    CheckSchedule(check, definition.schedule);
  }
  CheckThreshold(check, "failure_threshold", definition.failure_threshold);
  CheckThreshold(check, "recovery_threshold", definition.recovery_threshold);
  CheckValueBounds(check, definition);
  CheckSpan(check, "max_run_duration", definition.max_run_duration, kMinTimeout);
  CheckSpan(check, "reminder_interval", definition.reminder_interval, kMinReminderInterval);
  CheckNamedChannels(check, definition.channels);
}

void ValidateChannel(const Channel& channel, std::string_view prefix, FieldFaults& faults) {
  Checker check(prefix, faults);
  check.Text("display_name", channel.display_name, kMaxShortTextBytes);
  CheckUrl(check, "url", channel.url);
  if (channel.selector.size() > kMaxSelectorBytes || !IsCleanText(channel.selector)) {
    check.Text("selector", channel.selector, kMaxSelectorBytes);
  } else {
    const absl::StatusOr<Selector> selector = ParseSelector(channel.selector, "selector");
    if (!selector.ok()) faults.Append(selector.status(), prefix);
  }
  if (!channel.fallback_channel.empty()) {
    if (!IsResourceId(channel.fallback_channel)) {
      check.Fault("fallback_channel", "its id is malformed", kIdRule);
    } else if (channel.fallback_channel == channel.id) {
      check.Fault("fallback_channel", "it is the channel itself", "another channel");
    }
  }
  if (channel.group_limit < 1 || channel.group_limit > kMaxGroupLimit) {
    check.Fault("group_limit", absl::StrCat("it is ", channel.group_limit), "1 to 1000");
  }
  if (channel.group_wait < absl::ZeroDuration() || channel.group_wait > kMaxGroupWait) {
    check.Fault("group_wait", absl::StrCat("it is ", Words(channel.group_wait)),
                "0 (never gather) to 5 min");
  }
  ValidateHeaders(channel.headers, check.Path("headers"), faults);
}

void ValidateHeartbeat(const Heartbeat& heartbeat, std::string_view prefix, FieldFaults& faults) {
  Checker check(prefix, faults);
  if (heartbeat.value.has_value() && !std::isfinite(*heartbeat.value)) {
    check.Fault("value", absl::StrCat("it is ", NumberText(*heartbeat.value)), "a finite number");
  }
  if (heartbeat.exit_status.has_value() &&
      (*heartbeat.exit_status < 0 || *heartbeat.exit_status > 255)) {
    check.Fault("exit_status", absl::StrCat("it is ", *heartbeat.exit_status), "0 to 255");
  }
  check.Text("run_id", heartbeat.run_id, kMaxRunIdBytes);
}

}  // namespace tocsin::core
