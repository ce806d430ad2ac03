// tocsin.internal.v1.MonitorExportService: hands monitors to the gateway for Prometheus.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/store/store.h"
#include "tocsin/internal/v1/monitor_export_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. A page is read on gRPC's thread that says that the one before was taken, which it
// blocks for as long as the store takes, as a unary call does; a client that does not read holds
// nothing but its page.
class MonitorExportHandler : public internal::v1::MonitorExportService::CallbackService {
 public:
  // Of one process, at once; one more is refused with TooManyExports.
  static constexpr int kMaxExports = 8;

  // All must outlive it.
  MonitorExportHandler(Gate& gate, Store& store, OutageGuard& guard, const Clock& clock)
      : gate_(gate), store_(store), guard_(guard), clock_(clock) {}

  grpc::ServerWriteReactor<internal::v1::ExportMonitorsResponse>* ExportMonitors(
      grpc::CallbackServerContext* context,
      const internal::v1::ExportMonitorsRequest* request) override;

 private:
  class Export;

  Gate& gate_;
  Store& store_;
  OutageGuard& guard_;
  const Clock& clock_;
  std::atomic<int> exports_{0};
};

}  // namespace tocsin::core
