// `tocsin monitor describe`: everything that is known of one, on a page.
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/describe/page.h"
#include "cli/message_json.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/incident_service.grpc.pb.h"
#include "tocsin/v1/maintenance_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"
#include "tocsin/v1/mute_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr int kHeartbeats = 10;
constexpr int kIncidents = 5;
constexpr int kFireTimes = 3;
constexpr int kPageSize = 1000;
// Of channels, mutes and maintenances: a project with more has more than a page can say.
constexpr int kMost = 10'000;

// "projects/default" of "projects/default/monitors/nightly".
std::string ProjectOf(const std::string& name) { return name.substr(0, name.find("/monitors/")); }

absl::Status ReadHistory(const Context& context, MonitorPage& page) {
  using Stub = v1::MonitorService::Stub;
  const v1::Monitor& monitor = page.monitor;
  if (monitor.schedule().has_cron()) {
    v1::PreviewScheduleRequest request;
    request.set_parent(ProjectOf(monitor.name()));
    *request.mutable_cron() = monitor.schedule().cron();
    request.set_count(kFireTimes);
    ASSIGN_OR_RETURN(page.fires, context.Call(&Stub::PreviewSchedule, request));
  }
  v1::ListHeartbeatsRequest heartbeats;
  heartbeats.set_parent(monitor.name());
  heartbeats.set_page_size(kHeartbeats);
  ASSIGN_OR_RETURN(page.heartbeats, context.Call(&Stub::ListHeartbeats, heartbeats));
  v1::ListIncidentsRequest incidents;
  incidents.set_parent(ProjectOf(monitor.name()));
  incidents.set_monitor(monitor.name());
  incidents.set_page_size(kIncidents);
  ASSIGN_OR_RETURN(page.incidents,
                   context.Call(&v1::IncidentService::Stub::ListIncidents, incidents));
  return absl::OkStatus();
}

absl::Status ReadRouting(const Context& context, MonitorPage& page) {
  const std::string parent = ProjectOf(page.monitor.name());
  v1::ListChannelsRequest channels;
  channels.set_parent(parent);
  channels.set_page_size(kPageSize);
  ASSIGN_OR_RETURN(const auto every_channel,
                   context.List(&v1::ChannelService::Stub::ListChannels,
                                &v1::ListChannelsResponse::mutable_channels, channels, kMost));
  page.told =
      WhoIsTold(page.monitor, {every_channel.channels().begin(), every_channel.channels().end()});
  v1::ListMutesRequest mutes;
  mutes.set_parent(parent);
  mutes.set_page_size(kPageSize);
  mutes.set_active_only(true);
  ASSIGN_OR_RETURN(const auto every_mute,
                   context.List(&v1::MuteService::Stub::ListMutes,
                                &v1::ListMutesResponse::mutable_mutes, mutes, kMost));
  for (const v1::Mute& mute : every_mute.mutes()) {
    if (IsAbout(mute, page.monitor)) page.mutes.push_back(mute);
  }
  v1::ListMaintenancesRequest maintenances;
  maintenances.set_parent(parent);
  maintenances.set_page_size(kPageSize);
  ASSIGN_OR_RETURN(
      const auto every_maintenance,
      context.List(&v1::MaintenanceService::Stub::ListMaintenances,
                   &v1::ListMaintenancesResponse::mutable_maintenances, maintenances, kMost));
  for (const v1::Maintenance& maintenance : every_maintenance.maintenances()) {
    const bool over = !maintenance.active() && !maintenance.has_next_start_time();
    if (!over && IsAbout(maintenance, page.monitor)) page.maintenances.push_back(maintenance);
  }
  return absl::OkStatus();
}

absl::Status Describe(const Context& context, const std::string& id) {
  v1::GetMonitorRequest request;
  request.set_name(context.Name("monitors", id));
  MonitorPage page;
  ASSIGN_OR_RETURN(page.monitor, context.Call(&v1::MonitorService::Stub::GetMonitor, request));
  RETURN_IF_ERROR(ReadHistory(context, page));
  RETURN_IF_ERROR(ReadRouting(context, page));
  if (context.json()) {
    context.PrintJsonText(DumpJson(PageJson(page), context.json_lines()));
  } else {
    Print(PageText(page, SystemClock().Now(), context.wide(), OutputTerminal()));
  }
  return absl::OkStatus();
}

}  // namespace

void AddDescribeCommand(CLI::App& monitor, Context& context) {
  CLI::App* describe = monitor.add_subcommand(
      "describe", "Everything about one monitor: what happened last, and who is told");
  auto id = std::make_shared<std::string>();
  describe->add_option("ID", *id, "Id of the monitor")->required();
  describe->callback([id, &context] {
    context.action = [id](const Context& context) { return Describe(context, *id); };
  });
}

}  // namespace tocsin::cli
