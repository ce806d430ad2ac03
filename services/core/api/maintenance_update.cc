// Which fields of a maintenance an update changes.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "services/core/api/convert.h"
#include "services/core/api/mask_fields.h"
#include "services/core/api/update_mask.h"

namespace tocsin::core {
namespace {

using namespace masks;  // NOLINT(google-build-using-namespace): the tables' own words

#define TOCSIN_COPY(member) [](const auto& from, auto& to) { to.member = from.member; }

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
#undef TOCSIN_COPY

constexpr std::string_view kMaintenanceOutput[] = {
    "name",          "author",      "active",      "next_start_time",
    "next_end_time", "create_time", "update_time", "etag"};

}  // namespace

MaintenanceUpdate MaintenanceUpdate::Make(const v1::Maintenance& maintenance,
                                          const google::protobuf::FieldMask& mask,
                                          const std::string& project_id, absl::Time now,
                                          FieldFaults& faults) {
  MaintenanceUpdate update;
  FieldFaults values;
  v1::Maintenance given = maintenance;
  // A part of a recurring window may be changed without its cron expression.
  update.lacks_cron_ =
      Names(mask, "recurring.") && maintenance.has_recurring() &&
      std::none_of(mask.paths().begin(), mask.paths().end(), [](const std::string& path) {
        return path == "*" || path == "recurring" || path == "recurring.cron";
      });
  if (update.lacks_cron_) given.mutable_recurring()->set_cron("* * * * *");
  update.values_ = FromProto(given, project_id, "", now, "maintenance", values);
  update.paths_ =
      Paths(kMaintenanceFields, kMaintenanceOutput, maintenance, mask, nullptr, "", faults);
  if (maintenance.has_recurring()) {
    LeaveOut(mask, "recurring", "one_off", "maintenance.", update.paths_, faults);
  } else if (maintenance.has_one_off()) {
    LeaveOut(mask, "one_off", "recurring", "maintenance.", update.paths_, faults);
  }
  // One part of a recurring window needs all.
  std::vector<std::string_view> named = update.paths_;
  if (Names(mask, "recurring.")) named.emplace_back("recurring");
  TakeNamed(values, "maintenance", named, faults);
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
  const bool comes_once = std::any_of(paths_.begin(), paths_.end(), [](std::string_view path) {
    return path.starts_with("one_off");
  });
  if (keeps_start_ && comes_once && !was_once) {
    // Whoever means the end of a window that is open would make one that begins now.
    FieldFaults faults;
    faults.Add("maintenance.one_off.start_time", "missing, and the maintenance recurs until now",
               "when it begins, to make it one that comes once");
    return faults.ToStatus();
  }
  const absl::Time start = maintenance.start;
  CopyFields(kMaintenanceFields, paths_, values_, maintenance);
  if (keeps_start_ && was_once) maintenance.start = start;
  return absl::OkStatus();
}

}  // namespace tocsin::core
