// An event that cannot be read holds up no other alert.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/status_macros.h"
#include "services/core/store/new_delivery.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 12, 0, 0), absl::UTCTimeZone());

class UnreadableEvents : public testing::Test {
 protected:
  UnreadableEvents() {
    database_.Migrate();
    store_ = database_.OpenStore();
    const absl::Status added =
        store_->Transact(TransactionClass::kAdmin, [this](Transaction& t) -> absl::Status {
          Channel channel;
          channel.project = 1;
          channel.id = "ops";
          channel.url = "https://example.org/hook";
          channel.secrets = {"whsec_1"};
          channel.created_at = channel.updated_at = kNow;
          ASSIGN_OR_RETURN(channel_, t.InsertChannel(channel));
          RETURN_IF_ERROR(AddAlert(t, 1));
          return AddAlert(t, 2);
        });
    EXPECT_TRUE(added.ok()) << added;
    database_.Execute("UPDATE alert_event SET facts = 'damaged' WHERE monitor_id = 1");
  }

  absl::Status AddAlert(Transaction& t, MonitorKey monitor) {
    AlertEvent event;
    event.project = 1;
    event.monitor = monitor;
    event.sequence = 1;
    event.occurred_at = event.detected_at = kNow;
    event.incident.monitor = monitor;
    event.incident.opened_at = event.incident.detected_at = kNow;
    ASSIGN_OR_RETURN(event.incident.key, t.AddIncident(event.incident));
    Delivery delivery = NewDelivery(1, DeliveryType::kIncidentOpened, kNow);
    delivery.channel = channel_;
    delivery.monitor = monitor;
    delivery.sequence = 1;
    ASSIGN_OR_RETURN(const EventKey key, t.AddEvent(event));
    delivery.events = {key};
    return t.AddDeliveries({delivery});
  }

  // The monitors of what is leased at `now`.
  std::vector<MonitorKey> Lease(absl::Time now) {
    LeaseRequest request;
    request.lease_id = "lease";
    request.limit = 10;
    request.now = now;
    request.lease = absl::Hours(1);
    request.per_channel = 8;
    request.per_failing_channel = 8;
    const auto leased = store_->LeaseDeliveries(request);
    EXPECT_TRUE(leased.ok()) << leased.status();
    std::vector<MonitorKey> monitors;
    for (const LeasedDelivery& each : leased.value_or(std::vector<LeasedDelivery>())) {
      EXPECT_EQ(each.delivery.attempts, 1);
      monitors.push_back(each.delivery.monitor);
    }
    return monitors;
  }

  TestDatabase database_;
  std::unique_ptr<PgStore> store_;
  ChannelKey channel_ = 0;
};

TEST_F(UnreadableEvents, OtherAlertsAreDelivered) { EXPECT_THAT(Lease(kNow), ElementsAre(2)); }

TEST_F(UnreadableEvents, OneIsTriedAgainAfterAWhile) {
  Lease(kNow);
  EXPECT_EQ(database_.Number("SELECT count(*) FROM delivery WHERE monitor_id = 1 AND attempts = 0 "
                             "AND state = 1 AND lease_id IS NULL"),
            1);
  database_.Execute(
      "UPDATE alert_event e SET facts = r.facts FROM alert_event r "
      "WHERE e.monitor_id = 1 AND r.monitor_id = 2");
  EXPECT_THAT(Lease(kNow + absl::Seconds(59)), IsEmpty());
  EXPECT_THAT(Lease(kNow + absl::Seconds(61)), ElementsAre(1));
}

TEST_F(UnreadableEvents, WhatWaitsForOneIsDueOnceItsTimeIsOver) {
  const absl::Status added =
      store_->Transact(TransactionClass::kAdmin, [this](Transaction& t) -> absl::Status {
        Delivery later = NewDelivery(1, DeliveryType::kChannelTest, kNow);
        later.channel = channel_;
        later.monitor = 1;
        later.sequence = 2;
        later.expires_at = kNow + absl::Hours(1000);
        return t.AddDeliveries({later});
      });
  ASSERT_TRUE(added.ok()) << added;
  EXPECT_THAT(Lease(kNow), ElementsAre(2));
  const absl::Time over = kNow + kDeliveryLifetime;
  database_.Execute("UPDATE delivery SET state = 2, lease_id = NULL WHERE monitor_id = 2");
  EXPECT_THAT(Lease(over), IsEmpty());
  EXPECT_EQ(database_.Number("SELECT count(*) FROM delivery WHERE monitor_id = 1 AND sequence = 1 "
                             "AND state = 3 AND last_outcome = 'unreadable' "
                             "AND finished_at IS NOT NULL"),
            1);
  EXPECT_THAT(Lease(over + absl::Seconds(1)), ElementsAre(1));
}

TEST_F(UnreadableEvents, OnesFromBeforeTheyWereProtobufAreRead) {
  database_.Execute(
      R"(UPDATE alert_event SET facts = NULL, snapshot = '{"incident": {"id": 7, "cause": 2},)"
      R"( "monitor": {"project": "default", "id": "old"}}' WHERE monitor_id = 1)");
  EXPECT_THAT(Lease(kNow), UnorderedElementsAre(1, 2));
}

}  // namespace
}  // namespace tocsin::core::pg
