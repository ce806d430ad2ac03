// A store in front of another that breaks as databases and networks do, by a seeded plan.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/core/store/store.h"

namespace tocsin::core::simulation {

// How often an operation fails, in thousandths. Reads fail only by fail_before.
struct FaultRates {
  int fail_before = 0;       // UNAVAILABLE, nothing was done
  int roll_back = 0;         // UNAVAILABLE after all was done: nothing was written
  int in_doubt_written = 0;  // UNKNOWN, all of it was written
  int in_doubt_lost = 0;     // UNKNOWN, nothing was written
};

enum class Fault { kNone, kBefore, kRollBack, kInDoubtWritten, kInDoubtLost };

// One replica's connection to the shared store. Thread-safe; used by one thread, the plan is the
// same from run to run.
class FaultyStore : public Store {
 public:
  // `inner` must outlive it.
  FaultyStore(Store& inner, uint64_t seed);

  void set_rates(const FaultRates& rates) {
    absl::MutexLock lock(&mutex_);
    rates_ = rates;
  }
  // While away, every operation fails with UNAVAILABLE.
  void set_away(bool away) {
    absl::MutexLock lock(&mutex_);
    away_ = away;
  }
  // The next operation that writes fails so, once.
  void FailNext(Fault fault) {
    absl::MutexLock lock(&mutex_);
    next_ = fault;
  }
  // As FailNext, and it is away from then on: the process died in the middle of it.
  void DieNext(Fault fault) {
    absl::MutexLock lock(&mutex_);
    next_ = fault;
    dies_ = true;
  }
  // What FailNext or DieNext asked for, and has not come yet, does not come.
  void Spare() {
    absl::MutexLock lock(&mutex_);
    next_ = Fault::kNone;
    dies_ = false;
  }
  // Whether what DieNext asked for is still to come.
  bool dies() const {
    absl::MutexLock lock(&mutex_);
    return dies_;
  }
  bool away() const {
    absl::MutexLock lock(&mutex_);
    return away_;
  }
  int64_t faults() const {
    absl::MutexLock lock(&mutex_);
    return faults_;
  }

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
  absl::StatusOr<bool> Maintain(const RetentionPolicy& policy, absl::Time now) override;
  absl::StatusOr<bool> WakeSweeps(int most, absl::Time now) override;
  News WaitForNews(absl::Duration timeout) override;
  void StopWaiting() override;

 private:
  Fault Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of an operation that writes.
  Fault DrawForWrite() ABSL_LOCKS_EXCLUDED(mutex_);
  // OK, or the fault of an operation that only reads.
  absl::Status BeforeRead() ABSL_LOCKS_EXCLUDED(mutex_);

  Store& inner_;
  mutable absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  FaultRates rates_ ABSL_GUARDED_BY(mutex_);
  Fault next_ ABSL_GUARDED_BY(mutex_) = Fault::kNone;
  bool dies_ ABSL_GUARDED_BY(mutex_) = false;  // with the next fault
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t faults_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tocsin::core::simulation
