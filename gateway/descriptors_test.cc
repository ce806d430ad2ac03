// More connections than descriptors would leave clients unheard.
#include "gateway/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <limits>

namespace tocsin::gateway {
namespace {

TEST(DescriptorsTest, ConnectionsAndThoseThatAreRefusedFitIntoTheLimit) {
  EXPECT_EQ(FittingConnections(20'000, 1 << 20, 1), 20'000);
  EXPECT_EQ(FittingConnections(20'000, std::numeric_limits<uint64_t>::max(), 1), 20'000);
  for (const uint64_t limit : {256, 1024, 4096, 20'000}) {
    const int fitting = FittingConnections(20'000, limit, 2);
    EXPECT_GT(fitting, 0);
    EXPECT_LE(static_cast<uint64_t>(fitting + fitting / 16 + 16 + 90), limit);
  }
  EXPECT_EQ(FittingConnections(20'000, 10, 1), 1);
  EXPECT_EQ(FittingConnections(5, 1024, 1), 5);
}

TEST(DescriptorsTest, TheLimitIsRaisedAsFarAsItMay) {
  const uint64_t limit = RaiseDescriptorLimit();
  rlimit now = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(limit, now.rlim_cur);
  EXPECT_EQ(now.rlim_cur, now.rlim_max);
}

}  // namespace
}  // namespace tocsin::gateway
