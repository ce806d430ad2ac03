// tocsin.v1.MonitorService.
#include "services/core/api/monitor_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/fingerprint.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/api/update_mask.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor_filter.h"
#include "services/core/domain/monitor_order.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/all_maintenances.h"

namespace tocsin::core {
namespace {

constexpr int kMaxPageWithOutput = 100;
constexpr int kDefaultFireTimes = 5;
constexpr int kMaxFireTimes = 100;

// "MICROS.PUSH_ID" of the last heartbeat of a page.
std::string HeartbeatKey(const Heartbeat& last) {
  return absl::StrCat(absl::ToUnixMicros(last.at), ".", last.push_id);
}

absl::Status ReadHeartbeatKey(const std::string& key, HeartbeatQuery& query) {
  if (key.empty()) return absl::OkStatus();
  const std::pair<std::string, std::string> parts = absl::StrSplit(key, absl::MaxSplits('.', 1));
  int64_t micros = 0;
  if (!absl::SimpleAtoi(parts.first, &micros) ||
      !absl::SimpleAtoi(parts.second, &query.before_push_id)) {
    return BadPageToken();
  }
  query.before = absl::FromUnixMicros(micros);
  return absl::OkStatus();
}

// "MICROS.ID" of the place where the next page goes on, with "w" before it for a walk.
std::string MonitorPlaceKey(const MonitorPage& page) {
  return absl::StrCat(page.walk ? "w" : "", absl::ToUnixMicros(page.next->at), ".", page.next->id);
}

absl::Status ReadMonitorPlaceKey(absl::string_view key, MonitorQuery& query) {
  if (key.empty()) return absl::OkStatus();
  query.walk = absl::ConsumePrefix(&key, "w");
  const std::pair<std::string, std::string> parts = absl::StrSplit(key, absl::MaxSplits('.', 1));
  int64_t micros = 0;
  if (!absl::SimpleAtoi(parts.first, &micros) || !IsResourceId(parts.second)) {
    return BadPageToken();
  }
  query.after = MonitorPlace{.at = absl::FromUnixMicros(micros), .id = parts.second};
  return absl::OkStatus();
}

}  // namespace

MonitorServiceHandler::MonitorServiceHandler(Gate& gate, MonitorAdmin& admin, Store& store,
                                             OutageGuard& guard, const Clock& clock,
                                             std::string public_url)
    : gate_(gate),
      admin_(admin),
      store_(store),
      guard_(guard),
      clock_(clock),
      public_url_(std::string(absl::StripSuffix(public_url, "/"))) {}

v1::Monitor MonitorServiceHandler::Show(const MonitorView& view) const {
  return Show(view, MaintenancesOf(view.monitor.definition.project));
}

v1::Monitor MonitorServiceHandler::Show(const MonitorView& view,
                                        const Maintenances& maintenances) const {
  const absl::Time now = clock_.Now();
  const std::shared_ptr<const GapList> gaps = guard_.Gaps();
  if (maintenances.empty()) return ToProto(view, *gaps, now);
  const GapList all =
      WithMaintenances(*gaps, maintenances, view.monitor.definition, view.monitor.state, now);
  v1::Monitor shown = ToProto(view, all, now);
  shown.set_in_maintenance(MaintainedUntil(all, now).has_value());
  if (const auto until = MutedUntil(all, now)) {
    *shown.mutable_mute_expire_time() = ToTimestamp(*until);
  }
  return shown;
}

// Those that cannot be read change what is shown for a moment, and keep no answer from coming.
Maintenances MonitorServiceHandler::MaintenancesOf(ProjectKey project) const {
  return AllMaintenances(store_, {.project = project,
                                  .after_id = "",
                                  .with_deleted = true,
                                  .mutes_open_after = clock_.Now()})
      .value_or(Maintenances());
}

std::string MonitorServiceHandler::PushUrl(const std::string& token) const {
  return token.empty() ? "" : absl::StrCat(public_url_, "/api/push/", token);
}

absl::Status MonitorServiceHandler::Create(const Caller& caller,
                                           const v1::CreateMonitorRequest& request,
                                           v1::CreateMonitorResponse& response) {
  FieldFaults faults;
  const std::string project = faults.Take(ParseParent(request.parent(), "parent"));
  MonitorDefinition definition =
      FromProto(request.monitor(), project, request.monitor_id(), "monitor", faults);
  CreationOptions options;
  options.validate_only = request.validate_only();
  options.token_hash = ReadTokenHash(request.push_token_sha256(), "push_token_sha256", faults);
  ValidateRequestId(request.request_id(), "request_id", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(definition.id, "monitor_id", faults);
    FillDefaults(definition);
    ValidateMonitor(definition, "monitor", faults);
    return faults.ToStatus();
  }
  options.request = IdentityOf(request);
  ASSIGN_OR_RETURN(const CreatedMonitor created,
                   admin_.Create(caller, std::move(definition), options));
  *response.mutable_monitor() = Show(created.view);
  response.set_push_token(created.push_token);
  response.set_push_url(PushUrl(created.push_token));
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Get(const v1::GetMonitorRequest& request,
                                        v1::Monitor& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMonitorName(request.name(), "name"));
  ASSIGN_OR_RETURN(const std::optional<MonitorView> view,
                   store_.ReadMonitor(name.project, name.id));
  if (!view) return MonitorNotFound(request.name());
  response = Show(*view);
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::List(const v1::ListMonitorsRequest& request,
                                         v1::ListMonitorsResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MonitorQuery query;
  ASSIGN_OR_RETURN(query.filter, ParseMonitorFilter(request.filter()));
  ASSIGN_OR_RETURN(query.order, ParseMonitorOrder(request.order_by()));
  const ListScope scope = {"ListMonitors", project, request.filter(), request.order_by(),
                           request.show_deleted() ? "deleted" : ""};
  ASSIGN_OR_RETURN(const std::string key, PageKey(scope, request.page_token()));
  RETURN_IF_ERROR(ReadMonitorPlaceKey(key, query));
  ASSIGN_OR_RETURN(query.project, RequireProject(store_, project));
  query.limit = size;
  query.show_deleted = request.show_deleted();
  const Maintenances maintenances = MaintenancesOf(query.project);
  while (true) {
    ASSIGN_OR_RETURN(const MonitorPage page, store_.ListMonitors(query));
    const size_t shown =
        AddFitting(page.monitors, size, *response.mutable_monitors(),
                   [&](const MonitorView& view) { return Show(view, maintenances); });
    if (shown == page.monitors.size()) {
      if (page.next.has_value()) {
        response.set_next_page_token(PageToken(scope, MonitorPlaceKey(page)));
      }
      return absl::OkStatus();
    }
    // Where a page ends is known only to the store.
    query.limit = static_cast<int>(shown);
    response.clear_monitors();
  }
}

absl::Status MonitorServiceHandler::Update(const Caller& caller,
                                           const v1::UpdateMonitorRequest& request,
                                           v1::Monitor& response) {
  const v1::Monitor& monitor = request.monitor();
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseMonitorName(monitor.name(), "monitor.name"));
  const MonitorUpdate update =
      MonitorUpdate::Make(monitor, request.update_mask(), name.project, faults);
  ValidateEtag(monitor.etag(), "monitor.etag", faults);
  UpdateOptions options = {.etag = monitor.etag(), .validate_only = request.validate_only()};
  options.token_hash = ReadTokenHash(request.push_token_sha256(), "push_token_sha256", faults);
  MonitorDefinition complete;
  if (request.allow_missing()) {
    if (!name.id.empty()) ValidateResourceId(name.id, "monitor.name", faults);
    complete = update.Complete(name.id);
    options.if_missing = &complete;
  } else if (!request.push_token_sha256().empty()) {
    faults.Add("push_token_sha256", "allow_missing is not set",
               "it only for a monitor that is made, with allow_missing");
  }
  if (!faults.empty()) {
    update.Check(faults);
    return faults.ToStatus();
  }
  ASSIGN_OR_RETURN(
      const MonitorView view,
      admin_.Update(
          caller, name, [&](MonitorDefinition& definition) { return update.Apply(definition); },
          options));
  response = Show(view);
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Delete(const Caller& caller,
                                           const v1::DeleteMonitorRequest& request,
                                           v1::Monitor& response) {
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseMonitorName(request.name(), "name"));
  ValidateEtag(request.etag(), "etag", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  const absl::StatusOr<MonitorView> view = admin_.Delete(
      caller, name, {.etag = request.etag(), .validate_only = request.validate_only()});
  if (request.allow_missing() && tocsin::Reason(view.status()) == kMonitorNotFound) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(view.status());
  response = Show(*view);
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Act(
    const Caller& caller,
    absl::StatusOr<MonitorView> (MonitorAdmin::*act)(const Caller&, const ResourceName&),
    const std::string& name, v1::Monitor& response) {
  ASSIGN_OR_RETURN(const ResourceName parsed, ParseMonitorName(name, "name"));
  ASSIGN_OR_RETURN(const MonitorView view, (admin_.*act)(caller, parsed));
  response = Show(view);
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Rotate(const Caller& caller,
                                           const v1::RotatePushTokenRequest& request,
                                           v1::RotatePushTokenResponse& response) {
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseMonitorName(request.name(), "name"));
  const absl::Duration overlap =
      request.has_overlap() ? FromDuration(request.overlap()) : kDefaultTokenOverlap;
  ValidateTokenOverlap(overlap, "overlap", faults);
  const std::optional<TokenHash> hash =
      ReadTokenHash(request.push_token_sha256(), "push_token_sha256", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(const RotatedToken rotated, admin_.RotateToken(caller, name, overlap, hash));
  *response.mutable_monitor() = Show(rotated.view);
  response.set_push_token(rotated.push_token);
  response.set_push_url(PushUrl(rotated.push_token));
  *response.mutable_old_token_expire_time() = ToTimestamp(rotated.old_token_expires_at);
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Heartbeats(const v1::ListHeartbeatsRequest& request,
                                               v1::ListHeartbeatsResponse& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMonitorName(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int asked, PageSize(request.page_size()));
  HeartbeatQuery query;
  query.with_output = request.show_output();
  // Each is of up to 10,000 bytes, and read before it is known how many fit into an answer.
  const int size = query.with_output ? std::min(asked, kMaxPageWithOutput) : asked;
  const ListScope scope = {"ListHeartbeats", name.project, name.id};
  ASSIGN_OR_RETURN(const std::string key, PageKey(scope, request.page_token()));
  RETURN_IF_ERROR(ReadHeartbeatKey(key, query));
  ASSIGN_OR_RETURN(const std::optional<Monitor> monitor, store_.FindMonitor(name.project, name.id));
  if (!monitor) return MonitorNotFound(request.parent());
  query.monitor = monitor->definition.key;
  query.limit = size + 1;
  ASSIGN_OR_RETURN(const std::vector<StoredHeartbeat> heartbeats, store_.ListHeartbeats(query));
  const size_t shown = AddFitting(heartbeats, size, *response.mutable_heartbeats(),
                                  [](const StoredHeartbeat& each) { return ToProto(each); });
  if (shown < heartbeats.size()) {
    response.set_next_page_token(PageToken(scope, HeartbeatKey(heartbeats[shown - 1].heartbeat)));
  }
  return absl::OkStatus();
}

absl::Status MonitorServiceHandler::Preview(const v1::PreviewScheduleRequest& request,
                                            v1::PreviewScheduleResponse& response) {
  FieldFaults faults;
  if (!request.has_cron()) faults.Add("cron", "missing", "a cron schedule");
  if (request.count() < 0 || request.count() > kMaxFireTimes) {
    faults.Add("count", absl::StrCat("it is ", request.count()), "0 to 100; 0 means 5");
  }
  MonitorDefinition definition;
  if (request.has_cron()) definition.schedule = FromProto(request.cron(), "cron", faults);
  const Schedule& schedule = definition.schedule;
  if (schedule.cron.has_value()) {
    FillDefaults(definition);
    ValidateCron(schedule, "cron", faults);
  }
  RETURN_IF_ERROR(faults.ToStatus());
  *response.mutable_cron() = CronToProto(schedule);
  const CronRule& rule = *schedule.cron;
  absl::Time fire = request.has_start_time() ? FromTimestamp(request.start_time()) : clock_.Now();
  const int count = request.count() == 0 ? kDefaultFireTimes : request.count();
  for (int i = 0; i < count; ++i) {
    fire = rule.expression.Next(fire, rule.zone);
    if (fire == absl::InfiniteFuture()) break;
    v1::PreviewScheduleResponse::FireTime& shown = *response.add_fire_times();
    *shown.mutable_fire_time() = ToTimestamp(fire);
    *shown.mutable_early_time() = ToTimestamp(fire - EarlyTolerance(rule, fire));
    *shown.mutable_deadline_time() = ToTimestamp(fire + schedule.grace);
    shown.set_local_time(absl::FormatTime("%Y-%m-%d %H:%M:%S %z", fire, rule.zone));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* MonitorServiceHandler::PreviewSchedule(
    grpc::CallbackServerContext* context, const v1::PreviewScheduleRequest* request,
    v1::PreviewScheduleResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access&) { return Preview(*request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::CreateMonitor(
    grpc::CallbackServerContext* context, const v1::CreateMonitorRequest* request,
    v1::CreateMonitorResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::GetMonitor(grpc::CallbackServerContext* context,
                                                            const v1::GetMonitorRequest* request,
                                                            v1::Monitor* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::ListMonitors(
    grpc::CallbackServerContext* context, const v1::ListMonitorsRequest* request,
    v1::ListMonitorsResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::UpdateMonitor(
    grpc::CallbackServerContext* context, const v1::UpdateMonitorRequest* request,
    v1::Monitor* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Update(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::DeleteMonitor(
    grpc::CallbackServerContext* context, const v1::DeleteMonitorRequest* request,
    v1::Monitor* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Delete(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::UndeleteMonitor(
    grpc::CallbackServerContext* context, const v1::UndeleteMonitorRequest* request,
    v1::Monitor* response) {
  return Serve(gate_, context, *request, [&](const Access& access) {
    return Act(access.caller, &MonitorAdmin::Undelete, request->name(), *response);
  });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::PauseMonitor(
    grpc::CallbackServerContext* context, const v1::PauseMonitorRequest* request,
    v1::Monitor* response) {
  return Serve(gate_, context, *request, [&](const Access& access) {
    return Act(access.caller, &MonitorAdmin::Pause, request->name(), *response);
  });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::ResumeMonitor(
    grpc::CallbackServerContext* context, const v1::ResumeMonitorRequest* request,
    v1::Monitor* response) {
  return Serve(gate_, context, *request, [&](const Access& access) {
    return Act(access.caller, &MonitorAdmin::Resume, request->name(), *response);
  });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::RotatePushToken(
    grpc::CallbackServerContext* context, const v1::RotatePushTokenRequest* request,
    v1::RotatePushTokenResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Rotate(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MonitorServiceHandler::ListHeartbeats(
    grpc::CallbackServerContext* context, const v1::ListHeartbeatsRequest* request,
    v1::ListHeartbeatsResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access&) { return Heartbeats(*request, *response); });
}

}  // namespace tocsin::core
