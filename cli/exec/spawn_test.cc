// A command is found and started as a shell does.
#include "cli/exec/spawn.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "cli/exec/descriptors.h"

namespace tocsin::cli {
namespace {

class SpawnTest : public ::testing::Test {
 protected:
  Spawned Start(const std::vector<std::string>& words) { return Spawn(words, streams_, signals_); }

  int StatusOf(const std::vector<std::string>& words) {
    const Spawned spawned = Start(words);
    int status = 0;
    EXPECT_EQ(waitpid(spawned.pid, &status, 0), spawned.pid) << spawned.error;
    return WEXITSTATUS(status);
  }

  std::string Script(const std::string& text, mode_t mode) {
    const std::string path = testing::TempDir() + "/spawn-script-" + std::to_string(mode);
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  Signals signals_;
  CommandStreams streams_;
};

TEST_F(SpawnTest, ArgumentsArriveAsTheyAre) {
  EXPECT_EQ(StatusOf({"sh", "-c",
                      "test $# = 3 && test -z \"$1\" && test \"$2\" = '[a, b]' && "
                      "test \"$3\" = -- && exit 42",
                      "sh", "", "[a, b]", "--"}),
            42);
}

TEST_F(SpawnTest, AScriptWithoutAnInterpreterIsTheShells) {
  EXPECT_EQ(StatusOf({Script("exit 7\n", 0755)}), 7);
}

TEST_F(SpawnTest, WhatCannotRunSaysWhy) {
  EXPECT_EQ(Start({"no-such-command-here"}).error, ENOENT);
  EXPECT_EQ(Start({"/no/such/command"}).error, ENOENT);
  EXPECT_EQ(Start({""}).error, ENOENT);
  EXPECT_EQ(Start({Script("exit 0\n", 0644)}).error, EACCES);
  EXPECT_EQ(Start({"/"}).error, EACCES);
  errno = 0;
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no zombie is left
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SpawnTest, TheStreamsAreThoseThatWereGiven) {
  int read_end = -1, write_end = -1;
  ASSERT_TRUE(MakePipe(read_end, write_end));
  streams_ = {.out = write_end, .err = write_end};
  EXPECT_EQ(StatusOf({"sh", "-c", "echo out; echo err >&2"}), 0);
  close(write_end);
  char text[32];
  EXPECT_EQ(std::string(text, read(read_end, text, sizeof(text))), "out\nerr\n");
  close(read_end);
}

TEST_F(SpawnTest, SignalsAreUnblockedInTheCommand) {
  const Spawned spawned = Start({"sleep", "1000"});
  kill(spawned.pid, SIGTERM);
  int status = 0;
  waitpid(spawned.pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

}  // namespace
}  // namespace tocsin::cli
