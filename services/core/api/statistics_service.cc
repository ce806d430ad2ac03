// tocsin.v1.StatisticsService.
#include "services/core/api/statistics_service.h"

#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/domain/names.h"

namespace tocsin::core {
namespace {

v1::Uptime ToProto(const Uptime& uptime, absl::Duration window) {
  v1::Uptime shown;
  *shown.mutable_window() = ToDuration(window);
  *shown.mutable_start_time() = ToTimestamp(uptime.start);
  *shown.mutable_watched() = ToDuration(uptime.watched);
  *shown.mutable_down() = ToDuration(uptime.down);
  if (uptime.ratio.has_value()) shown.set_ratio(*uptime.ratio);
  shown.set_incidents(uptime.incidents);
  shown.set_recoveries(uptime.recoveries);
  if (uptime.mean_time_to_recovery.has_value()) {
    *shown.mutable_mean_time_to_recovery() = ToDuration(*uptime.mean_time_to_recovery);
  }
  return shown;
}

v1::Distribution ToProto(const Distribution& spread) {
  v1::Distribution shown;
  shown.set_count(spread.count);
  shown.set_min(spread.min);
  shown.set_max(spread.max);
  shown.set_mean(spread.mean);
  shown.set_p50(spread.p50);
  shown.set_p90(spread.p90);
  shown.set_p99(spread.p99);
  shown.set_p999(spread.p999);
  for (const Distribution::Bucket& bucket : spread.buckets) {
    v1::Distribution::Bucket& added = *shown.add_buckets();
    added.set_low(bucket.low);
    added.set_high(bucket.high);
    added.set_count(bucket.count);
  }
  return shown;
}

v1::TimeoutAdvice ToAdvice(const Statistics& statistics) {
  const Schedule& schedule = statistics.definition.schedule;
  const Advice& advice = statistics.advice;
  v1::TimeoutAdvice shown;
  if (!schedule.cron.has_value()) *shown.mutable_timeout() = ToDuration(schedule.timeout);
  *shown.mutable_grace() = ToDuration(schedule.grace);
  shown.set_gap_count(advice.beats);
  if (advice.beats > 0) *shown.mutable_longest_usual() = ToDuration(advice.most);
  shown.set_false_alarms(advice.false_alarms);
  *shown.mutable_false_alarms_since() = ToTimestamp(statistics.alarms_since);
  if (advice.suggested.has_value()) {
    *(schedule.cron.has_value() ? shown.mutable_suggested_grace()
                                : shown.mutable_suggested_timeout()) =
        ToDuration(*advice.suggested);
    shown.set_suggested_false_alarms(advice.suggested_false_alarms);
  }
  return shown;
}

}  // namespace

StatisticsServiceHandler::StatisticsServiceHandler(Gate& gate, Store& store, HistoryStore& history,
                                                   const Clock& clock, absl::Duration kept)
    : gate_(gate), reader_(store, history, clock, kept) {}

absl::Status StatisticsServiceHandler::Get(const v1::GetMonitorStatisticsRequest& request,
                                           v1::MonitorStatistics& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMonitorName(request.name(), "name"));
  ScheduleTrial trial;
  if (request.has_timeout()) trial.timeout = FromDuration(request.timeout());
  if (request.has_grace()) trial.grace = FromDuration(request.grace());
  ASSIGN_OR_RETURN(const Statistics statistics, reader_.Read(name, trial));
  response.set_monitor(MonitorName(name.project, name.id));
  *response.mutable_read_time() = ToTimestamp(statistics.read_at);
  for (size_t i = 0; i < statistics.uptimes.size(); ++i) {
    *response.add_uptimes() = ToProto(statistics.uptimes[i], kStatisticsWindows[i]);
  }
  if (statistics.signals_since != absl::InfiniteFuture()) {
    *response.mutable_heartbeats_since() = ToTimestamp(statistics.signals_since);
  }
  if (statistics.gaps.count > 0) *response.mutable_gaps() = ToProto(statistics.gaps);
  if (statistics.lateness.count > 0) *response.mutable_lateness() = ToProto(statistics.lateness);
  if (statistics.values.count > 0) *response.mutable_values() = ToProto(statistics.values);
  *response.mutable_timeout_advice() = ToAdvice(statistics);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* StatisticsServiceHandler::GetMonitorStatistics(
    grpc::CallbackServerContext* context, const v1::GetMonitorStatisticsRequest* request,
    v1::MonitorStatistics* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

}  // namespace tocsin::core
