// How a monitor is written to and read from rows.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/domain/monitor.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/pg/statement.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

// The columns that ReadDefinition reads, of monitor m and project p.
#define TOCSIN_DEFINITION_COLUMNS                                                         \
  "m.monitor_id, m.project_id, p.id, m.id, m.display_name, m.description, m.owner, "      \
  "m.severity, m.runbook_url, m.labels, m.timeout_us, m.recommended_interval_us, "        \
  "m.grace_us, m.failure_threshold, m.recovery_threshold, m.arm_on_create, "              \
  "m.resume_on_heartbeat, array_to_string(m.channels, ','), m.version, m.created_at, "    \
  "m.updated_at, m.deleted_at, coalesce(m.cron, ''), m.time_zone, m.early_tolerance_us, " \
  "m.value_min, m.value_max, m.max_run_us, m.reminder_us"

// Those that ReadState reads, of monitor_state s, its monitor_listing l and its open incident i (or
// NULLs).
#define TOCSIN_STATE_COLUMNS                                                               \
  "s.state, coalesce(l.changed_at, m.created_at), s.last_at, s.last_kind, s.last_source, " \
  "s.armed_at, s.floor_at, s.failures, "                                                   \
  "s.successes, s.misses, coalesce(s.runs, ''), s.credit_at, s.excused_at, "               \
  "array_to_string(s.transitions, ','), s.flapping_since, s.untold_end, s.sequence, "      \
  "i.incident_id, i.cause, i.opened_at, i.detected_at, i.message, i.reminded_at, "         \
  "i.held_until"

// Where ReadMonitor's columns (definition, then state) come from.
#define TOCSIN_MONITOR_TABLES                                   \
  "monitor m JOIN project p ON p.project_id = m.project_id "    \
  "JOIN monitor_state s ON s.monitor_id = m.monitor_id "        \
  "LEFT JOIN monitor_listing l ON l.monitor_id = m.monitor_id " \
  "LEFT JOIN incident i ON i.incident_id = s.incident_id"

// Locks the states of those of the monitors $1 that nobody else has locked, and returns their keys.
extern const Statement kLockMonitorsSkip;

MonitorDefinition ReadDefinition(Row& row);
Monitor ReadMonitor(Row& row);

// (place among what was asked from 1 on, monitor, version, expiry, project's id, monitor's id), for
// `count` that were asked.
absl::StatusOr<std::vector<std::optional<TokenMatch>>> ReadTokenMatches(Rows& rows, size_t count);
std::string HashBytes(const TokenHash& hash);

std::string LabelsToJson(const Labels& labels);
Labels LabelsFromJson(const std::string& json);

// nullopt, and a line in the log, for what is none: the row was damaged.
std::optional<CronRule> CronFromText(const std::string& expression, const std::string& zone,
                                     std::optional<absl::Duration> early_tolerance);

// Empty for none.
std::string RunsToText(const Runs& runs);
Runs RunsFromText(const std::string& text);

// Microseconds since the epoch, separated by commas; empty for none.
std::string TimesToText(const std::vector<absl::Time>& times);
std::vector<absl::Time> TimesFromText(const std::string& text);

// Appends the 26 parameters that both InsertMonitor and SaveDefinition take.
void AddDefinition(const MonitorDefinition& definition, Params& params);

}  // namespace tocsin::core::pg
