// One message of one or more alert events to one channel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class DeliveryState : int16_t { kPending = 1, kDelivered = 2, kDead = 3, kSuperseded = 4 };
enum class DeliveryType : int16_t {
  kIncidentOpened = 1,
  kIncidentResolved = 2,
  kIncidentReminder = 3,
  kDigest = 4,
  kSystemBlind = 5,
  kChannelFailing = 6,
  kChannelTest = 7,
};

// "incident.opened" and so on.
std::string DeliveryTypeName(DeliveryType type);

// Says which own outage postponed or excused something, or that no gateway is heard.
struct BlindNotice {
  absl::Time start;
  absl::Time end;  // InfiniteFuture: it lasts
  int32_t unverified_count = 0;
  std::vector<std::string> unverified_monitors;  // full names, at most 20
};

// News about a channel.
struct ChannelNotice {
  std::string channel;  // full name
  std::optional<absl::Time> failing_since;
  std::string reason;
};

// What a digest tells in all; its `events` are the first of it.
struct DigestFacts {
  struct Count {
    EventType type = EventType::kFiring;
    Cause cause = Cause::kMissedDeadline;
    int32_t events = 0;

    friend bool operator==(const Count&, const Count&) = default;
  };
  std::vector<Count> counts;  // by type, then cause

  friend bool operator==(const DigestFacts&, const DigestFacts&) = default;
};

struct Delivery {
  DeliveryKey key = 0;
  std::string id;  // the `webhook-id`: "msg_" and 22 url-safe characters
  ProjectKey project = 0;
  ChannelKey channel = 0;
  MonitorKey monitor = 0;  // 0: about no monitor
  int64_t sequence = 0;    // of its newest event; orders the deliveries of a monitor and channel
  DeliveryType type = DeliveryType::kIncidentOpened;
  std::vector<EventKey> events;  // oldest first
  std::optional<BlindNotice> blind;
  std::optional<ChannelNotice> notice;
  std::optional<DigestFacts> digest;  // of a digest: what it tells
  bool may_gather = false;            // not tried yet, and may be gathered: see gathering.h
  std::string told_by;  // the id of the digest that tells it: it is not sent itself. Empty: none
  DeliveryState state = DeliveryState::kPending;
  bool redelivery = false;
  int32_t attempts = 0;
  int32_t skipped = 0;
  absl::Time occurred_at;
  absl::Time created_at;
  absl::Time next_attempt_at;
  absl::Time expires_at;  // dead after it
  std::string last_outcome;
  int32_t last_http_status = 0;
  std::string last_answer;  // how the receiver's answer to the last attempt began
  std::optional<absl::Time> finished_at;
  // The lease; empty id: none.
  std::string lease_id;
  absl::Time leased_until = absl::InfinitePast();
};

}  // namespace tocsin::core
