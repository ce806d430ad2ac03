// A transaction of the in-memory store. It runs alone, so locks are never held by others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/core/store/memory/tables.h"
#include "services/core/store/store.h"
#include "services/core/store/transaction.h"

namespace tocsin::core::memory {

class MemoryTransaction : public Transaction {
 public:
  explicit MemoryTransaction(Tables& tables) : tables_(tables) {}

  // What is to be announced when it commits.
  const News& news() const { return news_; }
  // Whether there are other projects than before.
  bool changed_projects() const { return changed_projects_; }

  absl::StatusOr<std::vector<TargetMatch>> ResolveTargets(
      absl::Span<const PushTarget* const> targets, absl::Time now) override;
  absl::StatusOr<std::vector<std::optional<TokenMatch>>> ResolveTokens(
      absl::Span<const TokenHash> tokens, absl::Time now) override;
  absl::StatusOr<std::vector<Monitor>> LockMonitors(absl::Span<const MonitorKey> keys,
                                                    LockMode mode) override;
  absl::StatusOr<DueMonitors> LockDue(const SweepCursor& after, absl::Time now, int limit) override;
  absl::StatusOr<std::optional<MonitorKey>> FindMonitor(ProjectKey project,
                                                        const std::string& id) override;
  absl::StatusOr<MonitorIdentity> InsertMonitor(const Monitor& monitor,
                                                absl::Time sweep_at) override;
  absl::StatusOr<int64_t> SaveDefinition(const MonitorDefinition& definition) override;
  absl::Status SaveStates(absl::Span<const StateChange> changes) override;
  absl::Status AddToken(MonitorKey monitor, const TokenHash& token, absl::Time created_at) override;
  absl::Status ExpireTokens(MonitorKey monitor, absl::Time at) override;
  absl::StatusOr<std::vector<bool>> FindRecorded(absl::Span<const PushRef> pushes) override;
  absl::Status AddHeartbeats(absl::Span<const StoredHeartbeat> heartbeats) override;
  absl::StatusOr<std::vector<bool>> FindEndedRuns(absl::Span<const RunRef> runs,
                                                  absl::Time since) override;
  absl::Status AddEndedRuns(absl::Span<const RunRef> runs, absl::Time at) override;
  absl::StatusOr<std::optional<Heartbeat>> NewestHeartbeat(MonitorKey monitor,
                                                           absl::Time now) override;
  absl::StatusOr<IncidentKey> AddIncident(const Incident& incident) override;
  absl::Status SaveIncident(const Incident& incident) override;
  absl::StatusOr<EventKey> AddEvent(const AlertEvent& event) override;
  absl::Status AddDeliveries(absl::Span<const Delivery> deliveries) override;
  absl::StatusOr<std::optional<Incident>> FindIncident(IncidentKey incident) override;
  absl::StatusOr<std::vector<FiringDelivery>> FindFirings(IncidentKey incident) override;
  absl::StatusOr<std::vector<DeliveryKey>> Withdraw(absl::Span<const DeliveryKey> deliveries,
                                                    absl::Time now) override;
  absl::Status AddPassedDeadlines(absl::Span<const PassedDeadline> passed) override;
  absl::StatusOr<std::optional<PassedDeadline>> FindPassedDeadline(MonitorKey monitor,
                                                                   absl::Time at) override;
  absl::StatusOr<std::vector<std::optional<MonitorKey>>> FindTokenOwners(
      absl::Span<const TokenHash> tokens) override;
  absl::Status AddRejectedPushes(absl::Span<const RejectedPush> rejected) override;
  absl::StatusOr<ChannelList> Channels(ProjectKey project) override;
  absl::StatusOr<std::optional<Channel>> LockChannel(ProjectKey project,
                                                     const std::string& id) override;
  absl::StatusOr<ChannelKey> InsertChannel(const Channel& channel) override;
  absl::Status SaveChannel(const Channel& channel) override;
  absl::Status DeleteChannel(ChannelKey channel, absl::Time now) override;
  absl::StatusOr<std::optional<Delivery>> LockDelivery(ProjectKey project,
                                                       const std::string& id) override;
  absl::Status SaveDelivery(const Delivery& delivery) override;
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
  absl::Status AddAudit(const AuditRecord& record) override;
  absl::StatusOr<std::optional<RequestRecord>> ClaimRequest(const RequestRecord& record,
                                                            absl::Time after) override;
  absl::Status SaveRequest(const RequestRecord& record) override;
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
  std::optional<ChannelKey> FindChannel(ProjectKey project, const std::string& id) const;
  // Supersedes what is too much.
  void CutBacklogOf(ChannelKey channel, MonitorKey monitor);

  Tables& tables_;
  News news_;
  bool changed_projects_ = false;
};

}  // namespace tocsin::core::memory
