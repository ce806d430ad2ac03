// What can be read and written inside one transaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/domain/project.h"
#include "services/core/domain/rejected_push.h"
#include "services/core/store/records.h"

namespace tocsin::core {

// Which sessions a transaction uses, and so its timeouts and whom it can hold up.
enum class TransactionClass {
  kCommitter0,  // pushes of the first committer
  kCommitter1,  // pushes of the second
  kSweeper,     // judging deadlines
  kDelivery,    // what follows from deliveries
  kAdmin,       // what people ask for
};

enum class LockMode {
  kWait,  // up to the session's lock timeout, then UNAVAILABLE
  kSkip,  // leaves out rows that others hold
};

// Shared, since a mass outage asks for them with each monitor. Never null.
using ChannelList = std::shared_ptr<const std::vector<Channel>>;

// See NewestHeartbeat.
inline constexpr absl::Duration kHeartbeatsAhead = absl::Hours(1);

// Not thread-safe; lives within one call of Store::Transact. Any error ends the transaction: the
// body returns it. What was written is read by what follows, but a store may hold writes back till
// then: the error of a write may come from a later operation or from Transact. Lists come in the
// order asked unless said otherwise.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // --- Monitors ---

  // Token → monitor, for tokens that are known and not expired at `now`; nullopt for the others.
  // Tokens of deleted monitors are unknown. No lock.
  virtual absl::StatusOr<std::vector<std::optional<TokenMatch>>> ResolveTokens(
      absl::Span<const TokenHash> tokens, absl::Time now) = 0;
  // The same for push keys. A match expires with the secret or the key.
  virtual absl::StatusOr<std::vector<TargetMatch>> ResolveTargets(
      absl::Span<const PushTarget* const> targets, absl::Time now) = 0;
  // Locks the state rows in ascending order of key (asked so) and reads definition, state and
  // open incident after the lock. Keys that do not exist are left out; deleted ones are not.
  virtual absl::StatusOr<std::vector<Monitor>> LockMonitors(absl::Span<const MonitorKey> keys,
                                                            LockMode mode) = 0;
  // As LockMonitors with kSkip, for monitors that come after `after` and whose sweep_at is at or
  // before `now`, in the order of SweepCursor; at most `limit`. When there are as many as that,
  // also the first critical ones of those after them, CriticalBeyond(limit): they do not wait for
  // all.
  virtual absl::StatusOr<DueMonitors> LockDue(const SweepCursor& after, absl::Time now,
                                              int limit) = 0;
  // Key of a monitor, deleted or not.
  virtual absl::StatusOr<std::optional<MonitorKey>> FindMonitor(ProjectKey project,
                                                                const std::string& id) = 0;
  // Adds a monitor; definition.key is ignored, its new key and version are returned.
  // ALREADY_EXISTS when the project has that id, deleted or not.
  virtual absl::StatusOr<MonitorIdentity> InsertMonitor(const Monitor& monitor,
                                                        absl::Time sweep_at) = 0;
  // Writes all of a definition, with a version drawn anew, which is returned.
  virtual absl::StatusOr<int64_t> SaveDefinition(const MonitorDefinition& definition) = 0;
  // Writes states. sweep_at is written exactly, earlier or later (nullopt leaves it alone).
  virtual absl::Status SaveStates(absl::Span<const StateChange> changes) = 0;
  // Adds a token.
  virtual absl::Status AddToken(MonitorKey monitor, const TokenHash& token,
                                absl::Time created_at) = 0;
  // Lets every token of the monitor that lives longer expire at `at`.
  virtual absl::Status ExpireTokens(MonitorKey monitor, absl::Time at) = 0;

  // --- Heartbeats ---

  // Which of these pushes are in the history already: same monitor and push id, received within
  // 15 s of `at`. Call it with the monitors locked.
  virtual absl::StatusOr<std::vector<bool>> FindRecorded(absl::Span<const PushRef> pushes) = 0;
  virtual absl::Status AddHeartbeats(absl::Span<const StoredHeartbeat> heartbeats) = 0;
  // The newest up or down of a monitor, with the end of its output, of those received no later than
  // kHeartbeatsAhead after `now`: a bound that keeps the search out of days to come.
  virtual absl::StatusOr<std::optional<Heartbeat>> NewestHeartbeat(MonitorKey monitor,
                                                                   absl::Time now) = 0;

  // --- Runs that have ended ---

  // Which of these ended at or after `since`. Call it with the monitors locked.
  virtual absl::StatusOr<std::vector<bool>> FindEndedRuns(absl::Span<const RunRef> runs,
                                                          absl::Time since) = 0;
  // Remembers their ends; later ones win.
  virtual absl::Status AddEndedRuns(absl::Span<const RunRef> runs, absl::Time at) = 0;

  // --- Incidents, events, deliveries ---

  virtual absl::StatusOr<IncidentKey> AddIncident(const Incident& incident) = 0;
  // Writes message, closed_at, resolution, reminded_at and held_until of an incident that exists.
  virtual absl::Status SaveIncident(const Incident& incident) = 0;
  virtual absl::StatusOr<std::optional<Incident>> FindIncident(IncidentKey incident) = 0;
  // Adds an event; its key is returned. The feed hears of it by the commit.
  virtual absl::StatusOr<EventKey> AddEvent(const AlertEvent& event) = 0;
  // Adds deliveries, and supersedes waiting ones that are too many, or reminders that something
  // newer follows (see CutBacklog): never one that is leased, also when it is leased at the same
  // time. The monitors are locked.
  virtual absl::Status AddDeliveries(absl::Span<const Delivery> deliveries) = 0;
  // The channels that were given the FIRING of this incident, and how those deliveries stand.
  virtual absl::StatusOr<std::vector<FiringDelivery>> FindFirings(IncidentKey incident) = 0;
  // Supersedes pending deliveries that are not held (see FiringDelivery), also when one is leased
  // at the same time; returns the keys of those it could.
  virtual absl::StatusOr<std::vector<DeliveryKey>> Withdraw(
      absl::Span<const DeliveryKey> deliveries, absl::Time now) = 0;

  // --- What explains why nothing was told ---

  virtual absl::Status AddPassedDeadlines(absl::Span<const PassedDeadline> passed) = 0;
  // The one that failed the monitor at `at` (kMissed or kRunOverran); nullopt when none was added,
  // or it was forgotten.
  virtual absl::StatusOr<std::optional<PassedDeadline>> FindPassedDeadline(MonitorKey monitor,
                                                                           absl::Time at) = 0;
  // The monitors whose tokens these are, or were; nullopt for the others. Deleted monitors are not
  // left out.
  virtual absl::StatusOr<std::vector<std::optional<MonitorKey>>> FindTokenOwners(
      absl::Span<const TokenHash> tokens) = 0;
  // Adds to the counts of the same monitor, minute, reason and source; of those monitors only the
  // newest kMaxRejectedRows are kept.
  virtual absl::Status AddRejectedPushes(absl::Span<const RejectedPush> rejected) = 0;

  // --- Channels ---

  // All channels of a project that are not deleted, by id.
  virtual absl::StatusOr<ChannelList> Channels(ProjectKey project) = 0;
  virtual absl::StatusOr<std::optional<Channel>> LockChannel(ProjectKey project,
                                                             const std::string& id) = 0;
  // ALREADY_EXISTS when the project has that id.
  virtual absl::StatusOr<ChannelKey> InsertChannel(const Channel& channel) = 0;
  virtual absl::Status SaveChannel(const Channel& channel) = 0;
  // Deletes it softly; its pending deliveries are dead.
  virtual absl::Status DeleteChannel(ChannelKey channel, absl::Time now) = 0;
  // A delivery by its `webhook-id`, locked.
  virtual absl::StatusOr<std::optional<Delivery>> LockDelivery(ProjectKey project,
                                                               const std::string& id) = 0;
  virtual absl::Status SaveDelivery(const Delivery& delivery) = 0;

  // --- Maintenances ---

  // Those of every project, also what is over for less than incidents are kept, and what was
  // deleted for less than kDeletedMaintenanceMemory. Read again only when one has changed.
  virtual absl::StatusOr<std::shared_ptr<const Maintenances>> ReadMaintenances() = 0;
  virtual absl::StatusOr<std::optional<Maintenance>> LockMaintenance(ProjectKey project,
                                                                     MaintenanceKind kind,
                                                                     const std::string& id) = 0;
  // How many the project has that end after `now`, or come again and again.
  virtual absl::StatusOr<int64_t> CountMaintenances(ProjectKey project, MaintenanceKind kind,
                                                    absl::Time now) = 0;
  // With a version drawn anew. ALREADY_EXISTS when the project has that id.
  virtual absl::StatusOr<Maintenance> InsertMaintenance(const Maintenance& maintenance) = 0;
  // Writes all of it, with a version drawn anew, which is returned.
  virtual absl::StatusOr<int64_t> SaveMaintenance(const Maintenance& maintenance) = 0;
  virtual absl::Status DeleteMaintenance(MaintenanceKey maintenance) = 0;
  // Notes that the sweeper has to look at these monitors (ids; empty: every one of the project):
  // what moved their deadlines, or held back what is to be told, has changed. Store::WakeSweeps
  // does it once this is committed.
  virtual absl::Status NoteWake(ProjectKey project, absl::Span<const std::string> monitors) = 0;

  // --- Projects and keys ---

  // Keeps the project from being deleted until the transaction ends: for whoever puts something
  // into it. False when it is deleted already. Not exclusive.
  virtual absl::StatusOr<bool> HoldProject(ProjectKey project) = 0;
  // Locks it against every change, and against those that hold it.
  virtual absl::StatusOr<std::optional<Project>> LockProject(const std::string& id) = 0;
  // ALREADY_EXISTS when there is one with that id.
  virtual absl::StatusOr<ProjectIdentity> InsertProject(const Project& project) = 0;
  // Writes all of it, with a version drawn anew, which is returned.
  virtual absl::StatusOr<int64_t> SaveProject(const Project& project) = 0;
  // Whether it has monitors or channels that are not deleted.
  virtual absl::StatusOr<bool> IsInUse(ProjectKey project) = 0;
  // Ends the project, which is locked and not in use, and its keys. Its id is free again.
  virtual absl::Status DeleteProject(ProjectKey project, absl::Time now) = 0;

  // The key of that id, locked: the one that is not revoked, else the one revoked last. `project`
  // is 0 for a key of all projects.
  virtual absl::StatusOr<std::optional<ApiKey>> LockKey(ProjectKey project,
                                                        const std::string& id) = 0;
  // ALREADY_EXISTS when the project has a key of that id that is not revoked.
  virtual absl::StatusOr<ApiKeyIdentity> InsertKey(const ApiKey& key) = 0;
  // Writes all of it but prefix and last use, with a version drawn anew, which is returned.
  virtual absl::StatusOr<int64_t> SaveKey(const ApiKey& key) = 0;
  // ALREADY_EXISTS when the secret is known, of whatever key.
  virtual absl::Status AddKeySecret(ApiKeyKey key, const KeySecret& secret) = 0;
  // Lets every secret of the key that lives longer expire at `at`.
  virtual absl::Status ExpireKeySecrets(ApiKeyKey key, absl::Time at) = 0;
  // Moves last uses forward; the rest of the key is not changed, nor its version.
  virtual absl::Status NoteKeyUses(absl::Span<const KeyUse> uses) = 0;

  // --- Changes ---

  virtual absl::Status AddAudit(const AuditRecord& record) = 0;
  // Remembers a request; unless one of the same actor, method and id was made after `after`: that
  // is returned then, and nothing is written. Waits for another transaction that does the same.
  virtual absl::StatusOr<std::optional<RequestRecord>> ClaimRequest(const RequestRecord& record,
                                                                    absl::Time after) = 0;
  // Writes the version of a request that this transaction claimed.
  virtual absl::Status SaveRequest(const RequestRecord& record) = 0;

  // --- Liveness ---

  virtual absl::StatusOr<std::vector<Touch>> ReadTouches() = 0;
  // Inserts or updates the touch of that instance.
  virtual absl::Status SaveTouch(const Touch& touch) = 0;
  // Removes touches older than `before`.
  virtual absl::Status ForgetTouches(absl::Time before) = 0;
  virtual absl::Status AddGap(const Gap& gap) = 0;
  // Gaps that were not told yet (see MarkGapsTold) and end at or before `ended_by`, oldest first,
  // at most 10,000, locked with skip, so that one replica tells each.
  virtual absl::StatusOr<std::vector<StoredGap>> LockUntoldGaps(absl::Time ended_by) = 0;
  virtual absl::Status MarkGapsTold(absl::Span<const int64_t> keys) = 0;
  // Whether nobody told people yet that no gateway is heard since `since`. From then on these
  // are, so that one replica tells.
  virtual absl::StatusOr<bool> ClaimSilence(absl::Time since, const ToldSilence& told) = 0;
  // The projects that were told, while it lasted, of a silence that began in [from, until] and is
  // over at `now`. What still waits of that is superseded, also when it is leased: it is not to
  // come after its end.
  virtual absl::StatusOr<std::vector<ProjectKey>> EndSilence(absl::Time from, absl::Time until,
                                                             absl::Time now) = 0;
  // Projects with an enabled default channel and monitors that wait for a heartbeat over HTTP:
  // heard or armed, not paused, and not heard over gRPC last. Also those of which so many others
  // come first that it would take long to find one. Ascending, at most 10,000.
  virtual absl::StatusOr<std::vector<ProjectKey>> ProjectsOverHttp() = 0;
  // Monitors (project, full name) that are UP, armed or running and to which the gap may matter:
  // their newest heartbeat lies before gap.end, or they were there at gap.start and may not be
  // silent for as long as it lasted; at most `limit`, ascending by key after `after`.
  virtual absl::StatusOr<std::vector<Monitor>> MonitorsAround(const Gap& gap, MonitorKey after,
                                                              int limit) = 0;
};

}  // namespace tocsin::core
