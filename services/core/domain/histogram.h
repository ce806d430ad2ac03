// How many numbers fell into which bucket: small, and as good after it was added to others.
#pragma once

#include <cstdint>
#include <map>

namespace tocsin::core {

// Buckets of one sign follow each other by 2^(1/16), 4.4 %, which is the resolution: a number is
// known to lie in its bucket, between kFinest and kCoarsest times as large; what is nearer to 0
// counts as 0, what is larger as in the last bucket. Two buckets are one of Scale::kLogarithmic.
// So a histogram has 3,201 buckets at most; of spans of time between a millisecond and a year,
// 559.
inline constexpr double kBucketRatio = 1.0442737824274138;
inline constexpr double kFinest = 1e-3 / (1 << 20);  // about 1e-9
inline constexpr int32_t kLastBucket = 1600;         // it begins at kFinest * 2^100, about 1.2e21

// 0 for what is near to 0; those of negative numbers are negative. The numbers of buckets are
// stored: never change what a bucket holds.
int32_t BucketOf(double number);
// The number that ends the bucket on the side of 0, and on the other side. Both 0 for bucket 0.
double BucketInnerEnd(int32_t bucket);
double BucketOuterEnd(int32_t bucket);

// Of finite numbers. Extremes are exact; the mean is, but for rounding. Adding is associative and
// commutative, the mean but for rounding.
struct Histogram {
  std::map<int32_t, int64_t> buckets;  // only those that hold something
  int64_t count = 0;
  // Without numbers these are 0.
  double min = 0;
  double max = 0;
  double mean = 0;

  void Add(double number);
  void Add(const Histogram& more);
  // Those of buckets whose numbers are `most` at most, to the resolution; none of them is negative.
  // Their maximum and mean are known to the resolution, too.
  Histogram UpTo(double most) const;
  // What stands for the numbers of a bucket: its greater end, and nothing outside of min and max.
  // No less than any of them, and more by the resolution at most (1e-9 near to 0).
  double BoundOf(int32_t bucket) const;
  // What lies in the middle of a bucket, and not outside of min and max.
  double MiddleOf(int32_t bucket) const;

  friend bool operator==(const Histogram&, const Histogram&) = default;
};

}  // namespace tocsin::core
