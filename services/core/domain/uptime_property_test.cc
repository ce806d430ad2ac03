// What holds of uptime over random histories: it is what counting second by second gives.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "services/core/domain/testing/builders.h"
#include "services/core/domain/uptime.h"

namespace tocsin::core {
namespace {

using testing::Second;

constexpr int kRounds = 2000;
constexpr int kSeconds = 60;

class UptimeProperty : public ::testing::Test {
 protected:
  UptimeProperty() {
    const char* given = std::getenv("TOCSIN_TEST_SEED");
    const uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    random_.seed(seed);
    RecordProperty("seed", std::to_string(seed));
    printf("seed %llu\n", static_cast<unsigned long long>(seed));
  }

  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  // Incidents follow each other, as the state machine makes them.
  std::vector<Incident> AnyIncidents() {
    std::vector<Incident> incidents;
    for (int at = Int(-20, 10); at < kSeconds + 10; at += Int(1, 20)) {
      Incident& incident = incidents.emplace_back();
      incident.opened_at = Second(at);
      if (Int(1, 10) == 1) break;
      at += Int(0, 20);
      incident.closed_at = Second(at);
      incident.resolution = static_cast<Resolution>(Int(1, 4));
    }
    return incidents;
  }

  std::vector<Interval> AnyIntervals() {
    std::vector<Interval> intervals;
    for (int i = Int(0, 5); i > 0; --i) {
      const int start = Int(-20, kSeconds + 10);
      intervals.push_back({.start = Second(start), .end = Second(start + Int(0, 20))});
    }
    return intervals;
  }

  std::mt19937_64 random_;
};

bool Holds(absl::Time start, absl::Time end, absl::Time at) { return start <= at && at < end; }

TEST_F(UptimeProperty, IsWhatCountingSecondBySecondGives) {
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<Incident> incidents = AnyIncidents();
    const std::vector<Interval> unwatched = AnyIntervals();
    int watched = 0, down = 0;
    for (int second = 0; second < kSeconds; ++second) {
      const absl::Time at = Second(second);
      bool watching = true, failing = false;
      for (const Interval& interval : unwatched) {
        watching = watching && !Holds(interval.start, interval.end, at);
      }
      for (const Incident& incident : incidents) {
        failing = failing || (incident.resolution != Resolution::kLateHeartbeat &&
                              Holds(incident.opened_at,
                                    incident.closed_at.value_or(absl::InfiniteFuture()), at));
      }
      watched += watching;
      down += watching && failing;
    }
    const Uptime uptime =
        UptimeOver({.start = Second(0), .end = Second(kSeconds)}, incidents, Merged(unwatched));
    ASSERT_EQ(uptime.watched, absl::Seconds(watched)) << "round " << round;
    ASSERT_EQ(uptime.down, absl::Seconds(down)) << "round " << round;
    ASSERT_LE(uptime.recoveries, uptime.incidents);
  }
}

// A window is what its parts are together.
TEST_F(UptimeProperty, OfTwoHalvesAddsUp) {
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<Incident> incidents = AnyIncidents();
    const Intervals unwatched = Merged(AnyIntervals());
    const absl::Time middle = Second(Int(0, kSeconds));
    const Uptime first = UptimeOver({.start = Second(0), .end = middle}, incidents, unwatched);
    const Uptime second =
        UptimeOver({.start = middle, .end = Second(kSeconds)}, incidents, unwatched);
    const Uptime whole =
        UptimeOver({.start = Second(0), .end = Second(kSeconds)}, incidents, unwatched);
    ASSERT_EQ(first.watched + second.watched, whole.watched) << "round " << round;
    ASSERT_EQ(first.down + second.down, whole.down) << "round " << round;
  }
}

}  // namespace
}  // namespace tocsin::core
