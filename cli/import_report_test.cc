// What is printed of an import.
#include "cli/import_report.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

std::vector<ImportOutcome> Some() {
  std::vector<ImportOutcome> outcomes;
  outcomes.push_back(Judge({.place = "checks[0]", .name = "A", .id = "a"}));
  outcomes.push_back(
      Judge({.place = "checks[1]", .name = "B", .id = "b", .notes = {"one", "two"}}));
  outcomes.push_back(Judge({.place = "checks[2]", .refusal = "why\x1b[2J"}));
  outcomes.push_back(Judge({.place = "checks[3]", .name = "D", .skipped = "no push monitor"}));
  outcomes.push_back(Judge({.place = "checks[4]", .name = "E", .id = "e"}));
  outcomes.back().result = ImportResult::kExists;
  return outcomes;
}

TEST(ImportReportTest, PeopleReadATableAndTheCounts) {
  const std::string table = ImportTable(Some(), /*dry_run=*/false);
  EXPECT_EQ(table,
            "NAME       ID  RESULT     WHY\n"
            "A          a   kept       -\n"
            "B          b   converted  one; two\n"
            "checks[2]  -   refused    why [2J\n"
            "D          -   skipped    no push monitor\n"
            "E          e   exists     -\n"
            "\n1 kept, 1 converted, 1 exists, 1 skipped, 1 refused\n");
  EXPECT_EQ(ImportTable({}, false).substr(ImportTable({}, false).rfind("\n\n")), "\n\nnothing\n");
}

TEST(ImportReportTest, ADryRunSaysSo) {
  EXPECT_EQ(ImportTable(Some(), /*dry_run=*/true).find("Nothing was changed"), 0U);
  EXPECT_NE(ImportJson(Some(), /*dry_run=*/true, false).find("\"dryRun\": true"),
            std::string::npos);
}

TEST(ImportReportTest, ScriptsReadJson) {
  std::vector<ImportOutcome> one = Some();
  one.erase(one.begin());
  one.resize(1);
  const std::string line =
      R"({"source":"checks[1]","name":"B","id":"b","result":"converted","reasons":["one","two"]})"
      "\n";
  EXPECT_EQ(ImportJson(one, false, /*lines=*/true), line);
  EXPECT_EQ(ImportJson({}, false, /*lines=*/false),
            "{\n \"dryRun\": false,\n \"monitors\": []\n}\n");
}

TEST(ImportReportTest, WhatNeedsNoWordsHasNoLineAndWhatAllHaveComesOnce) {
  const auto made = [](const std::string& id, std::vector<std::string> notes) {
    ImportedMonitor entry;
    entry.name = entry.id = id;
    entry.notes = std::move(notes);
    return Judge(std::move(entry));
  };
  const std::string plain =
      ImportTable({made("a", {}), made("b", {})}, /*dry_run=*/false, /*with_kept=*/false);
  EXPECT_EQ(plain, "2 kept\n");
  const std::string noted = ImportTable({made("a", {"zone"}), made("b", {"zone", "odd"})},
                                        /*dry_run=*/false, /*with_kept=*/false);
  EXPECT_EQ(noted.find("a "), std::string::npos) << noted;
  EXPECT_NE(noted.find("odd"), std::string::npos);
  EXPECT_NE(noted.find("Of each: zone."), std::string::npos);
}

}  // namespace
}  // namespace tocsin::cli
