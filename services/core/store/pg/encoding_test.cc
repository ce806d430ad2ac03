// What goes over the wire and what comes back: arrays, times, URLs, SQLSTATEs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/binary_array.h"
#include "services/core/store/pg/conninfo.h"
#include "services/core/store/pg/event_facts.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/pg/snapshot.h"
#include "services/core/store/pg/sql_status.h"

namespace tocsin::core::pg {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(BinaryArray, HasTheServersFormat) {
  BinaryArray array(ElementType::kInt2);
  array.AddInt2(258);
  array.AddNull();
  const std::string expected(
      "\0\0\0\1"      // one dimension
      "\0\0\0\1"      // has NULLs
      "\0\0\0\x15"    // int2
      "\0\0\0\2"      // two elements
      "\0\0\0\1"      // from 1
      "\0\0\0\2\1\2"  // 258
      "\xff\xff\xff\xff",
      30);
  EXPECT_EQ(std::move(array).Finish(), expected);
}

TEST(BinaryArray, AnEmptyOneHasNoDimension) {
  EXPECT_EQ(BinaryArray(ElementType::kText).Finish(),
            std::string("\0\0\0\0\0\0\0\0\0\0\0\x19", 12));
}

TEST(PushIds, SortAsUnsignedNumbers) {
  EXPECT_LT(FromPushId(0), FromPushId(1));
  EXPECT_LT(FromPushId(1), FromPushId(uint64_t{1} << 63));
  EXPECT_LT(FromPushId(uint64_t{1} << 63), FromPushId(~uint64_t{0}));
  EXPECT_EQ(ToPushId(FromPushId(0xfedcba9876543210)), 0xfedcba9876543210);
}

TEST(Times, GoOverAsTextAndBackToTheMicrosecond) {
  const absl::Time time = absl::FromUnixMicros(1'772'445'600'000'001);
  EXPECT_EQ(TimeText(time), "2026-03-02 10:00:00.000001+00");
  EXPECT_EQ(ParsePostgresTime("2026-03-02 10:00:00.000001+00"), time);
  EXPECT_EQ(ParsePostgresTime("2026-03-02 10:00:00+00"), absl::FromUnixSeconds(1'772'445'600));
  EXPECT_EQ(ParsePostgresTime("2026-03-02 10:00:00.5+00"), absl::FromUnixMillis(1'772'445'600'500));
  EXPECT_EQ(ParsePostgresTime(TimeText(absl::InfiniteFuture())), absl::InfiniteFuture());
  EXPECT_EQ(ParsePostgresTime(TimeText(absl::InfinitePast())), absl::InfinitePast());
  EXPECT_EQ(ToPostgresMicros(absl::FromUnixSeconds(946'684'801)), 1'000'000);
  for (const char* other : {"", "2026-03-02", "2026-03-02 10:00:00+01", "10:00", "x"}) {
    EXPECT_FALSE(ParsePostgresTime(other).has_value()) << other;
  }
}

TEST(Labels, SurviveJson) {
  const Labels labels = {{"a", "b"}, {"ü\"\\", "\n"}, {"", ""}};
  EXPECT_EQ(LabelsFromJson(LabelsToJson(labels)), labels);
  EXPECT_EQ(LabelsFromJson("no json"), Labels());
}

TEST(Keys, SurviveText) {
  EXPECT_EQ(KeysToText({1, -2, 3}), "{1,-2,3}");
  EXPECT_EQ(KeysFromText("{1,-2,3}"), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(KeysFromText("{}"), std::vector<int64_t>());
}

TEST(Conninfo, FillsInWhatTheUrlLeavesOpenAndKeepsTheRest) {
  const std::string conninfo =
      SessionConninfo("postgresql://u:p%40'\\@h:5433/db?connect_timeout=9&sslmode=require", "app")
          .value();
  EXPECT_THAT(conninfo, HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(conninfo, HasSubstr("sslmode='require'"));
  EXPECT_THAT(conninfo, HasSubstr("password='p@\\'\\\\'"));
  EXPECT_THAT(conninfo, HasSubstr("tcp_user_timeout='10000'"));
  EXPECT_THAT(conninfo, HasSubstr("application_name='app'"));
  // What was written can be read again.
  EXPECT_EQ(DescribeDatabase(conninfo), "h:5433/db");
  EXPECT_EQ(DescribeDatabase(WithDatabase(conninfo, "other").value()), "h:5433/other");
}

// Of several hosts one may be a standby, which knows nothing of what was written just now.
TEST(Conninfo, AsksForAServerThatTakesWritesUnlessTheUrlSaysOtherwise) {
  EXPECT_THAT(SessionConninfo("postgresql://u@a:5432,b:5433/db", "app").value(),
              AllOf(HasSubstr("host='a,b'"), HasSubstr("port='5432,5433'"),
                    HasSubstr("target_session_attrs='read-write'")));
  const std::string chosen =
      SessionConninfo("postgresql://u@a,b/db?target_session_attrs=primary", "app").value();
  EXPECT_THAT(chosen, HasSubstr("target_session_attrs='primary'"));
  EXPECT_THAT(chosen, Not(HasSubstr("read-write")));
}

TEST(Conninfo, NeverRepeatsAUrlThatItCannotRead) {
  const absl::Status status = SessionConninfo("postgresql://u:hunter2@[::1", "app").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  EXPECT_THAT(DescribeDatabase("postgresql://u:hunter2@h/db"), Not(HasSubstr("hunter2")));
}

absl::StatusCode CodeOf(const std::string& sqlstate, bool committing = false) {
  return StatusOf({sqlstate, "words"}, committing).code();
}

TEST(SqlStatus, SaysWhatARetryCures) {
  for (const char* sqlstate : {"40001", "40P01", "55P03", "57014", "53300", "53100", "57P01",
                               "57P03", "08006", "25006", "26000", "28P01", "3D000", "58030"}) {
    EXPECT_EQ(CodeOf(sqlstate), absl::StatusCode::kUnavailable) << sqlstate;
  }
}

TEST(SqlStatus, AFullQueueOfNotificationsIsCuredByARetryAndAStatementThatIsTooLargeIsNot) {
  EXPECT_EQ(CodeOf("54000", /*committing=*/true), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf("54000"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("54001"), absl::StatusCode::kDataLoss);
}

TEST(SqlStatus, SaysWhatNoRetryCures) {
  EXPECT_EQ(CodeOf("22021"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("22003"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("23502"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("23505"), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(CodeOf("42P01"), absl::StatusCode::kInternal);
  EXPECT_EQ(CodeOf("XX000"), absl::StatusCode::kInternal);
}

TEST(SqlStatus, ALostCommitIsInDoubtAndALostStatementIsNot) {
  const SqlFault lost = {"", "server closed the connection unexpectedly", true};
  EXPECT_EQ(StatusOf(lost, false).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(StatusOf(lost, true).code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(CodeOf("57P01", true), absl::StatusCode::kUnknown);
  EXPECT_EQ(CodeOf("40001", true), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CodeOf("55P03", true), absl::StatusCode::kUnavailable);
}

TEST(SqlStatus, OnlyBugsAndRefusedDataCarryTheServersWords) {
  EXPECT_THAT(std::string(StatusOf({"57P01", "words"}, false).message()), Not(HasSubstr("words")));
  EXPECT_THAT(std::string(StatusOf({"42P01", "words\nDETAIL: row"}, false).message()),
              HasSubstr("words"));
  EXPECT_THAT(std::string(StatusOf({"42P01", "words\nDETAIL: row"}, false).message()),
              Not(HasSubstr("row")));
}

TEST(EventFacts, AllThatPeopleAreToldIsReadBack) {
  AlertEvent event;
  event.project = 3;
  event.monitor = 7;
  event.incident = {.key = 11,
                    .project = 3,
                    .monitor = 7,
                    .cause = Cause::kRunOverran,
                    .opened_at = absl::FromUnixMicros(1'000'001),
                    .detected_at = absl::FromUnixMicros(1'000'002),
                    .closed_at = absl::FromUnixMicros(1'000'003),
                    .resolution = Resolution::kPaused,
                    .message = "no \xff text",
                    .reminded_at = {},
                    .held_until = {}};
  MonitorDefinition& definition = event.definition;
  definition.key = 7;
  definition.project = 3;
  definition.project_id = "default";
  definition.id = "job";
  definition.display_name = "Job";
  definition.description = "what it is";
  definition.owner = "ops";
  definition.severity = Severity::kCritical;
  definition.runbook_url = "https://runbook";
  definition.labels = {{"a", "1"}, {"b", ""}};
  definition.schedule = {.timeout = absl::Seconds(60),
                         .recommended_interval = absl::Seconds(30),
                         .grace = absl::Seconds(5),
                         .cron = CronFromText("5 4 * * *", "Europe/Paris", absl::Seconds(9))};
  definition.failure_threshold = 2;
  definition.recovery_threshold = 3;
  definition.value_min = 0;
  definition.value_max = 1.5;
  definition.max_run_duration = absl::Hours(1);
  definition.reminder_interval = absl::Hours(2);
  definition.arm_on_create = true;
  definition.resume_on_heartbeat = true;
  definition.channels = {"chat", "pager"};
  definition.version = 12;
  definition.created_at = absl::FromUnixSeconds(1);
  definition.updated_at = absl::FromUnixSeconds(2);
  event.last_heartbeat = {.kind = HeartbeatKind::kDown,
                          .at = absl::FromUnixSeconds(3),
                          .message = "disk full",
                          .value = -0.5,
                          .exit_status = 0,
                          .run_id = "r1",
                          .source = Source::kGrpc,
                          .push_id = ~uint64_t{0},
                          .output = std::string(kSnapshotOutputBytes, 'x') + "the end",
                          .run_duration = absl::Milliseconds(5)};
  event.run = {.id = "r1",
               .started_at = absl::FromUnixSeconds(4),
               .due_at = absl::FromUnixSeconds(5),
               .overran = true};
  event.flapping = true;
  AlertEvent read;
  read.project = 3;
  read.monitor = 7;
  ASSERT_TRUE(FactsFromBytes(FactsToBytes(event), read).ok());
  EXPECT_EQ(read.definition, event.definition);
  EXPECT_EQ(read.incident.key, 11);
  EXPECT_EQ(read.incident.project, 3);
  EXPECT_EQ(read.incident.monitor, 7);
  EXPECT_EQ(read.incident.cause, Cause::kRunOverran);
  EXPECT_EQ(read.incident.opened_at, event.incident.opened_at);
  EXPECT_EQ(read.incident.detected_at, event.incident.detected_at);
  EXPECT_EQ(read.incident.closed_at, event.incident.closed_at);
  EXPECT_EQ(read.incident.resolution, Resolution::kPaused);
  EXPECT_EQ(read.incident.message, "no \xff text");
  ASSERT_TRUE(read.last_heartbeat.has_value());
  EXPECT_EQ(read.last_heartbeat->kind, HeartbeatKind::kDown);
  EXPECT_EQ(read.last_heartbeat->at, event.last_heartbeat->at);
  EXPECT_EQ(read.last_heartbeat->message, "disk full");
  EXPECT_EQ(read.last_heartbeat->value, -0.5);
  EXPECT_EQ(read.last_heartbeat->exit_status, 0);
  EXPECT_EQ(read.last_heartbeat->run_id, "r1");
  EXPECT_EQ(read.last_heartbeat->source, Source::kGrpc);
  EXPECT_EQ(read.last_heartbeat->push_id, ~uint64_t{0});
  EXPECT_EQ(read.last_heartbeat->output, std::string(kSnapshotOutputBytes - 7, 'x') + "the end");
  EXPECT_EQ(read.last_heartbeat->run_duration, absl::Milliseconds(5));
  EXPECT_EQ(read.run, event.run);
  EXPECT_TRUE(read.flapping);
}

TEST(EventFacts, WhatIsNotThereIsNotReadBack) {
  AlertEvent event;
  event.run = core::Run();  // without a limit
  event.run->overran = true;
  AlertEvent read;
  read.last_heartbeat = Heartbeat();
  read.flapping = true;
  ASSERT_TRUE(FactsFromBytes(FactsToBytes(event), read).ok());
  EXPECT_EQ(read.definition, event.definition);
  EXPECT_FALSE(read.incident.closed_at.has_value());
  EXPECT_FALSE(read.incident.resolution.has_value());
  EXPECT_FALSE(read.last_heartbeat.has_value());
  EXPECT_EQ(read.run, event.run);
  EXPECT_FALSE(read.flapping);
  event.run.reset();
  ASSERT_TRUE(FactsFromBytes(FactsToBytes(event), read).ok());
  EXPECT_FALSE(read.run.has_value());
}

TEST(EventFacts, DamagedOnesAreSaidToBe) {
  AlertEvent event;
  EXPECT_TRUE(absl::IsDataLoss(FactsFromBytes("", event)));
  EXPECT_TRUE(absl::IsDataLoss(FactsFromBytes("{\"incident\":{}}", event)));
}

TEST(Snapshot, EventsFromBeforeAreRead) {
  AlertEvent read;
  read.monitor = 7;
  ASSERT_TRUE(
      SnapshotFromJson(R"({"incident":{"id":11,"cause":3,"opened_at":1,"detected_at":2},)"
                       R"("monitor":{"project":"default","id":"job","recovery_threshold":2},)"
                       R"("last_heartbeat":{"kind":1,"at":5,"source":1,"push_id":6,)"
                       R"("exit_status":0},)"
                       R"("run":{"id":"r","started_at":3,"due_at":9223372036854775807}})",
                       read)
          .ok());
  EXPECT_EQ(read.incident.key, 11);
  EXPECT_EQ(read.incident.cause, Cause::kRunOverran);
  EXPECT_EQ(read.definition.key, 7);
  EXPECT_EQ(read.definition.id, "job");
  EXPECT_EQ(read.definition.failure_threshold, 1);
  EXPECT_EQ(read.definition.recovery_threshold, 2);
  EXPECT_EQ(read.last_heartbeat->exit_status, 0);
  ASSERT_TRUE(read.run.has_value());
  EXPECT_FALSE(read.run->has_limit());
}

}  // namespace
}  // namespace tocsin::core::pg
