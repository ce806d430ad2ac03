// When a cron expression fires.
//
// The search runs on the local calendar, by month, day, hour and minute, and knows nothing of time
// zones; what a zone does to it is in Reached() and FireTime().
#include "services/core/domain/cron.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "common/any_string_view.h"

namespace tocsin::core {
namespace {

// A 29 February on a given weekday comes after at most 40 years (across 1900, 2100, …), and nothing
// that is allowed is rarer.
constexpr int kLongestWaitMonths = 40 * 12;

// 0001-01-01 and 9999-12-31T23:59:59, UTC.
constexpr absl::Time kFirstTime = absl::FromUnixSeconds(-62135596800);
constexpr absl::Time kLastTime = absl::FromUnixSeconds(253402300799);

// The bits from n on, and those up to n.
uint64_t From(int n) { return ~uint64_t{0} << n; }
uint64_t UpTo(int n) { return ~From(n + 1); }

int Lowest(uint64_t bits) { return std::countr_zero(bits); }
int Highest(uint64_t bits) { return std::bit_width(bits) - 1; }

int DaysIn(absl::CivilMonth month) {
  return static_cast<int>(absl::CivilDay(month + 1) - absl::CivilDay(month));
}

// The days of the month that are allowed, day n as bit n.
uint64_t DaysOf(const CronFields& fields, absl::CivilMonth month) {
  if ((fields.months >> month.month() & 1) == 0) return 0;
  // Six weeks in a row, of which the month begins within the first.
  uint64_t weeks = 0;
  for (int week = 0; week < 6; ++week) weeks |= fields.weekdays << (7 * week);
  // absl counts weekdays from Monday, 0.
  const int first = (static_cast<int>(absl::GetWeekday(absl::CivilDay(month))) + 1) % 7;
  const uint64_t by_weekday = weeks >> first << 1;
  const uint64_t days = fields.either_day ? fields.days | by_weekday : fields.days & by_weekday;
  return days & From(1) & UpTo(DaysIn(month));
}

struct TimeOfDay {
  int hour;
  int minute;
};

absl::CivilMinute At(absl::CivilDay day, TimeOfDay time) {
  return absl::CivilMinute(day.year(), day.month(), day.day(), time.hour, time.minute);
}

// The first day that is allowed, from `from` on.
std::optional<absl::CivilDay> FirstDay(const CronFields& fields, absl::CivilDay from) {
  absl::CivilMonth month(from);
  uint64_t days = DaysOf(fields, month) & From(from.day());
  for (int waited = 0; days == 0; ++waited) {
    if (waited == kLongestWaitMonths) return std::nullopt;
    days = DaysOf(fields, ++month);
  }
  return absl::CivilDay(month) + (Lowest(days) - 1);
}

// The last day that is allowed, up to `until`.
std::optional<absl::CivilDay> LastDay(const CronFields& fields, absl::CivilDay until) {
  absl::CivilMonth month(until);
  uint64_t days = DaysOf(fields, month) & UpTo(until.day());
  for (int waited = 0; days == 0; ++waited) {
    if (waited == kLongestWaitMonths) return std::nullopt;
    days = DaysOf(fields, --month);
  }
  return absl::CivilDay(month) + (Highest(days) - 1);
}

// The first minute that is allowed, from `from` on.
std::optional<absl::CivilMinute> FirstMinute(const CronFields& fields, absl::CivilMinute from) {
  const TimeOfDay first = {Lowest(fields.hours), Lowest(fields.minutes)};
  std::optional<TimeOfDay> rest_of_day;
  const uint64_t minutes = fields.minutes & From(from.minute());
  const uint64_t later_hours = fields.hours & From(from.hour() + 1);
  if ((fields.hours >> from.hour() & 1) != 0 && minutes != 0) {
    rest_of_day = TimeOfDay{from.hour(), Lowest(minutes)};
  } else if (later_hours != 0) {
    rest_of_day = TimeOfDay{Lowest(later_hours), first.minute};
  }
  const absl::CivilDay today(from);
  const std::optional<absl::CivilDay> day =
      FirstDay(fields, rest_of_day.has_value() ? today : today + 1);
  if (!day.has_value()) return std::nullopt;
  return At(*day, *day == today ? *rest_of_day : first);
}

// The last minute that is allowed, up to `until`.
std::optional<absl::CivilMinute> LastMinute(const CronFields& fields, absl::CivilMinute until) {
  const TimeOfDay last = {Highest(fields.hours), Highest(fields.minutes)};
  std::optional<TimeOfDay> so_far_today;
  const uint64_t minutes = fields.minutes & UpTo(until.minute());
  const uint64_t earlier_hours = fields.hours & UpTo(until.hour() - 1);
  if ((fields.hours >> until.hour() & 1) != 0 && minutes != 0) {
    so_far_today = TimeOfDay{until.hour(), Highest(minutes)};
  } else if (earlier_hours != 0) {
    so_far_today = TimeOfDay{Highest(earlier_hours), last.minute};
  }
  const absl::CivilDay today(until);
  const std::optional<absl::CivilDay> day =
      LastDay(fields, so_far_today.has_value() ? today : today - 1);
  if (!day.has_value()) return std::nullopt;
  return At(*day, *day == today ? *so_far_today : last);
}

// The latest that the clock on the wall has shown at `time`: more than it shows then, if it was set
// back and has not caught up.
absl::CivilMinute Reached(absl::Time time, const absl::TimeZone& zone) {
  const absl::CivilSecond shown = zone.At(time).cs;
  const absl::TimeZone::TimeInfo info = zone.At(shown);
  if (info.kind != absl::TimeZone::TimeInfo::REPEATED || time < info.trans) {
    return absl::CivilMinute(shown);
  }
  return absl::CivilMinute(shown + absl::ToInt64Seconds(info.trans - info.pre) - 1);
}

absl::Time FireTime(absl::CivilMinute minute, const absl::TimeZone& zone) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(minute));
  // `pre` is the only instant that reads so, or the first of two.
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

}  // namespace

absl::StatusOr<CronExpression> CronExpression::Parse(std::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(AnyStringView(text).absl());
  absl::StatusOr<CronFields> fields = ParseCronFields(AnyStringView(trimmed).std());
  if (!fields.ok()) return fields.status();
  return CronExpression(std::string(trimmed), *fields);
}

absl::Time CronExpression::Next(absl::Time after, const absl::TimeZone& zone) const {
  if (after >= kLastTime) return absl::InfiniteFuture();
  const absl::CivilMinute reached = Reached(std::max(after, kFirstTime), zone);
  const std::optional<absl::CivilMinute> minute = FirstMinute(fields_, reached + 1);
  return minute.has_value() ? FireTime(*minute, zone) : absl::InfiniteFuture();
}

absl::Time CronExpression::Previous(absl::Time at, const absl::TimeZone& zone) const {
  if (at < kFirstTime) return absl::InfinitePast();
  const absl::CivilMinute reached = Reached(std::min(at, kLastTime), zone);
  const std::optional<absl::CivilMinute> minute = LastMinute(fields_, reached);
  return minute.has_value() ? FireTime(*minute, zone) : absl::InfinitePast();
}

}  // namespace tocsin::core
