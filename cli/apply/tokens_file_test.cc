// Where secrets that are shown once are kept.
#include "cli/apply/tokens_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace tocsin::cli {
namespace {

using testing::HasSubstr;

std::string Fresh(const char* name) {
  std::string path = testing::TempDir() + "/" + name;
  std::remove(path.c_str());
  return path;
}

TEST(TokensFileTest, LinesAreAddedToAFileThatOnlyItsOwnerReads) {
  const std::string path = Fresh("tokens_a");
  for (const char* id : {"a", "b"}) {
    TokensFile file;
    ASSERT_TRUE(file.Open(path).ok());
    ASSERT_TRUE(file.Add(id, "secret", id[0] == 'a' ? "https://x" : "").ok());
  }
  struct stat facts = {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "a\tsecret\thttps://x\nb\tsecret\n");
}

TEST(TokensFileTest, AFileThatOthersCanReadIsRefused) {
  const std::string path = Fresh("tokens_b");
  std::ofstream(path) << "";
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  TokensFile file;
  EXPECT_THAT(std::string(file.Open(path).message()), HasSubstr("can be read by others"));
  EXPECT_FALSE(file.open());
}

TEST(TokensFileTest, AFolderThatIsNotThereIsSaid) {
  TokensFile file;
  EXPECT_THAT(std::string(file.Open("/no/such/folder/x").message()),
              HasSubstr("cannot be opened: No such file or directory"));
}

}  // namespace
}  // namespace tocsin::cli
