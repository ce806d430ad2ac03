// Contract of rollups: what upkeep keeps of heartbeats, and what is read of it.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/store/history.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Rollups : public StoreContract {
 protected:
  Rollups() {
    // Steps of one monitor, and of few heartbeats.
    policy_.rollups.monitors = 1;
    policy_.rollups.signals = 7;
    policy_.rollups.steps = 3;
  }

  void Maintain(absl::Time now) {
    for (int i = 0; i < 5000; ++i) {
      const absl::StatusOr<bool> more = store().Maintain(policy_, now);
      ASSERT_TRUE(more.ok()) << more.status();
      if (!*more) return;
    }
    ADD_FAILURE() << "upkeep does not end";
  }

  void Beat(MonitorKey monitor, absl::Time at, HeartbeatKind kind = HeartbeatKind::kUp,
            std::optional<double> value = std::nullopt) {
    StoredHeartbeat stored;
    stored.monitor = monitor;
    stored.heartbeat.at = at;
    stored.heartbeat.kind = kind;
    stored.heartbeat.push_id = ++pushes_;
    stored.heartbeat.value = value;
    Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored}); });
  }

  RolledPast Read(MonitorKey monitor, absl::Time first = absl::InfiniteFuture()) {
    absl::StatusOr<RolledPast> read = dynamic_cast<HistoryStore&>(store()).ReadRollups(
        {.monitor = monitor, .first = first, .since = kStart - 40 * kDayLength});
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? *std::move(read) : RolledPast();
  }
  Rollup Sum(MonitorKey monitor) {
    Rollup sum;
    for (const Rollup& rollup : Read(monitor).rollups) sum.Add(rollup);
    return sum;
  }
  // Of numbers, in their order.
  static Histogram Of(const std::vector<double>& numbers) {
    Histogram histogram;
    for (const double number : numbers) histogram.Add(number);
    return histogram;
  }
  void AddIncident(MonitorKey monitor, Cause cause, absl::Time opened, absl::Time closed) {
    Incident incident;
    incident.project = project();
    incident.monitor = monitor;
    incident.cause = cause;
    incident.opened_at = incident.detected_at = opened;
    Do([&](Transaction& transaction) -> absl::Status {
      incident.key = transaction.AddIncident(incident).value();
      incident.closed_at = closed;
      incident.resolution = Resolution::kRecovered;
      return transaction.SaveIncident(incident);
    });
  }
  void Move(MonitorKey monitor, State state, absl::Time at) {
    StateChange change;
    change.monitor = monitor;
    change.state = Load(monitor).state;
    change.state.state = state;
    change.state.changed_at = at;
    Save(change);
  }
  MonitorKey Job(const std::string& id) {
    Monitor monitor = UpMonitor(id);
    monitor.definition.created_at = kStart - 30 * kDayLength;
    return Add(monitor).key;
  }

  RetentionPolicy policy_;
  uint64_t pushes_ = 0;
};

TEST_P(Rollups, AnHourIsRolledUpWhenItIsOverAndWhatCameLateIsCommitted) {
  const MonitorKey job = Job("job");
  const absl::Time hour = HourOf(kStart) + kHourLength;
  Maintain(hour);  // makes partitions
  Beat(job, hour - absl::Seconds(20), HeartbeatKind::kUp, 1);
  Beat(job, hour, HeartbeatKind::kUp, 2);  // of this hour
  Beat(job, hour + absl::Seconds(50), HeartbeatKind::kDown, 3);
  Beat(job, hour + absl::Seconds(60), HeartbeatKind::kLog, 9);  // no signal
  Beat(job, hour + kHourLength, HeartbeatKind::kUp, 4);         // of the next
  const absl::Time settled = hour + kHourLength + kRollupSettle;
  Maintain(settled - absl::Microseconds(1));
  EXPECT_EQ(Read(job).end, hour);
  Beat(job, hour + kHourLength - absl::Microseconds(1), HeartbeatKind::kUp, 5);  // late
  Maintain(settled);
  const RolledPast past = Read(job);
  EXPECT_EQ(past.end, hour + kHourLength);
  ASSERT_THAT(past.rollups, SizeIs(2));
  EXPECT_EQ(past.rollups[0].start, hour - kHourLength);
  EXPECT_EQ(past.rollups[0].values, Of({1}));
  EXPECT_EQ(past.rollups[0].gaps.count, 0);
  EXPECT_EQ(past.rollups[1].start, hour);
  EXPECT_EQ(past.rollups[1].values, Of({2, 3, 5}));
  EXPECT_EQ(past.rollups[1].gaps, Of({20, 50, 3549.999999}));
}

TEST_P(Rollups, TheCensusTellsForHowLongTheyAreBehind) {
  const MonitorKey job = Add(UpMonitor("job")).key;
  const absl::Time now = HourOf(kStart) + absl::Minutes(30);
  const auto lag = [&](absl::Time at) { return store().TakeCensus(at).value().rollup_lag; };
  Beat(job, now - absl::Hours(3));
  Maintain(now);
  EXPECT_EQ(lag(now), absl::ZeroDuration());
  EXPECT_EQ(lag(now + absl::Hours(7)), absl::Hours(7));
  Maintain(now + absl::Hours(7));
  EXPECT_EQ(lag(now + absl::Hours(7)), absl::ZeroDuration());
}

TEST_P(Rollups, DoneAgainTheyAreTheSame) {
  const MonitorKey job = Job("job");
  Maintain(kStart);
  for (int i = 0; i < 40; ++i) Beat(job, kStart + i * absl::Minutes(5), HeartbeatKind::kUp, i);
  Maintain(kStart + kDayLength);
  const RolledPast once = Read(job);
  Maintain(kStart + kDayLength);
  Maintain(kStart + kDayLength + absl::Minutes(1));
  EXPECT_EQ(Read(job).rollups, once.rollups);
  EXPECT_EQ(Sum(job).values.count, 40);
}

TEST_P(Rollups, DaysAreMadeOfHoursAndOutliveThemAndTheHeartbeats) {
  const MonitorKey job = Job("job");
  const absl::Time day = DayOf(kStart) + kDayLength;
  Maintain(day);
  for (int i = 0; i <= 48; ++i) Beat(job, day + i * absl::Hours(1), HeartbeatKind::kUp, i);
  Maintain(day + 2 * kDayLength + absl::Hours(2));
  const std::vector<Rollup> rollups = Read(job).rollups;
  ASSERT_THAT(rollups, SizeIs(3));
  EXPECT_EQ(rollups[0].start, day);
  EXPECT_EQ(rollups[0].values.count, 24);
  EXPECT_EQ(rollups[0].gaps.count, 23);
  EXPECT_EQ(rollups[1].start, day + kDayLength);
  EXPECT_EQ(rollups[1].gaps.count, 24);
  EXPECT_EQ(rollups[2].start, day + 2 * kDayLength);  // an hour
  // Where heartbeats of a day are still read, it is told as a whole, and nothing after it.
  EXPECT_THAT(Read(job, day + absl::Hours(23)).rollups, ElementsAre(rollups[0]));

  Maintain(day + 39 * kDayLength);  // past the retention of heartbeats and of hours
  EXPECT_THAT(dynamic_cast<HistoryStore&>(store())
                  .ReadHistory({.monitor = job,
                                .since = day,
                                .signals_since = day,
                                .incidents = 0,
                                .states = 0,
                                .signals = 100})
                  .value()
                  .signals,
              SizeIs(testing::Le(1u)));  // but the newest
  const RolledPast late = Read(job);
  ASSERT_THAT(late.rollups, SizeIs(3));
  EXPECT_EQ(late.rollups[0], rollups[0]);
  EXPECT_EQ(late.rollups[1], rollups[1]);
  EXPECT_EQ(late.rollups[2].start, day + 2 * kDayLength);
  EXPECT_EQ(late.rollups[2].gaps.count, 1);
  Maintain(day + policy_.rollups.days + 10 * kDayLength);
  EXPECT_THAT(Read(job).rollups, IsEmpty());
}

TEST_P(Rollups, AGapLongerThanHeartbeatsAreKeptIsStillKnown) {
  const MonitorKey job = Job("monthly");
  Maintain(kStart);
  Beat(job, kStart);
  for (int day = 1; day <= 30; ++day) Maintain(kStart + day * kDayLength);
  StateChange change;
  change.monitor = job;
  change.state = Load(job).state;
  change.state.last_at = kStart + 30 * kDayLength;
  Save(change);
  Beat(job, kStart + 30 * kDayLength);
  Maintain(kStart + 30 * kDayLength + absl::Minutes(1));
  Maintain(kStart + 30 * kDayLength + absl::Hours(3));
  EXPECT_EQ(Sum(job).gaps, Of({30.0 * 86400}));
}

TEST_P(Rollups, WhatWasNotWatchedIsLeftOutAndSilencesAreApart) {
  const MonitorKey job = Job("job");
  Maintain(kStart);
  const auto minute = [](double n) { return kStart + n * absl::Minutes(1); };
  for (const int n : {1, 2, 10, 12, 13, 20, 21}) Beat(job, minute(n));
  AddIncident(job, Cause::kMissedDeadline, minute(3), minute(10));
  AddIncident(job, Cause::kReportedDown, minute(10), minute(12));
  Do([&](Transaction& transaction) {
    return transaction.AddGap({GapKind::kCore, minute(14), minute(15)});
  });
  Move(job, State::kPaused, minute(20.2));
  Move(job, State::kUp, minute(20.8));
  Maintain(kStart + absl::Hours(3));
  const Rollup sum = Sum(job);
  EXPECT_EQ(sum.gaps, Of({60, 60}));
  EXPECT_EQ(sum.silences, Of({480}));
}

TEST_P(Rollups, WindowsOfMaintenancesAreLeftOutAlsoOfThoseThatRecur) {
  const MonitorKey job = Job("job");
  Maintain(kStart);
  const auto minute = [](double n) { return kStart + n * absl::Minutes(1); };
  for (const int n : {1, 2, 10, 11, 20, 21}) Beat(job, minute(n));
  Maintenance once;
  once.project = project();
  once.project_id = "default";
  once.id = "once";
  once.all_monitors = true;
  once.start = minute(14);
  once.end = minute(15);
  once.created_at = once.updated_at = kStart - kDayLength;
  Maintenance hourly = once;
  hourly.id = "hourly";
  hourly.start = hourly.end = absl::UnixEpoch();
  const absl::CivilMinute fifth(absl::ToCivilMinute(minute(5), absl::UTCTimeZone()));
  hourly.recurring = RecurringWindow{
      .expression = *CronExpression::Parse(absl::StrCat(fifth.minute(), " * * * *")),
      .zone = absl::UTCTimeZone(),
      .duration = absl::Minutes(2)};
  Do([&](Transaction& transaction) -> absl::Status {
    for (const Maintenance& each : {once, hourly}) {
      if (auto made = transaction.InsertMaintenance(each); !made.ok()) return made.status();
    }
    return absl::OkStatus();
  });
  Maintain(kStart + absl::Hours(3));
  EXPECT_EQ(Sum(job).gaps, Of({60, 60, 60}));
  EXPECT_EQ(Sum(job).silences, Of({}));
}

TEST_P(Rollups, GoWithTheirMonitor) {
  const MonitorKey gone = Job("gone"), other = Job("other");
  Maintain(kStart);
  for (int i = 0; i < 60; ++i) {
    Beat(gone, kStart + i * absl::Hours(1));
    Beat(other, kStart + i * absl::Hours(1));
  }
  MonitorDefinition definition = Load(gone).definition;
  definition.deleted_at = kStart + 3 * kDayLength;
  Do([&](Transaction& transaction) { return transaction.SaveDefinition(definition).status(); });
  Maintain(kStart + 4 * kDayLength);
  EXPECT_EQ(Sum(gone).gaps.count, 59);
  Maintain(kStart + 4 * kDayLength + policy_.deleted_monitors);
  EXPECT_THAT(Read(gone).rollups, IsEmpty());
  EXPECT_EQ(Sum(other).gaps.count, 59);
}

TEST_P(Rollups, HoldWhatTheHeartbeatsSaidHoweverUpkeepIsCutUp) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<MonitorKey> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(Job("job-" + std::to_string(i)));
  const absl::Time start = DayOf(kStart);
  absl::Time now = start;
  Maintain(now);
  std::map<MonitorKey, std::vector<double>> gaps, values;
  std::map<MonitorKey, absl::Time> before;
  while (now < start + 2 * kDayLength) {
    const absl::Time next = now + absl::Minutes(1 + random() % 300);
    std::vector<absl::Time> times;
    for (uint64_t i = random() % 30; i > 0; --i) {
      times.push_back(now +
                      absl::Microseconds(1 + random() % absl::ToInt64Microseconds(next - now)));
    }
    // Some at the borders of hours.
    const absl::Time border = HourOf(next);
    if (border > now) times.insert(times.end(), {border, border - absl::Microseconds(1)});
    std::sort(times.begin(), times.end());
    for (const absl::Time at : times) {
      const MonitorKey job = jobs[random() % jobs.size()];
      const double value = static_cast<double>(random() % 1000) - 300;
      if (before.contains(job)) {
        if (at == before[job]) continue;
        gaps[job].push_back(absl::ToDoubleSeconds(at - before[job]));
      }
      values[job].push_back(value);
      before[job] = at;
      Beat(job, at, HeartbeatKind::kUp, value);
    }
    now = next;
    policy_.rollups.signals = 1 + static_cast<int>(random() % 40);
    policy_.rollups.monitors = 1 + static_cast<int>(random() % 6);
    policy_.rollups.steps = 1 + static_cast<int>(random() % 20);
    // A part of it, and at times all.
    ASSERT_TRUE(store().Maintain(policy_, now).ok());
    if (random() % 4 == 0) Maintain(now);
  }
  Maintain(now + absl::Hours(2));
  for (const MonitorKey job : jobs) {
    const Rollup sum = Sum(job);
    for (const auto& [got, wanted] :
         {std::pair(sum.gaps, Of(gaps[job])), std::pair(sum.values, Of(values[job]))}) {
      EXPECT_EQ(got.buckets, wanted.buckets);
      EXPECT_EQ(got.count, wanted.count);
      EXPECT_EQ(got.min, wanted.min);
      EXPECT_EQ(got.max, wanted.max);
      EXPECT_NEAR(got.mean, wanted.mean, 1e-6 * (1 + wanted.max));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Rollups, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
