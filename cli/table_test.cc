// How columns line up, and what never reaches a terminal.
#include "cli/table.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"ID", "STATE"});
  table.AddRow({"nightly", "up"});
  table.AddRow({"b", ""});
  EXPECT_EQ(table.ToString(), "ID       STATE\nnightly  up\nb        -\n");
}

TEST(TableTest, LettersOfSeveralBytesCountOnce) {
  Table table;
  table.AddRow({"größe", "1"});
  table.AddRow({"abcde", "2"});
  EXPECT_EQ(table.ToString(), "größe  1\nabcde  2\n");
}

TEST(TableTest, AColumnWithoutANameHasNone) {
  Table table({"VALUE", ""});
  table.AddRow({"1", "####"});
  table.AddRow({"2", ""});
  EXPECT_EQ(table.ToString(),
            "VALUE\n"
            "1      ####\n"
            "2      -\n");
}

TEST(TableTest, LongTextIsCutAtACharacterAndSaysSo) {
  EXPECT_EQ(Shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(Shortened("abcdefg", 6), "abcde…");
  EXPECT_EQ(Shortened("日本語です", 5), "日本語です");
  EXPECT_EQ(Shortened("日本語ですよ", 5), "日本語で…");
  EXPECT_EQ(Shortened("", 5), "");
  EXPECT_EQ(Shortened(std::string(4096, 'x')), std::string(59, 'x') + "…");
}

TEST(TableTest, AColumnThatSaysNothingCanBeDropped) {
  Table table({"ID", "RUN", "MESSAGE"});
  table.DropEmptyColumns();
  EXPECT_EQ(table.ToString(), "ID  RUN  MESSAGE\n");
  table.AddRow({"a", "", "x"});
  table.AddRow({"b", "", ""});
  table.DropEmptyColumns();
  EXPECT_EQ(table.ToString(), "ID  MESSAGE\na   x\nb   -\n");
}

TEST(TableTest, ColoursDoNotCountForTheWidth) {
  Table table;
  table.AddRow({"down", "1"});
  table.Tint(0, Tone::kBad);
  table.AddRow({"paused", "2"});
  EXPECT_EQ(table.ToString(), "down    1\npaused  2\n");
  EXPECT_EQ(table.ToString(/*colour=*/true), "\x1b[1;31mdown\x1b[0m    1\npaused  2\n");
}

TEST(TableTest, ControlCharactersBecomeSpaces) {
  EXPECT_EQ(OneLine("a\nb\x1b[2Jc\x7f"), "a b [2Jc ");
  EXPECT_EQ(OneLine("a\xC2\x9Bz\xC2\xA0"), "a z\xC2\xA0");
}

}  // namespace
}  // namespace tocsin::cli
