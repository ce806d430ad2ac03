// The Store on PostgreSQL.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/log.h"
#include "services/core/store/history.h"
#include "services/core/store/pg/alert_retention.h"
#include "services/core/store/pg/listener.h"
#include "services/core/store/pg/maintenance_rows.h"
#include "services/core/store/pg/session_pool.h"
#include "services/core/store/pg/watchdog.h"
#include "services/core/store/sealer.h"
#include "services/core/store/store.h"

namespace tocsin::core {

namespace pg {
class MonitorFinder;
}

struct PgStoreOptions {
  std::string url;            // postgresql://… or key=value pairs; holds the password
  int admin_sessions = 4;     // for reads and what people ask for
  int list_sessions = 4;      // for lists of monitors and histories; half as many search
  int monitor_sessions = 2;   // for one monitor and its heartbeats
  int delivery_sessions = 3;  // for leasing deliveries, for reports of them, and for the feed
};

// Sessions connect when first needed and again when lost; while the database is away every
// operation is UNAVAILABLE at once, or after connect_timeout for the first that tries.
class PgStore : public Store, public HistoryStore {
 public:
  // Connects to nothing yet. INVALID_ARGUMENT when the URL cannot be read. `clock` is for
  // timeouts and pauses; it outlives the store.
  static absl::StatusOr<std::unique_ptr<PgStore>> Open(const PgStoreOptions& options, Sealer sealer,
                                                       const MonotonicClock& clock);

  // Brings the schema up to date; see ApplyMigrations for its errors.
  static absl::Status Migrate(const std::string& url);

  // Whether every channel's secrets open. FAILED_PRECONDITION names the channel and the key that
  // is missing; for the start of a process to refuse a wrong key file.
  absl::Status CheckSecrets();

  // record_steady_ups.cc
  absl::StatusOr<std::vector<MonitorKey>> RecordSteadyUps(
      int committer, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) override;

  // pg_store.cc
  absl::Status Transact(TransactionClass klass,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override;
  absl::StatusOr<absl::Time> ReadDatabaseClock() override;
  News WaitForNews(absl::Duration timeout) override;
  void StopWaiting() override;

  // delivery_leases.cc
  absl::StatusOr<std::vector<LeasedDelivery>> LeaseDeliveries(const LeaseRequest& request) override;
  absl::StatusOr<absl::Time> NextDeliveryAt() override;

  // delivery_reports.cc
  absl::StatusOr<ReportEffects> ApplyReports(absl::Span<const DeliveryReport> reports,
                                             absl::Time now) override;

  // monitor_lists.cc
  absl::StatusOr<MonitorPage> ListMonitors(const MonitorQuery& query) override;

  // reads.cc
  absl::StatusOr<std::optional<Monitor>> FindMonitor(const std::string& project,
                                                     const std::string& id) override;
  // push_target_operations.cc
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
  absl::StatusOr<GapList> ReadGaps(absl::Time since) override;
  absl::StatusOr<absl::Time> NextSweepAt(const SweepCursor& after) override;
  absl::StatusOr<std::vector<ProjectKey>> TroubledProjects() override;
  absl::StatusOr<Census> TakeCensus(absl::Time now) override;

  // history_reads.cc
  absl::StatusOr<MonitorHistory> ReadHistory(const HistoryQuery& query) override;

  // rollup_reads.cc
  absl::StatusOr<RolledPast> ReadRollups(const RollupQuery& query) override;

  // access_reads.cc
  absl::StatusOr<std::vector<Project>> ListProjects(const ProjectQuery& query) override;
  absl::StatusOr<std::optional<Project>> ReadProject(const std::string& id) override;
  absl::StatusOr<std::vector<ApiKey>> ListKeys(const KeyQuery& query) override;
  absl::StatusOr<std::optional<KeyMatch>> FindKeyBySecret(const SecretHash& hash) override;

  // change_operations.cc
  absl::StatusOr<std::vector<AuditView>> ListAudit(const AuditQuery& query) override;

  // past_operations.cc
  absl::StatusOr<MonitorPast> ReadPast(const PastQuery& query) override;

  // feed.cc
  absl::StatusOr<int> SequenceFeed(int limit) override;
  absl::StatusOr<std::vector<FeedEntry>> ReadFeed(ProjectKey project, int64_t after, int64_t up_to,
                                                  int limit) override;
  absl::StatusOr<FeedEnd> ReadFeedEnd() override;

  // upkeep.cc
  absl::StatusOr<bool> Maintain(const RetentionPolicy& policy, absl::Time now) override;
  absl::StatusOr<bool> WakeSweeps(int most, absl::Time now) override;

 private:
  struct Conninfos;
  PgStore(const PgStoreOptions& options, const Conninfos& conninfos, Sealer sealer,
          const MonotonicClock& clock);

  pg::SessionPool& PoolOf(TransactionClass klass);
  // Runs `body` on a session of the pool, in a transaction that is run again after conflicts.
  absl::Status InTransaction(pg::SessionPool& pool,
                             absl::FunctionRef<absl::StatusOr<std::string>(pg::Session&)> body);
  // upkeep.cc
  absl::Status MendListing(pg::Session& session, absl::Time now);
  std::atomic<int> roll_share_ = 1;  // of what a step of rolling up may be, the nth part
  absl::StatusOr<bool> RollUp(pg::Session& session, const RollupPolicy& policy, absl::Time now);
  // Searches for what the page lacks, if a session is free. False: that would take too much, for
  // the pages that follow, too. UNAVAILABLE: it took too long. See monitor_lists.cc.
  absl::StatusOr<bool> Search(pg::MonitorFinder& finder);
  // One statement that reads, on a session of the admin class.
  absl::StatusOr<pg::Rows> Read(const pg::Statement& statement, const pg::Params& params);
  absl::StatusOr<pg::Rows> ReadOn(pg::SessionPool& pool, const pg::Statement& statement,
                                  const pg::Params& params);

  const Sealer sealer_;
  pg::MaintenanceCache maintenances_;
  const MonotonicClock& clock_;
  ChangeLogger log_;
  pg::Watchdog watchdog_;
  std::array<pg::SessionPool, 2> committers_;
  pg::SessionPool sweeper_;
  pg::SessionPool engine_;  // for short reads that touches, judging and pushes wait for
  pg::SessionPool delivery_;
  pg::SessionPool admin_;
  pg::SessionPool list_;
  pg::SessionPool monitor_;
  pg::SessionPool search_;
  pg::SessionPool upkeep_;
  pg::SessionPool probe_;
  pg::Listener listener_;
  pg::AlertRetention alert_retention_;
  // Channels whose URL this core cannot open, and until when it leaves them alone.
  absl::Mutex left_mutex_;
  std::map<ChannelKey, absl::Time> left_to_others_ ABSL_GUARDED_BY(left_mutex_);
  absl::Time first_upkeep_ = absl::InfinitePast();
  std::atomic<MonitorKey> mended_to_ = 0;  // where the next MendListing goes on
};

}  // namespace tocsin::core
