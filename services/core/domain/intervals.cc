// Spans of time as lists of intervals.
#include "services/core/domain/intervals.h"

#include <algorithm>

namespace tocsin::core {
namespace {

// The first that ends after `at`.
Intervals::const_iterator FirstAfter(const Intervals& intervals, absl::Time at) {
  return std::upper_bound(
      intervals.begin(), intervals.end(), at,
      [](absl::Time time, const Interval& interval) { return time < interval.end; });
}

}  // namespace

Intervals Merged(std::vector<Interval> any) {
  std::sort(any.begin(), any.end(),
            [](const Interval& a, const Interval& b) { return a.start < b.start; });
  Intervals merged;
  for (const Interval& interval : any) {
    if (interval.end <= interval.start) continue;
    if (merged.empty() || merged.back().end < interval.start) {
      merged.push_back(interval);
    } else {
      merged.back().end = std::max(merged.back().end, interval.end);
    }
  }
  return merged;
}

Intervals Without(const Intervals& from, const Intervals& what) {
  Intervals left;
  if (from.empty()) return left;
  auto hole = FirstAfter(what, from.front().start);
  for (const Interval& interval : from) {
    absl::Time start = interval.start;
    while (hole != what.end() && hole->end <= start) ++hole;
    for (auto it = hole; it != what.end() && it->start < interval.end; ++it) {
      if (start < it->start) left.push_back({.start = start, .end = it->start});
      start = std::max(start, it->end);
    }
    if (start < interval.end) left.push_back({.start = start, .end = interval.end});
  }
  return left;
}

Intervals Within(const Intervals& intervals, const Interval& window) {
  Intervals both;
  for (auto it = FirstAfter(intervals, window.start);
       it != intervals.end() && it->start < window.end; ++it) {
    both.push_back(
        {.start = std::max(it->start, window.start), .end = std::min(it->end, window.end)});
  }
  return both;
}

absl::Duration LengthOf(const Intervals& intervals) {
  absl::Duration length;
  for (const Interval& interval : intervals) length += interval.end - interval.start;
  return length;
}

bool Meet(const Intervals& intervals, const Interval& span) {
  const auto first = FirstAfter(intervals, span.start);
  return first != intervals.end() && (first->start < span.end || first->start <= span.start);
}

bool Cover(const Intervals& intervals, const Interval& span) {
  const auto first = FirstAfter(intervals, span.start);
  return first != intervals.end() && first->start <= span.start && span.end <= first->end;
}

}  // namespace tocsin::core
