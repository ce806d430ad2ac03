// tocsin.v1.TimelineService: explains alerts, and their absence.
#pragma once

#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/store/store.h"
#include "tocsin/v1/timeline_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class TimelineServiceHandler : public v1::TimelineService::CallbackService {
 public:
  // All of it must outlive it.
  TimelineServiceHandler(Gate& gate, Store& store, const Clock& clock);

  grpc::ServerUnaryReactor* ExplainMonitor(grpc::CallbackServerContext* context,
                                           const v1::ExplainMonitorRequest* request,
                                           v1::ExplainMonitorResponse* response) override;

 private:
  absl::Status Explain(const v1::ExplainMonitorRequest& request,
                       v1::ExplainMonitorResponse& response);

  Gate& gate_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace tocsin::core
