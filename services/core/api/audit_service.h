// tocsin.v1.AuditService: reads who changed what.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/store/store.h"
#include "tocsin/v1/audit_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class AuditServiceHandler : public v1::AuditService::CallbackService {
 public:
  // What it is given must outlive it.
  AuditServiceHandler(Gate& gate, Store& store);

  grpc::ServerUnaryReactor* ListAuditEntries(grpc::CallbackServerContext* context,
                                             const v1::ListAuditEntriesRequest* request,
                                             v1::ListAuditEntriesResponse* response) override;

 private:
  absl::Status List(const v1::ListAuditEntriesRequest& request,
                    v1::ListAuditEntriesResponse& response);

  Gate& gate_;
  Store& store_;
};

}  // namespace tocsin::core
