// Selectors become terms of a filter, and nothing but terms.
#include "cli/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

TEST(Selector, LabelsBecomeTerms) {
  EXPECT_EQ(FilterOf("", {}).value(), "");
  EXPECT_EQ(FilterOf("state = DOWN", {}).value(), "state = DOWN");
  EXPECT_EQ(FilterOf("", {"team=payments"}).value(), "labels.team = \"payments\"");
  EXPECT_EQ(FilterOf("state = DOWN", {"team==a b, app.io/x"}).ok(), false);
  EXPECT_EQ(FilterOf("state = DOWN", {"team==a b, app.io", "env="}).value(),
            "state = DOWN AND labels.team = \"a b\" AND labels.app.io:* AND labels.env = \"\"");
}

TEST(Selector, SeverityAndOwnerAreFieldsAsInTheSelectorsOfChannels) {
  EXPECT_EQ(FilterOf("", {"severity=critical,owner=ops"}).value(),
            "severity = \"critical\" AND owner = \"ops\"");
  EXPECT_EQ(FilterOf("", {"owner"}).value(), "labels.owner:*");
}

TEST(Selector, ValuesCannotLeaveTheirQuotes) {
  EXPECT_EQ(FilterOf("", {"a=\" OR \\"}).value(), "labels.a = \"\\\" OR \\\\\"");
}

TEST(Selector, WhatIsNoLabelIsRefused) {
  for (const char* selector : {"", "a=1,", "Team=a", "team!=a", "team in (a)", "=a"}) {
    EXPECT_THAT(std::string(FilterOf("", {selector}).status().message()),
                HasSubstr("accepted: KEY=VALUE"))
        << selector;
  }
}

}  // namespace
}  // namespace tocsin::cli
