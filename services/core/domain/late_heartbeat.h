// Heartbeats that were in time, though their commit was not.
#pragma once

#include "services/core/domain/heartbeat.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/run.h"

namespace tocsin::core {

// An up that was received in time for the deadline whose passing opened the incident: its commit
// was late. One that does not move the deadline (older than what the deadline counted from, of
// another run) is none, nor is one that a newer failure has overtaken.
// `ended_run`: the run that it ends, no more among those of `state`; null: none.
bool ProvesIncidentWrong(const MonitorDefinition& definition, const MonitorState& state,
                         const Heartbeat& heartbeat, const Run* ended_run);

// How many of the misses that `state` counts were none, since a heartbeat that is newer than what
// they count from was received in time for them: its commit was late.
int MissesProvedWrong(const MonitorDefinition& definition, const MonitorState& state,
                      const Heartbeat& heartbeat);

}  // namespace tocsin::core
