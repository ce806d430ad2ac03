// The event loop on epoll and eventfd.
#include "gateway/http/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace tocsin::http {
namespace {

// Enough for every connection of a busy gateway to be served once per turn.
constexpr int kEventsPerTurn = 512;
constexpr absl::Duration kLongestSleep = absl::Minutes(10);

epoll_event MakeEvent(uint32_t events, EventLoop::Source* source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = source;
  return event;
}

}  // namespace

EventLoop::EventLoop(const MonotonicClock& clock) : clock_(clock), now_(clock.Now()) {}

EventLoop::~EventLoop() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

absl::Status EventLoop::Init() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_fd_ < 0 || wake_fd_ < 0) {
    return absl::ResourceExhaustedError("cannot make an event loop: out of descriptors");
  }
  Add(wake_fd_, EPOLLIN, nullptr);
  return absl::OkStatus();
}

void EventLoop::Add(int fd, uint32_t events, Source* source) {
  epoll_event event = MakeEvent(events, source);
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
}

void EventLoop::Modify(int fd, uint32_t events, Source* source) {
  epoll_event event = MakeEvent(events, source);
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Remove(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Post(absl::AnyInvocable<void()> task) {
  {
    absl::MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }
  Wake();
}

void EventLoop::Wake() {
  if (wake_pending_.exchange(true)) return;
  const uint64_t one = 1;
  // It can only fail when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Stop() {
  stop_.store(true);
  Wake();
}

void EventLoop::RunTasks() {
  {
    absl::MutexLock lock(&mutex_);
    running_.swap(tasks_);
  }
  for (auto& task : running_) task();
  running_.clear();
}

int EventLoop::SleepMillis(absl::Duration wake_at) const {
  const absl::Duration sleep = std::clamp(wake_at - now_, absl::ZeroDuration(), kLongestSleep);
  // Rounded up: a turn that comes too early would find nothing to do and spin.
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(sleep, absl::Milliseconds(1))));
}

void EventLoop::Run() {
  std::array<epoll_event, kEventsPerTurn> events;
  absl::Duration wake_at = now_;
  while (!stop_.load()) {
    const int count = epoll_wait(epoll_fd_, events.data(), kEventsPerTurn, SleepMillis(wake_at));
    now_ = clock_.Now();
    for (int i = 0; i < count; ++i) {
      if (auto* source = static_cast<Source*>(events[i].data.ptr)) {
        source->OnEvents(events[i].events);
        continue;
      }
      uint64_t wakes;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &wakes, sizeof(wakes));
      wake_pending_.store(false);
    }
    RunTasks();
    wake_at = now_ + kLongestSleep;
    for (TurnHook* hook : hooks_) wake_at = std::min(wake_at, hook->OnTurn(now_));
  }
}

}  // namespace tocsin::http
