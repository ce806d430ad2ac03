// What standard output is connected to, and text with colours for it.
#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(TerminalTest, OnlyATerminalHasColoursAndAWidth) {
  EXPECT_FALSE(TerminalOf({.columns = 100}).colour);
  EXPECT_EQ(TerminalOf({.columns = 100}).width, 0);
  EXPECT_TRUE(TerminalOf({.is_terminal = true, .columns = 100}).colour);
  EXPECT_EQ(TerminalOf({.is_terminal = true, .columns = 100}).width, 100);
  EXPECT_EQ(TerminalOf({.is_terminal = true}).width, 80);
}

TEST(TerminalTest, NoColorAndADumbTerminalHaveNone) {
  EXPECT_FALSE(TerminalOf({.is_terminal = true, .no_color = "1"}).colour);
  EXPECT_FALSE(TerminalOf({.is_terminal = true, .term = "dumb"}).colour);
}

TEST(TerminalTest, ATextWithoutColourIsAsItWas) {
  EXPECT_EQ(Toned("down", Tone::kBad, false), "down");
  EXPECT_EQ(Toned("down", Tone::kPlain, true), "down");
  EXPECT_EQ(Toned("", Tone::kBad, true), "");
  EXPECT_EQ(Toned("down", Tone::kBad, true), "\x1b[1;31mdown\x1b[0m");
}

}  // namespace
}  // namespace tocsin::cli
