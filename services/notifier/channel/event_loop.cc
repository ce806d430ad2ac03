// One thread that waits for sockets, timers and tasks.
#include "services/notifier/channel/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "absl/synchronization/notification.h"

namespace tocsin::notifier {
namespace {

// A kernel that cannot give two descriptors at the start is a broken invariant.
int CheckFd(int fd) {
  if (fd < 0) std::abort();
  return fd;
}

}  // namespace

EventLoop::EventLoop(const MonotonicClock& clock)
    : clock_(clock),
      epoll_fd_(CheckFd(epoll_create1(EPOLL_CLOEXEC))),
      wake_fd_(CheckFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_fd_;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event);
  thread_ = std::thread([this] { Loop(); });
}

EventLoop::~EventLoop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
  close(wake_fd_);
  close(epoll_fd_);
}

void EventLoop::Post(Task task) {
  bool was_empty;
  {
    absl::MutexLock lock(&mutex_);
    was_empty = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (was_empty) Wake();
}

void EventLoop::Run(const Task& task) {
  absl::Notification done;
  Post([&task, &done] {
    task();
    done.Notify();
  });
  done.WaitForNotification();
}

EventLoop::TimerId EventLoop::AddTimer(Task task) {
  timers_.push_back({absl::InfiniteDuration(), std::move(task)});
  return timers_.size() - 1;
}

void EventLoop::Arm(TimerId timer, absl::Duration at) { timers_[timer].at = at; }

void EventLoop::Watch(int fd, uint32_t events, FdHandler handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (events == 0) {
    watched_.erase(fd);
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, &event);
    return;
  }
  auto& slot = watched_[fd];
  const bool known = slot != nullptr;
  slot = std::make_shared<FdHandler>(std::move(handler));
  // A descriptor that was closed unwatched has left epoll, so either call may find the other's
  // case.
  if (epoll_ctl(epoll_fd_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) {
    epoll_ctl(epoll_fd_, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  }
}

void EventLoop::Loop() {
  std::array<epoll_event, 128> events;
  while (true) {
    const int n =
        epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), WaitMillis());
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
    }
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_fd_) {
        uint64_t count = 0;
        if (read(wake_fd_, &count, sizeof(count)) < 0) continue;
        RunTasks();
        continue;
      }
      // A handler before this one may have stopped watching; the copy survives its own removal.
      const auto found = watched_.find(fd);
      if (found == watched_.end()) continue;
      const std::shared_ptr<FdHandler> handler = found->second;
      (*handler)(events[i].events);
    }
    RunTimers();
  }
}

int EventLoop::WaitMillis() const {
  absl::Duration next = absl::InfiniteDuration();
  for (const Timer& timer : timers_) next = std::min(next, timer.at);
  if (next == absl::InfiniteDuration()) return -1;
  const absl::Duration wait = next - clock_.Now();
  if (wait <= absl::ZeroDuration()) return 0;
  return static_cast<int>(std::min<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1))), 60'000));
}

void EventLoop::RunTimers() {
  const absl::Duration now = clock_.Now();
  // By index: a timer's task may add timers.
  for (size_t i = 0; i < timers_.size(); ++i) {
    if (timers_[i].at > now) continue;
    timers_[i].at = absl::InfiniteDuration();
    const Task task = timers_[i].task;
    task();
  }
}

void EventLoop::RunTasks() {
  std::vector<Task> tasks;
  {
    absl::MutexLock lock(&mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task();
}

void EventLoop::Wake() {
  const uint64_t one = 1;
  // Can only fail when the counter is full, and then the loop is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

}  // namespace tocsin::notifier
