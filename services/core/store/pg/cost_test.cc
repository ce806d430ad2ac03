// What the hot statements cost: their plans, how they update, and what a heartbeat takes up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/list_statements.h"
#include "services/core/store/pg/session_settings.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kStart =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 10, 0, 0), absl::UTCTimeZone());

class CostTest : public testing::Test {
 protected:
  CostTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
    EXPECT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  }

  // Monitors 1 to `count`, UP, of version 1, after their first heartbeats.
  void MakeMonitors(int count) {
    database_.Execute(absl::StrCat(
        "INSERT INTO monitor_state (monitor_id, version, sequence, last_at, last_push, "
        "project_id, failures, successes, misses, open_runs, state, last_kind, last_source) "
        "SELECT i, 1, 0, '2026-03-02', 0, 1, 0, 0, 0, 0, 2, 1, 1 FROM generate_series(1, ",
        count, ") i"));
    for (int part = 0; part < 100; ++part) {
      database_.Execute(
          absl::StrCat("UPDATE monitor_state SET reserve = NULL WHERE monitor_id % 100 = ", part));
    }
  }

  // Pushes to every monitor once, in sorted groups of monitors in random order.
  void PushAll(int count, int group, PgStore& store, int committer, absl::Time at, uint64_t seed) {
    std::vector<MonitorKey> keys(count);
    for (int i = 0; i < count; ++i) keys[i] = i + 1;
    std::mt19937_64 random(seed);
    std::shuffle(keys.begin(), keys.end(), random);
    for (int start = 0; start < count; start += group) {
      const auto end = keys.begin() + std::min(start + group, count);
      std::sort(keys.begin() + start, end);
      std::vector<SteadyUp> ups;
      for (auto key = keys.begin() + start; key != end; ++key) {
        SteadyUp up;
        up.monitor = *key;
        up.version = 1;
        up.at = at;
        up.push_id = random();
        up.source = Source::kHttp;
        ups.push_back(up);
      }
      const absl::StatusOr<std::vector<MonitorKey>> recorded =
          store.RecordSteadyUps(committer, ups, {});
      ASSERT_TRUE(recorded.ok()) << recorded.status();
    }
  }

  // Monitors of which each owner has two and each host one.
  void MakeListed(int count) {
    database_.Execute(absl::StrCat(
        "WITH made AS (INSERT INTO monitor (project_id, id, display_name, description, owner, "
        "severity, runbook_url, labels, timeout_us, recommended_interval_us, grace_us, "
        "failure_threshold, recovery_threshold, arm_on_create, resume_on_heartbeat, channels, "
        "version, created_at, updated_at) SELECT 1, 'job-' || i, 'Job ' || i, '', "
        "'owner-' || i / 2, CASE WHEN i % 1000 = 0 THEN 1 ELSE 2 END, '', "
        "jsonb_build_object('host', i::text, 'env', 'prod'), 1, 1, 0, 1, 1, false, false, '{}', 1, "
        "'2026-03-02', '2026-03-02' FROM generate_series(1, ",
        count,
        ") i RETURNING monitor_id, id) "
        "INSERT INTO monitor_listing (monitor_id, changed_at, project_id, state, id) "
        "SELECT monitor_id, '2026-03-02', 1, 2 + (monitor_id % 100 = 0)::integer, id FROM made"));
    database_.Execute("VACUUM ANALYZE monitor, monitor_listing");
  }

  // The generic plan of a statement on a session of that class.
  std::string PlanOf(const Statement& statement, const SessionClass& klass,
                     const std::vector<std::string>& arguments, bool analyze = false) {
    database_.Execute(SettingsOf(klass));
    database_.Execute(absl::StrCat("PREPARE watched AS ", statement.sql));
    const std::string list =
        arguments.empty() ? "" : absl::StrCat("(", absl::StrJoin(arguments, ", "), ")");
    const std::string plan = absl::StrJoin(
        database_.Query(absl::StrCat("EXPLAIN ", analyze ? "(ANALYZE, BUFFERS, TIMING OFF) " : "",
                                     "EXECUTE watched ", list)),
        "\n");
    database_.Execute("DEALLOCATE watched");
    return plan;
  }

  void ExpectNestedLoopsOverKeys() {
    for (const Statement* statement : {&kRecordSteadyUps, &kRecordSteadyUpsFolded}) {
      std::vector<std::string> arguments(8, "'{}'");
      if (statement == &kRecordSteadyUpsFolded) arguments.resize(15, "'{}'");
      const std::string plan = PlanOf(*statement, kCommitter, arguments);
      EXPECT_THAT(plan, HasSubstr("Index Scan using monitor_state_pkey"));
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on monitor_state")));
      // Rows are locked in the order of the arrays.
      EXPECT_THAT(plan, HasSubstr("Nested Loop"));
      EXPECT_THAT(plan, Not(HasSubstr("Hash Join")));
      EXPECT_THAT(plan, Not(HasSubstr("Merge Join")));
      if (statement == &kRecordSteadyUpsFolded) {
        EXPECT_THAT(plan, HasSubstr("hashed SubPlan"));
      }
    }
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
};

TEST_F(CostTest, SteadyPushesWriteTheHistoryAndTheStateAndNothingElse) {
  MakeMonitors(100);
  PushAll(100, 50, *store_, 0, kStart, 1);
  store_.reset();  // sessions report their counts when they end
  while (database_.Number("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND application_name LIKE 'tocsin-core/%'") > 0) {
  }
  EXPECT_THAT(database_.Query(
                  "SELECT relname FROM pg_stat_user_tables "
                  "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND relname NOT LIKE 'heartbeat%' "
                  "AND relname NOT IN ('monitor_state', 'project', 'feed', 'schema_migration', "
                  "'rollup_progress')"),
              ::testing::IsEmpty());
}

TEST_F(CostTest, TheFastPathUsesTheKeyWhateverTheStatisticsSay) {
  ExpectNestedLoopsOverKeys();  // on an empty table
  MakeMonitors(20000);
  ExpectNestedLoopsOverKeys();  // on a table that was never analyzed
  database_.Execute("ANALYZE");
  ExpectNestedLoopsOverKeys();
}

TEST_F(CostTest, APlainUpIsAHeapOnlyUpdateAndFitsItsBudget) {
  constexpr int kMonitors = 20000, kRounds = 3;
  MakeMonitors(kMonitors);
  database_.Execute("VACUUM ANALYZE monitor_state");
  PushAll(kMonitors, 300, *store_, 0, kStart, 1);  // after a checkpoint pages are logged whole
  const std::string lsn = database_.Query("SELECT pg_current_wal_insert_lsn()").at(0);
  for (int round = 1; round <= kRounds; ++round) {
    PushAll(kMonitors, 300, *store_, round % 2, kStart + absl::Seconds(round), round + 1);
  }
  const int64_t wal =
      database_.Number(absl::StrCat("SELECT pg_current_wal_insert_lsn() - '", lsn, "'::pg_lsn"));
  EXPECT_LE(wal / (kMonitors * kRounds), 320);
  const int64_t size = database_.Number(
      "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
      "WHERE inhparent = 'heartbeat'::regclass");
  EXPECT_LE(size / (kMonitors * (kRounds + 1)), 120);
  store_.reset();  // sessions report their counts when they end
  while (database_.Number("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND application_name LIKE 'tocsin-core/%'") > 0) {
  }
  EXPECT_EQ(database_.Number("SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables "
                             "WHERE relname = 'monitor_state'"),
            0);
}

TEST_F(CostTest, SortedGroupsOfSeveralReplicasNeverDeadlock) {
  constexpr int kMonitors = 3000;
  MakeMonitors(kMonitors);
  const std::unique_ptr<PgStore> replica = database_.OpenStore();
  std::vector<std::thread> committers;
  for (PgStore* store : {store_.get(), replica.get()}) {
    for (int committer : {0, 1}) {
      committers.emplace_back([this, store, committer] {
        for (int round = 0; round < 5; ++round) {
          PushAll(kMonitors, 300, *store, committer, kStart,
                  reinterpret_cast<uintptr_t>(store) + committer * 100 + round);
        }
      });
    }
  }
  for (std::thread& committer : committers) committer.join();
  EXPECT_EQ(database_.Number("SELECT deadlocks FROM pg_stat_database "
                             "WHERE datname = current_database()"),
            0);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM heartbeat"), 4 * 5 * kMonitors);
}

TEST_F(CostTest, PlansThatAreKeptUseTheRightIndexFromTheStart) {
  for (const char* statistics : {"SELECT 1", "VACUUM ANALYZE"}) {  // unknown; known to be empty
    database_.Execute(statistics);
    for (const std::string& plan :
         {PlanOf(kLockDue, kSweeper, {"'-infinity'", "0", "'2026-03-02'", "10"}),
          PlanOf(kNextSweepAt, kSweeper, {"'2026-03-02'", "7"})}) {
      EXPECT_THAT(plan, ContainsRegex("Index (Only )?Scan using monitor_sweep_at"));
      EXPECT_THAT(plan, HasSubstr("ROW(sweep_at, monitor_id) > ROW($1, $2)"));
    }
    EXPECT_THAT(PlanOf(kLockCriticalDue, kSweeper, {"'-infinity'", "0", "'2026-03-02'", "10"}),
                ContainsRegex("Index (Only )?Scan using monitor_sweep_critical"));
    const std::string due = PlanOf(kReadDue, kSweeper, {"'2026-03-02'", "'{1, 2}'"});
    EXPECT_THAT(due, Not(HasSubstr("monitor_sweep_at")));
    EXPECT_THAT(due, HasSubstr("Index Scan using monitor_sweep_pkey"));
    const std::string states = PlanOf(kSaveStates, kSweeper, std::vector<std::string>(23, "'{}'"));
    EXPECT_THAT(states, HasSubstr("Index Scan using monitor_state_pkey"));
    EXPECT_THAT(states, HasSubstr("Index Scan using monitor_sweep_pkey"));
    EXPECT_THAT(states, HasSubstr("Index Scan using monitor_listing_pkey"));
    EXPECT_THAT(states, Not(HasSubstr("monitor_sweep_at")));
    const std::string add = PlanOf(kPendingOf, kSweeper, {"'{}'"});
    const std::string lock = PlanOf(kLockBacklogs, kSweeper, {"'{}'", "'{}'"});
    for (const std::string& plan : {add, lock}) {
      EXPECT_THAT(plan, HasSubstr("Index Scan using delivery_order"));
      EXPECT_THAT(plan, Not(HasSubstr("delivery_due")));
      EXPECT_THAT(plan, Not(HasSubstr("delivery_channel")));
      EXPECT_THAT(plan, Not(HasSubstr("delivery_monitor")));
    }
  }
}

TEST_F(CostTest, ListsWalkTheIndexOfTheirOrderWhateverTheStatisticsSay) {
  const std::vector<std::string> asked = {
      "1",    "'2026-03-02'", "'m'",  "100",  "51",   "false", "3",
      "NULL", "'owner'",      "'{}'", "'{}'", "'{}'", "'{}'",  "'{}'"};
  const std::pair<const ListStatements*, std::string> walks[] = {
      {&kWalkById, "monitor_id_taken"},
      {&kWalkByCreation, "monitor_created"},
      {&kWalkByChange, "monitor_listing_changed"},
      {&kWalkStateById, "monitor_listing_id"},
      {&kWalkStateByChange, "monitor_listing_changed"}};
  for (const bool filled : {false, true}) {
    if (filled) MakeListed(20000);
    for (const auto& [statements, index] : walks) {
      for (const bool descending : {false, true}) {
        const std::string plan = PlanOf(statements->In(descending), kList, asked);
        EXPECT_THAT(plan, HasSubstr(absl::StrCat("Index Scan ", descending ? "Backward " : "",
                                                 "using ", index)));
        EXPECT_THAT(plan, Not(HasSubstr("Seq Scan")));
        // Only what was found is sorted, not what is walked over.
        EXPECT_THAT(plan, Not(ContainsRegex("Sort  [^\n]*\n +Sort Key: [ml]")));
      }
    }
  }
}

TEST_F(CostTest, SearchesFindFewAmongManyInTheIndex) {
  MakeListed(20000);
  enum Asked { kNothing, kSeverity, kOwner, kLabels, kPattern };
  // All terms are there; the index is asked for one.
  const auto plan = [&](Asked asked) {
    const auto is = [asked](Asked term) { return asked == term ? "true" : "false"; };
    return PlanOf(kSearchMonitors.ascending, kSearch,
                  {"1",
                   "'1970-01-01'",
                   "''",
                   "2000",
                   "51",
                   "false",
                   "NULL",
                   "1",
                   "'owner-7'",
                   "'{\"host\": \"7\"}'",
                   "0",
                   asked == kPattern ? "'%nothing%'" : "NULL",
                   "NULL",
                   "NULL",
                   "false",
                   is(kSeverity),
                   is(kOwner),
                   is(kLabels),
                   "false",
                   "'{}'",
                   "'{%nothing%}'",
                   "'{}'",
                   "'{}'"});
  };
  const std::pair<Asked, std::string> terms[] = {{kSeverity, "(severity = '1'::smallint)"},
                                                 {kOwner, "(owner = 'owner-7'::text)"},
                                                 {kLabels, "(labels @> "},
                                                 {kPattern, "~~ '%nothing%'::text)"}};
  for (const auto& [asked, condition] : terms) {
    const std::string found = plan(asked);
    EXPECT_THAT(found, ContainsRegex("Bitmap Index Scan on monitor_search[^\n]*\n +Index Cond: "));
    // That condition and no other.
    EXPECT_THAT(found, HasSubstr(condition));
    EXPECT_THAT(found, Not(ContainsRegex("Index Cond: [^\n]* AND ")));
    EXPECT_THAT(found, Not(HasSubstr("monitor_listing")));  // nothing asks for it
  }
  EXPECT_THAT(plan(kNothing), Not(HasSubstr("monitor_search")));
}

// Sessions that keep plans make them anew as the use of a statement grows.
TEST_F(CostTest, PlansSeeTablesThatGrewSinceTheyWereAnalyzed) {
  database_.Execute("VACUUM ANALYZE");
  database_.Execute(
      "INSERT INTO alert_event (project_id, monitor_id, incident_id, sequence, type, state, "
      "occurred_at, detected_at, snapshot) "
      "SELECT 1, i, i, 1, 1, 3, '2026-03-02', '2026-03-02', '{}' FROM generate_series(1, 9000) i");
  database_.Execute(
      "INSERT INTO incident (project_id, monitor_id, cause, opened_at, detected_at, message) "
      "SELECT 1, i, 1, '2026-03-02', '2026-03-02', '' FROM generate_series(1, 9000) i");
  database_.Execute(
      "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
      "redelivery, attempts, skipped, last_http_status, events, occurred_at, created_at, "
      "next_attempt_at, expires_at, last_outcome) "
      "SELECT 'msg_' || i, 1, 1, i, 1, 1, 1, false, 0, 0, 0, ARRAY[i], '2026-03-02', "
      "'2026-03-02', '2026-03-02', '2027-01-01', '' FROM generate_series(1, 9000) i");
  const std::string plan = PlanOf(kFindFirings, kSweeper, {"1"});
  EXPECT_THAT(plan, HasSubstr("Index Scan using delivery_monitor"));
  EXPECT_THAT(plan, HasSubstr("Index Scan using incident_pkey"));
}

class LeaseCostTest : public CostTest {
 protected:
  void MakeChannels(int count) {
    database_.Execute(absl::StrCat(
        "INSERT INTO channel (project_id, id, display_name, url, secrets, format, selector, "
        "is_default, fallback_channel, disable_reason, last_error, created_at, updated_at) "
        "SELECT 1, 'c' || i, '', '', '', 1, '', false, '', '', '', '2026-03-02', '2026-03-02' "
        "FROM generate_series(1, ",
        count, ") i"));
  }

  // One whose URL cannot be read is not leased for.
  static void SetUrl(Store& store, const std::string& id) {
    const absl::Status set = store.Transact(TransactionClass::kAdmin, [&](Transaction& t) {
      auto channel = t.LockChannel(1, id);
      if (!channel.ok()) return channel.status();
      (*channel)->url = "https://example.org/hook";
      (*channel)->secrets = {"whsec_1"};
      return t.SaveChannel(**channel);
    });
    ASSERT_TRUE(set.ok()) << set;
  }

  // `count` pending deliveries, of `per_monitor` each in a row, spread over the channels.
  void MakeDeliveries(int count, int channels, int per_monitor, const std::string& due) {
    database_.Execute(absl::StrCat(
        "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
        "redelivery, attempts, skipped, last_http_status, events, occurred_at, created_at, "
        "next_attempt_at, expires_at, last_outcome) "
        "SELECT 'msg_' || gen_random_uuid(), 1, 1 + (i / ",
        per_monitor, ") % ", channels, ", 1 + i / ", per_monitor, ", 1 + i % ", per_monitor,
        ", 1, 1, false, 0, 0, 0, '{}', '2026-03-02', '2026-03-02', '", due,
        "', '2027-01-01', '' FROM generate_series(0, ", count - 1, ") i"));
    database_.Execute("ANALYZE delivery");
  }

  // Pages that the statement touched.
  int64_t PagesOf(const Statement& statement, const std::vector<std::string>& arguments) {
    const std::string plan = PlanOf(statement, kDelivery, arguments, /*analyze=*/true);
    for (const absl::string_view line : absl::StrSplit(plan, '\n')) {
      if (!absl::StrContains(line, "Buffers:")) continue;
      int64_t pages = 0;  // the first line is that of the whole plan
      for (const absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" ="))) {
        int64_t number = 0;
        if (absl::SimpleAtoi(word, &number)) pages += number;
      }
      return pages;
    }
    ADD_FAILURE() << plan;
    return 0;
  }

  const std::vector<std::string> kLeaseOfTen = {
      "'2026-03-02 10:00:00+00'", "10", "8", "'2026-03-02 10:01:00+00'", "'lease'", "4", "'{}'"};
};

TEST_F(LeaseCostTest, ALongBacklogOfOneChannelCostsNoMoreThanAShortOne) {
  MakeChannels(1);
  MakeDeliveries(100, 1, 1, "2026-03-02 09:00:00+00");
  const int64_t pages = PagesOf(kLeaseDeliveries, kLeaseOfTen);
  database_.Execute("TRUNCATE delivery");
  MakeDeliveries(100000, 1, 1, "2026-03-02 09:00:00+00");
  EXPECT_LE(PagesOf(kLeaseDeliveries, kLeaseOfTen), 2 * pages + 50);
  EXPECT_LE(PagesOf(kNextDeliveryAt, {"'{}'"}), 50);
}

TEST_F(LeaseCostTest, ALeaseChangesNoIndexOfDeliveries) {
  MakeChannels(1);
  SetUrl(*store_, "c1");
  MakeDeliveries(1000, 1, 1, "2026-03-02 09:00:00+00");
  for (int i = 0; i < 4; ++i) {
    const absl::StatusOr<std::vector<LeasedDelivery>> leased =
        store_->LeaseDeliveries({.notifier = "n",
                                 .lease_id = "lease",
                                 .now = kStart,
                                 .lease = absl::Seconds(60),
                                 .limit = 250,
                                 .per_channel = 1000,
                                 .allowances = {},
                                 .per_failing_channel = 1});
    ASSERT_TRUE(leased.ok()) << leased.status();
  }
  store_.reset();  // sessions report their counts when they end
  while (database_.Number("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND application_name LIKE 'tocsin-core/%'") > 0) {
  }
  EXPECT_EQ(database_.Number("SELECT n_tup_upd FROM pg_stat_user_tables "
                             "WHERE relname = 'delivery'"),
            1000);
  // Those that find their page full are few.
  EXPECT_GE(database_.Number("SELECT n_tup_hot_upd FROM pg_stat_user_tables "
                             "WHERE relname = 'delivery'"),
            900);
}

TEST_F(LeaseCostTest, ALeaseWhoseDeliveryIsGoneIsDropped) {
  database_.Execute(
      "INSERT INTO lease (delivery_id, channel_id, leased_until) "
      "VALUES (1, 1, '2026-03-02 09:00:00+00')");
  ASSERT_TRUE(store_->Maintain(RetentionPolicy(), kStart).ok());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM lease"), 0);
}

TEST_F(LeaseCostTest, WhatFollowsALeaseCostsTheSameHoweverMuchIsPending) {
  MakeChannels(1);
  const std::string ten = "ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]::bigint[]";
  const auto pages = [&](int count) {
    database_.Execute("TRUNCATE delivery, alert_event, incident RESTART IDENTITY");
    MakeDeliveries(count, 1, 2, "2026-03-02 09:00:00+00");
    database_.Execute(absl::StrCat(
        "INSERT INTO alert_event (project_id, monitor_id, incident_id, sequence, type, state, "
        "occurred_at, detected_at, snapshot) "
        "SELECT 1, i, i, 1, 1, 3, '2026-03-02', '2026-03-02', '{}' FROM generate_series(1, ",
        count, ") i"));
    database_.Execute(absl::StrCat(
        "INSERT INTO incident (project_id, monitor_id, cause, opened_at, detected_at, message) "
        "SELECT 1, i, 1, '2026-03-02', '2026-03-02', '' FROM generate_series(1, ",
        count, ") i"));
    database_.Execute("ANALYZE");
    return PagesOf(kLeasedEvents, {ten}) +
           PagesOf(kReleaseFollowers, {"'2026-03-02 10:00:00+00'", ten}) +
           PagesOf(kPutOffFollowers, {ten});
  };
  const int64_t few = pages(100);
  EXPECT_LE(pages(50000), 2 * few + 100);
}

// A plan that was made while nothing was pending is still used when a mass outage has begun.
TEST_F(LeaseCostTest, WhatWaitsForOneOfAMonitorIsFoundByTheMonitorAlsoWhenNothingWasPending) {
  MakeChannels(1);
  MakeDeliveries(20000, 1, 1, "2026-03-02 09:00:00+00");
  // Monitors die in no order, so the index of their order has the most pages.
  database_.Execute("UPDATE delivery SET monitor_id = 1 + monitor_id * 7919 % 20000");
  database_.Execute("UPDATE delivery SET state = 2");
  database_.Execute("VACUUM ANALYZE delivery");
  const std::string ten = "ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]::bigint[]";
  for (const std::string& plan :
       {PlanOf(kPendingOf, kSweeper, {ten}), PlanOf(kLeaseDeliveries, kDelivery, kLeaseOfTen),
        PlanOf(kNextDeliveryAt, kDelivery, {"'{}'"}),
        PlanOf(kReleaseFollowers, kDelivery, {"'2026-03-02 10:00:00+00'", ten}),
        PlanOf(kLockBacklogs, kSweeper, {"'{1}'", "'{1}'"}),
        PlanOf(kPutOffFollowers, kDelivery, {ten})}) {
    EXPECT_THAT(plan, ContainsRegex("using delivery_order[^\n]*\n *Index Cond: .+monitor_id = "));
    EXPECT_THAT(plan, Not(ContainsRegex("using delivery_order[^\n]*\n *Filter")));
    EXPECT_THAT(plan, Not(ContainsRegex("using delivery_(state|unfinished)")));
  }
}

TEST_F(LeaseCostTest, DeadChannelsCostALittleEach) {
  MakeChannels(101);
  // All wait for their next attempt, and others wait for them; channel 101 has work.
  MakeDeliveries(100000, 100, 10, "2026-03-02 11:00:00+00");
  database_.Execute(
      "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
      "redelivery, attempts, skipped, last_http_status, events, occurred_at, created_at, "
      "next_attempt_at, expires_at, last_outcome) "
      "VALUES ('msg_due', 1, 101, 999999, 1, 1, 1, false, 0, 0, 0, '{}', '2026-03-02', "
      "'2026-03-02', '2026-03-02 09:00:00+00', '2027-01-01', '')");
  EXPECT_LE(PagesOf(kLeaseDeliveries, kLeaseOfTen), 101 * 20);
  EXPECT_LE(PagesOf(kNextDeliveryAt, {"'{}'"}), 101 * 25);
}

}  // namespace
}  // namespace tocsin::core::pg
