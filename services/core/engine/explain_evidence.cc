// Gathers what a verdict is made of.
#include "services/core/engine/explain_evidence.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/past_state.h"
#include "services/core/engine/all_maintenances.h"
#include "services/core/engine/monitor_lookup.h"

namespace tocsin::core {
namespace {

// People ask for the time that a clock or a message showed them, to the minute.
constexpr absl::Duration kTolerance = absl::Minutes(1);
constexpr absl::Duration kInstant = absl::Microseconds(1);
constexpr int kMost = 1000;
constexpr int kHeartbeats = 200;

// Of the changes of a project so many are looked at for mutes that were ended early.
constexpr int kProjectChanges = 1000;

// "…/CreateMute" and "CreateMute".
bool IsCallOf(const AuditRecord& record, std::string_view method) {
  const std::string& text = record.caller.method;
  const size_t slash = text.rfind('/');
  return slash != std::string::npos && std::string_view(text).substr(slash + 1) == method;
}

// A mute as its creation tells it.
Maintenance MadeBy(const AuditRecord& creation, const MonitorDefinition& definition) {
  Maintenance mute;
  mute.kind = MaintenanceKind::kMute;
  mute.project = definition.project;
  mute.project_id = definition.project_id;
  mute.id = creation.resource.substr(creation.resource.rfind('/') + 1);
  mute.author = creation.caller.actor;
  mute.start = mute.created_at = mute.end = creation.at;
  for (const FieldChange& change : creation.changes) {
    if (change.field == "reason") mute.reason = change.after;
    if (change.field == "selector") mute.selector = change.after;
    if (change.field == "monitors") mute.monitors = absl::StrSplit(change.after, ", ");
    absl::Time end;
    if (change.field == "expire_time" &&
        absl::ParseTime(absl::RFC3339_full, change.after, &end, nullptr)) {
      mute.end = end;
    }
  }
  return mute;
}

// Of a maintenance that was changed what it was before is kept (see MaintenanceAdmin::Update),
// which says nothing new where the one that is there covers the same windows.
void DropSaidTwice(ExplainSubject& subject) {
  const MonitorDefinition& definition = subject.monitor.definition;
  const Maintenances all = subject.maintenances;
  std::erase_if(subject.maintenances, [&](const Maintenance& old) {
    if (!old.deleted_at.has_value()) return false;
    return std::any_of(all.begin(), all.end(), [&](const Maintenance& now) {
      if (now.deleted_at.has_value() || now.kind != old.kind || now.id != old.id ||
          now.created_at != old.created_at || !Covers(now, definition)) {
        return false;
      }
      if (now.recurring.has_value() || old.recurring.has_value()) {
        return now.recurring == old.recurring;
      }
      return now.start <= old.start && now.end >= std::min(old.end, *old.deleted_at);
    });
  });
}

// Of a mute that a core of the release before ended nothing is kept but what the audit log says of
// it.
absl::Status AddEndedMutes(Store& store, ExplainSubject& subject) {
  AuditQuery query;
  query.project = subject.monitor.definition.project;
  query.limit = kProjectChanges;
  ASSIGN_OR_RETURN(const std::vector<AuditView> views, store.ListAudit(query));
  std::map<std::string, Maintenance> made;  // by name
  for (auto view = views.rbegin(); view != views.rend(); ++view) {
    const AuditRecord& record = view->record;
    if (IsCallOf(record, "CreateMute")) {
      made.insert_or_assign(record.resource, MadeBy(record, subject.monitor.definition));
    }
    if (!IsCallOf(record, "DeleteMute")) continue;
    auto ended = made.extract(record.resource);
    if (ended.empty()) continue;
    const auto is_known = [&](const Maintenance& known) {
      return known.kind == MaintenanceKind::kMute && known.id == ended.mapped().id &&
             known.created_at == ended.mapped().created_at;
    };
    if (std::any_of(subject.maintenances.begin(), subject.maintenances.end(), is_known)) continue;
    ended.mapped().deleted_at = record.at;
    subject.maintenances.push_back(std::move(ended.mapped()));
  }
  return absl::OkStatus();
}

ChangesAround Split(const std::vector<AuditRecord>& changes, absl::Time at) {
  ChangesAround split;
  for (const AuditRecord& record : changes) {
    (record.at <= at ? split.before : split.later).push_back(record);
  }
  return split;
}

absl::StatusOr<std::vector<KnownHeartbeat>> Read(Store& store, const HeartbeatQuery& query) {
  ASSIGN_OR_RETURN(std::vector<StoredHeartbeat> stored, store.ListHeartbeats(query));
  std::vector<KnownHeartbeat> heartbeats;
  heartbeats.reserve(stored.size());
  for (StoredHeartbeat& each : stored) {
    heartbeats.push_back({.heartbeat = std::move(each.heartbeat), .reason = each.reason});
  }
  return heartbeats;
}

// The newest up or down that counted, however much else came after it.
absl::StatusOr<std::optional<KnownHeartbeat>> ReadNewestEnd(Store& store, MonitorKey monitor,
                                                            absl::Time until) {
  ASSIGN_OR_RETURN(const std::vector<KnownHeartbeat> ends, Read(store, {.monitor = monitor,
                                                                        .before = until + kInstant,
                                                                        .limit = kHeartbeats,
                                                                        .ends_only = true}));
  return NewestEnd(ends);
}

// The one that is asked about.
absl::StatusOr<std::optional<Incident>> FindOutage(Store& store, const Monitor& monitor,
                                                   std::optional<absl::Time> at, absl::Time since,
                                                   absl::Time now) {
  if (!at.has_value() && monitor.state.incident.has_value()) return monitor.state.incident;
  const PastQuery query = {.monitor = monitor.definition.key,
                           .start = at.has_value() ? *at - kTolerance : since,
                           .end = at.has_value() ? *at + kTolerance : now,
                           .limit = 1};
  ASSIGN_OR_RETURN(MonitorPast past, store.ReadPast(query));
  if (past.incidents.empty()) return std::nullopt;
  return std::move(past.incidents.front());
}

// Adds what `more` has of the incident.
void Merge(const MonitorPast& more, OutageEvidence& outage) {
  for (const AlertEvent& event : more.events) {
    if (event.incident.key == outage.incident.key && event.type == EventType::kFiring) {
      outage.firing = event;
    }
  }
  for (const DeliveryView& view : more.deliveries) {
    const bool known = std::any_of(
        outage.deliveries.begin(), outage.deliveries.end(),
        [&](const KnownDelivery& other) { return other.delivery.key == view.delivery.key; });
    if (!known) {
      outage.deliveries.push_back({.delivery = view.delivery, .channel = view.channel_id});
    }
  }
  for (const PassedDeadline& passed : more.passed) {
    const bool opened = passed.reason == Reason::kMissed || passed.reason == Reason::kRunOverran;
    if (opened && passed.at == outage.incident.opened_at) outage.passed = passed;
  }
}

// The alert and its messages. What was held back is told later, and messages that tell beginning
// and end in one are made at the end.
absl::Status ReadTold(Store& store, absl::Time now, OutageEvidence& outage) {
  const Incident& incident = outage.incident;
  const absl::Time end = incident.closed_at.value_or(now);
  const auto read = [&](absl::Time from, absl::Time until) -> absl::Status {
    ASSIGN_OR_RETURN(
        const MonitorPast past,
        store.ReadPast({.monitor = incident.monitor, .start = from, .end = until, .limit = kMost}));
    Merge(past, outage);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(read(incident.opened_at - kTolerance, incident.detected_at + kTolerance));
  if (!outage.firing.has_value()) RETURN_IF_ERROR(read(incident.detected_at, end + kTolerance));
  if (outage.firing.has_value()) {
    const absl::Time told = outage.firing->detected_at;
    RETURN_IF_ERROR(read(told - kTolerance, told + kTolerance));
  }
  return read(end - kTolerance, end + kTolerance);
}

absl::StatusOr<OutageEvidence> ReadOutage(Store& store, const ExplainSubject& subject,
                                          const Incident& incident, absl::Time now) {
  OutageEvidence outage;
  outage.incident = incident;
  RETURN_IF_ERROR(ReadTold(store, now, outage));
  ASSIGN_OR_RETURN(outage.before, ReadNewestEnd(store, incident.monitor, incident.opened_at));
  if (incident.closed_at.has_value() && incident.resolution == Resolution::kRecovered) {
    ASSIGN_OR_RETURN(const std::vector<KnownHeartbeat> ended,
                     ReadHeartbeats(store, incident.monitor, *incident.closed_at, 5));
    for (const KnownHeartbeat& known : ended) {
      if (known.heartbeat.at == incident.closed_at && known.reason == Reason::kRecovered) {
        outage.ended = known;
      }
    }
  }
  const absl::Time heard =
      outage.before.has_value() ? outage.before->heartbeat.at : incident.opened_at;
  ASSIGN_OR_RETURN(MonitorPast meanwhile, store.ReadPast({.monitor = incident.monitor,
                                                          .start = heard,
                                                          .end = incident.closed_at.value_or(now),
                                                          .limit = kMost}));
  outage.rejected = std::move(meanwhile.rejected);
  outage.windows = WindowsAt(subject, incident.detected_at);
  ASSIGN_OR_RETURN(const GapList gaps, store.ReadGaps(heard));
  for (const Gap& gap : gaps) {
    if (gap.start <= incident.opened_at) outage.gaps.push_back(gap);
  }
  return outage;
}

}  // namespace

AuditQuery AuditOf(const MonitorDefinition& definition) {
  AuditQuery query;
  query.project = definition.project;
  query.resource = FullName(definition);
  query.start = definition.created_at - kTolerance;
  return query;
}

absl::StatusOr<ExplainSubject> ReadSubject(Store& store, const std::string& project,
                                           const std::string& monitor) {
  ExplainSubject subject;
  ASSIGN_OR_RETURN(std::optional<Monitor> found, store.FindMonitor(project, monitor));
  if (!found.has_value()) return MonitorNotFound(MonitorName(project, monitor));
  subject.monitor = *std::move(found);
  AuditQuery changes = AuditOf(subject.monitor.definition);
  changes.limit = kMost;
  ASSIGN_OR_RETURN(std::vector<AuditView> views, store.ListAudit(changes));
  for (AuditView& view : views) subject.changes.push_back(std::move(view.record));
  MaintenanceQuery query;
  query.project = subject.monitor.definition.project;
  query.with_deleted = true;  // one that was ended early has held back, too
  ASSIGN_OR_RETURN(subject.maintenances, AllMaintenances(store, query));
  DropSaidTwice(subject);
  RETURN_IF_ERROR(AddEndedMutes(store, subject));
  return subject;
}

std::vector<KnownWindow> WindowsAt(const ExplainSubject& subject, absl::Time at) {
  std::vector<KnownWindow> windows;
  for (const Maintenance& maintenance : subject.maintenances) {
    if (!Covers(maintenance, subject.monitor.definition)) continue;
    const std::optional<MaintenanceWindow> window = WindowBegunBy(maintenance, at);
    if (window.has_value() && window->end > at) {
      windows.push_back({.maintenance = maintenance, .window = *window});
    }
  }
  return windows;
}

absl::StatusOr<std::vector<KnownHeartbeat>> ReadHeartbeats(Store& store, MonitorKey monitor,
                                                           absl::Time until, int limit) {
  return Read(store, {.monitor = monitor, .before = until + kInstant, .limit = limit});
}

absl::StatusOr<Evidence> GatherEvidence(Store& store, const ExplainSubject& subject,
                                        std::optional<absl::Time> at, absl::Time since,
                                        absl::Time now) {
  const auto& [definition, present] = subject.monitor;
  Evidence evidence;
  evidence.at = at.value_or(now);
  evidence.now = now;
  ASSIGN_OR_RETURN(std::vector<KnownHeartbeat> heartbeats,
                   ReadHeartbeats(store, definition.key, evidence.at, kHeartbeats));
  evidence.last = NewestEnd(heartbeats);
  if (!evidence.last.has_value()) {
    ASSIGN_OR_RETURN(evidence.last, ReadNewestEnd(store, definition.key, evidence.at));
    if (evidence.last.has_value()) heartbeats.push_back(*evidence.last);
  }
  evidence.heard_later = !evidence.last.has_value() && present.last_at > evidence.at;
  const absl::Time heard =
      evidence.last.has_value() ? evidence.last->heartbeat.at : definition.created_at;
  ASSIGN_OR_RETURN(
      MonitorPast past,
      store.ReadPast(
          {.monitor = definition.key, .start = heard, .end = evidence.at, .limit = kMost}));
  evidence.passed = std::move(past.passed);
  evidence.rejected = std::move(past.rejected);
  const ChangesAround changes = Split(subject.changes, evidence.at);
  evidence.rested = RestedBy(changes);
  evidence.definition = DefinitionBefore(definition, changes.later);
  evidence.state = evidence.at >= now ? present
                                      : StateAt(evidence.definition, present, changes, heartbeats,
                                                evidence.passed, evidence.at);
  ASSIGN_OR_RETURN(GapList gaps, store.ReadGaps(heard));
  std::erase_if(gaps, [&](const Gap& gap) { return gap.start > evidence.at; });
  evidence.gaps = WithMaintenances(gaps, subject.maintenances, evidence.definition, evidence.state,
                                   evidence.at);
  evidence.windows = WindowsAt(subject, evidence.at);
  ChannelQuery channels;
  channels.project = definition.project;
  channels.limit = kMost;
  ASSIGN_OR_RETURN(evidence.channels, store.ListChannels(channels));
  ASSIGN_OR_RETURN(const std::optional<Incident> incident,
                   FindOutage(store, subject.monitor, at, since, now));
  if (incident.has_value()) {
    ASSIGN_OR_RETURN(evidence.outage, ReadOutage(store, subject, *incident, now));
  }
  return evidence;
}

}  // namespace tocsin::core
