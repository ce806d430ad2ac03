// What happens to a simulated job.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/domain/validate.h"
#include "tests/simulation/job.h"
#include "tests/simulation/promise.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::Admin;
using scenarios::Beginning;
using scenarios::Change;
using scenarios::DeleteMaintenance;
using scenarios::Outage;
using scenarios::Restart;
using scenarios::SetMaintenance;
using scenarios::World;

// More than 2 s without a touch: less is none, and the gateways retry for longer.
constexpr absl::Duration kShortestOutage = absl::Milliseconds(2001);

std::string Since(absl::Time at) { return absl::FormatDuration(at - Beginning()); }

}  // namespace

absl::Duration Job::NextPause() { return Between(absl::Seconds(1), 8 * Period()); }

// One outage, or one rest, postpones a deadline once; a second before that deadline does not
// (promise 7), so a job whose pushes both swallow may be alerted. They are kept apart here.
bool Job::MayLoseMore() const {
  if (rests_always_ || disturbed_until_ > known_.last_at) return false;
  const Schedule& schedule = monitor_.schedule;
  return now_ >=
         disturbed_until_ + 3 * Period() + 3 * schedule.grace + 3 * monitor_.max_run_duration;
}

void Job::BeginOutage(World& world) {
  if (!MayLoseMore()) return;
  Outage outage;
  outage.length = Between(kShortestOutage, std::min(2 * Period(), absl::Hours(30)));
  blind_until_ = disturbed_until_ = now_ + outage.length;
  outages_.push_back({.kind = GapKind::kCore, .start = now_, .end = blind_until_});
  Tell(absl::StrCat("outage of ", absl::FormatDuration(outage.length)));
  world.Do(outage);
}

void Job::Set(World& world, const std::string& id,
              std::vector<std::function<void(Maintenance&)>> edits) {
  auto found = std::find_if(maintenances_.begin(), maintenances_.end(),
                            [&](const Maintenance& each) { return each.id == id; });
  if (found == maintenances_.end()) {
    found = maintenances_.insert(found, scenarios::NewMaintenance(id, now_));
    found->created_at = now_;
  }
  for (const auto& edit : edits) edit(*found);
  calendar_.Note(maintenances_, now_);
  Tell(absl::StrCat(
      "maintenance ", id, " ",
      found->recurring ? found->recurring->expression.text() : Since(found->start), " to ",
      found->recurring ? absl::FormatDuration(found->recurring->duration) : Since(found->end)));
  world.Do(SetMaintenance{.id = id, .edits = std::move(edits)});
}

void Job::TendMaintenance(World& world) {
  // What it rests for is not taken back before it is heard again: that would be judged at once.
  const bool rested = rests_always_ || known_.last_at < rests_until_;
  if (!rested && Chance(25) && !maintenances_.empty()) {
    const std::string id = maintenances_[random_() % maintenances_.size()].id;
    std::erase_if(maintenances_, [&](const Maintenance& each) { return each.id == id; });
    calendar_.Note(maintenances_, now_);
    Tell(absl::StrCat("no maintenance ", id));
    return world.Do(DeleteMaintenance{.id = id});
  }
  if (Chance(40)) {
    const bool often = Period() < absl::Minutes(10);
    const RecurringWindow window = {
        .expression = *CronExpression::Parse(often ? "*/30 * * * *" : "15 2 * * *"),
        .zone = absl::UTCTimeZone(),
        .duration = often ? Between(absl::Minutes(1), absl::Minutes(8))
                          : Between(absl::Minutes(10), absl::Hours(4))};
    // Who rests in each window must have time to be well between two.
    const absl::Duration apart = often ? absl::Minutes(20) : absl::Hours(19);
    const Schedule& schedule = monitor_.schedule;
    const bool tight = schedule.cron || 2 * schedule.timeout + 2 * schedule.grace > apart ||
                       monitor_.max_run_duration > absl::ZeroDuration();
    if (rests_always_ && (tight || !maintenances_.empty())) return;
    return Set(world, "nightly", {[window](Maintenance& work) { work.recurring = window; }});
  }
  const absl::Time from = now_ + Between(absl::ZeroDuration(), 2 * Period());
  const absl::Time to = from + Between(absl::Seconds(1), std::min(3 * Period(), absl::Hours(60)));
  const bool rests = MayLoseMore() && Chance(50);
  if (rests_always_) return;
  const std::string id = absl::StrCat("work-", rests ? "rest" : Chance(50) ? "a" : "b");
  const std::string about = rests || Chance(80) ? "job" : "another";
  if (rests) {
    rests_from_ = from;
    rests_until_ = disturbed_until_ = to;
  }
  Set(world, id, {[=](Maintenance& work) {
        work.recurring.reset();
        work.start = from;
        work.end = to;
        work.all_monitors = false;
        work.monitors = {about};
      }});
}

void Job::ChangeRules(World& world) {
  const MonitorDefinition before = monitor_;
  if (rests_always_) {
    // Another schedule may leave no time between two windows.
  } else if (Chance(25)) {
    DrawSchedule();
  } else if (monitor_.schedule.cron.has_value()) {
    monitor_.schedule.grace = Between(absl::Seconds(20), absl::Minutes(4));
  } else {
    absl::Duration& timeout = monitor_.schedule.timeout;
    timeout = Between(std::max(timeout / 3, absl::Seconds(5)), timeout * 2);
    monitor_.schedule.recommended_interval = Between(timeout / 2, timeout);
  }
  if (Chance(20)) monitor_.failure_threshold = Chance(50) ? 1 : 2;
  if (before.max_run_duration > absl::ZeroDuration()) {
    monitor_.max_run_duration = DrawRunLimit();
  }
  FillDefaults(monitor_);
  changed_at_ = now_;
  if (monitor_.schedule != before.schedule) {
    const absl::Time fired = fire_;
    const absl::Time under_way = next_push_;
    known_.floor_at = FloorAfterChange(before.schedule, monitor_.schedule, known_, now_);
    // A start that was early by the rules before may not be by the new ones.
    fire_ = now_;
    if (known_.runs.empty()) PlanNextBeat();
    // What fired by the rules before is under way, and pushes when it would have.
    const bool by_cron = before.schedule.cron.has_value() && monitor_.schedule.cron.has_value();
    if (by_cron && known_.runs.empty() && fired <= now_ && under_way < next_push_) {
      fire_ = fired;
      next_push_ = under_way;
    }
  }
  Tell(absl::StrCat("change: timeout ", absl::FormatDuration(monitor_.schedule.timeout),
                    " interval ", absl::FormatDuration(monitor_.schedule.recommended_interval),
                    " grace ", absl::FormatDuration(monitor_.schedule.grace), " cron ",
                    monitor_.schedule.cron ? monitor_.schedule.cron->expression.text() : "none",
                    " max_run ", absl::FormatDuration(monitor_.max_run_duration), " failures ",
                    monitor_.failure_threshold));
  world.Do(Change{.edits = {[wanted = monitor_](MonitorDefinition& monitor) {
                    monitor.schedule = wanted.schedule;
                    monitor.failure_threshold = wanted.failure_threshold;
                    monitor.max_run_duration = wanted.max_run_duration;
                  }}});
}

void Job::Resume(World& world) {
  failures_ = 0;  // the pause forgot them
  Tell("resume");
  world.Do(Admin{Admin::What::kResume});
  paused_ = false;
  if (known_.last_at != absl::InfinitePast() || monitor_.arm_on_create) known_.armed_at = now_;
  fire_ = now_;
  if (!dead_) PlanNextBeat();
}

void Job::Happen(World& world) {
  if (now_ <= blind_until_) {
    // People cannot reach core.
  } else if (paused_) {
    Resume(world);
  } else if (Chance(15)) {
    Tell("pause");
    world.Do(Admin{Admin::What::kPause});
    paused_ = true;
    known_.runs.clear();
    known_.credit_at = absl::InfinitePast();
  } else if (Chance(20)) {
    ChangeRules(world);
  } else if (Chance(20)) {
    Tell("restart");
    world.Do(Restart{});
  } else if (Chance(50)) {
    TendMaintenance(world);
  } else {
    BeginOutage(world);
  }
  next_happening_ = now_ + NextPause();
}

}  // namespace tocsin::core::simulation
