// Teaches ThreadSanitizer absl::Mutex and absl::Notification, in builds for it only: Debian's
// Abseil is compiled without it, so it would not see that they order anything and report races that
// are none.
//
// The executable's definitions below take the place of the library's everywhere; each calls the
// library's and tells the sanitizer what was acquired or released.
#include <dlfcn.h>

#include <string>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);

namespace {

#define TOCSIN_TEXT_INNER(x) #x
#define TOCSIN_TEXT(x) TOCSIN_TEXT_INNER(x)

// The library's function, by the part of its mangled name that follows the namespace; `scope` is
// "_ZN", or "_ZNK" for a const one.
template <typename Function>
Function Real(const std::string& name, const std::string& scope = "_ZN") {
#if ABSL_OPTION_USE_INLINE_NAMESPACE
  const std::string space = TOCSIN_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string mangled = scope + "4absl" + std::to_string(space.size()) + space + name;
#else
  const std::string mangled = scope + "4absl" + name;
#endif
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, mangled.c_str()));
}

// Whoever unlocks evaluates the conditions of those who wait, after the sanitizer was told of the
// release but before the mutex is free: those reads are in order.
class IgnoreConditions {
 public:
  IgnoreConditions() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreConditions() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

}  // namespace

// Resolved once per function; dlsym needs no absl::Mutex.
#define TOCSIN_REAL(name, result, ...) static const auto real = Real<result (*)(__VA_ARGS__)>(name)

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  TOCSIN_REAL("5Mutex4LockEv", void, Mutex*);
  real(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  TOCSIN_REAL("5Mutex7TryLockEv", bool, Mutex*);
  if (!real(this)) return false;
  __tsan_acquire(this);
  return true;
}

void Mutex::Unlock() {
  TOCSIN_REAL("5Mutex6UnlockEv", void, Mutex*);
  const IgnoreConditions ignore;
  __tsan_release(this);
  real(this);
}

void Mutex::ReaderLock() {
  TOCSIN_REAL("5Mutex10ReaderLockEv", void, Mutex*);
  real(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  TOCSIN_REAL("5Mutex12ReaderUnlockEv", void, Mutex*);
  const IgnoreConditions ignore;
  __tsan_release(this);
  real(this);
}

void Mutex::LockWhen(const Condition& condition) {
  TOCSIN_REAL("5Mutex8LockWhenERKNS0_9ConditionE", void, Mutex*, const Condition&);
  const IgnoreConditions ignore;
  real(this, condition);
  __tsan_acquire(this);
}

void Mutex::Await(const Condition& condition) {
  TOCSIN_REAL("5Mutex5AwaitERKNS0_9ConditionE", void, Mutex*, const Condition&);
  const IgnoreConditions ignore;
  __tsan_release(this);
  real(this, condition);
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  TOCSIN_REAL("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE", bool, Mutex*,
              const Condition&, Duration);
  const IgnoreConditions ignore;
  __tsan_release(this);
  const bool met = real(this, condition, timeout);
  __tsan_acquire(this);
  return met;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  TOCSIN_REAL("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", bool, Mutex*,
              const Condition&, Time);
  const IgnoreConditions ignore;
  __tsan_release(this);
  const bool met = real(this, condition, deadline);
  __tsan_acquire(this);
  return met;
}

bool Mutex::LockWhenWithTimeout(const Condition& condition, Duration timeout) {
  TOCSIN_REAL("5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE", bool, Mutex*,
              const Condition&, Duration);
  const IgnoreConditions ignore;
  const bool met = real(this, condition, timeout);
  __tsan_acquire(this);
  return met;
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  TOCSIN_REAL("5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE", bool, Mutex*,
              const Condition&, Time);
  const IgnoreConditions ignore;
  const bool met = real(this, condition, deadline);
  __tsan_acquire(this);
  return met;
}

void CondVar::Wait(Mutex* mutex) {
  TOCSIN_REAL("7CondVar4WaitEPNS0_5MutexE", void, CondVar*, Mutex*);
  const IgnoreConditions ignore;
  __tsan_release(mutex);
  real(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  TOCSIN_REAL("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE", bool, CondVar*, Mutex*,
              Duration);
  const IgnoreConditions ignore;
  __tsan_release(mutex);
  const bool timed_out = real(this, mutex, timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  TOCSIN_REAL("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE", bool, CondVar*, Mutex*, Time);
  const IgnoreConditions ignore;
  __tsan_release(mutex);
  const bool timed_out = real(this, mutex, deadline);
  __tsan_acquire(mutex);
  return timed_out;
}

void Notification::Notify() {
  TOCSIN_REAL("12Notification6NotifyEv", void, Notification*);
  __tsan_release(this);
  real(this);
}

void Notification::WaitForNotification() const {
  static const auto real =
      Real<void (*)(const Notification*)>("12Notification19WaitForNotificationEv", "_ZNK");
  const IgnoreConditions ignore;
  real(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

ABSL_NAMESPACE_END
}  // namespace absl
