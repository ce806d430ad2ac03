// Whose a refused push is.
#include "services/core/engine/rejection_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_clock.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using testing::MinuteMonitor;
using testing::Second;
using ::testing::SizeIs;
using testing::UpSince;

TokenHash HashOf(uint8_t byte) {
  TokenHash hash;
  hash.fill(byte);
  return hash;
}

class RejectionRecorderTest : public ::testing::Test {
 protected:
  RejectionRecorderTest() : clock_(Second(0)), store_(clock_) {
    monitor_ = {.definition = MinuteMonitor(), .state = UpSince(Second(0))};
    monitor_.definition.project = store_.FindProject("default").value().value();
    Do([&](Transaction& transaction) -> absl::Status {
      absl::StatusOr<MonitorIdentity> made =
          transaction.InsertMonitor(monitor_, absl::InfiniteFuture());
      if (!made.ok()) return made.status();
      monitor_.definition.key = made->key;
      return transaction.AddToken(made->key, HashOf(1), Second(0));
    });
  }

  void Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
    ASSERT_TRUE(store_.Transact(TransactionClass::kAdmin, body).ok());
  }
  static ReportedRejection Of(uint8_t secret, const std::string& monitor_id = "") {
    ReportedRejection rejection;
    rejection.secret = HashOf(secret);
    rejection.monitor_id = monitor_id;
    rejection.push.minute = Second(0);
    rejection.push.newest = Second(1);
    rejection.push.reason = Rejection::kTooOften;
    rejection.push.count = 2;
    return rejection;
  }
  std::vector<RejectedPush> Kept() {
    return store_.ReadPast(PastQuery{.monitor = monitor_.definition.key})->rejected;
  }

  FakeClock clock_;
  MemoryStore store_;
  Monitor monitor_;
};

TEST_F(RejectionRecorderTest, ATokenIsItsMonitorsAlsoWhenItHasExpired) {
  Do([&](Transaction& transaction) {
    return transaction.ExpireTokens(monitor_.definition.key, Second(1));
  });
  ASSERT_TRUE(RecordRejections(store_, {Of(1), Of(9)}).ok());
  ASSERT_THAT(Kept(), SizeIs(1));
  EXPECT_EQ(Kept()[0].count, 2);
}

TEST_F(RejectionRecorderTest, WhatNobodyEverHadIsDropped) {
  ASSERT_TRUE(RecordRejections(store_, {Of(9)}).ok());
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(RejectionRecorderTest, APushKeyLeadsToTheMonitorThatItNames) {
  ApiKey key;
  key.project = monitor_.definition.project;
  key.project_id = "default";
  key.id = "jobs";
  key.role = Role::kPusher;
  Do([&](Transaction& transaction) -> absl::Status {
    absl::StatusOr<ApiKeyIdentity> made = transaction.InsertKey(key);
    if (!made.ok()) return made.status();
    return transaction.AddKeySecret(
        made->key, {.hash = HashOf(5), .prefix = "tk_jobs", .created_at = Second(0)});
  });
  ASSERT_TRUE(
      RecordRejections(store_, {Of(5, "nightly-backup"), Of(5, "other"), Of(6, "nightly-backup")})
          .ok());
  EXPECT_THAT(Kept(), SizeIs(1));
}

}  // namespace
}  // namespace tocsin::core
