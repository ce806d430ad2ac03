// What people may write for a span of time.
#include "cli/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(DurationTest, ReadsEveryUnitAndTheirSums) {
  EXPECT_EQ(*ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("5m"), absl::Minutes(5));
  EXPECT_EQ(*ParseDuration("36h"), absl::Hours(36));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("2d"), absl::Hours(48));
  EXPECT_EQ(*ParseDuration("1d12h"), absl::Hours(36));
  EXPECT_EQ(*ParseDuration("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseDuration("0s"), absl::ZeroDuration());
}

TEST(DurationTest, RefusesWhatIsNoSpanAndShowsOne) {
  for (const char* text : {"", "60", "d", "-5s", "-1d", "1d-5s", "1.5d", "inf", "2d3", "1h2d",
                           "soon", "99999999999999999999d"}) {
    const auto read = ParseDuration(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(std::string(read.status().message()), testing::HasSubstr("90s"));
  }
}

TEST(DurationTest, WritesWhatItReads) {
  for (const char* text : {"0s", "5s", "1m30s", "25h0m0s", "2d", "30d"}) {
    const absl::Duration read = *ParseDuration(text);
    EXPECT_EQ(*ParseDuration(ShowDuration(read)), read) << text;
  }
  EXPECT_EQ(ShowDuration(absl::Hours(48)), "2d");
  EXPECT_EQ(ShowDuration(absl::Hours(25)), "25h");
}

TEST(DurationTest, AnAgeHasItsTwoLargestUnits) {
  EXPECT_EQ(ShowAge(absl::Seconds(42)), "42s");
  EXPECT_EQ(ShowAge(absl::Seconds(47 * 60 + 59)), "47m");
  EXPECT_EQ(ShowAge(absl::Minutes(185)), "3h5m");
  EXPECT_EQ(ShowAge(absl::Hours(3)), "3h");
  EXPECT_EQ(ShowAge(absl::Hours(52)), "2d4h");
  EXPECT_EQ(ShowAge(absl::Seconds(-3)), "0s");
}

}  // namespace
}  // namespace tocsin::cli
