// Random values have the promised shape and do not repeat.
#include "common/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace tocsin {
namespace {

TEST(RandomTest, BytesHaveTheLengthAskedFor) {
  EXPECT_EQ(RandomBytes(0).size(), 0u);
  EXPECT_EQ(RandomBytes(33).size(), 33u);
  EXPECT_NE(RandomBytes(16), RandomBytes(16));
}

TEST(RandomTest, TokensAre32LettersAndDigits) {
  const std::string token = RandomToken();
  EXPECT_EQ(token.size(), 32u);
  EXPECT_TRUE(std::all_of(token.begin(), token.end(),
                          [](unsigned char c) { return std::isalnum(c) != 0; }));
  EXPECT_NE(token, RandomToken());
}

TEST(RandomTest, IdsAreDistinctAndNeverZero) {
  std::set<uint64_t> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomId());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(ids.count(0), 0u);
}

TEST(RandomTest, FractionsLieBetweenZeroAndOne) {
  for (int i = 0; i < 1000; ++i) {
    const double f = RandomFraction();
    EXPECT_GE(f, 0);
    EXPECT_LT(f, 1);
  }
}

}  // namespace
}  // namespace tocsin
