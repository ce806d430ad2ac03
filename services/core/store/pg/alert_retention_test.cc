// What stays of old alerts keeps nothing behind it from being dropped.
#include "services/core/store/pg/alert_retention.h"

#include <gtest/gtest.h>

#include <memory>

#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 12, 0, 0), absl::UTCTimeZone());

class AlertRetentionTest : public testing::Test {
 protected:
  AlertRetentionTest() {
    database_.Migrate();
    store_ = database_.OpenStore();
    // More monitors that have been down for years than are looked at in one call, and behind them
    // one that recovered then.
    database_.Execute(
        "INSERT INTO incident (incident_id, project_id, monitor_id, cause, opened_at, detected_at, "
        "closed_at, resolution, message) SELECT i, 1, i, 1, at, at, "
        "CASE WHEN i > 6000 THEN at END, CASE WHEN i > 6000 THEN 1 END, '' "
        "FROM generate_series(1, 6001) i, (SELECT timestamptz '2020-01-01 00:00+00' AS at) t");
    database_.Execute(
        "INSERT INTO alert_event (event_id, project_id, monitor_id, incident_id, sequence, type, "
        "state, occurred_at, detected_at, snapshot, feed_position) "
        "SELECT i.incident_id, 1, i.monitor_id, i.incident_id, 1, 1, 3, i.opened_at, i.opened_at, "
        "'{}', i.incident_id FROM incident i");
    database_.Execute(
        "INSERT INTO delivery (delivery_id, id, project_id, channel_id, monitor_id, sequence, "
        "type, state, redelivery, attempts, skipped, last_http_status, events, occurred_at, "
        "created_at, next_attempt_at, expires_at, finished_at, last_outcome) "
        "SELECT i.incident_id, 'msg_' || i.incident_id, 1, 1, i.monitor_id, 1, 1, 2, false, 1, 0, "
        "204, ARRAY[i.incident_id], i.opened_at, i.opened_at, i.opened_at, i.opened_at, "
        "i.opened_at, 'ok' FROM incident i");
  }

  int64_t Count(const std::string& table) {
    return database_.Number("SELECT count(*) FROM " + table);
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
};

TEST_F(AlertRetentionTest, LooksBehindWhatStays) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(store_->Maintain({}, kNow).ok());
  EXPECT_EQ(Count("incident"), 6000);
  EXPECT_EQ(Count("alert_event"), 6000);
  EXPECT_EQ(Count("delivery"), 6000);
  database_.Execute(
      "UPDATE incident SET closed_at = '2026-03-02 11:00+00', resolution = 1 WHERE incident_id = "
      "7");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(store_->Maintain({}, kNow).ok());
  // Told of, and now nothing is left to tell; the incident itself has ended just now.
  EXPECT_EQ(Count("incident"), 6000);
  EXPECT_EQ(Count("alert_event"), 5999);
  EXPECT_EQ(Count("delivery"), 5999);
}

}  // namespace
}  // namespace tocsin::core::pg
