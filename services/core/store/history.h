// What is read of a monitor's past for its statistics: a part of the store's boundary by itself,
// which nothing that records or judges needs.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/intervals.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/rhythm.h"
#include "services/core/domain/rollup.h"

namespace tocsin::core {

struct HistoryQuery {
  MonitorKey monitor = 0;
  absl::Time since;          // of incidents and states
  absl::Time signals_since;  // of signals
  // Of each list at most so many, the newest.
  int incidents = 0;
  int states = 0;
  int signals = 0;
};

// Each list is newest first, and one snapshot by itself.
struct MonitorHistory {
  std::vector<Incident> incidents;  // open, or closed after `since`; without their messages
  std::vector<Interval> states;     // when it was NEW or PAUSED, that ended after `since`
  std::vector<Signal> signals;      // ups and downs received at or after `signals_since`
};

struct RollupQuery {
  MonitorKey monitor = 0;
  // As for RollupsBefore.
  absl::Time first = absl::InfiniteFuture();
  absl::Time since;
};

struct RolledPast {
  // In order of time: the days, then the hours of RollupsBefore; none is empty.
  std::vector<Rollup> rollups;
  absl::Time end = absl::InfinitePast();  // of RollupsBefore
};

// Thread-safe. Errors are those of Store. Rollups are made by Store::Maintain.
class HistoryStore {
 public:
  virtual ~HistoryStore() = default;

  virtual absl::StatusOr<MonitorHistory> ReadHistory(const HistoryQuery& query) = 0;
  virtual absl::StatusOr<RolledPast> ReadRollups(const RollupQuery& query) = 0;
};

}  // namespace tocsin::core
