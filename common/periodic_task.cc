// The loop of a periodic task.
#include "common/periodic_task.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tocsin {

PeriodicTask::PeriodicTask(const std::string& name, std::function<absl::Duration()> tick)
    : tick_(std::move(tick)), thread_([this, name] { Run(name); }) {}

PeriodicTask::PeriodicTask(const std::string& name, absl::Duration rest, std::function<void()> tick)
    : PeriodicTask(name, [rest, tick = std::move(tick)] {
        tick();
        return rest;
      }) {}

PeriodicTask::~PeriodicTask() { Stop(); }

void PeriodicTask::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void PeriodicTask::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void PeriodicTask::Run(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    woken_ = false;
    lock.unlock();
    const absl::Duration rest = tick_();
    lock.lock();
    // A day is as good as for ever, and far from overflow.
    const auto bounded = absl::ToChronoMicroseconds(std::min(rest, absl::Hours(24)));
    changed_.wait_for(lock, bounded, [this] { return woken_ || stopped_; });
  }
}

}  // namespace tocsin
