// What happens when PostgreSQL, its connections or other transactions get in the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

class FaultsTest : public testing::Test {
 protected:
  FaultsTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
  }

  MonitorIdentity AddMonitor(const std::string& id, absl::Time sweep_at = kStart) {
    Monitor monitor;
    monitor.definition.project = 1;
    monitor.definition.id = id;
    monitor.definition.created_at = monitor.definition.updated_at = kStart;
    monitor.state.state = State::kUp;
    monitor.state.last_at = kStart;
    MonitorIdentity identity;
    const absl::Status added =
        store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          const absl::StatusOr<MonitorIdentity> inserted =
              transaction.InsertMonitor(monitor, sweep_at);
          if (inserted.ok()) identity = *inserted;
          return inserted.status();
        });
    EXPECT_TRUE(added.ok()) << added;
    return identity;
  }

  SteadyUp UpOf(const MonitorIdentity& monitor, uint64_t push_id) {
    SteadyUp up;
    up.monitor = monitor.key;
    up.version = monitor.version;
    up.at = kStart + absl::Seconds(push_id);
    up.push_id = push_id;
    return up;
  }

  absl::Status Touch(const std::string& instance) {
    return store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
      return transaction.SaveTouch({.instance = instance, .at = kStart});
    });
  }

  int64_t Touches() { return database_.Number("SELECT count(*) FROM instance_touch"); }

  static std::string Ours(const std::string& condition) {
    return absl::StrCat(
        " FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'tocsin-core/%' AND ",
        condition);
  }

  // A transaction of the test would go on seeing what it saw first.
  int64_t Count(const std::string& condition) {
    database_.Execute("SELECT pg_stat_clear_snapshot()");
    return database_.Number("SELECT count(*)" + Ours(condition));
  }

  // Returns when one of the store's sessions waits for a lock.
  void WaitForWaiter() {
    while (Count("wait_event_type = 'Lock'") == 0) {
    }
  }

  void KillSessions(const std::string& condition = "true") {
    // Returns when the processes are gone, and their sockets with them; the view forgets a backend
    // before that.
    database_.Execute("SELECT pg_terminate_backend(pid, 10000)" + Ours(condition));
    while (Count(condition) > 0) {
    }
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
};

TEST_F(FaultsTest, ATimeZoneThatThisMachineLacksIsKeptByItsName) {
  AddMonitor("job");
  database_.Execute("UPDATE monitor SET cron = '0 2 * * *', time_zone = 'Mars/Olympus'");
  const absl::Status saved =
      store_->Transact(TransactionClass::kAdmin, [](Transaction& transaction) -> absl::Status {
        auto monitors = transaction.LockMonitors({1}, LockMode::kWait);
        if (!monitors.ok()) return monitors.status();
        MonitorDefinition changed = monitors->at(0).definition;
        changed.owner = "somebody else";
        return transaction.SaveDefinition(changed).status();
      });
  EXPECT_TRUE(saved.ok()) << saved;
  EXPECT_EQ(database_.Query("SELECT time_zone FROM monitor"),
            database_.Query("SELECT 'Mars/Olympus'"));
}

TEST_F(FaultsTest, AConnectionThatDiedWhileIdleIsReplacedUnnoticed) {
  const MonitorIdentity monitor = AddMonitor("job");
  EXPECT_TRUE(Touch("a").ok());
  EXPECT_THAT(store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).value(), SizeIs(1));
  KillSessions();
  EXPECT_TRUE(Touch("b").ok());
  EXPECT_THAT(store_->RecordSteadyUps(0, {UpOf(monitor, 2)}, {}).value(), SizeIs(1));
  EXPECT_TRUE(store_->ReadDatabaseClock().ok());
  EXPECT_EQ(Touches(), 2);
}

TEST_F(FaultsTest, AConnectionLostBeforeTheCommitIsUnavailableAndNothingWasWritten) {
  const absl::Status status =
      store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.SaveTouch({.instance = "a", .at = kStart}).ok());
        KillSessions("state LIKE 'idle in transaction%'");
        return transaction.SaveTouch({.instance = "b", .at = kStart});
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(Touches(), 0);
  EXPECT_TRUE(Touch("c").ok());
}

// A trigger holds the commit up until the test lets go of an advisory lock.
TEST_F(FaultsTest, AConnectionLostWhileCommittingIsInDoubt) {
  database_.Execute(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; "
      "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON instance_touch "
      "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()");
  database_.Execute("SELECT pg_advisory_lock(1)");
  absl::Status status;
  std::thread commit([&] { status = Touch("a"); });
  WaitForWaiter();
  KillSessions("wait_event_type = 'Lock'");
  commit.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  database_.Execute("SELECT pg_advisory_unlock(1)");
}

TEST_F(FaultsTest, AConnectionLostInTheFastPathIsInDoubt) {
  const MonitorIdentity monitor = AddMonitor("job");
  database_.Execute("BEGIN; SELECT 1 FROM monitor_state FOR UPDATE");
  absl::Status status;
  std::thread push([&] { status = store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).status(); });
  WaitForWaiter();
  KillSessions("wait_event_type = 'Lock'");
  push.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown) << status;
  database_.Execute("ROLLBACK");
  EXPECT_THAT(store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).value(), SizeIs(1));
}

TEST_F(FaultsTest, ALockThatIsHeldForTooLongIsUnavailable) {
  const MonitorIdentity monitor = AddMonitor("job");
  database_.Execute("BEGIN; SELECT 1 FROM monitor_state FOR UPDATE");
  EXPECT_EQ(store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).status().code(),
            absl::StatusCode::kUnavailable);
  database_.Execute("ROLLBACK");
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat"), 0);
}

TEST_F(FaultsTest, RowsThatOthersHoldAreSkippedWhenAskedSo) {
  const MonitorIdentity held = AddMonitor("held"), free = AddMonitor("free");
  AddMonitor("later", kStart + absl::Hours(1));
  database_.Execute(absl::StrCat("BEGIN; SELECT 1 FROM monitor_state WHERE monitor_id = ", held.key,
                                 " FOR UPDATE"));
  const absl::Status status =
      store_->Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        const std::vector<Monitor> locked =
            transaction.LockMonitors({held.key, free.key}, LockMode::kSkip).value();
        EXPECT_THAT(locked, SizeIs(1));
        EXPECT_EQ(locked[0].definition.key, free.key);
        const DueMonitors due = transaction.LockDue({}, kStart, 10).value();
        EXPECT_THAT(due.monitors, SizeIs(1));
        EXPECT_EQ(due.monitors[0].definition.key, free.key);
        EXPECT_TRUE(due.more_locked);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  database_.Execute("ROLLBACK");
}

TEST_F(FaultsTest, AMonitorIsReadAsItIsOnceItsLockIsHeld) {
  const MonitorIdentity monitor = AddMonitor("job");
  database_.Execute(
      absl::StrCat("BEGIN; UPDATE monitor_state SET failures = 7 WHERE monitor_id = ", monitor.key,
                   "; UPDATE monitor SET display_name = 'new' WHERE monitor_id = ", monitor.key));
  Monitor read;
  std::thread reader([&] {
    const absl::Status status =
        store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          read = transaction.LockMonitors({monitor.key}, LockMode::kWait).value().at(0);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  WaitForWaiter();
  database_.Execute("COMMIT");
  reader.join();
  EXPECT_EQ(read.state.failures, 7);
  EXPECT_EQ(read.definition.display_name, "new");
}

TEST_F(FaultsTest, ADeadlockIsRunAgain) {
  const MonitorIdentity first = AddMonitor("first"), second = AddMonitor("second");
  const auto lock = [](Transaction& transaction, const MonitorIdentity& monitor) {
    return transaction.LockMonitors({monitor.key}, LockMode::kWait).status();
  };
  absl::Notification both[2];
  int runs[2] = {0, 0};
  const auto run = [&](int me, TransactionClass klass, const MonitorIdentity& mine,
                       const MonitorIdentity& other) {
    return store_->Transact(klass, [&](Transaction& transaction) -> absl::Status {
      if (const absl::Status status = lock(transaction, mine); !status.ok()) return status;
      if (runs[me]++ == 0) {
        both[me].Notify();
        both[1 - me].WaitForNotification();
      }
      return lock(transaction, other);
    });
  };
  absl::Status statuses[2];
  std::thread thread([&] { statuses[0] = run(0, TransactionClass::kCommitter0, first, second); });
  statuses[1] = run(1, TransactionClass::kCommitter1, second, first);
  thread.join();
  EXPECT_TRUE(statuses[0].ok()) << statuses[0];
  EXPECT_TRUE(statuses[1].ok()) << statuses[1];
  EXPECT_GE(runs[0] + runs[1], 3);
}

TEST_F(FaultsTest, APoisonousItemIsRefusedAsData) {
  const MonitorIdentity monitor = AddMonitor("job");
  for (const std::string_view message : {std::string_view("a\0b", 3), std::string_view("\xff")}) {
    SteadyUp up = UpOf(monitor, 1);
    up.message = message;
    EXPECT_EQ(store_->RecordSteadyUps(0, {up}, {}).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_THAT(store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).value(), SizeIs(1));
  EXPECT_EQ(Touch(std::string("a\0b", 3)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(FaultsTest, AFailureThatTheBodySwallowsIsNotCommitted) {
  const absl::Status status =
      store_->Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.SaveTouch({.instance = "a", .at = kStart}).ok());
        EXPECT_FALSE(transaction.SaveTouch({.instance = "\xff", .at = kStart}).ok());
        return absl::OkStatus();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_EQ(Touches(), 0);
}

TEST_F(FaultsTest, EverythingIsUnavailableWhileTheDatabaseIsAwayAndResumesByItself) {
  const MonitorIdentity monitor = AddMonitor("job");
  EXPECT_EQ(Touches(), 0);  // the test's own connection stands
  database_.SetReachable(false);
  KillSessions();
  EXPECT_EQ(store_->ReadDatabaseClock().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Touch("a").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store_->RecordSteadyUps(1, {UpOf(monitor, 1)}, {}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(store_->LeaseDeliveries({.now = kStart, .limit = 1, .per_channel = 1}).status().code(),
            absl::StatusCode::kUnavailable);
  const News news = store_->WaitForNews(absl::Milliseconds(1));
  EXPECT_FALSE(news.sweep);
  database_.SetReachable(true);
  EXPECT_TRUE(store_->WaitForNews(absl::Seconds(30)).sweep);  // what was missed is unknown
  while (!Touch("a").ok()) {
  }
  while (!store_->RecordSteadyUps(1, {UpOf(monitor, 1)}, {}).ok()) {
  }
}

TEST_F(FaultsTest, SecretsAreSealedInTheDatabase) {
  Channel channel;
  channel.project = 1;
  channel.id = "pager";
  channel.url = "https://hooks.example/T0PSECRET";
  channel.secrets = {"whsec_T0PSECRET"};
  channel.created_at = channel.updated_at = kStart;
  EXPECT_TRUE(store_
                  ->Transact(TransactionClass::kAdmin,
                             [&](Transaction& transaction) {
                               return transaction.InsertChannel(channel).status();
                             })
                  .ok());
  EXPECT_EQ(database_.Number("SELECT position('T0PSECRET'::bytea IN url) + "
                             "position('T0PSECRET'::bytea IN secrets) FROM channel"),
            0);
  EXPECT_TRUE(store_->CheckSecrets().ok());
  // Bound to its channel: it does not open at another.
  database_.Execute(
      "INSERT INTO channel (project_id, id, display_name, url, secrets, format, selector, "
      "is_default, fallback_channel, disable_reason, last_error, created_at, updated_at) "
      "SELECT project_id, 'thief', display_name, url, secrets, format, selector, is_default, "
      "fallback_channel, disable_reason, last_error, created_at, updated_at FROM channel");
  const absl::Status status = store_->CheckSecrets();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("thief"));
}

TEST_F(FaultsTest, PartitionsExistAheadAndTheDefaultCatchesTheRest) {
  const MonitorIdentity monitor = AddMonitor("job");
  EXPECT_THAT(store_->RecordSteadyUps(0, {UpOf(monitor, 1)}, {}).value(), SizeIs(1));
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat_default"), 1);
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  // Yesterday and three days ahead; today stays where its first heartbeat is.
  EXPECT_EQ(database_.Number("SELECT count(*) FROM pg_inherits "
                             "WHERE inhparent = 'heartbeat'::regclass"),
            1 + 4);
  SteadyUp tomorrow = UpOf(monitor, 2);
  tomorrow.at += absl::Hours(24);
  EXPECT_THAT(store_->RecordSteadyUps(0, {tomorrow}, {}).value(), SizeIs(1));
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat_20260303"), 1);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat_default"), 1);
}

TEST_F(FaultsTest, UpkeepGivesWayToPushes) {
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  database_.Execute("BEGIN; SELECT count(*) FROM heartbeat");  // a reader of all partitions
  const absl::Status status =
      store_->Maintain(RetentionPolicy(), kStart + absl::Hours(24 * 30)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  database_.Execute("COMMIT");
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart + absl::Hours(24 * 30)).value());
}

// A dump holds every table for as long as it takes.
TEST_F(FaultsTest, WhoHoldsAnOldPartitionHoldsUpNothingElseOfUpkeep) {
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  // Rolls up what is to be dropped.
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart + absl::Hours(24 * 13)).ok());
  database_.Execute(
      "INSERT INTO gap (kind, start_at, end_at) VALUES (1, '2020-01-01', '2020-01-02')");
  database_.Execute("BEGIN; LOCK TABLE heartbeat_20260301 IN ACCESS SHARE MODE");
  const absl::Status status =
      store_->Maintain(RetentionPolicy(), kStart + absl::Hours(24 * 30)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(database_.Number("SELECT count(*) FROM pg_inherits WHERE inhrelid IN "
                             "('heartbeat_20260401'::regclass, 'heartbeat_20260404'::regclass)"),
            2);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM gap"), 0);
  database_.Execute("COMMIT");
}

TEST_F(FaultsTest, WhoHoldsTheDefaultPartitionHoldsUpNothingElseOfUpkeep) {
  EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  database_.Execute(
      "INSERT INTO gap (kind, start_at, end_at) VALUES (1, '2020-01-01', '2020-01-02')");
  database_.Execute("BEGIN; LOCK TABLE heartbeat_default IN ACCESS SHARE MODE");
  EXPECT_EQ(store_->Maintain(RetentionPolicy(), kStart + absl::Hours(24 * 30)).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM gap"), 0);
  database_.Execute("COMMIT");
}

TEST_F(FaultsTest, AdminCallsHoldUpNothingThatTouchesJudgingAndPushesWaitFor) {
  store_ = database_.OpenStore({.admin_sessions = 1});
  const absl::Status status = store_->Transact(TransactionClass::kAdmin, [&](Transaction&) {
    EXPECT_TRUE(store_->ReadDatabaseClock().ok());
    EXPECT_TRUE(store_->ReadGaps(kStart).ok());
    EXPECT_TRUE(store_->NextSweepAt(SweepCursor()).ok());
    EXPECT_TRUE(store_->TroubledProjects().ok());
    EXPECT_TRUE(store_->FindKeyBySecret(SecretHash{}).ok());
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(FaultsTest, ALongBacklogIsReleasedInParts) {
  database_.Execute(
      "INSERT INTO channel (project_id, id, display_name, url, secrets, format, selector, "
      "is_default, fallback_channel, disable_reason, failing_since, last_error, created_at, "
      "updated_at) "
      "VALUES (1, 'c', '', '', '', 1, '', false, '', '', '2026-03-02', '', '2026-03-02', "
      "'2026-03-02')");
  const absl::Status readable =
      store_->Transact(TransactionClass::kAdmin, [](Transaction& transaction) {
        auto channel = transaction.LockChannel(1, "c");
        if (!channel.ok()) return channel.status();
        (*channel)->url = "https://example.org/hook";
        (*channel)->secrets = {"whsec_1"};
        return transaction.SaveChannel(**channel);
      });
  ASSERT_TRUE(readable.ok()) << readable;
  database_.Execute(
      "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
      "redelivery, attempts, skipped, last_http_status, events, occurred_at, created_at, "
      "next_attempt_at, expires_at, leased_at, last_outcome) "
      "SELECT 'msg_' || i, 1, 1, i, 1, 1, 1, false, 1, 0, 0, '{}', '2026-03-02', '2026-03-02', "
      "'2026-03-02 12:00+00', '2027-01-01', '2026-03-02 09:00+00', '' "
      "FROM generate_series(1, 2500) i");
  EXPECT_TRUE(store_->ApplyReports({{.delivery_id = "msg_1", .outcome = "ok"}}, kStart).ok());
  const std::string due =
      "SELECT count(*) FROM delivery WHERE state = 1 AND next_attempt_at <= '2026-03-02 10:00+00'";
  EXPECT_EQ(database_.Number(due), 1000);
  EXPECT_LE(store_->NextDeliveryAt().value(), kStart);
  const LeaseRequest one = {.lease_id = "l",
                            .now = kStart,
                            .lease = absl::Seconds(1),
                            .limit = 1,
                            .per_channel = 100,
                            .per_failing_channel = 100};
  EXPECT_TRUE(store_->LeaseDeliveries(one).ok());
  EXPECT_EQ(database_.Number(due), 2000);
  EXPECT_TRUE(store_->LeaseDeliveries(one).ok());
  EXPECT_EQ(database_.Number(due), 2499);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM channel WHERE released_at IS NOT NULL"), 0);
}

}  // namespace
}  // namespace tocsin::core::pg
