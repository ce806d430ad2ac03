// The services as a client meets them, on a store in memory.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/grpc_status.h"
#include "common/testing/fake_clock.h"
#include "services/core/api/alert_service.h"
#include "services/core/api/audit_service.h"
#include "services/core/api/channel_service.h"
#include "services/core/api/delivery_service.h"
#include "services/core/api/incident_service.h"
#include "services/core/api/malformed_requests.h"
#include "services/core/api/monitor_service.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/memory/memory_store.h"
#include "services/core/store/sealer.h"

namespace tocsin::core {

inline constexpr char kJob[] = "projects/default/monitors/job";
inline constexpr char kHook[] = "projects/default/channels/hook";

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    grpc::ServerBuilder builder;
    for (grpc::Service* service : std::initializer_list<grpc::Service*>{
             &monitor_service_, &channel_service_, &incident_service_, &delivery_service_,
             &alert_service_, &audit_service_}) {
      builder.RegisterService(service);
    }
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
    creators.push_back(ExplainMalformedRequests());
    builder.experimental().SetInterceptorCreators(std::move(creators));
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
    monitors_ = v1::MonitorService::NewStub(channel_);
    channels_ = v1::ChannelService::NewStub(channel_);
    incidents_ = v1::IncidentService::NewStub(channel_);
    deliveries_ = v1::DeliveryService::NewStub(channel_);
    alerts_ = v1::AlertService::NewStub(channel_);
    audit_ = v1::AuditService::NewStub(channel_);
  }
  ~ApiTest() override {
    alert_service_.Stop();
    server_->Shutdown();
    server_->Wait();
  }

  template <typename Stub, typename Request, typename Response>
  static absl::Status Call(Stub& stub,
                           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           const Request& request, Response& response) {
    grpc::ClientContext context;
    return FromGrpcStatus((stub.*method)(&context, request, &response));
  }
  using Monitors = v1::MonitorService::Stub;
  using Channels = v1::ChannelService::Stub;
  using Incidents = v1::IncidentService::Stub;
  using Deliveries = v1::DeliveryService::Stub;

  static v1::CreateMonitorRequest NewMonitor(const std::string& id = "job") {
    v1::CreateMonitorRequest request;
    request.set_monitor_id(id);
    request.mutable_monitor()
        ->mutable_schedule()
        ->mutable_heartbeat()
        ->mutable_timeout()
        ->set_seconds(60);
    return request;
  }
  v1::CreateMonitorResponse CreateMonitor(const std::string& id = "job") {
    v1::CreateMonitorResponse response;
    const absl::Status status =
        Call(*monitors_, &Monitors::CreateMonitor, NewMonitor(id), response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::CreateChannelResponse CreateHook() {
    v1::CreateChannelRequest request;
    request.set_channel_id("hook");
    request.mutable_channel()->set_url("https://user:pw@hooks.example.com:8443/secret?key=1");
    v1::CreateChannelResponse response;
    const absl::Status status = Call(*channels_, &Channels::CreateChannel, request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  // Has the delivery be dead, as after many attempts.
  void EndDelivery(const std::string& name) {
    const ProjectKey project = **store_.FindProject("default");
    const std::string id = name.substr(name.rfind('/') + 1);
    EXPECT_TRUE(store_
                    .Transact(TransactionClass::kAdmin,
                              [&](Transaction& transaction) -> absl::Status {
                                Delivery dead = **transaction.LockDelivery(project, id);
                                dead.state = DeliveryState::kDead;
                                dead.attempts = 7;
                                dead.finished_at = clock_.Now();
                                return transaction.SaveDelivery(dead);
                              })
                    .ok());
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  FakeMonotonicClock monotonic_;
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  MemoryStore store_{clock_};
  const Sealer sealer_ = *Sealer::FromText(absl::Base64Escape(std::string(32, 'k')));
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), recorder_metrics_};
  OutageGuard guard_{store_, recorder_, clock_, GuardOptions(), guard_metrics_};
  AlertFeed feed_{store_};
  MonitorAdmin monitor_admin_{store_, clock_, &sealer_};
  ChannelAdmin channel_admin_{store_, clock_, &sealer_};
  Gate gate_;  // open to all
  MonitorServiceHandler monitor_service_{gate_,  monitor_admin_, store_,
                                         guard_, clock_,         "https://tocsin.example.com/"};
  ChannelServiceHandler channel_service_{gate_, channel_admin_};
  IncidentServiceHandler incident_service_{gate_, store_};
  DeliveryServiceHandler delivery_service_{gate_, store_, clock_};
  AlertServiceHandler alert_service_{gate_, feed_, store_};
  AuditServiceHandler audit_service_{gate_, store_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Monitors> monitors_;
  std::unique_ptr<Channels> channels_;
  std::unique_ptr<Incidents> incidents_;
  std::unique_ptr<Deliveries> deliveries_;
  std::unique_ptr<v1::AlertService::Stub> alerts_;
  std::unique_ptr<v1::AuditService::Stub> audit_;
};

}  // namespace tocsin::core
