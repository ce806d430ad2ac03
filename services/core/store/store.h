// What core keeps, as the engine sees it: the contract that every store fulfils.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"
#include "services/core/store/reads.h"
#include "services/core/store/records.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// Thread-safe. Every operation is one transaction. Errors:
//   UNAVAILABLE  nothing was written; trying again can help (no connection, lock or statement
//                timeout, serialization failure or deadlock that lasted)
//   UNKNOWN      in doubt: the connection was lost while committing, so all of it or nothing was
//                written; the caller resolves it by looking (FindRecorded), never by assuming
//   DATA_LOSS    the data itself was refused (a poisonous item); trying again does not help
//   others       as the operation says; INTERNAL is a bug
class Store {
 public:
  virtual ~Store() = default;

  // --- The push path ---

  // The fast path. For each of `newest` (sorted by monitor, no monitor twice) whose monitor still
  // has that version, is a steady up (IsSteadyUp), and whose newest heartbeat has another push
  // id: sets last_at, last_kind and last_source and adds the heartbeat to the history. `folded`
  // (earlier ups of the same monitors) are added to the history of the monitors that qualified.
  // Returns those monitors, ascending. The rest was not touched: it needs the full path.
  // `committer` (0 or 1) chooses the connection; calls with the same number are not concurrent.
  virtual absl::StatusOr<std::vector<MonitorKey>> RecordSteadyUps(
      int committer, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) = 0;

  // --- Decisions ---

  // Runs `body` in a transaction and commits it when it returns OK; its error otherwise rolls
  // back and is returned. `body` may be run several times (serialization failures): it must not
  // keep state across runs. Locks are taken in the order asked; ask in ascending key order.
  virtual absl::Status Transact(TransactionClass klass,
                                absl::FunctionRef<absl::Status(Transaction&)> body) = 0;

  // --- Deliveries ---

  // Leases due deliveries: state pending, next_attempt_at <= now, no live lease, the channel not
  // disabled and, except for redeliveries, no earlier unfinished delivery of the same monitor and
  // channel. Round robin over channels with due work, at most `per_channel` live leases for each
  // channel (other numbers for those in `allowances`, `per_failing_channel` where failing_since is
  // set), at most `limit` in all, oldest first within a channel. Sets leased_until := now + lease
  // and attempts + 1.
  virtual absl::StatusOr<std::vector<LeasedDelivery>> LeaseDeliveries(
      const LeaseRequest& request) = 0;
  // Applies what notifiers report, all in one transaction. See DeliveryReport.
  virtual absl::StatusOr<ReportEffects> ApplyReports(absl::Span<const DeliveryReport> reports,
                                                     absl::Time now) = 0;
  // The earliest time at which LeaseDeliveries may find something: of next_attempt_at and of
  // leases that expire. InfiniteFuture when nothing is pending.
  virtual absl::StatusOr<absl::Time> NextDeliveryAt() = 0;

  // --- Reads; each sees one snapshot, but for ListMonitors ---

  virtual absl::StatusOr<std::optional<Monitor>> FindMonitor(const std::string& project,
                                                             const std::string& id) = 0;
  // What does not change its place while it is listed is listed exactly once over all pages.
  virtual absl::StatusOr<MonitorPage> ListMonitors(const MonitorQuery& query) = 0;
  // How many monitors of the project are not deleted, counted no further than `up_to`.
  virtual absl::StatusOr<int64_t> CountMonitors(ProjectKey project, int64_t up_to) = 0;
  // One monitor with its newest up or down heartbeat.
  virtual absl::StatusOr<std::optional<MonitorView>> ReadMonitor(const std::string& project,
                                                                 const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<StoredHeartbeat>> ListHeartbeats(
      const HeartbeatQuery& query) = 0;
  virtual absl::StatusOr<std::vector<IncidentView>> ListIncidents(const IncidentQuery& query) = 0;
  virtual absl::StatusOr<std::optional<IncidentView>> ReadIncident(const std::string& project,
                                                                   IncidentKey key) = 0;
  virtual absl::StatusOr<std::vector<Channel>> ListChannels(const ChannelQuery& query) = 0;
  virtual absl::StatusOr<std::vector<Maintenance>> ListMaintenances(
      const MaintenanceQuery& query) = 0;
  virtual absl::StatusOr<std::vector<DeliveryView>> ListDeliveries(const DeliveryQuery& query) = 0;
  // Projects that were deleted are not found, nor is what lies in them.
  virtual absl::StatusOr<std::optional<ProjectKey>> FindProject(const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<Project>> ListProjects(const ProjectQuery& query) = 0;
  virtual absl::StatusOr<std::optional<Project>> ReadProject(const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<ApiKey>> ListKeys(const KeyQuery& query) = 0;
  // What a secret is one of, also when it has expired or the key is revoked; by one index.
  virtual absl::StatusOr<std::optional<KeyMatch>> FindKeyBySecret(const SecretHash& hash) = 0;
  virtual absl::StatusOr<std::vector<AuditView>> ListAudit(const AuditQuery& query) = 0;
  // Each kind by itself sees one snapshot.
  virtual absl::StatusOr<MonitorPast> ReadPast(const PastQuery& query) = 0;
  // Gaps that end at or after `since`, in order of end.
  virtual absl::StatusOr<GapList> ReadGaps(absl::Time since) = 0;
  // The earliest sweep_at of the monitors that come after `after`; InfiniteFuture when there is
  // none.
  virtual absl::StatusOr<absl::Time> NextSweepAt(const SweepCursor& after) = 0;
  // Those with a channel that fails or is disabled.
  virtual absl::StatusOr<std::vector<ProjectKey>> TroubledProjects() = 0;
  // Counts for the metrics of the database as a whole.
  virtual absl::StatusOr<Census> TakeCensus(absl::Time now) = 0;

  // --- The feed of alert events ---

  // Gives feed positions to committed events that have none, in order of commit visibility, under
  // a lock, so that positions are seen in ascending order. Returns how many. Bounded by `limit`.
  virtual absl::StatusOr<int> SequenceFeed(int limit) = 0;
  // Events of the project (0: all) with a position above `after` and up to `up_to`, ascending.
  // Looks at those of all projects between them.
  virtual absl::StatusOr<std::vector<FeedEntry>> ReadFeed(ProjectKey project, int64_t after,
                                                          int64_t up_to, int limit) = 0;
  // The epoch of the feed's positions and the newest position given (0: none).
  virtual absl::StatusOr<FeedEnd> ReadFeedEnd() = 0;

  // --- Upkeep ---

  // What the database's clock says, for the injected clock to follow. The only operation whose
  // answer depends on a clock that was not passed in.
  virtual absl::StatusOr<absl::Time> ReadDatabaseClock() = 0;
  // Makes partitions ahead, rolls the hours and days up that are over, drops history past its
  // retention (keeping each monitor's newest heartbeat, and what is not rolled up yet), purges
  // monitors deleted for long, keys revoked for long, finished deliveries, old audit entries and
  // requests. Safe to run on every replica; one does the work. Bounded work per call: returns true
  // when more is left. A step that fails, for a lock that others hold, keeps none of the others
  // from being done; its error is returned.
  virtual absl::StatusOr<bool> Maintain(const RetentionPolicy& policy, absl::Time now) = 0;
  // Makes monitors that NoteWake named due `now`, at most so many. Those that others have locked,
  // who may have judged by what was before the change, are left for another call. Returns true when
  // it is worth to call again at once. Safe to run on every replica.
  virtual absl::StatusOr<bool> WakeSweeps(int most, absl::Time now) = 0;
  // Blocks until another session (or this one) announced news since the last call, or `timeout`
  // passed. A loss of connection reads as news of everything. One caller only.
  virtual News WaitForNews(absl::Duration timeout) = 0;
  // Makes a WaitForNews in progress return at once; used to stop.
  virtual void StopWaiting() = 0;
};

}  // namespace tocsin::core
