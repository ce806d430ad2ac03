// Contract of transactions and of what they do to monitors.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);

class Monitors : public StoreContract {
 protected:
  std::vector<MonitorKey> Due(absl::Time now, int limit) {
    std::vector<MonitorKey> keys;
    Do([&](Transaction& transaction) -> absl::Status {
      keys.clear();
      const DueMonitors due = transaction.LockDue({}, now, limit).value();
      EXPECT_FALSE(due.more_locked);
      for (const Monitor& monitor : due.monitors) keys.push_back(monitor.definition.key);
      return absl::OkStatus();
    });
    return keys;
  }
};

TEST_P(Monitors, ATransactionThatFailsLeavesNothingAndReturnsItsError) {
  const absl::Status status =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.InsertMonitor(UpMonitor("job"), kStart).ok());
        EXPECT_TRUE(transaction.FindMonitor(project(), "job").value().has_value());
        return absl::OutOfRangeError("no");
      });
  EXPECT_EQ(status, absl::OutOfRangeError("no"));
  EXPECT_FALSE(store().FindMonitor("default", "job").value().has_value());
}

TEST_P(Monitors, EveryClassOfTransactionWorks) {
  for (const TransactionClass klass : {TransactionClass::kCommitter0, TransactionClass::kCommitter1,
                                       TransactionClass::kSweeper, TransactionClass::kAdmin}) {
    const std::string id = "job-" + std::to_string(static_cast<int>(klass));
    EXPECT_TRUE(store()
                    .Transact(klass,
                              [&](Transaction& transaction) {
                                return transaction.InsertMonitor(UpMonitor(id), kStart).status();
                              })
                    .ok());
    EXPECT_TRUE(store().FindMonitor("default", id).value().has_value());
  }
}

TEST_P(Monitors, AMonitorComesBackAsItWasAdded) {
  Monitor monitor = UpMonitor("job");
  monitor.state.armed_at = kStart - kSecond;
  monitor.state.floor_at = kStart + kSecond;
  monitor.state.failures = 1;
  monitor.state.successes = 2;
  monitor.state.misses = 3;
  monitor.state.runs = {{.id = "", .started_at = kStart},
                        {.id = "r\"1",
                         .started_at = kStart + absl::Microseconds(3),
                         .due_at = kStart + absl::Hours(2),
                         .overran = true}};
  monitor.state.credit_at = kStart + absl::Seconds(5);
  monitor.state.excused_at = kStart + absl::Seconds(6);
  monitor.state.sequence = 5;
  monitor.state.last_kind = HeartbeatKind::kDown;
  const MonitorIdentity identity = Add(monitor);
  const Monitor loaded = Load(identity.key);
  const MonitorDefinition& definition = loaded.definition;
  EXPECT_EQ(definition.key, identity.key);
  EXPECT_EQ(definition.version, identity.version);
  EXPECT_EQ(definition.project, project());
  EXPECT_EQ(definition.project_id, "default");
  EXPECT_EQ(definition.id, "job");
  EXPECT_EQ(definition.display_name, monitor.definition.display_name);
  EXPECT_EQ(definition.description, monitor.definition.description);
  EXPECT_EQ(definition.owner, monitor.definition.owner);
  EXPECT_EQ(definition.severity, Severity::kWarning);
  EXPECT_EQ(definition.runbook_url, monitor.definition.runbook_url);
  EXPECT_EQ(definition.labels, monitor.definition.labels);
  EXPECT_EQ(definition.schedule, monitor.definition.schedule);
  EXPECT_EQ(definition.failure_threshold, 2);
  EXPECT_EQ(definition.recovery_threshold, 3);
  EXPECT_TRUE(definition.arm_on_create);
  EXPECT_TRUE(definition.resume_on_heartbeat);
  EXPECT_THAT(definition.channels, ElementsAre("mail", "pager"));
  EXPECT_EQ(definition.created_at, monitor.definition.created_at);
  EXPECT_EQ(definition.updated_at, monitor.definition.updated_at);
  EXPECT_FALSE(definition.deleted_at.has_value());
  EXPECT_EQ(loaded.state.state, State::kUp);
  EXPECT_EQ(loaded.state.last_at, kStart);
  EXPECT_EQ(loaded.state.last_kind, HeartbeatKind::kDown);
  EXPECT_EQ(loaded.state.last_source, Source::kGrpc);
  EXPECT_EQ(loaded.state.armed_at, kStart - kSecond);
  EXPECT_EQ(loaded.state.floor_at, kStart + kSecond);
  EXPECT_EQ(loaded.state.failures, 1);
  EXPECT_EQ(loaded.state.successes, 2);
  EXPECT_EQ(loaded.state.misses, 3);
  EXPECT_EQ(loaded.state.runs, monitor.state.runs);
  EXPECT_EQ(loaded.state.credit_at, monitor.state.credit_at);
  EXPECT_EQ(loaded.state.excused_at, monitor.state.excused_at);
  EXPECT_EQ(loaded.state.sequence, 5);
  EXPECT_FALSE(loaded.state.incident.has_value());
}

TEST_P(Monitors, ANewMonitorHasNoTimes) {
  Monitor monitor = UpMonitor("job");
  monitor.state = MonitorState{};
  const MonitorState state = Load(Add(monitor).key).state;
  EXPECT_EQ(state.state, State::kNew);
  EXPECT_EQ(state.last_at, absl::InfinitePast());
  EXPECT_EQ(state.armed_at, absl::InfinitePast());
  EXPECT_EQ(state.floor_at, absl::InfinitePast());
}

TEST_P(Monitors, AnIdIsTakenEvenByADeletedMonitor) {
  const MonitorIdentity monitor = AddUp("job");
  const auto insert = [&](Transaction& transaction) {
    return transaction.InsertMonitor(UpMonitor("job"), kStart).status();
  };
  EXPECT_EQ(store().Transact(TransactionClass::kAdmin, insert).code(),
            absl::StatusCode::kAlreadyExists);
  Do([&](Transaction& transaction) -> absl::Status {
    MonitorDefinition definition =
        transaction.LockMonitors({monitor.key}, LockMode::kWait).value().front().definition;
    definition.deleted_at = kStart;
    return transaction.SaveDefinition(definition).status();
  });
  EXPECT_EQ(store().Transact(TransactionClass::kAdmin, insert).code(),
            absl::StatusCode::kAlreadyExists);
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.FindMonitor(project(), "job").value(), monitor.key);
    EXPECT_FALSE(transaction.FindMonitor(project(), "other").value().has_value());
    return absl::OkStatus();
  });
}

TEST_P(Monitors, LockingLeavesOutUnknownKeysAndKeepsDeletedOnes) {
  const MonitorIdentity first = AddUp("first"), second = AddUp("second");
  Do([&](Transaction& transaction) -> absl::Status {
    MonitorDefinition definition =
        transaction.LockMonitors({second.key}, LockMode::kWait).value().front().definition;
    definition.deleted_at = kStart;
    return transaction.SaveDefinition(definition).status();
  });
  for (const LockMode mode : {LockMode::kWait, LockMode::kSkip}) {
    Do([&](Transaction& transaction) -> absl::Status {
      const std::vector<Monitor> locked =
          transaction.LockMonitors({first.key, second.key, second.key + 1000}, mode).value();
      EXPECT_THAT(locked, SizeIs(2));
      EXPECT_EQ(locked[0].definition.key, first.key);
      EXPECT_EQ(locked[1].definition.key, second.key);
      EXPECT_EQ(locked[1].definition.deleted_at, kStart);
      return absl::OkStatus();
    });
  }
}

TEST_P(Monitors, SavingADefinitionDrawsAVersionThatVoidsTheOldOne) {
  MonitorIdentity monitor = AddUp("job");
  int64_t version = 0;
  Do([&](Transaction& transaction) -> absl::Status {
    MonitorDefinition definition =
        transaction.LockMonitors({monitor.key}, LockMode::kWait).value().front().definition;
    definition.display_name = "renamed";
    definition.labels = {};
    definition.channels = {};
    definition.schedule.timeout = absl::Hours(24 * 366);
    const absl::StatusOr<int64_t> saved = transaction.SaveDefinition(definition);
    if (saved.ok()) version = *saved;
    return saved.status();
  });
  EXPECT_NE(version, monitor.version);
  const Monitor loaded = Load(monitor.key);
  EXPECT_EQ(loaded.definition.version, version);
  EXPECT_EQ(loaded.definition.display_name, "renamed");
  EXPECT_THAT(loaded.definition.labels, IsEmpty());
  EXPECT_THAT(loaded.definition.channels, IsEmpty());
  EXPECT_EQ(loaded.definition.schedule.timeout, absl::Hours(24 * 366));
  EXPECT_THAT(store().RecordSteadyUps(0, {UpOf(monitor, kStart + kSecond, 1)}, {}).value(),
              IsEmpty());
  monitor.version = version;
  EXPECT_THAT(store().RecordSteadyUps(0, {UpOf(monitor, kStart + kSecond, 1)}, {}).value(),
              SizeIs(1));
}

TEST_P(Monitors, SavesStatesOfManyMonitors) {
  std::vector<StateChange> changes;
  for (int i = 0; i < 5; ++i) {
    StateChange change;
    change.monitor = AddUp("job-" + std::to_string(i)).key;
    change.state.state = State::kPaused;
    change.state.last_at = kStart + i * kSecond;
    change.state.last_kind = HeartbeatKind::kDown;
    change.state.last_source = Source::kHttp;
    change.state.failures = i;
    change.state.sequence = 10 + i;
    change.state.floor_at = kStart + absl::Microseconds(1);
    changes.push_back(change);
  }
  Do([&](Transaction& transaction) { return transaction.SaveStates(changes); });
  for (const StateChange& change : changes) {
    const MonitorState state = Load(change.monitor).state;
    EXPECT_EQ(state.state, State::kPaused);
    EXPECT_EQ(state.last_at, change.state.last_at);
    EXPECT_EQ(state.last_kind, HeartbeatKind::kDown);
    EXPECT_EQ(state.last_source, Source::kHttp);
    EXPECT_EQ(state.failures, change.state.failures);
    EXPECT_EQ(state.sequence, change.state.sequence);
    EXPECT_EQ(state.floor_at, change.state.floor_at);
    EXPECT_EQ(state.armed_at, absl::InfinitePast());
  }
  Do([&](Transaction& transaction) { return transaction.SaveStates({}); });
}

TEST_P(Monitors, DueMonitorsComeEarliestFirstAndExactlyAtTheirTime) {
  const MonitorKey late = Add(UpMonitor("late"), kStart + 3 * kSecond).key;
  const MonitorKey early = Add(UpMonitor("early"), kStart + kSecond).key;
  const MonitorKey middle = Add(UpMonitor("middle"), kStart + 2 * kSecond).key;
  AddUp("never");
  EXPECT_EQ(store().NextSweepAt({}).value(), kStart + kSecond);
  EXPECT_THAT(Due(kStart + kSecond - absl::Microseconds(1), 10), IsEmpty());
  EXPECT_THAT(Due(kStart + kSecond, 10), ElementsAre(early));
  EXPECT_THAT(Due(kStart + 9 * kSecond, 10), ElementsAre(early, middle, late));
  EXPECT_THAT(Due(kStart + 9 * kSecond, 2), ElementsAre(early, middle));
}

TEST_P(Monitors, DueMonitorsMayBeAskedForPageByPage) {
  std::vector<MonitorKey> keys;
  for (int i = 1; i <= 3; ++i) {
    keys.push_back(Add(UpMonitor(absl::StrCat("job", i)), kStart + i * kSecond).key);
  }
  const absl::Time now = kStart + 9 * kSecond;
  Do([&](Transaction& transaction) -> absl::Status {
    DueMonitors due = transaction.LockDue({}, now, 2).value();
    EXPECT_THAT(due.monitors, SizeIs(2));
    EXPECT_TRUE(due.full);
    EXPECT_EQ(due.last, (SweepCursor{kStart + 2 * kSecond, keys[1]}));
    due = transaction.LockDue(due.last, now, 2).value();
    EXPECT_THAT(due.monitors, SizeIs(1));
    EXPECT_FALSE(due.full);
    due = transaction.LockDue(due.last, now, 2).value();
    EXPECT_THAT(due.monitors, IsEmpty());
    EXPECT_EQ(due.last, SweepCursor());
    return absl::OkStatus();
  });
  EXPECT_EQ(store().NextSweepAt({kStart + 2 * kSecond, keys[1]}).value(), kStart + 3 * kSecond);
  EXPECT_EQ(store().NextSweepAt({kStart + 3 * kSecond, keys[2]}).value(), absl::InfiniteFuture());
}

TEST_P(Monitors, CriticalOnesAmongVeryManyDueDoNotWaitForAll) {
  std::vector<MonitorKey> keys;
  for (int i = 1; i <= 6; ++i) {
    Monitor monitor = UpMonitor(absl::StrCat("job", i));
    if (i == 1 || i >= 5) monitor.definition.severity = Severity::kCritical;
    keys.push_back(Add(monitor, kStart + i * kSecond).key);
  }
  const absl::Time now = kStart + 9 * kSecond;
  Do([&](Transaction& transaction) -> absl::Status {
    const DueMonitors due = transaction.LockDue({}, now, 2).value();
    EXPECT_THAT(due.monitors, SizeIs(3));
    EXPECT_EQ(due.monitors.back().definition.key, keys[4]);
    EXPECT_TRUE(due.full);
    EXPECT_EQ(due.last, (SweepCursor{kStart + 2 * kSecond, keys[1]}));
    return absl::OkStatus();
  });
}

TEST_P(Monitors, AMonitorThatBecomesCriticalDoesNotWaitForAll) {
  for (int i = 1; i <= 3; ++i) Add(UpMonitor(absl::StrCat("job", i)), kStart + i * kSecond);
  const MonitorIdentity last = Add(UpMonitor("last"), kStart + 4 * kSecond);
  Do([&](Transaction& transaction) -> absl::Status {
    Monitor monitor = transaction.LockMonitors({last.key}, LockMode::kWait).value().at(0);
    monitor.definition.severity = Severity::kCritical;
    return transaction.SaveDefinition(monitor.definition).status();
  });
  EXPECT_THAT(Due(kStart + 9 * kSecond, 2), ::testing::Contains(last.key));
}

TEST_P(Monitors, DueMonitorsOfTheSameTimeAreAllReachedPageByPage) {
  const absl::Time same = kStart + kSecond;
  std::vector<MonitorKey> added, seen;
  for (int i = 0; i < 5; ++i) {
    added.push_back(Add(UpMonitor(absl::StrCat("job", i)), same).key);
  }
  Do([&](Transaction& transaction) -> absl::Status {
    seen.clear();
    SweepCursor cursor;
    while (true) {
      const DueMonitors due = transaction.LockDue(cursor, same, 2).value();
      EXPECT_FALSE(due.more_locked);
      for (const Monitor& monitor : due.monitors) seen.push_back(monitor.definition.key);
      if (!due.full) return absl::OkStatus();
      cursor = due.last;
    }
  });
  EXPECT_THAT(seen, ElementsAreArray(added));
  EXPECT_EQ(store().NextSweepAt({same, added[3]}).value(), same);
  EXPECT_EQ(store().NextSweepAt({same, added[4]}).value(), absl::InfiniteFuture());
}

TEST_P(Monitors, SweepTimesAreWrittenExactlyOrLeftAlone) {
  const MonitorIdentity monitor = Add(UpMonitor("job"), kStart + kSecond);
  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  Save(change);
  EXPECT_EQ(store().NextSweepAt({}).value(), kStart + kSecond);
  change.sweep_at = kStart + absl::Hours(1);
  Save(change);
  EXPECT_EQ(store().NextSweepAt({}).value(), kStart + absl::Hours(1));
  change.sweep_at = kStart;
  Save(change);
  EXPECT_EQ(store().NextSweepAt({}).value(), kStart);
  change.sweep_at = absl::InfiniteFuture();
  Save(change);
  EXPECT_EQ(store().NextSweepAt({}).value(), absl::InfiniteFuture());
  EXPECT_THAT(Due(kStart + absl::Hours(9), 10), IsEmpty());
}

TEST_P(Monitors, HeartbeatsKeepEveryField) {
  const MonitorIdentity monitor = AddUp("job");
  StoredHeartbeat stored;
  stored.monitor = monitor.key;
  stored.reason = Reason::kReportedDown;
  stored.heartbeat = {.kind = HeartbeatKind::kDown,
                      .at = kStart + absl::Microseconds(123456),
                      .message = "no space left\non device",
                      .value = 1e300,
                      .exit_status = 255,
                      .run_id = "run-1",
                      .source = Source::kHttp,
                      .push_id = uint64_t{1} << 63};
  StoredHeartbeat log;
  log.monitor = monitor.key;
  log.reason = Reason::kLogged;
  log.heartbeat = {.kind = HeartbeatKind::kLog, .at = kStart + kSecond, .push_id = 2};
  Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored, log}); });
  HeartbeatQuery query;
  query.monitor = monitor.key;
  const std::vector<StoredHeartbeat> history = store().ListHeartbeats(query).value();
  ASSERT_THAT(history, SizeIs(2));
  query.ends_only = true;
  EXPECT_THAT(store().ListHeartbeats(query).value(), SizeIs(1));
  EXPECT_EQ(history[0].reason, Reason::kLogged);
  EXPECT_EQ(history[0].heartbeat.kind, HeartbeatKind::kLog);
  const Heartbeat& down = history[1].heartbeat;
  EXPECT_EQ(history[1].reason, Reason::kReportedDown);
  EXPECT_EQ(down.kind, HeartbeatKind::kDown);
  EXPECT_EQ(down.at, stored.heartbeat.at);
  EXPECT_EQ(down.message, stored.heartbeat.message);
  EXPECT_EQ(down.value, 1e300);
  EXPECT_EQ(down.exit_status, 255);
  EXPECT_EQ(down.run_id, "run-1");
  EXPECT_EQ(down.source, Source::kHttp);
  EXPECT_EQ(down.push_id, uint64_t{1} << 63);
}

TEST_P(Monitors, TheNewestHeartbeatIsAnUpOrDown) {
  const MonitorIdentity monitor = AddUp("job");
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_FALSE(transaction.NewestHeartbeat(monitor.key, kStart + kSecond).value().has_value());
    std::vector<StoredHeartbeat> heartbeats;
    for (const auto& [kind, seconds] :
         {std::pair(HeartbeatKind::kUp, 1), std::pair(HeartbeatKind::kDown, 3),
          std::pair(HeartbeatKind::kUp, 2), std::pair(HeartbeatKind::kLog, 4),
          std::pair(HeartbeatKind::kStart, 5)}) {
      StoredHeartbeat stored;
      stored.monitor = monitor.key;
      stored.heartbeat.kind = kind;
      stored.heartbeat.at = kStart + seconds * kSecond;
      stored.heartbeat.push_id = seconds;
      heartbeats.push_back(stored);
    }
    EXPECT_TRUE(transaction.AddHeartbeats(heartbeats).ok());
    EXPECT_EQ(transaction.NewestHeartbeat(monitor.key, kStart + kSecond).value()->push_id, 3u);
    const absl::Time before = kStart + 2 * kSecond - kHeartbeatsAhead;
    EXPECT_EQ(transaction.NewestHeartbeat(monitor.key, before).value()->push_id, 2u);
    return absl::OkStatus();
  });
}

TEST_P(Monitors, TheNewestHeartbeatsOfManyMonitorsAreEachTheirOwn) {
  std::vector<MonitorKey> keys;
  std::vector<StoredHeartbeat> heartbeats;
  for (int i = 0; i < 30; ++i) {
    keys.push_back(AddUp("job-" + std::to_string(i)).key);
    if (i % 3 == 0) continue;
    StoredHeartbeat stored;
    stored.monitor = keys.back();
    stored.heartbeat.at = kStart;
    stored.heartbeat.push_id = 100 + i;
    heartbeats.push_back(stored);
  }
  Do([&](Transaction& transaction) { return transaction.AddHeartbeats(heartbeats); });
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_THAT(transaction.LockMonitors(keys, LockMode::kWait).value(), SizeIs(30));
    for (int i = 0; i < 30; ++i) {
      const std::optional<Heartbeat> newest =
          transaction.NewestHeartbeat(keys[i], kStart + kSecond).value();
      EXPECT_EQ(newest ? newest->push_id : 0, i % 3 == 0 ? 0u : 100u + i);
    }
    StoredHeartbeat newer;
    newer.monitor = keys[0];
    newer.heartbeat.at = kStart + kSecond;
    newer.heartbeat.push_id = 7;
    EXPECT_TRUE(transaction.AddHeartbeats({newer}).ok());
    EXPECT_EQ(transaction.NewestHeartbeat(keys[0], kStart + kSecond).value()->push_id, 7u);
    return absl::OkStatus();
  });
}

TEST_P(Monitors, HeartbeatsPageFromTheNewestDown) {
  const MonitorIdentity monitor = AddUp("job");
  std::vector<StoredHeartbeat> heartbeats;
  for (int i = 1; i <= 7; ++i) {
    StoredHeartbeat stored;
    stored.monitor = monitor.key;
    stored.heartbeat.at = kStart + (i / 2) * kSecond;  // pairs share their time
    stored.heartbeat.push_id = i == 7 ? ~uint64_t{0} : i;
    heartbeats.push_back(stored);
  }
  Do([&](Transaction& transaction) { return transaction.AddHeartbeats(heartbeats); });
  std::vector<uint64_t> seen;
  HeartbeatQuery query;
  query.monitor = monitor.key;
  query.limit = 2;
  while (true) {
    const std::vector<StoredHeartbeat> page = store().ListHeartbeats(query).value();
    for (const StoredHeartbeat& stored : page) seen.push_back(stored.heartbeat.push_id);
    if (page.size() < 2) break;
    query.before = page.back().heartbeat.at;
    query.before_push_id = page.back().heartbeat.push_id;
  }
  EXPECT_THAT(seen, ElementsAre(~uint64_t{0}, 6, 5, 4, 3, 2, 1));
}

INSTANTIATE_TEST_SUITE_P(Stores, Monitors, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
