// Plain records that cross the store's boundary on the write side.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {

// What a push token gives access to.
struct TokenMatch {
  MonitorKey monitor = 0;
  int64_t version = 0;                             // of the definition when it was resolved
  absl::Time expires_at = absl::InfiniteFuture();  // of the token
  std::string project_id;
  std::string monitor_id;
  bool has_value_bounds = false;  // whether an up may be a failure by its value
};

// A monitor that a push key is to reach: one of the key's project.
struct PushTarget {
  TokenHash key{};  // SHA-256 of the push key
  std::string monitor_id;
};

// What the store knows of a push key and the monitor that it is to reach.
struct TargetMatch {
  std::optional<TokenMatch> monitor;  // nullopt: it is missing, deleted, or the key is 0
  ApiKeyKey key = 0;                  // 0: unknown, revoked, expired, or one that may not push
  bool may_create = false;            // whether the key may make monitors that are missing
  bool deleted = false;               // the monitor's id is that of one that is deleted
};

// An up that may take the fast path. The text is not owned and outlives the call.
struct SteadyUp {
  MonitorKey monitor = 0;
  int64_t version = 0;
  absl::Time at;
  uint64_t push_id = 0;
  Source source = Source::kUnknown;
  std::string_view message;
  std::optional<double> value;
  std::optional<int32_t> exit_status;
};

struct StoredHeartbeat {
  MonitorKey monitor = 0;
  Heartbeat heartbeat;
  Reason reason = Reason::kRecorded;
  int32_t output_bytes = 0;  // of its output, also when that was not read
};

struct PushRef {
  MonitorKey monitor = 0;
  uint64_t push_id = 0;
  absl::Time at;
};

// A named run.
struct RunRef {
  MonitorKey monitor = 0;
  std::string run_id;
};

struct StateChange {
  MonitorKey monitor = 0;
  MonitorState state;
  uint64_t last_push_id = 0;           // of the heartbeat that moved last_at; 0 leaves it alone
  std::optional<absl::Time> sweep_at;  // InfiniteFuture: none; nullopt: leave alone
};

// A place in the order in which monitors become due: by sweep_at, and by key where that is the same
// (after an own outage it is for all monitors of one schedule). Stands before all of them at first.
struct SweepCursor {
  absl::Time sweep_at = absl::InfinitePast();
  MonitorKey monitor = 0;
  friend bool operator==(const SweepCursor&, const SweepCursor&) = default;
};

constexpr int CriticalBeyond(int limit) { return (limit + 3) / 4; }

struct DueMonitors {
  std::vector<Monitor> monitors;
  bool more_locked = false;  // due ones were left out because others hold them
  bool full = false;         // the limit was reached: there may be more
  // Of the last that was looked at in order; the first place when there were none.
  SweepCursor last;
};

struct MonitorIdentity {
  MonitorKey key = 0;
  int64_t version = 0;
};

struct ProjectIdentity {
  ProjectKey key = 0;
  int64_t version = 0;
};

struct ApiKeyIdentity {
  ApiKeyKey key = 0;
  int64_t version = 0;
};

struct KeyUse {
  ApiKeyKey key = 0;
  absl::Time at;
};

// For how long a request that counts once is remembered.
inline constexpr absl::Duration kRequestMemory = absl::Hours(24);

// A creation that was asked for under a request id; see RepeatableRequest.
struct RequestRecord {
  std::string actor;
  std::string method;
  std::string id;             // a UUID in lower case
  std::string fingerprint;    // 32 bytes
  std::string resource;       // the full name of what was made
  int64_t version = 0;        // of the resource, as it was made
  std::string secret_key_id;  // of the key that its secret was derived from; empty: of none
  absl::Time at;

  friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

struct FiringDelivery {
  DeliveryKey delivery = 0;
  EventKey event = 0;  // the FIRING
  ChannelKey channel = 0;
  DeliveryState state = DeliveryState::kPending;
  // Somebody may be sending it (it has a lease, even an expired one), or asked for it anew.
  bool held = false;
  bool tried = false;  // the receiver may have heard of it
  int32_t skipped = 0;
};

struct LeaseRequest {
  std::string notifier;
  std::string lease_id;  // one for the whole call
  absl::Time now;
  absl::Duration lease;
  int limit = 0;
  int per_channel = 0;                   // live leases of one channel,
  std::map<ChannelKey, int> allowances;  // of these so many instead,
  int per_failing_channel = 0;           // and of any whose newest attempt failed
};

struct LeasedDelivery {
  Delivery delivery;  // attempts counts the attempt that this lease is for
  Channel channel;
  std::vector<AlertEvent> events;
  // Whether the monitor has an open incident: the news of it is this, or waits for this. For a
  // redelivery, for which nothing waits: whether its own incident is open.
  bool incident_open = false;
};

// The numbers are those of the internal proto.
enum class DeliveryResult : int16_t {
  // Finished, also when the lease was lost. What waits for it then waits until nobody else has one.
  kDelivered = 1,
  kRetry = 2,     // pending again after retry_after
  kDeferred = 3,  // as kRetry, but the attempt is not counted
  kGone = 4,      // dead, and the channel is disabled
  kDead = 5,      // dead
};

// Applies only while the delivery is pending and, but for kDelivered, the lease still its own.
struct DeliveryReport {
  std::string lease_id;
  std::string delivery_id;
  DeliveryResult result = DeliveryResult::kDelivered;
  std::string outcome;
  int32_t http_status = 0;
  std::string answer;
  absl::Duration retry_after;
};

// What happened to channels by ApplyReports. It also keeps Channel.failing_since and last_error,
// and makes the backlog of a channel that was failing due at once on its first success. A
// delivery whose next attempt would come after expires_at is dead.
struct ReportEffects {
  std::vector<ChannelKey> disabled;   // said 410
  std::vector<ChannelKey> recovered;  // had been failing
  std::vector<ChannelKey> with_dead;  // has a newly dead delivery
  std::vector<ProjectKey> projects;   // of those with a dead one; who said 410 has one
};

// Of a delivery that was leased before Channel.url_set_at, what a report is taken for: it says
// nothing about the channel, and what failed is tried again soon, whatever it was that it met with.
inline DeliveryReport OfAnotherUrl(DeliveryReport report) {
  if (report.result != DeliveryResult::kDelivered && report.result != DeliveryResult::kDeferred) {
    report.result = DeliveryResult::kRetry;
    report.retry_after = absl::Seconds(1);
  }
  return report;
}

// One instance's proof that it could receive.
struct Touch {
  std::string instance;
  absl::Time at;         // stamped before the commit that proves it
  int32_t gateways = 0;  // connected to it
  // When a gateway was last heard, by it or by any instance before.
  absl::Time gateway_seen_at = absl::InfinitePast();
};

// Who is told of a silence of all gateways while it lasts, and by what.
struct ToldSilence {
  std::vector<ProjectKey> projects;
  std::vector<std::string> deliveries;  // ids
};

struct StoredGap {
  int64_t key = 0;
  Gap gap;
};

// For how long the windows of a deleted maintenance are remembered.
inline constexpr absl::Duration kDeletedMaintenanceMemory = absl::Hours(24 * 32);

// What becomes of heartbeats by the hour and the day (see domain/rollup.h). No heartbeat is dropped
// before its hour is rolled up, and no hour before its day is.
struct RollupPolicy {
  absl::Duration hours = absl::Hours(24 * 35);
  absl::Duration days = absl::Hours(24 * 400);
  // One call of Maintain does steps, each a transaction about so many monitors at most, until it
  // has read so many signals or done so many steps.
  int monitors = 2'000;
  int signals = 200'000;
  int steps = 20;  // so that the end of core never waits for long
};

struct RetentionPolicy {
  absl::Duration heartbeats = absl::Hours(24 * 14);
  absl::Duration incidents =
      absl::Hours(24 * 400);  // and events, finished deliveries; see retention.h
  absl::Duration deleted_monitors = absl::Hours(24 * 30);
  absl::Duration revoked_keys = absl::Hours(24 * 30);
  absl::Duration audit = absl::Hours(24 * 400);
  absl::Duration rejected_pushes = absl::Hours(24 * 14);
  RollupPolicy rollups{};
  int partitions_ahead = 3;  // days
};

// What was announced since the last look.
struct News {
  bool deliveries = false;  // something may be due for a channel
  bool sweep = false;       // a sweep_at moved earlier
  bool events = false;      // alert events were committed
  bool keys = false;        // what keys give access to changed
};

}  // namespace tocsin::core
