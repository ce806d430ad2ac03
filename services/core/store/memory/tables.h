// What the in-memory store holds, and how a transaction that fails is undone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/intervals.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/domain/project.h"
#include "services/core/domain/rejected_push.h"
#include "services/core/store/records.h"

namespace tocsin::core::memory {

struct TokenRow {
  MonitorKey monitor = 0;
  absl::Time expires_at = absl::InfiniteFuture();
};

// `state.incident` is not kept here: open incidents are looked up by monitor.
struct StateRow {
  MonitorState state;
  uint64_t last_push_id = 0;
  absl::Time sweep_at = absl::InfiniteFuture();
};

struct DeliveryRow {
  Delivery delivery;
  absl::Time leased_at = absl::InfinitePast();  // the last time
};

struct ChannelRow {
  Channel channel;
  bool deleted = false;
};

struct EventRow {
  AlertEvent event;
  int64_t feed_position = 0;  // 0: none yet
};

// What the sweeper is to look at again; no ids: all of the project.
struct WakeRow {
  ProjectKey project = 0;
  std::vector<std::string> monitors;
};

struct ProjectRow {
  Project project;
  bool deleted = false;
};

struct SecretRow {
  ApiKeyKey key = 0;
  KeySecret secret;
  int64_t order = 0;  // of its making
};

struct GapRow {
  Gap gap;
  bool told = false;
};

// Its place in the audit log: when, and which of those.
using AuditPlace = std::pair<absl::Time, int64_t>;

// Actor, method and id.
using RequestPlace = std::tuple<std::string, std::string, std::string>;

// Monitor and run id.
using RunPlace = std::pair<MonitorKey, std::string>;

// Of a passed deadline: monitor, deadline, and which of those.
using PassedPlace = std::tuple<MonitorKey, absl::Time, int64_t>;

// Of rejected pushes: monitor, minute, reason and source.
using RejectedPlace = std::tuple<MonitorKey, absl::Time, Rejection, std::string>;

// Tables, with the indexes that make lookups quick. Not thread-safe. Whatever is set since Begin()
// is undone by Rollback(). Setting nullopt removes.
class Tables {
 public:
  using History = std::multimap<std::pair<absl::Time, uint64_t>, StoredHeartbeat>;

  Tables();

  void Begin() { undo_.clear(); }
  void Commit() { undo_.clear(); }
  void Rollback();

  void SetDefinition(MonitorKey key, std::optional<MonitorDefinition> definition);
  // Notes the time in which it was NEW or PAUSED, when that is over.
  void SetState(MonitorKey key, std::optional<StateRow> row);
  void SetToken(const TokenHash& hash, std::optional<TokenRow> row);
  void AddHeartbeat(const StoredHeartbeat& heartbeat);
  // Not undone: upkeep is no part of a transaction. Keeps the newest up or down, and the newest
  // before `rolled_to`, which began a gap that is not rolled up; nothing without it.
  void EraseHistory(MonitorKey monitor, absl::Time before, std::optional<absl::Time> rolled_to);
  void EraseUnwatched(MonitorKey monitor, absl::Time before);
  void SetIncident(IncidentKey key, std::optional<Incident> incident);
  void SetEvent(EventKey key, std::optional<EventRow> row);
  void SetDelivery(DeliveryKey key, std::optional<DeliveryRow> row);
  // Makes due at once what waits for the channel since an attempt before `now`.
  void ReleaseBacklog(ChannelKey channel, absl::Time now);
  void SetChannel(ChannelKey key, std::optional<ChannelRow> row);
  void SetProject(ProjectKey key, std::optional<ProjectRow> row);
  void SetKey(ApiKeyKey key, std::optional<ApiKey> row);
  void SetSecret(const SecretHash& hash, std::optional<SecretRow> row);
  void SetTouch(const std::string& instance, std::optional<Touch> touch);
  void SetToldSilence(absl::Time since, std::optional<ToldSilence> told);
  void SetGap(int64_t key, std::optional<GapRow> row);
  void SetRequest(const RequestPlace& place, std::optional<RequestRecord> record);
  void SetMaintenance(MaintenanceKey key, std::optional<Maintenance> maintenance);
  void SetWake(int64_t key, std::optional<WakeRow> wake);
  void SetEndedRun(const RunPlace& place, std::optional<absl::Time> ended_at);
  void SetAudit(AuditPlace place, std::optional<AuditRecord> record);
  void SetPassed(const PassedPlace& place, std::optional<PassedDeadline> passed);
  void SetRejected(const RejectedPlace& place, std::optional<RejectedPush> rejected);

  // Each draws a number that was never drawn. Events and deliveries share theirs.
  int64_t Draw() { return ++drawn_; }

  // Those that are not deleted, by id.
  const std::map<std::string, ProjectKey>& projects() const { return project_ids_; }
  const std::map<ProjectKey, ProjectRow>& project_rows() const { return project_rows_; }
  const std::map<ApiKeyKey, ApiKey>& keys() const { return keys_; }
  const std::map<SecretHash, SecretRow>& secrets() const { return secrets_; }
  // The id of a project that exists, or did.
  const std::string& ProjectId(ProjectKey key) const;
  const std::map<MonitorKey, MonitorDefinition>& definitions() const { return definitions_; }
  const std::map<std::pair<ProjectKey, std::string>, MonitorKey>& monitor_ids() const {
    return monitor_ids_;
  }
  const std::map<MonitorKey, StateRow>& states() const { return states_; }
  const std::set<std::pair<absl::Time, MonitorKey>>& sweeps() const { return sweeps_; }
  const std::map<TokenHash, TokenRow>& tokens() const { return tokens_; }
  const History& HistoryOf(MonitorKey monitor) const;
  // When it was NEW or PAUSED, and is no more; in order.
  const std::vector<Interval>& UnwatchedOf(MonitorKey monitor) const;
  const std::map<IncidentKey, Incident>& incidents() const { return incidents_; }
  const std::map<MonitorKey, IncidentKey>& open_incidents() const { return open_incidents_; }
  const std::map<EventKey, EventRow>& events() const { return events_; }
  // The FIRING event of each incident.
  const std::map<IncidentKey, EventKey>& firings() const { return firings_; }
  const std::map<DeliveryKey, DeliveryRow>& deliveries() const { return deliveries_; }
  const std::map<std::string, DeliveryKey>& delivery_ids() const { return delivery_ids_; }
  const std::multimap<EventKey, DeliveryKey>& event_deliveries() const { return event_deliveries_; }
  // Pending deliveries of each channel by next attempt.
  const std::map<ChannelKey, std::set<std::pair<absl::Time, DeliveryKey>>>& pending() const {
    return pending_;
  }
  // Those that are pending for a channel and about a monitor, but for redeliveries, in order.
  std::vector<DeliveryKey> QueueOf(ChannelKey channel, MonitorKey monitor) const;
  // Whether a pending one of its monitor and channel comes before it.
  bool MustWait(const Delivery& delivery) const;
  const std::map<ChannelKey, ChannelRow>& channels() const { return channels_; }
  const std::map<std::string, Touch>& touches() const { return touches_; }
  const std::map<int64_t, GapRow>& gaps() const { return gaps_; }
  const std::map<absl::Time, ToldSilence>& told_silences() const { return told_silences_; }
  const std::map<AuditPlace, AuditRecord>& audit() const { return audit_; }
  const std::map<RequestPlace, RequestRecord>& requests() const { return requests_; }
  const std::map<RunPlace, absl::Time>& ended_runs() const { return ended_runs_; }
  const std::map<MaintenanceKey, Maintenance>& maintenances() const { return maintenances_; }
  const std::map<int64_t, WakeRow>& wakes() const { return wakes_; }
  const std::map<PassedPlace, PassedDeadline>& passed() const { return passed_; }
  const std::map<RejectedPlace, RejectedPush>& rejected() const { return rejected_; }

  // The definition, the state and the open incident.
  Monitor MonitorAt(MonitorKey key) const;
  std::optional<Heartbeat> NewestHeartbeat(MonitorKey key,
                                           absl::Time until = absl::InfiniteFuture()) const;

 private:
  template <typename Map>
  using Value = std::optional<typename Map::mapped_type>;
  // Sets without undo; returns what was there.
  template <typename Map>
  Value<Map> Put(Map& map, const typename Map::key_type& key, Value<Map> value);
  void OnUndo(std::function<void()> undo);
  void NoteUnwatched(MonitorKey key, const MonitorState& before, const MonitorState& after);
  void IndexDelivery(const Delivery& delivery, bool add);

  bool undoing_ = false;
  std::vector<std::function<void()>> undo_;
  int64_t drawn_ = 0;

  std::map<std::string, ProjectKey> project_ids_;
  std::map<ProjectKey, ProjectRow> project_rows_;
  std::map<ApiKeyKey, ApiKey> keys_;
  std::map<SecretHash, SecretRow> secrets_;
  std::map<MonitorKey, MonitorDefinition> definitions_;
  std::map<std::pair<ProjectKey, std::string>, MonitorKey> monitor_ids_;
  std::map<MonitorKey, StateRow> states_;
  std::set<std::pair<absl::Time, MonitorKey>> sweeps_;
  std::map<TokenHash, TokenRow> tokens_;
  std::map<MonitorKey, History> histories_;
  std::map<MonitorKey, std::vector<Interval>> unwatched_;
  std::map<IncidentKey, Incident> incidents_;
  std::map<MonitorKey, IncidentKey> open_incidents_;
  std::map<EventKey, EventRow> events_;
  std::map<IncidentKey, EventKey> firings_;
  std::map<DeliveryKey, DeliveryRow> deliveries_;
  std::map<std::string, DeliveryKey> delivery_ids_;
  std::multimap<EventKey, DeliveryKey> event_deliveries_;
  std::map<ChannelKey, std::set<std::pair<absl::Time, DeliveryKey>>> pending_;
  // Pending deliveries that others wait for, by sequence.
  std::map<std::pair<ChannelKey, MonitorKey>, std::set<std::pair<int64_t, DeliveryKey>>> order_;
  std::map<ChannelKey, ChannelRow> channels_;
  std::map<std::string, Touch> touches_;
  std::map<int64_t, GapRow> gaps_;
  std::map<absl::Time, ToldSilence> told_silences_;
  std::map<AuditPlace, AuditRecord> audit_;
  std::map<RequestPlace, RequestRecord> requests_;
  std::map<RunPlace, absl::Time> ended_runs_;
  std::map<MaintenanceKey, Maintenance> maintenances_;
  std::map<int64_t, WakeRow> wakes_;
  std::map<PassedPlace, PassedDeadline> passed_;
  std::map<RejectedPlace, RejectedPush> rejected_;
};

}  // namespace tocsin::core::memory
