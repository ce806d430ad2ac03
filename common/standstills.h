// Since when what this process reads may have waited unseen.
#pragma once

#include <deque>
#include <optional>

#include "absl/time/time.h"

namespace tocsin {

struct StandstillLimits {
  // A longer time without a mark is a standstill.
  absl::Duration standstill;
  // How long a process must have been awake, all in all, to have read what waited before.
  absl::Duration all_read = absl::Seconds(2);
  // How often it is marked at least. Of the time between two marks no more is taken for awake: in
  // the rest it may have stood still for less than a standstill.
  absl::Duration mark_every;
};

// A process that stands still (SIGSTOP, a paused machine, a starved container) reads nothing; what
// was sent to it waits in sockets meanwhile, and its sender may have given it to another replica.
// It finds out by marks that stay away: whoever marks regularly while awake need not be told.
//
// Times are those of one monotonic clock, which counts suspended time. Not thread-safe.
class Standstills {
 public:
  explicit Standstills(StandstillLimits limits) : limits_(limits) {}

  // `now` is not before that of the last call.
  void MarkAwake(absl::Duration now);

  // When the oldest standstill began of which something may not have been read yet at the last
  // mark; nullopt: whatever is read has come a moment ago.
  std::optional<absl::Duration> UnseenSince() const;

 private:
  struct Standstill {
    absl::Duration since;
    absl::Duration awake_before;  // awake_for_ then
  };

  const StandstillLimits limits_;
  absl::Duration awake_at_ = absl::InfiniteDuration();  // the last mark; there was none yet
  absl::Duration awake_for_;                            // all in all, as far as marks tell
  std::deque<Standstill> standstills_;                  // oldest first, at most kMostKept
};

}  // namespace tocsin
