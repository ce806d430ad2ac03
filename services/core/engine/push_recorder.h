// Records heartbeats by group commit: many pushes share one transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/transition.h"
#include "services/core/store/store.h"

namespace tocsin::core {

class KeyUses;
struct RecorderMetrics;

enum class PushResult {
  kRecorded,        // durable, and it has had its effect
  kRecordedPaused,  // durable; the monitor is paused and stays so
  kUnknownToken,    // the database was asked: no monitor has this token, or that the key may reach
  kUnavailable,     // not recorded, or in doubt; a retry with the same push id counts once
  kInvalid,         // the item itself cannot be stored

  // Only of items that ask for a monitor to be created.
  kMissing,          // there is none, and the push key may create it; for PushCreator
  kBeingCreated,     // it is made just now; not recorded, to be sent again (see PushCreator)
  kCreated,          // recorded, and the monitor was made for it (see PushCreator)
  kMayNotCreate,     // there is none, and the push key may not make it
  kTooManyMonitors,  // there is none, and the project has as many as the push key allows
  kDeleted,          // it is deleted, and its id is not free
};

// Who asks by a push for a monitor to be created; for the audit log.
struct Creation {
  std::string source;      // the client's address
  std::string request_id;  // empty: none
};

struct PushItem {
  // Of the push token; with a push key, TargetToken(*target): another one for each monitor.
  TokenHash token{};
  std::shared_ptr<const PushTarget> target{};  // null with a push token
  // With a push key: a monitor that is missing is to be made; null: it is not.
  std::shared_ptr<const Creation> creation{};
  Heartbeat heartbeat;   // `at` is stamped
  bool retried = false;  // may have reached a core before
};

struct PushAnswer {
  PushResult result = PushResult::kUnavailable;
  Reason reason = Reason::kNothingToDo;
  // "projects/default/monitors/backup"; null unless recorded.
  std::shared_ptr<const std::string> monitor;
};

struct RecorderOptions {
  size_t group_limit = 500;          // items in one transaction
  size_t queue_limit = 20'000;       // items waiting; above it a batch is unavailable at once
  size_t cached_tokens = 1'200'000;  // entries of the token cache
  absl::Duration max_age = absl::Seconds(5);  // an item older than this is not begun
  // While it is true, processor and database are needed for something else, and a group costs the
  // same whatever is in it: one of fewer than `linger_enough` items, for which no touch waits, is
  // begun no sooner than `linger_for` after the last. Null: never. Any thread; under the recorder's
  // mutex, so it may not block.
  std::function<bool()> lingers = nullptr;
  size_t linger_enough = 64;
  absl::Duration linger_for = absl::Milliseconds(10);
};

// Thread-safe. Two committers work side by side and take what waits by turns, but never pushes of a
// token that the other has, so that these keep their order and the committers do not wait for each
// other's locks (save for the two tokens of a monitor just after a rotation; sorted order then
// keeps them from a deadlock).
class PushRecorder {
 public:
  using Done = absl::AnyInvocable<void(std::vector<PushAnswer>) &&>;
  using TouchDone = absl::AnyInvocable<void(absl::Status) &&>;

  // What it is given must outlive it. Nothing runs before Start.
  PushRecorder(Store& store, const Clock& clock, const MonotonicClock& monotonic,
               RecorderOptions options, RecorderMetrics& metrics);
  ~PushRecorder();

  // Starts the committer threads.
  void Start();
  // Answers everything that was submitted, then stops. Later submissions are unavailable.
  void Stop();

  // `done` is called exactly once, after the commits, with an answer for each item in the order of
  // the batch; on a committer's thread, or on the caller's when the queue is full, or just after
  // the process stood still for so long that a copy of the item, sent to another core meanwhile,
  // could not be found: all of the batch is unavailable then.
  void Submit(std::vector<PushItem> batch, Done done);

  // A barrier: when all that was submitted before is recorded or given up, a committer runs `body`
  // in a transaction and then calls `done` with its outcome.
  void SubmitTouch(std::function<absl::Status(Transaction&)> body, TouchDone done);

  // To be called that often while the process is awake, on a thread that waits for nothing else;
  // see Standstills. Submit and SubmitTouch say the same.
  static constexpr absl::Duration kAwakeEvery = absl::Milliseconds(250);
  void NoteAwake();

  // For how long the oldest item that is not answered has been here; zero when there is none.
  absl::Duration OldestAge() const;

  // Forgets every cached token (a failover may have lost transactions).
  void FlushCache();
  // Keys may have changed: the next push with each asks the store.
  void DoubtKeys();
  // The uses of push keys, which somebody has to write from time to time.
  KeyUses& key_uses();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::core
