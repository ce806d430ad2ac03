// Decoding, and the repair of UTF-8 as Unicode recommends it.
#include "gateway/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::gateway {
namespace {

constexpr char kR[] = "\xEF\xBF\xBD";

std::string Clean(std::string_view in, size_t max = 1000) {
  std::string out = "old";
  CleanUtf8(in, max, out);
  return out;
}

TEST(TextTest, KeepsGoodUtf8) {
  for (const std::string text : {"", "plain", "\xC3\xA9t\xC3\xA9", "\xE2\x82\xAC",
                                 "\xF0\x9F\x94\x94", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Clean(text), text);
  }
}

TEST(TextTest, ReplacesMaximalIllFormedParts) {
  const std::string r = kR;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\x80", r},
      {"\xC0\xAF", r + r},          // overlong
      {"\xE0\x80\xAF", r + r + r},  // overlong
      {"\xED\xA0\x80", r + r + r},  // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},
      {"\xE2\x82", r},  // cut off
      {"\xF0\x9F\x94", r},
      {"\xE2\x82z", r + "z"},
      {"\xFF\xFE", r + r},
      {"a\xC3", "a" + r},
  };
  for (const auto& [in, out] : cases) EXPECT_EQ(Clean(in), out);
}

TEST(TextTest, CutsBetweenCharacters) {
  EXPECT_EQ(Clean("abc\xE2\x82\xAC", 5), "abc");
  EXPECT_EQ(Clean("abc\xE2\x82\xAC", 6), "abc\xE2\x82\xAC");
  EXPECT_EQ(Clean(std::string("a\0b\0c", 5), 3), "abc");
  EXPECT_EQ(Clean("ab\xFF", 4), "ab") << "a replacement is cut, too";
}

TEST(TextTest, DecodesFormsAndPaths) {
  std::string out;
  DecodeForm("a+b%2Bc%41%zz%4", out);
  EXPECT_EQ(out, "a b+cA%zz%4");
  DecodePath("a+b%2f", out);
  EXPECT_EQ(out, "a+b/");
}

TEST(TextTest, QuotesForJson) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(JsonString("\xFF"), std::string("\"") + kR + "\"");
}

}  // namespace
}  // namespace tocsin::gateway
