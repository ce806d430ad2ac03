// How heartbeats are written to and read from rows.
#pragma once

#include "services/core/domain/heartbeat.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

// The columns that ReadHeartbeat reads, in the table h.
#define TOCSIN_HEARTBEAT_COLUMNS                                                        \
  "h.monitor_id, h.received_at, h.push_id, h.kind, h.source, h.reason, h.exit_status, " \
  "h.value, h.run_id, h.message"

StoredHeartbeat ReadStoredHeartbeat(Row& row);

// A message as it is kept: the default one is not.
inline bool IsDefaultMessage(std::string_view message) {
  return message.empty() || message == "OK";
}

}  // namespace tocsin::core::pg
