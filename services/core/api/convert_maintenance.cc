// Maintenances.
#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "services/core/api/convert.h"
#include "services/core/domain/names.h"
#include "services/core/domain/time_zone.h"
#include "services/core/engine/maintenance_admin.h"

namespace tocsin::core {
namespace {

void ReadRecurring(const v1::RecurringWindow& window, const std::string& path, Maintenance& out,
                   FieldFaults& faults) {
  const absl::StatusOr<CronExpression> expression = CronExpression::Parse(window.cron());
  // The evaluator calls it by the name that it has in a schedule.
  for (const FieldViolation& violation : FieldViolations(expression.status())) {
    faults.AddWorded(path + ".cron", violation.description);
  }
  const absl::StatusOr<absl::TimeZone> zone =
      FindTimeZone(window.time_zone().empty() ? "UTC" : window.time_zone());
  if (!zone.ok()) faults.Append(zone.status(), path);
  if (!expression.ok() || !zone.ok()) return;
  out.recurring = RecurringWindow{
      .expression = *expression, .zone = *zone, .duration = FromDuration(window.duration())};
}

// Of the project of `out`.
void ReadMonitors(const google::protobuf::RepeatedPtrField<std::string>& names,
                  const std::string& field, Maintenance& out, FieldFaults& faults) {
  for (const std::string& name : names) {
    const absl::StatusOr<ResourceName> parsed = ParseMonitorName(name, field);
    if (!parsed.ok()) {
      faults.Append(parsed.status(), "");
    } else if (!out.project_id.empty() && parsed->project != out.project_id) {
      faults.Add(field, absl::StrCat(name, " lies in another project"),
                 "monitors of the same project");
    } else {
      out.monitors.push_back(parsed->id);
    }
  }
}

}  // namespace

v1::Maintenance ToProto(const Maintenance& maintenance, absl::Time now) {
  v1::Maintenance out;
  out.set_name(MaintenanceName(maintenance.project_id, maintenance.id));
  out.set_display_name(maintenance.display_name);
  out.set_reason(maintenance.reason);
  out.set_author(maintenance.author);
  out.set_selector(maintenance.selector);
  for (const std::string& monitor : maintenance.monitors) {
    out.add_monitors(MonitorName(maintenance.project_id, monitor));
  }
  out.set_all_monitors(maintenance.all_monitors);
  if (maintenance.recurring.has_value()) {
    v1::RecurringWindow& recurring = *out.mutable_recurring();
    recurring.set_cron(maintenance.recurring->expression.text());
    recurring.set_time_zone(maintenance.recurring->zone.name());
    *recurring.mutable_duration() = ToDuration(maintenance.recurring->duration);
  } else {
    *out.mutable_one_off()->mutable_start_time() = ToTimestamp(maintenance.start);
    *out.mutable_one_off()->mutable_end_time() = ToTimestamp(maintenance.end);
  }
  if (const auto window = NextWindow(maintenance, now)) {
    out.set_active(window->start <= now);
    *out.mutable_next_start_time() = ToTimestamp(window->start);
    *out.mutable_next_end_time() = ToTimestamp(window->end);
  }
  *out.mutable_create_time() = ToTimestamp(maintenance.created_at);
  *out.mutable_update_time() = ToTimestamp(maintenance.updated_at);
  out.set_etag(EtagOf(maintenance));
  return out;
}

Maintenance FromProto(const v1::Maintenance& maintenance, const std::string& project_id,
                      const std::string& id, absl::Time now, std::string_view prefix,
                      FieldFaults& faults) {
  const std::string below = std::string(prefix) + ".";
  Maintenance out;
  out.project_id = project_id;
  out.id = id;
  out.display_name = maintenance.display_name();
  out.reason = maintenance.reason();
  out.selector = maintenance.selector();
  out.all_monitors = maintenance.all_monitors();
  ReadMonitors(maintenance.monitors(), below + "monitors", out, faults);
  if (maintenance.has_recurring()) {
    ReadRecurring(maintenance.recurring(), below + "recurring", out, faults);
    // What the domain says of a window that comes once would be no help.
    if (!out.recurring.has_value()) out.end = (out.start = now) + absl::Seconds(1);
    return out;
  }
  const v1::OneOffWindow& window = maintenance.one_off();
  out.start = window.has_start_time() ? FromTimestamp(window.start_time()) : now;
  out.end = FromTimestamp(window.end_time());
  return out;
}

v1::Mute ToMute(const Maintenance& mute, absl::Time now) {
  v1::Mute out;
  out.set_name(MuteName(mute.project_id, mute.id));
  out.set_reason(mute.reason);
  out.set_selector(mute.selector);
  for (const std::string& monitor : mute.monitors) {
    out.add_monitors(MonitorName(mute.project_id, monitor));
  }
  *out.mutable_expire_time() = ToTimestamp(mute.end);
  out.set_author(mute.author);
  out.set_active(mute.end > now);
  *out.mutable_create_time() = ToTimestamp(mute.created_at);
  return out;
}

Maintenance FromProto(const v1::Mute& mute, const std::string& project_id, const std::string& id,
                      absl::Time now, std::string_view prefix, FieldFaults& faults) {
  Maintenance out;
  out.kind = MaintenanceKind::kMute;
  out.project_id = project_id;
  out.id = id;
  out.reason = mute.reason();
  out.selector = mute.selector();
  ReadMonitors(mute.monitors(), std::string(prefix) + ".monitors", out, faults);
  out.start = now;
  out.end = FromTimestamp(mute.expire_time());
  return out;
}

}  // namespace tocsin::core
