// tocsin.v1.StatisticsService: reads what the past of monitors says.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/statistics.h"
#include "tocsin/v1/statistics_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class StatisticsServiceHandler : public v1::StatisticsService::CallbackService {
 public:
  // As for StatisticsReader.
  StatisticsServiceHandler(Gate& gate, Store& store, HistoryStore& history, const Clock& clock,
                           absl::Duration kept);

  grpc::ServerUnaryReactor* GetMonitorStatistics(grpc::CallbackServerContext* context,
                                                 const v1::GetMonitorStatisticsRequest* request,
                                                 v1::MonitorStatistics* response) override;

 private:
  absl::Status Get(const v1::GetMonitorStatisticsRequest& request, v1::MonitorStatistics& response);

  Gate& gate_;
  StatisticsReader reader_;
};

}  // namespace tocsin::core
