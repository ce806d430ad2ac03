// Text on lines that a terminal holds.
#include "cli/wrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;

TEST(WrapTest, WhatFitsIsOneLineAndWithoutAWidthEverythingDoes) {
  EXPECT_THAT(Wrapped("", 10), ElementsAre(""));
  EXPECT_THAT(Wrapped("a  b", 10), ElementsAre("a  b"));
  EXPECT_THAT(Wrapped("one two three", 0), ElementsAre("one two three"));
}

TEST(WrapTest, LinesEndBetweenWordsAndCountCharacters) {
  EXPECT_THAT(Wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrapped("ää öö üü", 5), ElementsAre("ää öö", "üü"));
}

TEST(WrapTest, AWordThatIsLongerThanTheLineStaysWhole) {
  EXPECT_THAT(Wrapped("see https://example.org/runbook now", 10),
              ElementsAre("see", "https://example.org/runbook", "now"));
}

TEST(WrapTest, WhatIsBeyondTheMostLinesIsCut) {
  EXPECT_THAT(Wrapped("one two three four", 8, 2), ElementsAre("one two", "three f…"));
  EXPECT_THAT(Wrapped("one two three", 7, 2), ElementsAre("one two", "three"));
}

}  // namespace
}  // namespace tocsin::cli
