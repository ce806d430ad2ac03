// What holds of random cron expressions in random zones at random times, judged by a clock that
// knows nothing of calendars: it walks through time minute by minute and looks at the wall.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "services/core/domain/cron.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {
namespace {

// Before, some zones have offsets of seconds, in which the walker could not walk by minutes.
constexpr absl::CivilSecond kFirstYear(1973);
constexpr absl::CivilSecond kLastYear(2200);
// Longer than any zone was set forward or back.
constexpr absl::Duration kLongestShift = absl::Hours(25);

constexpr const char* kZones[] = {
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Moscow",
    "Europe/Istanbul",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Caracas",
    "America/Havana",
    "America/Godthab",
    "America/Scoresbysund",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kwajalein",
    "Pacific/Kiritimati",
};

// One field: its text, and what it allows, made together so that no parser is needed.
struct Field {
  std::string text;
  std::set<int> values;
};

struct Expression {
  Field minute, hour, day, month, weekday;

  std::string text() const {
    return absl::StrCat(minute.text, " ", hour.text, " ", day.text, " ", month.text, " ",
                        weekday.text);
  }
  bool AllowsDay(absl::CivilDay date) const {
    if (!month.values.contains(date.month())) return false;
    const int from_monday = static_cast<int>(absl::GetWeekday(date));
    const bool by_day = day.values.contains(date.day());
    const bool by_weekday = weekday.values.contains(from_monday + 1) ||
                            (from_monday == 6 && weekday.values.contains(0));
    if (day.text[0] == '*' || weekday.text[0] == '*') return by_day && by_weekday;
    return by_day || by_weekday;
  }
  bool Allows(absl::CivilMinute time) const {
    return minute.values.contains(time.minute()) && hour.values.contains(time.hour()) &&
           AllowsDay(absl::CivilDay(time));
  }
};

class CronProperty : public ::testing::Test {
 protected:
  CronProperty() {
    const char* given = std::getenv("TOCSIN_TEST_SEED");
    const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                                           : static_cast<uint64_t>(std::random_device{}());
    random_.seed(seed);
    RecordProperty("seed", std::to_string(seed));
    printf("seed %llu\n", static_cast<unsigned long long>(seed));
  }

  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Int(1, 100) <= percent; }

  // A list of up to three items; `*` alone in `star_percent` of all cases.
  Field AnyField(int min, int max, int star_percent) {
    Field field;
    if (Chance(star_percent)) return Item(min, max, /*kind=*/0);
    for (int items = Int(1, 3); items > 0; --items) {
      const Field item = Item(min, max, Int(1, 4));
      absl::StrAppend(&field.text, field.text.empty() ? "" : ",", item.text);
      field.values.insert(item.values.begin(), item.values.end());
    }
    return field;
  }

  // `*`, `*/n`, `a`, `a-b` or `a-b/n`.
  Field Item(int min, int max, int kind) {
    int first = min, last = max, step = 1;
    std::string text = "*";
    if (kind >= 2) {
      first = Int(min, max);
      last = kind == 2 ? first : Int(first, max);
      text = kind == 2 ? absl::StrCat(first) : absl::StrCat(first, "-", last);
    }
    if (kind == 1 || kind == 4) {
      step = Int(1, std::min(max, 20) / 2);
      absl::StrAppend(&text, "/", step);
    }
    Field field = {.text = text, .values = {}};
    for (int value = first; value <= last; value += step) field.values.insert(value);
    return field;
  }

  Expression AnyExpression() {
    Expression expression = {.minute = AnyField(0, 59, 20),
                             .hour = AnyField(0, 23, 50),
                             .day = AnyField(1, 31, 60),
                             .month = AnyField(1, 12, 80),
                             .weekday = AnyField(0, 7, 60)};
    // Clocks are set at night.
    if (Chance(30)) expression.hour = Item(0, 3, 2);
    return expression;
  }

  // Whole minutes, often shortly before or after the zone's clocks are set.
  absl::Time AnyTime(const absl::TimeZone& zone) {
    const absl::TimeZone utc = absl::UTCTimeZone();
    const int64_t first = absl::ToUnixSeconds(absl::FromCivil(kFirstYear, utc)) / 60;
    const int64_t last = absl::ToUnixSeconds(absl::FromCivil(kLastYear, utc)) / 60;
    absl::Time time = absl::UnixEpoch() +
                      absl::Minutes(std::uniform_int_distribution<int64_t>(first, last)(random_));
    absl::TimeZone::CivilTransition transition;
    if (Chance(70) && zone.NextTransition(time, &transition)) {
      time = zone.At(transition.from).trans + absl::Minutes(Int(-600, 300));
    }
    return time;
  }

  std::mt19937_64 random_;
};

// The fire times in (after, until]: at every minute what the wall newly reads is looked up, be it
// one minute, none while the clock catches up, or many at once.
std::vector<absl::Time> Walk(const Expression& expression, const absl::TimeZone& zone,
                             absl::Time after, absl::Time until) {
  std::vector<absl::Time> fires;
  absl::CivilMinute furthest(zone.At(after - kLongestShift).cs);
  for (absl::Time time = after - kLongestShift; time <= until; time += absl::Minutes(1)) {
    const absl::CivilMinute shown(zone.At(time).cs);
    bool fires_now = false;
    for (; furthest < shown; ++furthest) fires_now |= expression.Allows(furthest + 1);
    if (fires_now && time > after) fires.push_back(time);
  }
  return fires;
}

TEST_F(CronProperty, FireTimesAreThoseThatAWalkFinds) {
  constexpr int kRounds = 1500;
  int found = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Expression expression = AnyExpression();
    const absl::StatusOr<CronExpression> cron = CronExpression::Parse(expression.text());
    if (!cron.ok()) continue;  // it never fires: see the next test
    const absl::TimeZone zone = *FindTimeZone(kZones[Int(0, std::size(kZones) - 1)]);
    const absl::Time start = AnyTime(zone);
    const absl::Time end = start + absl::Hours(Int(6, 72));
    SCOPED_TRACE(absl::StrCat(expression.text(), " in ", zone.name(), " after ",
                              absl::FormatTime(start, absl::UTCTimeZone())));

    absl::Time previous = start;
    for (const absl::Time fire : Walk(expression, zone, start, end)) {
      ASSERT_EQ(fire, cron->Next(previous, zone));
      // What was asked for and when does not matter between two fire times.
      ASSERT_EQ(fire, cron->Next(fire - absl::Nanoseconds(1), zone));
      ASSERT_EQ(fire, cron->Previous(fire, zone));
      if (previous != start) {
        const absl::Time between = previous + (fire - previous) * (Int(0, 99) / 100.0);
        ASSERT_EQ(fire, cron->Next(between, zone));
        ASSERT_EQ(previous, cron->Previous(between, zone));
      }
      previous = fire;
      ++found;
    }
    ASSERT_LT(end, cron->Next(previous, zone));
    if (previous != start) {
      ASSERT_EQ(previous, cron->Previous(end, zone));
    }
  }
  EXPECT_LT(kRounds, found);
}

TEST_F(CronProperty, FireDaysAreThoseOfTheCalendarOver230Years) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  for (int round = 0; round < 40; ++round) {
    Expression expression = AnyExpression();
    expression.minute = {.text = "7", .values = {7}};
    expression.hour = {.text = "11", .values = {11}};
    if (Chance(50)) expression.month = {.text = "2", .values = {2}};
    if (Chance(50)) expression.day = Item(28, 31, 2);
    SCOPED_TRACE(expression.text());
    const absl::StatusOr<CronExpression> cron = CronExpression::Parse(expression.text());

    absl::Time previous = absl::FromCivil(absl::CivilDay(1970), utc);
    bool fired = false;
    for (absl::CivilDay day(1970); day.year() < 2200; ++day) {
      if (!expression.AllowsDay(day)) continue;
      ASSERT_TRUE(cron.ok()) << cron.status();
      const absl::Time fire = absl::FromCivil(absl::CivilMinute(day) + 11 * 60 + 7, utc);
      ASSERT_EQ(fire, cron->Next(previous, utc));
      if (fired) {
        ASSERT_EQ(previous, cron->Previous(fire - absl::Seconds(1), utc));
      }
      fired = true;
      previous = fire;
    }
    // In 230 years everything fires that ever does.
    ASSERT_EQ(fired, cron.ok());
  }
}

TEST_F(CronProperty, ForwardsAndBackwardsMeet) {
  for (int round = 0; round < 20000; ++round) {
    const absl::StatusOr<CronExpression> cron = CronExpression::Parse(AnyExpression().text());
    if (!cron.ok()) continue;
    const absl::TimeZone zone = *FindTimeZone(kZones[Int(0, std::size(kZones) - 1)]);
    const absl::Time time = AnyTime(zone) + absl::Milliseconds(Int(0, 59999));
    SCOPED_TRACE(absl::StrCat(cron->text(), " in ", zone.name(), " at ",
                              absl::FormatTime(time, absl::UTCTimeZone())));
    const absl::Time before = cron->Previous(time, zone);
    const absl::Time after = cron->Next(time, zone);
    ASSERT_LE(before, time);
    ASSERT_LT(time, after);
    ASSERT_EQ(after, cron->Next(before, zone));
    ASSERT_EQ(before, cron->Previous(after - absl::Nanoseconds(1), zone));
    ASSERT_EQ(after, cron->Previous(after, zone));
  }
}

}  // namespace
}  // namespace tocsin::core
