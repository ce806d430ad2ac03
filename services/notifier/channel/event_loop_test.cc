// Tells how the event loop runs tasks, timers and handlers of descriptors.
#include "services/notifier/channel/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <vector>

#include "absl/synchronization/notification.h"
#include "common/clock.h"

namespace tocsin::notifier {
namespace {

TEST(EventLoopTest, RunsTasksInOrderOnOneThread) {
  SystemMonotonicClock clock;
  EventLoop loop(clock);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) loop.Post([&order, i] { order.push_back(i); });
  loop.Run([] {});
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(EventLoopTest, FiresATimerOnceAndNotWhenDisarmed) {
  SystemMonotonicClock clock;
  EventLoop loop(clock);
  int fired = 0;
  absl::Notification last;
  loop.Run([&] {
    const auto disarmed = loop.AddTimer([] { ADD_FAILURE(); });
    const auto once = loop.AddTimer([&] { ++fired; });
    const auto end = loop.AddTimer([&] { last.Notify(); });
    loop.Arm(disarmed, loop.Now());
    loop.Arm(disarmed, absl::InfiniteDuration());
    loop.Arm(once, loop.Now() - absl::Seconds(1));
    loop.Arm(end, loop.Now() + absl::Milliseconds(20));
  });
  last.WaitForNotification();
  loop.Run([&] { EXPECT_EQ(fired, 1); });
}

TEST(EventLoopTest, WatchesDescriptorsUntilTold) {
  SystemMonotonicClock clock;
  EventLoop loop(clock);
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  absl::Notification readable;
  loop.Run([&] {
    loop.Watch(fds[0], EPOLLIN, [&](uint32_t events) {
      EXPECT_TRUE((events & EPOLLIN) != 0);
      loop.Watch(fds[0], 0, nullptr);  // a handler may end itself
      readable.Notify();
    });
  });
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  readable.WaitForNotification();
  loop.Run([] {});
  close(fds[0]);
  close(fds[1]);
}

}  // namespace
}  // namespace tocsin::notifier
