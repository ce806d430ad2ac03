// One thread's event loop: sockets by epoll, tasks posted by other threads, and hooks that run at
// the end of each turn.
//
// It is written on epoll itself and not on an Asio io_context because the gateway spends its time
// in system calls: level-triggered readiness needs one read and one write per request, where
// Asio's edge-triggered reactor adds a read that finds nothing, and accept4 needs no ioctl. What
// happened in one turn is acted upon together (one batch to core, one write per connection).
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tocsin::http {

class EventLoop {
 public:
  // Who hears of events on a descriptor. Must stay alive until the end of the turn in which it
  // was removed: an event of the same turn may still be delivered.
  class Source {
   public:
    virtual ~Source() = default;
    // `events` as epoll(7) gives them. May be spurious.
    virtual void OnEvents(uint32_t events) = 0;
  };

  // Called at the end of each turn, in the order of registration.
  class TurnHook {
   public:
    virtual ~TurnHook() = default;
    // Returns when, on the loop's clock, it wants another turn at the latest.
    virtual absl::Duration OnTurn(absl::Duration now) = 0;
  };

  // `clock` must outlive the loop.
  explicit EventLoop(const MonotonicClock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Call once before anything else. RESOURCE_EXHAUSTED when descriptors run out.
  absl::Status Init();

  // Loop thread only (or before Run). `source` is not owned.
  void Add(int fd, uint32_t events, Source* source);
  void Modify(int fd, uint32_t events, Source* source);
  void Remove(int fd);
  void AddTurnHook(TurnHook* hook) { hooks_.push_back(hook); }

  // Any thread. Tasks run on the loop's thread, in order; those left when the loop is destroyed
  // are destroyed without having run.
  void Post(absl::AnyInvocable<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);
  // Any thread. Causes a turn, for clocks that only tests move.
  void Wake();

  // Serves until Stop() was called, from any thread.
  void Run();
  void Stop();

  // The time at which this turn began. Loop thread only.
  absl::Duration now() const { return now_; }
  const MonotonicClock& clock() const { return clock_; }

 private:
  void RunTasks() ABSL_LOCKS_EXCLUDED(mutex_);
  int SleepMillis(absl::Duration wake_at) const;

  const MonotonicClock& clock_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  absl::Duration now_;
  std::vector<TurnHook*> hooks_;
  std::vector<absl::AnyInvocable<void()>> running_;
  std::atomic<bool> stop_{false};
  // Whether the wake descriptor was written and not read yet.
  std::atomic<bool> wake_pending_{false};

  absl::Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::http
