// When there is something to tell of an open incident although nothing happens.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// Until when nothing may be told, as it looks at `now`; nullopt: it may. `gaps` as for DeadlineOf.
std::optional<absl::Time> SilentUntil(const MonitorState& state, const GapList& gaps,
                                      absl::Time now);

// Until when the open incident is held back; InfiniteFuture: it is not.
absl::Time HeldUntil(const MonitorState& state);

// When the next reminder is due; InfiniteFuture: never.
absl::Time ReminderAt(const MonitorDefinition& definition, const MonitorState& state);

// When there is something to tell, or to note, of an open incident although nothing happens: a
// reminder, or what was held back; InfiniteFuture: never. `gaps` as for DeadlineOf. What is held
// back until another time than the windows that are open at `now` say was due when it was detected.
absl::Time TellAt(const MonitorDefinition& definition, const MonitorState& state,
                  const GapList& gaps, absl::Time now);

}  // namespace tocsin::core
