// Rollups as they are stored.
#include "services/core/store/rollup_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/escaping.h"

namespace tocsin::core {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

Rollup Example() {
  Rollup rollup;
  rollup.start = kStart;
  for (int i = 0; i < 60; ++i) rollup.gaps.Add(i % 7 == 0 ? 61.5 : 60);
  rollup.values.Add(-3);
  rollup.values.Add(0);
  rollup.values.Add(1e300);
  return rollup;
}

TEST(RollupCodec, ReadsWhatItWrote) {
  EXPECT_EQ(DecodeRollup(EncodeRollup(Example()), kStart).value(), Example());
  Rollup empty;
  empty.start = kStart;
  EXPECT_EQ(DecodeRollup(EncodeRollup(empty), kStart).value(), empty);
}

TEST(RollupCodec, WhatOlderReleasesStoredIsRead) {
  Rollup rollup;
  rollup.start = kStart;
  rollup.gaps.Add(60);
  rollup.gaps.Add(60);
  EXPECT_EQ(absl::BytesToHexString(EncodeRollup(rollup)),
            "01"
            "01"
            "0000000000004e40"
            "0000000000004e40"
            "0000000000004e40"
            "fc0802"
            "000000");
}

TEST(RollupCodec, AnHourOfASteadyJobIsSmall) {
  Rollup rollup;
  for (int i = 0; i < 60; ++i) rollup.gaps.Add(60 + 0.01 * i);
  EXPECT_LE(EncodeRollup(rollup).size(), 40u);
}

TEST(RollupCodec, WhatIsDamagedIsRefused) {
  const std::string good = EncodeRollup(Example());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeRollup(good.substr(0, size), kStart).status())) << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(DecodeRollup(good + "x", kStart).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeRollup("\x02" + good.substr(1), kStart).status()));
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    for (size_t flips = 1 + random() % 4; flips > 0; --flips) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    DecodeRollup(bad, kStart).IgnoreError();
  }
}

}  // namespace
}  // namespace tocsin::core
