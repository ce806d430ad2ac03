// Ids of requests, as core takes them.
#include "cli/change_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(ChangeFlagsTest, ARequestIdIsAUuidOfVersionFourDrawnAnew) {
  const std::string id = NewRequestId();
  EXPECT_THAT(id, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                        "[0-9a-f]{12}"));
  EXPECT_NE(NewRequestId(), id);
}

TEST(ChangeFlagsTest, ATrialSaysThatItIsOne) {
  EXPECT_THAT(std::string(Trial(true)), testing::HasSubstr("Nothing was changed"));
  EXPECT_TRUE(Trial(false).empty());
}

}  // namespace
}  // namespace tocsin::cli
