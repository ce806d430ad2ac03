// What JSON says, as YAML.
#include "cli/yaml_text.h"

#include <gtest/gtest.h>

#include "cli/apply/yaml.h"

namespace tocsin::cli {
namespace {

TEST(YamlTextTest, NamesKeepTheirOrderAndWhatIsInsideIsIndented) {
  EXPECT_EQ(JsonToYaml(R"({"monitors": [{"name": "projects/default/monitors/a",
                                         "labels": {"team": "x"}, "runs": [{"id": "1"}, 2]},
                                        {"name": "b"}], "next": true, "none": null})"),
            "monitors:\n"
            "  - name: projects/default/monitors/a\n"
            "    labels:\n"
            "      team: x\n"
            "    runs:\n"
            "      - id: \"1\"\n"
            "      - 2\n"
            "  - name: b\n"
            "next: true\n"
            "none: null\n");
}

TEST(YamlTextTest, WhatIsEmptyOrAloneIsALine) {
  EXPECT_EQ(JsonToYaml("{}"), "{}\n");
  EXPECT_EQ(JsonToYaml(R"({"a": [], "b": {}})"), "a: []\nb: {}\n");
  EXPECT_EQ(JsonToYaml(R"("text")"), "text\n");
  EXPECT_EQ(JsonToYaml("no json"), "no json");
}

TEST(YamlTextTest, TextComesBackAsItWas) {
  for (const char* text : {"a: b", "# no comment", "yes", "12", "", " blank ", "two\nlines",
                           "\"q\"", "- item", "\x01\x7F\xC2\x85\xC2\x9B\xC2\xA0", "größe", "{x}"}) {
    Faults faults;
    const auto read = ParseYaml(ToYaml({{"field", text}}), "test", faults);
    ASSERT_TRUE(faults.empty()) << text << faults.ToString();
    ASSERT_EQ(read.size(), 1);
    EXPECT_EQ(read[0].entries.at(0).value.text, text);
  }
}

}  // namespace
}  // namespace tocsin::cli
