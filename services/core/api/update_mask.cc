// Which fields of a resource an update changes.
#include "services/core/api/update_mask.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "services/core/api/convert.h"
#include "services/core/api/mask_fields.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

using namespace masks;  // NOLINT(google-build-using-namespace): the tables' own words

#define TOCSIN_COPY(member) [](const auto& from, auto& to) { to.member = from.member; }

// A part of a cron schedule; all of it where the monitor, or the message, has another kind.
#define TOCSIN_COPY_CRON(part)                                              \
  [](const MonitorDefinition& from, MonitorDefinition& to) {                \
    if (!from.schedule.cron.has_value() || !to.schedule.cron.has_value()) { \
      to.schedule = from.schedule;                                          \
    } else {                                                                \
      to.schedule.part = from.schedule.part;                                \
    }                                                                       \
  }

// The same of a heartbeat schedule.
#define TOCSIN_COPY_PLAIN(part)                                           \
  [](const MonitorDefinition& from, MonitorDefinition& to) {              \
    if (from.schedule.cron.has_value() || to.schedule.cron.has_value()) { \
      to.schedule = from.schedule;                                        \
    } else {                                                              \
      to.schedule.part = from.schedule.part;                              \
    }                                                                     \
  }

using MonitorField = Field<v1::Monitor, MonitorDefinition>;
constexpr MonitorField kMonitorFields[] = {
    {"display_name", [](const v1::Monitor& m) { return !m.display_name().empty(); },
     TOCSIN_COPY(display_name)},
    {"description", [](const v1::Monitor& m) { return !m.description().empty(); },
     TOCSIN_COPY(description)},
    {"owner", [](const v1::Monitor& m) { return !m.owner().empty(); }, TOCSIN_COPY(owner)},
    {"severity", [](const v1::Monitor& m) { return m.severity() != 0; }, TOCSIN_COPY(severity)},
    {"runbook_url", [](const v1::Monitor& m) { return !m.runbook_url().empty(); },
     TOCSIN_COPY(runbook_url)},
    {"labels", [](const v1::Monitor& m) { return !m.labels().empty(); }, TOCSIN_COPY(labels)},
    {"schedule", nullptr, TOCSIN_COPY(schedule)},
    {"schedule.heartbeat", nullptr, TOCSIN_COPY(schedule)},
    {"schedule.cron", nullptr, TOCSIN_COPY(schedule)},
    {"schedule.cron.expression", [](const v1::Monitor& m) { return m.schedule().has_cron(); },
     TOCSIN_COPY_CRON(cron->expression)},
    {"schedule.cron.time_zone",
     [](const v1::Monitor& m) { return !m.schedule().cron().time_zone().empty(); },
     TOCSIN_COPY_CRON(cron->zone)},
    {"schedule.cron.grace", [](const v1::Monitor& m) { return m.schedule().cron().has_grace(); },
     TOCSIN_COPY_CRON(grace)},
    {"schedule.cron.early_tolerance",
     [](const v1::Monitor& m) { return m.schedule().cron().has_early_tolerance(); },
     TOCSIN_COPY_CRON(cron->early_tolerance)},
    {"schedule.heartbeat.timeout",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_timeout(); },
     TOCSIN_COPY_PLAIN(timeout)},
    {"schedule.heartbeat.recommended_interval",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_recommended_interval(); },
     TOCSIN_COPY_PLAIN(recommended_interval)},
    {"schedule.heartbeat.grace",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_grace(); },
     TOCSIN_COPY_PLAIN(grace)},
    {"failure_threshold", [](const v1::Monitor& m) { return m.failure_threshold() != 0; },
     TOCSIN_COPY(failure_threshold)},
    {"recovery_threshold", [](const v1::Monitor& m) { return m.recovery_threshold() != 0; },
     TOCSIN_COPY(recovery_threshold)},
    {"value_min", [](const v1::Monitor& m) { return m.has_value_min(); }, TOCSIN_COPY(value_min)},
    {"value_max", [](const v1::Monitor& m) { return m.has_value_max(); }, TOCSIN_COPY(value_max)},
    {"max_run_duration", [](const v1::Monitor& m) { return m.has_max_run_duration(); },
     TOCSIN_COPY(max_run_duration)},
    {"reminder_interval", [](const v1::Monitor& m) { return m.has_reminder_interval(); },
     TOCSIN_COPY(reminder_interval)},
    {"arm_on_create", [](const v1::Monitor& m) { return m.arm_on_create(); },
     TOCSIN_COPY(arm_on_create)},
    {"resume_on_heartbeat", [](const v1::Monitor& m) { return m.resume_on_heartbeat(); },
     TOCSIN_COPY(resume_on_heartbeat)},
    {"channels", [](const v1::Monitor& m) { return !m.channels().empty(); }, TOCSIN_COPY(channels)},
};

using ChannelField = Field<v1::Channel, Channel>;
constexpr ChannelField kChannelFields[] = {
    {"display_name", [](const v1::Channel& c) { return !c.display_name().empty(); },
     TOCSIN_COPY(display_name)},
    {"url", [](const v1::Channel& c) { return !c.url().empty(); }, TOCSIN_COPY(url)},
    {"format", [](const v1::Channel& c) { return c.format() != 0; }, TOCSIN_COPY(format)},
    {"selector", [](const v1::Channel& c) { return !c.selector().empty(); }, TOCSIN_COPY(selector)},
    {"is_default", [](const v1::Channel& c) { return c.is_default(); }, TOCSIN_COPY(is_default)},
    {"fallback_channel", [](const v1::Channel& c) { return !c.fallback_channel().empty(); },
     TOCSIN_COPY(fallback_channel)},
    {"group_limit", [](const v1::Channel& c) { return c.group_limit() != 0; },
     TOCSIN_COPY(group_limit)},
    {"group_wait", [](const v1::Channel& c) { return c.has_group_wait(); },
     TOCSIN_COPY(group_wait)},
    {"omit_output", [](const v1::Channel& c) { return c.omit_output(); }, TOCSIN_COPY(omit_output)},
    {"headers", [](const v1::Channel& c) { return !c.headers().empty(); }, TOCSIN_COPY(headers)},
};

// The whole grant, or one part of it.
#define TOCSIN_COPY_GRANT(member)                             \
  [](const ApiKey& from, ApiKey& to) {                        \
    if (!to.push.has_value()) to.push.emplace();              \
    to.push->member = from.push.value_or(PushGrant()).member; \
  }

using KeyField = Field<v1::Key, ApiKey>;
constexpr KeyField kKeyFields[] = {
    {"display_name", [](const v1::Key& k) { return !k.display_name().empty(); },
     TOCSIN_COPY(display_name)},
    {"expire_time", [](const v1::Key& k) { return k.has_expire_time(); }, TOCSIN_COPY(expires_at)},
    {"push", [](const v1::Key& k) { return k.has_push(); }, TOCSIN_COPY(push)},
    {"push.may_create", nullptr, TOCSIN_COPY_GRANT(may_create)},
    {"push.defaults", nullptr, TOCSIN_COPY_GRANT(defaults)},
    {"push.max_monitors", nullptr, TOCSIN_COPY_GRANT(max_monitors)},
};

using ProjectField = Field<v1::Project, Project>;
constexpr ProjectField kProjectFields[] = {
    {"display_name", [](const v1::Project& p) { return !p.display_name().empty(); },
     TOCSIN_COPY(display_name)},
};

#undef TOCSIN_COPY_GRANT
#undef TOCSIN_COPY_CRON
#undef TOCSIN_COPY_PLAIN
#undef TOCSIN_COPY

constexpr std::string_view kMonitorOutput[] = {"name",
                                               "state",
                                               "condition",
                                               "deadline_time",
                                               "last_heartbeat",
                                               "unverified",
                                               "create_time",
                                               "update_time",
                                               "state_change_time",
                                               "open_incident",
                                               "delete_time",
                                               "etag",
                                               "expect_time",
                                               "runs",
                                               "in_maintenance",
                                               "flapping",
                                               "mute_expire_time"};
constexpr std::string_view kChannelOutput[] = {
    "name",        "disable_time", "disable_reason",
    "last_error",  "create_time",  "failing_since",
    "update_time", "etag",         "old_secret_expire_time"};
// The role among them: it is immutable.
constexpr std::string_view kKeyOutput[] = {
    "name", "role", "prefix", "create_time", "update_time", "last_use_time", "revoke_time", "etag"};
constexpr std::string_view kProjectOutput[] = {"name", "create_time", "update_time", "etag"};

// What the paths of a key's defaults for monitors begin with.
constexpr std::string_view kBelowDefaults = "push.defaults.";

}  // namespace

MonitorUpdate MonitorUpdate::Make(const v1::Monitor& monitor,
                                  const google::protobuf::FieldMask& mask,
                                  const std::string& project_id, FieldFaults& faults,
                                  std::string_view prefix, std::string_view below) {
  MonitorUpdate update;
  FieldFaults values;
  v1::Monitor given = monitor;
  // A part of a cron schedule may be changed without its expression.
  update.lacks_expression_ =
      Names(mask, "schedule.cron.") && monitor.schedule().has_cron() &&
      std::none_of(mask.paths().begin(), mask.paths().end(), [](const std::string& path) {
        return path == "*" || path == "schedule" || path == "schedule.cron" ||
               path == "schedule.cron.expression";
      });
  if (update.lacks_expression_) {
    given.mutable_schedule()->mutable_cron()->set_expression("* * * * *");
  }
  update.values_ = FromProto(given, project_id, "", prefix, values);
  update.paths_ = Paths(kMonitorFields, kMonitorOutput, monitor, mask, &update.labels_,
                        AnyStringView(below).absl(), faults);
  const std::string within = absl::StrCat(AnyStringView(prefix).absl(), ".");
  if (monitor.schedule().has_cron()) {
    LeaveOut(mask, "schedule.cron", "schedule.heartbeat", within, update.paths_, faults);
  } else if (monitor.schedule().has_heartbeat()) {
    LeaveOut(mask, "schedule.heartbeat", "schedule.cron", within, update.paths_, faults);
  }
  TakeNamed(values, AnyStringView(prefix).absl(), update.paths_, faults);
  return update;
}

absl::Status MonitorUpdate::Apply(MonitorDefinition& definition) const {
  const bool has_cron = definition.schedule.cron.has_value();
  const bool needs_cron = std::any_of(paths_.begin(), paths_.end(), [](std::string_view path) {
    return path.starts_with("schedule.cron");
  });
  if (lacks_expression_ && needs_cron && !has_cron) {
    FieldFaults faults;
    faults.Add("monitor.schedule.cron.expression", "the monitor has no cron schedule yet",
               "an expression with the rest");
    return faults.ToStatus();
  }
  Copy(definition);
  return absl::OkStatus();
}

void MonitorUpdate::Copy(MonitorDefinition& definition) const {
  CopyFields(kMonitorFields, paths_, values_, definition);
  for (const std::string& key : labels_) {
    const auto found = values_.labels.find(key);
    if (found == values_.labels.end()) {
      definition.labels.erase(key);
    } else {
      definition.labels[key] = found->second;
    }
  }
}

void MonitorUpdate::Check(FieldFaults& faults) const {
  MonitorDefinition any;
  any.id = "any";
  // Whatever is named fits these.
  any.schedule.timeout = kMaxTimeout;
  any.schedule.recommended_interval = absl::Microseconds(1);
  Copy(any);
  FillDefaults(any);
  ValidateMonitor(any, "monitor", faults);
}

MonitorDefinition MonitorUpdate::Complete(const std::string& id) const {
  MonitorDefinition made = values_;
  made.id = id;
  if (lacks_expression_) made.schedule = Schedule();
  return made;
}

ChannelUpdate ChannelUpdate::Make(const v1::Channel& channel,
                                  const google::protobuf::FieldMask& mask,
                                  const std::string& project_id, FieldFaults& faults) {
  ChannelUpdate update;
  FieldFaults values;
  update.values_ = FromProto(channel, project_id, "", "channel", values);
  update.paths_ = Paths(kChannelFields, kChannelOutput, channel, mask, nullptr, "", faults);
  TakeNamed(values, "channel", update.paths_, faults);
  return update;
}

absl::Status ChannelUpdate::Apply(Channel& channel) const {
  const Channel stored = channel;
  CopyFields(kChannelFields, paths_, values_, channel);
  // A client that sends back what it read sends the masked URL: that is no change.
  if (channel.url == MaskUrl(stored.url)) channel.url = stored.url;
  const bool gives_headers = std::find(paths_.begin(), paths_.end(), "headers") != paths_.end();
  return KeepHeaders(stored, gives_headers, channel);
}

void ChannelUpdate::Check(FieldFaults& faults) const {
  Channel any;
  any.id = "any";
  any.url = "https://any";
  CopyFields(kChannelFields, paths_, values_, any);
  // They may stand for what is stored.
  std::erase_if(any.headers, [](const auto& header) { return header.second == kMaskedHeader; });
  FillDefaults(any);
  ValidateChannel(any, "channel", faults);
}

Channel ChannelUpdate::Complete(const std::string& id) const {
  Channel made = values_;
  made.id = id;
  return made;
}

KeyUpdate KeyUpdate::Make(const v1::Key& key, const google::protobuf::FieldMask& mask,
                          const std::string& project_id, FieldFaults& faults) {
  KeyUpdate update;
  FieldFaults faulty;
  v1::Key values = key;
  // Immutable, so it need not be sent.
  if (values.role() == v1::ROLE_UNSPECIFIED) values.set_role(v1::ROLE_VIEWER);
  update.values_ = FromProto(values, project_id, "", "key", faulty);
  google::protobuf::FieldMask of_key;
  google::protobuf::FieldMask of_defaults;
  for (const std::string& path : mask.paths()) {
    const bool within = path.starts_with(kBelowDefaults);
    if (within) of_defaults.add_paths(path.substr(kBelowDefaults.size()));
    if (!within) of_key.add_paths(path);
  }
  if (mask.paths().empty() || !of_key.paths().empty()) {
    update.paths_ = Paths(kKeyFields, kKeyOutput, key, of_key, nullptr, "", faults);
  }
  TakeNamed(faulty, "key", update.paths_, faults);
  if (!of_defaults.paths().empty()) {
    update.defaults_ = MonitorUpdate::Make(key.push().defaults(), of_defaults, project_id, faults,
                                           "key.push.defaults", kBelowDefaults);
  }
  // A part that `*` names is nothing where there is no whole.
  const bool all = std::any_of(mask.paths().begin(), mask.paths().end(),
                               [](const std::string& path) { return path == "*"; });
  if (!key.has_push() && all) {
    std::erase_if(update.paths_, [](std::string_view p) { return p.starts_with("push."); });
  }
  return update;
}

absl::Status KeyUpdate::Apply(ApiKey& key) const {
  CopyFields(kKeyFields, paths_, values_, key);
  if (!defaults_.has_value()) return absl::OkStatus();
  if (!key.push.has_value()) key.push.emplace();
  return defaults_->Apply(key.push->defaults);
}

ProjectUpdate ProjectUpdate::Make(const v1::Project& project,
                                  const google::protobuf::FieldMask& mask, FieldFaults& faults) {
  ProjectUpdate update;
  update.values_ = FromProto(project, "");
  update.paths_ = Paths(kProjectFields, kProjectOutput, project, mask, nullptr, "", faults);
  return update;
}

void ProjectUpdate::Apply(Project& project) const {
  CopyFields(kProjectFields, paths_, values_, project);
}

}  // namespace tocsin::core
