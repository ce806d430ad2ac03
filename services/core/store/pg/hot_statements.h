// The statements whose plans are watched by a test.
#pragma once

#include "services/core/store/pg/statement.h"

namespace tocsin::core::pg {

// record_steady_ups.cc: without and with folded heartbeats.
extern const Statement kRecordSteadyUps;
extern const Statement kRecordSteadyUpsFolded;

// monitor_operations.cc
extern const Statement kLockDue;
extern const Statement kLockCriticalDue;
extern const Statement kReadDue;

// reads.cc
extern const Statement kNextSweepAt;

// add_deliveries.cc
extern const Statement kPendingOf;

// write_buffer.cc
extern const Statement kSaveStates;

// backlog_cut.cc
extern const Statement kLockBacklogs;

// alert_operations.cc
extern const Statement kFindFirings;

// delivery_leases.cc
extern const Statement kLeaseDeliveries;
extern const Statement kNextDeliveryAt;
extern const Statement kLeasedEvents;

// delivery_order.cc
extern const Statement kReleaseFollowers;
extern const Statement kPutOffFollowers;

}  // namespace tocsin::core::pg
