// Contract of what schedules, runs, bounds and reminders add to monitors, states and incidents.
#include <limits>

#include "services/core/domain/time_zone.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Schedule CronSchedule(const std::string& expression, absl::Duration grace,
                      const std::string& zone) {
  Schedule schedule;
  schedule.grace = grace;
  schedule.cron =
      CronRule{.expression = *CronExpression::Parse(expression), .zone = *FindTimeZone(zone)};
  return schedule;
}

class Schedules : public StoreContract {
 protected:
  Monitor CronMonitor() {
    Monitor monitor = UpMonitor("nightly");
    monitor.definition.schedule =
        CronSchedule("30 2 * * MON-FRI", absl::Minutes(90), "Europe/Paris");
    return monitor;
  }
  MonitorDefinition Update(MonitorKey key, absl::FunctionRef<void(MonitorDefinition&)> edit) {
    Do([&](Transaction& transaction) -> absl::Status {
      MonitorDefinition definition =
          transaction.LockMonitors({key}, LockMode::kWait).value().front().definition;
      edit(definition);
      return transaction.SaveDefinition(definition).status();
    });
    return Load(key).definition;
  }
  bool TokenHasBounds(const MonitorIdentity& monitor) {
    bool bounds = false;
    Do([&](Transaction& transaction) -> absl::Status {
      const TokenHash token = TokenOf(static_cast<uint8_t>(100 + ++tokens_));
      EXPECT_TRUE(transaction.AddToken(monitor.key, token, kStart).ok());
      bounds = transaction.ResolveTokens({token}, kStart).value().at(0)->has_value_bounds;
      return absl::OkStatus();
    });
    return bounds;
  }

 private:
  int tokens_ = 0;
};

TEST_P(Schedules, ACronScheduleComesBackAsItWasAdded) {
  const Monitor monitor = CronMonitor();
  const Schedule read = Load(Add(monitor).key).definition.schedule;
  EXPECT_EQ(read, monitor.definition.schedule);
  ASSERT_TRUE(read.cron.has_value());
  EXPECT_EQ(read.cron->expression.text(), "30 2 * * MON-FRI");
  EXPECT_EQ(read.cron->zone.name(), "Europe/Paris");
  EXPECT_FALSE(read.cron->early_tolerance.has_value());
  EXPECT_EQ(read.timeout, absl::ZeroDuration());
  EXPECT_EQ(read.recommended_interval, absl::ZeroDuration());
  EXPECT_EQ(store().FindMonitor("default", "nightly").value()->definition.schedule, read);
  EXPECT_EQ(store().ReadMonitor("default", "nightly").value()->monitor.definition.schedule, read);
}

TEST_P(Schedules, AnEarlyToleranceOfZeroIsNotNone) {
  Monitor monitor = CronMonitor();
  monitor.definition.schedule.cron->early_tolerance = absl::ZeroDuration();
  const Schedule read = Load(Add(monitor).key).definition.schedule;
  EXPECT_EQ(read.cron->early_tolerance, absl::ZeroDuration());
}

TEST_P(Schedules, AreUpdatedFromOneKindToTheOther) {
  const MonitorIdentity monitor = AddUp("job");
  const Schedule heartbeat = Load(monitor.key).definition.schedule;
  Schedule cron = CronSchedule("@daily", absl::Minutes(5), "Asia/Tokyo");
  cron.cron->early_tolerance = absl::Seconds(90);
  EXPECT_EQ(Update(monitor.key, [&](MonitorDefinition& d) { d.schedule = cron; }).schedule, cron);
  EXPECT_EQ(Update(monitor.key, [&](MonitorDefinition& d) { d.schedule = heartbeat; }).schedule,
            heartbeat);
}

TEST_P(Schedules, BoundsLimitsAndRemindersComeBackAndAreUpdated) {
  Monitor monitor = UpMonitor("job");
  monitor.definition.value_min = -0.1;
  monitor.definition.max_run_duration = absl::Hours(3) + absl::Microseconds(1);
  monitor.definition.reminder_interval = absl::Minutes(30);
  const MonitorIdentity identity = Add(monitor);
  MonitorDefinition read = Load(identity.key).definition;
  EXPECT_EQ(read.value_min, -0.1);
  EXPECT_FALSE(read.value_max.has_value());
  EXPECT_EQ(read.max_run_duration, absl::Hours(3) + absl::Microseconds(1));
  EXPECT_EQ(read.reminder_interval, absl::Minutes(30));
  read = Update(identity.key, [](MonitorDefinition& definition) {
    definition.value_min.reset();
    definition.value_max = std::numeric_limits<double>::max();
    definition.max_run_duration = absl::ZeroDuration();
    definition.reminder_interval = absl::Hours(24);
  });
  EXPECT_FALSE(read.value_min.has_value());
  EXPECT_EQ(read.value_max, std::numeric_limits<double>::max());
  EXPECT_EQ(read.max_run_duration, absl::ZeroDuration());
  EXPECT_EQ(read.reminder_interval, absl::Hours(24));
}

TEST_P(Schedules, RunsCreditAndExcuseAreSavedWithTheStateAndGoWithIt) {
  const MonitorIdentity monitor = AddUp("job");
  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  change.state.runs = {
      {.id = "", .started_at = kStart},
      {.id = "l'œuf \"x\"\\", .started_at = kStart, .due_at = kStart + absl::Hours(1)},
      {.id = "b",
       .started_at = kStart + absl::Microseconds(1),
       .due_at = kStart + absl::Hours(2),
       .overran = true}};
  change.state.credit_at = kStart + absl::Seconds(1);
  change.state.excused_at = kStart + absl::Seconds(2);
  Save(change);
  MonitorState read = Load(monitor.key).state;
  EXPECT_EQ(read.runs, change.state.runs);
  EXPECT_EQ(read.credit_at, kStart + absl::Seconds(1));
  EXPECT_EQ(read.excused_at, kStart + absl::Seconds(2));
  // One that overran and nothing else is another state.
  change.state.runs[1].overran = true;
  Save(change);
  EXPECT_EQ(Load(monitor.key).state.runs, change.state.runs);
  change.state.runs.clear();
  change.state.credit_at = change.state.excused_at = absl::InfinitePast();
  Save(change);
  read = Load(monitor.key).state;
  EXPECT_THAT(read.runs, IsEmpty());
  EXPECT_EQ(read.credit_at, absl::InfinitePast());
  EXPECT_EQ(read.excused_at, absl::InfinitePast());
}

TEST_P(Schedules, WhatFlappingIsJudgedByIsSavedWithTheState) {
  const MonitorIdentity monitor = AddUp("job");
  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  change.state.transitions = {kStart, kStart + absl::Microseconds(1)};
  change.state.flapping_since = kStart + absl::Microseconds(1);
  change.state.untold_end = 7;
  Save(change);
  MonitorState read = Load(monitor.key).state;
  EXPECT_EQ(read.transitions, change.state.transitions);
  EXPECT_EQ(read.flapping_since, change.state.flapping_since);
  EXPECT_EQ(read.untold_end, 7);
  change.state.transitions.clear();
  change.state.flapping_since.reset();
  change.state.untold_end.reset();
  Save(change);
  read = Load(monitor.key).state;
  EXPECT_THAT(read.transitions, IsEmpty());
  EXPECT_FALSE(read.flapping_since.has_value());
  EXPECT_FALSE(read.untold_end.has_value());
}

TEST_P(Schedules, TheMostRunsOfTheLongestIdsFit) {
  const MonitorIdentity monitor = AddUp("job");
  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  for (size_t i = 0; i < kMaxRuns; ++i) {
    std::string id(64, '"');
    id.replace(0, 3, std::to_string(100 + i));
    change.state.runs.push_back(
        {.id = id, .started_at = kStart, .due_at = kStart + absl::Hours(1)});
  }
  Save(change);
  EXPECT_EQ(Load(monitor.key).state.runs, change.state.runs);
}

TEST_P(Schedules, AReminderIsSavedWithItsIncident) {
  const MonitorIdentity monitor = AddUp("job");
  Outage outage = Open(monitor, 1, kStart);
  EXPECT_FALSE(Load(monitor.key).state.incident->reminded_at.has_value());
  outage.incident.reminded_at = kStart + absl::Hours(1);
  Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  EXPECT_EQ(Load(monitor.key).state.incident->reminded_at, kStart + absl::Hours(1));
  EXPECT_EQ(store().ReadIncident("default", outage.incident.key).value()->incident.reminded_at,
            kStart + absl::Hours(1));
}

TEST_P(Schedules, AnEventTellsTheDefinitionAsItWas) {
  Monitor monitor = CronMonitor();
  monitor.definition.schedule.cron->early_tolerance = absl::Seconds(7);
  monitor.definition.value_max = 4.5;
  monitor.definition.max_run_duration = absl::Hours(1);
  monitor.definition.reminder_interval = absl::Hours(2);
  const MonitorIdentity identity = Add(monitor);
  const ChannelKey channel = AddChannel("pager");
  Incident incident = Open(identity, 1, kStart).incident;
  incident.reminded_at = kStart + absl::Hours(2);
  AlertEvent event =
      MakeEvent(Load(identity.key), incident, EventType::kReminder, 2, kStart + absl::Hours(2));
  event.last_heartbeat = Heartbeat{.kind = HeartbeatKind::kDown, .at = kStart};
  event.last_heartbeat->output = "the end";
  event.last_heartbeat->run_duration = absl::Seconds(9);
  Delivery delivery = MakeDelivery("msg_1", channel, identity.key, 2, kStart);
  Do([&](Transaction& transaction) {
    delivery.events = {transaction.AddEvent(event).value()};
    return transaction.AddDeliveries({delivery});
  });
  const std::vector<LeasedDelivery> leased = Lease(kStart);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_THAT(leased[0].events, SizeIs(1));
  const AlertEvent& told = leased[0].events[0];
  EXPECT_EQ(told.type, EventType::kReminder);
  EXPECT_EQ(told.definition.schedule, monitor.definition.schedule);
  EXPECT_EQ(told.definition.value_max, 4.5);
  EXPECT_FALSE(told.definition.value_min.has_value());
  EXPECT_EQ(told.definition.max_run_duration, absl::Hours(1));
  EXPECT_EQ(told.definition.reminder_interval, absl::Hours(2));
  EXPECT_EQ(told.last_heartbeat->output, "the end");
  EXPECT_EQ(told.last_heartbeat->run_duration, absl::Seconds(9));
}

TEST_P(Schedules, ATokenTellsWhetherItsMonitorHasBounds) {
  Monitor none = UpMonitor("none"), low = UpMonitor("low"), high = UpMonitor("high");
  low.definition.value_min = 0;
  high.definition.value_max = 0;
  EXPECT_FALSE(TokenHasBounds(Add(none)));
  EXPECT_TRUE(TokenHasBounds(Add(low)));
  EXPECT_TRUE(TokenHasBounds(Add(high)));
}

TEST_P(Schedules, TheFastPathTakesCronMonitorsAndEndsTheirCredit) {
  Monitor monitor = CronMonitor();
  monitor.state.credit_at = kStart - absl::Seconds(5);
  monitor.state.excused_at = kStart - absl::Hours(1);
  const MonitorIdentity identity = Add(monitor);
  const std::vector<SteadyUp> ups = {UpOf(identity, kStart + absl::Seconds(1), 7)};
  EXPECT_THAT(store().RecordSteadyUps(0, ups, {}).value(), ElementsAre(identity.key));
  const MonitorState state = Load(identity.key).state;
  EXPECT_EQ(state.last_at, kStart + absl::Seconds(1));
  EXPECT_EQ(state.credit_at, absl::InfinitePast());
  EXPECT_EQ(state.excused_at, monitor.state.excused_at);
}

INSTANTIATE_TEST_SUITE_P(Stores, Schedules, ::testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
