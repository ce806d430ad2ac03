// YAML as a tree that remembers where everything stood.
#include "cli/apply/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<YamlNode> Parse(absl::string_view text, std::string* told = nullptr) {
  Faults faults;
  std::vector<YamlNode> documents = ParseYaml(text, "a.yaml", faults);
  if (told != nullptr) {
    *told = faults.ToString();
  } else {
    EXPECT_EQ(faults.ToString(), "");
  }
  return documents;
}

TEST(YamlTest, KnowsWhereEveryValueStands) {
  const auto documents = Parse("a: 1\nb:\n  - x\n  - 'y'\n");
  ASSERT_THAT(documents, SizeIs(1));
  const YamlNode& b = documents[0].entries[1].value;
  ASSERT_THAT(b.items, SizeIs(2));
  EXPECT_EQ(Show(b.items[1].place), "a.yaml:4:5");
  EXPECT_TRUE(b.items[0].plain);
  EXPECT_FALSE(b.items[1].plain);
}

TEST(YamlTest, ScalarsStayWhatWasWritten) {
  const auto documents = Parse("[1.10, no, \"~\", ~, null, '']");
  const auto& items = documents[0].items;
  EXPECT_EQ(items[0].text, "1.10");
  EXPECT_EQ(items[1].text, "no");
  EXPECT_EQ(items[2].kind, YamlNode::Kind::kScalar);
  EXPECT_EQ(items[3].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(items[4].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(items[5].kind, YamlNode::Kind::kScalar);
}

TEST(YamlTest, AFileMayHaveManyDocumentsOrNone) {
  EXPECT_THAT(Parse("a: 1\n---\nb: 2\n...\n---\n"), SizeIs(3));
  EXPECT_THAT(Parse(""), SizeIs(0));
  EXPECT_THAT(Parse("# nothing but a comment\n"), SizeIs(0));
}

TEST(YamlTest, AliasesAreFollowed) {
  const auto documents = Parse("a: &x {k: v}\nb: *x\n");
  EXPECT_EQ(documents[0].entries[1].value.entries[0].value.text, "v");
}

TEST(YamlTest, WhatIsNoYamlSaysWhere) {
  std::string told;
  Parse("a: 1\nb: [1, 2\nc: 3\n", &told);
  EXPECT_THAT(told, HasSubstr("a.yaml:3:"));
  EXPECT_THAT(told, HasSubstr("it is no YAML: "));
  Parse("a: !!python/object x\n", &told);
  EXPECT_EQ(told, "a.yaml:1:4: tags are not read: leave it out\n");
  Parse("a: *nobody\n", &told);
  EXPECT_EQ(told, "a.yaml:1:4: there is no anchor &nobody before it\n");
  Parse("a: \"\xff\"\n", &told);
  EXPECT_THAT(told, HasSubstr("a.yaml:1:1: it is no YAML: "));
}

TEST(YamlTest, DepthAndSizeHaveBounds) {
  std::string told;
  Parse(std::string(1000, '['), &told);
  EXPECT_THAT(told, HasSubstr("nested deeper than 32 levels"));
  // Ten levels, each of ten times the one before.
  std::string bomb = "a0: &a0 x\n";
  for (int i = 1; i < 10; ++i) {
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [");
    for (int k = 0; k < 10; ++k) absl::StrAppend(&bomb, k == 0 ? "*a" : ", *a", i - 1);
    absl::StrAppend(&bomb, "]\n");
  }
  Parse(bomb, &told);
  EXPECT_THAT(told, HasSubstr("it has more than 1000000 values"));
  Parse(std::string(kMaxYamlBytes + 1, 'x'), &told);
  EXPECT_EQ(told, "a.yaml: it has more than 16 MiB: split it\n");
}

}  // namespace
}  // namespace tocsin::cli
