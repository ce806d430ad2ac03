// One thread that waits for sockets, timers and tasks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tocsin::notifier {

// Whatever it calls, it calls on its own thread, one thing at a time: what lives on the loop needs
// no locks. Sleeps in epoll while there is nothing to do.
class EventLoop {
 public:
  using Task = std::function<void()>;
  using TimerId = size_t;
  // Called with the EPOLL… bits that are set.
  using FdHandler = std::function<void(uint32_t events)>;

  // Starts the thread. `clock` must outlive the loop and run in real time.
  explicit EventLoop(const MonotonicClock& clock);
  // Stops: what was posted and not yet run is dropped.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs the task soon, in the order of Post. Any thread.
  void Post(Task task);
  // Runs the task on the loop and returns when it has run. Any thread but the loop's.
  void Run(const Task& task);

  // The rest: on the loop's thread only.

  // Makes a timer that is not armed; it lives as long as the loop.
  TimerId AddTimer(Task task);
  // Fires once at `at` (at once if past); InfiniteDuration disarms. Replaces what was armed.
  void Arm(TimerId timer, absl::Duration at);
  // Watches a descriptor for `events` (EPOLLIN, EPOLLOUT); 0 stops. Before it is closed.
  void Watch(int fd, uint32_t events, FdHandler handler);
  absl::Duration Now() const { return clock_.Now(); }

 private:
  struct Timer {
    absl::Duration at = absl::InfiniteDuration();
    Task task;
  };

  void Loop();
  int WaitMillis() const;
  void RunTimers();
  void RunTasks();
  void Wake();

  const MonotonicClock& clock_;
  int epoll_fd_;
  int wake_fd_;
  std::vector<Timer> timers_;
  absl::flat_hash_map<int, std::shared_ptr<FdHandler>> watched_;
  absl::Mutex mutex_;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tocsin::notifier
