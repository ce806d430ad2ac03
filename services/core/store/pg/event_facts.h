// What was known when an alert event happened, as bytes of tocsin.stored.v1.EventFacts.
//
// Protobuf at the database's edge: a mass outage writes one for each monitor, and JSON cost core
// and PostgreSQL a tenth of all that recording takes (docs/adr/0025).
#pragma once

#include <string>

#include "absl/status/status.h"
#include "services/core/domain/alert_event.h"

namespace tocsin::core::pg {

// incident, definition, last_heartbeat, run and flapping of the event.
std::string FactsToBytes(const AlertEvent& event);
// Fills them in; project, monitor and the like are there already. DATA_LOSS when it is none.
absl::Status FactsFromBytes(const std::string& bytes, AlertEvent& event);

}  // namespace tocsin::core::pg
