// A thread that turns answers of core into JSON.
//
// A page of a thousand monitors takes tens of milliseconds: on an io thread it would hold up
// pushes, on one of gRPC's the answers to them.
#pragma once

#include <deque>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace tocsin::gateway {

// Thread safe. The thread begins with the first task. Whoever bounds the calls bounds the tasks.
class Translator {
 public:
  Translator() = default;
  // Runs what is left.
  ~Translator();
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  void Post(absl::AnyInvocable<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::gateway
