// Tokens that the cache does not have, on a store in memory.
#include "services/core/engine/token_resolver.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/sha256.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

class TokenResolverTest : public ::testing::Test {
 protected:
  TokenResolverTest() {
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = "job";
    definition.display_name = "job";
    definition.schedule.timeout = absl::Minutes(1);
    definition.schedule.recommended_interval = absl::Minutes(1);
    const absl::StatusOr<CreatedMonitor> created = monitors_.Create(Caller(), definition);
    EXPECT_TRUE(created.ok()) << created.status();
    if (created.ok()) token_ = Sha256(created->push_token);
  }

  QueuedPush Push(HeartbeatKind kind = HeartbeatKind::kUp) {
    QueuedPush push;
    push.item.token = token_;
    push.item.heartbeat.kind = kind;
    push.item.heartbeat.at = clock_.Now();
    return push;
  }
  std::optional<CachedToken> Resolve(QueuedPush push) {
    const bool learnt =
        ResolveTokens(store_, TransactionClass::kCommitter0, {&push}, clock_.Now(), cache_, uses_);
    std::optional<CachedToken> found = cache_.Find(token_, clock_.Now());
    EXPECT_EQ(learnt, found.has_value());
    return found;
  }

  FakeClock clock_;
  KeyUses uses_;
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  MonitorAdmin monitors_{store_, clock_};
  TokenCache cache_{10};
  TokenHash token_ = {};
};

TEST_F(TokenResolverTest, TheCacheLearnsWhatATokenGivesAccessTo) {
  const std::optional<CachedToken> token = Resolve(Push());
  ASSERT_TRUE(token.has_value());
  const Monitor monitor = store_.FindMonitor("default", "job")->value();
  EXPECT_EQ(token->monitor, monitor.definition.key);
  EXPECT_EQ(token->version, monitor.definition.version);
  EXPECT_EQ(token->expires_at, absl::InfiniteFuture());
  EXPECT_EQ(*token->name, "projects/default/monitors/job");
}

TEST_F(TokenResolverTest, WhatTakesTheFullPathAnywayIsLeftToIt) {
  EXPECT_FALSE(Resolve(Push(HeartbeatKind::kDown)).has_value());
  QueuedPush retried = Push();
  retried.item.retried = true;
  EXPECT_FALSE(Resolve(std::move(retried)).has_value());
}

TEST_F(TokenResolverTest, ATokenThatNobodyHasIsNotLearnt) {
  token_.front() ^= 1;
  EXPECT_FALSE(Resolve(Push()).has_value());
}

TEST_F(TokenResolverTest, AfterARestartASteadyUpNeedsNoFullPath) {
  for (const int restart : {0, 1}) {
    prometheus::Registry registry;
    RecorderMetrics metrics(registry);
    PushRecorder recorder(store_, clock_, monotonic_, RecorderOptions(), metrics);
    recorder.Start();
    clock_.Advance(absl::Seconds(10));
    std::vector<PushItem> items = {Push().item};
    PushAnswer answer;
    recorder.Submit(std::move(items), [&](std::vector<PushAnswer> given) { answer = given.at(0); });
    recorder.Stop();
    EXPECT_EQ(answer.result, PushResult::kRecorded);
    EXPECT_EQ(metrics.full_path.Value(), restart == 0 ? 1 : 0) << "the first made the monitor UP";
    EXPECT_EQ(metrics.fast_path.Value(), restart);
  }
}

}  // namespace
}  // namespace tocsin::core
