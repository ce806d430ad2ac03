// The words of the glossary for every enumeration, as metrics, logs, selectors and payloads use
// them. (Reason and DeliveryType declare theirs beside themselves.)
#pragma once

#include <optional>
#include <string_view>

#include "services/core/domain/alert_event.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// Lower case with underscores, e.g. "up"; "unknown" for a number that is none of the enumeration.
std::string_view HeartbeatKindName(HeartbeatKind kind);
std::string_view SourceName(Source source);
std::string_view StateName(State state);
std::string_view SeverityName(Severity severity);
std::string_view CauseName(Cause cause);
std::string_view ResolutionName(Resolution resolution);
std::string_view EventTypeName(EventType type);

// The severity or state of that name, exactly as SeverityName or StateName writes it.
std::optional<Severity> ParseSeverity(std::string_view name);
std::optional<State> ParseState(std::string_view name);

}  // namespace tocsin::core
