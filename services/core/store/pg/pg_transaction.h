// A Transaction on one PostgreSQL session; its statements are spread over the *_statements files.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "services/core/store/pg/maintenance_rows.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/pg/write_buffer.h"
#include "services/core/store/sealer.h"
#include "services/core/store/transaction.h"

namespace tocsin::core::pg {

// What a transaction gives others reason to look at; see News.
struct Announcement {
  bool deliveries = false;
  bool sweep = false;
  bool events = false;
  bool keys = false;

  // As the payload of a notification; empty when there is nothing to announce.
  std::string Encode() const;
  // Adds what a payload announces.
  void Merge(const std::string& payload);
};

class PgTransaction : public Transaction {
 public:
  // All of it outlives the transaction. The session has begun one.
  PgTransaction(Session& session, const Sealer& sealer, MaintenanceCache& maintenances)
      : session_(session), sealer_(sealer), maintenance_cache_(maintenances) {}

  // Writes what was held back; to be called before the commit.
  absl::Status Flush();
  // What to announce with the commit; complete after Flush.
  const Announcement& announcement() const { return announcement_; }

  // monitor_operations.cc
  absl::StatusOr<std::vector<std::optional<TokenMatch>>> ResolveTokens(
      absl::Span<const TokenHash> tokens, absl::Time now) override;
  absl::StatusOr<std::vector<Monitor>> LockMonitors(absl::Span<const MonitorKey> keys,
                                                    LockMode mode) override;
  // push_target_operations.cc
  absl::StatusOr<std::vector<TargetMatch>> ResolveTargets(
      absl::Span<const PushTarget* const> targets, absl::Time now) override;
  absl::StatusOr<DueMonitors> LockDue(const SweepCursor& after, absl::Time now, int limit) override;
  absl::StatusOr<std::optional<MonitorKey>> FindMonitor(ProjectKey project,
                                                        const std::string& id) override;
  absl::StatusOr<MonitorIdentity> InsertMonitor(const Monitor& monitor,
                                                absl::Time sweep_at) override;
  absl::StatusOr<int64_t> SaveDefinition(const MonitorDefinition& definition) override;
  absl::Status SaveStates(absl::Span<const StateChange> changes) override;
  absl::Status AddToken(MonitorKey monitor, const TokenHash& token, absl::Time created_at) override;
  absl::Status ExpireTokens(MonitorKey monitor, absl::Time at) override;

  // heartbeat_operations.cc
  absl::StatusOr<std::vector<bool>> FindRecorded(absl::Span<const PushRef> pushes) override;
  absl::Status AddHeartbeats(absl::Span<const StoredHeartbeat> heartbeats) override;
  absl::StatusOr<std::vector<bool>> FindEndedRuns(absl::Span<const RunRef> runs,
                                                  absl::Time since) override;
  absl::Status AddEndedRuns(absl::Span<const RunRef> runs, absl::Time at) override;
  absl::StatusOr<std::optional<Heartbeat>> NewestHeartbeat(MonitorKey monitor,
                                                           absl::Time now) override;

  // alert_operations.cc
  absl::StatusOr<IncidentKey> AddIncident(const Incident& incident) override;
  absl::Status SaveIncident(const Incident& incident) override;
  absl::StatusOr<EventKey> AddEvent(const AlertEvent& event) override;
  absl::Status AddDeliveries(absl::Span<const Delivery> deliveries) override;
  absl::StatusOr<std::optional<Incident>> FindIncident(IncidentKey incident) override;
  absl::StatusOr<std::vector<FiringDelivery>> FindFirings(IncidentKey incident) override;
  absl::StatusOr<std::vector<DeliveryKey>> Withdraw(absl::Span<const DeliveryKey> deliveries,
                                                    absl::Time now) override;

  // past_operations.cc
  absl::Status AddPassedDeadlines(absl::Span<const PassedDeadline> passed) override;
  absl::StatusOr<std::optional<PassedDeadline>> FindPassedDeadline(MonitorKey monitor,
                                                                   absl::Time at) override;
  absl::StatusOr<std::vector<std::optional<MonitorKey>>> FindTokenOwners(
      absl::Span<const TokenHash> tokens) override;
  absl::Status AddRejectedPushes(absl::Span<const RejectedPush> rejected) override;

  // channel_operations.cc
  absl::StatusOr<ChannelList> Channels(ProjectKey project) override;
  absl::StatusOr<std::optional<Channel>> LockChannel(ProjectKey project,
                                                     const std::string& id) override;
  absl::StatusOr<ChannelKey> InsertChannel(const Channel& channel) override;
  absl::Status SaveChannel(const Channel& channel) override;
  absl::Status DeleteChannel(ChannelKey channel, absl::Time now) override;
  absl::StatusOr<std::optional<Delivery>> LockDelivery(ProjectKey project,
                                                       const std::string& id) override;
  absl::Status SaveDelivery(const Delivery& delivery) override;

  // access_operations.cc
  // maintenance_operations.cc
  absl::StatusOr<std::shared_ptr<const Maintenances>> ReadMaintenances() override;
  absl::StatusOr<std::optional<Maintenance>> LockMaintenance(ProjectKey project,
                                                             MaintenanceKind kind,
                                                             const std::string& id) override;
  absl::StatusOr<int64_t> CountMaintenances(ProjectKey project, MaintenanceKind kind,
                                            absl::Time now) override;
  absl::StatusOr<Maintenance> InsertMaintenance(const Maintenance& maintenance) override;
  absl::StatusOr<int64_t> SaveMaintenance(const Maintenance& maintenance) override;
  absl::Status DeleteMaintenance(MaintenanceKey maintenance) override;
  absl::Status NoteWake(ProjectKey project, absl::Span<const std::string> monitors) override;
  absl::StatusOr<bool> HoldProject(ProjectKey project) override;
  absl::StatusOr<std::optional<Project>> LockProject(const std::string& id) override;
  absl::StatusOr<ProjectIdentity> InsertProject(const Project& project) override;
  absl::StatusOr<int64_t> SaveProject(const Project& project) override;
  absl::StatusOr<bool> IsInUse(ProjectKey project) override;
  absl::Status DeleteProject(ProjectKey project, absl::Time now) override;
  absl::StatusOr<std::optional<ApiKey>> LockKey(ProjectKey project, const std::string& id) override;
  absl::StatusOr<ApiKeyIdentity> InsertKey(const ApiKey& key) override;
  absl::StatusOr<int64_t> SaveKey(const ApiKey& key) override;
  absl::Status AddKeySecret(ApiKeyKey key, const KeySecret& secret) override;
  absl::Status ExpireKeySecrets(ApiKeyKey key, absl::Time at) override;
  absl::Status NoteKeyUses(absl::Span<const KeyUse> uses) override;

  // change_operations.cc
  absl::Status AddAudit(const AuditRecord& record) override;
  absl::StatusOr<std::optional<RequestRecord>> ClaimRequest(const RequestRecord& record,
                                                            absl::Time after) override;
  absl::Status SaveRequest(const RequestRecord& record) override;

  // liveness_operations.cc
  absl::StatusOr<std::vector<Touch>> ReadTouches() override;
  absl::Status SaveTouch(const Touch& touch) override;
  absl::Status ForgetTouches(absl::Time before) override;
  absl::Status AddGap(const Gap& gap) override;
  absl::StatusOr<std::vector<StoredGap>> LockUntoldGaps(absl::Time ended_by) override;
  absl::Status MarkGapsTold(absl::Span<const int64_t> keys) override;
  absl::StatusOr<bool> ClaimSilence(absl::Time since, const ToldSilence& told) override;
  absl::StatusOr<std::vector<ProjectKey>> EndSilence(absl::Time from, absl::Time until,
                                                     absl::Time now) override;
  absl::StatusOr<std::vector<ProjectKey>> ProjectsOverHttp() override;
  absl::StatusOr<std::vector<Monitor>> MonitorsAround(const Gap& gap, MonitorKey after,
                                                      int limit) override;

 private:
  // Definition, state and open incident of these monitors, as of now, in the order asked.
  absl::StatusOr<std::vector<Monitor>> ReadMonitors(absl::Span<const MonitorKey> keys);

  // Appends those of the locked that are due, in order, to `due`. Returns the place of the last.
  absl::StatusOr<SweepCursor> ReadDue(absl::Span<const MonitorKey> locked, absl::Time now,
                                      std::vector<Monitor>& due);
  // Before more monitors are locked: what follows reads what was written so far.
  absl::Status BeginLocking();
  // So many rows of one kind are read one by one before those of all locked monitors are.
  static constexpr int kAskedOneByOne = 2;

  // Reads the newest heartbeats of these locked monitors into newest_.
  absl::Status ReadNewest(absl::Span<const MonitorKey> monitors, absl::Time now);
  absl::Status NoteNewest(Rows rows);
  // Into passed_.
  absl::Status ReadPassedOfOpen();

  Session& session_;
  const Sealer& sealer_;
  MaintenanceCache& maintenance_cache_;
  Announcement announcement_;
  WriteBuffer buffer_;
  KeySource incident_keys_{kDrawIncidentKeys};
  KeySource event_keys_{kDrawOutboxKeys};
  std::map<ProjectKey, ChannelList> channels_;  // as read, until one is changed
  std::set<MonitorKey> locked_;  // in order, as the indexes are that they are looked up in
  absl::flat_hash_map<MonitorKey, absl::Time> last_at_;  // of those that were read, as it was then
  // Of locked monitors, so nobody else adds to them.
  absl::flat_hash_map<MonitorKey, std::optional<Heartbeat>> newest_;
  int newest_asked_ = 0;
  // The deadlines that failed the locked monitors which are down, once they were read.
  std::optional<std::map<MonitorKey, PassedDeadline>> passed_;
  int passed_asked_ = 0;
};

}  // namespace tocsin::core::pg
