// Queries and views: the read side of the store's boundary.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/monitor_filter.h"
#include "services/core/domain/monitor_order.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/domain/project.h"
#include "services/core/domain/rejected_push.h"

namespace tocsin::core {

struct MonitorView {
  Monitor monitor;
  std::optional<Heartbeat> last_heartbeat;  // the newest up or down
};

// Every query: at most `limit` rows; keyset pages, so that a deep page costs what the first does.
struct MonitorQuery {
  ProjectKey project = 0;
  MonitorFilter filter;
  MonitorOrder order;
  std::optional<MonitorPlace> after;  // exclusive; nullopt: from the start
  int limit = 50;
  bool show_deleted = false;
  bool walk = false;  // as the page before said
};

struct MonitorPage {
  std::vector<MonitorView> monitors;
  // Where the next page goes on; nullopt on the last. The work for a page is bounded: where what
  // matches is hard to find, a page has fewer than `limit` (or none) and yet a next one.
  std::optional<MonitorPlace> next;
  // There is too much to collect what matches and sort it: the next page need not try.
  bool walk = false;
};

struct HeartbeatQuery {
  MonitorKey monitor = 0;
  // Exclusive: (at, push_id) of the last row of the page before. Descending.
  absl::Time before = absl::InfiniteFuture();
  uint64_t before_push_id = 0;
  int limit = 50;
  bool with_output = false;
  bool ends_only = false;  // up and down, no start or log
};

struct IncidentQuery {
  ProjectKey project = 0;
  std::optional<MonitorKey> monitor;
  bool open_only = false;
  IncidentKey before = 0;  // exclusive; 0: from the newest. Descending by key.
  int limit = 50;
};

struct IncidentView {
  Incident incident;
  std::string project_id;
  std::string monitor_id;
};

struct ChannelQuery {
  ProjectKey project = 0;
  std::string after_id;  // exclusive. Ascending by id.
  int limit = 50;
};

struct DeliveryQuery {
  ProjectKey project = 0;
  std::optional<ChannelKey> channel;
  std::optional<MonitorKey> monitor;
  std::optional<DeliveryState> state;
  DeliveryKey before = 0;  // exclusive; 0: from the newest. Descending by key.
  int limit = 50;
};

struct DeliveryView {
  Delivery delivery;
  std::string project_id;
  std::string channel_id;
  std::string monitor_id;  // empty: about no monitor
};

struct ProjectQuery {
  std::string after_id;  // exclusive. Ascending by id.
  int limit = 50;
};

// Where a list of keys goes on: an id is that of several keys when all but one are revoked.
struct KeyPlace {
  std::string project_id;
  std::string id;
  ApiKeyKey key = 0;
};

struct KeyQuery {
  std::optional<ProjectKey> project;  // 0: the keys of all projects; nullopt: every key
  KeyPlace after;                     // exclusive. Ascending by project's id, id, and key.
  int limit = 50;
  bool show_revoked = false;
};

struct MaintenanceQuery {
  ProjectKey project = 0;
  std::string after_id;  // exclusive
  int limit = 50;
  std::optional<MaintenanceKind> kind{};  // nullopt: of each; they have ids of their own
  bool with_deleted = false;
  std::optional<absl::Time> mutes_open_after{};  // leaves out mutes that ended by then
};

struct AuditQuery {
  std::optional<ProjectKey> project;  // nullopt: of every project and of none
  std::string resource;               // empty: any
  std::string actor;                  // empty: any
  absl::Time start = absl::InfinitePast();
  absl::Time end = absl::InfiniteFuture();  // exclusive
  // Exclusive: (at, key) of the last row of the page before. Descending.
  absl::Time before = absl::InfiniteFuture();
  int64_t before_key = 0;
  int limit = 50;
};

struct AuditView {
  int64_t key = 0;
  AuditRecord record;
};

// What is kept of one monitor beside its heartbeats, its changes and what touches others too.
struct PastQuery {
  MonitorKey monitor = 0;
  absl::Time start = absl::InfinitePast();
  absl::Time end = absl::InfiniteFuture();  // inclusive
  int limit = 100;                          // of each kind; the newest
};

// Newest first.
struct MonitorPast {
  std::vector<Incident> incidents;       // open at some time between start and end
  std::vector<AlertEvent> events;        // by detected_at
  std::vector<DeliveryView> deliveries;  // by created_at
  std::vector<PassedDeadline> passed;    // by at
  std::vector<RejectedPush> rejected;    // by newest
};

struct FeedEntry {
  int64_t position = 0;
  AlertEvent event;
};

struct FeedEnd {
  std::string epoch;
  int64_t position = 0;
};

struct Census {
  std::map<State, int64_t> monitors;  // not deleted
  int64_t open_incidents = 0;
  // Pending ones, and dead ones of channels that exist.
  std::map<DeliveryState, int64_t> deliveries;
  absl::Time newest_dead = absl::InfinitePast();  // when the last of these dead ones was given up
  int64_t overdue_deliveries = 0;  // pending and due; what is gathered once its window may be over
  absl::Duration oldest_due;       // age of the oldest of them
  int64_t failing_channels = 0;
  int64_t disabled_channels = 0;
  absl::Duration rollup_lag;  // see RollupLag
  absl::Duration sweep_lag;   // for how long the monitor that waits longest for a sweep was due
};

}  // namespace tocsin::core
