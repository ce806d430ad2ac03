// Ids, labels and notes of what is imported.
#include "cli/import_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(IdOfNameTest, IsWhatTheGatewayMakesOfANameInAUrl) {
  const struct {
    const char* name;
    const char* id;
  } kCases[] = {
      {"nightly-backup", "nightly-backup"},
      {"Core_Nightly.Backup 2", "core-nightly-backup-2"},
      {"a__b--c", "a--b--c"},
      {"_leading", "leading"},
      {"trailing_", "trailing-"},
  };
  for (const auto& c : kCases) EXPECT_EQ(IdOfName(c.name), c.id) << c.name;
}

TEST(IdOfNameTest, RunsOfOtherCharactersBecomeOneDash) {
  const struct {
    const char* name;
    const char* id;
  } kCases[] = {
      {"Backup (db/main)!", "backup-db-main"},
      {"Büro", "b-ro"},
      {"日本", ""},
      {"", ""},
      {"?x", "x"},
  };
  for (const auto& c : kCases) EXPECT_EQ(IdOfName(c.name), c.id) << c.name;
  EXPECT_EQ(IdOfName(std::string(100, 'a')), std::string(63, 'a'));
}

TEST(ImportBatchTest, MakesIdsUniqueAndKeepsHashesOfTokensOnly) {
  ImportBatch batch;
  const std::string longest(70, 'a');
  batch.Add({.place = "[0]"}, "Nightly", "t0");
  batch.Add({.place = "[1]"}, "nightly", "t1");
  batch.Add({.place = "[2]"}, longest, "t2");
  batch.Add({.place = "[3]"}, longest, "t3");
  batch.Add({.place = "[4]"}, "日本", "t4");
  const auto entries = batch.Take();
  EXPECT_EQ(entries[0].id, "nightly");
  EXPECT_EQ(entries[1].id, "nightly-2");
  EXPECT_EQ(entries[2].id, std::string(63, 'a'));
  EXPECT_EQ(entries[3].id, std::string(61, 'a') + "-2");
  EXPECT_EQ(entries[4].id, absl::StrCat("imported-", Hex(Sha256Bytes("t4")).substr(0, 12)));
  EXPECT_EQ(entries[0].push_token_sha256, Hex(Sha256Bytes("t0")));
}

TEST(ImportBatchTest, APushUrlThatComesTwiceIsRefusedAndTakesNoId) {
  ImportBatch batch;
  batch.Add({.place = "[0]"}, "a", "same");
  batch.Add({.place = "[1]"}, "b", "same");
  batch.Add({.place = "[2]", .refusal = "why"}, "b", "");
  batch.Add({.place = "[3]"}, "b", "other");
  const auto entries = batch.Take();
  EXPECT_EQ(entries[1].refusal, "its push URL is that of [0], too");
  EXPECT_EQ(entries[1].id, "");
  EXPECT_EQ(entries[2].id, "");
  EXPECT_EQ(entries[3].id, "b");
}

TEST(BoundedTest, NeverCutsACharacter) {
  std::vector<std::string> notes;
  EXPECT_EQ(Bounded("abc", 3, "the name", notes), "abc");
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(Bounded("aéé", 4, "the name", notes), "aé");
  EXPECT_THAT(notes, ElementsAre("the name is cut to its first 3 bytes"));
}

TEST(AddTagTest, MakesLabels) {
  const struct {
    const char* key;
    const char* value;
    const char* label;
    const char* label_value;
    bool noted;
  } kCases[] = {
      {"backup", "", "tag.backup", "true", false},
      {"Backup", "", "tag.backup", "true", false},
      {"team", "Payments = 1", "team", "Payments = 1", false},
      {"Team Name", "x", "team-name", "x", true},
      {"größe", "", "tag.gr--e", "größe", true},
  };
  for (const auto& c : kCases) {
    ImportedMonitor entry;
    AddTag(c.key, c.value, entry);
    ASSERT_EQ(entry.monitor.labels().size(), 1U) << c.key;
    EXPECT_EQ(entry.monitor.labels().at(c.label), c.label_value) << c.key;
    EXPECT_EQ(!entry.notes.empty(), c.noted) << c.key;
  }
}

TEST(AddTagTest, NotesWhatHasNoPlace) {
  ImportedMonitor entry;
  AddTag("team", "a", entry);
  AddTag("team", "a", entry);
  EXPECT_THAT(entry.notes, IsEmpty());
  AddTag("team", "b", entry);
  EXPECT_THAT(entry.notes,
              ElementsAre("the tag \"team=b\" is left out: there is the label team=a"));
  AddTag(std::string(60, 'x'), "", entry);
  AddTag("", "b", entry);
  EXPECT_EQ(entry.notes.size(), 3U);
  for (int i = 0; i < 40; ++i) AddTag(absl::StrCat("t", i), "", entry);
  EXPECT_EQ(entry.monitor.labels().size(), 32U);
  EXPECT_THAT(entry.notes.back(), HasSubstr("at most 32 labels"));
  ImportedMonitor other;
  AddTag("k", std::string(200, 'v'), other);
  EXPECT_EQ(other.monitor.labels().at("k").size(), 128U);
  EXPECT_THAT(other.notes, ElementsAre(HasSubstr("is cut to its first 128 bytes")));
}

}  // namespace
}  // namespace tocsin::cli
