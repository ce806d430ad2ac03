// Finds monitors whose deadline has passed and records their failure.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/log.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/store/store.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

struct SweeperMetrics;

struct SweeperOptions {
  int batch = 1000;                                // monitors in one transaction
  absl::Duration settle = absl::Milliseconds(20);  // as the guard's
  absl::Duration longest_rest = absl::Seconds(1);
  absl::Duration first_for = absl::Seconds(10);
  absl::Duration locked_again = absl::Milliseconds(10);  // when others held due rows
};

// One sweep at a time; every replica sweeps and none is leader. Several may share a replica.
class Sweeper {
 public:
  Sweeper(Store& store, OutageGuard& guard, const Clock& clock, SweeperOptions options,
          SweeperMetrics& metrics);

  // One bounded pass: asks for a touch when something is due, judges what may be judged, moves
  // sweep_at of the rest on. Returns how long to rest before the next one.
  absl::Duration Sweep();

  // Whether more is due than one pass takes. Any thread.
  bool behind() const { return behind_; }
  // Whether what can wait should leave processor and database to it: it is behind, and has been for
  // no longer than `first_for`. Any thread.
  bool comes_first() const { return comes_first_; }

 private:
  // What became of the due monitors in one transaction.
  struct Pass;

  absl::StatusOr<absl::Duration> TrySweep();
  // Asks for signs of life: of gateways, and of our own where the newest one is from before
  // `since`, or old. What comes of it takes a while, so that it is asked while what is due settles.
  absl::Status Ask(absl::Time since, absl::Time now);
  // All that is due is looked at anew, however long that takes.
  void LookFromTheStart();
  void NoteAllSeen(absl::Time now);
  absl::Duration RestAfter(const Pass& pass, const OutageGuard::Judgement& judgement,
                           absl::Time now);
  absl::Status JudgeDue(Transaction& transaction, const OutageGuard::Judgement& judgement,
                        absl::Time now, Pass& pass);
  void Count(const Pass& pass);
  void NoteBehind(bool behind);

  Store& store_;
  OutageGuard& guard_;
  const Clock& clock_;
  const SweeperOptions options_;
  SweeperMetrics& metrics_;
  ChangeLogger failures_;
  std::atomic<bool> behind_ = false;
  std::atomic<bool> comes_first_ = false;
  absl::Time behind_since_;
  bool left_some_ = false;  // due ones that could not be judged: only a new touch helps
  absl::Time asked_at_ = absl::InfinitePast();  // see Ask
  // What is due up to there was seen and waits for a gateway, so that it need not be looked at for
  // a while. The first place: nothing does.
  SweepCursor held_until_;
  absl::Time held_for_ = absl::InfinitePast();  // the judgement's http_up_to while they were seen
  // At all that is due; InfiniteFuture until the last of it was seen.
  absl::Time look_again_at_ = absl::InfiniteFuture();
};

}  // namespace tocsin::core
