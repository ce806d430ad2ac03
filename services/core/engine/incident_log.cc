// Lines about incidents.
#include "services/core/engine/incident_log.h"

#include "common/log.h"
#include "services/core/domain/names.h"
#include "services/core/domain/words.h"

namespace tocsin::core {

void IncidentLog::Note(const MonitorDefinition& definition, const Decision& decision,
                       const MonitorState& saved) {
  if (decision.closed.has_value()) Add(definition, *decision.closed);
  if (decision.opened.has_value() && saved.incident.has_value()) Add(definition, *saved.incident);
}

void IncidentLog::Add(const MonitorDefinition& definition, const Incident& incident) {
  if (entries_.size() < kMostIncidentLines || definition.severity == Severity::kCritical) {
    entries_.push_back({definition.project_id, definition.id, incident});
    entries_.back().incident.message.clear();  // what the job says may be a secret
  } else {
    ++(incident.closed_at.has_value() ? closed_more_ : opened_more_);
  }
}

void IncidentLog::Clear() { *this = IncidentLog(); }

void IncidentLog::Write() {
  for (const Entry& entry : entries_) {
    const Incident& incident = entry.incident;
    const std::string monitor = MonitorName(entry.project, entry.monitor);
    const std::string name = IncidentName(entry.project, incident.key);
    if (!incident.closed_at.has_value()) {
      LogInfo("incident_opened", {{"monitor", monitor},
                                  {"incident", name},
                                  {"cause", CauseName(incident.cause)},
                                  {"at", incident.opened_at}});
      continue;
    }
    const Resolution resolution = incident.resolution.value_or(Resolution::kRecovered);
    LogInfo("incident_closed", {{"monitor", monitor},
                                {"incident", name},
                                {"cause", CauseName(incident.cause)},
                                {"resolution", ResolutionName(resolution)},
                                {"lasted", *incident.closed_at - incident.opened_at}});
  }
  if (opened_more_ + closed_more_ > 0) {
    LogInfo("incidents_without_a_line", {{"opened", opened_more_}, {"closed", closed_more_}});
  }
  Clear();
}

}  // namespace tocsin::core
