// tocsin.internal.v1.RejectionService: hears of pushes that gateways refused.
#pragma once

#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/store/store.h"
#include "tocsin/internal/v1/rejection_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class RejectionServiceHandler : public internal::v1::RejectionService::CallbackService {
 public:
  // All of it must outlive it.
  RejectionServiceHandler(Gate& gate, Store& store, const Clock& clock)
      : gate_(gate), store_(store), clock_(clock) {}

  grpc::ServerUnaryReactor* ReportRejections(
      grpc::CallbackServerContext* context, const internal::v1::ReportRejectionsRequest* request,
      internal::v1::ReportRejectionsResponse* response) override;

 private:
  absl::Status Report(const internal::v1::ReportRejectionsRequest& request);

  Gate& gate_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace tocsin::core
