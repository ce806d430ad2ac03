// The one formula for the deadline, used by writer, sweeper and reader.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

struct Deadline {
  // The instant at which, without a further heartbeat, the monitor has failed once more. Exactly
  // at it is still in time. InfiniteFuture when nothing is due.
  absl::Time at = absl::InfiniteFuture();
  // The same without own outages.
  absl::Time plain = absl::InfiniteFuture();
  // When the heartbeat is expected: `plain` without the grace. Past it the monitor is late.
  absl::Time expected_at = absl::InfiniteFuture();
  Cause cause = Cause::kMissedDeadline;
  std::string run_id;  // with kRunOverran: of which run
  // Whether an own outage may have swallowed a heartbeat (the monitor is unverified): some gap
  // overlaps as below, whether it postpones or not.
  bool unverified = false;
  // Whether one of the own outages of the list did, whatever happened before.
  bool swallowed = false;
  // Whether its passing counts as no failure: cron only.
  bool excused = false;
  // With `excused`: when the own outage ended.
  absl::Time outage_end = absl::InfinitePast();
};

// From product.md "Schedules and deadlines" and "Own outages".
//
// Heartbeat schedule:
//   base  L = max(last_at, credit_at, armed_at); none of them: nothing is due
//   plain D = max(L + (misses + 1) * timeout + grace, floor_at)
//   E = the end of the last gap that overlaps [L + recommended_interval / 2, D]
//           (from L on when L is no heartbeat but armed_at; from a change of schedule on when
//           that came before L + recommended_interval / 2: the job's rhythm is not known then)
//   at      = max(D, E + recommended_interval + grace)
// Cron:
//   F = the (misses + 1)-th fire time that is expected (ExpectedFire): not satisfied by credit_at
//           (by last_at without it), and after armed_at, floor_at and excused_at
//   plain D = F + grace
//   E = the end of the last gap that overlaps [F - early tolerance, F + grace]
//   at      = max(D, E + grace); excused when there is an E, but not by two outages in a row
//           without a heartbeat, or a resume, between: a job that died is found although one comes
//           with each fire time
// An open run with a limit stands in for both, the one that is due first:
//   plain D = its due_at
//   E = the end of the last gap that overlaps [started_at, D]
//   at      = max(D, E + (due_at - started_at))
// Windows of maintenances are gaps, too, but for `unverified`; the list has those of this monitor.
// A gap that begins after D changes nothing, so a deadline is postponed once, never again and
// again. `at` later than `plain` says that own outages postponed the deadline. Gaps of gateways
// count only for monitors whose last heartbeat came over HTTP or that were never heard.
// Nothing is due for PAUSED and deleted ones; nor, but for runs, for NEW that is neither armed nor
// was ever pushed, and for DOWN with no successes yet. `gaps` must be in order of end.
Deadline DeadlineOf(const MonitorDefinition& definition, const MonitorState& state,
                    const GapList& gaps);

// The fire time that is in its grace, F of the formula or one after it, if one stays expected when
// `schedule` takes the place of `replaced`: it fires in both, nothing else of a new expression has
// fired since, and it is given no less time, and excused no less, than it was. Who was promised
// more cannot be held to less.
std::optional<absl::Time> KeptFire(const Schedule& replaced, const Schedule& schedule,
                                   const MonitorState& state, absl::Time now);

// Whether the gaps, as far as they touch the monitor and overlap, were longer than it may be
// silent: a deadline of its was postponed, though it was heard since, so that DeadlineOf does not
// tell any more. What was shed is passed over: most pushes came through.
bool IsOutlastedBy(const MonitorDefinition& definition, const MonitorState& state,
                   const GapList& gaps);

}  // namespace tocsin::core
