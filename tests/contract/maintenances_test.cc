// Contract of maintenances.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class MaintenanceContract : public StoreContract {
 protected:
  Maintenance Work(const std::string& id) {
    Maintenance maintenance;
    maintenance.project = project();
    maintenance.project_id = "default";
    maintenance.id = id;
    maintenance.display_name = "Work";
    maintenance.reason = "new \"disks\"";
    maintenance.author = "projects/default/keys/ada";
    maintenance.selector = "team=payments";
    maintenance.monitors = {"a", "b"};
    maintenance.start = kStart;
    maintenance.end = kStart + absl::Hours(2);
    maintenance.created_at = maintenance.updated_at = kStart;
    return maintenance;
  }
  using StoreContract::Add;
  Maintenance Add(const Maintenance& maintenance) {
    Maintenance made;
    Do([&](Transaction& transaction) -> absl::Status {
      made = transaction.InsertMaintenance(maintenance).value();
      return absl::OkStatus();
    });
    return made;
  }
  Maintenances All() {
    Maintenances all;
    Do([&](Transaction& transaction) -> absl::Status {
      all = **transaction.ReadMaintenances();
      return absl::OkStatus();
    });
    return all;
  }
  // Does all that was asked for, of so many monitors at a time.
  void WakeAll(int most, absl::Time now) {
    for (int part = 0; store().WakeSweeps(most, now).value(); ++part) ASSERT_LT(part, 20);
  }
  std::vector<std::string> DueAt(absl::Time now) {
    std::vector<std::string> due;
    Do([&](Transaction& transaction) -> absl::Status {
      const DueMonitors found = transaction.LockDue({}, now, 10).value();
      for (const Monitor& monitor : found.monitors) due.push_back(monitor.definition.id);
      return absl::OkStatus();
    });
    return due;
  }
};

TEST_P(MaintenanceContract, ComesBackAsItWasMade) {
  const Maintenance once = Add(Work("once"));
  Maintenance nightly = Work("nightly");
  nightly.start = nightly.end = absl::UnixEpoch();
  nightly.monitors.clear();
  nightly.all_monitors = true;
  nightly.recurring = RecurringWindow{.expression = *CronExpression::Parse("0 2 * * sun"),
                                      .zone = absl::UTCTimeZone(),
                                      .duration = absl::Hours(3)};
  nightly = Add(nightly);
  EXPECT_NE(once.key, 0);
  EXPECT_NE(once.version, nightly.version);
  EXPECT_THAT(All(), ElementsAre(once, nightly));
  EXPECT_THAT(*store().ListMaintenances({.project = project(), .after_id = "", .limit = 10}),
              ElementsAre(nightly, once));
  EXPECT_THAT(*store().ListMaintenances({.project = project(), .after_id = "nightly", .limit = 10}),
              ElementsAre(once));
  EXPECT_THAT(*store().ListMaintenances({.project = project() + 1000, .after_id = "", .limit = 9}),
              IsEmpty());
}

TEST_P(MaintenanceContract, EveryChangeIsReadByTheNextTransaction) {
  EXPECT_THAT(All(), IsEmpty());
  Maintenance work = Add(Work("work"));
  EXPECT_THAT(All(), ElementsAre(work));
  const int64_t before = work.version;
  work.end += absl::Hours(1);
  Do([&](Transaction& transaction) -> absl::Status {
    work.version = transaction.SaveMaintenance(work).value();
    return absl::OkStatus();
  });
  EXPECT_NE(work.version, before);
  EXPECT_THAT(All(), ElementsAre(work));
  Do([&](Transaction& transaction) { return transaction.DeleteMaintenance(work.key); });
  EXPECT_THAT(All(), IsEmpty());
}

TEST_P(MaintenanceContract, AnIdIsTakenOnceInAProject) {
  Add(Work("work"));
  const absl::Status again =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
        return transaction.InsertMaintenance(Work("work")).status();
      });
  EXPECT_TRUE(absl::IsAlreadyExists(again)) << again;
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(
        transaction.CountMaintenances(project(), MaintenanceKind::kMaintenance, kStart).value(), 1);
    EXPECT_TRUE(transaction.LockMaintenance(project(), MaintenanceKind::kMaintenance, "work")
                    .value()
                    .has_value());
    EXPECT_FALSE(transaction.LockMaintenance(project(), MaintenanceKind::kMaintenance, "other")
                     .value()
                     .has_value());
    return absl::OkStatus();
  });
}

TEST_P(MaintenanceContract, WakingLetsTheSweeperLookAtWhatItWaitsFor) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Add(UpMonitor(id), kStart + absl::Hours(5));
  Add(UpMonitor("due"), kStart - absl::Hours(1));  // it is looked at anyway
  Do([&](Transaction& transaction) { return transaction.NoteWake(project(), {}); });
  WakeAll(2, kStart);
  EXPECT_THAT(DueAt(kStart), UnorderedElementsAre("a", "b", "c", "d", "e", "due"));
  EXPECT_EQ(store().NextSweepAt({}).value(), kStart - absl::Hours(1));
  EXPECT_FALSE(store().WakeSweeps(2, kStart).value()) << "nothing is left";
}

TEST_P(MaintenanceContract, WakingSomeLeavesTheOthersAlone) {
  for (const char* id : {"a", "b", "c", "d"}) Add(UpMonitor(id), kStart + absl::Hours(5));
  const std::vector<std::string> named = {"d", "b", "missing", "c"};
  Do([&](Transaction& transaction) { return transaction.NoteWake(project(), named); });
  WakeAll(2, kStart);
  EXPECT_THAT(DueAt(kStart), UnorderedElementsAre("b", "c", "d"));
  EXPECT_FALSE(store().WakeSweeps(2, kStart).value()) << "nothing is left";
}

TEST_P(MaintenanceContract, WhatTwoChangesWakeIsAllWoken) {
  for (const char* id : {"a", "b", "c"}) Add(UpMonitor(id), kStart + absl::Hours(5));
  const std::vector<std::string> a = {"a"}, c = {"c"};
  for (const std::vector<std::string>& ids : {a, c}) {
    Do([&](Transaction& transaction) { return transaction.NoteWake(project(), ids); });
  }
  WakeAll(10, kStart);
  EXPECT_THAT(DueAt(kStart), UnorderedElementsAre("a", "c"));
}

TEST_P(MaintenanceContract, AWakeThatWasUndoneWakesNobody) {
  Add(UpMonitor("job"), kStart + absl::Hours(5));
  const absl::Status undone =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.NoteWake(project(), {}).ok());
        return absl::CancelledError("never mind");
      });
  EXPECT_TRUE(absl::IsCancelled(undone));
  WakeAll(10, kStart);
  EXPECT_THAT(DueAt(kStart), IsEmpty());
}

TEST_P(MaintenanceContract, AnIncidentRemembersUntilWhenItIsHeldBack) {
  Monitor monitor = UpMonitor("job");
  const MonitorIdentity job = Add(monitor, kStart);
  Do([&](Transaction& transaction) -> absl::Status {
    Monitor loaded = transaction.LockMonitors({job.key}, LockMode::kWait)->front();
    Incident incident;
    incident.project = project();
    incident.monitor = job.key;
    incident.opened_at = incident.detected_at = kStart;
    incident.held_until = kStart + absl::Hours(1);
    incident.key = transaction.AddIncident(incident).value();
    StateChange change = {.monitor = job.key, .state = loaded.state};
    change.state.state = State::kDown;
    change.state.incident = incident;
    return transaction.SaveStates({&change, 1});
  });
  const Monitor down = Load(job.key);
  ASSERT_TRUE(down.state.incident.has_value());
  EXPECT_EQ(down.state.incident->held_until, kStart + absl::Hours(1));
  Do([&](Transaction& transaction) {
    Incident told = *down.state.incident;
    told.held_until.reset();
    told.reminded_at = kStart + absl::Hours(2);
    return transaction.SaveIncident(told);
  });
  EXPECT_FALSE(Load(job.key).state.incident->held_until.has_value());
  EXPECT_EQ(Load(job.key).state.incident->reminded_at, kStart + absl::Hours(2));
}

TEST_P(MaintenanceContract, ADeletedOneIsReadByThoseWhoJudgeOnly) {
  Maintenance work = Add(Work("work"));
  work.deleted_at = kStart + absl::Minutes(10);
  Do([&](Transaction& transaction) -> absl::Status {
    work.version = transaction.SaveMaintenance(work).value();
    return absl::OkStatus();
  });
  EXPECT_THAT(All(), ElementsAre(work));
  EXPECT_THAT(*store().ListMaintenances({.project = project(), .limit = 10}), IsEmpty());
  EXPECT_THAT(*store().ListMaintenances({.project = project(), .limit = 10, .with_deleted = true}),
              ElementsAre(work));
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(
        transaction.CountMaintenances(project(), MaintenanceKind::kMaintenance, kStart).value(), 0);
    EXPECT_FALSE(transaction.LockMaintenance(project(), MaintenanceKind::kMaintenance, "work")
                     .value()
                     .has_value());
    return absl::OkStatus();
  });
  EXPECT_NE(Add(Work("work")).key, work.key) << "its id is free again";
}

TEST_P(MaintenanceContract, MutesHaveIdsAndAListOfTheirOwn) {
  const Maintenance work = Add(Work("same"));
  Maintenance mute = Work("same");
  mute.kind = MaintenanceKind::kMute;
  mute = Add(mute);
  Maintenance ended = Work("ended");
  ended.kind = MaintenanceKind::kMute;
  ended.end = kStart + absl::Minutes(1);
  ended = Add(ended);
  const absl::Time now = kStart + absl::Hours(1);
  const auto list = [&](std::optional<MaintenanceKind> kind, std::optional<absl::Time> open_after) {
    return *store().ListMaintenances(
        {.project = project(), .limit = 10, .kind = kind, .mutes_open_after = open_after});
  };
  EXPECT_THAT(list(MaintenanceKind::kMute, {}), ElementsAre(ended, mute));
  EXPECT_THAT(list(MaintenanceKind::kMute, now), ElementsAre(mute));
  EXPECT_THAT(list(MaintenanceKind::kMaintenance, now), ElementsAre(work));
  EXPECT_THAT(list({}, now), SizeIs(2));
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.LockMaintenance(project(), MaintenanceKind::kMute, "same").value(), mute);
    EXPECT_FALSE(transaction.LockMaintenance(project(), MaintenanceKind::kMaintenance, "ended")
                     .value()
                     .has_value());
    EXPECT_EQ(transaction.CountMaintenances(project(), MaintenanceKind::kMute, now).value(), 1);
    return absl::OkStatus();
  });
}

INSTANTIATE_TEST_SUITE_P(Stores, MaintenanceContract, testing::ValuesIn(AllStores()),
                         StoreKindName);

}  // namespace
}  // namespace tocsin::core
