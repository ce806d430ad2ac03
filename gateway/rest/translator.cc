// The thread.
#include "gateway/rest/translator.h"

#include <utility>

namespace tocsin::gateway {

Translator::~Translator() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void Translator::Post(absl::AnyInvocable<void()> task) {
  absl::MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
  if (!thread_.joinable() && !stopped_) thread_ = std::thread([this] { Run(); });
}

void Translator::Run() {
  const auto awake = [this]()
                         ABSL_NO_THREAD_SAFETY_ANALYSIS { return stopped_ || !tasks_.empty(); };
  while (true) {
    absl::AnyInvocable<void()> task;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&awake));
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace tocsin::gateway
