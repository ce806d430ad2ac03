// The streams of gateways and notifiers, as they meet them, on a store in memory.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "common/periodic_task.h"
#include "common/sha256.h"
#include "common/testing/fake_clock.h"
#include "services/core/api/deliver_service.h"
#include "services/core/api/push_service.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using internal::v1::PushStreamRequest;
using internal::v1::PushStreamResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(20);
const ResourceName kJob{.project = "default", .id = "job"};

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&push_service_);
    builder.RegisterService(&push_streams_);
    builder.RegisterService(&deliver_streams_);
    server_ = builder.BuildAndStart();
    const std::shared_ptr<grpc::Channel> channel = server_->InProcessChannel({});
    pushes_ = v1::PushService::NewStub(channel);
    gateway_ = internal::v1::PushService::NewStub(channel);
    notifier_ = internal::v1::DeliveryService::NewStub(channel);
    recorder_.Start();
    MonitorDefinition definition;
    definition.project_id = kJob.project;
    definition.id = kJob.id;
    definition.display_name = "job";
    definition.schedule.timeout = absl::Minutes(1);
    definition.schedule.recommended_interval = absl::Minutes(1);
    const absl::StatusOr<CreatedMonitor> created = monitors_.Create(Caller(), definition);
    EXPECT_TRUE(created.ok()) << created.status();
    if (created.ok()) token_ = created->push_token;
  }
  ~StreamsTest() override {
    EXPECT_TRUE(push_streams_.Drain(kPatience));
    EXPECT_TRUE(deliver_streams_.Stop(kPatience));
    recorder_.Stop();
    server_->Shutdown();
    server_->Wait();
  }

  static void AddPush(PushStreamRequest& batch, const std::string& token, uint64_t id) {
    internal::v1::Push& push = *batch.add_pushes();
    push.set_token_hash(Sha256Bytes(token));
    push.set_push_id(id);
    push.set_kind(v1::Heartbeat::KIND_UP);
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  DeliveryMetrics delivery_metrics_{registry_};
  MemoryStore store_{clock_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), recorder_metrics_};
  OutageGuard guard_{store_, recorder_, clock_, GuardOptions(), guard_metrics_};
  DeliveryQueue queue_{store_, clock_, DeliveryQueueOptions(), delivery_metrics_};
  MonitorAdmin monitors_{store_, clock_};
  ChannelAdmin channels_{store_, clock_};
  PushCreator creator_{recorder_, monitors_, store_, clock_};
  Gate gate_;
  PushServiceHandler push_service_{gate_, creator_, clock_};
  PushStreamHandler push_streams_{gate_, creator_, guard_, clock_, monotonic_};
  DeliverHandler deliver_streams_{gate_, queue_, clock_, "https://tocsin.example"};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::PushService::Stub> pushes_;
  std::unique_ptr<internal::v1::PushService::Stub> gateway_;
  std::unique_ptr<internal::v1::DeliveryService::Stub> notifier_;
  std::string token_;
};

TEST_F(StreamsTest, APushIsAnsweredWhenItIsRecorded) {
  v1::PushRequest request;
  request.set_push_token(token_);
  v1::PushResponse response;
  grpc::ClientContext context;
  const grpc::Status status = pushes_->Push(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.monitor(), "projects/default/monitors/job");
  EXPECT_EQ(response.message(), "recorded");
  request.set_push_token("unknown");
  grpc::ClientContext another;
  EXPECT_EQ(pushes_->Push(&another, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(StreamsTest, EachPushOfABatchHasItsOutcome) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  batch.set_gateway("gateway");
  AddPush(batch, token_, 1);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.batch_id(), 1u);
  EXPECT_THAT(response.outcomes(), IsEmpty());

  batch.Clear();
  batch.set_batch_id(2);
  AddPush(batch, token_, 0);  // invalid
  AddPush(batch, token_, 2);
  AddPush(batch, "unknown", 3);
  AddPush(batch, token_, 0);
  ASSERT_TRUE(stream->Write(batch));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.batch_id(), 2u);
  EXPECT_THAT(
      response.outcomes(),
      ElementsAre(internal::v1::PUSH_OUTCOME_INVALID, internal::v1::PUSH_OUTCOME_RECORDED,
                  internal::v1::PUSH_OUTCOME_UNKNOWN_TOKEN, internal::v1::PUSH_OUTCOME_INVALID));
  EXPECT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamsTest, AGatewayThatWasSilentIsAskedForASignOfLifeOnce) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));

  push_streams_.Ask();  // it has just spoken
  monotonic_.Advance(absl::Milliseconds(10));
  push_streams_.Ask();
  push_streams_.Ask();  // the first question is not answered yet
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.speak());
  EXPECT_EQ(response.batch_id(), 0u);
  batch.set_batch_id(2);
  ASSERT_TRUE(stream->Write(batch));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.batch_id(), 2u) << "nothing was asked besides";
  EXPECT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamsTest, AGatewayIsHeardOnceItsPushesAreHeldOrRecorded) {
  absl::Mutex mutex;
  int woken = 0;
  bool known = false;
  guard_.OnUrgent([&] {
    absl::MutexLock lock(&mutex);
    // First it connects, then it is heard for the first time.
    if (++woken == 1) return;
    known = recorder_.OldestAge() > absl::ZeroDuration() ||
            store_.FindMonitor("default", "job")->value().state.state == State::kUp;
  });
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  AddPush(batch, token_, 1);
  batch.mutable_pushes(0)->set_age_micros(300'000);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  absl::MutexLock lock(&mutex);
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(known);
}

TEST_F(StreamsTest, WhatAGatewaySaysThatItHoldsIsNotJudgedUntilItsStreamEnds) {
  const absl::Time begin = clock_.Now();
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  batch.set_held_micros(2'000'000);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_TRUE(guard_.TouchNow().ok());
  EXPECT_EQ(guard_.Judge()->http_up_to, begin - absl::Seconds(2));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_TRUE(push_streams_.Drain(kPatience));
  EXPECT_EQ(guard_.Judge()->http_up_to, begin - absl::Milliseconds(20));
}

TEST_F(StreamsTest, ASignOfLifeIsAnsweredAndTellsThatAGatewayIsThere) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.batch_id(), 1u);
  const absl::Time heard_at = clock_.Now();
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(guard_.TouchNow().ok());
  EXPECT_EQ(guard_.Judge()->http_up_to, heard_at);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamsTest, WhatWaitedUnreadInASocketIsStampedWithWhenItCame) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  const auto send = [&](uint64_t id, absl::Duration sent) {
    PushStreamRequest batch;
    batch.set_batch_id(id);
    batch.set_sent_micros(static_cast<uint64_t>(absl::ToInt64Microseconds(sent)));
    AddPush(batch, token_, id);
    EXPECT_TRUE(stream->Write(batch));
    PushStreamResponse response;
    EXPECT_TRUE(stream->Read(&response));
    return response;
  };
  EXPECT_THAT(send(1, absl::Seconds(7)).outcomes(), IsEmpty());
  const absl::Time begin = clock_.Now();
  // It was sent a second later and read after another two.
  clock_.Advance(absl::Seconds(3));
  monotonic_.Advance(absl::Seconds(3));
  EXPECT_THAT(send(2, absl::Seconds(8)).outcomes(), IsEmpty());
  EXPECT_EQ(store_.FindMonitor("default", "job")->value().state.last_at, begin + absl::Seconds(1));
  // What waited longer than a gateway does was given up by it: to record it now would tell the
  // past.
  clock_.Advance(absl::Minutes(1));
  monotonic_.Advance(absl::Minutes(1));
  EXPECT_THAT(send(3, absl::Seconds(9)).outcomes(),
              ElementsAre(internal::v1::PUSH_OUTCOME_UNAVAILABLE));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamsTest, MoreBatchesThanMayBeInFlightAreAllAnswered) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  // Who does not take answers is not read from: they are taken while more is written.
  int answers = 0;
  std::thread reader([&] {
    PushStreamResponse response;
    while (stream->Read(&response)) ++answers;
  });
  for (uint64_t id = 1; id <= 200; ++id) {
    PushStreamRequest batch;
    batch.set_batch_id(id);
    AddPush(batch, token_, id);
    EXPECT_TRUE(stream->Write(batch));
  }
  EXPECT_TRUE(stream->WritesDone());
  reader.join();
  EXPECT_EQ(answers, 200);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(StreamsTest, ADrainedStreamEndsWithOk) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  AddPush(batch, token_, 1);
  ASSERT_TRUE(stream->Write(batch));
  PushStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(push_streams_.Drain(kPatience));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  grpc::ClientContext late;
  const auto next = gateway_->PushStream(&late);
  EXPECT_FALSE(next->Read(&response));
  EXPECT_TRUE(next->Finish().ok());
}

TEST_F(StreamsTest, ABrokenStreamIsLetGo) {
  grpc::ClientContext context;
  const auto stream = gateway_->PushStream(&context);
  PushStreamRequest batch;
  batch.set_batch_id(1);
  AddPush(batch, token_, 1);
  ASSERT_TRUE(stream->Write(batch));
  context.TryCancel();
  EXPECT_FALSE(stream->Finish().ok());
  EXPECT_TRUE(push_streams_.Drain(kPatience));
}

TEST_F(StreamsTest, ANotifierGetsADeliveryAndReportsIt) {
  PeriodicTask leases("deliveries", [this] { return queue_.TickLeases(); });
  PeriodicTask reports("reports", [this] { return queue_.TickReports(); });
  queue_.OnUrgent([&leases] { leases.Wake(); }, [&reports] { reports.Wake(); });
  Channel channel;
  channel.project_id = "default";
  channel.id = "hook";
  channel.url = "https://hooks.example.com/secret";
  ASSERT_TRUE(channels_.Create(Caller(), channel, "").ok());
  const absl::StatusOr<DeliveryView> sent =
      channels_.Test(Caller(), {.project = "default", .id = "hook"});
  ASSERT_TRUE(sent.ok()) << sent.status();

  grpc::ClientContext context;
  const auto stream = notifier_->Deliver(&context);
  internal::v1::DeliverRequest request;
  request.set_notifier("notifier");
  request.set_credits(4);
  ASSERT_TRUE(stream->Write(request));
  internal::v1::DeliverResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_THAT(response.assignments(), SizeIs(1));
  const internal::v1::Assignment& assignment = response.assignments(0);
  EXPECT_EQ(assignment.delivery_id(), sent->delivery.id);
  EXPECT_EQ(assignment.type(), "channel.test");
  EXPECT_EQ(assignment.attempt(), 1);
  EXPECT_EQ(assignment.lease().seconds(), 30);
  EXPECT_EQ(assignment.destination().url(), "https://hooks.example.com/secret");
  EXPECT_THAT(assignment.destination().secrets(), SizeIs(1));

  request.Clear();
  internal::v1::DeliveryReport& report = *request.add_reports();
  report.set_lease_id(assignment.lease_id());
  report.set_delivery_id(assignment.delivery_id());
  report.set_result(internal::v1::DeliveryReport::RESULT_DELIVERED);
  report.set_outcome("ok");
  ASSERT_TRUE(stream->Write(request));
  EXPECT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  leases.Stop();
  reports.Stop();
  queue_.TickReports();
  DeliveryQuery query;
  query.project = sent->delivery.project;
  const absl::StatusOr<std::vector<DeliveryView>> deliveries = store_.ListDeliveries(query);
  ASSERT_TRUE(deliveries.ok());
  ASSERT_THAT(*deliveries, SizeIs(1));
  EXPECT_EQ(deliveries->front().delivery.state, DeliveryState::kDelivered);
  queue_.OnUrgent({}, {});
}

}  // namespace
}  // namespace tocsin::core
