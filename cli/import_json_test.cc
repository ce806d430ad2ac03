// Bounds and places of an export.
#include "cli/import_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using testing::HasSubstr;

TEST(ParseExportTest, SaysWhereItIsNoJson) {
  EXPECT_THAT(ParseExport("{\"checks\": [\n  {\"name\": }\n]}").status().message(),
              HasSubstr("line 2, column 12"));
  EXPECT_THAT(ParseExport("").status().message(), HasSubstr("line 1, column 1"));
  EXPECT_THAT(ParseExport("<html>").status().message(), HasSubstr("line 1, column 1"));
  EXPECT_THAT(ParseExport("{\"a\":\"\xff\"}").status().message(), HasSubstr("line 1, column 7"));
  EXPECT_THAT(ParseExport("[1e999]").status().message(), HasSubstr("line 1"));
}

TEST(ParseExportTest, RefusesWhatWouldFillTheMemory) {
  EXPECT_TRUE(ParseExport(std::string(32, '[') + std::string(32, ']')).ok());
  EXPECT_THAT(ParseExport(std::string(1'000'000, '[')).status().message(),
              HasSubstr("deeper than 32 levels"));
  std::string many = "[";
  many.reserve(2 * kMaxExportValues + 2);
  for (size_t i = 0; i < kMaxExportValues; ++i) many += "0,";
  many += "0]";
  EXPECT_THAT(ParseExport(many).status().message(), HasSubstr("more than 4000000 values"));
}

TEST(ReadExportFileTest, SaysWhichFileCannotBeRead) {
  EXPECT_THAT(ReadExportFile("/no/such/file").status().message(),
              HasSubstr("/no/such/file cannot be opened: No such file"));
  EXPECT_THAT(ReadExportFile("/").status().message(), HasSubstr("/ cannot be read"));
  EXPECT_THAT(ReadExportFile("/dev/zero").status().message(), HasSubstr("more than 64 MiB"));
}

TEST(ExportFieldsTest, ReadsWhatIsThere) {
  const auto json = *ParseExport(
      R"({"text":"x","seconds":90,"half":0.5,"count":3,"yes":1,"no":false,"list":[],"none":null})");
  ExportFields fields(json);
  EXPECT_EQ(fields.Text("text"), "x");
  EXPECT_EQ(fields.Seconds("seconds"), absl::Seconds(90));
  EXPECT_EQ(fields.Seconds("half"), absl::Milliseconds(500));
  EXPECT_EQ(fields.Count("count"), 3);
  EXPECT_EQ(fields.Flag("yes"), true);
  EXPECT_EQ(fields.Flag("no"), false);
  EXPECT_NE(fields.Array("list"), nullptr);
  EXPECT_FALSE(fields.Has("none"));
  EXPECT_EQ(fields.Seconds("none"), std::nullopt);
  EXPECT_EQ(fields.Count("absent"), std::nullopt);
  EXPECT_EQ(fields.Flag("absent"), std::nullopt);
  EXPECT_EQ(fields.Array("absent"), nullptr);
  EXPECT_EQ(fields.fault(), "");
}

TEST(ExportFieldsTest, RemembersTheFirstFault) {
  const struct {
    const char* json;
    const char* fault;
  } kCases[] = {
      {R"({"f":1})", "f: it is a number; accepted: a string"},
      {R"({"f":{}})", "f: it is an object; accepted: a string"},
      {R"([])", "it is an array, not an object"},
  };
  for (const auto& c : kCases) {
    const auto json = *ParseExport(c.json);
    ExportFields fields(json);
    EXPECT_EQ(fields.Text("f"), "");
    fields.Fault("g", "missing", "anything");
    EXPECT_EQ(fields.fault(), c.fault) << c.json;
  }
}

TEST(ExportFieldsTest, NumbersHaveTheirBounds) {
  for (const char* const text : {R"("60")", "-1", "1e300", "31622401"}) {
    const auto json = *ParseExport(std::string("{\"f\":") + text + "}");
    ExportFields fields(json);
    EXPECT_EQ(fields.Seconds("f"), std::nullopt) << text;
    EXPECT_THAT(fields.fault(), HasSubstr("a number of seconds, 0 to 366 days")) << text;
  }
  for (const char* const text : {R"("2")", "-1", "1e300", "1.5", "2e9"}) {
    const auto json = *ParseExport(std::string("{\"f\":") + text + "}");
    ExportFields fields(json);
    EXPECT_EQ(fields.Count("f"), std::nullopt) << text;
    EXPECT_THAT(fields.fault(), HasSubstr("a whole number")) << text;
  }
  for (const char* const text : {R"("true")", "2", "[]"}) {
    const auto json = *ParseExport(std::string("{\"f\":") + text + "}");
    ExportFields fields(json);
    EXPECT_EQ(fields.Flag("f"), std::nullopt) << text;
    EXPECT_THAT(fields.fault(), HasSubstr("true or false")) << text;
  }
}

}  // namespace
}  // namespace tocsin::cli
