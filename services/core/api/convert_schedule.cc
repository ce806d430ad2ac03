// Schedules.
#include "services/core/api/convert.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {

v1::CronSchedule CronToProto(const Schedule& schedule) {
  v1::CronSchedule out;
  out.set_expression(schedule.cron->expression.text());
  out.set_time_zone(schedule.cron->zone.name());
  *out.mutable_grace() = ToDuration(schedule.grace);
  if (const auto& early = schedule.cron->early_tolerance) {
    *out.mutable_early_tolerance() = ToDuration(*early);
  }
  return out;
}

v1::Schedule ToProto(const Schedule& schedule) {
  v1::Schedule out;
  if (schedule.cron.has_value()) {
    *out.mutable_cron() = CronToProto(schedule);
    return out;
  }
  v1::HeartbeatSchedule& heartbeat = *out.mutable_heartbeat();
  *heartbeat.mutable_timeout() = ToDuration(schedule.timeout);
  *heartbeat.mutable_recommended_interval() = ToDuration(schedule.recommended_interval);
  *heartbeat.mutable_grace() = ToDuration(schedule.grace);
  return out;
}

Schedule FromProto(const v1::CronSchedule& cron, const std::string& path, FieldFaults& faults) {
  Schedule out;
  out.grace = FromDuration(cron.grace());
  const absl::StatusOr<CronExpression> expression = CronExpression::Parse(cron.expression());
  if (!expression.ok()) faults.Append(expression.status(), path);
  const absl::StatusOr<absl::TimeZone> zone =
      FindTimeZone(cron.time_zone().empty() ? "UTC" : cron.time_zone());
  if (!zone.ok()) faults.Append(zone.status(), path);
  // Something stands in for what is faulty: it is a cron schedule, and is to be judged as one.
  CronRule& rule = out.cron.emplace(
      CronRule{.expression = expression.ok() ? *expression : *CronExpression::Parse("* * * * *"),
               .zone = zone.ok() ? *zone : absl::UTCTimeZone(),
               .early_tolerance = std::nullopt});
  if (cron.has_early_tolerance()) rule.early_tolerance = FromDuration(cron.early_tolerance());
  return out;
}

Schedule FromProto(const v1::Schedule& schedule, std::string_view prefix, FieldFaults& faults) {
  if (schedule.has_cron()) {
    return FromProto(schedule.cron(), std::string(prefix) + ".schedule.cron", faults);
  }
  const v1::HeartbeatSchedule& heartbeat = schedule.heartbeat();
  Schedule out;
  out.timeout = FromDuration(heartbeat.timeout());
  out.recommended_interval = FromDuration(heartbeat.recommended_interval());
  out.grace = FromDuration(heartbeat.grace());
  return out;
}

}  // namespace tocsin::core
