// How numbers are spread: extremes, quantiles, and a histogram that a person can look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "services/core/domain/histogram.h"

namespace tocsin::core {

struct Distribution {
  // How many lie from `low` on and below `high`; those of the last bucket, up to it.
  struct Bucket {
    double low = 0;
    double high = 0;
    int64_t count = 0;

    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  int64_t count = 0;
  // Without numbers all of these are 0.
  double min = 0;
  double max = 0;
  double mean = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  std::vector<Bucket> buckets;  // ascending; only those that hold something
};

// How the bounds of buckets follow each other.
enum class Scale {
  kLogarithmic,  // each is 2^(1/8) times the one before, 9 %: for spans of time, in seconds; what
                 // is below a millisecond is in the first
  kLinear,       // of 20 buckets of one width
};

// Of finite numbers in any order, and of more that are only known by their buckets: quantiles are
// then no less than those of the numbers themselves, and more by the resolution of Histogram at
// most; of kLinear, a number may count in the bucket above its own when that is so near.
Distribution DistributionOf(std::vector<double> numbers, Scale scale, const Histogram& more = {});

// What `part` of all of these, 0 to 1, do not exceed; of `more` by the same resolution. 0 when
// there are none.
double QuantileOf(std::vector<double> numbers, const Histogram& more, double part);

// Which of `count` (at least 1) in ascending order is the first that `part` of them, 0 to 1, do not
// exceed.
size_t QuantileIndex(size_t count, double part);

}  // namespace tocsin::core
