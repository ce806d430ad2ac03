// Signals become something to read, and the command gets those that it has not got already.
#include "cli/exec/signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tocsin::cli {
namespace {

TEST(SignalsTest, ASignalIsReadInsteadOfKilling) {
  Signals signals;
  EXPECT_FALSE(signals.Next());
  kill(getpid(), SIGTERM);
  kill(getpid(), SIGRTMIN + 3);
  const auto first = signals.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->number, SIGTERM);
  EXPECT_EQ(first->sender, getpid());
  EXPECT_FALSE(first->of_kernel);
  EXPECT_EQ(signals.Next()->number, SIGRTMIN + 3);
  EXPECT_FALSE(signals.Next());
}

TEST(SignalsTest, TheCommandGetsASignalOnce) {
  constexpr pid_t kCommand = 100;
  EXPECT_TRUE(IsForTheCommand({.number = SIGTERM, .sender = 7}, kCommand));
  EXPECT_TRUE(IsForTheCommand({.number = SIGRTMIN + 3, .sender = 0}, kCommand));
  EXPECT_FALSE(IsForTheCommand({.number = SIGINT, .of_kernel = true}, kCommand));
  EXPECT_TRUE(IsForTheCommand({.number = SIGALRM, .of_kernel = true}, kCommand));
  EXPECT_FALSE(IsForTheCommand({.number = SIGTERM, .sender = kCommand}, kCommand));
  EXPECT_FALSE(IsForTheCommand({.number = SIGCHLD, .sender = 7}, kCommand));
}

TEST(SignalsTest, ASignalThatWasIgnoredAtTheStartAsksForNothing) {
  const auto before = signal(SIGHUP, SIG_IGN);
  {
    Signals signals;
    EXPECT_FALSE(signals.AsksToEnd(SIGHUP));
    EXPECT_TRUE(signals.AsksToEnd(SIGTERM));
    EXPECT_FALSE(signals.AsksToEnd(SIGUSR1));
  }
  signal(SIGHUP, before);
}

TEST(SignalsTest, ChildrenCanBeWaitedForWhereTheyWereIgnoredAndInheritThatAgain) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  {
    Signals signals;
    const pid_t child = fork();
    if (child == 0) {
      signals.Restore();
      struct sigaction found;
      sigset_t mask;
      sigaction(SIGCHLD, nullptr, &found);
      sigprocmask(SIG_SETMASK, nullptr, &mask);
      _exit(found.sa_handler == SIG_IGN && sigismember(&mask, SIGTERM) == 0 ? 42 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 42);
  }
  signal(SIGCHLD, before);
}

}  // namespace
}  // namespace tocsin::cli
