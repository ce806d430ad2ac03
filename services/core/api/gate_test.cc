// Who may call what: every method of every service, found by the descriptors.
#include "services/core/api/gate.h"

#include <gmock/gmock.h>
#include <google/protobuf/dynamic_message.h>
#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
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
#include "tocsin/v1/access.pb.h"

namespace tocsin::core {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Needs no key: its request carries a token.
const std::set<std::string>& OpenMethods() {
  static const auto& methods = *new std::set<std::string>{"tocsin.v1.PushService.Push"};
  return methods;
}

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
      EXPECT_TRUE(monitors_.Create(monitor, false).ok());
      Channel channel;
      channel.project_id = id;
      channel.id = "hook";
      channel.url = "https://hooks.example.com/";
      EXPECT_TRUE(channels_.Create(channel, "").ok());
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
      const std::vector<MonitorView> found = store_.ListMonitors(monitors).value();
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
  ProjectAdmin projects_{store_, clock_};
  KeyAdmin keys_{store_, clock_};
  Authenticator authenticator_{store_, clock_, monotonic_};
  Gate gate_{&authenticator_};
  Services services_{ServiceParts{.gate = gate_,
                                  .store = store_,
                                  .clock = clock_,
                                  .monotonic = monotonic_,
                                  .recorder = recorder_,
                                  .guard = guard_,
                                  .queue = queue_,
                                  .feed = feed_,
                                  .monitors = monitors_,
                                  .channels = channels_,
                                  .projects = projects_,
                                  .keys = keys_,
                                  .public_url = "https://tocsin.example.com"}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
  google::protobuf::DynamicMessageFactory factory_;
  int keys_made_ = 0;
};

// The highest of the roles that do not include it; nullopt when every role does.
std::optional<Role> RoleBelow(Role needed) {
  switch (needed) {
    case Role::kAdmin:
      return Role::kEditor;
    case Role::kEditor:
      return Role::kViewer;
    case Role::kViewer:
      return Role::kNotifier;
    case Role::kGateway:
    case Role::kNotifier:
    case Role::kPusher:
      return Role::kAdmin;
  }
  return std::nullopt;
}

TEST_F(GateTest, EveryMethodIsOpenByTheListOrHasARole) {
  size_t seen = 0;
  for (const Services::Named& named : services_.All()) {
    const std::vector<const MethodDescriptor*> methods = MethodsOf(named);
    EXPECT_THAT(methods, Not(IsEmpty())) << named.name;
    for (const MethodDescriptor* const method : methods) {
      ++seen;
      EXPECT_NE(RuleOf(*method).role.has_value(), OpenMethods().contains(method->full_name()))
          << method->full_name()
          << " needs the option required_role, or to be on the list of open methods";
    }
  }
  EXPECT_GE(seen, 30u);
}

TEST_F(GateTest, NoOtherMethodTakesTheSameRequest) {
  std::set<const google::protobuf::Descriptor*> requests;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    EXPECT_TRUE(requests.insert(method->input_type()).second) << method->full_name();
  }
}

TEST_F(GateTest, WithoutAKeyNothingIsAnswered) {
  const std::string before = Everything();
  for (const MethodDescriptor* const method : GuardedMethods()) {
    for (const std::string project : {"mine", "unknown", "-"}) {
      const Answer answer = Call(*method, *RequestFor(*method, project), "");
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << method->full_name();
      EXPECT_EQ(answer.reason(), "KEY_MISSING");
      EXPECT_EQ(answer.body, "");
    }
  }
  EXPECT_EQ(Everything(), before);
}

TEST_F(GateTest, WithAWrongKeyNothingIsAnswered) {
  const std::string revoked = MakeKey("-", Role::kAdmin);
  ASSERT_TRUE(keys_.Revoke({}, {.project = "-", .id = "key-1"}, "").ok());
  for (const MethodDescriptor* const method : GuardedMethods()) {
    for (const std::string& key :
         {revoked, std::string("tk_") + std::string(43, 'x'), std::string("password")}) {
      const Answer answer = Call(*method, *RequestFor(*method, "mine"), key);
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
          << method->full_name();
      EXPECT_EQ(answer.reason(), "KEY_UNKNOWN");
    }
  }
}

TEST_F(GateTest, ALowerRoleIsRefusedWithTheNameOfTheOneNeeded) {
  const std::string before = Everything();
  std::map<Role, std::string> keys;
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin, Role::kNotifier}) {
    keys[role] = MakeKey("-", role);
  }
  const std::string with_keys = Everything();
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const Role needed = *RuleOf(*method).role;
    const Answer answer = Call(*method, *RequestFor(*method, "mine"), keys[*RoleBelow(needed)]);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
        << method->full_name();
    EXPECT_EQ(answer.reason(), "ROLE_TOO_LOW");
    EXPECT_THAT(answer.status.error_message(),
                HasSubstr(absl::StrCat("the role ", std::string(RoleWord(needed)))));
  }
  EXPECT_EQ(Everything(), with_keys);
}

TEST_F(GateTest, AnotherProjectIsRefusedTheSameWhetherItExistsOrNot) {
  std::map<Role, std::string> keys;
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    keys[role] = MakeKey("mine", role);
  }
  const std::string before = Everything();
  size_t walked = 0;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const MethodRule rule = RuleOf(*method);
    if (rule.scope == MethodScope::kOwn) continue;  // streams of services; ListProjects: below
    ++walked;
    const std::string& key = keys[*rule.role];
    const Answer theirs = Call(*method, *RequestFor(*method, "theirs"), key);
    EXPECT_EQ(theirs.status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
        << method->full_name();
    EXPECT_EQ(theirs.reason(), "OTHER_PROJECT");
    EXPECT_THAT(theirs.status.error_message(), Not(HasSubstr("theirs")));
    for (const std::string project : {"unknown", "-", "default"}) {
      const Answer other = Call(*method, *RequestFor(*method, project), key);
      EXPECT_EQ(other.status.error_code(), theirs.status.error_code()) << method->full_name();
      EXPECT_EQ(other.status.error_message(), theirs.status.error_message());
      EXPECT_EQ(other.status.error_details(), theirs.status.error_details());
      EXPECT_EQ(other.body, "");
    }
    // Its own is not refused so.
    if (rule.scope == MethodScope::kNamed) {
      const Answer own = Call(*method, *RequestFor(*method, "mine"), keys[Role::kViewer]);
      EXPECT_NE(own.reason(), "OTHER_PROJECT") << method->full_name();
    }
  }
  EXPECT_GE(walked, 25u);
  EXPECT_EQ(Everything(), before);
}

TEST_F(GateTest, AKeyOfAnotherProjectReachesNoStreamOfServices) {
  const std::string admin = MakeKey("mine", Role::kAdmin);
  for (const MethodDescriptor* const method : GuardedMethods()) {
    const std::optional<Role> role = RuleOf(*method).role;
    if (role != Role::kGateway && role != Role::kNotifier) continue;
    EXPECT_EQ(Call(*method, *RequestFor(*method, ""), admin).status.error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
}

TEST_F(GateTest, AnswersNameNoOtherProject) {
  const std::string key = MakeKey("mine", Role::kAdmin);
  MakeKey("theirs", Role::kViewer);
  size_t answered = 0;
  for (const MethodDescriptor* const method : GuardedMethods()) {
    if (!absl::StartsWith(method->name(), "Get") && !absl::StartsWith(method->name(), "List") &&
        !absl::StartsWith(method->name(), "Watch")) {
      continue;
    }
    for (const std::string token : {"", "dGhlaXJz" /* theirs */, "YQ" /* a */, "OTk5" /* 999 */}) {
      std::unique_ptr<Message> request = RequestFor(*method, "mine");
      const FieldDescriptor* const field = request->GetDescriptor()->FindFieldByName("page_token");
      if (field != nullptr) request->GetReflection()->SetString(request.get(), field, token);
      for (const char* const name : {"monitor", "channel"}) {
        const FieldDescriptor* const filter = request->GetDescriptor()->FindFieldByName(name);
        if (filter == nullptr || token.empty()) continue;
        request->GetReflection()->SetString(request.get(), filter,
                                            absl::StrCat("projects/theirs/", name, "s/unknown"));
        const Answer unknown = Call(*method, *request, key);
        request->GetReflection()->SetString(
            request.get(), filter,
            absl::StrCat("projects/theirs/", name, "s/", name[0] == 'm' ? "job" : "hook"));
        const Answer known = Call(*method, *request, key);
        EXPECT_FALSE(known.status.ok());
        EXPECT_EQ(known.status.error_message(), unknown.status.error_message());
        request->GetReflection()->ClearField(request.get(), filter);
      }
      const Answer answer = Call(*method, *request, key);
      EXPECT_THAT(answer.body, Not(HasSubstr("theirs"))) << method->full_name();
      EXPECT_THAT(answer.status.error_message(), Not(HasSubstr("theirs"))) << method->full_name();
      if (!answer.body.empty()) ++answered;
    }
  }
  EXPECT_GE(answered, 8u);
}

TEST_F(GateTest, TheListOfProjectsIsTheKeysOwn) {
  const auto* const method =
      DescriptorPool::generated_pool()->FindMethodByName("tocsin.v1.ProjectService.ListProjects");
  const auto listed = [&](const std::string& key) {
    v1::ListProjectsResponse response;
    const Answer answer = Call(*method, v1::ListProjectsRequest(), key);
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    response.ParseFromString(answer.body);
    std::vector<std::string> names;
    for (const v1::Project& project : response.projects()) names.push_back(project.name());
    return names;
  };
  EXPECT_THAT(listed(MakeKey("mine", Role::kViewer)), ::testing::ElementsAre("projects/mine"));
  EXPECT_THAT(listed(MakeKey("-", Role::kViewer)),
              ::testing::ElementsAre("projects/default", "projects/mine", "projects/theirs"));
}

TEST_F(GateTest, ABoundAdminManagesTheKeysOfItsOwnProjectOnly) {
  const std::string bound = MakeKey("mine", Role::kAdmin);
  const std::string global = MakeKey("-", Role::kAdmin);
  const auto* const method =
      DescriptorPool::generated_pool()->FindMethodByName("tocsin.v1.KeyService.CreateKey");
  v1::CreateKeyRequest request;
  request.set_key_id("new");
  request.mutable_key()->set_role(v1::ROLE_VIEWER);
  for (const char* const parent : {"", "projects/-", "projects/theirs", "projects/unknown"}) {
    request.set_parent(parent);
    EXPECT_EQ(Call(*method, request, bound).reason(), "OTHER_PROJECT");
  }
  request.set_parent("projects/mine");
  EXPECT_TRUE(Call(*method, request, bound).status.ok());
  request.mutable_key()->set_role(v1::ROLE_GATEWAY);
  EXPECT_EQ(Call(*method, request, global).reason(), "INVALID_FIELD");
  request.set_parent("projects/-");
  EXPECT_TRUE(Call(*method, request, global).status.ok());
}

TEST_F(GateTest, AStreamOfAKeyThatIsRevokedEnds) {
  const std::string key = MakeKey("mine", Role::kViewer);
  const auto alerts = v1::AlertService::NewStub(server_->InProcessChannel({}));
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + key);
  v1::WatchAlertsRequest request;
  request.set_parent("projects/mine");
  const auto watch = alerts->WatchAlerts(&context, request);
  v1::WatchAlertsResponse response;
  ASSERT_TRUE(watch->Read(&response));
  ASSERT_TRUE(keys_.Revoke({}, {.project = "mine", .id = "key-1"}, "").ok());
  gate_.KeysChanged();
  const SystemMonotonicClock real;
  const absl::Duration begin = real.Now();
  while (watch->Read(&response)) {
  }
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_LT(real.Now() - begin, absl::Seconds(10));
}

TEST_F(GateTest, AGatewaysStreamEndsWhenItsKeyIsRevoked) {
  const std::string key = MakeKey("-", Role::kGateway);
  const auto gateway = internal::v1::PushService::NewStub(server_->InProcessChannel({}));
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + key);
  const auto stream = gateway->PushStream(&context);
  stream->WaitForInitialMetadata();
  EXPECT_EQ(context.GetServerInitialMetadata().count(kAccepted), 1u);
  services_.RecheckStreams();
  ASSERT_TRUE(keys_.Revoke({}, {.project = "-", .id = "key-1"}, "").ok());
  gate_.KeysChanged();
  services_.RecheckStreams();
  internal::v1::PushStreamResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace tocsin::core
