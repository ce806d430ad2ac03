// How numbers are spread.
#include "services/core/domain/distribution.h"

#include <algorithm>
#include <cmath>

namespace tocsin::core {
namespace {

constexpr int kLinearBuckets = 20;
constexpr double kPerDoubling = 8;
constexpr double kSmallest = 1e-3;

Distribution::Bucket LogarithmicBucket(double number) {
  if (number < kSmallest) return {.low = 0, .high = kSmallest};
  double step = std::floor(std::log2(number / kSmallest) * kPerDoubling);
  const auto bound = [](double at) { return kSmallest * std::exp2(at / kPerDoubling); };
  // Logarithms are not exact at the bounds.
  if (number >= bound(step + 1)) ++step;
  if (number < bound(step)) --step;
  return {.low = bound(step), .high = bound(step + 1)};
}

Distribution::Bucket LinearBucket(double number, double min, double max) {
  if (min == max) return {.low = min, .high = max};
  // Halves: the span of two doubles may be none.
  const double part = (number / 2 - min / 2) / (max / 2 - min / 2);
  const double step = std::min(std::floor(part * kLinearBuckets), kLinearBuckets - 1.0);
  const auto bound = [&](double at) {
    return min * (1 - at / kLinearBuckets) + max * (at / kLinearBuckets);
  };
  return {.low = bound(step), .high = bound(step + 1)};
}

// A number, and how often it is there.
struct Weighted {
  double number = 0;
  int64_t count = 1;
};

// Ascending; `stand_in` is what stands for the numbers of a bucket.
std::vector<Weighted> Sorted(const std::vector<double>& numbers, const Histogram& more,
                             double (Histogram::*stand_in)(int32_t) const) {
  std::vector<Weighted> all;
  all.reserve(numbers.size() + more.buckets.size());
  for (const double number : numbers) all.push_back({.number = number});
  for (const auto& [bucket, count] : more.buckets) {
    all.push_back({.number = (more.*stand_in)(bucket), .count = count});
  }
  std::sort(all.begin(), all.end(),
            [](const Weighted& a, const Weighted& b) { return a.number < b.number; });
  return all;
}

double QuantileIn(const std::vector<Weighted>& ascending, int64_t count, double part) {
  auto left = static_cast<int64_t>(QuantileIndex(static_cast<size_t>(count), part));
  for (const Weighted& each : ascending) {
    if (left < each.count) return each.number;
    left -= each.count;
  }
  return ascending.back().number;
}

Distribution::Bucket BucketOf(const Weighted& each, Scale scale, const Distribution& spread) {
  return scale == Scale::kLogarithmic ? LogarithmicBucket(each.number)
                                      : LinearBucket(each.number, spread.min, spread.max);
}

}  // namespace

size_t QuantileIndex(size_t count, double part) {
  // Less what rounding adds: 0.9 of 10 are 9.
  const double rank = std::ceil(part * static_cast<double>(count) - 1e-9);
  return std::min(static_cast<size_t>(std::max(rank, 1.0)), count) - 1;
}

double QuantileOf(std::vector<double> numbers, const Histogram& more, double part) {
  const int64_t count = static_cast<int64_t>(numbers.size()) + more.count;
  return count == 0 ? 0 : QuantileIn(Sorted(numbers, more, &Histogram::BoundOf), count, part);
}

Distribution DistributionOf(std::vector<double> numbers, Scale scale, const Histogram& more) {
  Distribution spread;
  spread.count = static_cast<int64_t>(numbers.size()) + more.count;
  if (spread.count == 0) return spread;
  const auto count = static_cast<double>(spread.count);
  const std::vector<Weighted> all = Sorted(numbers, more, &Histogram::BoundOf);
  spread.min = more.count == 0 ? all.front().number : more.min;
  spread.max = more.count == 0 ? all.back().number : more.max;
  // Divided before it is added up: a sum of doubles may be none.
  spread.mean = more.mean * (static_cast<double>(more.count) / count);
  for (const double number : numbers) {
    spread.min = std::min(spread.min, number);
    spread.max = std::max(spread.max, number);
    spread.mean += number / count;
  }
  spread.p50 = QuantileIn(all, spread.count, 0.5);
  spread.p90 = QuantileIn(all, spread.count, 0.9);
  spread.p99 = QuantileIn(all, spread.count, 0.99);
  spread.p999 = QuantileIn(all, spread.count, 0.999);
  for (const Weighted& each : Sorted(numbers, more, &Histogram::MiddleOf)) {
    const Distribution::Bucket bucket = BucketOf(each, scale, spread);
    if (spread.buckets.empty() || spread.buckets.back().low != bucket.low) {
      spread.buckets.push_back(bucket);
    }
    spread.buckets.back().count += each.count;
  }
  return spread;
}

}  // namespace tocsin::core
