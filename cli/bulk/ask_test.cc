// What a person is asked before much is done.
#include "cli/bulk/ask.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(AskTest, TheQuestionNamesTheFirstAndCountsTheRest) {
  EXPECT_EQ(Question("Pause", {"projects/x/monitors/a", "projects/x/monitors/b"}),
            "Pause 2 monitors (a, b)? [y/N] ");
  EXPECT_EQ(Question("Pause", {"a", "b", "c", "d", "e"}),
            "Pause 5 monitors (a, b, c and 2 more)? [y/N] ");
  EXPECT_EQ(MonitorWords({"projects/x/monitors/a"}), "1 monitor (a)");
}

TEST(AskTest, OnlyYesIsYes) {
  for (const char* yes : {"y", "Y", "yes", " YES \r"}) EXPECT_TRUE(IsYes(yes)) << yes;
  for (const char* no : {"", "n", "no", "yep", "yy"}) EXPECT_FALSE(IsYes(no)) << no;
}

}  // namespace
}  // namespace tocsin::cli
