// Numbers are told in full, and no longer than that.
#include "common/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

namespace tocsin {
namespace {

TEST(NumberTest, ATextIsShortAndAllOfTheNumber) {
  EXPECT_EQ(NumberText(0), "0");
  EXPECT_EQ(NumberText(-0.5), "-0.5");
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(1'000'000), "1000000");
  EXPECT_EQ(NumberText(1'234'567), "1234567");
  EXPECT_EQ(NumberText(12'345'678'901), "12345678901");
  EXPECT_EQ(NumberText(2'592'001.5), "2592001.5");
  EXPECT_EQ(NumberText(0.000001), "0.000001");
}

TEST(NumberTest, AnExponentStandsForManyZeros) {
  EXPECT_EQ(NumberText(1e-7), "1e-07");
  EXPECT_EQ(NumberText(1e15), "1e+15");
  EXPECT_EQ(NumberText(-2.5e300), "-2.5e+300");
}

TEST(NumberTest, WhatIsNoNumberIsSaid) {
  EXPECT_EQ(NumberText(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(NumberText(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(NumberText(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(NumberTest, EveryTextReadsBackAsTheSameNumber) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> digits(-10, 10);
  std::uniform_int_distribution<int> exponent(-300, 300);
  for (int i = 0; i < 10'000; ++i) {
    const double number = digits(random) * std::pow(10.0, exponent(random) / (i % 2 == 0 ? 20 : 1));
    EXPECT_EQ(std::strtod(NumberText(number).c_str(), nullptr), number);
  }
}

}  // namespace
}  // namespace tocsin
