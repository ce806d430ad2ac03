// Spans of time as lists of intervals: what lies in them, and how long they are together.
#pragma once

#include <vector>

#include "absl/time/time.h"

namespace tocsin::core {

// From `start` on and before `end`. Either may be infinite.
struct Interval {
  absl::Time start;
  absl::Time end;

  friend bool operator==(const Interval&, const Interval&) = default;
};

// In order, apart from each other, and none empty: what Merged makes of any list.
using Intervals = std::vector<Interval>;

// The instants that lie in any of them. Those that end before they start are none.
Intervals Merged(std::vector<Interval> any);
// The instants of `from` that are not in `what`.
Intervals Without(const Intervals& from, const Intervals& what);
// The instants that lie in both.
Intervals Within(const Intervals& intervals, const Interval& window);
absl::Duration LengthOf(const Intervals& intervals);
// Whether an instant lies in both. An empty `span` is its start.
bool Meet(const Intervals& intervals, const Interval& span);
// Whether all of it lies in them. An empty `span` is its start.
bool Cover(const Intervals& intervals, const Interval& span);

}  // namespace tocsin::core
