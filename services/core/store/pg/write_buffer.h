// Holds back what a transaction writes, to write it in few statements.
//
// Whoever judges many monitors in one transaction writes the same few rows for each of them; one
// statement with arrays costs a tenth of the round trips. Nothing is held back past the commit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/pg/statement.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

// Draws keys ahead, more at a time the more are drawn. The statement takes the number of keys.
class KeySource {
 public:
  explicit KeySource(const Statement& draw) : draw_(draw) {}

  absl::StatusOr<int64_t> Next(Session& session);
  // Forgets what was drawn ahead: keys drawn after a lock was taken are above those that others
  // drew under it.
  void Forget() { keys_.clear(); }

 private:
  const Statement& draw_;
  std::vector<int64_t> keys_;  // the next one last
  int ahead_ = 1;
};

extern const Statement kDrawIncidentKeys;
extern const Statement kDrawOutboxKeys;

// Not thread-safe.
class WriteBuffer {
 public:
  void AddIncident(IncidentKey key, const Incident& incident);
  void SaveIncident(const Incident& incident) { saved_incidents_[incident.key] = incident; }
  void AddEvent(EventKey key, const AlertEvent& event);
  void AddDeliveries(absl::Span<const Delivery> deliveries);
  // A later change of the same monitor takes the place of the earlier one.
  void SaveState(const StateChange& change);

  // Whether something about the incident is held back.
  bool TellsOf(IncidentKey incident) const { return incidents_told_.contains(incident); }

  // Writes everything. Returns whether a sweep_at moved earlier.
  absl::StatusOr<bool> Flush(Session& session);

 private:
  // An event as its table has it.
  struct EventRow {
    EventKey key = 0;
    ProjectKey project = 0;
    MonitorKey monitor = 0;
    IncidentKey incident = 0;
    int64_t sequence = 0;
    EventType type = EventType::kFiring;
    State state = State::kDown;
    absl::Time occurred_at;
    absl::Time detected_at;
    std::optional<absl::Time> expected_at;
    std::string facts;
  };

  absl::Status FlushIncidents(Session& session);
  absl::Status FlushEvents(Session& session);
  absl::StatusOr<bool> FlushStates(Session& session);

  std::vector<Incident> added_incidents_;
  std::map<IncidentKey, Incident> saved_incidents_;
  std::vector<EventRow> events_;
  std::vector<Delivery> deliveries_;
  std::map<MonitorKey, StateChange> states_;
  std::set<IncidentKey> incidents_told_;
};

}  // namespace tocsin::core::pg
