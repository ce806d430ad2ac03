// What is no time to judge a monitor by.
#include "services/core/domain/unwatched.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using ::testing::ElementsAre;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpSince;

constexpr int kNow = 1000;

Interval Of(double start, double end) { return {.start = Second(start), .end = Second(end)}; }

const Interval kBefore = {.start = absl::InfinitePast(), .end = Second(0)};

Monitor UpMonitor() { return {.definition = MinuteMonitor(), .state = UpSince(Second(990))}; }

Maintenance OfAll(MaintenanceKind kind, absl::Time start, absl::Time end) {
  Maintenance maintenance;
  maintenance.kind = kind;
  maintenance.project = 1;
  maintenance.all_monitors = true;
  maintenance.start = start;
  maintenance.end = end;
  maintenance.created_at = Second(-1'000'000);
  return maintenance;
}

Intervals Find(const Monitor& monitor, const std::vector<Interval>& states = {},
               const GapList& gaps = {}, const Maintenances& maintenances = {}) {
  return UnwatchedOf(monitor, states, gaps, maintenances, Second(-500), Second(kNow)).intervals;
}

TEST(Unwatched, WhatWasBeforeTheCreationAndWhileItWasPausedOrNew) {
  EXPECT_THAT(Find(UpMonitor(), {Of(0, 10), Of(200, 300)}),
              ElementsAre(Interval{absl::InfinitePast(), Second(10)}, Of(200, 300)));
  Monitor paused = UpMonitor();
  paused.state.state = State::kPaused;
  paused.state.changed_at = Second(400);
  const Interval since = {.start = Second(400), .end = absl::InfiniteFuture()};
  EXPECT_THAT(Find(paused), ElementsAre(kBefore, since));
  Monitor fresh = UpMonitor();
  fresh.state.state = State::kNew;
  fresh.state.changed_at = Second(0);
  EXPECT_THAT(Find(fresh), ElementsAre(Interval{absl::InfinitePast(), absl::InfiniteFuture()}));
  Monitor deleted = UpMonitor();
  deleted.definition.deleted_at = Second(400);
  EXPECT_THAT(Find(deleted), ElementsAre(kBefore, since));
}

TEST(Unwatched, OwnOutagesOfGatewaysOnlyWhereHeartbeatsComeThroughThem) {
  const GapList gaps = {CoreGap(Second(10), Second(20)),
                        Gap{.kind = GapKind::kGateway, .start = Second(30), .end = Second(40)},
                        Gap{.kind = GapKind::kShed, .start = Second(50), .end = Second(60)}};
  Monitor monitor = UpMonitor();
  EXPECT_THAT(Find(monitor, {}, gaps), ElementsAre(kBefore, Of(10, 20), Of(30, 40), Of(50, 60)));
  monitor.state.last_source = Source::kGrpc;
  EXPECT_THAT(Find(monitor, {}, gaps), ElementsAre(kBefore, Of(10, 20)));
}

TEST(Unwatched, WindowsOfMaintenancesAboutItButNoMutes) {
  const Maintenances maintenances = {
      OfAll(MaintenanceKind::kMaintenance, Second(100), Second(200)),
      OfAll(MaintenanceKind::kMute, Second(300), Second(400)),
      OfAll(MaintenanceKind::kMaintenance, Second(2000), Second(3000))};
  EXPECT_THAT(Find(UpMonitor(), {}, {}, maintenances), ElementsAre(kBefore, Of(100, 200)));
  Monitor other = UpMonitor();
  other.definition.project = 2;
  EXPECT_THAT(Find(other, {}, {}, maintenances), ElementsAre(kBefore));
}

TEST(Unwatched, EveryWindowOfOneThatRecursAndOnlySoFarAsTheyAreLookedAt) {
  Maintenance often = OfAll(MaintenanceKind::kMaintenance, absl::UnixEpoch(), absl::UnixEpoch());
  often.recurring = RecurringWindow{.expression = *CronExpression::Parse("*/10 * * * *"),
                                    .zone = *FindTimeZone("UTC"),
                                    .duration = absl::Minutes(1)};
  EXPECT_THAT(Find(UpMonitor(), {}, {}, {often}),
              ElementsAre(Interval{absl::InfinitePast(), Second(60)}, Of(600, 660)));
  often.created_at = Second(-100'000'000);
  const Unwatched long_ago =
      UnwatchedOf(UpMonitor(), {}, {}, {often}, Second(-50'000'000), Second(kNow));
  EXPECT_EQ(long_ago.known_since, Second(600 - (kMostWindows * 600.0) + 60));
  // Too many for one call are not looked at: of the rest only the present is known.
  EXPECT_EQ(
      UnwatchedOf(UpMonitor(), {}, {}, Maintenances(20, often), Second(-50'000'000), Second(kNow))
          .known_since,
      Second(660));
  EXPECT_EQ(UnwatchedOf(UpMonitor(), {}, {}, {}, Second(-9), Second(kNow)).known_since, Second(-9));
}

}  // namespace
}  // namespace tocsin::core
