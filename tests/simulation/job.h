// A simulated job with a random schedule and a random life: pushes with jitter, runs, own outages
// of Tocsin, maintenances, pauses, changes of schedule, restarts, and for some a death.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"
#include "tests/scenarios/world.h"
#include "tests/simulation/calendar.h"

namespace tocsin::core::simulation {

// What became of it.
struct Fate {
  // When it was found DOWN; nullopt: never.
  std::optional<absl::Time> found_at;
  // For a dead one: by when product.md promises that.
  absl::Time promised_by = absl::InfiniteFuture();
  std::string fault;  // what people were told too late, or in a maintenance; empty: nothing
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
  enum class Death { kSilent, kSaysDown, kSaysValue };

  absl::Duration Between(absl::Duration low, absl::Duration high);
  bool Chance(int percent);
  void Tell(const std::string& what);

  // job_monitor.cc: what it is judged by.
  void DrawSchedule();
  void DrawRules();
  absl::Duration DrawRunLimit();
  // How long from one push to the next, or from one fire time.
  absl::Duration Period() const;
  absl::Time Fire(absl::Time after) const;

  // job.cc: how it lives.
  void Push(scenarios::World& world);
  // It was received.
  void Note(const Heartbeat& heartbeat);
  void PlanAfter(const Heartbeat& heartbeat);
  void PlanNextBeat();
  // Not in the work that it rests for.
  void RestIfDue();
  bool Look(scenarios::World& world, Fate& fate);
  void CheckTold(scenarios::World& world, Fate& fate);
  absl::Time PromisedBy(absl::Duration blur) const;
  // When it is DOWN if nothing postpones that; the past where failures may count that were before a
  // change of what they count for.
  absl::Time NotBefore() const;
  GapList Outages(absl::Duration blur) const;

  // job_happenings.cc: what happens to it.
  absl::Duration NextPause();
  void Happen(scenarios::World& world);
  void Resume(scenarios::World& world);
  void ChangeRules(scenarios::World& world);
  void BeginOutage(scenarios::World& world);
  void TendMaintenance(scenarios::World& world);
  void Set(scenarios::World& world, const std::string& id,
           std::vector<std::function<void(Maintenance&)>> edits);
  bool MayLoseMore() const;

  std::mt19937_64 random_;
  const bool dies_;
  Death death_ = Death::kSilent;
  Source source_ = Source::kHttp;
  MonitorDefinition monitor_;
  std::string story_;

  absl::Time now_;
  absl::Time next_push_;
  absl::Time next_happening_;
  absl::Time fire_;  // that the next beat is for; with cron
  HeartbeatKind next_kind_ = HeartbeatKind::kUp;
  bool paused_ = false;
  bool dead_ = false;
  int failures_ = 0;  // received since its death
  // Whether they were enough when they were counted: a threshold that is lowered judges nothing.
  bool failed_ = false;
  // Rests in windows of maintenances that come again and again; then nothing else may hinder it.
  bool rests_always_ = false;
  absl::Time rests_from_ = absl::InfiniteFuture();  // in this one, up to
  absl::Time rests_until_ = absl::InfinitePast();
  // What the promise is made of, kept apart from what core keeps.
  MonitorState known_;
  absl::Time changed_at_ = absl::InfinitePast();  // its rules
  absl::Time disturbed_until_ = absl::InfinitePast();
  absl::Time blind_until_ = absl::InfinitePast();
  GapList outages_;
  Maintenances maintenances_;
  Calendar calendar_;
};

}  // namespace tocsin::core::simulation
