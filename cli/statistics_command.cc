// `tocsin monitor stats`: how reliable a job is, and which timeout fits it.
#include "cli/statistics_command.h"

#include <memory>

#include "cli/statistics_view.h"
#include "common/status_macros.h"
#include "tocsin/v1/statistics_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::StatisticsService::Stub;

}  // namespace

void AddMonitorStats(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand(
      "stats", "Uptime, how heartbeats came, and a timeout that would fit them");
  auto id = std::make_shared<std::string>();
  app->add_option("ID", *id, "Id of the monitor")->required();
  app->callback([id, &context] {
    context.action = [id](const Context& context) -> absl::Status {
      v1::GetMonitorStatisticsRequest request;
      request.set_name(context.Name("monitors", *id));
      ASSIGN_OR_RETURN(const auto statistics, context.Call(&Stub::GetMonitorStatistics, request));
      if (context.json()) {
        context.PrintOne(statistics);
      } else {
        Print(StatisticsText(statistics));
      }
      return absl::OkStatus();
    };
  });
}

absl::Status TrySchedule(const Context& context, const v1::Monitor& changed) {
  const v1::HeartbeatSchedule& heartbeat = changed.schedule().heartbeat();
  const v1::CronSchedule& cron = changed.schedule().cron();
  v1::GetMonitorStatisticsRequest request;
  request.set_name(changed.name());
  if (heartbeat.has_timeout()) *request.mutable_timeout() = heartbeat.timeout();
  if (heartbeat.has_grace()) *request.mutable_grace() = heartbeat.grace();
  if (cron.has_grace()) *request.mutable_grace() = cron.grace();
  if (!request.has_timeout() && !request.has_grace()) {
    return absl::InvalidArgumentError(
        "--dry-run is about a --timeout or a --grace; --validate-only tries any change");
  }
  ASSIGN_OR_RETURN(const auto statistics, context.Call(&Stub::GetMonitorStatistics, request));
  if (context.json()) {
    context.PrintOne(statistics.timeout_advice());
  } else {
    Print(AdviceText(statistics.timeout_advice(), /*asked=*/true));
  }
  return absl::OkStatus();
}

}  // namespace tocsin::cli
