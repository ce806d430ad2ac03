// What the past of a monitor says.
#include "services/core/engine/statistics.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/unwatched.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

absl::Status Apply(const ScheduleTrial& trial, Schedule& schedule) {
  FieldFaults faults;
  if (trial.timeout.has_value()) {
    if (schedule.cron.has_value()) {
      faults.Add("timeout", "the monitor has a cron schedule", "none; a grace");
    } else if (*trial.timeout < kMinTimeout || *trial.timeout > kMaxTimeout) {
      faults.Add("timeout", absl::StrCat("it is ", absl::FormatDuration(*trial.timeout)),
                 "1 s to 366 days");
    }
    schedule.timeout = *trial.timeout;
    schedule.recommended_interval = std::min(schedule.recommended_interval, schedule.timeout);
  }
  if (trial.grace.has_value()) {
    if (*trial.grace < absl::ZeroDuration() || *trial.grace > kMaxGrace) {
      faults.Add("grace", absl::StrCat("it is ", absl::FormatDuration(*trial.grace)),
                 "0 to 366 days");
    }
    schedule.grace = *trial.grace;
  }
  return faults.ToStatus();
}

absl::StatusOr<Maintenances> MaintenancesOf(Store& store, ProjectKey project) {
  Maintenances own;
  RETURN_IF_ERROR(
      store.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::shared_ptr<const Maintenances> all,
                         transaction.ReadMaintenances());
        own.clear();
        std::copy_if(all->begin(), all->end(), std::back_inserter(own),
                     [&](const Maintenance& each) {
                       return each.project == project && !each.deleted_at.has_value();
                     });
        return absl::OkStatus();
      }));
  return own;
}

// Before the oldest of a list that is full, more may have happened.
template <typename Item, typename StartOf>
absl::Time KnownSince(absl::Time since, const std::vector<Item>& newest_first, int limit,
                      StartOf start) {
  if (static_cast<int>(newest_first.size()) < limit) return since;
  return std::max(since, start(newest_first.back()));
}

void AddRhythm(const std::vector<Signal>& signals, const RolledPast& rolled,
               const Intervals& unwatched, const std::vector<Incident>& incidents,
               Statistics& statistics) {
  const absl::Time signals_since = signals.empty() ? absl::InfiniteFuture() : signals.front().at;
  Rollup past;
  for (const Rollup& rollup : rolled.rollups) past.Add(rollup);
  statistics.signals_since = signals_since;
  if (!rolled.rollups.empty()) {
    statistics.signals_since = std::min(signals_since, rolled.rollups.front().start);
  }
  std::vector<Beat> beats = AllBeatsOf(statistics.definition, signals, unwatched, incidents);
  PastRhythm before = {.end = rolled.end,
                       .gaps = std::move(past.gaps),
                       .silences = std::move(past.silences),
                       .lateness = std::move(past.lateness)};
  LeaveOutOutages(statistics.definition, beats, before);
  std::vector<double> gaps, lateness, values;
  for (const Beat& beat : beats) {
    if (beat.at < rolled.end) continue;
    gaps.push_back(absl::ToDoubleSeconds(beat.gap));
    if (beat.lateness.has_value()) lateness.push_back(absl::ToDoubleSeconds(*beat.lateness));
  }
  for (const Signal& signal : signals) {
    if (signal.at >= rolled.end && signal.value.has_value()) values.push_back(*signal.value);
  }
  statistics.gaps = DistributionOf(std::move(gaps), Scale::kLogarithmic, before.gaps);
  if (statistics.definition.schedule.cron.has_value()) {
    statistics.lateness = DistributionOf(std::move(lateness), Scale::kLogarithmic, before.lateness);
  }
  statistics.values = DistributionOf(std::move(values), Scale::kLinear, past.values);
  statistics.alarms_since =
      std::max(statistics.read_at - kAlarmsSpan, std::min(signals_since, statistics.read_at));
  statistics.advice = AdviceOf(statistics.definition, beats, statistics.alarms_since, before);
}

}  // namespace

StatisticsReader::StatisticsReader(Store& store, HistoryStore& history, const Clock& clock,
                                   absl::Duration kept)
    : store_(store), history_(history), clock_(clock), kept_(kept) {}

absl::StatusOr<Statistics> StatisticsReader::Read(const ResourceName& name,
                                                  const ScheduleTrial& trial) {
  ASSIGN_OR_RETURN(const std::optional<Monitor> monitor, store_.FindMonitor(name.project, name.id));
  if (!monitor.has_value()) return MonitorNotFound(MonitorName(name.project, name.id));
  Statistics statistics;
  statistics.definition = monitor->definition;
  RETURN_IF_ERROR(Apply(trial, statistics.definition.schedule));
  const absl::Time now = clock_.Now();
  statistics.read_at = now;
  const absl::Duration longest =
      *std::max_element(std::begin(kStatisticsWindows), std::end(kStatisticsWindows));
  const absl::Time since = now - std::min(longest, kept_);
  ASSIGN_OR_RETURN(MonitorHistory history,
                   history_.ReadHistory({.monitor = monitor->definition.key,
                                         .since = since,
                                         .signals_since = now - kSignalsSpan,
                                         .incidents = kMostPastIncidents,
                                         .states = kMostPastStates,
                                         .signals = kMostSignals}));
  ASSIGN_OR_RETURN(const GapList gaps, store_.ReadGaps(since));
  ASSIGN_OR_RETURN(const Maintenances maintenances,
                   MaintenancesOf(store_, monitor->definition.project));
  const Unwatched unwatched = UnwatchedOf(*monitor, history.states, gaps, maintenances, since, now);
  absl::Time known = unwatched.known_since;
  known = KnownSince(known, history.incidents, kMostPastIncidents,
                     [](const Incident& incident) { return incident.opened_at; });
  known = KnownSince(known, history.states, kMostPastStates,
                     [](const Interval& interval) { return interval.start; });
  for (const absl::Duration window : kStatisticsWindows) {
    statistics.uptimes.push_back(UptimeOver({.start = std::max(now - window, known), .end = now},
                                            history.incidents, unwatched.intervals));
  }
  std::reverse(history.signals.begin(), history.signals.end());
  // After the signals: what is dropped between the two is told by rollups.
  ASSIGN_OR_RETURN(
      const RolledPast rolled,
      history_.ReadRollups(
          {.monitor = monitor->definition.key,
           .first = history.signals.empty() ? absl::InfiniteFuture() : history.signals.front().at,
           .since = now - kRollupsSpan}));
  AddRhythm(history.signals, rolled, unwatched.intervals, history.incidents, statistics);
  return statistics;
}

}  // namespace tocsin::core
