// A store in front of another that breaks as databases and networks do, by a seeded plan.
#include "tests/simulation/faulty_store.h"

#include <utility>

#include "common/status_macros.h"

namespace tocsin::core::simulation {
namespace {

absl::Status Away() { return absl::UnavailableError("the database is away"); }
absl::Status InDoubt() { return absl::UnknownError("the connection was lost while committing"); }

}  // namespace

FaultyStore::FaultyStore(Store& inner, uint64_t seed) : inner_(inner), random_(seed) {}

Fault FaultyStore::Draw() {
  if (away_) return Fault::kBefore;
  int drawn = std::uniform_int_distribution<int>(0, 999)(random_);
  const auto takes = [&](int rate) {
    drawn -= rate;
    return drawn < 0;
  };
  Fault fault = Fault::kNone;
  if (takes(rates_.fail_before)) {
    fault = Fault::kBefore;
  } else if (takes(rates_.roll_back)) {
    fault = Fault::kRollBack;
  } else if (takes(rates_.in_doubt_written)) {
    fault = Fault::kInDoubtWritten;
  } else if (takes(rates_.in_doubt_lost)) {
    fault = Fault::kInDoubtLost;
  }
  if (fault != Fault::kNone) ++faults_;
  return fault;
}

Fault FaultyStore::DrawForWrite() {
  absl::MutexLock lock(&mutex_);
  const Fault next = std::exchange(next_, Fault::kNone);
  if (next == Fault::kNone) return Draw();
  away_ |= std::exchange(dies_, false);
  return next;
}

absl::Status FaultyStore::BeforeRead() {
  absl::MutexLock lock(&mutex_);
  return Draw() == Fault::kBefore ? Away() : absl::OkStatus();
}

absl::Status FaultyStore::Transact(TransactionClass klass,
                                   absl::FunctionRef<absl::Status(Transaction&)> body) {
  const Fault fault = DrawForWrite();
  switch (fault) {
    case Fault::kBefore:
      return Away();
    case Fault::kInDoubtLost:
    case Fault::kRollBack: {
      // The body sees its own writes, then all of it is undone.
      const absl::Status undone =
          inner_.Transact(klass, [&](Transaction& transaction) -> absl::Status {
            RETURN_IF_ERROR(body(transaction));
            return Away();
          });
      if (!absl::IsUnavailable(undone)) return undone;
      return fault == Fault::kRollBack ? undone : InDoubt();
    }
    case Fault::kInDoubtWritten:
      RETURN_IF_ERROR(inner_.Transact(klass, body));
      return InDoubt();
    case Fault::kNone:
      break;
  }
  return inner_.Transact(klass, body);
}

absl::StatusOr<std::vector<MonitorKey>> FaultyStore::RecordSteadyUps(
    int committer, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) {
  switch (DrawForWrite()) {
    case Fault::kBefore:
    case Fault::kRollBack:
      return Away();
    case Fault::kInDoubtLost:
      return InDoubt();
    case Fault::kInDoubtWritten:
      RETURN_IF_ERROR(inner_.RecordSteadyUps(committer, newest, folded).status());
      return InDoubt();
    case Fault::kNone:
      break;
  }
  return inner_.RecordSteadyUps(committer, newest, folded);
}

absl::StatusOr<std::vector<LeasedDelivery>> FaultyStore::LeaseDeliveries(
    const LeaseRequest& request) {
  switch (DrawForWrite()) {
    case Fault::kBefore:
    case Fault::kRollBack:
    case Fault::kInDoubtLost:
      return Away();
    case Fault::kInDoubtWritten:  // leased to nobody, until the lease expires
      RETURN_IF_ERROR(inner_.LeaseDeliveries(request).status());
      return InDoubt();
    case Fault::kNone:
      break;
  }
  return inner_.LeaseDeliveries(request);
}

absl::StatusOr<ReportEffects> FaultyStore::ApplyReports(absl::Span<const DeliveryReport> reports,
                                                        absl::Time now) {
  switch (DrawForWrite()) {
    case Fault::kBefore:
    case Fault::kRollBack:
    case Fault::kInDoubtLost:
      return Away();
    case Fault::kInDoubtWritten:
      RETURN_IF_ERROR(inner_.ApplyReports(reports, now).status());
      return InDoubt();
    case Fault::kNone:
      break;
  }
  return inner_.ApplyReports(reports, now);
}

absl::StatusOr<absl::Time> FaultyStore::NextDeliveryAt() {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.NextDeliveryAt();
}

absl::StatusOr<std::optional<Monitor>> FaultyStore::FindMonitor(const std::string& project,
                                                                const std::string& id) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.FindMonitor(project, id);
}

absl::StatusOr<MonitorPage> FaultyStore::ListMonitors(const MonitorQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListMonitors(query);
}

absl::StatusOr<std::optional<MonitorView>> FaultyStore::ReadMonitor(const std::string& project,
                                                                    const std::string& id) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadMonitor(project, id);
}

absl::StatusOr<std::vector<StoredHeartbeat>> FaultyStore::ListHeartbeats(
    const HeartbeatQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListHeartbeats(query);
}

absl::StatusOr<std::vector<IncidentView>> FaultyStore::ListIncidents(const IncidentQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListIncidents(query);
}

absl::StatusOr<std::optional<IncidentView>> FaultyStore::ReadIncident(const std::string& project,
                                                                      IncidentKey key) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadIncident(project, key);
}

absl::StatusOr<std::vector<Channel>> FaultyStore::ListChannels(const ChannelQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListChannels(query);
}

absl::StatusOr<std::vector<Maintenance>> FaultyStore::ListMaintenances(
    const MaintenanceQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListMaintenances(query);
}

absl::StatusOr<std::vector<DeliveryView>> FaultyStore::ListDeliveries(const DeliveryQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListDeliveries(query);
}

absl::StatusOr<std::optional<ProjectKey>> FaultyStore::FindProject(const std::string& id) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.FindProject(id);
}

absl::StatusOr<std::vector<Project>> FaultyStore::ListProjects(const ProjectQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListProjects(query);
}

absl::StatusOr<std::optional<Project>> FaultyStore::ReadProject(const std::string& id) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadProject(id);
}

absl::StatusOr<std::vector<ApiKey>> FaultyStore::ListKeys(const KeyQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListKeys(query);
}

absl::StatusOr<std::optional<KeyMatch>> FaultyStore::FindKeyBySecret(const SecretHash& hash) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.FindKeyBySecret(hash);
}

absl::StatusOr<int64_t> FaultyStore::CountMonitors(ProjectKey project, int64_t up_to) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.CountMonitors(project, up_to);
}

absl::StatusOr<std::vector<AuditView>> FaultyStore::ListAudit(const AuditQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ListAudit(query);
}

absl::StatusOr<MonitorPast> FaultyStore::ReadPast(const PastQuery& query) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadPast(query);
}

absl::StatusOr<GapList> FaultyStore::ReadGaps(absl::Time since) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadGaps(since);
}

absl::StatusOr<absl::Time> FaultyStore::NextSweepAt(const SweepCursor& after) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.NextSweepAt(after);
}

absl::StatusOr<std::vector<ProjectKey>> FaultyStore::TroubledProjects() {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.TroubledProjects();
}

absl::StatusOr<Census> FaultyStore::TakeCensus(absl::Time now) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.TakeCensus(now);
}

absl::StatusOr<int> FaultyStore::SequenceFeed(int limit) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.SequenceFeed(limit);
}

absl::StatusOr<std::vector<FeedEntry>> FaultyStore::ReadFeed(ProjectKey project, int64_t after,
                                                             int64_t up_to, int limit) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadFeed(project, after, up_to, limit);
}

absl::StatusOr<FeedEnd> FaultyStore::ReadFeedEnd() {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadFeedEnd();
}

absl::StatusOr<absl::Time> FaultyStore::ReadDatabaseClock() {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.ReadDatabaseClock();
}

absl::StatusOr<bool> FaultyStore::Maintain(const RetentionPolicy& policy, absl::Time now) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.Maintain(policy, now);
}

absl::StatusOr<bool> FaultyStore::WakeSweeps(int most, absl::Time now) {
  RETURN_IF_ERROR(BeforeRead());
  return inner_.WakeSweeps(most, now);
}

News FaultyStore::WaitForNews(absl::Duration timeout) { return inner_.WaitForNews(timeout); }

void FaultyStore::StopWaiting() { inner_.StopWaiting(); }

}  // namespace tocsin::core::simulation
