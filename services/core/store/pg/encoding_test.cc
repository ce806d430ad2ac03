// What goes over the wire and what comes back: arrays, times, URLs, SQLSTATEs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/binary_array.h"
#include "services/core/store/pg/conninfo.h"
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

TEST(Snapshot, LeavesOutWhatIsAsItIsByDefaultAndReadsItBack) {
  AlertEvent event;
  event.definition.project_id = "default";
  event.definition.id = "job";
  event.definition.failure_threshold = 1;
  event.definition.recovery_threshold = 2;
  event.last_heartbeat = Heartbeat();
  event.last_heartbeat->exit_status = 0;
  const std::string text = SnapshotToJson(event);
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("owner")));
  EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("failure_threshold")));
  AlertEvent read;
  ASSERT_TRUE(SnapshotFromJson(text, read).ok());
  EXPECT_EQ(read.definition.id, "job");
  EXPECT_EQ(read.definition.owner, "");
  EXPECT_EQ(read.definition.failure_threshold, 1);
  EXPECT_EQ(read.definition.recovery_threshold, 2);
  EXPECT_FALSE(read.definition.arm_on_create);
  EXPECT_EQ(read.last_heartbeat->exit_status, 0);
}

}  // namespace
}  // namespace tocsin::core::pg
