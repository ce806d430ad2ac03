// Times as people type them.
#include "cli/moment.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

const absl::Time kTwo = absl::FromUnixSeconds(1'773'108'000);  // 2026-03-10T02:00:00Z

TEST(MomentTest, ATimeOfATableIsItsWholeSecond) {
  for (const char* text :
       {"2026-03-10 02:00:00Z", "2026-03-10T02:00:00Z", "2026-03-10T03:00:00+01:00"}) {
    const auto moment = ParseMoment(text);
    ASSERT_TRUE(moment.ok()) << text;
    EXPECT_EQ(moment->begin, kTwo) << text;
    EXPECT_EQ(moment->end, kTwo + absl::Seconds(1)) << text;
  }
}

TEST(MomentTest, ATimeOfJsonIsItsMicrosecond) {
  const auto moment = ParseMoment("2026-03-10T02:00:00.250001Z");
  ASSERT_TRUE(moment.ok());
  EXPECT_EQ(moment->begin, kTwo + absl::Microseconds(250'001));
  EXPECT_EQ(moment->end, moment->begin + absl::Microseconds(1));
}

TEST(MomentTest, AnythingElseIsRefusedWithAnExample) {
  for (const char* text : {"", "yesterday", "2026-03-10", "2026-03-10 02:00",
                           "2026-02-30 02:00:00Z", "infinite-future"}) {
    const auto moment = ParseMoment(text);
    ASSERT_FALSE(moment.ok()) << text;
    EXPECT_NE(moment.status().message().find("write e.g. \"2026-03-10 02:00:00Z\""),
              absl::string_view::npos);
  }
}

}  // namespace
}  // namespace tocsin::cli
