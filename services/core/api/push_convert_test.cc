// What pushes over gRPC become.
#include "services/core/api/push_convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/sha256.h"
#include "common/status_details.h"

namespace tocsin::core {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'767'614'400);

internal::v1::Push StreamPush() {
  internal::v1::Push push;
  push.set_token_hash(Sha256Bytes("token"));
  push.set_push_id(7);
  push.set_kind(v1::Heartbeat::KIND_UP);
  return push;
}

TEST(PushConvert, APushWithoutAKindIsAnUpAndGetsAnId) {
  v1::PushRequest request;
  request.set_push_token("token");
  const absl::StatusOr<PushItem> item = ToPushItem(request, kNow);
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->token, Sha256("token"));
  EXPECT_EQ(item->heartbeat.kind, HeartbeatKind::kUp);
  EXPECT_EQ(item->heartbeat.at, kNow);
  EXPECT_EQ(item->heartbeat.source, Source::kGrpc);
  EXPECT_NE(item->heartbeat.push_id, 0u);
  EXPECT_FALSE(item->retried);
}

TEST(PushConvert, APushThatNamesItselfMayBeARetry) {
  v1::PushRequest request;
  request.set_push_token("token");
  request.set_push_id(42);
  const absl::StatusOr<PushItem> item = ToPushItem(request, kNow);
  ASSERT_TRUE(item.ok());
  EXPECT_EQ(item->heartbeat.push_id, 42u);
  EXPECT_TRUE(item->retried);
}

TEST(PushConvert, AllFaultsAreToldAtOnce) {
  v1::PushRequest request;
  request.set_value(std::numeric_limits<double>::infinity());
  request.set_exit_status(256);
  request.set_run_id(std::string(65, 'r'));
  const absl::StatusOr<PushItem> item = ToPushItem(request, kNow);
  EXPECT_EQ(item.status().code(), absl::StatusCode::kInvalidArgument);
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(item.status())) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields, testing::ElementsAre("push_token", "value", "exit_status", "run_id"));
}

TEST(PushConvert, TheTimeOfReceiptIsNowLessTheAgeWithinTenSeconds) {
  internal::v1::Push push = StreamPush();
  push.set_age_micros(1'500'000);
  EXPECT_EQ(ToPushItem(push, kNow)->heartbeat.at, kNow - absl::Milliseconds(1500));
  push.set_age_micros(3'600'000'000);
  EXPECT_EQ(ToPushItem(push, kNow)->heartbeat.at, kNow - absl::Seconds(10));
}

TEST(PushConvert, TextIsMadeStorable) {
  internal::v1::Push push = StreamPush();
  push.set_message(std::string("a\0b", 3) + std::string(5000, 'x'));
  const std::string message = ToPushItem(push, kNow)->heartbeat.message;
  EXPECT_EQ(message.size(), 4096u);
  EXPECT_EQ(message.substr(0, 3), "abx");
}

TEST(PushConvert, AStreamsPushThatBreaksTheContractIsNoItem) {
  internal::v1::Push push = StreamPush();
  ASSERT_TRUE(ToPushItem(push, kNow).has_value());
  push.set_token_hash("short");
  EXPECT_FALSE(ToPushItem(push, kNow).has_value());
  push = StreamPush();
  push.set_push_id(0);
  EXPECT_FALSE(ToPushItem(push, kNow).has_value());
  push = StreamPush();
  push.set_kind(v1::Heartbeat::KIND_UNSPECIFIED);
  EXPECT_FALSE(ToPushItem(push, kNow).has_value());
  push = StreamPush();
  push.set_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(ToPushItem(push, kNow).has_value());
}

TEST(PushConvert, EachEndHasItsAnswer) {
  PushAnswer answer;
  answer.result = PushResult::kUnknownToken;
  EXPECT_EQ(ToPushResponse(answer, kNow).status().code(), absl::StatusCode::kNotFound);
  answer.result = PushResult::kUnavailable;
  const absl::Status unavailable = ToPushResponse(answer, kNow).status();
  EXPECT_EQ(unavailable.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(unavailable).has_value());
  answer.result = PushResult::kRecordedPaused;
  answer.monitor = std::make_shared<const std::string>("projects/default/monitors/backup");
  const absl::StatusOr<v1::PushResponse> response = ToPushResponse(answer, kNow);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->monitor(), "projects/default/monitors/backup");
  EXPECT_EQ(response->message(), "stored, the monitor is paused");
}

}  // namespace
}  // namespace tocsin::core
