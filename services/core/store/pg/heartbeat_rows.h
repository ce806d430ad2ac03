// How heartbeats are written to and read from rows.
#pragma once

#include "services/core/domain/heartbeat.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

#define TOCSIN_HEARTBEAT_FIELDS                                                         \
  "h.monitor_id, h.received_at, h.push_id, h.kind, h.source, h.reason, h.exit_status, " \
  "h.value, h.run_id, h.message, h.run_duration_us"

// What a subquery h has for the columns below.
#define TOCSIN_HEARTBEAT_ROW TOCSIN_HEARTBEAT_FIELDS ", h.output"

// The columns that ReadStoredHeartbeat reads, of h: without what the job put out, but its size; and
// with all of it, or the end of it, as `output` says.
#define TOCSIN_HEARTBEAT_COLUMNS TOCSIN_HEARTBEAT_WITH("NULL::bytea")
#define TOCSIN_HEARTBEAT_WITH(output) TOCSIN_HEARTBEAT_FIELDS ", octet_length(h.output), " output

StoredHeartbeat ReadStoredHeartbeat(Row& row);

// A message as it is kept: the default one is not.
inline bool IsDefaultMessage(std::string_view message) {
  return message.empty() || message == "OK";
}

}  // namespace tocsin::core::pg
