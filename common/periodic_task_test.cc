// A periodic task runs at once, when woken, and not after it was stopped.
#include "common/periodic_task.h"

#include <gtest/gtest.h>

#include <atomic>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

namespace tocsin {
namespace {

TEST(PeriodicTaskTest, RunsAtOnceAndThenWhenWoken) {
  absl::Notification first, second;
  int runs = 0;
  PeriodicTask task("test", absl::InfiniteDuration(), [&] {
    ++runs;
    if (runs == 1) first.Notify();
    if (runs == 2) second.Notify();
  });
  first.WaitForNotification();
  task.Wake();
  second.WaitForNotification();
  task.Stop();
  EXPECT_EQ(runs, 2);
}

TEST(PeriodicTaskTest, RestsAsLongAsTheTickSays) {
  absl::BlockingCounter three(3);
  std::atomic<int> runs = 0;
  PeriodicTask task("test", [&] {
    if (++runs <= 3) three.DecrementCount();
    return runs < 3 ? absl::ZeroDuration() : absl::InfiniteDuration();
  });
  three.Wait();
  task.Stop();
  EXPECT_EQ(runs, 3);
}

TEST(PeriodicTaskTest, AWakeDuringARunIsNotLost) {
  absl::Notification running, go_on, second;
  int runs = 0;
  PeriodicTask task("test", absl::InfiniteDuration(), [&] {
    if (++runs == 1) {
      running.Notify();
      go_on.WaitForNotification();
    } else {
      second.Notify();
    }
  });
  running.WaitForNotification();
  task.Wake();
  go_on.Notify();
  second.WaitForNotification();
}

TEST(PeriodicTaskTest, StopIsPromptAndCanBeRepeated) {
  absl::Notification ran;
  PeriodicTask task("a long name that the kernel cuts", absl::Hours(1), [&] { ran.Notify(); });
  ran.WaitForNotification();
  task.Stop();
  task.Stop();
}

}  // namespace
}  // namespace tocsin
