// What becomes of files that commands write.
#include "cli/save.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SaveTest : public ::testing::Test {
 protected:
  SaveTest() {
    std::string name = ::testing::TempDir() + "/saveXXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~SaveTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  fs::path folder_;
};

TEST_F(SaveTest, AFileIsReplacedAsAWhole) {
  ASSERT_TRUE(Save(Path("jobs.yaml"), "first, and longer").ok());
  ASSERT_TRUE(Save(Path("jobs.yaml"), "second").ok());
  EXPECT_EQ(Read(Path("jobs.yaml")), "second");
  const auto files = fs::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(SaveTest, AFileThatOthersMayNotReadStaysSo) {
  ASSERT_TRUE(Save(Path("crontab"), "old").ok());
  fs::permissions(Path("crontab"), fs::perms::owner_read | fs::perms::owner_write);
  ASSERT_TRUE(Save(Path("crontab"), "new").ok());
  EXPECT_EQ(fs::status(Path("crontab")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(SaveTest, WhatIsNoFileIsWrittenToAndStaysWhatItIs) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  const int pipe = open(Path("pipe").c_str(), O_RDWR | O_NONBLOCK);
  ASSERT_GE(pipe, 0);
  EXPECT_TRUE(Save(Path("pipe"), "text").ok());
  char read_back[8] = {};
  EXPECT_EQ(read(pipe, read_back, sizeof read_back), 4);
  EXPECT_STREQ(read_back, "text");
  close(pipe);
  EXPECT_TRUE(fs::is_fifo(Path("pipe")));
}

TEST_F(SaveTest, ALinkStaysAndItsFileIsReplaced) {
  ASSERT_TRUE(Save(Path("real"), "old").ok());
  fs::create_symlink(Path("real"), Path("link"));
  ASSERT_TRUE(Save(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Read(Path("real")), "new");
}

TEST_F(SaveTest, WhatCannotBeWrittenIsNamed) {
  const absl::Status status = Save(Path("no/such/folder"), "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no/such/folder cannot be written: No such"));
}

}  // namespace
}  // namespace tocsin::cli
