// Says in the log which incidents opened and closed, once it is committed: one line each, and of a
// flood how many more; critical monitors always have one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {

// Of one transaction, beside critical monitors'.
inline constexpr size_t kMostIncidentLines = 100;

// Of one transaction. A commit in doubt that turns out to be made is told by nobody: the line is
// for people who follow the log, and what is certain is in the store. Not thread safe.
class IncidentLog {
 public:
  // At the beginning of each run of the transaction's body.
  void Clear();
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
  void Add(const MonitorDefinition& definition, const Incident& incident);

  std::vector<Entry> entries_;
  int64_t opened_more_ = 0;
  int64_t closed_more_ = 0;
};

}  // namespace tocsin::core
