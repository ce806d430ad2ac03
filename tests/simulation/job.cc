// How a simulated job lives.
#include "tests/simulation/job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/validate.h"
#include "tests/simulation/promise.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::Beginning;
using scenarios::Sight;
using scenarios::World;

constexpr int kPushesInALife = 60;
constexpr double kGoodValue = 50, kBadValue = 150;

}  // namespace

Job::Job(uint64_t seed, bool dies) : random_(seed), dies_(dies), now_(Beginning()) {
  monitor_.project_id = "default";
  monitor_.id = "job";
  monitor_.display_name = "job";
  monitor_.created_at = now_;
  DrawSchedule();
  DrawRules();
  monitor_.arm_on_create = Chance(30);
  FillDefaults(monitor_);
  if (monitor_.arm_on_create) known_.armed_at = now_;
  rests_always_ = Chance(20);
  if (Chance(30)) source_ = Source::kGrpc;
  if (Chance(20)) death_ = Death::kSaysDown;
  if (monitor_.value_max && Chance(30)) death_ = Death::kSaysValue;
  next_happening_ = now_ + NextPause();
  fire_ = now_;
  PlanNextBeat();
}

absl::Duration Job::Between(absl::Duration low, absl::Duration high) {
  return absl::Milliseconds(std::uniform_int_distribution<int64_t>(
      absl::ToInt64Milliseconds(low), absl::ToInt64Milliseconds(high))(random_));
}

bool Job::Chance(int percent) {
  return std::uniform_int_distribution<int>(1, 100)(random_) <= percent;
}

void Job::Tell(const std::string& what) {
  absl::StrAppend(&story_, absl::FormatDuration(now_ - Beginning()), " ", what, "\n");
}

// With jitter, but never later than it was asked to.
void Job::PlanNextBeat() {
  const Schedule& schedule = monitor_.schedule;
  next_kind_ =
      monitor_.max_run_duration > absl::ZeroDuration() ? HeartbeatKind::kStart : HeartbeatKind::kUp;
  if (!schedule.cron.has_value()) {
    const absl::Duration interval = schedule.recommended_interval;
    next_push_ = now_ + Between(interval * 4 / 5, interval);
  } else {
    // What fired while it ran, and whose grace is over, is not waited for.
    fire_ = Fire(std::max(fire_, now_ - schedule.grace));
    const absl::Duration early = std::min(Period() / 20, absl::Seconds(30));
    const bool before = Chance(20) && !schedule.cron->early_tolerance.has_value();
    next_push_ = fire_ + Between(before ? -early : absl::ZeroDuration(), schedule.grace * 4 / 5);
    next_push_ = std::max(next_push_, now_);
  }
  RestIfDue();
}

void Job::RestIfDue() {
  if (rests_always_) {
    for (const Gap& window : calendar_.Windows(monitor_, next_push_, next_push_)) {
      rests_from_ = window.start;
      rests_until_ = window.end;
    }
  }
  if (next_kind_ == HeartbeatKind::kStart && !known_.runs.empty()) return;
  if (next_push_ < rests_from_ || next_push_ >= rests_until_) return;
  if (monitor_.schedule.cron.has_value()) {
    while (next_push_ < rests_until_) {
      fire_ = Fire(fire_);
      next_push_ = fire_ + Between(absl::ZeroDuration(), monitor_.schedule.grace * 4 / 5);
    }
  } else {
    next_push_ =
        rests_until_ + Between(absl::ZeroDuration(), monitor_.schedule.recommended_interval);
  }
}

void Job::Push(World& world) {
  Heartbeat heartbeat;
  heartbeat.at = now_;
  heartbeat.source = source_;
  heartbeat.push_id = random_();
  heartbeat.kind = next_kind_;
  if (monitor_.value_max) heartbeat.value = kGoodValue;
  if (dead_) {
    heartbeat.kind = death_ == Death::kSaysDown ? HeartbeatKind::kDown : HeartbeatKind::kUp;
    if (death_ == Death::kSaysValue) heartbeat.value = kBadValue;
  }
  const std::string answer = world.PushNow(heartbeat);
  Tell(absl::StrCat(heartbeat.kind == HeartbeatKind::kStart ? "start: " : "push: ", answer));
  if (answer == "lost") {
    // Whoever wraps a job with start and end tries both until they arrive.
    if (monitor_.max_run_duration > absl::ZeroDuration()) {
      next_push_ = now_ + Between(absl::Seconds(1), absl::Seconds(4));
    } else {
      PlanNextBeat();
    }
    return;
  }
  Note(heartbeat);
  PlanAfter(heartbeat);
}

void Job::Note(const Heartbeat& heartbeat) {
  if (paused_) return;
  if (heartbeat.kind == HeartbeatKind::kStart) {
    known_.runs = {Run{.id = "", .started_at = now_, .due_at = now_ + monitor_.max_run_duration}};
    known_.credit_at = now_;
    return;
  }
  if (dead_) ++failures_;
  failed_ |= failures_ >= monitor_.failure_threshold;
  known_.last_at = now_;
  known_.credit_at = absl::InfinitePast();
  if (known_.runs.empty()) return;
  if (monitor_.schedule.cron.has_value()) {
    known_.credit_at = known_.runs.front().started_at;
    known_.floor_at = std::max(known_.floor_at, now_ - monitor_.schedule.grace);
  }
  known_.runs.clear();
}

void Job::PlanAfter(const Heartbeat& heartbeat) {
  if (heartbeat.kind != HeartbeatKind::kStart) return PlanNextBeat();
  next_kind_ = HeartbeatKind::kUp;
  next_push_ = now_ + Between(absl::ZeroDuration(), monitor_.max_run_duration * 4 / 5);
  // Something happens to it while it runs.
  if (Chance(15)) next_happening_ = std::min(next_happening_, now_ + (next_push_ - now_) / 2);
}

GapList Job::Outages(absl::Duration blur) const {
  GapList outages = outages_;
  for (Gap& outage : outages) {
    outage.start -= blur;
    outage.end += blur;
  }
  return outages;
}

absl::Time Job::PromisedBy(absl::Duration blur) const {
  const GapList outages = Outages(blur);
  if (failed_) return NoticedBy(now_, outages);
  const absl::Time heard = std::max(known_.last_at, known_.armed_at);
  absl::Time until = std::max(now_, known_.floor_at);
  // By the limit at its start, which a change of rules leaves alone.
  for (const Run& run : known_.runs) until = std::max(until, run.due_at);
  while (true) {
    GapList disturbed = calendar_.Windows(monitor_, heard - absl::Hours(24), until);
    disturbed.insert(disturbed.end(), outages.begin(), outages.end());
    const absl::Time by = DownBy(monitor_, known_, disturbed, changed_at_);
    if (by <= until) return NoticedBy(by, outages);
    // What begins before then may put it off once more.
    until = by;
  }
}

absl::Time Job::NotBefore() const {
  const bool changed = changed_at_ > std::max(known_.last_at, known_.armed_at);
  if (changed) return absl::InfinitePast();
  return DownBy(monitor_, known_, {}, absl::InfinitePast());
}

bool Job::Look(World& world, Fate& fate) {
  const Sight sight = world.Look();
  if (sight.monitor.state.incident.has_value()) {
    fate.found_at = sight.monitor.state.incident->detected_at;
  } else if (!sight.events.empty()) {
    fate.found_at = now_;
  }
  return fate.found_at.has_value();
}

// What was found in a window is told at its end, and what was not is told at once.
void Job::CheckTold(World& world, Fate& fate) {
  absl::Time end = *fate.found_at;
  for (bool open = true; open;) {
    open = false;
    for (const Gap& window : calendar_.Windows(monitor_, end, end)) {
      if (window.start > end || window.end <= end) continue;
      end = window.end;
      open = true;
    }
  }
  if (now_ < end && !world.Look().events.empty()) fate.fault = "it was told in a maintenance";
  const absl::Time by = NoticedBy(end, Outages(world.OutageBlur()));
  now_ = std::max(now_, by);
  world.AdvanceTo(now_);
  const Sight sight = world.Look();
  if (sight.events.size() != 1 || sight.events.front() != "FIRING") {
    fate.fault = absl::StrCat("by ", absl::FormatDuration(by - Beginning()), " ",
                              sight.events.size(), " events were told");
  } else if (*sight.occurred_at != sight.monitor.state.incident->opened_at) {
    fate.fault = "it was told with another time than that when it began";
  } else if (death_ == Death::kSilent && *sight.occurred_at < NotBefore()) {
    fate.fault =
        absl::StrCat("it was down before ", absl::FormatDuration(NotBefore() - Beginning()));
  }
}

Fate Job::Live(World& world) {
  Fate fate;
  int pushes = 0;
  const int last_push =
      dies_ ? std::uniform_int_distribution<int>(1, kPushesInALife / 2)(random_) : kPushesInALife;
  // Whoever never was received is not dead to anybody, so such a life goes on.
  while ((pushes < kPushesInALife || (dies_ && !dead_)) && !fate.found_at) {
    now_ = std::min(next_push_, next_happening_);
    world.AdvanceTo(now_);
    if (Look(world, fate)) break;
    if (next_push_ > now_) {
      Happen(world);
      continue;
    }
    ++pushes;
    if (!dead_ || death_ != Death::kSilent) {
      Push(world);
      if (Look(world, fate)) break;
      dead_ |= pushes >= last_push && known_.last_at != absl::InfinitePast() && dies_;
      if (dead_) Tell("is dead");
    } else {
      next_push_ = now_ + std::max(Period(), absl::Seconds(1));
    }
  }
  if (dies_ && !fate.found_at) {
    // Nothing happens any more but time.
    if (paused_) {
      now_ = std::max(now_, blind_until_ + absl::Milliseconds(1));
      world.AdvanceTo(now_);
      Resume(world);
    }
    fate.promised_by = PromisedBy(world.OutageBlur());
    now_ = std::max(now_, fate.promised_by);
    world.AdvanceTo(now_);
    Look(world, fate);
  } else if (dies_) {
    fate.promised_by = PromisedBy(world.OutageBlur());
  }
  if (dies_ && fate.found_at) CheckTold(world, fate);
  fate.story = story_;
  return fate;
}

}  // namespace tocsin::core::simulation
