// Labels on the command line.
#include "cli/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::string> Parse(std::vector<std::string> words) {
  CLI::App app;
  std::vector<std::string> labels;
  AddLabels(app, "--label", labels, "A label");
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  app.parse(words);
  return labels;
}

TEST(LabelsTest, AFlagMayBeRepeated) {
  EXPECT_THAT(Parse({"--label", "team=a", "--label", "env="}), ElementsAre("team=a", "env="));
}

TEST(LabelsTest, WhatIsNoKeyAndValueIsRefused) {
  for (const char* word : {"team", "=a", ""}) {
    EXPECT_THROW(Parse({"--label", word}), CLI::ValidationError) << word;
  }
}

TEST(LabelsTest, TheFirstEqualsSignEndsTheKey) {
  EXPECT_THAT(SplitLabel("team=a"), Pair("team", "a"));
  EXPECT_THAT(SplitLabel("team="), Pair("team", ""));
  EXPECT_THAT(SplitLabel("q=a=b"), Pair("q", "a=b"));
}

}  // namespace
}  // namespace tocsin::cli
