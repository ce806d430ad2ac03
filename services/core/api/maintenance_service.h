// tocsin.v1.MaintenanceService.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/maintenance_admin.h"
#include "tocsin/v1/maintenance_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe; what it is given must outlive it.
class MaintenanceServiceHandler : public v1::MaintenanceService::CallbackService {
 public:
  MaintenanceServiceHandler(Gate& gate, MaintenanceAdmin& admin, const Clock& clock)
      : gate_(gate), admin_(admin), clock_(clock) {}

  grpc::ServerUnaryReactor* CreateMaintenance(grpc::CallbackServerContext* context,
                                              const v1::CreateMaintenanceRequest* request,
                                              v1::Maintenance* response) override;
  grpc::ServerUnaryReactor* GetMaintenance(grpc::CallbackServerContext* context,
                                           const v1::GetMaintenanceRequest* request,
                                           v1::Maintenance* response) override;
  grpc::ServerUnaryReactor* ListMaintenances(grpc::CallbackServerContext* context,
                                             const v1::ListMaintenancesRequest* request,
                                             v1::ListMaintenancesResponse* response) override;
  grpc::ServerUnaryReactor* UpdateMaintenance(grpc::CallbackServerContext* context,
                                              const v1::UpdateMaintenanceRequest* request,
                                              v1::Maintenance* response) override;
  grpc::ServerUnaryReactor* DeleteMaintenance(grpc::CallbackServerContext* context,
                                              const v1::DeleteMaintenanceRequest* request,
                                              google::protobuf::Empty* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateMaintenanceRequest& request,
                      v1::Maintenance& response);
  absl::Status Get(const v1::GetMaintenanceRequest& request, v1::Maintenance& response);
  absl::Status List(const v1::ListMaintenancesRequest& request,
                    v1::ListMaintenancesResponse& response);
  absl::Status Update(const Caller& caller, const v1::UpdateMaintenanceRequest& request,
                      v1::Maintenance& response);
  absl::Status Delete(const Caller& caller, const v1::DeleteMaintenanceRequest& request);

  Gate& gate_;
  MaintenanceAdmin& admin_;
  const Clock& clock_;
};

}  // namespace tocsin::core
