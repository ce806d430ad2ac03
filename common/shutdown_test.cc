// Signals ask for a stop, and only once.
#include "common/shutdown.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace tocsin {
namespace {

TEST(ShutdownTest, NothingIsRequestedAtFirst) {
  Shutdown shutdown;
  EXPECT_FALSE(shutdown.requested());
}

TEST(ShutdownTest, ASignalIsARequestThatStays) {
  Shutdown shutdown;
  raise(SIGTERM);
  shutdown.Wait();
  EXPECT_TRUE(shutdown.requested());
  EXPECT_TRUE(shutdown.WaitFor(absl::InfiniteDuration()));
}

TEST(ShutdownTest, TheProcessCanAskItself) {
  Shutdown shutdown;
  shutdown.Request();
  EXPECT_TRUE(shutdown.requested());
}

TEST(ShutdownTest, ASecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        Shutdown shutdown;
        raise(SIGINT);
        raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

TEST(ShutdownTest, AClosedPipeDoesNotKill) {
  Shutdown shutdown;
  raise(SIGPIPE);
  EXPECT_FALSE(shutdown.requested());
}

}  // namespace
}  // namespace tocsin
