// Field by field, what became different.
#include "services/core/domain/audit.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/any_string_view.h"
#include "common/number.h"
#include "services/core/domain/names.h"
#include "services/core/domain/text.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

constexpr std::string_view kEllipsis = "…";

std::string Bounded(std::string_view text) {
  if (text.size() <= kMaxAuditValueBytes) return CleanText(text, kMaxAuditValueBytes);
  return CleanText(text, kMaxAuditValueBytes - kEllipsis.size()) + std::string(kEllipsis);
}

// "90s", "0.5s". A double holds the microseconds of 285 years.
std::string DurationText(absl::Duration duration) {
  return NumberText(absl::ToDoubleSeconds(duration)) + "s";
}

std::string TimeText(const std::optional<absl::Time>& time) {
  if (!time.has_value()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", *time, absl::UTCTimeZone());
}

std::string EnumText(absl::string_view prefix, std::string_view word) {
  return absl::StrCat(prefix, absl::AsciiStrToUpper(AnyStringView(word).absl()));
}

std::string ChannelNames(const MonitorDefinition& definition) {
  return absl::StrJoin(definition.channels, ", ", [&](std::string* out, const std::string& id) {
    out->append(ChannelName(definition.project_id, id));
  });
}

std::string FallbackName(const Channel& channel) {
  if (channel.fallback_channel.empty()) return "";
  return ChannelName(channel.project_id, channel.fallback_channel);
}

FieldChanges::Kind KindOf(bool exists_before, bool exists_after) {
  if (!exists_before) return FieldChanges::Kind::kCreation;
  return exists_after ? FieldChanges::Kind::kUpdate : FieldChanges::Kind::kDeletion;
}

// Of maps from text to text: labels, headers. `whole` is "labels.".
void AddEntries(absl::string_view whole, const Labels& before, const Labels& after,
                FieldChanges& changes) {
  std::set<std::string> keys;
  for (const Labels* entries : {&before, &after}) {
    for (const auto& [key, value] : *entries) keys.insert(key);
  }
  const auto value = [](const Labels& entries, const std::string& key) {
    const auto found = entries.find(key);
    return found == entries.end() ? std::string() : found->second;
  };
  for (const std::string& key : keys) {
    changes.Text(absl::StrCat(whole, key), value(before, key), value(after, key));
  }
}

// Their names; a value that changed is said to have.
void AddHeaders(const ChannelHeaders& before, const ChannelHeaders& after, FieldChanges& changes) {
  const ChannelHeaders old = MaskHeaders(before), now = MaskHeaders(after);
  AddEntries("headers.", old, now, changes);
  for (const auto& [name, value] : after) {
    const auto found = before.find(name);
    if (found != before.end() && found->second != value) {
      changes.Secret(absl::StrCat("headers.", name));
    }
  }
}

std::string BoundText(const std::optional<double>& bound) {
  return bound.has_value() ? NumberText(*bound) : "";
}

// Each kind of schedule has its own fields; the one that a monitor does not have has none set.
void AddSchedule(const Schedule& from, const Schedule& to, FieldChanges& changes) {
  const auto of_heartbeat = [](const Schedule& schedule) {
    return schedule.cron.has_value() ? Schedule() : schedule;
  };
  const Schedule old_plain = of_heartbeat(from);
  const Schedule new_plain = of_heartbeat(to);
  changes.Span("schedule.heartbeat.timeout", old_plain.timeout, new_plain.timeout)
      .Span("schedule.heartbeat.recommended_interval", old_plain.recommended_interval,
            new_plain.recommended_interval)
      .Span("schedule.heartbeat.grace", old_plain.grace, new_plain.grace);
  const auto cron = [](const Schedule& schedule, auto text) {
    return schedule.cron.has_value() ? text(*schedule.cron) : std::string();
  };
  const auto expression = [](const CronRule& rule) { return rule.expression.text(); };
  const auto zone = [](const CronRule& rule) { return rule.zone.name(); };
  const auto early = [](const CronRule& rule) {
    return rule.early_tolerance.has_value() ? DurationText(*rule.early_tolerance) : std::string();
  };
  const auto grace = [](const Schedule& schedule) {
    return schedule.cron.has_value() ? schedule.grace : absl::ZeroDuration();
  };
  changes.Text("schedule.cron.expression", cron(from, expression), cron(to, expression))
      .Text("schedule.cron.time_zone", cron(from, zone), cron(to, zone))
      .Span("schedule.cron.grace", grace(from), grace(to))
      .Text("schedule.cron.early_tolerance", cron(from, early), cron(to, early));
}

}  // namespace

void FieldChanges::Add(std::string_view field, std::string before, std::string after) {
  if (changes_.size() > kMaxAuditChanges) return;
  if (changes_.size() == kMaxAuditChanges) {
    changes_.push_back({.field = std::string(kEllipsis), .before = "", .after = ""});
    return;
  }
  changes_.push_back({.field = Bounded(field),
                      .before = kind_ == Kind::kCreation ? "" : Bounded(before),
                      .after = kind_ == Kind::kDeletion ? "" : Bounded(after)});
}

FieldChanges& FieldChanges::Text(std::string_view field, std::string_view before,
                                 std::string_view after) {
  if (before != after) Add(field, std::string(before), std::string(after));
  return *this;
}

FieldChanges& FieldChanges::Flag(std::string_view field, bool before, bool after) {
  return Text(field, before ? "true" : "false", after ? "true" : "false");
}

FieldChanges& FieldChanges::Number(std::string_view field, int64_t before, int64_t after) {
  return Text(field, std::to_string(before), std::to_string(after));
}

FieldChanges& FieldChanges::Span(std::string_view field, absl::Duration before,
                                 absl::Duration after) {
  if (before != after) Add(field, DurationText(before), DurationText(after));
  return *this;
}

FieldChanges& FieldChanges::Time(std::string_view field, std::optional<absl::Time> before,
                                 std::optional<absl::Time> after) {
  return Text(field, TimeText(before), TimeText(after));
}

FieldChanges& FieldChanges::Within(std::string_view whole, const FieldChange& part) {
  Add(absl::StrCat(AnyStringView(whole).absl(), ".", part.field), part.before, part.after);
  return *this;
}

FieldChanges& FieldChanges::Secret(std::string_view field) {
  Add(field, "", "(changed)");
  return *this;
}

std::vector<FieldChange> ChangesOf(const Monitor* before, const Monitor* after) {
  static const Monitor& none = *new Monitor;
  const MonitorDefinition& from = (before != nullptr ? before : &none)->definition;
  const MonitorDefinition& to = (after != nullptr ? after : &none)->definition;
  FieldChanges changes(KindOf(before != nullptr, after != nullptr));
  changes.Text("display_name", from.display_name, to.display_name)
      .Text("description", from.description, to.description)
      .Text("owner", from.owner, to.owner)
      .Text("severity", EnumText("SEVERITY_", SeverityName(from.severity)),
            EnumText("SEVERITY_", SeverityName(to.severity)))
      .Text("runbook_url", from.runbook_url, to.runbook_url);
  AddEntries("labels.", from.labels, to.labels, changes);
  AddSchedule(from.schedule, to.schedule, changes);
  changes.Number("failure_threshold", from.failure_threshold, to.failure_threshold)
      .Number("recovery_threshold", from.recovery_threshold, to.recovery_threshold)
      .Text("value_min", BoundText(from.value_min), BoundText(to.value_min))
      .Text("value_max", BoundText(from.value_max), BoundText(to.value_max))
      .Span("max_run_duration", from.max_run_duration, to.max_run_duration)
      .Span("reminder_interval", from.reminder_interval, to.reminder_interval)
      .Flag("arm_on_create", from.arm_on_create, to.arm_on_create)
      .Flag("resume_on_heartbeat", from.resume_on_heartbeat, to.resume_on_heartbeat)
      .Text("channels", ChannelNames(from), ChannelNames(to));
  if (before != nullptr && after != nullptr) {
    changes
        .Text("state", EnumText("STATE_", StateName(before->state.state)),
              EnumText("STATE_", StateName(after->state.state)))
        .Time("delete_time", from.deleted_at, to.deleted_at);
  }
  return std::move(changes).Take();
}

std::vector<FieldChange> ChangesOf(const Channel* before, const Channel* after) {
  static const Channel& none = *new Channel;
  const Channel& from = before != nullptr ? *before : none;
  const Channel& to = after != nullptr ? *after : none;
  FieldChanges changes(KindOf(before != nullptr, after != nullptr));
  changes.Text("display_name", from.display_name, to.display_name);
  const std::string old_url = MaskUrl(from.url);
  const std::string new_url = MaskUrl(to.url);
  if (from.url != to.url) {
    changes.Text("url", old_url,
                 old_url == new_url ? absl::StrCat(new_url, " (another path)") : new_url);
  }
  changes
      .Text("format", EnumText("FORMAT_", FormatName(from.format)),
            EnumText("FORMAT_", FormatName(to.format)))
      .Text("selector", from.selector, to.selector)
      .Flag("is_default", from.is_default, to.is_default)
      .Text("fallback_channel", FallbackName(from), FallbackName(to))
      .Number("group_limit", from.group_limit, to.group_limit)
      .Span("group_wait", from.group_wait, to.group_wait)
      .Flag("omit_output", from.omit_output, to.omit_output);
  if (before != nullptr && after != nullptr) {
    changes.Time("disable_time", from.disabled_at, to.disabled_at);
    if (from.secrets != to.secrets) changes.Secret("webhook_secret");
  }
  AddHeaders(from.headers, to.headers, changes);
  return std::move(changes).Take();
}

std::vector<FieldChange> ChangesOf(const Maintenance* before, const Maintenance* after) {
  static const Maintenance& none = *new Maintenance;
  const Maintenance& from = before != nullptr ? *before : none;
  const Maintenance& to = after != nullptr ? *after : none;
  const auto once = [](const Maintenance* maintenance, absl::Time Maintenance::*time) {
    const bool is_once = maintenance != nullptr && !maintenance->recurring.has_value();
    return is_once ? std::optional<absl::Time>(maintenance->*time) : std::nullopt;
  };
  const auto recurring = [](const Maintenance& maintenance) {
    if (!maintenance.recurring.has_value()) return std::string();
    return absl::StrCat(maintenance.recurring->expression.text(), " ",
                        maintenance.recurring->zone.name(), ", ",
                        DurationText(maintenance.recurring->duration));
  };
  FieldChanges changes(KindOf(before != nullptr, after != nullptr));
  const bool mute = (before != nullptr ? from : to).kind == MaintenanceKind::kMute;
  if (mute) {
    changes.Text("reason", from.reason, to.reason)
        .Text("selector", from.selector, to.selector)
        .Text("monitors", absl::StrJoin(from.monitors, ", "), absl::StrJoin(to.monitors, ", "))
        .Time("expire_time", once(before, &Maintenance::end), once(after, &Maintenance::end));
    return std::move(changes).Take();
  }
  changes.Text("display_name", from.display_name, to.display_name)
      .Text("reason", from.reason, to.reason)
      .Text("selector", from.selector, to.selector)
      .Text("monitors", absl::StrJoin(from.monitors, ", "), absl::StrJoin(to.monitors, ", "))
      .Flag("all_monitors", from.all_monitors, to.all_monitors)
      .Time("one_off.start_time", once(before, &Maintenance::start),
            once(after, &Maintenance::start))
      .Time("one_off.end_time", once(before, &Maintenance::end), once(after, &Maintenance::end))
      .Text("recurring", recurring(from), recurring(to));
  return std::move(changes).Take();
}

std::vector<FieldChange> ChangesOf(const Project* before, const Project* after) {
  FieldChanges changes(KindOf(before != nullptr, after != nullptr));
  changes.Text("display_name", before != nullptr ? before->display_name : "",
               after != nullptr ? after->display_name : "");
  return std::move(changes).Take();
}

std::vector<FieldChange> ChangesOf(const ApiKey* before, const ApiKey* after) {
  static const ApiKey& none = *new ApiKey;
  const ApiKey& from = before != nullptr ? *before : none;
  const ApiKey& to = after != nullptr ? *after : none;
  const auto role = [](const ApiKey* key) {
    return key == nullptr ? std::string() : EnumText("ROLE_", RoleWord(key->role));
  };
  FieldChanges changes(KindOf(before != nullptr, after != nullptr));
  changes.Text("display_name", from.display_name, to.display_name)
      .Text("role", role(before), role(after))
      .Time("expire_time", from.expires_at, to.expires_at)
      .Time("revoke_time", from.revoked_at, to.revoked_at);
  const PushGrant old_push = from.push.value_or(PushGrant());
  const PushGrant new_push = to.push.value_or(PushGrant());
  changes.Flag("push.may_create", old_push.may_create, new_push.may_create)
      .Number("push.max_monitors", old_push.max_monitors, new_push.max_monitors);
  const Monitor old_defaults = {.definition = old_push.defaults, .state = {}};
  const Monitor new_defaults = {.definition = new_push.defaults, .state = {}};
  for (const FieldChange& change : ChangesOf(&old_defaults, &new_defaults)) {
    changes.Within("push.defaults", change);
  }
  return std::move(changes).Take();
}

}  // namespace tocsin::core
