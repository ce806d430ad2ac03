// Rollups when something goes wrong in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

const absl::Time kNoon =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 12, 0, 0), absl::UTCTimeZone());

class RollupsTest : public testing::Test {
 protected:
  RollupsTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
    EXPECT_TRUE(store_->Maintain(policy_, kNoon).ok());
    // Three monitors, a heartbeat each 50 s, for three hours.
    database_.Execute(
        "INSERT INTO monitor (project_id, id, display_name, description, owner, severity, "
        "runbook_url, labels, timeout_us, recommended_interval_us, grace_us, failure_threshold, "
        "recovery_threshold, arm_on_create, resume_on_heartbeat, channels, version, created_at, "
        "updated_at) SELECT 1, 'job-' || i, '', '', '', 1, '', '{}', 60000000, 60000000, 0, 1, 1, "
        "true, true, '{}', 1, '2026-01-01', '2026-01-01' FROM generate_series(1, 3) i");
    database_.Execute(
        "INSERT INTO monitor_state (monitor_id, version, sequence, last_at, last_push, "
        "project_id, failures, successes, misses, open_runs, state, last_kind, last_source) "
        "SELECT m.monitor_id, 1, 0, '2026-03-02 15:00', 0, 1, 0, 0, 0, 0, 2, 1, 1 FROM monitor m");
    database_.Execute(
        "INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, source) "
        "SELECT '2026-03-02 12:00:00+00'::timestamptz + n * interval '50 s', m.monitor_id, n, 1, "
        "1, 1 FROM monitor m, generate_series(0, 216) n");
    policy_.rollups.monitors = 1;
    policy_.rollups.steps = 200;
  }

  void MaintainAll(absl::Time now) {
    for (int i = 0; i < 1000; ++i) {
      if (!store_->Maintain(policy_, now).value()) return;
    }
    ADD_FAILURE() << "upkeep does not end";
  }
  int64_t Gaps(MonitorKey monitor) {
    const absl::StatusOr<RolledPast> past = store_->ReadRollups(
        {.monitor = monitor, .first = absl::InfiniteFuture(), .since = kNoon - absl::Hours(48)});
    EXPECT_TRUE(past.ok()) << past.status();
    Rollup sum;
    for (const Rollup& rollup : past->rollups) sum.Add(rollup);
    return sum.gaps.count;
  }
  int64_t Rows() { return database_.Number("SELECT count(*) FROM rollup_hour"); }

  RetentionPolicy policy_;
  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
};

TEST_F(RollupsTest, AStepThatIsCutOffLeavesNothingAndIsDoneAgain) {
  database_.Execute(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF NEW.monitor_id = 2 AND NEW.start_at >= '2026-03-02 12:00+00' THEN RAISE EXCEPTION 'cut "
      "off'; END IF; RETURN NEW; END $$");
  database_.Execute(
      "CREATE TRIGGER refuse BEFORE INSERT ON rollup_progress "
      "FOR EACH ROW EXECUTE FUNCTION refuse()");
  const absl::Time later = kNoon + absl::Minutes(245);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(store_->Maintain(policy_, later).ok());
  EXPECT_EQ(Rows(), 1);
  EXPECT_EQ(Gaps(1), 71);
  EXPECT_EQ(Gaps(2), 0);
  // Nothing is dropped that is not rolled up, for how long it takes.
  EXPECT_FALSE(store_->Maintain(policy_, kNoon + absl::Hours(24 * 100)).ok());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat"), 3 * 217);

  database_.Execute("DROP TRIGGER refuse ON rollup_progress");
  store_ = database_.OpenStore();
  MaintainAll(later);
  EXPECT_EQ(Rows(), 12);
  for (const MonitorKey monitor : {1, 2, 3}) EXPECT_EQ(Gaps(monitor), 216) << monitor;
  MaintainAll(kNoon + absl::Hours(24 * 30));
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat"), 0);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM rollup_day"), 3);
}

TEST_F(RollupsTest, ProgressThatWasSetBackCountsNothingTwice) {
  const absl::Time later = kNoon + absl::Minutes(245);
  MaintainAll(later);
  database_.Execute("UPDATE rollup_progress SET start_at = '2026-03-02 12:00+00' WHERE span = 1");
  MaintainAll(later);
  EXPECT_EQ(Rows(), 12);
  for (const MonitorKey monitor : {1, 2, 3}) EXPECT_EQ(Gaps(monitor), 216) << monitor;
}

TEST_F(RollupsTest, WhatAClockThatWasAheadTookForOverIsDoneAgain) {
  database_.Execute("UPDATE rollup_progress SET start_at = '2027-03-02', monitor_id = 2");
  MaintainAll(kNoon + absl::Minutes(245));
  for (const MonitorKey monitor : {1, 2, 3}) EXPECT_EQ(Gaps(monitor), 216) << monitor;
}

TEST_F(RollupsTest, PushesHaveTheirPartitionsWhateverIsWrongWithRollups) {
  database_.Execute("ALTER TABLE rollup_progress RENAME TO gone");
  EXPECT_FALSE(store_->Maintain(policy_, kNoon + absl::Hours(24 * 60)).ok());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM pg_class WHERE relname = 'heartbeat_20260501'"),
            1);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat"), 3 * 217);
}

TEST_F(RollupsTest, ADamagedHourIsLeftOutOfItsDay) {
  MaintainAll(kNoon + absl::Minutes(245));
  database_.Execute("UPDATE rollup_hour SET data = '\\x63' WHERE start_at = '2026-03-02 12:00+00'");
  MaintainAll(kNoon + absl::Hours(24));
  EXPECT_EQ(Gaps(1), 216 - 71);
}

}  // namespace
}  // namespace tocsin::core::pg
