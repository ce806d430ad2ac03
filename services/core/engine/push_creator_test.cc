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
#include "services/core/engine/key_uses.h"
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
    if (create) {
      item.creation =
          std::make_shared<const Creation>(Creation{.source = "192.0.2.1", .request_id = "r-1"});
    }
    item.heartbeat.kind = HeartbeatKind::kUp;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.push_id = ++push_id_;
    return item;
  }

  std::vector<PushResult> PushBatch(std::vector<PushItem> items) {
    std::vector<PushResult> results;
    absl::Notification done;
    through_->Submit(std::move(items), [&](const std::vector<PushAnswer>& answers) {
      for (const PushAnswer& answer : answers) results.push_back(answer.result);
      done.Notify();
    });
    done.WaitForNotification();
    return results;
  }
  // As a gateway does: what is being created is sent again.
  PushResult PushUntilMade(const PushItem& item) {
    while (true) {
      const PushResult result = PushBatch({item}).at(0);
      if (result != PushResult::kBeingCreated) return result;
    }
  }
  PushResult Push(PushItem item) {
    PushResult result = PushResult::kUnavailable;
    absl::Notification done;
    through_->SubmitOne(std::move(item), [&](const std::vector<PushAnswer>& answers) {
      result = answers.at(0).result;
      done.Notify();
    });
    done.WaitForNotification();
    return result;
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
  PushCreator* through_ = &pushes_;
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
  EXPECT_EQ(Push(Item("tk_fleet", "d", true)), PushResult::kTooManyMonitors);
  EXPECT_FALSE(Read("d").has_value());
  EXPECT_EQ(Push(Item("tk_fleet", "c", true)), PushResult::kRecorded);
}

TEST_F(PushCreatorTest, ABatchDoesNotWaitForWhatHasToBeMade) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kCreated);
  // As long as it does not run, nothing is made.
  PushCreator slow(recorder_, monitors_, store_, clock_);
  through_ = &slow;
  const PushItem wish = Item("tk_fleet", "new", true);
  std::vector<PushItem> batch;
  batch.push_back(wish);
  batch.push_back(Item("tk_fleet", "old"));
  batch.push_back(Item("tk_fleet", "missing"));
  batch.push_back(Item("tk_fleet", "old", true));
  batch.push_back(Item("tk_other", "new", true));
  EXPECT_THAT(
      PushBatch(std::move(batch)),
      ElementsAre(PushResult::kBeingCreated, PushResult::kRecorded, PushResult::kUnknownToken,
                  PushResult::kRecorded, PushResult::kUnknownToken));
  EXPECT_EQ(PushBatch({wish}).at(0), PushResult::kBeingCreated);
  EXPECT_FALSE(Read("new").has_value());
  slow.Start();
  EXPECT_EQ(PushUntilMade(wish), PushResult::kRecorded);
  EXPECT_TRUE(Read("new").has_value());
}

TEST_F(PushCreatorTest, WhoComesAgainIsToldWhyTheMonitorWasNotMade) {
  AddKey("tk_fleet");
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_EQ(Push(Item("tk_fleet", id, true)), PushResult::kCreated);
  }
  const PushItem wish = Item("tk_fleet", "d", true);
  EXPECT_EQ(PushUntilMade(wish), PushResult::kTooManyMonitors);
  // It is found out anew when that may have changed.
  ASSERT_TRUE(monitors_.Delete(Caller(), {.project = "default", .id = "a"}).ok());
  EXPECT_EQ(PushUntilMade(wish), PushResult::kTooManyMonitors);
  clock_.Advance(PushCreator::kRefusedFor);
  EXPECT_EQ(PushUntilMade(wish), PushResult::kRecorded);
}

TEST_F(PushCreatorTest, OneKeyDoesNotTakeAllTheRoomOfThoseThatWait) {
  AddKey("tk_fleet", [](ApiKey& key) { key.push->max_monitors = 1000; });
  AddKey("tk_other", [](ApiKey& key) {
    key.id = "other";
    key.push->max_monitors = 1000;
  });
  PushCreator slow(recorder_, monitors_, store_, clock_);
  through_ = &slow;
  for (size_t i = 0; i < PushCreator::kMaxOfOneKey; ++i) {
    EXPECT_EQ(PushBatch({Item("tk_fleet", "m" + std::to_string(i), true)}).at(0),
              PushResult::kBeingCreated);
  }
  // What has no room is not kept; another key's has.
  EXPECT_EQ(Push(Item("tk_fleet", "one-more", true)), PushResult::kUnavailable);
  EXPECT_EQ(PushBatch({Item("tk_other", "theirs", true)}).at(0), PushResult::kBeingCreated);
  slow.Start();
  EXPECT_EQ(PushUntilMade(Item("tk_other", "theirs", true)), PushResult::kRecorded);
  EXPECT_TRUE(Read("m99").has_value());
  EXPECT_EQ(Push(Item("tk_fleet", "one-more", true)), PushResult::kCreated);
}

TEST_F(PushCreatorTest, TheAuditLogHasWhoAskedForTheMonitor) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "nightly", true)), PushResult::kCreated);
  const std::vector<AuditView> entries = store_.ListAudit(AuditQuery()).value();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].record.caller.actor, "projects/default/keys/fleet");
  EXPECT_EQ(entries[0].record.caller.source, "192.0.2.1");
  EXPECT_EQ(entries[0].record.caller.request_id, "r-1");
}

TEST_F(PushCreatorTest, TheUseOfAPushKeyIsNotedOnceAMinute) {
  const ApiKey key = AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "job", true)), PushResult::kCreated);
  const auto used_at = [&]() -> std::optional<absl::Time> {
    EXPECT_TRUE(recorder_.key_uses().Write(store_, clock_.Now()).ok());
    return store_.FindKeyBySecret(Sha256("tk_fleet")).value()->key.used_at;
  };
  const absl::Time first = clock_.Now();
  EXPECT_EQ(used_at(), first);
  clock_.Advance(absl::Seconds(30));
  ASSERT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  EXPECT_EQ(used_at(), first);
  clock_.Advance(absl::Seconds(30));
  ASSERT_EQ(Push(Item("tk_fleet", "job")), PushResult::kRecorded);
  EXPECT_EQ(used_at(), clock_.Now());
}

TEST_F(PushCreatorTest, ADeletedMonitorIsNotMadeAnew) {
  AddKey("tk_fleet");
  ASSERT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kCreated);
  ASSERT_TRUE(monitors_.Delete(Caller(), {.project = "default", .id = "old"}).ok());
  EXPECT_EQ(Push(Item("tk_fleet", "old", true)), PushResult::kDeleted);
  EXPECT_EQ(Push(Item("tk_fleet", "old")), PushResult::kUnknownToken);
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
