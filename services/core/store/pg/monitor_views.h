// A monitor as lists and reads show it: with its newest heartbeat.
#pragma once

#include "services/core/store/pg/heartbeat_rows.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/reads.h"

namespace tocsin::core::pg {

// The newest up or down of monitor m; see kNewestHeartbeats of the transaction.
#define TOCSIN_NEWEST_OF_M                                                      \
  " LEFT JOIN LATERAL ((SELECT " TOCSIN_HEARTBEAT_ROW                           \
  " FROM heartbeat h WHERE h.monitor_id = s.monitor_id "                        \
  "AND h.received_at >= coalesce(s.last_at, '-infinity') AND h.kind IN (1, 2) " \
  "ORDER BY h.received_at DESC, h.push_id DESC LIMIT 1) "                       \
  "UNION ALL (SELECT " TOCSIN_HEARTBEAT_ROW                                     \
  " FROM heartbeat_kept h WHERE h.monitor_id = s.monitor_id) "                  \
  "ORDER BY received_at DESC LIMIT 1) h ON true "

// What ReadMonitorView reads, of a monitor m; a condition on it follows.
#define TOCSIN_SELECT_MONITOR_VIEW                                                            \
  "SELECT " TOCSIN_DEFINITION_COLUMNS ", " TOCSIN_STATE_COLUMNS ", " TOCSIN_HEARTBEAT_COLUMNS \
  " FROM " TOCSIN_MONITOR_TABLES TOCSIN_NEWEST_OF_M

inline MonitorView ReadMonitorView(Row& row) {
  MonitorView view;
  view.monitor = ReadMonitor(row);
  if (!row.NextIsNull()) view.last_heartbeat = ReadStoredHeartbeat(row).heartbeat;
  return view;
}

}  // namespace tocsin::core::pg
