// How many numbers fell into which bucket.
#include "services/core/domain/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tocsin::core {
namespace {

constexpr double kPerDoubling = 16;

// Where the bucket with that number begins; the first is 1.
double StartOf(int32_t bucket) { return kFinest * std::exp2((bucket - 1) / kPerDoubling); }

}  // namespace

int32_t BucketOf(double number) {
  const double size = std::abs(number);
  if (!(size >= kFinest)) return 0;
  const double step = std::floor((std::log2(size) - std::log2(kFinest)) * kPerDoubling);
  auto bucket = static_cast<int32_t>(std::clamp(step + 1, 1.0, static_cast<double>(kLastBucket)));
  // Logarithms are not exact at the bounds.
  if (bucket < kLastBucket && size >= StartOf(bucket + 1)) ++bucket;
  if (bucket > 1 && size < StartOf(bucket)) --bucket;
  return number < 0 ? -bucket : bucket;
}

double BucketInnerEnd(int32_t bucket) {
  return bucket == 0 ? 0 : std::copysign(StartOf(std::abs(bucket)), bucket);
}

double BucketOuterEnd(int32_t bucket) {
  return bucket == 0 ? 0 : std::copysign(StartOf(std::abs(bucket) + 1), bucket);
}

void Histogram::Add(double number) {
  ++buckets[BucketOf(number)];
  min = count == 0 ? number : std::min(min, number);
  max = count == 0 ? number : std::max(max, number);
  ++count;
  // Parts of a mean: a sum of doubles may be none.
  const double part = 1 / static_cast<double>(count);
  mean = mean * (1 - part) + number * part;
}

void Histogram::Add(const Histogram& more) {
  if (more.count == 0) return;
  if (count == 0) {
    *this = more;
    return;
  }
  for (const auto& [bucket, its] : more.buckets) buckets[bucket] += its;
  min = std::min(min, more.min);
  max = std::max(max, more.max);
  count += more.count;
  const double part = static_cast<double>(more.count) / static_cast<double>(count);
  mean = mean * (1 - part) + more.mean * part;
}

Histogram Histogram::UpTo(double most) const {
  if (max <= most) return *this;
  Histogram kept;
  for (const auto& [bucket, its] : buckets) {
    const double bound = BoundOf(bucket);
    if (bound > most) break;
    Histogram part;
    part.buckets[bucket] = part.count = its;
    part.min = std::max(BucketInnerEnd(bucket), min);
    part.max = bound;
    part.mean = MiddleOf(bucket);
    kept.Add(part);
  }
  return kept;
}

double Histogram::BoundOf(int32_t bucket) const {
  // The last one of each sign has no outer end.
  if (bucket == kLastBucket) return max;
  const double end = bucket > 0 ? BucketOuterEnd(bucket) : BucketInnerEnd(bucket);
  return std::clamp(end, min, max);
}

double Histogram::MiddleOf(int32_t bucket) const {
  const double middle = std::sqrt(BucketInnerEnd(bucket) * BucketOuterEnd(bucket));
  return std::clamp(std::copysign(middle, bucket), min, max);
}

}  // namespace tocsin::core
