// Every service of core behind the gate, on a store in memory, and calls by descriptors.
#pragma once

#include <google/protobuf/dynamic_message.h>
#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "google/api/annotations.pb.h"
#include "services/core/api/services.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Needs no key: its request carries a token.
inline const std::set<std::string>& OpenMethods() {
  static const auto& methods = *new std::set<std::string>{"tocsin.v1.PushService.Push"};
  return methods;
}

// There are the projects mine and theirs, each with a monitor "job" and a channel "hook".
class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    grpc::ServerBuilder builder;
    for (const Services::Named& named : services_.All()) builder.RegisterService(named.service);
    server_ = builder.BuildAndStart();
    stub_ = std::make_unique<grpc::GenericStub>(server_->InProcessChannel({}));
    for (const char* const id : {"mine", "theirs"}) {
      Project project;
      project.id = id;
      EXPECT_TRUE(projects_.Create({}, project, false).ok());
      MonitorDefinition monitor;
      monitor.project_id = id;
      monitor.id = "job";
      monitor.schedule.timeout = absl::Minutes(1);
      EXPECT_TRUE(monitors_.Create(Caller(), monitor).ok());
      Channel channel;
      channel.project_id = id;
      channel.id = "hook";
      channel.url = "https://hooks.example.com/";
      EXPECT_TRUE(channels_.Create(Caller(), channel, "").ok());
    }
  }
  ~GateTest() override {
    services_.alerts.Stop();
    EXPECT_TRUE(services_.push_stream.Drain(absl::Seconds(20)));
    EXPECT_TRUE(services_.deliver.Stop(absl::Seconds(20)));
    server_->Shutdown();
    server_->Wait();
  }

  std::string MakeKey(const std::string& project, Role role) {
    ApiKey key;
    key.project_id = project;
    key.id = absl::StrCat("key-", ++keys_made_);
    key.role = role;
    const absl::StatusOr<CreatedKey> created = keys_.Create({}, key, false);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->secret : "";
  }

  static std::vector<const MethodDescriptor*> MethodsOf(const Services::Named& named) {
    std::vector<const MethodDescriptor*> methods;
    const auto* const service = DescriptorPool::generated_pool()->FindServiceByName(named.name);
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
      methods.push_back(service->method(i));
    }
    return methods;
  }
  // Those that a key is needed for.
  std::vector<const MethodDescriptor*> GuardedMethods() {
    std::vector<const MethodDescriptor*> guarded;
    for (const Services::Named& named : services_.All()) {
      for (const MethodDescriptor* const method : MethodsOf(named)) {
        if (!OpenMethods().contains(method->full_name())) guarded.push_back(method);
      }
    }
    return guarded;
  }

  // A request that names this project where the method takes one: as a parent, or in the name of
  // something that lies in it.
  std::unique_ptr<Message> RequestFor(const MethodDescriptor& method, const std::string& project) {
    std::unique_ptr<Message> request(factory_.GetPrototype(method.input_type())->New());
    const MethodRule rule = RuleOf(method);
    std::vector<const FieldDescriptor*> field = rule.field;
    if (field.empty()) return request;
    Message* message = request.get();
    for (size_t i = 0; i + 1 < field.size(); ++i) {
      message = message->GetReflection()->MutableMessage(message, field[i]);
    }
    message->GetReflection()->SetString(message, field.back(), NameIn(method, project));
    return request;
  }
  // By the pattern in the path: {name=projects/*/channels/*} gives projects/PROJECT/channels/hook.
  static std::string NameIn(const MethodDescriptor& method, const std::string& project) {
    const std::string path = method.options().GetExtension(google::api::http).ShortDebugString();
    std::string name = absl::StrCat("projects/", project);
    for (const auto& [collection, id] :
         std::initializer_list<std::pair<const char*, const char*>>{{"monitors", "job"},
                                                                    {"channels", "hook"},
                                                                    {"incidents", "1"},
                                                                    {"deliveries", "msg_1"},
                                                                    {"keys", "key-1"}}) {
      if (absl::StrContains(path, absl::StrCat("projects/*/", collection, "/*"))) {
        absl::StrAppend(&name, "/", collection, "/", id);
      }
    }
    return name;
  }

  struct Answer {
    grpc::Status status;
    std::string body;  // of the first message
    std::string reason() const { return tocsin::Reason(FromGrpcStatus(status)); }
  };
  // Sends one message and reads one, of unary calls and streams alike; then cancels.
  Answer Call(const MethodDescriptor& method, const Message& request, const std::string& key,
              const std::vector<std::pair<std::string, std::string>>& metadata = {}) {
    grpc::ClientContext context;
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(20, GPR_TIMESPAN)));
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    grpc::CompletionQueue queue;
    const auto next = [&] {
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
      return ok;
    };
    const auto call = stub_->PrepareCall(
        &context, absl::StrCat("/", method.service()->full_name(), "/", method.name()), &queue);
    call->StartCall(nullptr);
    next();
    grpc::ByteBuffer sent, received;
    bool own = false;
    const grpc::Status serialized =
        grpc::GenericSerialize<grpc::ProtoBufferWriter, Message>(request, &sent, &own);
    EXPECT_TRUE(serialized.ok());
    call->WriteLast(sent, grpc::WriteOptions(), nullptr);
    next();
    call->Read(&received, nullptr);
    Answer answer;
    if (next()) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(received.Dump(&slices).ok());
      for (const grpc::Slice& slice : slices) {
        answer.body.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
      if (method.server_streaming()) context.TryCancel();
    }
    call->Finish(&answer.status, nullptr);
    next();
    queue.Shutdown();
    while (next()) {
    }
    return answer;
  }

  // What is there, to see that a refused call changed nothing.
  std::string Everything() {
    std::string all;
    const std::vector<Project> projects =
        store_.ListProjects({.after_id = "", .limit = 100}).value();
    for (const Project& project : projects) {
      absl::StrAppend(&all, project.id, "@", project.version, "\n");
      MonitorQuery monitors;
      monitors.project = project.key;
      monitors.show_deleted = true;
      const std::vector<MonitorView> found = store_.ListMonitors(monitors).value().monitors;
      for (const MonitorView& view : found) {
        absl::StrAppend(&all, " ", view.monitor.definition.id, "@", view.monitor.definition.version,
                        "\n");
      }
      ChannelQuery channels;
      channels.project = project.key;
      const std::vector<Channel> hooks = store_.ListChannels(channels).value();
      for (const Channel& channel : hooks) {
        absl::StrAppend(&all, " ", channel.id, "@", absl::FormatTime(channel.updated_at), "\n");
      }
      DeliveryQuery deliveries;
      deliveries.project = project.key;
      absl::StrAppend(&all, " ", store_.ListDeliveries(deliveries)->size(), "\n");
    }
    KeyQuery keys;
    keys.show_revoked = true;
    keys.limit = 1000;
    const std::vector<ApiKey> found = store_.ListKeys(keys).value();
    for (const ApiKey& key : found) {
      absl::StrAppend(&all, KeyName(key.project_id, key.id), "@", key.version, "\n");
    }
    return all;
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  FakeMonotonicClock monotonic_;
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  DeliveryMetrics delivery_metrics_{registry_};
  MemoryStore store_{clock_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), recorder_metrics_};
  OutageGuard guard_{store_, recorder_, clock_, GuardOptions(), guard_metrics_};
  DeliveryQueue queue_{store_, clock_, DeliveryQueueOptions(), delivery_metrics_};
  AlertFeed feed_{store_};
  MonitorAdmin monitors_{store_, clock_};
  ChannelAdmin channels_{store_, clock_};
  MaintenanceAdmin maintenances_{store_, clock_};
  ProjectAdmin projects_{store_, clock_};
  KeyAdmin keys_{store_, clock_};
  PushCreator creator_{recorder_, monitors_, store_, clock_};
  Authenticator authenticator_{store_, clock_, monotonic_};
  Gate gate_{&authenticator_};
  Services services_{ServiceParts{.gate = gate_,
                                  .store = store_,
                                  .history = store_,
                                  .clock = clock_,
                                  .monotonic = monotonic_,
                                  .pushes = creator_,
                                  .guard = guard_,
                                  .queue = queue_,
                                  .feed = feed_,
                                  .monitors = monitors_,
                                  .channels = channels_,
                                  .maintenances = maintenances_,
                                  .projects = projects_,
                                  .keys = keys_,
                                  .public_url = "https://tocsin.example.com",
                                  .incidents_kept = RetentionPolicy().incidents}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
  google::protobuf::DynamicMessageFactory factory_;
  int keys_made_ = 0;
};

}  // namespace tocsin::core
