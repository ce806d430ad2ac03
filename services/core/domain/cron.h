// When a cron expression fires.
//
// Five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @midnight,
// @weekly, @monthly, @yearly, @annually. A field is a list of `*`, values and ranges; `*` and
// ranges may have a step. Months and weekdays have names of three letters in any case; Sunday is 0
// and 7. A range runs forwards: 22-2 is refused. A step is at most the number of values of its
// field, and needs a range: 5/15 is refused. docs/cron.md has all of it with examples, and what
// other programs do differently.
//
// Days are those of cron of Debian: a field of days is restricted unless its first character is
// `*`. If both are restricted, a day needs to fulfil one of them; otherwise both, so that with
// `*/2` in a field of days a day is among those and in the other field.
//
// Daylight saving, literally the same for every expression: every minute of the local calendar that
// the fields allow fires once, at the first instant at which the clock on the wall reads it or,
// having been set forward, something later. So what was skipped fires at the first valid instant
// after it, once however many minutes fall together there; and nothing fires while the clock, set
// back, goes through what it has shown before, not even `* * * * *`.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/cron_fields.h"

namespace tocsin::core {

// Immutable; cheap to copy; safe to use from many threads.
class CronExpression {
 public:
  // INVALID_ARGUMENT on the field "expression": says which of the five fields is wrong and what
  // would be accepted. An expression that never fires (0 0 30 2 *) is wrong, too.
  static absl::StatusOr<CronExpression> Parse(std::string_view text);

  // As it was written, without blanks around it.
  const std::string& text() const { return text_; }

  // The first fire time after `after`, not at it. Time is that of the years 1 to 9999: before it
  // the first one, after it InfiniteFuture.
  absl::Time Next(absl::Time after, const absl::TimeZone& zone) const;
  // The last fire time at or before `at`. Before the year 1 InfinitePast; after 9999 the last one.
  absl::Time Previous(absl::Time at, const absl::TimeZone& zone) const;

  // Whether they are written alike. (`@daily` fires like `0 0 * * *`, but a person who wrote one
  // does not want to read the other.)
  friend bool operator==(const CronExpression& a, const CronExpression& b) {
    return a.text_ == b.text_;
  }

 private:
  CronExpression(std::string text, const CronFields& fields)
      : text_(std::move(text)), fields_(fields) {}

  std::string text_;
  CronFields fields_;
};

}  // namespace tocsin::core
