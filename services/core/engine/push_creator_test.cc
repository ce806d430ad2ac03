// Pushes with push keys, from the key to the monitor that was made for them.
#include "services/core/engine/push_creator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_access.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;

class PushCreatorTest : public ::testing::Test {
 protected:
  PushCreatorTest() {
    project_ = store_.FindProject("default")->value();
    recorder_.Start();
    pushes_.Start();
  }
  ~PushCreatorTest() override {
    pushes_.Stop();
    recorder_.Stop();
  }

  // A key that may make monitors; `change` may take that away.
  ApiKey AddKey(
      const std::string& secret, const std::function<void(ApiKey&)>& change = [](ApiKey&) {}) {
    ApiKey key;
    key.project = project_;
    key.project_id = "default";
    key.id = "fleet";
    key.role = Role::kPusher;
    key.push = PushGrant{.may_create = true, .defaults = {}, .max_monitors = 3};
    key.push->defaults.owner = "platform";
    key.push->defaults.schedule.timeout = absl::Hours(24);
    key.push->defaults.schedule.recommended_interval = absl::Hours(24);
    key.push->defaults.schedule.grace = absl::Hours(1);
    change(key);
    const absl::Status added =
        store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(const ApiKeyIdentity made, transaction.InsertKey(key));
          key.key = made.key;
          return transaction.AddKeySecret(
              made.key, {.hash = Sha256(secret), .prefix = "tk_", .created_at = clock_.Now()});
        });
    EXPECT_TRUE(added.ok()) << added;
    return key;
  }

  void Revoke(ApiKey key) {
    key.revoked_at = clock_.Now();
    const absl::Status saved = store_.Transact(
        TransactionClass::kAdmin,
        [&](Transaction& transaction) { return transaction.SaveKey(key).status(); });
    EXPECT_TRUE(saved.ok()) << saved;
  }

  PushItem Item(const std::string& secret, const std::string& monitor, bool create = false) {
    PushItem item;
    item.target = std::make_shared<const PushTarget>(
        PushTarget{.key = Sha256(secret), .monitor_id = monitor});
    item.token = TargetToken(*item.target);
    item.create = create;
    item.heartbeat.kind = HeartbeatKind::kUp;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.push_id = ++push_id_;
    return item;
  }

  std::vector<PushResult> Push(std::vector<PushItem> items) {
    std::vector<PushResult> results;
    absl::Notification done;
    pushes_.Submit(std::move(items), [&](const std::vector<PushAnswer>& answers) {
      for (const PushAnswer& answer : answers) results.push_back(answer.result);
      done.Notify();
    });
    done.WaitForNotification();
    return results;
  }
  PushResult Push(PushItem item) {
    std::vector<PushItem> items;
    items.push_back(std::move(item));
    return Push(std::move(items)).at(0);
  }

  std::optional<MonitorView> Read(const std::string& id) {
    return store_.ReadMonitor("default", id).value();
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  ProjectKey project_ = 0;
  uint64_t push_id_ = 0;
  prometheus::Registry registry_;
  RecorderMetrics metrics_{registry_};
  MonitorAdmin monitors_{store_, clock_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), metrics_};
  PushCreator pushes_{recorder_, monitors_, store_, clock_};
};

TEST_F(PushCreatorTest, APushMakesTheMonitorThatItNamesAndIsItsFirstHeartbeat) {
  AddKey("tk_fleet");
  EXPECT_EQ(Push(Item("tk_fleet", "nightly", true)), PushResult::kCreated);
  const std::optional<MonitorView> made = Read("nightly");
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->monitor.definition.owner, "platform");
  EXPECT_EQ(made->monitor.definition.display_name, "nightly");
  EXPECT_EQ(made->monitor.definition.schedule.timeout, absl::Hours(24));
  EXPECT_EQ(made->monitor.state.state, State::kUp);
  EXPECT_EQ(made->last_heartbeat->push_id, 1u);
  // The next ones only push.
  EXPECT_EQ(Push(Item("tk_fleet", "nightly", true)), PushResult::kRecorded);
  EXPECT_EQ(Push(Item("tk_fleet", "nightly")), PushResult::kRecorded);
}

TEST_F(PushCreatorTest, WhoDoesNotAskMakesNothing) {
  AddKey("tk_fleet");
  EXPECT_EQ(Push(Item("tk_fleet", "nightly")), PushResult::kUnknownToken);
  EXPECT_FALSE(Read("nightly").has_value());
}

TEST_F(PushCreatorTest, AKeyThatMayNotMakesNothing) {
  AddKey("tk_fleet", [](ApiKey& key) { key.push->may_create = false; });
  EXPECT_EQ(Push(Item("tk_fleet", "nightly", true)), PushResult::kMayNotCreate);
  EXPECT_EQ(Push(Item("tk_other", "nightly", true)), PushResult::kUnknownToken);
  EXPECT_FALSE(Read("nightly").has_value());
}

TEST_F(PushCreatorTest, AProjectGetsNoMoreMonitorsThanTheKeyAllows) {
  AddKey("tk_fleet");
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Push(Item("tk_fleet", id, true)), PushResult::kCreated);
  }
  EXPECT_EQ(Push(Item("tk_fleet", "d", true)), PushResult::kMayNotCreate);
  EXPECT_FALSE(Read("d").has_value());
  EXPECT_EQ(Push(Item("tk_fleet", "c", true)), PushResult::kRecorded);
}

TEST_F(PushCreatorTest, ABatchIsAnsweredInItsOrderWhateverHasToBeMade) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kCreated);
  std::vector<PushItem> batch;
  batch.push_back(Item("tk_fleet", "new", true));
  batch.push_back(Item("tk_fleet", "old"));
  batch.push_back(Item("tk_fleet", "new", true));
  batch.push_back(Item("tk_fleet", "missing"));
  batch.push_back(Item("tk_fleet", "new"));
  EXPECT_THAT(Push(std::move(batch)),
              ElementsAre(PushResult::kCreated, PushResult::kRecorded, PushResult::kRecorded,
                          PushResult::kUnknownToken, PushResult::kUnknownToken));
}

TEST_F(PushCreatorTest, ADeletedMonitorIsNotMadeAnew) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kCreated);
  ASSERT_TRUE(monitors_.Delete(Caller(), {.project = "default", .id = "old"}).ok());
  EXPECT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kUnknownToken);
}

TEST_F(PushCreatorTest, ARevokedKeyPushesNothingAfterFiveSecondsAtMost) {
  const ApiKey key = AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  clock_.Advance(absl::Seconds(1));
  ASSERT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  Revoke(key);
  clock_.Advance(kKeyTrust);
  EXPECT_EQ(Push(Item("tk_fleet", "job")), PushResult::kUnknownToken);
}

TEST_F(PushCreatorTest, WhatStandsForAKeyAndAMonitorIsNoPushToken) {
  const ApiKey key = AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  ASSERT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  // Somebody sends as a token the bytes that this is the hash of.
  PushItem forged = Item("tk_fleet", "job");
  forged.target = nullptr;
  EXPECT_EQ(Push(forged), PushResult::kUnknownToken);
  Revoke(key);
  recorder_.DoubtKeys();
  EXPECT_EQ(Push(std::move(forged)), PushResult::kUnknownToken);
}

TEST_F(PushCreatorTest, ARevokedKeyPushesNothingOnceItIsNews) {
  const ApiKey key = AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  Revoke(key);
  recorder_.DoubtKeys();
  EXPECT_EQ(Push(Item("tk_fleet", "job")), PushResult::kUnknownToken);
}

TEST_F(PushCreatorTest, AKeyThatExpiresPushesUntilThen) {
  AddKey("tk_fleet", [&](ApiKey& key) { key.expires_at = clock_.Now() + absl::Seconds(3); });
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Push(Item("tk_fleet", "job")), PushResult::kUnknownToken);
  EXPECT_EQ(Push(Item("tk_fleet", "other", true)), PushResult::kUnknownToken);
}

TEST_F(PushCreatorTest, SteadyPushesThroughAKeyTakeTheFastPath) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  const double before = metrics_.fast_path.Value();
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  }
  EXPECT_EQ(metrics_.fast_path.Value() - before, 20);
}

TEST_F(PushCreatorTest, WhatWaitsWhenItStopsIsUnavailable) {
  AddKey("tk_fleet");
  pushes_.Stop();
  EXPECT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kUnavailable);
  EXPECT_FALSE(Read("job").has_value());
}

}  // namespace
}  // namespace tocsin::core
