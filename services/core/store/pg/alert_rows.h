// How incidents, alert events, deliveries and channels are written to and read from rows.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/sealer.h"

namespace tocsin::core::pg {

// Of table i.
#define TOCSIN_INCIDENT_COLUMNS                                                      \
  "i.incident_id, i.project_id, i.monitor_id, i.cause, i.opened_at, i.detected_at, " \
  "i.closed_at, i.resolution, i.message, i.reminded_at, i.held_until"

// Of table e.
#define TOCSIN_EVENT_COLUMNS                                                    \
  "e.event_id, e.type, e.project_id, e.monitor_id, e.sequence, e.occurred_at, " \
  "e.detected_at, e.state, e.expected_at, e.facts, e.snapshot"

// Of table d.
#define TOCSIN_DELIVERY_COLUMNS                                                         \
  "d.delivery_id, d.id, d.project_id, d.channel_id, d.monitor_id, d.sequence, d.type, " \
  "d.events, d.extra, d.state, d.redelivery, d.attempts, d.skipped, d.occurred_at, "    \
  "d.created_at, d.next_attempt_at, d.expires_at, d.last_outcome, d.last_http_status, " \
  "d.last_answer, d.finished_at, d.lease_id, d.leased_until, d.gather, "                \
  "d.told_by"

// Of table d: it may be sent by itself, when it is due.
#define TOCSIN_SENT_ALONE "d.state = 1 AND NOT d.gather AND d.told_by IS NULL"

// Whether d need not wait for an earlier one of its monitor and channel. The sum keeps the planner
// off the indexes of channels, which may have long backlogs; monitors have short ones. LIMIT keeps
// it from reading all that is pending to look each up.
#define TOCSIN_FIRST_IN_ORDER                                                              \
  "(d.redelivery OR d.monitor_id = 0 OR (SELECT true FROM delivery b "                     \
  "WHERE b.state = 1 AND b.monitor_id = d.monitor_id AND b.channel_id + 0 = d.channel_id " \
  "AND b.sequence < d.sequence AND NOT b.redelivery LIMIT 1) IS NULL)"

// Of tables c (channel) and p (its project).
#define TOCSIN_CHANNEL_COLUMNS                                                            \
  "c.channel_id, c.project_id, p.id, c.id, c.display_name, c.url, c.secrets, c.headers, " \
  "c.format, "                                                                            \
  "c.selector, c.is_default, c.fallback_channel, c.disabled_at, c.disable_reason, "       \
  "c.failing_since, c.last_error, c.told_at, c.told_failing_since, c.told_disabled_at, "  \
  "c.created_at, c.updated_at, c.version, c.group_limit, c.group_wait_us, "               \
  "c.url_set_at, c.old_secrets_until, c.omit_output"

Incident ReadIncident(Row& row);
// Damaged facts are DATA_LOSS, and so are those that a later release keeps in another way.
absl::StatusOr<AlertEvent> ReadEvent(Row& row);
// The same for who reads many, of which one that is unreadable may not hold up the others: `event`
// has its key in any case.
absl::Status ReadOneEvent(Row& row, AlertEvent& event);
absl::StatusOr<Delivery> ReadDelivery(Row& row);
// A channel whose secrets do not open has an empty url and no secrets (and is logged): its alerts
// are still routed, and can be sent once the key is back.
Channel ReadChannel(Row& row, const Sealer& sealer);

// "{1,2}" and back.
std::string KeysToText(const std::vector<int64_t>& keys);
std::vector<int64_t> KeysFromText(const std::string& text);

}  // namespace tocsin::core::pg
