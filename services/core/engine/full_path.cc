// The second transaction of a group: what the fast path could not do.
#include "services/core/engine/full_path.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/status_macros.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/names.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/incident_log.h"
#include "services/core/engine/push_access.h"

namespace tocsin::core {
namespace {

bool ChangesState(Reason reason) {
  switch (reason) {
    case Reason::kStale:
    case Reason::kLogged:
    case Reason::kTooManyRuns:
    case Reason::kStoredPaused:
    case Reason::kNothingToDo:
      return false;
    default:
      return true;
  }
}

// One run of the transaction's body.
class Recording {
 public:
  Recording(Transaction& transaction, LockMode mode, absl::Time now,
            absl::Span<const PushItem* const> items, std::vector<FullPathOutcome>& outcomes,
            IncidentLog& incidents)
      : transaction_(transaction),
        mode_(mode),
        now_(now),
        items_(items),
        outcomes_(outcomes),
        incidents_(incidents) {}

  absl::Status Record() {
    outcomes_.assign(items_.size(), FullPathOutcome());
    incidents_.Clear();
    RETURN_IF_ERROR(Resolve());
    RETURN_IF_ERROR(Lock());
    RETURN_IF_ERROR(FindDuplicates());
    RETURN_IF_ERROR(FindEndedRuns());
    for (auto& [key, work] : work_) {
      if (work.found) RETURN_IF_ERROR(DecideAll(work));
    }
    RETURN_IF_ERROR(FlushHeartbeats());
    RETURN_IF_ERROR(transaction_.AddEndedRuns(ended_runs_, now_));
    return changes_.empty() ? absl::OkStatus() : transaction_.SaveStates(changes_);
  }

 private:
  // What there is to do for one monitor.
  struct Work {
    std::vector<size_t> items;
    bool found = false;
    Monitor monitor;
  };

  absl::Status Resolve() {
    ASSIGN_OR_RETURN(accesses_, ResolveItems(transaction_, items_, now_));
    for (size_t i = 0; i < items_.size(); ++i) {
      const ItemAccess& access = accesses_[i];
      outcomes_[i].answer.result = access.refusal;
      outcomes_[i].push_key = access.push_key;
      outcomes_[i].resolved_at = now_;
      if (access.match.has_value()) work_[access.match->monitor].items.push_back(i);
    }
    return absl::OkStatus();
  }

  absl::Status Lock() {
    if (work_.empty()) return absl::OkStatus();
    std::vector<MonitorKey> keys;
    for (const auto& [key, work] : work_) keys.push_back(key);
    ASSIGN_OR_RETURN(std::vector<Monitor> monitors, transaction_.LockMonitors(keys, mode_));
    // One that was purged just now reads as held; resolving it again says that it is unknown.
    for (const auto& [key, work] : work_) {
      for (const size_t i : work.items) outcomes_[i].blocked = mode_ == LockMode::kSkip;
    }
    for (Monitor& monitor : monitors) {
      Work& work = work_.at(monitor.definition.key);
      for (const size_t i : work.items) outcomes_[i].blocked = false;
      // Deleted since its token was resolved.
      if (monitor.definition.deleted_at.has_value()) continue;
      work.found = true;
      work.monitor = std::move(monitor);
      NoteResolved(work);
      std::stable_sort(work.items.begin(), work.items.end(), [this](size_t a, size_t b) {
        return items_[a]->heartbeat.at < items_[b]->heartbeat.at;
      });
    }
    return absl::OkStatus();
  }

  void NoteResolved(const Work& work) {
    const MonitorDefinition& definition = work.monitor.definition;
    const auto name =
        std::make_shared<const std::string>(MonitorName(definition.project_id, definition.id));
    for (const size_t i : work.items) {
      outcomes_[i].answer.monitor = name;
      // A version drawn between resolving and locking may have changed the token's expiry.
      const TokenMatch& match = *accesses_[i].match;
      if (match.version != definition.version) continue;
      outcomes_[i].cached = CachedToken{definition.key, definition.version, match.expires_at, name,
                                        HasValueBounds(definition)};
    }
  }

  absl::Status FindDuplicates() {
    std::vector<PushRef> refs;
    std::vector<size_t> asked;
    for (const auto& [key, work] : work_) {
      if (!work.found) continue;
      std::set<uint64_t> seen;
      for (const size_t i : work.items) {
        const Heartbeat& heartbeat = items_[i]->heartbeat;
        if (heartbeat.push_id == 0) continue;
        // The same push may be in a group twice.
        outcomes_[i].duplicate = !seen.insert(heartbeat.push_id).second;
        refs.push_back(PushRef{key, heartbeat.push_id, heartbeat.at});
        asked.push_back(i);
      }
    }
    if (refs.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<bool> recorded, transaction_.FindRecorded(refs));
    for (size_t i = 0; i < asked.size(); ++i) {
      if (recorded[i]) outcomes_[asked[i]].duplicate = true;
    }
    return absl::OkStatus();
  }

  // Of the starts with a run id those whose run has ended.
  absl::Status FindEndedRuns() {
    run_ended_.assign(items_.size(), false);
    std::vector<RunRef> refs;
    std::vector<size_t> asked;
    for (const auto& [key, work] : work_) {
      if (!work.found) continue;
      for (const size_t i : work.items) {
        const Heartbeat& heartbeat = items_[i]->heartbeat;
        if (heartbeat.kind != HeartbeatKind::kStart || heartbeat.run_id.empty()) continue;
        refs.push_back({.monitor = key, .run_id = heartbeat.run_id});
        asked.push_back(i);
      }
    }
    if (refs.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<bool> ended,
                     transaction_.FindEndedRuns(refs, now_ - kRunMemory));
    for (size_t i = 0; i < asked.size(); ++i) run_ended_[asked[i]] = ended[i];
    return absl::OkStatus();
  }

  absl::Status DecideAll(Work& work) {
    StateChange change;
    change.monitor = work.monitor.definition.key;
    bool changed = false;
    bool steady = true;
    for (const size_t i : work.items) {
      FullPathOutcome& outcome = outcomes_[i];
      outcome.answer.result = work.monitor.state.state == State::kPaused
                                  ? PushResult::kRecordedPaused
                                  : PushResult::kRecorded;
      if (outcome.duplicate) continue;
      const Heartbeat& heartbeat = items_[i]->heartbeat;
      const bool is_steady = IsSteadyUp(work.monitor.definition, work.monitor.state, heartbeat);
      ASSIGN_OR_RETURN(const Reason reason, DecideOne(work.monitor, i));
      outcome.answer.reason = reason;
      outcome.answer.result =
          reason == Reason::kStoredPaused ? PushResult::kRecordedPaused : PushResult::kRecorded;
      if (!ChangesState(reason)) continue;
      changed = true;
      // One that is tried again may be from before the end of an own outage that moved the deadline
      // further than to a full timeout from it.
      steady = steady && is_steady && !items_[i]->retried;
      const bool moves =
          heartbeat.kind == HeartbeatKind::kUp || heartbeat.kind == HeartbeatKind::kDown;
      if (moves && work.monitor.state.last_at == heartbeat.at) {
        change.last_push_id = heartbeat.push_id;
      }
    }
    if (!changed) return absl::OkStatus();
    // A steady up only moves the deadline later, and sweep_at is a lower bound of it.
    if (!steady) change.sweep_at = SweepAt(work.monitor.definition, work.monitor.state);
    change.state = work.monitor.state;
    changes_.push_back(std::move(change));
    return absl::OkStatus();
  }

  absl::StatusOr<Reason> DecideOne(Monitor& monitor, size_t item) {
    const Heartbeat& heartbeat = items_[item]->heartbeat;
    const MonitorKey key = monitor.definition.key;
    const absl::Time now = std::max(now_, heartbeat.at);
    const HeartbeatArrived input = {.heartbeat = heartbeat,
                                    .run_ended = run_ended_[item] || EndedHere(key, heartbeat)};
    // Gaps postpone deadlines, which a heartbeat does not judge. Whether an incident is told
    // depends on maintenances, which few heartbeats need to know.
    Decision decision = Decide(monitor.definition, monitor.state, input, {}, now);
    if (decision.opened.has_value()) {
      ASSIGN_OR_RETURN(const std::shared_ptr<const Maintenances> maintenances,
                       transaction_.ReadMaintenances());
      const GapList windows =
          WithMaintenances({}, *maintenances, monitor.definition, monitor.state, now);
      decision = Decide(monitor.definition, monitor.state, input, windows, now);
    }
    StoredHeartbeat& stored = heartbeats_.emplace_back();
    stored.monitor = key;
    stored.heartbeat = heartbeat;
    stored.heartbeat.run_duration = decision.run_duration;
    stored.reason = decision.reason;
    if (!decision.ended_run.empty()) {
      ended_runs_.push_back({.monitor = key, .run_id = decision.ended_run});
    }
    if (!decision.opened && !decision.closed && !decision.message_changed) {
      monitor.state = std::move(decision.next);
      return decision.reason;
    }
    // The event tells the newest heartbeat: this one is to be there, a later one not yet.
    RETURN_IF_ERROR(FlushHeartbeats());
    ASSIGN_OR_RETURN(monitor.state, WriteEvents(transaction_, monitor.definition, decision, now));
    incidents_.Note(monitor.definition, decision, monitor.state);
    return decision.reason;
  }

  // Whether its run was ended by another item of this group.
  bool EndedHere(MonitorKey monitor, const Heartbeat& heartbeat) const {
    return heartbeat.kind == HeartbeatKind::kStart && !heartbeat.run_id.empty() &&
           std::any_of(ended_runs_.begin(), ended_runs_.end(), [&](const RunRef& run) {
             return run.monitor == monitor && run.run_id == heartbeat.run_id;
           });
  }

  absl::Status FlushHeartbeats() {
    if (heartbeats_.empty()) return absl::OkStatus();
    const std::vector<StoredHeartbeat> added = std::exchange(heartbeats_, {});
    return transaction_.AddHeartbeats(added);
  }

  Transaction& transaction_;
  const LockMode mode_;
  const absl::Time now_;
  const absl::Span<const PushItem* const> items_;
  std::vector<FullPathOutcome>& outcomes_;
  IncidentLog& incidents_;
  std::vector<ItemAccess> accesses_;
  std::map<MonitorKey, Work> work_;  // ascending: the order of locks
  std::vector<bool> run_ended_;      // of each item
  std::vector<RunRef> ended_runs_;
  std::vector<StoredHeartbeat> heartbeats_;
  std::vector<StateChange> changes_;
};

}  // namespace

absl::Status RecordOnFullPath(Store& store, TransactionClass klass, LockMode mode,
                              const Clock& clock, absl::Span<const PushItem* const> items,
                              std::vector<FullPathOutcome>& outcomes) {
  IncidentLog incidents;
  RETURN_IF_ERROR(store.Transact(klass, [&](Transaction& transaction) {
    return Recording(transaction, mode, clock.Now(), items, outcomes, incidents).Record();
  }));
  incidents.Write();
  return absl::OkStatus();
}

}  // namespace tocsin::core
