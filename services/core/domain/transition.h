// The state machine: one pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/tell_time.h"

namespace tocsin::core {

// A heartbeat arrived; `at` inside it is when. `run_ended`: it is a start with a run id, and the
// run of that id ended within kRunMemory.
struct HeartbeatArrived {
  Heartbeat heartbeat;
  bool run_ended = false;
};
// The sweeper looked; whether the deadline has passed, or a reminder is due, is for the function to
// say.
struct DeadlineChecked {};
struct Paused {};
struct Resumed {};
// The definition given to the function is the new one. `replaced` is the schedule before it when a
// field of that differs; an update that changes none moves nothing.
struct Reconfigured {
  std::optional<Schedule> replaced;
};
struct Deleted {};
// Brings a deleted monitor back, paused.
struct Undeleted {};

using Input = std::variant<HeartbeatArrived, DeadlineChecked, Paused, Resumed, Reconfigured,
                           Deleted, Undeleted>;

// Why a decision was what it was; also for "nothing". The numbers are stored: never change one.
enum class Reason : int16_t {
  kRecorded = 1,        // a steady up, nothing but the deadline moved
  kFirstHeartbeat = 2,  // NEW became UP
  kReportedDown = 3,    // the job said down: incident opened
  kStillDown = 4,       // a failure while DOWN
  kCounted = 5,         // a failure or success below its threshold
  kRecovered = 6,       // incident closed
  kLateHeartbeat = 7,   // incident closed: the heartbeat was in time, its commit was late
  kStale = 8,           // older than the newest heartbeat: stored only
  kLogged = 9,          // a log: stored only
  kRunStarted = 10,     // a start: its run is open
  kStoredPaused = 11,   // the monitor is paused: stored only
  kMissed = 12,         // the deadline passed: incident opened
  kNotDue = 13,         // the deadline has not passed
  kPaused = 14,
  kResumed = 15,
  kReconfigured = 16,
  kDeleted = 17,
  kUndeleted = 18,
  kNothingToDo = 19,    // e.g. pausing what is paused
  kRunEnded = 20,       // older than the newest heartbeat, but the end of its run
  kRunOverran = 21,     // a run took too long: incident opened
  kExcused = 22,        // the deadline passed, but an own outage may have swallowed the heartbeat
  kReminded = 23,       // still DOWN after the reminder interval
  kOutOfRange = 24,     // the value is out of range: incident opened
  kTooManyRuns = 25,    // a start that finds kMaxRuns runs with a limit open: stored only
  kToldAfterHold = 26,  // what a maintenance or flapping had held back is told: it is over
  kHeldBack = 27,       // not told, a reminder for one: a maintenance or flapping goes on
};

// The word for metrics, logs and the API, e.g. "first_heartbeat".
std::string_view ReasonName(Reason reason);

struct Decision {
  MonitorState next;
  Reason reason = Reason::kNothingToDo;
  // The incident that this decision opened (its keys are for the store to fill in). It is
  // next.incident too.
  std::optional<Incident> opened;
  // Whether next.incident, open before and after, has a new message: it is to be saved.
  bool message_changed = false;
  // The incident that this decision closed, with closed_at and resolution set.
  std::optional<Incident> closed;
  // When the heartbeat that did not come was expected; only with a missed deadline.
  std::optional<absl::Time> expected_at;
  // Whether a FIRING of `closed` that was not sent yet is to be withdrawn (late heartbeat).
  bool withdraw_unsent_firing = false;
  // Whether people are to be reminded of next.incident: it is to be saved.
  bool reminded = false;
  // Whether next.incident, which was held back, is told now.
  bool told = false;
  // An incident that closed before, whose end is told now, before whatever else is.
  std::optional<IncidentKey> told_end;
  // Whether something else of next.incident changed: it is to be saved.
  bool incident_changed = false;
  // The run that has taken too long; only with its deadline.
  std::optional<Run> overran;
  // How long the run took that the heartbeat ended; nullopt: it ended none whose start is known.
  std::optional<absl::Duration> run_duration;
  // The id of the named run that the heartbeat ended, known or not: it is to be remembered, so that
  // its start, if that comes later, opens nothing.
  std::string ended_run;
};

// Decides. `next` differs from `state` only where the table in product.md "State machine" says.
// `opened` gives one FIRING event, `closed` one RESOLVED, `reminded` one REMINDER; next.sequence
// counts them; never two of them. What opens with held_until set gives none: `told` gives its
// FIRING later, if it is open then, and `closed` of what was not told gives none either. The end of
// what was told while the monitor flaps (next.untold_end) gives none at first: `told_end` gives it,
// before the FIRING that may go with it. Deterministic; reads nothing but its arguments.
//   now: when the input is decided; detected_at of what opens. Never before a heartbeat's `at`.
//
// What the table leaves open is decided so:
//   late up     An up received after the deadline's base and no later than the deadline whose
//               passing opened the incident closes it where it began (closed_at = opened_at).
//   down        While DOWN it replaces the incident's message, unless it says nothing.
//   log, start  Neither moves the newest heartbeat. A log never resumes.
//               With a cron schedule one that satisfies nothing of what was missed closes nothing.
//   start       Of a named run that is open it changes nothing. The unnamed run begins anew. Of
//               more than kMaxRuns the oldest that no deadline waits for is forgotten.
//   run's end   Its start is what satisfies a cron schedule. What fired before it ended, and whose
//               grace was over then, is not expected any more: a run with a limit stood in for it,
//               without one it was judged. The end of a run that a newer heartbeat has overtaken
//               ends it all the same; that of one of a PAUSED monitor is remembered.
//   overrun     Below the threshold the schedule counts again from the overrun. The end of a run
//               that was received in time for the deadline closes the incident, as a late up does.
//   excused     Counts nothing; neither does what else fired until now and may have been swallowed
//               by the same outage. The next fire time is expected.
//   reminder    Counts from the detection, then from the reminder before; what was missed while
//               Tocsin was away is not made up for.
//   flapping    Begins with an incident that opens and is told. Until the monitor is steady nothing
//               else is told, but that it is paused or deleted, or that it was a false alarm.
//   resume      A monitor that was never pushed is NEW again; it is armed (from now) only when
//               arm_on_create is set, for otherwise it was never going to alert.
//   reconfigure arm_on_create set on a monitor that was never pushed arms it from now; cleared, it
//               disarms it. A change of schedule forgets how many deadlines have passed, not how
//               many failures there were: the next one is the first of the new schedule. But a fire
//               time that is in its grace and fires in both stays expected when it gets no less
//               time, e.g. a longer grace: who died before it is found by it (KeptFire).
//   miss        Below the threshold the next miss is never less than one timeout away, also when
//               an own outage postponed this one.
//
// `gaps` as for DeadlineOf: with the windows of maintenances about the monitor (WithMaintenances).
Decision Decide(const MonitorDefinition& definition, const MonitorState& state, const Input& input,
                const GapList& gaps, absl::Time now);

// A lower bound of everything that time alone can do to a monitor: the sweeper looks then.
// InfiniteFuture when nothing. Gaps only postpone, so they are not an argument.
absl::Time SweepAt(const MonitorDefinition& definition, const MonitorState& state);

// Whether the value, if there is one, lies where it may.
bool IsValueInRange(const MonitorDefinition& definition, const Heartbeat& heartbeat);

// Whether an up may take the fast path: the write `last_at := at, credit_at := none` is then all
// that Decide does. Holds for an up without run id whose value may be, state UP, no runs, no
// failures or misses counted, and at >= last_at.
bool IsSteadyUp(const MonitorDefinition& definition, const MonitorState& state,
                const Heartbeat& heartbeat);

}  // namespace tocsin::core
