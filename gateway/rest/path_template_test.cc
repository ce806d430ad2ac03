// Templates: what they accept, what they match, what they bind.
#include "gateway/rest/path_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status_details.h"

namespace tocsin::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

PathTemplate Make(const std::string& text) {
  auto parsed = PathTemplate::Parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}

bool Matches(const std::string& text, const std::string& path) {
  return Make(text).Matches(RequestPath::Split(path));
}

absl::StatusOr<PathTemplate::Bindings> Bind(const std::string& text, const std::string& path) {
  return Make(text).Bind(RequestPath::Split(path));
}

TEST(PathTemplateTest, MatchesWhatItSaysAndNothingElse) {
  const struct {
    const char* text;
    const char* path;
    bool matches;
  } kCases[] = {
      {"/v1/projects", "/v1/projects", true},
      {"/v1/projects", "/v1/projects/", false},
      {"/v1/projects", "/v1/Projects", false},
      {"/v1/projects", "/v1", false},
      {"/v1/projects", "/v1/projects:list", false},
      {"/v1/{name=projects/*}", "/v1/projects/a", true},
      {"/v1/{name=projects/*}", "/v1/projects/", false},
      {"/v1/{name=projects/*}", "/v1/projects/a/monitors", false},
      {"/v1/{name=projects/*}:pause", "/v1/projects/a:pause", true},
      {"/v1/{name=projects/*}:pause", "/v1/projects/a:resume", false},
      {"/v1/{name=projects/*}:pause", "/v1/projects/a", false},
      {"/v1/{name=projects/*}", "/v1/projects/a:pause", false},
      {"/v1/{name=projects/*}", "/v1/projects/a%3Apause", true},
      {"/v1/{name}", "/v1/anything", true},
      {"/v1/{name=**}", "/v1/a/b/c", true},
      {"/v1/{name=files/**}", "/v1/files", true},
      {"/v1/{name=files/**}", "/v1/files/a/b", true},
      {"/v1/**", "/v2/a", false},
      {"/v1/*/x", "/v1/a/x", true},
      {"/v1/*/x", "/v1//x", false},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(Matches(c.text, c.path), c.matches) << c.text << " " << c.path;
}

TEST(PathTemplateTest, BindsVariablesToDecodedText) {
  EXPECT_THAT(*Bind("/v1/{name=projects/*/monitors/*}:pause", "/v1/projects/a/monitors/b:pause"),
              ElementsAre(Pair("name", "projects/a/monitors/b")));
  EXPECT_THAT(*Bind("/v1/{a.b=x/*}/{c}", "/v1/x/%41%c3%a9/+"),
              ElementsAre(Pair("a.b", "x/A\xC3\xA9"), Pair("c", "+")));
  EXPECT_THAT(*Bind("/v1/{name=**}", "/v1/a/b"), ElementsAre(Pair("name", "a/b")));
  EXPECT_THAT(*Bind("/v1/projects", "/v1/projects"), IsEmpty());
}

TEST(PathTemplateTest, RefusesToBindWhatCannotBeAName) {
  for (const char* part : {"%", "%4", "%zz", "%00", "%ff", "%c3", "a%2Fb", "%ed%a0%80"}) {
    const auto bound = Bind("/v1/{name=projects/*}", std::string("/v1/projects/") + part);
    EXPECT_EQ(bound.status().code(), absl::StatusCode::kInvalidArgument) << part;
    EXPECT_EQ(Reason(bound.status()), "MALFORMED_PATH") << part;
    EXPECT_THAT(std::string(bound.status().message()), HasSubstr("A part of the path ")) << part;
  }
}

TEST(PathTemplateTest, SaysWhatIsWrongWithATemplate) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"", "begin with"},
      {"v1", "begin with"},
      {"/", "empty segment"},
      {"/v1//x", "empty segment"},
      {"/v1/{name", "without an end"},
      {"/v1/{=x}", "without a name"},
      {"/v1/{a={b}}", "variable inside"},
      {"/v1/**/x", "before its end"},
      {"/v1/x:", "empty verb"},
      {"/v1/x:y:z", "too many"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(std::string(PathTemplate::Parse(c.text).status().message()), HasSubstr(c.says))
        << c.text;
  }
}

}  // namespace
}  // namespace tocsin::gateway
