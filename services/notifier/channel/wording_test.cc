// Tells how summaries say times, durations, names and what jobs said.
#include "services/notifier/channel/wording.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tocsin::notifier {
namespace {

TEST(WordingTest, DurationsUseTheirTwoLargestUnits) {
  const std::vector<std::pair<absl::Duration, std::string>> rows = {
      {absl::ZeroDuration(), "0 s"},
      {absl::Milliseconds(999), "0 s"},
      {absl::Seconds(45.9), "45 s"},
      {absl::Seconds(60), "1 m"},
      {absl::Seconds(119), "1 m 59 s"},
      {absl::Hours(1), "1 h"},
      {absl::Hours(25) + absl::Minutes(3) + absl::Seconds(7), "25 h 3 m"},
      {absl::Hours(48), "2 d"},
      {absl::Hours(100), "4 d 4 h"},
      {absl::Hours(24 * 366), "366 d"},
      {-absl::Seconds(5), "0 s"}};
  for (const auto& [duration, words] : rows) EXPECT_EQ(DurationWords(duration), words);
}

TEST(WordingTest, TimesAreSaidWithTheirDateAndZone) {
  const absl::Time noon = absl::FromUnixSeconds(1'773'144'000);  // 2026-03-10T12:00:00Z
  EXPECT_EQ(TimeWords(noon, Precision::kMinutes), "2026-03-10 12:00 UTC");
  EXPECT_EQ(TimeWords(noon - absl::Hours(13), Precision::kSeconds), "2026-03-09 23:00:00 UTC");
  EXPECT_EQ(SpanWords(noon - absl::Hours(13), noon, Precision::kMinutes),
            "2026-03-09 23:00 to 2026-03-10 12:00 UTC");
}

TEST(WordingTest, TimesAreThoseOfTheClockThere) {
  absl::TimeZone paris;
  ASSERT_TRUE(absl::LoadTimeZone("Europe/Paris", &paris));
  const absl::Time noon = absl::FromUnixSeconds(1'773'144'000);  // 2026-03-10T12:00:00Z
  EXPECT_EQ(TimeWords(noon, Precision::kMinutes, paris), "2026-03-10 13:00 Europe/Paris");
  EXPECT_EQ(SpanWords(noon, noon + absl::Hours(12), Precision::kSeconds, paris),
            "2026-03-10 13:00:00 to 2026-03-11 01:00:00 Europe/Paris");
}

TEST(WordingTest, TheLastLineIsTheLastThatSaysSomething) {
  EXPECT_EQ(LastLine("one\ntwo\r\n  three \n\n \n"), "three");
  EXPECT_EQ(LastLine("one\rtwo"), "two");
  EXPECT_EQ(LastLine("one"), "one");
  EXPECT_EQ(LastLine(" \n \t\n"), "");
  EXPECT_EQ(LastLine(""), "");
}

TEST(WordingTest, EscapesWhatWouldMoveTheLineOrItsDirection) {
  EXPECT_EQ(Quoted("a\nb\r\t\x01\x7f", 100), "\"a\\nb\\r\\t\\u0001\\u007f\"");
  EXPECT_EQ(Quoted("say \"hi\" \\", 100), "\"say \\\"hi\\\" \\\\\"");
  EXPECT_EQ(PlainText("say \"hi\" \\", 100), "say \"hi\" \\");
  EXPECT_EQ(PlainText("\xE2\x80\xAEx\xE2\x80\xA8y\xC2\x85z", 100), "\\u202ex\\u2028y\\u0085z");
  EXPECT_EQ(PlainText("été 日本 🔔", 100), "été 日本 🔔");
}

TEST(WordingTest, ReplacesInvalidUtf8) {
  const std::string replacement = "\xEF\xBF\xBD";
  for (const char* bad : {"\xFF", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5"}) {
    const std::string text = PlainText(std::string("a") + bad, 100);
    EXPECT_EQ(text.substr(0, 4), "a" + replacement) << bad;
  }
}

TEST(WordingTest, CutsAtACharacterWithinTheBound) {
  EXPECT_EQ(PlainText("abcdef", 6), "abcdef");
  EXPECT_EQ(PlainText("abcdefg", 6), "abc…");
  EXPECT_EQ(PlainText("éééé", 7), "éé…");
  for (size_t bound = 3; bound < 30; ++bound) {
    EXPECT_LE(PlainText("日本\n日本\x01🔔🔔🔔🔔🔔", bound).size(), bound);
  }
}

TEST(WordingTest, NamesLeaveOutTheDefaultProject) {
  EXPECT_EQ(ShortName("projects/default/monitors/sync"), "sync");
  EXPECT_EQ(ShortName("projects/payments/monitors/sync"), "payments/sync");
  EXPECT_EQ(ShortName("sync"), "sync");
}

}  // namespace
}  // namespace tocsin::notifier
