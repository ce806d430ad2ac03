// A simulated job with a random schedule and a random life: pushes with jitter, own outages of
// Tocsin, pauses, changes of schedule, restarts, and for some a death.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"
#include "tests/scenarios/world.h"

namespace tocsin::core::simulation {

// What became of it.
struct Fate {
  bool alerted = false;
  // For a dead one: by when product.md promises the alert, and when it was there.
  absl::Time promised_by = absl::InfiniteFuture();
  std::optional<absl::Time> alerted_at;
  std::string story;  // for the message when it went wrong
};

// The life of one job; the same seed gives the same life.
class Job {
 public:
  Job(uint64_t seed, bool dies);

  const MonitorDefinition& monitor() const { return monitor_; }
  // Lives it in a world that was made with monitor().
  Fate Live(scenarios::World& world);

 private:
  enum class Happening { kPush, kPause, kResume, kChange, kRestart, kOutage };

  absl::Duration Between(absl::Duration low, absl::Duration high);
  bool Chance(int percent);
  absl::Duration NextPause();
  void Happen(scenarios::World& world);
  void PushTo(scenarios::World& world);
  void ChangeSchedule(scenarios::World& world);
  void BeginOutage(scenarios::World& world);
  void Tell(const std::string& what);
  absl::Time PromisedBy(absl::Duration blur) const;

  std::mt19937_64 random_;
  bool dies_;
  MonitorDefinition monitor_;
  std::string story_;

  absl::Time now_;
  absl::Time next_push_;
  absl::Time next_happening_;
  std::optional<absl::Time> resume_at_;
  // What the promise is made of, kept apart from what core keeps.
  absl::Time last_received_ = absl::InfinitePast();
  absl::Time resumed_at_ = absl::InfinitePast();
  absl::Time floor_ = absl::InfinitePast();
  absl::Time outage_end_ = absl::InfinitePast();
  GapList outages_;
};

}  // namespace tocsin::core::simulation
