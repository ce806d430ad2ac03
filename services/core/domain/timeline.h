// What happened to a monitor, one entry for each thing, in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/evidence.h"

namespace tocsin::core {

enum class EntryKind {
  kHeartbeat,
  kRejectedPush,
  kTransition,  // an incident began or ended, or a deadline passed without one
  kAlert,       // an alert was written for the channels
  kDelivery,    // what became of it at one channel
  kOwnOutage,
  kMaintenance,
  kMute,
  kChange,  // somebody changed the monitor, or silenced it
};

struct TimelineEntry {
  absl::Time at;
  std::optional<absl::Time> end;  // of what lasted, or the last of several
  EntryKind kind = EntryKind::kHeartbeat;
  int64_t count = 1;                   // so many in a row
  std::string what;                    // "up", "DOWN", "429 too often"
  std::string why;                     // reason, deadline, settings, attempts; may be empty
  std::string resource;                // full name of what it is about; may be empty
  std::string actor;                   // who did it, or where it came from; may be empty
  std::optional<absl::Time> deadline;  // that the entry is about
  std::string settings;                // then in force, where they decided

  friend bool operator==(const TimelineEntry&, const TimelineEntry&) = default;
};

TimelineEntry EntryOf(const KnownHeartbeat& known);
TimelineEntry EntryOf(const RejectedPush& rejected);
TimelineEntry EntryOf(const PassedDeadline& passed);
// The names of what lies in the project are written with its id. `opening` is the alert that tells
// of the incident's beginning, if any does.
TimelineEntry BeginningOf(const Incident& incident, const AlertEvent* opening,
                          const std::string& project_id);
// nullopt while it is open.
std::optional<TimelineEntry> EndOf(const Incident& incident, const std::string& project_id);
TimelineEntry EntryOf(const AlertEvent& event);
TimelineEntry EntryOf(const KnownDelivery& known, const std::string& project_id);
TimelineEntry EntryOf(const Gap& gap);
TimelineEntry EntryOf(const KnownWindow& known);
TimelineEntry EntryOf(const AuditRecord& record);

// In order of time, oldest first; at the same time in order of kind.
void Sort(std::vector<TimelineEntry>& entries);
// Puts steady heartbeats that follow one another into one entry: many of them say the same.
// `entries` are sorted.
std::vector<TimelineEntry> Folded(std::vector<TimelineEntry> entries);

}  // namespace tocsin::core
