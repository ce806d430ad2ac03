// Which fields of a resource an update changes.
#include "services/core/api/update_mask.h"

#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/any_string_view.h"
#include "common/status_details.h"
#include "services/core/api/convert.h"
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

// One path that a mask may name.
template <typename Proto, typename Domain>
struct Field {
  std::string_view path;
  bool (*is_set)(const Proto&);  // nullptr: another path stands for it in an empty mask
  void (*copy)(const Domain& from, Domain& to);
};

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

void CopyWindow(const Maintenance& from, Maintenance& to) {
  to.start = from.start;
  to.end = from.end;
  to.recurring = from.recurring;
}

// A part of a window that comes once; all of it where the maintenance, or the message, has another.
#define TOCSIN_COPY_ONCE(part)                                    \
  [](const Maintenance& from, Maintenance& to) {                  \
    if (from.recurring.has_value() || to.recurring.has_value()) { \
      CopyWindow(from, to);                                       \
    } else {                                                      \
      to.part = from.part;                                        \
    }                                                             \
  }

// The same of one that recurs.
#define TOCSIN_COPY_RECURRING(part)                                 \
  [](const Maintenance& from, Maintenance& to) {                    \
    if (!from.recurring.has_value() || !to.recurring.has_value()) { \
      CopyWindow(from, to);                                         \
    } else {                                                        \
      to.recurring->part = from.recurring->part;                    \
    }                                                               \
  }

using MaintenanceField = Field<v1::Maintenance, Maintenance>;
constexpr MaintenanceField kMaintenanceFields[] = {
    {"display_name", [](const v1::Maintenance& m) { return !m.display_name().empty(); },
     TOCSIN_COPY(display_name)},
    {"reason", [](const v1::Maintenance& m) { return !m.reason().empty(); }, TOCSIN_COPY(reason)},
    {"selector", [](const v1::Maintenance& m) { return !m.selector().empty(); },
     TOCSIN_COPY(selector)},
    {"monitors", [](const v1::Maintenance& m) { return !m.monitors().empty(); },
     TOCSIN_COPY(monitors)},
    {"all_monitors", [](const v1::Maintenance& m) { return m.all_monitors(); },
     TOCSIN_COPY(all_monitors)},
    {"one_off", [](const v1::Maintenance& m) { return m.has_one_off(); }, &CopyWindow},
    {"one_off.start_time", nullptr, TOCSIN_COPY_ONCE(start)},
    {"one_off.end_time", nullptr, TOCSIN_COPY_ONCE(end)},
    {"recurring", [](const v1::Maintenance& m) { return m.has_recurring(); }, &CopyWindow},
    {"recurring.cron", nullptr, TOCSIN_COPY_RECURRING(expression)},
    {"recurring.time_zone", nullptr, TOCSIN_COPY_RECURRING(zone)},
    {"recurring.duration", nullptr, TOCSIN_COPY_RECURRING(duration)},
};

#undef TOCSIN_COPY_ONCE
#undef TOCSIN_COPY_RECURRING
#undef TOCSIN_COPY_GRANT
#undef TOCSIN_COPY_CRON
#undef TOCSIN_COPY_PLAIN
#undef TOCSIN_COPY

constexpr std::string_view kMonitorOutput[] = {
    "name",          "state",          "condition",
    "deadline_time", "last_heartbeat", "unverified",
    "create_time",   "update_time",    "state_change_time",
    "open_incident", "delete_time",    "etag",
    "expect_time",   "runs",           "in_maintenance"};
constexpr std::string_view kChannelOutput[] = {"name",        "disable_time", "disable_reason",
                                               "last_error",  "create_time",  "failing_since",
                                               "update_time", "etag"};
// The role among them: it is immutable.
constexpr std::string_view kKeyOutput[] = {
    "name", "role", "prefix", "create_time", "update_time", "last_use_time", "revoke_time", "etag"};
constexpr std::string_view kProjectOutput[] = {"name", "create_time", "update_time", "etag"};

constexpr std::string_view kMaintenanceOutput[] = {
    "name",          "author",      "active",      "next_start_time",
    "next_end_time", "create_time", "update_time", "etag"};

// What the paths of a key's defaults for monitors begin with.
constexpr std::string_view kBelowDefaults = "push.defaults.";

// How much of a path that names nothing is repeated.
constexpr size_t kMaxShownBytes = 64;

// Whether it is output only, or lies within what is.
template <typename Proto, typename Output>
bool IsOutput(const Output& output, const std::string& path) {
  const std::string first = path.substr(0, path.find('.'));
  return std::find(std::begin(output), std::end(output), first) != std::end(output) &&
         google::protobuf::util::FieldMaskUtil::IsValidPath<Proto>(path);
}

// The key of "labels.team" or "labels.`team`"; empty for another path.
std::string LabelKey(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, "labels.")) return "";
  if (path.size() > 2 && path.front() == '`' && path.back() == '`') {
    path = path.substr(1, path.size() - 2);
  }
  return IsLabelKey(std::string_view(path.data(), path.size())) ? std::string(path) : "";
}

// `labels` takes the keys of labels; null: the resource has none. `below` is what the paths of a
// message within another begin with where they are told: "push.defaults.".
template <typename Fields, typename Output, typename Proto>
std::vector<std::string_view> Paths(const Fields& fields, const Output& output,
                                    const Proto& message, const google::protobuf::FieldMask& mask,
                                    std::vector<std::string>* labels, absl::string_view below,
                                    FieldFaults& faults) {
  std::vector<std::string_view> paths;
  if (mask.paths().empty()) {
    for (const auto& field : fields) {
      if (field.is_set != nullptr && field.is_set(message)) paths.push_back(field.path);
    }
    return paths;
  }
  bool listed = false;  // what is accepted
  for (const std::string& asked : mask.paths()) {
    bool known = asked == "*" || IsOutput<Proto>(output, asked);
    for (const auto& field : fields) {
      if (asked != "*" && asked != field.path) continue;
      paths.push_back(field.path);
      known = true;
    }
    if (std::string key = LabelKey(asked); labels != nullptr && !key.empty()) {
      labels->push_back(std::move(key));
      known = true;
    }
    if (known) continue;
    std::string accepted = absl::StrJoin(fields, ", ", [&](std::string* out, const auto& field) {
      absl::StrAppend(out, below, AnyStringView(field.path).absl());
    });
    if (labels != nullptr) absl::StrAppend(&accepted, ", ", below, "labels.KEY");
    faults.Add(
        "update_mask",
        absl::StrCat("\"", below, CleanText(asked, kMaxShownBytes),
                     "\" is no field that can be changed"),
        listed ? "one of the fields above" : absl::StrCat(below.empty() ? "*, " : "", accepted));
    listed = true;
  }
  return paths;
}

// Of the faults of a message's values those of fields that are named. `prefix` is "monitor".
void TakeNamed(const FieldFaults& values, absl::string_view prefix,
               const std::vector<std::string_view>& paths, FieldFaults& faults) {
  for (const FieldViolation& violation : FieldViolations(values.ToStatus())) {
    absl::string_view field = violation.field;
    absl::ConsumePrefix(&field, absl::StrCat(prefix, "."));
    const bool is_named = std::any_of(paths.begin(), paths.end(), [&](std::string_view path) {
      return absl::StartsWith(field, AnyStringView(path).absl());
    });
    if (is_named) faults.AddWorded(violation.field, violation.description);
  }
}

template <typename Fields, typename Domain>
void CopyFields(const Fields& fields, const std::vector<std::string_view>& paths,
                const Domain& from, Domain& to) {
  for (const auto& field : fields) {
    for (std::string_view path : paths) {
      if (path == field.path) field.copy(from, to);
    }
  }
}

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
      !mask.paths().empty() && monitor.schedule().has_cron() &&
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

void ChannelUpdate::Apply(Channel& channel) const {
  CopyFields(kChannelFields, paths_, values_, channel);
}

void ChannelUpdate::Check(FieldFaults& faults) const {
  Channel any;
  any.id = "any";
  any.url = "https://any";
  Apply(any);
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

MaintenanceUpdate MaintenanceUpdate::Make(const v1::Maintenance& maintenance,
                                          const google::protobuf::FieldMask& mask,
                                          const std::string& project_id, absl::Time now,
                                          FieldFaults& faults) {
  MaintenanceUpdate update;
  FieldFaults values;
  v1::Maintenance given = maintenance;
  // A part of a recurring window may be changed without its cron expression.
  update.lacks_cron_ =
      !mask.paths().empty() && maintenance.has_recurring() &&
      std::none_of(mask.paths().begin(), mask.paths().end(), [](const std::string& path) {
        return path == "*" || path == "recurring" || path == "recurring.cron";
      });
  if (update.lacks_cron_) given.mutable_recurring()->set_cron("* * * * *");
  update.values_ = FromProto(given, project_id, "", now, "maintenance", values);
  update.paths_ =
      Paths(kMaintenanceFields, kMaintenanceOutput, maintenance, mask, nullptr, "", faults);
  // `*` names both windows, of which a message has one.
  TakeNamed(values, "maintenance", update.paths_, faults);
  update.keeps_start_ = maintenance.has_one_off() && !maintenance.one_off().has_start_time();
  return update;
}

absl::Status MaintenanceUpdate::Apply(Maintenance& maintenance) const {
  const bool was_once = !maintenance.recurring.has_value();
  const bool needs_cron = std::any_of(paths_.begin(), paths_.end(), [](std::string_view path) {
    return path.starts_with("recurring.");
  });
  if (lacks_cron_ && needs_cron && was_once) {
    FieldFaults faults;
    faults.Add("maintenance.recurring.cron", "the maintenance does not recur yet",
               "an expression with the rest");
    return faults.ToStatus();
  }
  const absl::Time start = maintenance.start;
  CopyFields(kMaintenanceFields, paths_, values_, maintenance);
  if (keeps_start_ && was_once) maintenance.start = start;
  return absl::OkStatus();
}

}  // namespace tocsin::core
