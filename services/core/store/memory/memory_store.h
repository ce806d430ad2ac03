// A store that forgets everything when it ends, for tests and the simulation.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "services/core/domain/gathering.h"
#include "services/core/store/history.h"
#include "services/core/store/memory/tables.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Fulfils the contract of Store; every operation runs alone. It never fails for a reason of its
// own, and is never in doubt. It holds the project "default".
class MemoryStore : public Store, public HistoryStore {
 public:
  // `clock` is the database's clock, and must outlive it.
  explicit MemoryStore(const Clock& clock);

  absl::StatusOr<std::vector<MonitorKey>> RecordSteadyUps(
      int committer, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) override;
  absl::Status Transact(TransactionClass klass,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override;
  absl::StatusOr<std::vector<LeasedDelivery>> LeaseDeliveries(const LeaseRequest& request) override;
  absl::StatusOr<ReportEffects> ApplyReports(absl::Span<const DeliveryReport> reports,
                                             absl::Time now) override;
  absl::StatusOr<absl::Time> NextDeliveryAt() override;
  absl::StatusOr<std::optional<Monitor>> FindMonitor(const std::string& project,
                                                     const std::string& id) override;
  absl::StatusOr<MonitorPage> ListMonitors(const MonitorQuery& query) override;
  absl::StatusOr<int64_t> CountMonitors(ProjectKey project, int64_t up_to) override;
  absl::StatusOr<std::optional<MonitorView>> ReadMonitor(const std::string& project,
                                                         const std::string& id) override;
  absl::StatusOr<std::vector<StoredHeartbeat>> ListHeartbeats(const HeartbeatQuery& query) override;
  absl::StatusOr<std::vector<IncidentView>> ListIncidents(const IncidentQuery& query) override;
  absl::StatusOr<std::optional<IncidentView>> ReadIncident(const std::string& project,
                                                           IncidentKey key) override;
  absl::StatusOr<std::vector<Channel>> ListChannels(const ChannelQuery& query) override;
  absl::StatusOr<std::vector<Maintenance>> ListMaintenances(const MaintenanceQuery& query) override;
  absl::StatusOr<std::vector<DeliveryView>> ListDeliveries(const DeliveryQuery& query) override;
  absl::StatusOr<std::optional<ProjectKey>> FindProject(const std::string& id) override;
  absl::StatusOr<std::vector<Project>> ListProjects(const ProjectQuery& query) override;
  absl::StatusOr<std::optional<Project>> ReadProject(const std::string& id) override;
  absl::StatusOr<std::vector<ApiKey>> ListKeys(const KeyQuery& query) override;
  absl::StatusOr<std::optional<KeyMatch>> FindKeyBySecret(const SecretHash& hash) override;
  absl::StatusOr<std::vector<AuditView>> ListAudit(const AuditQuery& query) override;
  absl::StatusOr<MonitorPast> ReadPast(const PastQuery& query) override;
  absl::StatusOr<GapList> ReadGaps(absl::Time since) override;
  absl::StatusOr<absl::Time> NextSweepAt(const SweepCursor& after) override;
  absl::StatusOr<std::vector<ProjectKey>> TroubledProjects() override;
  absl::StatusOr<Census> TakeCensus(absl::Time now) override;
  absl::StatusOr<int> SequenceFeed(int limit) override;
  absl::StatusOr<std::vector<FeedEntry>> ReadFeed(ProjectKey project, int64_t after, int64_t up_to,
                                                  int limit) override;
  absl::StatusOr<FeedEnd> ReadFeedEnd() override;
  absl::StatusOr<absl::Time> ReadDatabaseClock() override;
  absl::StatusOr<MonitorHistory> ReadHistory(const HistoryQuery& query) override;
  absl::StatusOr<RolledPast> ReadRollups(const RollupQuery& query) override;
  absl::StatusOr<bool> Maintain(const RetentionPolicy& policy, absl::Time now) override;
  absl::StatusOr<bool> WakeSweeps(int most, absl::Time now) override;
  News WaitForNews(absl::Duration timeout) override;
  void StopWaiting() override;

 private:
  void Announce(const News& news) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<LeasedDelivery> Lease(DeliveryKey key, const LeaseRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Delivery> ToldBy(const Delivery& digest) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HoldFollowers(const Delivery& finished, absl::Time until)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(DeliveryReport report, absl::Time now, ReportEffects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets those go that need not wait any more, alone or as digests (see domain/gathering.h).
  void Gather(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeDigest(const Channel& channel, const std::vector<DeliveryKey>& waiting, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those that wait to be gathered and are due, in order.
  std::vector<DeliveryKey> Gatherable(ChannelKey channel, absl::Time now) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  // What became of a digest becomes of those that it tells.
  void FollowDigest(const Delivery& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Purge(MonitorKey monitor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetKeys(absl::Time ended_before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives up what waits past its days for channels that take nothing.
  void ExpireStranded(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldChanges(const RetentionPolicy& policy, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Passed deadlines and rejected pushes of the monitor (0: of all) before these times.
  void DropPast(MonitorKey monitor, absl::Time passed_before, absl::Time rejected_before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // memory_rollups.cc; all that is over at `now`, at once.
  void RollUpHistory(const RollupPolicy& policy, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RollUpMonitor(MonitorKey key, absl::Time over) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetRuns(absl::Time before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropFinished(absl::Time before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether it is open, or its end waits until the monitor is steady.
  bool IsOpenOrUntold(IncidentKey key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropGaps(absl::Time before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  IncidentView ViewOf(const Incident& incident) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  DeliveryView ViewOf(const Delivery& delivery) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  absl::Mutex mutex_;
  memory::Tables tables_ ABSL_GUARDED_BY(mutex_);
  std::map<ChannelKey, GatherWindow> gather_windows_ ABSL_GUARDED_BY(mutex_);
  int64_t feed_position_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<EventKey> feed_ ABSL_GUARDED_BY(mutex_);  // by position, from 1
  EventKey last_fed_ ABSL_GUARDED_BY(mutex_) = 0;
  // By monitor and start; up to rolled_.
  using Rollups = std::map<std::pair<MonitorKey, absl::Time>, Rollup>;
  Rollups hours_ ABSL_GUARDED_BY(mutex_);
  Rollups days_ ABSL_GUARDED_BY(mutex_);
  RolledTo rolled_ ABSL_GUARDED_BY(mutex_);
  News news_ ABSL_GUARDED_BY(mutex_);
  // The projects as of the last commit, so that they can be found within a transaction too.
  absl::Mutex projects_mutex_;
  std::map<std::string, ProjectKey> projects_ ABSL_GUARDED_BY(projects_mutex_);
  bool stop_waiting_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tocsin::core
