// The end of a command is told and repeated as it was.
#include "cli/exec/ending.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace tocsin::cli {
namespace {

constexpr Ending Killed(int signal) { return {Ending::Kind::kKilled, signal}; }
constexpr Ending Exited(int status) { return {Ending::Kind::kExited, status}; }

TEST(EndingTest, TheExitStatusIsThatOfAShell) {
  EXPECT_EQ(ExitStatusOf(Exited(0)), 0);
  EXPECT_EQ(ExitStatusOf(Exited(255)), 255);
  EXPECT_EQ(ExitStatusOf(Killed(SIGKILL)), 137);
  EXPECT_EQ(ExitStatusOf(Ending::OfError(ENOENT)), 127);
  EXPECT_EQ(ExitStatusOf(Ending::OfError(EACCES)), 126);
  EXPECT_EQ(ExitStatusOf(Ending::OfError(EAGAIN)), 126);
}

TEST(EndingTest, WhatWaitpidSaysIsUnderstood) {
  EXPECT_EQ(Ending::OfWaitStatus(W_EXITCODE(3, 0)).kind, Ending::Kind::kExited);
  EXPECT_EQ(Ending::OfWaitStatus(W_EXITCODE(3, 0)).number, 3);
  EXPECT_EQ(Ending::OfWaitStatus(W_EXITCODE(0, SIGSEGV) | WCOREFLAG).kind, Ending::Kind::kKilled);
  EXPECT_EQ(Ending::OfWaitStatus(W_EXITCODE(0, SIGSEGV) | WCOREFLAG).number, SIGSEGV);
}

TEST(EndingTest, PeopleReadWhatTheExitStatusDoesNotSay) {
  EXPECT_EQ(EndingWords(Exited(3), "backup.sh"), "");
  EXPECT_EQ(EndingWords(Killed(SIGTERM), "backup.sh"), "killed by SIGTERM");
  EXPECT_EQ(EndingWords(Killed(SIGRTMIN + 3), "backup.sh"), "killed by SIGRTMIN+3");
  EXPECT_EQ(EndingWords(Ending::OfError(ENOENT), "bakup.sh"), "bakup.sh: command not found");
  EXPECT_EQ(EndingWords(Ending::OfError(EACCES), "backup.sh"), "backup.sh: Permission denied");
}

TEST(EndingDeathTest, AProcessEndsAsItsCommandDid) {
  for (const int status : {0, 1, 42, 255}) {
    EXPECT_EXIT(EndAs(Exited(status)), testing::ExitedWithCode(status), "");
  }
  for (const int signal : {SIGTERM, SIGKILL, SIGSEGV, SIGPIPE, SIGRTMIN + 1}) {
    EXPECT_EXIT(EndAs(Killed(signal)), testing::KilledBySignal(signal), "");
  }
}

TEST(EndingDeathTest, ASignalKillsAlsoWhereItIsBlockedAndIgnored) {
  const auto end = [] {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    signal(SIGINT, SIG_IGN);
    EndAs(Killed(SIGINT));
  };
  EXPECT_EXIT(end(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace tocsin::cli
