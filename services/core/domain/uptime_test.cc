// Uptime over a window, as tables of what happened in it.
#include "services/core/domain/uptime.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::Second;

Interval Of(double start, double end) { return {.start = Second(start), .end = Second(end)}; }

Incident Closed(double opened, double closed, Resolution resolution = Resolution::kRecovered) {
  Incident incident;
  incident.opened_at = incident.detected_at = Second(opened);
  incident.closed_at = Second(closed);
  incident.resolution = resolution;
  return incident;
}

Incident Open(double opened) {
  Incident incident;
  incident.opened_at = incident.detected_at = Second(opened);
  return incident;
}

struct Case {
  std::string name;
  std::vector<Incident> incidents;
  Intervals unwatched;
  double watched;
  double down;
  int64_t count;
  int64_t recoveries = 0;
  std::optional<double> recovery = std::nullopt;
};

// The window is from second 0 to second 1000.
TEST(Uptime, IsByTimeAndLeavesOutWhatWasNotWatched) {
  const std::vector<Case> cases = {
      {"nothing happened", {}, {}, 1000, 0, 0},
      {"one that recovered", {Closed(100, 150)}, {}, 1000, 50, 1, 1, 50},
      {"two, and their mean", {Closed(100, 150), Closed(300, 450)}, {}, 1000, 200, 2, 2, 100},
      {"one that is open", {Open(900)}, {}, 1000, 100, 1},
      {"one that began before", {Closed(-100, 50)}, {}, 1000, 50, 1, 1, 150},
      {"one that was over before", {Closed(-100, 0)}, {}, 1000, 0, 0},
      {"one that ended after", {Closed(950, 1200)}, {}, 1000, 50, 1},
      {"one that began after", {Closed(1001, 1200)}, {}, 1000, 0, 0},
      {"one that took no time", {Closed(500, 500)}, {}, 1000, 0, 1, 1, 0},
      {"a false alarm", {Closed(100, 150, Resolution::kLateHeartbeat)}, {}, 1000, 0, 0},
      {"one that a pause ended",
       {Closed(100, 150, Resolution::kPaused)},
       {Of(150, 400)},
       750,
       50,
       1},
      {"a pause of all of it", {}, {Of(-10, 1010)}, 0, 0, 0},
      {"one in a maintenance", {Closed(100, 150)}, {Of(90, 160)}, 930, 0, 0},
      {"one that a maintenance cuts", {Closed(100, 150)}, {Of(120, 200)}, 920, 20, 1, 1, 20},
      {"an own outage within", {Closed(100, 200)}, {Of(120, 140)}, 980, 80, 1, 1, 80},
      {"down all the time", {Open(-5)}, {Of(0, 400)}, 600, 600, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Uptime uptime = UptimeOver(Of(0, 1000), c.incidents, c.unwatched);
    EXPECT_EQ(uptime.watched, absl::Seconds(c.watched));
    EXPECT_EQ(uptime.down, absl::Seconds(c.down));
    EXPECT_EQ(uptime.incidents, c.count);
    EXPECT_EQ(uptime.recoveries, c.recoveries);
    EXPECT_EQ(uptime.mean_time_to_recovery.has_value(), c.recovery.has_value());
    if (c.recovery) {
      EXPECT_EQ(uptime.mean_time_to_recovery, absl::Seconds(*c.recovery));
    }
    EXPECT_EQ(uptime.ratio.has_value(), c.watched > 0);
    if (c.watched > 0) {
      EXPECT_DOUBLE_EQ(*uptime.ratio, 1 - c.down / c.watched);
    }
  }
}

}  // namespace
}  // namespace tocsin::core
