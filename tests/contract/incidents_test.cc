// Contract of incidents, alert events and the feed.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);

class Incidents : public StoreContract {
 protected:
  void Close(Outage& outage, const MonitorIdentity& monitor) {
    outage.incident.closed_at = kStart + absl::Hours(1);
    outage.incident.resolution = Resolution::kRecovered;
    StateChange change;
    change.monitor = monitor.key;
    change.state = Load(monitor.key).state;
    change.state.state = State::kUp;
    change.state.incident.reset();
    Do([&](Transaction& transaction) -> absl::Status {
      EXPECT_TRUE(transaction.SaveIncident(outage.incident).ok());
      return transaction.SaveStates({change});
    });
  }

  std::vector<IncidentKey> List(IncidentQuery query) {
    query.project = project();
    std::vector<IncidentKey> keys;
    const std::vector<IncidentView> views = store().ListIncidents(query).value();
    for (const IncidentView& view : views) {
      keys.push_back(view.incident.key);
    }
    return keys;
  }
};

TEST_P(Incidents, AMonitorThatIsDownComesWithItsOpenIncident) {
  const MonitorIdentity monitor = AddUp("job");
  const Outage outage = Open(monitor, 1, kStart + kSecond);
  const std::optional<Incident> incident = Load(monitor.key).state.incident;
  ASSERT_TRUE(incident.has_value());
  EXPECT_EQ(incident->key, outage.incident.key);
  EXPECT_EQ(incident->project, project());
  EXPECT_EQ(incident->monitor, monitor.key);
  EXPECT_EQ(incident->cause, Cause::kReportedDown);
  EXPECT_EQ(incident->opened_at, kStart + kSecond);
  EXPECT_EQ(incident->detected_at, outage.incident.detected_at);
  EXPECT_EQ(incident->message, "disk full");
  EXPECT_FALSE(incident->closed_at.has_value());
}

TEST_P(Incidents, SavingAnIncidentWritesMessageAndEnd) {
  const MonitorIdentity monitor = AddUp("job");
  Outage outage = Open(monitor, 1, kStart + kSecond);
  outage.incident.message = "still full";
  Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  EXPECT_EQ(Load(monitor.key).state.incident->message, "still full");
  Close(outage, monitor);
  EXPECT_FALSE(Load(monitor.key).state.incident.has_value());
  const std::optional<IncidentView> view =
      store().ReadIncident("default", outage.incident.key).value();
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->project_id, "default");
  EXPECT_EQ(view->monitor_id, "job");
  EXPECT_EQ(view->incident.closed_at, kStart + absl::Hours(1));
  EXPECT_EQ(view->incident.resolution, Resolution::kRecovered);
  EXPECT_EQ(view->incident.message, "still full");
  EXPECT_FALSE(store().ReadIncident("other", outage.incident.key).value().has_value());
  EXPECT_FALSE(store().ReadIncident("default", outage.incident.key + 99).value().has_value());
}

TEST_P(Incidents, ListsNewestFirstAllOrThoseOfAMonitorOrOpenOnes) {
  const MonitorIdentity first = AddUp("first"), second = AddUp("second");
  Outage a = Open(first, 1, kStart + kSecond);
  Close(a, first);
  const Outage b = Open(second, 1, kStart + 2 * kSecond);
  const Outage c = Open(first, 3, kStart + 3 * kSecond);
  const IncidentKey ka = a.incident.key, kb = b.incident.key, kc = c.incident.key;
  EXPECT_THAT(List({}), ElementsAre(kc, kb, ka));
  EXPECT_THAT(List({.monitor = first.key}), ElementsAre(kc, ka));
  EXPECT_THAT(List({.open_only = true}), ElementsAre(kc, kb));
  EXPECT_THAT(List({.monitor = first.key, .open_only = true}), ElementsAre(kc));
  EXPECT_THAT(List({.limit = 2}), ElementsAre(kc, kb));
  EXPECT_THAT(List({.before = kb, .limit = 2}), ElementsAre(ka));
}

TEST_P(Incidents, TheFeedGivesPositionsToCommittedEventsInOrder) {
  const MonitorIdentity monitor = AddUp("job");
  const FeedEnd start = store().ReadFeedEnd().value();
  EXPECT_FALSE(start.epoch.empty());
  EXPECT_EQ(start.position, 0);
  Outage outage = Open(monitor, 1, kStart + kSecond);
  EXPECT_THAT(store().ReadFeed(0, 0, INT64_MAX, 10).value(), IsEmpty());  // not sequenced yet
  EXPECT_EQ(store().SequenceFeed(10).value(), 1);
  EXPECT_EQ(store().SequenceFeed(10).value(), 0);
  Do([&](Transaction& transaction) -> absl::Status {
    for (int i = 2; i <= 6; ++i) {
      const Monitor loaded =
          transaction.LockMonitors({monitor.key}, LockMode::kWait).value().front();
      EXPECT_TRUE(transaction
                      .AddEvent(MakeEvent(loaded, outage.incident, EventType::kReminder, i,
                                          kStart + i * kSecond))
                      .ok());
    }
    return absl::OkStatus();
  });
  EXPECT_EQ(store().SequenceFeed(2).value(), 2);  // bounded
  EXPECT_EQ(store().SequenceFeed(10).value(), 3);
  const std::vector<FeedEntry> all = store().ReadFeed(project(), 0, INT64_MAX, 10).value();
  ASSERT_THAT(all, SizeIs(6));
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].event.sequence, static_cast<int64_t>(i + 1));
    EXPECT_GT(all[i].position, i == 0 ? 0 : all[i - 1].position);
  }
  const std::vector<FeedEntry> rest = store().ReadFeed(0, all[1].position, INT64_MAX, 2).value();
  ASSERT_THAT(rest, SizeIs(2));
  EXPECT_EQ(rest[0].event.sequence, 3);
  EXPECT_THAT(store().ReadFeed(project() + 1, 0, INT64_MAX, 10).value(), IsEmpty());
  EXPECT_THAT(store().ReadFeed(0, 0, all[0].position, 10).value(), SizeIs(1));
  const FeedEnd end = store().ReadFeedEnd().value();
  EXPECT_EQ(end.epoch, start.epoch);
  EXPECT_EQ(end.position, all.back().position);
}

TEST_P(Incidents, AnEventIsASnapshot) {
  const MonitorIdentity monitor = AddUp("job");
  Outage outage = Open(monitor, 1, kStart + kSecond);
  Close(outage, monitor);
  Do([&](Transaction& transaction) -> absl::Status {
    MonitorDefinition definition =
        transaction.LockMonitors({monitor.key}, LockMode::kWait).value().front().definition;
    definition.display_name = "renamed";
    return transaction.SaveDefinition(definition).status();
  });
  EXPECT_EQ(store().SequenceFeed(10).value(), 1);
  const AlertEvent event = store().ReadFeed(0, 0, INT64_MAX, 10).value().at(0).event;
  EXPECT_EQ(event.key, outage.firing);
  EXPECT_EQ(event.type, EventType::kFiring);
  EXPECT_EQ(event.project, project());
  EXPECT_EQ(event.monitor, monitor.key);
  EXPECT_EQ(event.occurred_at, kStart + kSecond);
  EXPECT_EQ(event.detected_at, kStart + kSecond + absl::Milliseconds(20));
  EXPECT_EQ(event.expected_at, kStart + kSecond - absl::Seconds(5));
  EXPECT_EQ(event.state, State::kDown);
  EXPECT_EQ(event.incident.key, outage.incident.key);
  EXPECT_EQ(event.incident.cause, Cause::kReportedDown);
  EXPECT_EQ(event.incident.message, "disk full");
  EXPECT_FALSE(event.incident.closed_at.has_value());
  const MonitorDefinition expected = UpMonitor("job").definition;
  EXPECT_EQ(event.definition.id, "job");
  EXPECT_EQ(event.definition.project_id, "default");
  EXPECT_EQ(event.definition.display_name, expected.display_name);
  EXPECT_EQ(event.definition.severity, expected.severity);
  EXPECT_EQ(event.definition.labels, expected.labels);
  EXPECT_EQ(event.definition.schedule, expected.schedule);
  EXPECT_EQ(event.definition.channels, expected.channels);
  ASSERT_TRUE(event.last_heartbeat.has_value());
  EXPECT_EQ(event.last_heartbeat->message, "last words: \"ü\"");
  EXPECT_EQ(event.last_heartbeat->value, 1.5);
  EXPECT_EQ(event.last_heartbeat->exit_status, 3);
  EXPECT_EQ(event.last_heartbeat->push_id, 0xfedcba9876543210);
  EXPECT_EQ(event.last_heartbeat->at, kStart);
}

TEST_P(Incidents, FindsTheDeliveriesOfAFiringAndWithdrawsThoseNeverLeased) {
  const MonitorIdentity monitor = AddUp("job"), other = AddUp("other");
  const ChannelKey fast = AddChannel("fast"), slow = AddChannel("slow");
  const Outage earlier = Open(other, 1, kStart);
  const Outage outage = Open(monitor, 1, kStart);
  Delivery sent = MakeDelivery("msg_sent", fast, monitor.key, 1, kStart);
  Delivery waiting = MakeDelivery("msg_waiting", slow, monitor.key, 1, kStart + kSecond);
  Delivery unrelated = MakeDelivery("msg_unrelated", slow, other.key, 1, kStart + kSecond);
  sent.events = waiting.events = {outage.firing};
  unrelated.events = {earlier.firing};
  Do([&](Transaction& transaction) {
    return transaction.AddDeliveries({sent, waiting, unrelated});
  });
  EXPECT_THAT(IdsOf(Lease(kStart)), ElementsAre("msg_sent"));
  std::vector<FiringDelivery> firings;
  Do([&](Transaction& transaction) -> absl::Status {
    firings = transaction.FindFirings(outage.incident.key).value();
    return absl::OkStatus();
  });
  ASSERT_THAT(firings, SizeIs(2));
  EXPECT_EQ(firings[0].event, outage.firing);
  EXPECT_EQ(firings[0].channel, fast);
  EXPECT_TRUE(firings[0].held);
  EXPECT_TRUE(firings[0].tried);
  EXPECT_EQ(firings[0].state, DeliveryState::kPending);
  EXPECT_EQ(firings[1].channel, slow);
  EXPECT_FALSE(firings[1].held);
  EXPECT_FALSE(firings[1].tried);
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_THAT(
        transaction.Withdraw({firings[0].delivery, firings[1].delivery}, kStart + 2 * kSecond)
            .value(),
        ElementsAre(firings[1].delivery));
    return absl::OkStatus();
  });
  EXPECT_EQ(Find("msg_sent").state, DeliveryState::kPending);
  EXPECT_EQ(Find("msg_waiting").state, DeliveryState::kSuperseded);
  EXPECT_EQ(Find("msg_waiting").finished_at, kStart + 2 * kSecond);
  EXPECT_EQ(Find("msg_unrelated").state, DeliveryState::kPending);
}

TEST_P(Incidents, AFiringThatWasTriedInVainCanBeWithdrawnAndOneThatWasAskedForCannot) {
  const MonitorIdentity monitor = AddUp("job");
  const ChannelKey channel = AddChannel("pager");
  const Outage outage = Open(monitor, 1, kStart);
  Delivery delivery = MakeDelivery("msg_1", channel, monitor.key, 1, kStart);
  delivery.events = {outage.firing};
  AddDelivery(delivery);
  const auto find = [&] {
    FiringDelivery firing;
    Do([&](Transaction& transaction) -> absl::Status {
      firing = transaction.FindFirings(outage.incident.key).value().front();
      return absl::OkStatus();
    });
    return firing;
  };
  const DeliveryKey key = find().delivery;
  const auto withdraw = [&](absl::Time now) {
    std::vector<DeliveryKey> withdrawn;
    Do([&](Transaction& transaction) -> absl::Status {
      withdrawn = transaction.Withdraw({key}, now).value();
      return absl::OkStatus();
    });
    return withdrawn;
  };
  const auto report = [&](DeliveryResult result) {
    DeliveryReport what;
    what.lease_id = "lease";
    what.delivery_id = "msg_1";
    what.result = result;
    EXPECT_TRUE(store().ApplyReports({what}, kStart).ok());
  };
  // Handed back by a notifier that did not try it.
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  report(DeliveryResult::kDeferred);
  EXPECT_FALSE(find().held);
  EXPECT_FALSE(find().tried);
  // Tried in vain.
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  report(DeliveryResult::kRetry);
  EXPECT_FALSE(find().held);
  EXPECT_TRUE(find().tried);
  // An expired lease is no proof that nobody is sending.
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  EXPECT_TRUE(find().held);
  EXPECT_THAT(withdraw(kStart + absl::Hours(1)), IsEmpty());
  report(DeliveryResult::kDead);
  Do([&](Transaction& transaction) -> absl::Status {
    Delivery dead = transaction.LockDelivery(project(), "msg_1").value().value();
    dead.state = DeliveryState::kPending;
    dead.redelivery = true;
    dead.attempts = 0;
    return transaction.SaveDelivery(dead);
  });
  EXPECT_TRUE(find().held);
  EXPECT_THAT(withdraw(kStart), IsEmpty());
  Do([&](Transaction& transaction) -> absl::Status {
    Delivery ordinary = transaction.LockDelivery(project(), "msg_1").value().value();
    ordinary.redelivery = false;
    ordinary.attempts = 3;
    return transaction.SaveDelivery(ordinary);
  });
  EXPECT_THAT(withdraw(kStart), ElementsAre(key));
}

TEST_P(Incidents, ATransactionReadsWhatItWrote) {
  const MonitorIdentity identity = AddUp("job");
  const ChannelKey channel = AddChannel("pager");
  Do([&](Transaction& transaction) -> absl::Status {
    Monitor monitor = transaction.LockMonitors({identity.key}, LockMode::kWait).value().front();
    Incident incident;
    incident.project = project();
    incident.monitor = identity.key;
    incident.opened_at = incident.detected_at = kStart;
    incident.message = "first";
    incident.key = transaction.AddIncident(incident).value();
    const EventKey firing =
        transaction.AddEvent(MakeEvent(monitor, incident, EventType::kFiring, 1, kStart)).value();
    Delivery delivery = MakeDelivery("msg_1", channel, identity.key, 1, kStart);
    delivery.events = {firing};
    EXPECT_TRUE(transaction.AddDeliveries({delivery}).ok());
    StateChange change;
    change.monitor = identity.key;
    change.state = monitor.state;
    change.state.state = State::kDown;
    change.state.incident = incident;
    change.last_push_id = 5;
    change.sweep_at = kStart + absl::Hours(1);
    EXPECT_TRUE(transaction.SaveStates({change}).ok());
    incident.message = "second";
    EXPECT_TRUE(transaction.SaveIncident(incident).ok());
    change.state.failures = 3;  // saved again, what it leaves alone stays as it was saved before
    change.last_push_id = 0;
    change.sweep_at.reset();
    EXPECT_TRUE(transaction.SaveStates({change}).ok());

    const std::vector<FiringDelivery> firings = transaction.FindFirings(incident.key).value();
    EXPECT_THAT(firings, SizeIs(1));
    EXPECT_EQ(firings[0].event, firing);
    EXPECT_FALSE(firings[0].held);
    monitor = transaction.LockMonitors({identity.key}, LockMode::kWait).value().front();
    EXPECT_EQ(monitor.state.state, State::kDown);
    EXPECT_EQ(monitor.state.failures, 3);
    EXPECT_EQ(monitor.state.incident->message, "second");
    EXPECT_THAT(transaction.LockDue({}, kStart, 10).value().monitors, IsEmpty());
    EXPECT_THAT(transaction.LockDue({}, kStart + absl::Hours(1), 10).value().monitors, SizeIs(1));
    return absl::OkStatus();
  });
  EXPECT_THAT(IdsOf(Lease(kStart)), ElementsAre("msg_1"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Incidents, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
