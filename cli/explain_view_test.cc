// How an explanation reads on a terminal.
#include "cli/explain_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "cli/past_moment.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// 2026-03-10 02:00:00 UTC.
absl::Time Second(int seconds) { return absl::FromUnixSeconds(1773108000 + seconds); }

TEST(Wrapped, BreaksAtSpacesAndWithinWordsThatAreTooLong) {
  EXPECT_THAT(Wrapped("", 5), ElementsAre(""));
  EXPECT_THAT(Wrapped("abcde", 5), ElementsAre("abcde"));
  EXPECT_THAT(Wrapped("ab cd ef", 5), ElementsAre("ab cd", "ef"));
  EXPECT_THAT(Wrapped("abcdefg hi", 5), ElementsAre("abcde", "fg hi"));
  EXPECT_THAT(Wrapped("ab    cd", 4), ElementsAre("ab", "cd"));
  EXPECT_THAT(Wrapped("äöü äöü", 3), ElementsAre("äöü", "äöü"));
}

TEST(ExplainView, TheVerdictComesFirstAndNoLineIsTooLong) {
  v1::ExplainMonitorResponse explanation;
  *explanation.mutable_at() = ToProtoTime(Second(0));
  explanation.mutable_verdict()->add_sentences(
      "It rang. DOWN since 2026-03-10 01:00:00Z: no heartbeat came in time, which is a sentence "
      "that does not fit on one line.");
  v1::TimelineEntry* up = explanation.add_entries();
  *up->mutable_time() = ToProtoTime(Second(-600));
  *up->mutable_end_time() = ToProtoTime(Second(-60));
  up->set_kind(v1::TimelineEntry::KIND_HEARTBEAT);
  up->set_count(57);
  up->set_what("up");
  v1::TimelineEntry* down = explanation.add_entries();
  *down->mutable_time() = ToProtoTime(Second(0));
  down->set_kind(v1::TimelineEntry::KIND_TRANSITION);
  down->set_count(1);
  down->set_what("DOWN");
  down->set_why("missed deadline; expected by 2026-03-10 02:00:00Z");
  down->set_settings("every 1m, grace 0");
  v1::TimelineEntry* refused = explanation.add_entries();
  *refused->mutable_time() = ToProtoTime(Second(60));
  refused->set_kind(v1::TimelineEntry::KIND_REJECTED_PUSH);
  refused->set_count(12);
  refused->set_what("refused: 429 too often");
  refused->set_actor("192.0.2.7");
  const std::string text = ShowExplanation(explanation, "backup");
  EXPECT_THAT(text, StartsWith("backup, asked about 2026-03-10 02:00:00Z:\n  It rang."));
  EXPECT_THAT(text, HasSubstr("\n2026-03-10 01:50:00Z  57 × up                       until "
                              "2026-03-10 01:59:00Z\n"));
  EXPECT_THAT(text,
              HasSubstr("DOWN                          missed deadline; expected by 2026-03-10"
                        "\n"));
  EXPECT_THAT(text, HasSubstr("every 1m, grace 0"));
  EXPECT_THAT(text, HasSubstr("12 × refused: 429 too often   from 192.0.2.7\n"));
  for (const absl::string_view line : absl::StrSplit(text, '\n')) EXPECT_LE(line.size(), 102u);
}

TEST(ExplainView, AnEmptyTimelineSaysFromWhenToWhen) {
  v1::ExplainMonitorResponse explanation;
  *explanation.mutable_start_time() = ToProtoTime(Second(0));
  *explanation.mutable_end_time() = ToProtoTime(Second(60));
  EXPECT_THAT(ShowExplanation(explanation, "backup"),
              HasSubstr("Nothing happened from 2026-03-10 02:00:00Z to 2026-03-10 02:01:00Z.\n"));
}

TEST(PastMoment, IsSoLongAgoOrATime) {
  EXPECT_EQ(ParsePast("2h", Second(0)).value(), Second(-7200));
  EXPECT_EQ(ParsePast("2h ago", Second(0)).value(), Second(-7200));
  EXPECT_EQ(ParsePast("2026-03-10 02:00:01Z", Second(0)).value(), Second(1));
  EXPECT_THAT(std::string(ParsePast("noon", Second(0)).status().message()),
              HasSubstr("\"noon\" is no time; accepted: 2h ago, or"));
}

}  // namespace
}  // namespace tocsin::cli
