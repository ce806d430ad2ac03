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

}  // namespace

size_t QuantileIndex(size_t count, double part) {
  // Less what rounding adds: 0.9 of 10 are 9.
  const double rank = std::ceil(part * static_cast<double>(count) - 1e-9);
  return std::min(static_cast<size_t>(std::max(rank, 1.0)), count) - 1;
}

Distribution DistributionOf(std::vector<double> numbers, Scale scale) {
  Distribution spread;
  if (numbers.empty()) return spread;
  std::sort(numbers.begin(), numbers.end());
  const auto count = static_cast<double>(numbers.size());
  spread.count = static_cast<int64_t>(numbers.size());
  spread.min = numbers.front();
  spread.max = numbers.back();
  // Divided before it is added up: a sum of doubles may be none.
  for (const double number : numbers) spread.mean += number / count;
  const auto at = [&](double part) { return numbers[QuantileIndex(numbers.size(), part)]; };
  spread.p50 = at(0.5);
  spread.p90 = at(0.9);
  spread.p99 = at(0.99);
  spread.p999 = at(0.999);
  for (const double number : numbers) {
    const Distribution::Bucket bucket = scale == Scale::kLogarithmic
                                            ? LogarithmicBucket(number)
                                            : LinearBucket(number, spread.min, spread.max);
    if (spread.buckets.empty() || spread.buckets.back().low != bucket.low) {
      spread.buckets.push_back(bucket);
    }
    ++spread.buckets.back().count;
  }
  return spread;
}

}  // namespace tocsin::core
