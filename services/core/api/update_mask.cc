// Which fields of a resource an update changes.
#include "services/core/api/update_mask.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/domain/errors.h"

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
    {"schedule.heartbeat.timeout",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_timeout(); },
     TOCSIN_COPY(schedule.timeout)},
    {"schedule.heartbeat.recommended_interval",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_recommended_interval(); },
     TOCSIN_COPY(schedule.recommended_interval)},
    {"schedule.heartbeat.grace",
     [](const v1::Monitor& m) { return m.schedule().heartbeat().has_grace(); },
     TOCSIN_COPY(schedule.grace)},
    {"failure_threshold", [](const v1::Monitor& m) { return m.failure_threshold() != 0; },
     TOCSIN_COPY(failure_threshold)},
    {"recovery_threshold", [](const v1::Monitor& m) { return m.recovery_threshold() != 0; },
     TOCSIN_COPY(recovery_threshold)},
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
#undef TOCSIN_COPY

template <typename Fields, typename Proto>
absl::StatusOr<std::vector<std::string_view>> Paths(const Fields& fields, const Proto& message,
                                                    const google::protobuf::FieldMask& mask) {
  std::vector<std::string_view> paths;
  if (mask.paths().empty()) {
    for (const auto& field : fields) {
      if (field.is_set != nullptr && field.is_set(message)) paths.push_back(field.path);
    }
    return paths;
  }
  FieldFaults faults;
  for (const std::string& asked : mask.paths()) {
    bool known = asked == "*";
    for (const auto& field : fields) {
      if (asked != "*" && asked != field.path) continue;
      paths.push_back(field.path);
      known = true;
    }
    if (known) continue;
    const std::string accepted = absl::StrJoin(
        fields, ", ",
        [](std::string* out, const auto& field) { absl::StrAppend(out, std::string(field.path)); });
    faults.Add("update_mask", absl::StrCat("\"", asked, "\" is no field that can be changed"),
               absl::StrCat("*, ", accepted));
  }
  RETURN_IF_ERROR(faults.ToStatus());
  return paths;
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

absl::StatusOr<MonitorUpdate> MonitorUpdate::Make(const v1::Monitor& monitor,
                                                  const google::protobuf::FieldMask& mask,
                                                  const std::string& project_id) {
  MonitorUpdate update;
  FieldFaults faults;
  update.values_ = FromProto(monitor, project_id, "", "monitor", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(update.paths_, Paths(kMonitorFields, monitor, mask));
  return update;
}

void MonitorUpdate::Apply(MonitorDefinition& definition) const {
  CopyFields(kMonitorFields, paths_, values_, definition);
}

absl::StatusOr<ChannelUpdate> ChannelUpdate::Make(const v1::Channel& channel,
                                                  const google::protobuf::FieldMask& mask,
                                                  const std::string& project_id) {
  ChannelUpdate update;
  FieldFaults faults;
  update.values_ = FromProto(channel, project_id, "", "channel", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(update.paths_, Paths(kChannelFields, channel, mask));
  return update;
}

void ChannelUpdate::Apply(Channel& channel) const {
  CopyFields(kChannelFields, paths_, values_, channel);
}

absl::StatusOr<KeyUpdate> KeyUpdate::Make(const v1::Key& key,
                                          const google::protobuf::FieldMask& mask,
                                          const std::string& project_id) {
  KeyUpdate update;
  FieldFaults faults;
  v1::Key values = key;
  // Immutable, so it need not be sent.
  if (values.role() == v1::ROLE_UNSPECIFIED) values.set_role(v1::ROLE_VIEWER);
  update.values_ = FromProto(values, project_id, "", "key", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(update.paths_, Paths(kKeyFields, key, mask));
  // A part that `*` names is nothing where there is no whole.
  if (!key.has_push() && !mask.paths().empty()) {
    const bool all = std::any_of(mask.paths().begin(), mask.paths().end(),
                                 [](const std::string& path) { return path == "*"; });
    if (all)
      std::erase_if(update.paths_, [](std::string_view p) { return p.starts_with("push."); });
  }
  return update;
}

void KeyUpdate::Apply(ApiKey& key) const { CopyFields(kKeyFields, paths_, values_, key); }

absl::StatusOr<ProjectUpdate> ProjectUpdate::Make(const v1::Project& project,
                                                  const google::protobuf::FieldMask& mask) {
  ProjectUpdate update;
  update.values_ = FromProto(project, "");
  ASSIGN_OR_RETURN(update.paths_, Paths(kProjectFields, project, mask));
  return update;
}

void ProjectUpdate::Apply(Project& project) const {
  CopyFields(kProjectFields, paths_, values_, project);
}

}  // namespace tocsin::core
