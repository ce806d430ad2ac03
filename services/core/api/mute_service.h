// tocsin.v1.MuteService.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/maintenance_admin.h"
#include "tocsin/v1/mute_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe; what it is given must outlive it.
class MuteServiceHandler : public v1::MuteService::CallbackService {
 public:
  MuteServiceHandler(Gate& gate, MaintenanceAdmin& admin, const Clock& clock)
      : gate_(gate), admin_(admin), clock_(clock) {}

  grpc::ServerUnaryReactor* CreateMute(grpc::CallbackServerContext* context,
                                       const v1::CreateMuteRequest* request,
                                       v1::Mute* response) override;
  grpc::ServerUnaryReactor* GetMute(grpc::CallbackServerContext* context,
                                    const v1::GetMuteRequest* request, v1::Mute* response) override;
  grpc::ServerUnaryReactor* ListMutes(grpc::CallbackServerContext* context,
                                      const v1::ListMutesRequest* request,
                                      v1::ListMutesResponse* response) override;
  grpc::ServerUnaryReactor* DeleteMute(grpc::CallbackServerContext* context,
                                       const v1::DeleteMuteRequest* request,
                                       google::protobuf::Empty* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateMuteRequest& request,
                      v1::Mute& response);
  absl::Status Get(const v1::GetMuteRequest& request, v1::Mute& response);
  absl::Status List(const v1::ListMutesRequest& request, v1::ListMutesResponse& response);
  absl::Status Delete(const Caller& caller, const v1::DeleteMuteRequest& request);

  Gate& gate_;
  MaintenanceAdmin& admin_;
  const Clock& clock_;
};

}  // namespace tocsin::core
