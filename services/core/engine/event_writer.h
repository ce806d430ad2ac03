// Writes what a decision leads to, within the transaction that holds the monitor's lock.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"
#include "services/core/store/records.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// Writes incident, alert event and deliveries, and returns the state as it is to be saved (the
// incident has its key now). To save it is for the caller, who may save many at once.
//
// Writing must come after the heartbeats of the decision were added to the history: the event
// tells the newest one.
//   told_end  RESOLVED of an incident that closed before, as below, and before all else.
//   opened  FIRING, to each channel that Route chooses.
//   closed  RESOLVED, to each channel that was given the FIRING and still exists. A FIRING that
//           could not be delivered yet, and that nobody is sending, is withdrawn: both then go
//           out as one message, or, when withdraw_unsent_firing is set and it was never tried,
//           none does. One that stands for events that were left out (see CutBacklog) is always
//           told: without them the receiver may believe the monitor to be down.
absl::StatusOr<MonitorState> WriteEvents(Transaction& transaction,
                                         const MonitorDefinition& definition,
                                         const Decision& decision, absl::Time now);

// WriteEvents, and saves the state with a sweep_at that is exact; `monitor` then holds it.
absl::Status WriteDecision(Transaction& transaction, Monitor& monitor, const Decision& decision,
                           absl::Time now);

}  // namespace tocsin::core
