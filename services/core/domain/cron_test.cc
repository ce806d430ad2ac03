// What cron expressions mean, also where clocks are set, and how wrong ones are refused.
#include "services/core/domain/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

CronExpression Cron(std::string_view text) {
  const absl::StatusOr<CronExpression> expression = CronExpression::Parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return *expression;
}

absl::TimeZone Zone(std::string_view name) {
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(absl::UTCTimeZone());
}

absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << ": " << error;
  return time;
}

std::string Show(absl::Time time, const absl::TimeZone& zone) {
  return absl::FormatTime("%a %Y-%m-%dT%H:%M:%E*S%Ez", time, zone);
}

// The next `count` fire times, as the clock on the wall shows them.
std::vector<std::string> Fires(std::string_view expression, std::string_view zone_name,
                               const std::string& after, int count) {
  const CronExpression cron = Cron(expression);
  const absl::TimeZone zone = Zone(zone_name);
  std::vector<std::string> fires;
  absl::Time time = At(after);
  for (int i = 0; i < count; ++i) {
    time = cron.Next(time, zone);
    fires.push_back(Show(time, zone));
  }
  return fires;
}

// The same backwards, from `at` on.
std::vector<std::string> FiresBefore(std::string_view expression, std::string_view zone_name,
                                     const std::string& at, int count) {
  const CronExpression cron = Cron(expression);
  const absl::TimeZone zone = Zone(zone_name);
  std::vector<std::string> fires;
  absl::Time time = At(at);
  for (int i = 0; i < count; ++i) {
    time = cron.Previous(time, zone);
    fires.push_back(Show(time, zone));
    time -= absl::Nanoseconds(1);
  }
  return fires;
}

std::string Fault(std::string_view text) {
  const absl::StatusOr<CronExpression> expression = CronExpression::Parse(text);
  if (expression.ok()) return absl::StrCat("accepted: ", expression->text());
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, expression.status().code());
  EXPECT_EQ("expression", FieldViolations(expression.status())[0].field);
  return std::string(expression.status().message());
}

// ---- What the fields mean.

TEST(CronTest, NextIsStrictlyAfterAndPreviousIsAtOrBefore) {
  const CronExpression cron = Cron("30 2 * * *");
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time fire = At("2025-06-01T02:30:00Z");
  EXPECT_EQ(fire, cron.Next(fire - absl::Nanoseconds(1), utc));
  EXPECT_EQ(fire + absl::Hours(24), cron.Next(fire, utc));
  EXPECT_EQ(fire, cron.Previous(fire, utc));
  EXPECT_EQ(fire, cron.Previous(fire + absl::Nanoseconds(1), utc));
  EXPECT_EQ(fire - absl::Hours(24), cron.Previous(fire - absl::Nanoseconds(1), utc));
}

TEST(CronTest, ListsRangesStepsAndNamesAreUnderstood) {
  EXPECT_THAT(Fires("0,30-40/5,50 9-10 * JAN,7-8 mon-WED,5", "UTC", "2025-01-31T09:34:00Z", 6),
              ElementsAre("Fri 2025-01-31T09:35:00+00:00", "Fri 2025-01-31T09:40:00+00:00",
                          "Fri 2025-01-31T09:50:00+00:00", "Fri 2025-01-31T10:00:00+00:00",
                          "Fri 2025-01-31T10:30:00+00:00", "Fri 2025-01-31T10:35:00+00:00"));
  EXPECT_THAT(FiresBefore("0 12 * JAN,7-8 mon-WED", "UTC", "2025-07-01T11:59:59Z", 2),
              ElementsAre("Wed 2025-01-29T12:00:00+00:00", "Tue 2025-01-28T12:00:00+00:00"));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  for (const char* sunday : {"0", "7", "sun", "Sun", "7-7", "0-0", "*/7"}) {
    EXPECT_THAT(Fires(absl::StrCat("0 0 * * ", sunday), "UTC", "2025-06-01T00:00:00Z", 2),
                ElementsAre("Sun 2025-06-08T00:00:00+00:00", "Sun 2025-06-15T00:00:00+00:00"))
        << sunday;
  }
  EXPECT_THAT(Fires("0 0 * * 6-7", "UTC", "2025-06-01T00:00:00Z", 2),
              ElementsAre("Sat 2025-06-07T00:00:00+00:00", "Sun 2025-06-08T00:00:00+00:00"));
}

TEST(CronTest, NicknamesAreShortForFiveFields) {
  const std::string from = "2025-06-01T00:00:00Z";  // a Sunday
  EXPECT_THAT(Fires("@hourly", "UTC", from, 1), ElementsAre("Sun 2025-06-01T01:00:00+00:00"));
  EXPECT_THAT(Fires("@daily", "UTC", from, 1), ElementsAre("Mon 2025-06-02T00:00:00+00:00"));
  EXPECT_THAT(Fires("@midnight", "UTC", from, 1), ElementsAre("Mon 2025-06-02T00:00:00+00:00"));
  EXPECT_THAT(Fires("@weekly", "UTC", from, 1), ElementsAre("Sun 2025-06-08T00:00:00+00:00"));
  EXPECT_THAT(Fires("@monthly", "UTC", from, 1), ElementsAre("Tue 2025-07-01T00:00:00+00:00"));
  EXPECT_THAT(Fires("@yearly", "UTC", from, 1), ElementsAre("Thu 2026-01-01T00:00:00+00:00"));
  EXPECT_THAT(Fires("@Annually", "UTC", from, 1), ElementsAre("Thu 2026-01-01T00:00:00+00:00"));
}

TEST(CronTest, WithBothFieldsOfDaysRestrictedADayNeedsOne) {
  EXPECT_THAT(Fires("0 0 13 * fri", "UTC", "2025-06-06T00:00:00Z", 3),
              ElementsAre("Fri 2025-06-13T00:00:00+00:00", "Fri 2025-06-20T00:00:00+00:00",
                          "Fri 2025-06-27T00:00:00+00:00"));
  EXPECT_THAT(Fires("0 0 1 * 1", "UTC", "2025-06-30T00:00:00Z", 2),
              ElementsAre("Tue 2025-07-01T00:00:00+00:00", "Mon 2025-07-07T00:00:00+00:00"));
  // The month still has to fit.
  EXPECT_THAT(Fires("0 0 30 2 1", "UTC", "2025-02-24T00:00:00Z", 1),
              ElementsAre("Mon 2026-02-02T00:00:00+00:00"));
}

TEST(CronTest, AFieldOfDaysThatBeginsWithAStarIsUnrestrictedSoADayNeedsBoth) {
  // The days 1, 3, 5, … that are Mondays.
  EXPECT_THAT(Fires("0 0 */2 * mon", "UTC", "2025-06-01T00:00:00Z", 2),
              ElementsAre("Mon 2025-06-09T00:00:00+00:00", "Mon 2025-06-23T00:00:00+00:00"));
  EXPECT_THAT(Fires("0 0 13 * */5", "UTC", "2025-06-01T00:00:00Z", 2),
              ElementsAre("Fri 2025-06-13T00:00:00+00:00", "Sun 2025-07-13T00:00:00+00:00"));
  // Not with a range that has the same values, nor with the star elsewhere in the list.
  EXPECT_THAT(Fires("0 0 1-31/2 * mon", "UTC", "2025-06-01T00:00:00Z", 2),
              ElementsAre("Mon 2025-06-02T00:00:00+00:00", "Tue 2025-06-03T00:00:00+00:00"));
  EXPECT_THAT(Fires("0 0 13,* * mon", "UTC", "2025-06-02T00:00:00Z", 1),
              ElementsAre("Tue 2025-06-03T00:00:00+00:00"));
  EXPECT_THAT(Fires("0 0 *,13 * mon", "UTC", "2025-06-02T00:00:00Z", 1),
              ElementsAre("Mon 2025-06-09T00:00:00+00:00"));
}

TEST(CronTest, LeapDaysAreFoundHoweverFarTheyAre) {
  EXPECT_THAT(Fires("0 0 29 2 *", "UTC", "2096-01-01T00:00:00Z", 2),
              ElementsAre("Wed 2096-02-29T00:00:00+00:00", "Fri 2104-02-29T00:00:00+00:00"));
  EXPECT_THAT(FiresBefore("0 0 29 2 *", "UTC", "2104-02-28T23:59:59Z", 1),
              ElementsAre("Wed 2096-02-29T00:00:00+00:00"));
  // On a Sunday: the longest that anything waits is the 40 years across 2100 or 1900.
  EXPECT_THAT(Fires("0 0 29 2 */7", "UTC", "2064-01-01T00:00:00Z", 3),
              ElementsAre("Sun 2088-02-29T00:00:00+00:00", "Sun 2128-02-29T00:00:00+00:00",
                          "Sun 2156-02-29T00:00:00+00:00"));
  EXPECT_THAT(FiresBefore("0 0 29 2 */7", "UTC", "2128-02-28T23:59:59Z", 1),
              ElementsAre("Sun 2088-02-29T00:00:00+00:00"));
}

TEST(CronTest, TimeEndsWithTheYears1And9999) {
  const CronExpression cron = Cron("@yearly");
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(absl::InfiniteFuture(), cron.Next(absl::InfiniteFuture(), utc));
  EXPECT_EQ(absl::InfinitePast(), cron.Previous(absl::InfinitePast(), utc));
  EXPECT_EQ(At("0002-01-01T00:00:00Z"), cron.Next(absl::InfinitePast(), utc));
  EXPECT_EQ(At("9999-01-01T00:00:00Z"), cron.Previous(absl::InfiniteFuture(), utc));
}

TEST(CronTest, IsComparedAndShownAsItWasWritten) {
  EXPECT_EQ("@daily", Cron(" \t@daily\n").text());
  EXPECT_EQ("0  0 * * *", Cron("0  0 * * * ").text());
  EXPECT_EQ(Cron("0 0 * * *"), Cron(" 0 0 * * *"));
  EXPECT_NE(Cron("0 0 * * *"), Cron("@daily"));
}

// ---- Daylight saving.

TEST(CronTest, ATimeThatDoesNotExistFiresAtTheFirstInstantAfterIt) {
  EXPECT_THAT(Fires("30 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 3),
              ElementsAre("Sat 2025-03-29T02:30:00+01:00", "Sun 2025-03-30T03:00:00+02:00",
                          "Mon 2025-03-31T02:30:00+02:00"));
  EXPECT_THAT(Fires("5 2 * * sun", "America/New_York", "2025-03-08T00:00:00Z", 2),
              ElementsAre("Sun 2025-03-09T03:00:00-04:00", "Sun 2025-03-16T02:05:00-04:00"));
  EXPECT_THAT(FiresBefore("30 2 * * *", "Europe/Berlin", "2025-03-30T01:00:00Z", 2),
              ElementsAre("Sun 2025-03-30T03:00:00+02:00", "Sat 2025-03-29T02:30:00+01:00"));
  EXPECT_THAT(FiresBefore("30 2 * * *", "Europe/Berlin", "2025-03-30T00:59:59Z", 1),
              ElementsAre("Sat 2025-03-29T02:30:00+01:00"));
}

TEST(CronTest, WhatWasSkippedFiresOnceTogetherWithWhatIsDueThen) {
  EXPECT_THAT(Fires("*/15 * * * *", "Europe/Berlin", "2025-03-30T00:30:00Z", 3),
              ElementsAre("Sun 2025-03-30T01:45:00+01:00", "Sun 2025-03-30T03:00:00+02:00",
                          "Sun 2025-03-30T03:15:00+02:00"));
  EXPECT_THAT(FiresBefore("*/15 * * * *", "Europe/Berlin", "2025-03-30T01:15:00Z", 3),
              ElementsAre("Sun 2025-03-30T03:15:00+02:00", "Sun 2025-03-30T03:00:00+02:00",
                          "Sun 2025-03-30T01:45:00+01:00"));
  // Also when nothing is due at that instant itself.
  EXPECT_THAT(Fires("10,40 * * * *", "Europe/Berlin", "2025-03-30T00:10:00Z", 3),
              ElementsAre("Sun 2025-03-30T01:40:00+01:00", "Sun 2025-03-30T03:00:00+02:00",
                          "Sun 2025-03-30T03:10:00+02:00"));
}

TEST(CronTest, ATimeThatHappensTwiceFiresOnceTheFirstTime) {
  EXPECT_THAT(Fires("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00Z", 2),
              ElementsAre("Sun 2025-10-26T02:30:00+02:00", "Mon 2025-10-27T02:30:00+01:00"));
  // Asked between the two, and just after the second.
  EXPECT_THAT(Fires("30 2 * * *", "Europe/Berlin", "2025-10-26T00:45:00Z", 1),
              ElementsAre("Mon 2025-10-27T02:30:00+01:00"));
  EXPECT_THAT(FiresBefore("30 2 * * *", "Europe/Berlin", "2025-10-26T01:31:00Z", 1),
              ElementsAre("Sun 2025-10-26T02:30:00+02:00"));
  EXPECT_THAT(Fires("30 1 * * *", "America/New_York", "2025-11-01T12:00:00Z", 2),
              ElementsAre("Sun 2025-11-02T01:30:00-04:00", "Mon 2025-11-03T01:30:00-05:00"));
}

TEST(CronTest, NoExpressionFiresInTheRepeatedHourNotEvenEveryMinute) {
  EXPECT_THAT(Fires("*/15 * * * *", "Europe/Berlin", "2025-10-26T00:15:00Z", 4),
              ElementsAre("Sun 2025-10-26T02:30:00+02:00", "Sun 2025-10-26T02:45:00+02:00",
                          "Sun 2025-10-26T03:00:00+01:00", "Sun 2025-10-26T03:15:00+01:00"));
  EXPECT_THAT(Fires("* * * * *", "Europe/Berlin", "2025-10-26T01:20:00Z", 1),
              ElementsAre("Sun 2025-10-26T03:00:00+01:00"));
  EXPECT_THAT(FiresBefore("* * * * *", "Europe/Berlin", "2025-10-26T01:20:00Z", 2),
              ElementsAre("Sun 2025-10-26T02:59:00+02:00", "Sun 2025-10-26T02:58:00+02:00"));
  EXPECT_THAT(Fires("0 * * * *", "America/New_York", "2025-11-02T04:30:00Z", 2),
              ElementsAre("Sun 2025-11-02T01:00:00-04:00", "Sun 2025-11-02T02:00:00-05:00"));
}

TEST(CronTest, LordHoweIslandShiftsByHalfAnHour) {
  EXPECT_THAT(Fires("15 * * * *", "Australia/Lord_Howe", "2025-10-04T14:30:00Z", 3),
              ElementsAre("Sun 2025-10-05T01:15:00+10:30", "Sun 2025-10-05T02:30:00+11:00",
                          "Sun 2025-10-05T03:15:00+11:00"));
  EXPECT_THAT(Fires("*/20 * * * *", "Australia/Lord_Howe", "2025-04-05T14:20:00Z", 3),
              ElementsAre("Sun 2025-04-06T01:40:00+11:00", "Sun 2025-04-06T02:00:00+10:30",
                          "Sun 2025-04-06T02:20:00+10:30"));
}

TEST(CronTest, ADayThatASwitchOfTheDateLineLeftOutFiresOnTheNext) {
  EXPECT_THAT(Fires("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00-10:00", 3),
              ElementsAre("Thu 2011-12-29T12:00:00-10:00", "Sat 2011-12-31T00:00:00+14:00",
                          "Sat 2011-12-31T12:00:00+14:00"));
  EXPECT_THAT(Fires("0 12 30 12 *", "Pacific/Apia", "2011-01-01T00:00:00Z", 2),
              ElementsAre("Sat 2011-12-31T00:00:00+14:00", "Sun 2012-12-30T12:00:00+14:00"));
  EXPECT_THAT(Fires("0 0 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", 2),
              ElementsAre("Sat 2011-12-31T00:00:00+14:00", "Sun 2012-01-01T00:00:00+14:00"));
}

TEST(CronTest, DaysWithoutAMidnightFireAtTheirFirstInstant) {
  EXPECT_THAT(Fires("@daily", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
              ElementsAre("Sun 2018-11-04T01:00:00-02:00", "Mon 2018-11-05T00:00:00-02:00"));
  EXPECT_THAT(Fires("@daily", "Africa/Cairo", "2023-04-27T12:00:00Z", 1),
              ElementsAre("Fri 2023-04-28T01:00:00+03:00"));
  EXPECT_THAT(Fires("@daily", "Asia/Beirut", "2022-03-26T12:00:00Z", 1),
              ElementsAre("Sun 2022-03-27T01:00:00+03:00"));
}

TEST(CronTest, ClocksThatAreSetBackAtMidnightReturnToADayThatIsOver) {
  EXPECT_THAT(Fires("0,30 0,23 * * *", "America/Sao_Paulo", "2018-02-18T00:00:00Z", 4),
              ElementsAre("Sat 2018-02-17T23:00:00-02:00", "Sat 2018-02-17T23:30:00-02:00",
                          "Sun 2018-02-18T00:00:00-03:00", "Sun 2018-02-18T00:30:00-03:00"));
  EXPECT_THAT(Fires("@daily", "Africa/Cairo", "2023-10-26T12:00:00Z", 1),
              ElementsAre("Fri 2023-10-27T00:00:00+02:00"));
}

TEST(CronTest, DublinsWinterTimeIsASavingOfItsOwnAndChangesNothing) {
  EXPECT_THAT(Fires("30 1 * * *", "Europe/Dublin", "2025-03-29T12:00:00Z", 2),
              ElementsAre("Sun 2025-03-30T02:00:00+01:00", "Mon 2025-03-31T01:30:00+01:00"));
  EXPECT_THAT(Fires("30 1 * * *", "Europe/Dublin", "2025-10-25T12:00:00Z", 2),
              ElementsAre("Sun 2025-10-26T01:30:00+01:00", "Mon 2025-10-27T01:30:00+00:00"));
}

TEST(CronTest, TrollShiftsByTwoHours) {
  EXPECT_THAT(Fires("45 * * * *", "Antarctica/Troll", "2025-03-30T00:00:00Z", 3),
              ElementsAre("Sun 2025-03-30T00:45:00+00:00", "Sun 2025-03-30T03:00:00+02:00",
                          "Sun 2025-03-30T03:45:00+02:00"));
  EXPECT_THAT(Fires("45 * * * *", "Antarctica/Troll", "2025-10-25T23:00:00Z", 3),
              ElementsAre("Sun 2025-10-26T01:45:00+02:00", "Sun 2025-10-26T02:45:00+02:00",
                          "Sun 2025-10-26T03:45:00+00:00"));
}

TEST(CronTest, RulesGoOnBeyondWhatDatabasesList) {
  EXPECT_THAT(Fires("30 2 * 3 *", "Europe/Berlin", "2199-03-30T12:00:00Z", 2),
              ElementsAre("Sun 2199-03-31T03:00:00+02:00", "Sat 2200-03-01T02:30:00+01:00"));
}

TEST(CronTest, AFirstValidInstantMayHaveSeconds) {
  // Liberia went from -00:44:30 to UTC at the midnight that began 1972-01-07.
  EXPECT_THAT(Fires("*/30 0 * * *", "Africa/Monrovia", "1972-01-06T01:15:00Z", 3),
              ElementsAre("Fri 1972-01-07T00:44:30+00:00", "Sat 1972-01-08T00:00:00+00:00",
                          "Sat 1972-01-08T00:30:00+00:00"));
}

// ---- What is refused.

constexpr char kNeedsFive[] =
    "; accepted: five fields (minute, hour, day of month, month, day of week), e.g. 30 2 * * "
    "mon-fri, or one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually";
constexpr char kMinutes[] =
    "; accepted: 0 to 59, with ranges 10-20, steps */15 or 0-30/10, and lists 0,30";
constexpr char kHours[] =
    "; accepted: 0 to 23, with ranges 9-17, steps */6 or 8-18/2, and lists 0,12";
constexpr char kDays[] =
    "; accepted: 1 to 31, with ranges 1-7, steps */2 or 1-15/7, and lists 1,15";
constexpr char kMonths[] =
    "; accepted: 1 to 12 or jan to dec, with ranges 1-6, steps */3 or 2-12/2, and lists jan,jul";
constexpr char kWeekdays[] =
    "; accepted: 0 to 7 (0 and 7 are Sunday) or sun to sat, with ranges mon-fri, steps 1-5/2, and "
    "lists sat,sun";

TEST(CronTest, FormsOfOtherProgramsAreRefusedWithWhatIsAccepted) {
  EXPECT_EQ(absl::StrCat("expression: is empty", kNeedsFive), Fault(" "));
  EXPECT_EQ(absl::StrCat("expression: has 1 field", kNeedsFive), Fault("*"));
  EXPECT_EQ(absl::StrCat("expression: has 4 fields", kNeedsFive), Fault("* * * *"));
  EXPECT_EQ(absl::StrCat("expression: has 8 fields", kNeedsFive), Fault("* * * * * * * *"));
  EXPECT_EQ(
      absl::StrCat("expression: has 6 fields; seconds and years are not supported", kNeedsFive),
      Fault("0 0 0 * * *"));
  EXPECT_EQ(
      absl::StrCat("expression: has 7 fields; seconds and years are not supported", kNeedsFive),
      Fault("0 0 0 * * ? 2025"));
  EXPECT_EQ(
      absl::StrCat("expression: @reboot names no time at which to expect anything", kNeedsFive),
      Fault("@reboot"));
  EXPECT_EQ(
      "expression: @every counts from no time of day; accepted: a heartbeat schedule with a "
      "timeout instead of a cron expression",
      Fault("@every 5m"));
  EXPECT_EQ(absl::StrCat("expression: \"@weekdays\" is not known", kNeedsFive), Fault("@weekdays"));
  EXPECT_EQ(
      "expression: begins with \"CRON_TZ=UTC\"; accepted: the time zone in the field time_zone",
      Fault("CRON_TZ=UTC 0 0 * * *"));
  EXPECT_EQ("expression: begins with \"TZ=UTC\"; accepted: the time zone in the field time_zone",
            Fault("TZ=UTC 0 0 * * *"));
  EXPECT_EQ("expression: is 257 bytes long; accepted: at most 256 bytes",
            Fault(std::string(257, '*')));
}

TEST(CronTest, WhatCountsFromTheEndOfAMonthIsRefused) {
  const auto day = [](std::string_view value) {
    return absl::StrCat("expression: the day of month \"", std::string(value),
                        "\" is not known: L, W and # are not supported", kDays);
  };
  for (const char* value : {"L", "l", "L-3", "15W", "LW"}) {
    EXPECT_EQ(day(value), Fault(absl::StrCat("0 0 ", value, " * *")));
  }
  const auto weekday = [](std::string_view value) {
    return absl::StrCat("expression: the day of week \"", std::string(value),
                        "\" is not known: L, W and # are not supported", kWeekdays);
  };
  for (const char* value : {"L", "5L", "friL", "5#2", "fri#2"}) {
    EXPECT_EQ(weekday(value), Fault(absl::StrCat("0 0 * * ", value)));
  }
}

TEST(CronTest, EveryFieldSaysWhatItAccepts) {
  EXPECT_EQ(absl::StrCat("expression: the minute \"60\" is outside of 0 to 59", kMinutes),
            Fault("60 * * * *"));
  EXPECT_EQ(absl::StrCat("expression: the hour \"24\" is outside of 0 to 23", kHours),
            Fault("0 24 * * *"));
  EXPECT_EQ(absl::StrCat("expression: the day of month \"0\" is outside of 1 to 31", kDays),
            Fault("0 0 0 * *"));
  EXPECT_EQ(absl::StrCat("expression: the month \"13\" is outside of 1 to 12", kMonths),
            Fault("0 0 * 1,13 *"));
  EXPECT_EQ(absl::StrCat("expression: the day of week \"8\" is outside of 0 to 7", kWeekdays),
            Fault("0 0 * * 5-8"));
  EXPECT_EQ(absl::StrCat("expression: the minute \"99999\" is outside of 0 to 59", kMinutes),
            Fault("99999 * * * *"));
  EXPECT_EQ(absl::StrCat("expression: the month \"sept\" is not known", kMonths),
            Fault("0 0 * sept *"));
  EXPECT_EQ(absl::StrCat("expression: the day of week \"monday\" is not known", kWeekdays),
            Fault("0 0 * * monday"));
  EXPECT_EQ(absl::StrCat("expression: the hour \"mon\" is not known", kHours),
            Fault("0 mon * * *"));
  EXPECT_EQ("expression: the day of week \"?\" is not known; accepted: * for any",
            Fault("0 0 1 * ?"));
  for (const char* value : {"H", "~", "-5", "+5", "*-5", "1-5-9", "5-", "1.5", "a", "**"}) {
    EXPECT_EQ(absl::StrCat("expression: the minute \"", value, "\" is not known", kMinutes),
              Fault(absl::StrCat(value, " * * * *")));
  }
  for (const char* value : {",", "0,", ",0", "0,,1"}) {
    EXPECT_EQ(absl::StrCat("expression: the minute \"", value,
                           "\" has nothing on one side of a comma", kMinutes),
              Fault(absl::StrCat(value, " * * * *")));
  }
}

TEST(CronTest, AllWrongFieldsAreToldAtOnce) {
  EXPECT_EQ(absl::StrCat("expression: the minute \"61\" is outside of 0 to 59", kMinutes,
                         "\nexpression: the month \"x\" is not known", kMonths),
            Fault("61 0 * x *"));
}

TEST(CronTest, StepsNeedARangeAndASizeThatTheFieldHas) {
  EXPECT_EQ("expression: the minute \"5/15\" has a step but no range; accepted: 5-59/15",
            Fault("5/15 * * * *"));
  EXPECT_EQ("expression: the day of week \"mon/2\" has a step but no range; accepted: 1-6/2",
            Fault("0 0 * * mon/2"));
  for (const char* value : {"*/0", "*/61", "*/", "*/x", "*/-1", "*/5/5", "0-9/99999"}) {
    EXPECT_EQ(absl::StrCat("expression: the minute \"", value,
                           "\" has no step of 1 to 60; accepted: */1 to */60"),
              Fault(absl::StrCat(value, " * * * *")));
  }
  EXPECT_EQ("expression: the hour \"*/25\" has no step of 1 to 24; accepted: */1 to */24",
            Fault("0 */25 * * *"));
  EXPECT_THAT(Fires("*/60 */24 * * *", "UTC", "2025-06-01T00:00:00Z", 1),
              ElementsAre("Mon 2025-06-02T00:00:00+00:00"));
}

TEST(CronTest, RangesRunForwards) {
  EXPECT_EQ("expression: the hour \"22-2\" is a range that runs backwards; accepted: 22-23,0-2",
            Fault("0 22-2 * * *"));
  EXPECT_EQ("expression: the month \"nov-feb\" is a range that runs backwards; accepted: 11-12,1-2",
            Fault("0 0 * nov-feb *"));
  EXPECT_EQ(
      "expression: the day of week \"fri-mon\" is a range that runs backwards; accepted: "
      "5-6,0-1",
      Fault("0 0 * * fri-mon"));
  EXPECT_EQ("expression: the day of week \"sat-sun\" is a range that runs backwards; accepted: 6-7",
            Fault("0 0 * * sat-sun"));
}

TEST(CronTest, WhatNeverFiresIsRefused) {
  EXPECT_EQ(
      "expression: never fires: no month of \"2\" has a day \"30\"; accepted: a day of month "
      "that a month of the expression has",
      Fault("0 0 30 2 *"));
  EXPECT_THAT(Fault("0 0 31 4,6,9,nov *"), StartsWith("expression: never fires"));
  // Since a day needs both then.
  EXPECT_THAT(Fault("0 0 30 2 */2"), StartsWith("expression: never fires"));
  EXPECT_EQ("accepted: 0 0 29 2 *", Fault("0 0 29 2 *"));
  EXPECT_EQ("accepted: 0 0 31 4,5 *", Fault("0 0 31 4,5 *"));
}

TEST(CronTest, WhatIsNoTextIsShownClean) {
  EXPECT_EQ(absl::StrCat("expression: the minute \"\xEF\xBF\xBD\" is not known", kMinutes),
            Fault("\xff * * * *"));
}

}  // namespace
}  // namespace tocsin::core
