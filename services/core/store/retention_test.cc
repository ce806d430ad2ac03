// What a short retention does not take away.
#include "services/core/store/retention.h"

#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

TEST(Retention, KeepsWhatIsStillNeededHoweverShortItIs) {
  RetentionPolicy policy;
  policy.incidents = kDay;
  // A delivery is tried for three days, and for three more when somebody sends it again.
  EXPECT_GE(AlertMemory(policy), 6 * kDay);
  // A deadline may be a timeout and a grace of 366 days each away.
  EXPECT_GE(GapMemory(policy), 732 * kDay);
  EXPECT_GE(UnwatchedMemory(policy), 400 * kDay);
}

TEST(Retention, KeepsEverythingForAsLongAsItSays) {
  RetentionPolicy policy;
  policy.incidents = 5000 * kDay;
  EXPECT_EQ(AlertMemory(policy), policy.incidents);
  EXPECT_EQ(GapMemory(policy), policy.incidents);
  EXPECT_EQ(UnwatchedMemory(policy), policy.incidents);
}

}  // namespace
}  // namespace tocsin::core
