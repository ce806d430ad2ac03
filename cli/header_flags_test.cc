// What people write after --header.
#include "cli/header_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "cli/apply/secrets.h"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::string FileWith(const std::string& text) {
  const std::string path = testing::TempDir() + "/headers";
  std::ofstream(path) << text;
  return path;
}

TEST(Headers, AreNamesAndValuesWhichMayHaveColons) {
  EXPECT_THAT(*ReadHeaders({"Authorization: Bearer a:b", "X-Env:prod"}),
              ElementsAre(Pair("Authorization", "Bearer a:b"), Pair("X-Env", "prod")));
}

TEST(Headers, OfAnEmptyFlagAloneAreNone) {
  EXPECT_THAT(*ReadHeaders({""}), IsEmpty());
  EXPECT_TRUE(absl::IsInvalidArgument(ReadHeaders({"", "X-Env: prod"}).status()));
}

TEST(Headers, MayStandInAFile) {
  const std::string path = FileWith("Authorization: Bearer s3cret\r\n\nX-Env: prod");
  EXPECT_THAT(*ReadHeaders({"@" + path, "X-Team: ops"}),
              ElementsAre(Pair("Authorization", "Bearer s3cret"), Pair("X-Env", "prod"),
                          Pair("X-Team", "ops")));
}

TEST(Headers, ThatAreNoneAreToldWithoutTheirValues) {
  for (const std::string& bad :
       {std::string("s3cret"), std::string(": s3cret"), "@" + FileWith("X-A: b\ns3cret\n")}) {
    const auto read = ReadHeaders({bad});
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << bad;
    EXPECT_THAT(read.status().message(), HasSubstr("NAME: VALUE"));
    EXPECT_THAT(read.status().message(), Not(HasSubstr("s3cret")));
  }
  EXPECT_THAT(ReadHeaders({"@" + FileWith("X-A: b\ns3cret\n")}).status().message(),
              HasSubstr("line 2"));
  EXPECT_THAT(ReadHeaders({"Authorization: @token.txt"}).status().message(),
              HasSubstr("a file stands alone"));
  EXPECT_THAT(ReadHeaders({"X-A: s3cret", "X-A: c"}).status().message(),
              HasSubstr("X-A comes twice"));
}

TEST(Headers, OfAFileThatCannotBeReadAreAFault) {
  for (const std::string& path : {testing::TempDir() + "/no-such-file", testing::TempDir()}) {
    const auto read = ReadHeaders({"@" + path});
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << path;
    EXPECT_THAT(read.status().message(), HasSubstr("cannot be read"));
  }
  EXPECT_THAT(ReadHeaders({"@" + FileWith(" \n")}).status().message(), HasSubstr("has no header"));
  const auto huge = ReadHeaders({"@" + FileWith(std::string(kMaxSecretBytes + 1, 'x'))});
  EXPECT_THAT(huge.status().message(), HasSubstr("more than"));
}

}  // namespace
}  // namespace tocsin::cli
