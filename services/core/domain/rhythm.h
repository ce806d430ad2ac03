// The rhythm in which the heartbeats of a job came, and what it says about its timeout.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/histogram.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/intervals.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// An up or down as it was recorded.
struct Signal {
  absl::Time at;
  HeartbeatKind kind = HeartbeatKind::kUp;
  std::optional<double> value{};
  std::optional<absl::Duration> run_duration{};

  friend bool operator==(const Signal&, const Signal&) = default;
};

// One heartbeat that came after another.
struct Beat {
  absl::Time at;
  bool up = true;
  // How long nothing had come: since the heartbeat before. With a limit of runs, to the start of
  // the run that it ended: the limit stands in for the schedule until then.
  absl::Duration gap;
  // With cron: how long after the fire time that it was for, 0 when it came before. nullopt: it was
  // for none, or came so late that the next one was due.
  std::optional<absl::Duration> lateness;
  // Whether the gap meets an incident of a job that was not heard.
  bool silent = false;
  // Whether it would have come too late if the schedule were like that. Of ups only: such an alert
  // would have been false.
  bool FalseAlarm(const MonitorDefinition& definition) const;
};

// In order of time, from signals in order of time. Left out are those whose gap meets something in
// `unwatched`, or an incident of a job that said itself that it had failed: the rhythm of neither
// is that of a job that is well.
std::vector<Beat> AllBeatsOf(const MonitorDefinition& definition,
                             const std::vector<Signal>& signals, const Intervals& unwatched,
                             const std::vector<Incident>& incidents);

// What is known of beats before `end` when they are gone, in seconds. Those with a silent gap are
// apart, so that which of them were outages can still be told.
struct PastRhythm {
  absl::Time end = absl::InfinitePast();
  Histogram gaps;
  Histogram silences;
  Histogram lateness;
};

// Leaves out beats, and of a past silences, that were outages and no late heartbeats: silent ones
// that are more than three times as long as usual (the median of all) and as allowed. The other
// silences of the past become gaps of it. (With cron none are: who missed the next fire time, too,
// has no lateness.)
void LeaveOutOutages(const MonitorDefinition& definition, std::vector<Beat>& beats,
                     PastRhythm& past);

// AllBeatsOf without outages.
std::vector<Beat> BeatsOf(const MonitorDefinition& definition, const std::vector<Signal>& signals,
                          const Intervals& unwatched, const std::vector<Incident>& incidents);

// With less nothing is suggested.
inline constexpr int kFewestBeats = 100;
inline constexpr double kSuggestedPart = 0.999;

// What the schedule would have done with the beats; the timeout of a heartbeat schedule, the grace
// of a cron schedule.
struct Advice {
  int64_t beats = 0;                        // that it is made from: gaps, or latenesses
  absl::Duration most;                      // that kSuggestedPart of them did not exceed
  int64_t false_alarms = 0;                 // of the schedule as it is, since `alarms_since`
  std::optional<absl::Duration> suggested;  // nullopt: beats are too few
  int64_t suggested_false_alarms = 0;       // of the one suggested
};

// The suggestion is `most`, less a grace that stands beside a timeout, and a tenth more, rounded up
// to what a person would type; no less than the recommended interval. Of beats before `past.end` it
// is `past` that counts, by the resolution of Histogram: `most` is too long by so much at most.
// False alarms are counted among the beats.
Advice AdviceOf(const MonitorDefinition& definition, const std::vector<Beat>& beats,
                absl::Time alarms_since, const PastRhythm& past = {});

// Up to the next 1 s (below a minute and a half), 5 s (5 min), 30 s (30 min), 1 min (2 h), 5 min
// (12 h), 30 min (2 days), or hour.
absl::Duration RoundedUp(absl::Duration duration);

}  // namespace tocsin::core
