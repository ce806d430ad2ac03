// Text of jobs, made fit to be stored.
#include "services/core/domain/text.h"

#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

using namespace std::string_view_literals;

TEST(CleanText, KeepsWhatIsWellFormed) {
  EXPECT_EQ(CleanText("backup-completed"), "backup-completed");
  EXPECT_EQ(CleanText("Sauvegarde terminée ✓ 🚀"), "Sauvegarde terminée ✓ 🚀");
}

TEST(CleanText, DropsNul) { EXPECT_EQ(CleanText("a\0b\0"sv), "ab"); }

TEST(CleanText, ReplacesEachMaximalPartThatIsNoUtf8) {
  EXPECT_EQ(CleanText("caf\xE9 au lait"), "caf\xEF\xBF\xBD au lait");            // Latin-1
  EXPECT_EQ(CleanText("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong NUL
  EXPECT_EQ(CleanText("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
  EXPECT_EQ(CleanText("\xF0\x9F\x9A"), "\xEF\xBF\xBD");                          // cut short
  EXPECT_EQ(CleanText("\xF0\x9F\x9Ax"), "\xEF\xBF\xBDx");
}

TEST(CleanText, CutsBetweenCharacters) {
  EXPECT_EQ(CleanText("abcdef", 3), "abc");
  EXPECT_EQ(CleanText("aéé", 4), "aé");
  EXPECT_EQ(CleanText(std::string(4095, 'x') + "é").size(), 4095u);
  EXPECT_EQ(CleanText(std::string(10000, 'x')).size(), 4096u);
  EXPECT_EQ(CleanText("\xFF\xFF", 4), "\xEF\xBF\xBD");
}

TEST(CleanText, GivesCleanTextForEveryByte) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string raw = {static_cast<char>(first), static_cast<char>(second), '\x80'};
      EXPECT_TRUE(IsCleanText(CleanText(raw)));
    }
  }
}

}  // namespace
}  // namespace tocsin::core
