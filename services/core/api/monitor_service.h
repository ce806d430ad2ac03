// tocsin.v1.MonitorService: manages monitors.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/store/store.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class MonitorServiceHandler : public v1::MonitorService::CallbackService {
 public:
  // `public_url` of the gateway, a slash at its end does not count. The rest must outlive it.
  MonitorServiceHandler(Gate& gate, MonitorAdmin& admin, Store& store, OutageGuard& guard,
                        const Clock& clock, std::string public_url);

  grpc::ServerUnaryReactor* CreateMonitor(grpc::CallbackServerContext* context,
                                          const v1::CreateMonitorRequest* request,
                                          v1::CreateMonitorResponse* response) override;
  grpc::ServerUnaryReactor* GetMonitor(grpc::CallbackServerContext* context,
                                       const v1::GetMonitorRequest* request,
                                       v1::Monitor* response) override;
  grpc::ServerUnaryReactor* ListMonitors(grpc::CallbackServerContext* context,
                                         const v1::ListMonitorsRequest* request,
                                         v1::ListMonitorsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateMonitor(grpc::CallbackServerContext* context,
                                          const v1::UpdateMonitorRequest* request,
                                          v1::Monitor* response) override;
  grpc::ServerUnaryReactor* DeleteMonitor(grpc::CallbackServerContext* context,
                                          const v1::DeleteMonitorRequest* request,
                                          v1::Monitor* response) override;
  grpc::ServerUnaryReactor* UndeleteMonitor(grpc::CallbackServerContext* context,
                                            const v1::UndeleteMonitorRequest* request,
                                            v1::Monitor* response) override;
  grpc::ServerUnaryReactor* PauseMonitor(grpc::CallbackServerContext* context,
                                         const v1::PauseMonitorRequest* request,
                                         v1::Monitor* response) override;
  grpc::ServerUnaryReactor* ResumeMonitor(grpc::CallbackServerContext* context,
                                          const v1::ResumeMonitorRequest* request,
                                          v1::Monitor* response) override;
  grpc::ServerUnaryReactor* RotatePushToken(grpc::CallbackServerContext* context,
                                            const v1::RotatePushTokenRequest* request,
                                            v1::RotatePushTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListHeartbeats(grpc::CallbackServerContext* context,
                                           const v1::ListHeartbeatsRequest* request,
                                           v1::ListHeartbeatsResponse* response) override;
  grpc::ServerUnaryReactor* PreviewSchedule(grpc::CallbackServerContext* context,
                                            const v1::PreviewScheduleRequest* request,
                                            v1::PreviewScheduleResponse* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateMonitorRequest& request,
                      v1::CreateMonitorResponse& response);
  absl::Status Get(const v1::GetMonitorRequest& request, v1::Monitor& response);
  absl::Status List(const v1::ListMonitorsRequest& request, v1::ListMonitorsResponse& response);
  absl::Status Update(const Caller& caller, const v1::UpdateMonitorRequest& request,
                      v1::Monitor& response);
  absl::Status Delete(const Caller& caller, const v1::DeleteMonitorRequest& request,
                      v1::Monitor& response);
  absl::Status Rotate(const Caller& caller, const v1::RotatePushTokenRequest& request,
                      v1::RotatePushTokenResponse& response);
  absl::Status Heartbeats(const v1::ListHeartbeatsRequest& request,
                          v1::ListHeartbeatsResponse& response);
  absl::Status Preview(const v1::PreviewScheduleRequest& request,
                       v1::PreviewScheduleResponse& response);
  // The calls that take a name, do one thing, and show the monitor.
  absl::Status Act(const Caller& caller,
                   absl::StatusOr<MonitorView> (MonitorAdmin::*act)(const Caller&,
                                                                    const ResourceName&),
                   const std::string& name, v1::Monitor& response);
  v1::Monitor Show(const MonitorView& view) const;
  // `maintenances` are those of the monitor's project.
  v1::Monitor Show(const MonitorView& view, const Maintenances& maintenances) const;
  Maintenances MaintenancesOf(ProjectKey project) const;
  std::string PushUrl(const std::string& token) const;

  Gate& gate_;
  MonitorAdmin& admin_;
  Store& store_;
  OutageGuard& guard_;
  const Clock& clock_;
  const std::string public_url_;
};

}  // namespace tocsin::core
