// What is kept of an output.
#include "cli/exec/output_tail.h"

#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

TEST(OutputTailTest, AShortOutputIsKeptWhole) {
  OutputTail tail(10);
  EXPECT_EQ(tail.bytes(), "");
  tail.Append("abc");
  tail.Append(absl::string_view("\0\xff", 2));
  EXPECT_EQ(tail.bytes(), std::string("abc\0\xff", 5));
}

TEST(OutputTailTest, OfALongOneTheEndIsKeptHoweverItIsCut) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    OutputTail tail(7);
    for (size_t at = 0; at < text.size(); at += piece) tail.Append(text.substr(at, piece));
    EXPECT_EQ(tail.bytes(), "tuvwxyz") << piece;
  }
}

TEST(OutputTailTest, NothingIsKeptWhereNothingIsWanted) {
  OutputTail tail(0);
  tail.Append("abc");
  EXPECT_EQ(tail.bytes(), "");
}

}  // namespace
}  // namespace tocsin::cli
