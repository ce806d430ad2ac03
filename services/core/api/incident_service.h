// tocsin.v1.IncidentService: reads incidents.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/store/store.h"
#include "tocsin/v1/incident_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class IncidentServiceHandler : public v1::IncidentService::CallbackService {
 public:
  // `store` must outlive it.
  IncidentServiceHandler(Gate& gate, Store& store);

  grpc::ServerUnaryReactor* GetIncident(grpc::CallbackServerContext* context,
                                        const v1::GetIncidentRequest* request,
                                        v1::Incident* response) override;
  grpc::ServerUnaryReactor* ListIncidents(grpc::CallbackServerContext* context,
                                          const v1::ListIncidentsRequest* request,
                                          v1::ListIncidentsResponse* response) override;

 private:
  absl::Status Get(const v1::GetIncidentRequest& request, v1::Incident& response);
  absl::Status List(const v1::ListIncidentsRequest& request, v1::ListIncidentsResponse& response);

  Gate& gate_;
  Store& store_;
};

}  // namespace tocsin::core
