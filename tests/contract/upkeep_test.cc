// Contract of liveness, gaps, lists of monitors, retention, counts and news.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr absl::Duration kDay = absl::Hours(24);

class Upkeep : public StoreContract {
 protected:
  void MaintainAll(absl::Time now) {
    for (int i = 0; i < 1000; ++i) {
      if (!store().Maintain(RetentionPolicy(), now).value()) return;
    }
    ADD_FAILURE() << "upkeep does not end";
  }

  void AddHeartbeat(MonitorKey monitor, absl::Time at, uint64_t push_id,
                    HeartbeatKind kind = HeartbeatKind::kUp) {
    StoredHeartbeat stored;
    stored.monitor = monitor;
    stored.heartbeat.kind = kind;
    stored.heartbeat.at = at;
    stored.heartbeat.push_id = push_id;
    Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored}); });
  }

  // The outage is delivered, and in the feed.
  void Tell(const Outage& outage, const MonitorIdentity& monitor) {
    Delivery delivery = MakeDelivery("msg_1", AddChannel("pager"), monitor.key, 1, kStart);
    delivery.type = DeliveryType::kIncidentOpened;
    delivery.events = {outage.firing};
    AddDelivery(delivery);
    EXPECT_THAT(Lease(kStart), SizeIs(1));
    EXPECT_TRUE(
        store()
            .ApplyReports({{.lease_id = "lease", .delivery_id = "msg_1", .outcome = "ok"}}, kStart)
            .ok());
    EXPECT_EQ(store().SequenceFeed(10).value(), 1);
  }

  std::vector<uint64_t> Pushes(MonitorKey monitor) {
    HeartbeatQuery query;
    query.monitor = monitor;
    std::vector<uint64_t> ids;
    const std::vector<StoredHeartbeat> stored_heartbeats = store().ListHeartbeats(query).value();
    for (const StoredHeartbeat& stored : stored_heartbeats) {
      ids.push_back(stored.heartbeat.push_id);
    }
    return ids;
  }
};

TEST_P(Upkeep, MonitorsAreListedByIdWithTheirNewestHeartbeat) {
  const MonitorKey zulu = AddUp("zulu").key;
  const MonitorKey alpha = AddUp("alpha").key;
  Monitor gone = UpMonitor("gone");
  gone.definition.deleted_at = kStart;
  Add(gone);
  AddHeartbeat(zulu, kStart, 5);
  AddHeartbeat(zulu, kStart + kSecond, 6, HeartbeatKind::kLog);
  MonitorQuery query;
  query.project = project();
  std::vector<MonitorView> all = store().ListMonitors(query).value().monitors;
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].monitor.definition.key, alpha);
  EXPECT_FALSE(all[0].last_heartbeat.has_value());
  EXPECT_EQ(all[1].monitor.definition.key, zulu);
  ASSERT_TRUE(all[1].last_heartbeat.has_value());
  EXPECT_EQ(all[1].last_heartbeat->push_id, 5u);
  query.show_deleted = true;
  query.after = MonitorPlace{.id = "alpha"};
  query.limit = 1;
  all = store().ListMonitors(query).value().monitors;
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].monitor.definition.id, "gone");
  const std::optional<MonitorView> read = store().ReadMonitor("default", "zulu").value();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->last_heartbeat->push_id, 5u);
  EXPECT_FALSE(store().ReadMonitor("default", "nobody").value().has_value());
  EXPECT_FALSE(store().ReadMonitor("other", "zulu").value().has_value());
  EXPECT_EQ(store().FindMonitor("default", "zulu").value()->definition.key, zulu);
  EXPECT_FALSE(store().FindMonitor("other", "zulu").value().has_value());
  EXPECT_FALSE(store().FindProject("other").value().has_value());
}

TEST_P(Upkeep, TouchesAreOnePerInstanceUntilForgotten) {
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.SaveTouch({.instance = "b", .at = kStart}).ok());
    EXPECT_TRUE(transaction.SaveTouch({.instance = "a", .at = kStart}).ok());
    return transaction.SaveTouch({.instance = "b",
                                  .at = kStart + kSecond,
                                  .gateways = 2,
                                  .gateway_seen_at = kStart + absl::Microseconds(1)});
  });
  Do([&](Transaction& transaction) -> absl::Status {
    std::vector<Touch> touches = transaction.ReadTouches().value();
    EXPECT_THAT(touches, SizeIs(2));
    const Touch& a = touches[0].instance == "a" ? touches[0] : touches[1];
    const Touch& b = touches[0].instance == "a" ? touches[1] : touches[0];
    EXPECT_EQ(a.gateway_seen_at, absl::InfinitePast());
    EXPECT_EQ(b.at, kStart + kSecond);
    EXPECT_EQ(b.gateways, 2);
    EXPECT_EQ(b.gateway_seen_at, kStart + absl::Microseconds(1));
    EXPECT_TRUE(transaction.ForgetTouches(kStart + kSecond).ok());
    touches = transaction.ReadTouches().value();
    EXPECT_THAT(touches, SizeIs(1));
    EXPECT_EQ(touches[0].instance, "b");
    return absl::OkStatus();
  });
}

TEST_P(Upkeep, GapsAreReadInOrderOfEndAndToldOnce) {
  const Gap late = {GapKind::kGateway, kStart, kStart + 9 * kSecond};
  const Gap early = {GapKind::kCore, kStart + kSecond, kStart + 4 * kSecond};
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.AddGap(late).ok());
    return transaction.AddGap(early);
  });
  EXPECT_THAT(store().ReadGaps(kStart).value(), ElementsAre(early, late));
  EXPECT_THAT(store().ReadGaps(kStart + 4 * kSecond).value(), ElementsAre(early, late));
  EXPECT_THAT(store().ReadGaps(kStart + 5 * kSecond).value(), ElementsAre(late));
  Do([&](Transaction& transaction) -> absl::Status {
    std::vector<StoredGap> untold = transaction.LockUntoldGaps(kStart + 4 * kSecond).value();
    EXPECT_THAT(untold, SizeIs(1));
    EXPECT_EQ(untold[0].gap, early);
    return transaction.MarkGapsTold({untold[0].key});
  });
  Do([&](Transaction& transaction) -> absl::Status {
    std::vector<StoredGap> untold = transaction.LockUntoldGaps(kStart + kDay).value();
    EXPECT_THAT(untold, SizeIs(1));
    EXPECT_EQ(untold[0].gap, late);
    return absl::OkStatus();
  });
}

TEST_P(Upkeep, MonitorsAroundAGapAreThoseThatCouldHaveMissedSomething) {
  const MonitorKey up = AddUp("up").key;
  Monitor recent = UpMonitor("recent");
  recent.state.last_at = kStart + kDay;
  Add(recent);
  Monitor armed = UpMonitor("armed");
  armed.state = MonitorState{};
  armed.state.armed_at = kStart;
  const MonitorKey armed_key = Add(armed).key;
  Monitor idle = UpMonitor("idle");
  idle.state = MonitorState{};
  Add(idle);
  Monitor paused = UpMonitor("paused");
  paused.state.state = State::kPaused;
  Add(paused);
  Monitor deleted = UpMonitor("deleted");
  deleted.definition.deleted_at = kStart;
  Add(deleted);
  Monitor running = UpMonitor("running");
  running.state = MonitorState{};
  running.state.runs = {{.id = "", .started_at = kStart, .due_at = kStart + kDay}};
  const MonitorKey running_key = Add(running).key;
  const MonitorKey another = AddUp("another").key;
  const Gap gap = {GapKind::kCore, kStart + kSecond, kStart + 5 * kSecond};
  Do([&](Transaction& transaction) -> absl::Status {
    std::vector<MonitorKey> keys;
    const std::vector<Monitor> monitors = transaction.MonitorsAround(gap, 0, 2).value();
    for (const Monitor& monitor : monitors) {
      keys.push_back(monitor.definition.key);
      EXPECT_EQ(monitor.definition.project_id, "default");
    }
    EXPECT_THAT(keys, ElementsAre(up, armed_key));
    const std::vector<Monitor> rest = transaction.MonitorsAround(gap, keys.back(), 2).value();
    EXPECT_THAT(rest, SizeIs(2));
    EXPECT_EQ(rest[0].definition.key, running_key);
    EXPECT_EQ(rest[1].definition.key, another);
    return absl::OkStatus();
  });
}

TEST_P(Upkeep, RetentionDropsOldHeartbeatsButEachMonitorsNewest) {
  const MonitorKey busy = AddUp("busy").key, silent = AddUp("silent").key;
  MaintainAll(kStart);
  for (int day = 0; day < 4; ++day) AddHeartbeat(busy, kStart + day * kDay, 10 + day);
  AddHeartbeat(silent, kStart, 20, HeartbeatKind::kDown);
  AddHeartbeat(silent, kStart + kSecond, 21, HeartbeatKind::kLog);
  StateChange change;
  change.monitor = busy;
  change.state = Load(busy).state;
  change.state.last_at = kStart + 3 * kDay;
  Save(change);
  MaintainAll(kStart + 14 * kDay);
  EXPECT_THAT(Pushes(busy), SizeIs(4));
  MaintainAll(kStart + 16 * kDay);  // whole days go
  EXPECT_THAT(Pushes(busy), ElementsAre(13, 12));
  EXPECT_THAT(Pushes(silent), ElementsAre(20));
  MaintainAll(kStart + 60 * kDay);
  EXPECT_THAT(Pushes(busy), ElementsAre(13));
  EXPECT_THAT(Pushes(silent), ElementsAre(20));
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.NewestHeartbeat(silent, kStart + 60 * kDay).value()->push_id, 20u);
    return absl::OkStatus();
  });
  EXPECT_EQ(store().ReadMonitor("default", "busy").value()->last_heartbeat->push_id, 13u);
}

TEST_P(Upkeep, MonitorsDeletedForLongArePurgedAndTheirIdIsFree) {
  Monitor gone = UpMonitor("gone");
  gone.definition.deleted_at = kStart;
  const MonitorKey key = Add(gone).key;
  const MonitorKey kept = AddUp("kept").key;
  MaintainAll(kStart + 29 * kDay);
  EXPECT_EQ(Load(key).definition.id, "gone");
  MaintainAll(kStart + 31 * kDay);
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_THAT(transaction.LockMonitors({key, kept}, LockMode::kWait).value(), SizeIs(1));
    return absl::OkStatus();
  });
  EXPECT_NE(AddUp("gone").key, key);
}

TEST_P(Upkeep, FinishedDeliveriesAndClosedIncidentsGoAfterTheirTime) {
  const MonitorIdentity monitor = AddUp("job");
  Outage outage = Open(monitor, 1, kStart);
  outage.incident.closed_at = kStart + kSecond;
  outage.incident.resolution = Resolution::kRecovered;
  Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  Tell(outage, monitor);
  DeliveryQuery query;
  query.project = project();
  MaintainAll(kStart + 399 * kDay);
  EXPECT_THAT(store().ListDeliveries(query).value(), SizeIs(1));
  EXPECT_TRUE(store().ReadIncident("default", outage.incident.key).value().has_value());
  MaintainAll(kStart + 402 * kDay);
  EXPECT_THAT(store().ListDeliveries(query).value(), IsEmpty());
  EXPECT_FALSE(store().ReadIncident("default", outage.incident.key).value().has_value());
  EXPECT_THAT(store().ReadFeed(0, 0, INT64_MAX, 10).value(), IsEmpty());
}

TEST_P(Upkeep, WhoWasToldOfAnIncidentIsKnownUntilItsEndHoweverLateThatIs) {
  const MonitorIdentity monitor = AddUp("job");
  Outage outage = Open(monitor, 1, kStart);
  Tell(outage, monitor);
  const auto told = [&] {
    size_t count = 0;
    Do([&](Transaction& transaction) -> absl::Status {
      count = transaction.FindFirings(outage.incident.key).value().size();
      return absl::OkStatus();
    });
    return count;
  };
  MaintainAll(kStart + 900 * kDay);
  EXPECT_EQ(told(), 1);
  outage.incident.closed_at = kStart + 900 * kDay;
  outage.incident.resolution = Resolution::kRecovered;
  Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  MaintainAll(kStart + 900 * kDay + kSecond);
  EXPECT_EQ(told(), 0);
}

TEST_P(Upkeep, WhatWaitsForAChannelThatTakesNothingIsGivenUpAfterItsDays) {
  const ChannelKey disabled = AddChannel("disabled"), deleted = AddChannel("deleted"),
                   working = AddChannel("working");
  Do([&](Transaction& transaction) -> absl::Status {
    Channel channel = transaction.LockChannel(project(), "disabled").value().value();
    channel.disabled_at = kStart;
    EXPECT_TRUE(transaction.SaveChannel(channel).ok());
    return transaction.DeleteChannel(deleted, kStart);
  });
  // One for a deleted channel: of a transaction that had read the channels before.
  AddDelivery(MakeDelivery("msg_disabled", disabled, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_deleted", deleted, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_working", working, 7, 1, kStart));
  ASSERT_TRUE(store().Maintain(RetentionPolicy(), kStart + absl::Hours(72)).ok());
  EXPECT_EQ(Find("msg_disabled").state, DeliveryState::kPending);
  const absl::Time late = kStart + absl::Hours(73);
  ASSERT_TRUE(store().Maintain(RetentionPolicy(), late).ok());
  for (const char* id : {"msg_disabled", "msg_deleted"}) {
    EXPECT_EQ(Find(id).state, DeliveryState::kDead) << id;
    EXPECT_EQ(Find(id).finished_at, late) << id;
    EXPECT_EQ(Find(id).last_outcome, "expired") << id;
  }
  // It will be tried once more.
  EXPECT_EQ(Find("msg_working").state, DeliveryState::kPending);
}

TEST_P(Upkeep, TheCensusCountsWhatThereIs) {
  const MonitorIdentity down = AddUp("down");
  AddUp("up");
  Monitor fresh = UpMonitor("fresh");
  fresh.state = MonitorState{};
  Add(fresh);
  Monitor gone = UpMonitor("gone");
  gone.definition.deleted_at = kStart;
  Add(gone);
  Open(down, 1, kStart);
  const ChannelKey channel = AddChannel("pager");
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  AddDelivery(MakeDelivery("msg_2", channel, 8, 1, kStart + kSecond));
  AddDelivery(MakeDelivery("msg_3", channel, 9, 1, kStart + absl::Hours(1)));
  EXPECT_THAT(Lease(kStart), SizeIs(1));
  EXPECT_TRUE(store()
                  .ApplyReports({{.lease_id = "lease",
                                  .delivery_id = "msg_1",
                                  .result = DeliveryResult::kDead,
                                  .outcome = "bad_channel"}},
                                kStart)
                  .ok());
  const Census census = store().TakeCensus(kStart + 3 * kSecond).value();
  EXPECT_EQ(census.monitors.at(State::kUp), 1);
  EXPECT_EQ(census.monitors.at(State::kDown), 1);
  EXPECT_EQ(census.monitors.at(State::kNew), 1);
  EXPECT_EQ(census.monitors.count(State::kPaused) ? census.monitors.at(State::kPaused) : 0, 0);
  EXPECT_EQ(census.open_incidents, 1);
  EXPECT_EQ(census.deliveries.at(DeliveryState::kPending), 2);
  EXPECT_EQ(census.deliveries.at(DeliveryState::kDead), 1);
  EXPECT_EQ(census.overdue_deliveries, 1);
  EXPECT_EQ(census.oldest_due, 2 * kSecond);
  EXPECT_EQ(census.newest_dead, kStart);
  EXPECT_EQ(census.sweep_lag, absl::ZeroDuration());
  EXPECT_EQ(census.failing_channels, 1);
  EXPECT_EQ(census.disabled_channels, 0);
}

TEST_P(Upkeep, TheCensusKnowsWhatWaitsForAGatheringWindowAndWhatNoSweepLookedAt) {
  Add(UpMonitor("late"), kStart);
  Add(UpMonitor("later"), kStart + absl::Hours(1));
  Add(UpMonitor("never"), absl::InfiniteFuture());
  const ChannelKey key = AddChannel("chat");
  Do([&](Transaction& transaction) -> absl::Status {
    std::optional<Channel> channel = transaction.LockChannel(project(), "chat").value();
    channel->group_wait = absl::Minutes(5);
    return transaction.SaveChannel(*channel);
  });
  Delivery gathered = MakeDelivery("msg_1", key, 7, 1, kStart);
  gathered.may_gather = true;
  AddDelivery(gathered);
  const Census waiting = store().TakeCensus(kStart + absl::Minutes(4)).value();
  EXPECT_EQ(waiting.overdue_deliveries, 0);
  EXPECT_EQ(waiting.oldest_due, absl::ZeroDuration());
  EXPECT_EQ(waiting.sweep_lag, absl::Minutes(4));
  const Census late = store().TakeCensus(kStart + absl::Minutes(6)).value();
  EXPECT_EQ(late.overdue_deliveries, 1);
  EXPECT_EQ(late.oldest_due, absl::Minutes(1));
}

TEST_P(Upkeep, MonitorsThatMayNotBeSilentForSoLongAreAroundAGapAlsoWhenTheyWereHeardSince) {
  const auto heard_since = [&](const std::string& id, absl::Time created_at) {
    Monitor monitor = UpMonitor(id);
    monitor.definition.created_at = created_at;
    monitor.state.last_at = kStart + kDay;
    return Add(monitor).key;
  };
  const MonitorKey hasty = heard_since("hasty", kStart - kDay);
  heard_since("new", kStart + kSecond);
  Monitor patient = UpMonitor("patient");
  patient.definition.created_at = kStart - kDay;
  patient.definition.schedule.timeout = kDay;
  patient.state.last_at = kStart + kDay;
  Add(patient);
  const Gap gap = {GapKind::kCore, kStart, kStart + absl::Hours(1)};
  Do([&](Transaction& transaction) -> absl::Status {
    const std::vector<Monitor> around = transaction.MonitorsAround(gap, 0, 10).value();
    EXPECT_THAT(around, SizeIs(1));
    EXPECT_EQ(around[0].definition.key, hasty);
    return absl::OkStatus();
  });
}

TEST_P(Upkeep, NewsArrivesOfWhatWasCommittedAndOnlyOfThat) {
  const MonitorIdentity monitor = Add(UpMonitor("job"), kStart + absl::Hours(1));
  const ChannelKey channel = AddChannel("pager");
  while (true) {  // what was announced so far, and that it listens now
    const News news = store().WaitForNews(absl::Milliseconds(50));
    if (!news.deliveries && !news.sweep && !news.events) break;
  }
  AddDelivery(MakeDelivery("msg_1", channel, 7, 1, kStart));
  News news = store().WaitForNews(absl::Seconds(10));
  EXPECT_TRUE(news.deliveries);
  EXPECT_FALSE(news.sweep);
  EXPECT_FALSE(news.events);

  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  change.sweep_at = kStart + absl::Minutes(1);
  Save(change);
  EXPECT_TRUE(store().WaitForNews(absl::Seconds(10)).sweep);
  change.sweep_at = kStart + absl::Minutes(2);  // later: nobody need look sooner
  Save(change);
  EXPECT_THAT(store().RecordSteadyUps(0, {UpOf(monitor, kStart + kSecond, 1)}, {}).value(),
              SizeIs(1));
  news = store().WaitForNews(absl::Milliseconds(100));
  EXPECT_FALSE(news.sweep || news.deliveries || news.events);

  Open(monitor, 1, kStart);
  EXPECT_TRUE(store().WaitForNews(absl::Seconds(10)).events);
  store().StopWaiting();
  news = store().WaitForNews(absl::Hours(1));
  EXPECT_FALSE(news.sweep || news.deliveries || news.events);
}

TEST_P(Upkeep, TheDatabaseHasAClock) {
  EXPECT_GT(store().ReadDatabaseClock().value(), absl::UnixEpoch());
}

INSTANTIATE_TEST_SUITE_P(Stores, Upkeep, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
