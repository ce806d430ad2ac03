// Says in the log which incidents opened and closed: one line each, once it is committed.
#pragma once

#include <string>
#include <vector>

#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {

// Of one transaction. A commit in doubt that turns out to be made is told by nobody: the line is
// for people who follow the log, and what is certain is in the store. Not thread safe.
class IncidentLog {
 public:
  // At the beginning of each run of the transaction's body.
  void Clear() { entries_.clear(); }
  // Within the transaction; `saved` is what WriteEvents returned.
  void Note(const MonitorDefinition& definition, const Decision& decision,
            const MonitorState& saved);
  // After the commit.
  void Write();

 private:
  struct Entry {
    std::string project;
    std::string monitor;
    Incident incident;
  };
  std::vector<Entry> entries_;
};

}  // namespace tocsin::core
