// Finds monitors whose deadline has passed and records their failure.
#include "services/core/engine/sweeper.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/domain/transition.h"
#include "services/core/domain/words.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/incident_log.h"
#include "services/core/engine/metrics.h"

namespace tocsin::core {
namespace {

// An older touch may hide an own outage that nobody recorded yet. Not less, so that a fleet of
// which some monitor is always due does not fill the recorder's queue with touches.
constexpr absl::Duration kFreshTouch = absl::Milliseconds(100);
// How long what waits for a gateway is left alone when all of it was seen: less than the time for
// which nothing is judged once one is back, so that it costs no time.
constexpr absl::Duration kLookAgain = absl::Seconds(5);
// Gateways give signs of life twice a second and when they are asked; a silence up to this long is
// no gap (blind_after).
constexpr absl::Duration kGatewayGone = absl::Seconds(2);
constexpr absl::Duration kAfterFailure = absl::Milliseconds(200);

struct Failure {
  absl::Time deadline;
  State to = State::kDown;
  std::optional<Cause> opened;  // nullopt: counted only, below the threshold
};

// When to look again at a deadline that has not passed. A heartbeat in a maintenance may bring one
// forward that this moved, to a full timeout from then on, and a steady one tells no sweeper.
absl::Time NextLook(const Schedule& schedule, const Deadline& deadline, absl::Time now) {
  if (deadline.at == absl::InfiniteFuture() || schedule.cron.has_value()) return deadline.at;
  return std::min(deadline.at, now + schedule.timeout + schedule.grace);
}

bool IsFailure(Reason reason) {
  switch (reason) {
    case Reason::kMissed:
    case Reason::kRunOverran:
    case Reason::kCounted:
    case Reason::kStillDown:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Sweeper::Pass {
  std::vector<StateChange> changes;
  std::vector<Failure> failures;
  std::vector<PassedDeadline> untold;
  IncidentLog incidents;
  bool left_some = false;  // for want of a touch, or within the time after a gap
  bool held_some = false;  // for want of a gateway
  bool more_locked = false;
  bool full = false;
  SweepCursor last;
};

Sweeper::Sweeper(Store& store, OutageGuard& guard, const Clock& clock, SweeperOptions options,
                 SweeperMetrics& metrics)
    : store_(store),
      guard_(guard),
      clock_(clock),
      options_(options),
      metrics_(metrics),
      failures_("sweep") {}

absl::Duration Sweeper::Sweep() {
  const absl::StatusOr<absl::Duration> rest = TrySweep();
  if (!rest.ok()) NoteBehind(false);
  failures_.Report(rest.status());
  return rest.ok() ? *rest : kAfterFailure;
}

absl::StatusOr<absl::Duration> Sweeper::TrySweep() {
  const absl::Time began = clock_.Now();
  // Nor may a clock that was set back put it off.
  const bool is_time = began >= look_again_at_ || (look_again_at_ != absl::InfiniteFuture() &&
                                                   look_again_at_ - began > kLookAgain);
  if (is_time || held_until_ == SweepCursor()) LookFromTheStart();
  ASSIGN_OR_RETURN(const absl::Time next, store_.NextSweepAt(held_until_));
  const absl::Duration until_due = next + options_.settle - began;
  if (until_due > absl::ZeroDuration()) {
    NoteAllSeen(began);
    NoteBehind(false);
    left_some_ = false;
    const absl::Time ask_at = next + options_.settle / 2;
    if (ask_at <= began && asked_at_ < next) RETURN_IF_ERROR(Ask(next, began));
    const absl::Time now = clock_.Now();
    const absl::Time wake_at = ask_at > now ? ask_at : next + options_.settle;
    if (wake_at > now) {
      return std::clamp(std::min(wake_at - now, look_again_at_ - now), absl::Milliseconds(1),
                        options_.longest_rest);
    }
  }
  if (left_some_ || asked_at_ < next || began - asked_at_ > kFreshTouch) {
    RETURN_IF_ERROR(Ask(left_some_ ? absl::InfiniteFuture() : next, began));
  }
  ASSIGN_OR_RETURN(const OutageGuard::Judgement judgement, guard_.Judge());
  if (judgement.http_up_to != held_for_) LookFromTheStart();
  const absl::Time now = clock_.Now();
  Pass pass;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        pass = {};
        return JudgeDue(transaction, judgement, now, pass);
      }));
  pass.incidents.Write();
  Count(pass);
  left_some_ = pass.left_some;
  NoteBehind(pass.full && !pass.changes.empty());
  if (pass.held_some && !pass.left_some) {
    held_until_ = pass.last;
    held_for_ = judgement.http_up_to;
    if (judgement.wait_until > now) look_again_at_ = std::min(look_again_at_, judgement.wait_until);
  }
  if (!pass.full && !pass.left_some) NoteAllSeen(now);
  return RestAfter(pass, judgement, now);
}

absl::Status Sweeper::Ask(absl::Time since, absl::Time now) {
  guard_.AskGateways();
  const absl::Time newest = guard_.NewestTouch();
  if (newest < since || now - newest > kFreshTouch) RETURN_IF_ERROR(guard_.TouchNow());
  asked_at_ = now;
  return absl::OkStatus();
}

void Sweeper::LookFromTheStart() {
  held_until_ = SweepCursor();
  look_again_at_ = absl::InfiniteFuture();
}

void Sweeper::NoteAllSeen(absl::Time now) {
  // What became due since then is no reason to put off the next look at the others.
  look_again_at_ = std::min(look_again_at_, now + kLookAgain);
}

absl::Duration Sweeper::RestAfter(const Pass& pass, const OutageGuard::Judgement& judgement,
                                  absl::Time now) {
  if (!pass.changes.empty()) return pass.more_locked ? options_.locked_again : absl::ZeroDuration();
  if (pass.held_some && !pass.left_some && pass.full) return absl::ZeroDuration();
  if (pass.left_some && judgement.wait_until > now) {
    return std::clamp(judgement.wait_until - now, options_.locked_again, options_.longest_rest);
  }
  return options_.locked_again;
}

absl::Status Sweeper::JudgeDue(Transaction& transaction, const OutageGuard::Judgement& judgement,
                               absl::Time now, Pass& pass) {
  ASSIGN_OR_RETURN(const DueMonitors due,
                   transaction.LockDue(held_until_, now - options_.settle, options_.batch));
  pass.more_locked = due.more_locked;
  pass.full = due.full;
  pass.last = due.last;
  if (due.monitors.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::shared_ptr<const Maintenances> maintenances,
                   transaction.ReadMaintenances());
  for (const Monitor& monitor : due.monitors) {
    const MonitorDefinition& definition = monitor.definition;
    GapList with_windows;
    const GapList* gaps = judgement.gaps.get();
    if (!maintenances->empty()) {
      with_windows = WithMaintenances(*gaps, *maintenances, definition, monitor.state, now);
      gaps = &with_windows;
    }
    const Deadline deadline = DeadlineOf(definition, monitor.state, *gaps);
    // What there is to tell waits for the same knowledge: the job may have come back.
    const absl::Time tell_at = TellAt(definition, monitor.state, *gaps, now);
    const absl::Time due_at = std::min(deadline.at, tell_at);
    StateChange change = {
        .monitor = definition.key,
        .state = monitor.state,
        .last_push_id = 0,
        .sweep_at = std::min(NextLook(definition.schedule, deadline, now), tell_at)};
    if (due_at <= now) {
      // What the decision looks at first, also when something else is due before.
      const absl::Time judged = deadline.at < now ? deadline.at : due_at;
      const bool by_http = monitor.state.last_source != Source::kGrpc;
      if (judged > judgement.up_to) {
        pass.left_some = true;
        continue;
      }
      if (by_http && judged > judgement.http_up_to) {
        // A gateway that was heard a moment ago will be heard again.
        const bool soon = now - judgement.http_up_to < kGatewayGone;
        (soon ? pass.left_some : pass.held_some) = true;
        continue;
      }
      const Decision decision = Decide(definition, monitor.state, DeadlineChecked{}, *gaps, now);
      ASSIGN_OR_RETURN(change.state, WriteEvents(transaction, definition, decision, now));
      pass.incidents.Note(definition, decision, change.state);
      if (std::optional<PassedDeadline> untold =
              PassedUntold(definition, deadline, decision, now)) {
        pass.untold.push_back(*std::move(untold));
      }
      change.sweep_at = SweepAt(definition, change.state);
      if (!IsFailure(decision.reason)) {
        pass.changes.push_back(std::move(change));
        continue;
      }
      Failure failure = {.deadline = deadline.at, .to = change.state.state, .opened = {}};
      if (decision.opened.has_value()) failure.opened = decision.opened->cause;
      pass.failures.push_back(failure);
    }
    pass.changes.push_back(std::move(change));
  }
  if (!pass.untold.empty()) RETURN_IF_ERROR(transaction.AddPassedDeadlines(pass.untold));
  return pass.changes.empty() ? absl::OkStatus() : transaction.SaveStates(pass.changes);
}

void Sweeper::NoteBehind(bool behind) {
  const absl::Time now = clock_.Now();
  if (!behind || !behind_ || now < behind_since_) behind_since_ = now;
  behind_ = behind;
  comes_first_ = behind && now - behind_since_ <= options_.first_for;
}

void Sweeper::Count(const Pass& pass) {
  const absl::Time now = clock_.Now();
  metrics_.swept.Increment(static_cast<double>(pass.changes.size()));
  for (const Failure& failure : pass.failures) {
    metrics_.lag.Observe(absl::ToDoubleSeconds(now - failure.deadline));
    if (failure.opened.has_value()) {
      metrics_.Transitions(failure.to, std::string(CauseName(*failure.opened))).Increment();
    }
  }
}

}  // namespace tocsin::core
