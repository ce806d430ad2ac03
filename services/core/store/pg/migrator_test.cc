// Migrations: once, in order, by one process at a time, and never against a schema that differs.
#include "services/core/store/pg/migrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Migration Step(int number, const std::string& name, const std::string& sql, bool breaking = false) {
  return {.number = number, .name = name, .sql = sql, .breaking = breaking};
}

class MigratorTest : public testing::Test {
 protected:
  absl::Status Apply(const std::vector<Migration>& migrations) {
    return ApplyMigrations(database_.url(), migrations);
  }

  TestDatabase database_;
};

TEST_F(MigratorTest, TheEmbeddedOnesApplyAndApplyAgain) {
  const absl::Status first = PgStore::Migrate(database_.url());
  ASSERT_TRUE(first.ok()) << first;
  EXPECT_TRUE(PgStore::Migrate(database_.url()).ok());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM schema_migration"),
            static_cast<int64_t>(EmbeddedMigrations().size()));
  EXPECT_THAT(database_.Query("SELECT id FROM project"), ElementsAre("default"));
}

TEST_F(MigratorTest, AChannelThatWasDisabledBeforeCountsAsTold) {
  const std::vector<Migration> all = EmbeddedMigrations();
  ASSERT_TRUE(Apply({all.begin(), all.begin() + 1}).ok());
  database_.Execute(
      "INSERT INTO channel (project_id, id, display_name, url, secrets, format, selector, "
      "is_default, fallback_channel, disabled_at, disable_reason, last_error, created_at, "
      "updated_at) SELECT 1, 'c' || i, '', '', '', 1, '', false, '', "
      "CASE i WHEN 1 THEN '2026-03-02 10:00:00+00'::timestamptz END, '', '', '2026-03-02', "
      "'2026-03-02' FROM generate_series(1, 2) i");
  ASSERT_TRUE(Apply(all).ok());
  EXPECT_THAT(database_.Query("SELECT id FROM channel WHERE told_disabled_at = disabled_at"),
              ElementsAre("c1"));
}

// A monitor as the release before monitor_listing makes it.
std::string OldMonitor(const std::string& id, int state) {
  return absl::StrCat(
      "WITH made AS (INSERT INTO monitor (project_id, id, display_name, description, owner, "
      "severity, "
      "runbook_url, labels, timeout_us, recommended_interval_us, grace_us, failure_threshold, "
      "recovery_threshold, arm_on_create, resume_on_heartbeat, channels, version, created_at, "
      "updated_at) VALUES (1, '",
      id,
      "', '', '', '', 2, '', '{}', 1, 1, 0, 1, 1, false, false, '{}', 1, '2026-03-02', "
      "'2026-03-02') "
      "RETURNING monitor_id) INSERT INTO monitor_state (monitor_id, version, sequence, armed_at, "
      "last_push, project_id, failures, successes, misses, open_runs, state, last_kind, "
      "last_source) "
      "SELECT monitor_id, 1, 0, '2026-03-05', 0, 1, 0, 0, 0, 0, ",
      state, ", 1, 1 FROM made");
}

TEST_F(MigratorTest, MonitorsThatExistAreListedWithTheBestThatIsKnownOfTheirState) {
  const std::vector<Migration> all = EmbeddedMigrations();
  const auto lists = std::find_if(all.begin(), all.end(),
                                  [](const Migration& step) { return step.name == "0007_lists"; });
  ASSERT_TRUE(Apply({all.begin(), lists}).ok());
  const std::pair<const char*, int> monitors[] = {
      {"new", 1}, {"up", 2}, {"recovered", 2}, {"down", 3}, {"paused", 4}};
  for (const auto& [id, state] : monitors) database_.Execute(OldMonitor(id, state));
  database_.Execute(
      "INSERT INTO incident (project_id, monitor_id, cause, opened_at, detected_at, closed_at, "
      "resolution, message) SELECT 1, monitor_id, 1, '2026-03-03', '2026-03-03', "
      "CASE id WHEN 'recovered' THEN '2026-03-04'::timestamptz END, NULL, '' FROM monitor "
      "WHERE id IN ('down', 'recovered')");
  database_.Execute(
      "UPDATE monitor_state s SET incident_id = i.incident_id FROM incident i "
      "WHERE i.monitor_id = s.monitor_id AND i.closed_at IS NULL");
  ASSERT_TRUE(Apply(all).ok());
  EXPECT_THAT(database_.Query("SELECT id || ' ' || state || ' ' || to_char(changed_at, 'DD') "
                              "FROM monitor_listing ORDER BY id"),
              ElementsAre("down 3 03", "new 1 02", "paused 4 05", "recovered 2 04", "up 2 02"));
}

TEST_F(MigratorTest, PausesThatPeopleEndedAreKnownFromTheAuditLog) {
  const std::vector<Migration> all = EmbeddedMigrations();
  const auto statistics = std::find_if(
      all.begin(), all.end(), [](const Migration& step) { return step.name == "0013_statistics"; });
  ASSERT_TRUE(Apply({all.begin(), statistics}).ok());
  for (const char* const id : {"job", "other"}) database_.Execute(OldMonitor(id, 2));
  // Paused and resumed; paused, resumed by a heartbeat, paused; and what is no change of state.
  database_.Execute(
      "INSERT INTO audit_entry (at, project_id, project, actor, method, source, request_id, "
      "resource, changes) SELECT a.at::timestamptz, 1, 'default', '', '', '', '', "
      "'projects/default/monitors/' || a.id, a.changes::jsonb FROM (VALUES "
      "('2026-03-01', 'job', '[[\"state\", \"STATE_UP\", \"STATE_PAUSED\"]]'), "
      "('2026-03-02', 'job', '[[\"owner\", \"a\", \"b\"]]'), "
      "('2026-03-03', 'job', '[[\"state\", \"STATE_PAUSED\", \"STATE_UP\"]]'), "
      "('2026-03-04', 'job', '[[\"state\", \"STATE_UP\", \"STATE_PAUSED\"]]'), "
      "('2026-03-05', 'job', '[[\"state\", \"STATE_UP\", \"STATE_PAUSED\"]]'), "
      "('2026-03-06', 'other', '[[\"state\", \"STATE_PAUSED\", \"STATE_UP\"]]')) "
      "AS a (at, id, changes)");
  ASSERT_TRUE(Apply(all).ok());
  EXPECT_THAT(database_.Query("SELECT m.id || ' ' || u.state || to_char(u.start_at, ' DD') || "
                              "to_char(u.end_at, ' DD') FROM unwatched u "
                              "JOIN monitor m ON m.monitor_id = u.monitor_id"),
              ElementsAre("job 4 01 03"));
}

TEST_F(MigratorTest, WithoutTheRightToCreateExtensionsItSaysWhatIsNeeded) {
  const std::string role = "poor_" + database_.Query("SELECT current_database()").at(0);
  database_.Execute("CREATE ROLE " + role + "; GRANT ALL ON SCHEMA public TO " + role);
  const std::string& database = database_.url();
  const bool is_uri = database.find("://") != std::string::npos;
  const std::string url =
      is_uri ? absl::StrCat(database, database.find('?') == std::string::npos ? "?" : "&",
                            "options=-c%20role%3D", role)
             : absl::StrCat(database, " options='-c role=", role, "'");
  const absl::Status refused = ApplyMigrations(url, EmbeddedMigrations());
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("0007_lists"), HasSubstr("pg_trgm"), HasSubstr("permission denied")));
  database_.Execute("CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin");
  const absl::Status allowed = ApplyMigrations(url, EmbeddedMigrations());
  EXPECT_TRUE(allowed.ok()) << allowed;
  database_.Execute("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_F(MigratorTest, WhatTheReleaseBeforeChangesBesideThisOneIsListedByUpkeep) {
  database_.Migrate();
  const std::unique_ptr<PgStore> store = database_.OpenStore();
  const absl::Time now = absl::FromCivil(absl::CivilDay(2026, 3, 9), absl::UTCTimeZone());
  database_.Execute(OldMonitor("job", 2));
  ASSERT_TRUE(store->Maintain(RetentionPolicy(), now).ok());
  EXPECT_THAT(database_.Query("SELECT id || state FROM monitor_listing"), ElementsAre("job2"));
  database_.Execute("UPDATE monitor_state SET state = 4");
  ASSERT_TRUE(store->Maintain(RetentionPolicy(), now).ok());
  EXPECT_THAT(database_.Query("SELECT id || state || to_char(changed_at, 'DD') "
                              "FROM monitor_listing"),
              ElementsAre("job409"));
}

TEST_F(MigratorTest, MissingOnesApplyInOrder) {
  const Migration one = Step(1, "0001_one", "CREATE TABLE a (x integer)");
  const Migration two =
      Step(2, "0002_two", "ALTER TABLE a ADD y integer; INSERT INTO a VALUES (1)");
  EXPECT_TRUE(Apply({one}).ok());
  EXPECT_TRUE(Apply({two, one}).ok());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM a"), 1);
}

TEST_F(MigratorTest, OneThatFailsLeavesNothingAndIsNamed) {
  const absl::Status status =
      Apply({Step(1, "0001_bad", "CREATE TABLE a (x integer); SELECT 1 / 0")});
  EXPECT_THAT(std::string(status.message()), HasSubstr("0001_bad"));
  EXPECT_EQ(database_.Number("SELECT count(*) FROM pg_class WHERE relname = 'a'"), 0);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM schema_migration"), 0);
  EXPECT_TRUE(Apply({Step(1, "0001_bad", "CREATE TABLE a (x integer)")}).ok());
}

TEST_F(MigratorTest, OneThatWasChangedAfterItWasAppliedIsRefused) {
  EXPECT_TRUE(Apply({Step(1, "0001_one", "CREATE TABLE a (x integer)")}).ok());
  const absl::Status status = Apply({Step(1, "0001_one", "CREATE TABLE a (x bigint)")});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0001_one"));
}

TEST_F(MigratorTest, AnOlderBinaryRunsOnANewerSchemaUnlessThatBreaksIt) {
  const Migration one = Step(1, "0001_one", "CREATE TABLE a (x integer)");
  EXPECT_TRUE(Apply({one, Step(2, "0002_more", "ALTER TABLE a ADD y integer")}).ok());
  EXPECT_TRUE(Apply({one}).ok());
  EXPECT_TRUE(Apply({one, Step(2, "0002_more", "ALTER TABLE a ADD y integer"),
                     Step(3, "0003_break", "DROP TABLE a", /*breaking=*/true)})
                  .ok());
  const absl::Status status = Apply({one});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0003_break"));
}

TEST_F(MigratorTest, ProcessesThatStartTogetherMigrateOnce) {
  std::vector<absl::Status> statuses(4);
  std::vector<std::thread> processes;
  for (absl::Status& status : statuses) {
    processes.emplace_back([&] { status = PgStore::Migrate(database_.url()); });
  }
  for (std::thread& process : processes) process.join();
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
}

TEST(Migrator, WithoutADatabaseItSaysUnavailable) {
  EXPECT_EQ(ApplyMigrations("postgresql:///x?host=/nonexistent", {}).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(ApplyMigrations("postgresql://[", {}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tocsin::core::pg
