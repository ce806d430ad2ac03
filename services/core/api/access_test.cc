// What keys of one project see, what their services are told, and when streams end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/api/serve.h"
#include "services/core/api/testing/gate_fixture.h"

namespace tocsin::core {
namespace {

using AccessTest = GateTest;

TEST_F(AccessTest, TheListOfProjectsIsTheKeysOwn) {
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

TEST_F(AccessTest, ABoundAdminManagesTheKeysOfItsOwnProjectOnly) {
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

TEST_F(AccessTest, AKeyKeepsItsRoleAndChangesWhatTheMaskNames) {
  const std::string admin = MakeKey("mine", Role::kAdmin);
  MakeKey("mine", Role::kPusher);
  const auto* const method =
      DescriptorPool::generated_pool()->FindMethodByName("tocsin.v1.KeyService.UpdateKey");
  v1::UpdateKeyRequest request;
  request.mutable_key()->set_name("projects/mine/keys/key-2");
  request.mutable_key()->set_role(v1::ROLE_ADMIN);
  EXPECT_EQ(Call(*method, request, admin).reason(), "INVALID_FIELD");
  request.mutable_update_mask()->add_paths("role");
  EXPECT_EQ(Call(*method, request, admin).reason(), "INVALID_FIELD");
  request.mutable_key()->set_role(v1::ROLE_PUSHER);
  request.mutable_key()->set_display_name("not named by the mask");
  request.mutable_key()->mutable_push()->set_may_create(true);
  request.mutable_update_mask()->set_paths(0, "push.may_create");
  EXPECT_TRUE(Call(*method, request, admin).status.ok());
  const ApiKey key = keys_.Get({.project = "mine", .id = "key-2"}).value();
  EXPECT_EQ(key.display_name, "key-2");
  ASSERT_TRUE(key.push.has_value());
  EXPECT_TRUE(key.push->may_create);
  EXPECT_EQ(key.push->max_monitors, 1000);
  request.mutable_key()->clear_push();
  request.mutable_update_mask()->set_paths(0, "*");
  EXPECT_TRUE(Call(*method, request, admin).status.ok());
  EXPECT_FALSE(keys_.Get({.project = "mine", .id = "key-2"})->push.has_value());
}

// Keeps who called.
class CallerKeeper : public v1::IncidentService::CallbackService {
 public:
  explicit CallerKeeper(Gate& gate) : gate_(gate) {}
  grpc::ServerUnaryReactor* GetIncident(grpc::CallbackServerContext* context,
                                        const v1::GetIncidentRequest* request,
                                        v1::Incident* /*response*/) override {
    return Serve(gate_, context, *request, [this](const Access& access) {
      caller = access.caller;
      return absl::OkStatus();
    });
  }

  Caller caller;  // of the last call

 private:
  Gate& gate_;
};

TEST_F(AccessTest, TheCallerIsWhoTheKeySaysAndWhereAGatewaySays) {
  const std::string viewer = MakeKey("mine", Role::kViewer);
  const std::string gateway = MakeKey("-", Role::kGateway);
  CallerKeeper keeper(gate_);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&keeper);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto incidents = v1::IncidentService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  const auto caller = [&](std::vector<std::pair<std::string, std::string>> metadata) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "bearer " + viewer);
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::GetIncidentRequest request;
    request.set_name("projects/mine/incidents/1");
    v1::Incident response;
    const grpc::Status status = incidents->GetIncident(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return keeper.caller;
  };
  const Caller direct = caller({});
  EXPECT_EQ(direct.actor, "projects/mine/keys/key-1");
  EXPECT_EQ(direct.method, "tocsin.v1.IncidentService/GetIncident");
  EXPECT_EQ(direct.source, "127.0.0.1");
  EXPECT_EQ(direct.request_id.size(), 16u);
  EXPECT_NE(caller({}).request_id, direct.request_id);
  EXPECT_EQ(caller({{"x-request-id", "Req_1.a-b"}}).request_id, "Req_1.a-b");
  EXPECT_EQ(caller({{"x-request-id", std::string(65, 'x')}}).request_id.size(), 16u);
  EXPECT_EQ(caller({{"x-request-id", "a b"}}).request_id.size(), 16u);
  // Only a gateway is believed, and only an address.
  const std::pair<std::string, std::string> from = {"x-forwarded-for", "2001:db8::9"};
  EXPECT_EQ(caller({from}).source, "127.0.0.1");
  EXPECT_EQ(caller({from, {"x-tocsin-gateway", viewer}}).source, "127.0.0.1");
  EXPECT_EQ(caller({from, {"x-tocsin-gateway", gateway}}).source, "2001:db8::9");
  EXPECT_EQ(caller({{"x-forwarded-for", "evil"}, {"x-tocsin-gateway", gateway}}).source,
            "127.0.0.1");
  server->Shutdown();
  server->Wait();
}

TEST_F(AccessTest, APushIsOfHttpWhenAGatewayBroughtItAndNotWhenAProxyTellsAnAddress) {
  MonitorDefinition monitor;
  monitor.project_id = "mine";
  monitor.id = "pushed";
  monitor.schedule.timeout = absl::Minutes(1);
  const absl::StatusOr<CreatedMonitor> made = monitors_.Create(Caller(), monitor);
  ASSERT_TRUE(made.ok()) << made.status();
  const auto* const method =
      DescriptorPool::generated_pool()->FindMethodByName("tocsin.v1.PushService.Push");
  v1::PushRequest push;
  push.set_push_token(made->push_token);
  recorder_.Start();
  const auto source = [&](const std::vector<std::pair<std::string, std::string>>& metadata) {
    clock_.Advance(absl::Seconds(1));
    EXPECT_TRUE(Call(*method, push, "", metadata).status.ok());
    return store_.FindMonitor("mine", "pushed").value()->state.last_source;
  };
  const std::pair<std::string, std::string> from = {"x-forwarded-for", "2001:db8::9"};
  EXPECT_EQ(source({}), Source::kGrpc);
  EXPECT_EQ(source({from}), Source::kGrpc);
  EXPECT_EQ(source({from, {"x-tocsin-gateway", MakeKey("-", Role::kGateway)}}), Source::kHttp);
  recorder_.Stop();
}

TEST_F(AccessTest, AStreamOfAKeyThatIsRevokedEnds) {
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

TEST_F(AccessTest, AGatewaysStreamEndsWhenItsKeyIsRevoked) {
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
