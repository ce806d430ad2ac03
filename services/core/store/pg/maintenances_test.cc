// Maintenances that change beside those who judge by them, and what is kept of them in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const absl::Time kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

class PgMaintenancesTest : public testing::Test {
 protected:
  PgMaintenancesTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
    other_ = database_.OpenStore();
  }

  static absl::Status Do(Store& store, TransactionClass klass,
                         const std::function<absl::Status(Transaction&)>& body) {
    return store.Transact(klass, body);
  }
  void Must(Store& store, const std::function<absl::Status(Transaction&)>& body) {
    const absl::Status done = Do(store, TransactionClass::kAdmin, body);
    ASSERT_TRUE(done.ok()) << done;
  }

  MonitorKey AddMonitor(absl::Time sweep_at, const std::string& id = "job") {
    Monitor monitor;
    monitor.definition.project = 1;
    monitor.definition.id = id;
    monitor.definition.created_at = monitor.definition.updated_at = kStart;
    monitor.state.state = State::kUp;
    monitor.state.last_at = kStart;
    MonitorKey key = 0;
    Must(*store_, [&](Transaction& transaction) -> absl::Status {
      const absl::StatusOr<MonitorIdentity> inserted = transaction.InsertMonitor(monitor, sweep_at);
      if (inserted.ok()) key = inserted->key;
      return inserted.status();
    });
    return key;
  }

  Maintenance AddMaintenance(const std::string& id) {
    Maintenance maintenance;
    maintenance.project = 1;
    maintenance.project_id = "default";
    maintenance.id = maintenance.display_name = id;
    maintenance.reason = "work";
    maintenance.all_monitors = true;
    maintenance.start = kStart;
    maintenance.end = kStart + absl::Hours(1);
    maintenance.created_at = maintenance.updated_at = kStart;
    Must(*store_, [&](Transaction& transaction) -> absl::Status {
      const absl::StatusOr<Maintenance> inserted = transaction.InsertMaintenance(maintenance);
      if (inserted.ok()) maintenance = *inserted;
      return inserted.status();
    });
    return maintenance;
  }

  static absl::Status EndAt(Transaction& transaction, Maintenance maintenance, absl::Time end) {
    maintenance.end = end;
    return transaction.SaveMaintenance(maintenance).status();
  }

  static std::vector<absl::Time> Ends(Transaction& transaction) {
    std::vector<absl::Time> ends;
    const auto read = transaction.ReadMaintenances();
    EXPECT_TRUE(read.ok()) << read.status();
    if (!read.ok()) return ends;
    for (const Maintenance& each : **read) ends.push_back(each.end);
    return ends;
  }
  std::vector<absl::Time> Ends() {
    std::vector<absl::Time> ends;
    Must(*store_, [&](Transaction& transaction) -> absl::Status {
      ends = Ends(transaction);
      return absl::OkStatus();
    });
    return ends;
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;  // of one core,
  std::unique_ptr<PgStore> other_;  // and of another
};

// A sweep has read that the window is open for an hour, and is to look again then. Meanwhile it is
// taken back.
TEST_F(PgMaintenancesTest, OneThatIsTakenBackBesideASweepIsLookedAtAgain) {
  const MonitorKey job = AddMonitor(kStart);
  const Maintenance work = AddMaintenance("work");
  const absl::Time now = kStart + absl::Minutes(1);
  const absl::Status swept =
      Do(*store_, TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        const absl::StatusOr<DueMonitors> due = transaction.LockDue({}, now, 10);
        EXPECT_THAT(due->monitors, SizeIs(1));
        EXPECT_THAT(Ends(transaction), ElementsAre(work.end));
        const absl::Status taken_back =
            Do(*other_, TransactionClass::kAdmin, [&](Transaction& admin) {
              const absl::Status deleted = admin.DeleteMaintenance(work.key);
              return deleted.ok() ? admin.NoteWake(1, {}) : deleted;
            });
        EXPECT_TRUE(taken_back.ok()) << taken_back;
        EXPECT_FALSE(other_->WakeSweeps(10, now).value()) << "the sweep holds it";
        const StateChange change = {.monitor = job,
                                    .state = due->monitors.front().state,
                                    .last_push_id = 0,
                                    .sweep_at = work.end};
        return transaction.SaveStates({&change, 1});
      });
  EXPECT_TRUE(swept.ok()) << swept;
  EXPECT_EQ(store_->NextSweepAt({}).value(), work.end);
  EXPECT_TRUE(other_->WakeSweeps(10, now).value());
  EXPECT_EQ(store_->NextSweepAt({}).value(), now);
  EXPECT_FALSE(other_->WakeSweeps(10, now).value()) << "nothing is left";
}

TEST_F(PgMaintenancesTest, AMonitorThatSomebodyHoldsKeepsNoOtherFromBeingLookedAt) {
  const absl::Time now = kStart + absl::Minutes(1), later = kStart + absl::Hours(1);
  for (const char* id : {"a", "c", "d"}) AddMonitor(later, id);
  const MonitorKey held = AddMonitor(later, "b");
  const auto woken = [&] {
    return database_.Number(
        absl::StrCat("SELECT count(*) FROM monitor_sweep WHERE sweep_at = '2026-03-02 ",
                     absl::FormatTime("%H:%M:%S", now, absl::UTCTimeZone()), "+00'"));
  };
  Must(*store_, [&](Transaction& holder) -> absl::Status {
    EXPECT_THAT(holder.LockMonitors({held}, LockMode::kWait).value(), SizeIs(1));
    Must(*other_, [](Transaction& admin) { return admin.NoteWake(1, {}); });
    EXPECT_TRUE(other_->WakeSweeps(3, now).value());
    EXPECT_TRUE(other_->WakeSweeps(3, now).value());
    EXPECT_EQ(woken(), 3);
    EXPECT_FALSE(other_->WakeSweeps(3, now).value()) << "it is left for later";
    // What is noted behind it is done.
    AddMonitor(later, "e");
    const std::vector<std::string> e = {"e"};
    Must(*other_, [&](Transaction& admin) { return admin.NoteWake(1, e); });
    EXPECT_TRUE(other_->WakeSweeps(3, now).value());
    EXPECT_EQ(woken(), 4);
    EXPECT_FALSE(other_->WakeSweeps(3, now).value());
    return absl::OkStatus();
  });
  EXPECT_TRUE(other_->WakeSweeps(3, now).value());
  EXPECT_EQ(woken(), 5);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM sweep_wake"), 0);
}

TEST_F(PgMaintenancesTest, WhatIsNotedTwiceOfAProjectIsDoneOnce) {
  AddMonitor(kStart + absl::Hours(1));
  for (int i = 0; i < 3; ++i) {
    Must(*store_, [](Transaction& admin) { return admin.NoteWake(1, {}); });
  }
  EXPECT_EQ(database_.Number("SELECT count(*) FROM sweep_wake"), 1);
}

// A push beside a change does not wait for it: it judges by what was before, and what it writes is
// looked at again.
TEST_F(PgMaintenancesTest, APushBesideAChangeDoesNotWaitAndIsLookedAtAgain) {
  const MonitorKey job = AddMonitor(kStart);
  const Maintenance work = AddMaintenance("work");
  const absl::Time now = kStart + absl::Minutes(1), earlier = kStart + absl::Minutes(2);
  EXPECT_THAT(Ends(), ElementsAre(work.end)) << "it is kept in memory";
  const auto push = [&](Transaction& transaction) -> absl::Status {
    const std::vector<Monitor> locked = transaction.LockMonitors({job}, LockMode::kWait).value();
    EXPECT_THAT(Ends(transaction), ElementsAre(work.end));
    const StateChange change = {
        .monitor = job, .state = locked.front().state, .last_push_id = 0, .sweep_at = work.end};
    return transaction.SaveStates({&change, 1});
  };
  Must(*other_, [&](Transaction& admin) -> absl::Status {
    EXPECT_TRUE(EndAt(admin, work, earlier).ok());
    EXPECT_TRUE(admin.NoteWake(1, {}).ok());
    const absl::Status pushed = Do(*store_, TransactionClass::kCommitter0, push);
    EXPECT_TRUE(pushed.ok()) << pushed;
    return absl::OkStatus();
  });
  EXPECT_EQ(store_->NextSweepAt({}).value(), work.end);
  EXPECT_TRUE(store_->WakeSweeps(10, now).value()) << "any core does what another has noted";
  EXPECT_EQ(store_->NextSweepAt({}).value(), now);
  EXPECT_THAT(Ends(), ElementsAre(earlier));
}

// The one that drew its version first commits last: no newest version shows that.
TEST_F(PgMaintenancesTest, ChangesThatAreCommittedOutOfOrderAreAllRead) {
  const Maintenance first = AddMaintenance("first");
  const Maintenance second = AddMaintenance("second");
  const absl::Time a = kStart + absl::Minutes(1);
  const absl::Time b = kStart + absl::Minutes(2);
  Must(*other_, [&](Transaction& slow) -> absl::Status {
    EXPECT_TRUE(EndAt(slow, first, a).ok());
    Must(*store_, [&](Transaction& quick) { return EndAt(quick, second, b); });
    EXPECT_THAT(Ends(), UnorderedElementsAre(first.end, b));
    return absl::OkStatus();
  });
  EXPECT_THAT(Ends(), UnorderedElementsAre(a, b));
}

// One that takes the place of two may have the version that theirs made together.
TEST_F(PgMaintenancesTest, OneInThePlaceOfTwoIsReadWhateverItsVersion) {
  const Maintenance first = AddMaintenance("first");
  const Maintenance second = AddMaintenance("second");
  EXPECT_THAT(Ends(), SizeIs(2));
  database_.Execute(absl::StrCat("SELECT setval('definition_version', ",
                                 first.version + second.version - 1, ")"));
  Must(*other_, [&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.DeleteMaintenance(first.key).ok());
    EXPECT_TRUE(transaction.DeleteMaintenance(second.key).ok());
    Maintenance third = first;
    third.id = "third";
    const absl::StatusOr<Maintenance> made = transaction.InsertMaintenance(third);
    EXPECT_EQ(made->version, first.version + second.version);
    return made.status();
  });
  EXPECT_THAT(Ends(), SizeIs(1));
}

// What a transaction reads of its own change is not what others read, nor what is there when it
// was undone.
TEST_F(PgMaintenancesTest, AChangeThatIsUndoneLeavesNothingInMemory) {
  const Maintenance work = AddMaintenance("work");
  const absl::Time later = kStart + absl::Hours(9);
  const absl::Status undone =
      Do(*store_, TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(EndAt(transaction, work, later).ok());
        EXPECT_THAT(Ends(transaction), ElementsAre(later));
        return absl::CancelledError("never mind");
      });
  EXPECT_EQ(undone.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Ends(), ElementsAre(work.end));
  Must(*other_, [&](Transaction& transaction) {
    return EndAt(transaction, work, kStart + absl::Minutes(5));
  });
  EXPECT_THAT(Ends(), ElementsAre(kStart + absl::Minutes(5)));
}

}  // namespace
}  // namespace tocsin::core::pg
