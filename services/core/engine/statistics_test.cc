// Statistics, from what a monitor lived through on a store.
#include "services/core/engine/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/maintenance_admin.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);
const ResourceName kJob = {.project = "default", .id = "job"};

class StatisticsTest : public ::testing::Test {
 protected:
  void Make(const Schedule& schedule) {
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = "job";
    definition.schedule = schedule;
    const auto created = monitors_.Create(Caller(), definition);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  void Make() {
    Make({.timeout = absl::Minutes(1),
          .recommended_interval = absl::Minutes(1),
          .grace = absl::ZeroDuration()});
  }
  Monitor Found() { return store_.FindMonitor("default", "job")->value(); }
  void Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status done = store_.Transact(TransactionClass::kAdmin, body);
    ASSERT_TRUE(done.ok()) << done;
  }
  // As a heartbeat would have made it.
  void Become(State state) {
    StateChange change;
    change.monitor = Found().definition.key;
    change.state = Found().state;
    change.state.state = state;
    change.state.changed_at = clock_.Now();
    Do([&](Transaction& transaction) { return transaction.SaveStates({change}); });
  }
  void AddIncident(absl::Time opened, absl::Time closed) {
    Incident incident;
    incident.project = Found().definition.project;
    incident.monitor = Found().definition.key;
    incident.opened_at = incident.detected_at = opened;
    Do([&](Transaction& transaction) -> absl::Status {
      incident.key = transaction.AddIncident(incident).value();
      incident.closed_at = closed;
      incident.resolution = Resolution::kRecovered;
      return transaction.SaveIncident(incident);
    });
  }
  void Beat(absl::Duration after, int times = 1) {
    for (int i = 0; i < times; ++i) {
      clock_.Advance(after);
      StoredHeartbeat stored;
      stored.monitor = Found().definition.key;
      stored.heartbeat.at = clock_.Now();
      stored.heartbeat.push_id = ++pushes_;
      stored.heartbeat.value = i;
      Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored}); });
    }
  }
  Statistics Read(const ScheduleTrial& trial = {}, absl::Duration kept = 400 * kDay) {
    absl::StatusOr<Statistics> read =
        StatisticsReader(store_, store_, clock_, kept).Read(kJob, trial);
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? *std::move(read) : Statistics();
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  MemoryStore store_{clock_};
  MonitorAdmin monitors_{store_, clock_};
  MaintenanceAdmin maintenances_{store_, clock_};
  uint64_t pushes_ = 0;
};

TEST_F(StatisticsTest, OnlyTheTimeInWhichItWasWatchedCounts) {
  Make();
  clock_.Advance(absl::Hours(1));  // never reported
  Become(State::kUp);
  const absl::Time watched = clock_.Now();
  AddIncident(watched + absl::Minutes(10), watched + absl::Minutes(16));
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(monitors_.Pause(Caller(), kJob).ok());
  clock_.Advance(absl::Hours(5));
  ASSERT_TRUE(monitors_.Resume(Caller(), kJob).ok());
  Become(State::kUp);
  Do([&](Transaction& transaction) {
    return transaction.AddGap(
        {.kind = GapKind::kCore, .start = clock_.Now(), .end = clock_.Now() + absl::Minutes(20)});
  });
  clock_.Advance(absl::Hours(1));
  const Uptime day = Read().uptimes.front();
  EXPECT_EQ(day.start, clock_.Now() - kDay);
  EXPECT_EQ(day.watched, absl::Minutes(100));
  EXPECT_EQ(day.down, absl::Minutes(6));
  EXPECT_EQ(day.incidents, 1);
  EXPECT_EQ(day.mean_time_to_recovery, absl::Minutes(6));
  EXPECT_DOUBLE_EQ(day.ratio.value_or(0), 0.94);
}

TEST_F(StatisticsTest, AnIncidentInAMaintenanceIsNone) {
  Make();
  Become(State::kUp);
  Maintenance work;
  work.project_id = "default";
  work.id = "work";
  work.reason = "new disks";
  work.all_monitors = true;
  work.start = clock_.Now();
  work.end = clock_.Now() + absl::Hours(1);
  ASSERT_TRUE(maintenances_.Create(Caller(), work).ok());
  AddIncident(clock_.Now() + absl::Minutes(5), clock_.Now() + absl::Minutes(20));
  clock_.Advance(absl::Hours(3));
  const Uptime day = Read().uptimes.front();
  EXPECT_EQ(day.watched, absl::Hours(2));
  EXPECT_EQ(day.incidents, 0);
  EXPECT_EQ(day.ratio, 1);
}

TEST_F(StatisticsTest, NothingIsSaidOfWhatWasBeforeIncidentsAreKept) {
  Make();
  Become(State::kUp);
  clock_.Advance(100 * kDay);
  const Statistics statistics = Read({}, 10 * kDay);
  EXPECT_EQ(statistics.uptimes[1].start, clock_.Now() - 7 * kDay);
  EXPECT_EQ(statistics.uptimes[2].start, clock_.Now() - 10 * kDay);
  EXPECT_EQ(statistics.uptimes[3].start, clock_.Now() - 10 * kDay);
  EXPECT_EQ(Read().uptimes[3].watched, 90 * kDay);
}

TEST_F(StatisticsTest, GapsAndValuesAreThoseOfHeartbeatsAndATrialIsAboutAnotherSchedule) {
  Make();
  Become(State::kUp);
  Beat(absl::Seconds(50), 150);
  Beat(absl::Seconds(70), 10);
  const Statistics statistics = Read();
  EXPECT_EQ(statistics.gaps.count, 159);
  EXPECT_EQ(statistics.gaps.max, 70);
  EXPECT_EQ(statistics.values.max, 149);
  EXPECT_EQ(statistics.lateness.count, 0);
  EXPECT_EQ(statistics.advice.false_alarms, 10);
  EXPECT_EQ(statistics.advice.suggested, absl::Seconds(77));
  EXPECT_EQ(Read({.timeout = absl::Seconds(75), .grace = {}}).advice.false_alarms, 0);
  EXPECT_EQ(Read({.timeout = {}, .grace = absl::Seconds(15)}).advice.false_alarms, 0);
  EXPECT_EQ(Read({.timeout = absl::Seconds(40), .grace = {}}).advice.false_alarms, 159);
}

TEST_F(StatisticsTest, FalseAlarmsAreThoseOfAWeek) {
  Make({.timeout = absl::Hours(1),
        .recommended_interval = absl::Hours(1),
        .grace = absl::ZeroDuration()});
  Become(State::kUp);
  Beat(absl::Hours(2), 100);
  EXPECT_EQ(Read().alarms_since, clock_.Now() - 7 * kDay);
  EXPECT_EQ(Read().advice.false_alarms, 7 * 12 + 1);
}

TEST_F(StatisticsTest, WhatIsOlderThanHeartbeatsAreKeptIsToldByRollupsAndCountedOnce) {
  Make({.timeout = absl::Hours(1),
        .recommended_interval = absl::Minutes(1),
        .grace = absl::ZeroDuration()});
  Become(State::kUp);
  const absl::Time start = clock_.Now();
  int beats = 0;
  const auto live = [&](int days, absl::Duration gap) {
    for (int day = 0; day < days; ++day) {
      const int times = static_cast<int>(kDay / gap);
      Beat(gap, times);
      beats += times;
      ASSERT_TRUE(store_.Maintain(RetentionPolicy(), clock_.Now()).ok());
      EXPECT_EQ(Read().gaps.count, beats - 1);
      EXPECT_EQ(Read().values.count, beats);
    }
  };
  live(20, absl::Minutes(40));
  live(20, absl::Minutes(30));
  const Statistics statistics = Read();
  EXPECT_LE(statistics.signals_since, start + kDay);
  EXPECT_EQ(statistics.gaps.max, 2400);
  EXPECT_GE(statistics.advice.most, absl::Minutes(40));
  EXPECT_LE(statistics.advice.most, absl::Minutes(42));
  EXPECT_EQ(statistics.advice.suggested, absl::Minutes(44));
  EXPECT_EQ(statistics.advice.beats, statistics.gaps.count);
}

TEST_F(StatisticsTest, ATrialThatNoMonitorLikeThisCouldHaveIsRefused) {
  StatisticsReader reader(store_, store_, clock_, 400 * kDay);
  EXPECT_EQ(tocsin::Reason(reader.Read(kJob, {}).status()), "MONITOR_NOT_FOUND");
  Make();
  const auto refusal = [&](const ScheduleTrial& trial) {
    return std::string(reader.Read(kJob, trial).status().message());
  };
  EXPECT_THAT(refusal({.timeout = absl::Milliseconds(1), .grace = {}}), HasSubstr("timeout"));
  EXPECT_THAT(refusal({.timeout = {}, .grace = -absl::Seconds(1)}), HasSubstr("grace"));
}

}  // namespace
}  // namespace tocsin::core
