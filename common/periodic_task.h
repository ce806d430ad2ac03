// A thread that runs a function again and again, and can be woken early.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"

namespace tocsin {

// The first run is at once. Runs never overlap. Wake() and Stop() are thread safe.
class PeriodicTask {
 public:
  // Runs `tick`, which returns how long to rest before the next run (0 or less: not at all).
  // `name` is the thread's name, of which the kernel keeps 15 bytes.
  PeriodicTask(const std::string& name, std::function<absl::Duration()> tick);
  // The same with a fixed rest.
  PeriodicTask(const std::string& name, absl::Duration rest, std::function<void()> tick);
  // Stops.
  ~PeriodicTask();
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

  // Ends the current rest; during a run, makes the next run follow without rest.
  void Wake();

  // Waits for a run in progress; no run begins afterwards. Not from inside `tick`. Idempotent.
  void Stop();

 private:
  void Run(const std::string& name);

  const std::function<absl::Duration()> tick_;
  // Not absl::CondVar: it waits on the wall clock, so a step back of the system time would
  // stretch a rest by as much. The standard one waits on CLOCK_MONOTONIC.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;    // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;    // last: starts when all else is ready
};

}  // namespace tocsin
