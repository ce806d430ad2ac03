// What the facts that `tocsin doctor` gathers say of the health of a Tocsin. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/doctor/finding.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/delivery.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

// A reading of another clock: it showed something from `least` to `most` at some time from `before`
// to `after` of the clock here.
struct ClockReading {
  std::string whose;  // "the gateway"
  absl::Time least, most;
  absl::Time before, after;
};
Finding JudgeClock(const ClockReading& reading);

// Versions may differ while somebody upgrades.
Finding JudgeVersion(absl::string_view whose, absl::string_view theirs, absl::string_view ours);

// Channels that are disabled or failing, and whether alerts have a place to go by default.
Findings JudgeChannels(const std::vector<v1::Channel>& channels);

struct DeliveryFacts {
  std::vector<v1::Delivery> dead, pending;  // the newest ones
  bool more_dead = false;                   // than were read
};
// Dead ones of the last day, and those that nobody has taken for a minute.
Findings JudgeDeliveries(const DeliveryFacts& facts, absl::Time now);

// What comes in.
struct PushRate {
  double per_second = 0;
  std::string how;  // "measured for 3h"
};
// That of the schedules: each monitor that is not paused pushes once in its recommended interval.
// Those with a cron schedule are not in it.
double RateOfSchedules(const std::vector<v1::Monitor>& monitors);
// The disk that heartbeats take in the time for which they are kept.
Finding JudgeDisk(const PushRate& rate, absl::Duration retention);

// What /metrics of a service says: whether it is connected to the others, and what it had to
// refuse. `where` is its address.
Findings JudgeMetrics(absl::string_view where, absl::string_view metrics);

}  // namespace tocsin::cli
