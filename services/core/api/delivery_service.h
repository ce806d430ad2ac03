// tocsin.v1.DeliveryService: reads and repeats deliveries.
#pragma once

#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/domain/caller.h"
#include "services/core/store/store.h"
#include "tocsin/v1/delivery_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class DeliveryServiceHandler : public v1::DeliveryService::CallbackService {
 public:
  // Both must outlive it.
  DeliveryServiceHandler(Gate& gate, Store& store, const Clock& clock);

  grpc::ServerUnaryReactor* ListDeliveries(grpc::CallbackServerContext* context,
                                           const v1::ListDeliveriesRequest* request,
                                           v1::ListDeliveriesResponse* response) override;
  grpc::ServerUnaryReactor* RedeliverDelivery(grpc::CallbackServerContext* context,
                                              const v1::RedeliverDeliveryRequest* request,
                                              v1::Delivery* response) override;

 private:
  absl::Status List(const v1::ListDeliveriesRequest& request, v1::ListDeliveriesResponse& response);
  absl::Status Redeliver(const Caller& caller, const v1::RedeliverDeliveryRequest& request,
                         v1::Delivery& response);

  Gate& gate_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace tocsin::core
