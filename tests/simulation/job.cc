// A simulated job with a random schedule and a random life.
#include "tests/simulation/job.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "services/core/domain/heartbeat.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::Admin;
using scenarios::Beginning;
using scenarios::Change;
using scenarios::kNoticeTime;
using scenarios::kRestAfterOutage;
using scenarios::Outage;
using scenarios::Restart;
using scenarios::World;

constexpr int kPushesInALife = 60;
// More than 2 s without a touch: less is none, and the gateways retry for longer.
constexpr absl::Duration kShortestOutage = absl::Milliseconds(2001);

absl::Duration Milliseconds(absl::Duration length) {
  return absl::Trunc(length, absl::Milliseconds(1));
}

}  // namespace

Job::Job(uint64_t seed, bool dies) : random_(seed), dies_(dies), now_(Beginning()) {
  Schedule& schedule = monitor_.schedule;
  const double magnitude = std::uniform_real_distribution<double>(0, 11)(random_);
  schedule.timeout = Milliseconds(absl::Seconds(std::exp2(magnitude) * 5));  // 5 s to 3 h
  schedule.recommended_interval =
      Chance(50) ? schedule.timeout : Between(schedule.timeout / 10, schedule.timeout);
  schedule.grace = Chance(50) ? absl::ZeroDuration() : Between(absl::Seconds(1), schedule.timeout);
  monitor_.arm_on_create = Chance(30);
  monitor_.project_id = "default";
  monitor_.display_name = "job";
  next_push_ = now_ + Between(absl::ZeroDuration(), schedule.recommended_interval);
  next_happening_ = now_ + NextPause();
}

absl::Duration Job::Between(absl::Duration low, absl::Duration high) {
  return absl::Milliseconds(std::uniform_int_distribution<int64_t>(
      absl::ToInt64Milliseconds(low), absl::ToInt64Milliseconds(high))(random_));
}

bool Job::Chance(int percent) {
  return std::uniform_int_distribution<int>(1, 100)(random_) <= percent;
}

absl::Duration Job::NextPause() { return Between(absl::Seconds(1), 8 * monitor_.schedule.timeout); }

void Job::Tell(const std::string& what) {
  absl::StrAppend(&story_, absl::FormatDuration(now_ - Beginning()), " ", what, "\n");
}

void Job::PushTo(World& world) {
  Heartbeat heartbeat;
  heartbeat.at = now_;
  heartbeat.source = Source::kHttp;
  heartbeat.push_id = random_();
  const std::string answer = world.PushNow(heartbeat);
  Tell(absl::StrCat("push: ", answer));
  if (answer != "lost" && !resume_at_.has_value()) last_received_ = now_;
  // With jitter, but never later than it was asked to.
  const absl::Duration interval = monitor_.schedule.recommended_interval;
  next_push_ = now_ + Between(interval * 4 / 5, interval);
}

void Job::ChangeSchedule(World& world) {
  const absl::Duration timeout = Between(std::max(monitor_.schedule.timeout / 3, absl::Seconds(5)),
                                         monitor_.schedule.timeout * 2);
  const absl::Duration interval = Between(timeout / 2, timeout);
  const auto edit = [timeout, interval](MonitorDefinition& monitor) {
    monitor.schedule.timeout = timeout;
    monitor.schedule.recommended_interval = interval;
  };
  edit(monitor_);
  floor_ = now_ + timeout;
  next_push_ = std::min(next_push_, now_ + interval);
  Tell(absl::StrCat("change: timeout ", absl::FormatDuration(timeout), " interval ",
                    absl::FormatDuration(interval)));
  world.Do(Change{.edits = {edit}});
}

void Job::BeginOutage(World& world) {
  // One outage postpones a deadline once; a second before that deadline does not (promise 7), so
  // a job whose pushes both swallow may be alerted. They are kept apart here.
  const Schedule& schedule = monitor_.schedule;
  if (now_ < outage_end_ + 3 * schedule.timeout + 3 * schedule.grace) return;
  Outage outage;
  outage.length = Between(kShortestOutage, 2 * schedule.timeout);
  outage_end_ = now_ + outage.length;
  outages_.push_back({.kind = GapKind::kCore, .start = now_, .end = outage_end_});
  Tell(absl::StrCat("outage of ", absl::FormatDuration(outage.length)));
  world.Do(outage);
}

void Job::Happen(World& world) {
  const bool blind = now_ <= outage_end_;
  if (resume_at_.has_value() && !blind) {
    Tell("resume");
    world.Do(Admin{Admin::What::kResume});
    resume_at_.reset();
    resumed_at_ = now_;
    next_push_ = std::min(next_push_, now_ + monitor_.schedule.recommended_interval);
  } else if (blind) {
    // People cannot reach core either.
  } else if (Chance(25)) {
    Tell("pause");
    world.Do(Admin{Admin::What::kPause});
    resume_at_ = now_;
  } else if (Chance(33)) {
    ChangeSchedule(world);
  } else if (Chance(50)) {
    Tell("restart");
    world.Do(Restart{});
  } else {
    BeginOutage(world);
  }
  next_happening_ = now_ + NextPause();
}

// From product.md: the deadline, at most once one interval after an outage, and then the time in
// which nothing is judged.
absl::Time Job::PromisedBy(absl::Duration blur) const {
  const Schedule& schedule = monitor_.schedule;
  const absl::Time base = std::max(last_received_, resumed_at_);
  const absl::Time plain = std::max(base + schedule.timeout + schedule.grace, floor_);
  absl::Time by = plain;
  for (const Gap& outage : outages_) {
    if (outage.start - blur <= plain && outage.end >= base) {
      by = std::max(by, outage.end + schedule.recommended_interval + schedule.grace);
    }
  }
  for (const Gap& outage : outages_) {
    if (outage.start <= by + kNoticeTime) by = std::max(by, outage.end + kRestAfterOutage);
  }
  return by + kNoticeTime;
}

Fate Job::Live(World& world) {
  Fate fate;
  int pushes = 0;
  const int last_push =
      dies_ ? std::uniform_int_distribution<int>(1, kPushesInALife / 2)(random_) : kPushesInALife;
  bool dead = false;
  const auto look = [&] {
    if (!fate.alerted && !world.Look().events.empty()) {
      fate.alerted = true;
      fate.alerted_at = world.Look().monitor.state.incident.has_value()
                            ? world.Look().monitor.state.incident->detected_at
                            : now_;
    }
  };
  // Whoever never was received is not dead to anybody, so such a life goes on.
  while ((pushes < kPushesInALife || (dies_ && !dead)) && !fate.alerted) {
    now_ = std::min(next_push_, next_happening_);
    world.AdvanceTo(now_);
    look();
    if (fate.alerted) break;
    if (next_push_ <= now_) {
      ++pushes;
      if (dead) {
        next_push_ = now_ + monitor_.schedule.recommended_interval;
      } else {
        PushTo(world);
        dead = pushes >= last_push && last_received_ != absl::InfinitePast() && dies_;
        if (dead) Tell("dies");
      }
    } else {
      Happen(world);
    }
  }
  if (dies_ && !fate.alerted) {
    // Nothing happens any more but time.
    if (resume_at_.has_value()) {
      now_ = std::max(now_, outage_end_ + absl::Milliseconds(1));
      world.AdvanceTo(now_);
      Happen(world);
    }
    fate.promised_by = PromisedBy(world.OutageBlur());
    now_ = std::max(now_, fate.promised_by);
    world.AdvanceTo(now_);
    look();
  }
  if (fate.alerted) fate.promised_by = PromisedBy(world.OutageBlur());
  fate.story = story_;
  return fate;
}

}  // namespace tocsin::core::simulation
