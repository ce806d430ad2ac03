// Why a monitor rang, or why it did not, from what the store keeps.
#include "services/core/engine/explainer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/names.h"
#include "services/core/domain/unwatched.h"
#include "services/core/engine/explain_evidence.h"

namespace tocsin::core {
namespace {

constexpr absl::Duration kInstant = absl::Microseconds(1);
// Of the changes of a project so many are looked at for those of mutes and maintenances.
constexpr int kProjectChanges = 1000;

// Collects the entries of one page: the newest `most` of each kind between `start` and `end`.
class Gathering {
 public:
  Gathering(Store& store, const ExplainSubject& subject, absl::Time start, absl::Time end, int most)
      : store_(store), subject_(subject), start_(start), end_(end), most_(most) {}

  absl::StatusOr<std::vector<TimelineEntry>> Gather() && {
    RETURN_IF_ERROR(AddHeartbeats());
    RETURN_IF_ERROR(AddPast());
    RETURN_IF_ERROR(AddChanges());
    RETURN_IF_ERROR(AddSilences());
    AddWindows();
    ASSIGN_OR_RETURN(const GapList gaps, store_.ReadGaps(start_));
    for (const Gap& gap : gaps) {
      if (gap.end >= definition().created_at) Add(EntryOf(gap));
    }
    Sort(entries_);
    return std::move(entries_);
  }

 private:
  const MonitorDefinition& definition() const { return subject_.monitor.definition; }

  void Add(TimelineEntry entry) {
    if (entry.at >= start_ && entry.at <= end_) entries_.push_back(std::move(entry));
  }

  absl::Status AddHeartbeats() {
    ASSIGN_OR_RETURN(const std::vector<KnownHeartbeat> heartbeats,
                     ReadHeartbeats(store_, definition().key, end_, most_));
    for (const KnownHeartbeat& known : heartbeats) Add(EntryOf(known));
    return absl::OkStatus();
  }

  absl::Status AddPast() {
    ASSIGN_OR_RETURN(
        const MonitorPast past,
        store_.ReadPast(
            {.monitor = definition().key, .start = start_, .end = end_, .limit = most_}));
    const std::string& project = definition().project_id;
    for (const Incident& incident : past.incidents) {
      const auto opening =
          std::find_if(past.events.begin(), past.events.end(), [&](const AlertEvent& event) {
            return event.type == EventType::kFiring && event.incident.key == incident.key;
          });
      Add(BeginningOf(incident, opening == past.events.end() ? nullptr : &*opening, project));
      if (std::optional<TimelineEntry> end = EndOf(incident, project)) Add(*std::move(end));
    }
    for (const AlertEvent& event : past.events) Add(EntryOf(event));
    for (const DeliveryView& view : past.deliveries) {
      Add(EntryOf({.delivery = view.delivery, .channel = view.channel_id}, project));
    }
    for (const PassedDeadline& passed : past.passed) Add(EntryOf(passed));
    for (const RejectedPush& rejected : past.rejected) Add(EntryOf(rejected));
    return absl::OkStatus();
  }

  absl::Status AddChanges() {
    AuditQuery query = AuditOf(definition());
    query.start = std::max(query.start, start_);
    query.end = end_ + kInstant;
    query.limit = most_;
    ASSIGN_OR_RETURN(const std::vector<AuditView> views, store_.ListAudit(query));
    for (const AuditView& view : views) Add(EntryOf(view.record));
    return absl::OkStatus();
  }

  // What was changed about mutes and maintenances: those that were deleted are known by it only.
  absl::Status AddSilences() {
    AuditQuery query;
    query.project = definition().project;
    query.start = start_;
    query.end = end_ + kInstant;
    query.limit = kProjectChanges;
    ASSIGN_OR_RETURN(const std::vector<AuditView> views, store_.ListAudit(query));
    for (const AuditView& view : views) {
      if (IsSilenceOfIt(view.record)) Add(EntryOf(view.record));
    }
    return absl::OkStatus();
  }

  bool IsSilenceOfIt(const AuditRecord& record) const {
    if (!absl::StrContains(record.resource, "/mutes/") &&
        !absl::StrContains(record.resource, "/maintenances/")) {
      return false;
    }
    Maintenance said;
    said.project = definition().project;
    for (const FieldChange& change : record.changes) {
      const std::string& value = change.after.empty() ? change.before : change.after;
      if (change.field == "selector") said.selector = value;
      if (change.field == "all_monitors") said.all_monitors = value == "true";
      if (change.field == "monitors") said.monitors = absl::StrSplit(value, ", ");
    }
    const auto is_it = [&](const Maintenance& maintenance) {
      const bool mute = maintenance.kind == MaintenanceKind::kMute;
      return record.resource == (mute ? MuteName(maintenance.project_id, maintenance.id)
                                      : MaintenanceName(maintenance.project_id, maintenance.id));
    };
    return Covers(said, definition()) ||
           std::any_of(subject_.maintenances.begin(), subject_.maintenances.end(),
                       [&](const Maintenance& maintenance) {
                         return is_it(maintenance) && Covers(maintenance, definition());
                       });
  }

  void AddWindows() {
    int looked = 0;  // at all of them together
    for (const Maintenance& maintenance : subject_.maintenances) {
      if (!Covers(maintenance, definition())) continue;
      absl::Time at = end_;
      while (looked++ < kMostWindowsInAll) {
        const std::optional<MaintenanceWindow> window = WindowBegunBy(maintenance, at);
        if (!window.has_value() || window->start < start_) break;
        Add(EntryOf(KnownWindow{.maintenance = maintenance, .window = *window}));
        if (!maintenance.recurring.has_value()) break;
        at = window->start - kInstant;
      }
    }
  }

  Store& store_;
  const ExplainSubject& subject_;
  const absl::Time start_;
  const absl::Time end_;
  const int most_;
  std::vector<TimelineEntry> entries_;
};

// Cuts the entries to the newest `limit` of what the place leaves, and says where the next page
// goes on.
std::optional<TimelinePlace> CutPage(std::vector<TimelineEntry>& entries,
                                     const TimelinePlace& place, int limit) {
  for (int i = 0; i < place.skip && !entries.empty() && entries.back().at == place.at; ++i) {
    entries.pop_back();
  }
  const int excess = static_cast<int>(entries.size()) - limit;
  if (excess <= 0) return std::nullopt;
  entries.erase(entries.begin(), entries.begin() + excess);
  TimelinePlace next = {.at = entries.front().at, .skip = 0};
  for (const TimelineEntry& entry : entries) next.skip += entry.at == next.at;
  if (next.at == place.at) next.skip += place.skip;
  return next;
}

}  // namespace

absl::StatusOr<Explanation> ExplainMonitor(Store& store, const ExplainQuestion& question,
                                           absl::Time now) {
  ASSIGN_OR_RETURN(const ExplainSubject subject,
                   ReadSubject(store, question.project, question.monitor));
  ASSIGN_OR_RETURN(const Evidence evidence,
                   GatherEvidence(store, subject, question.at, question.start, now));
  Explanation explanation;
  explanation.definition = subject.monitor.definition;
  explanation.verdict = Explain(evidence);
  if (evidence.outage.has_value()) explanation.incident = evidence.outage->incident.key;
  const TimelinePlace place = question.place.value_or(TimelinePlace{.at = question.end});
  const int most = question.limit + place.skip + 1;
  ASSIGN_OR_RETURN(std::vector<TimelineEntry> entries,
                   Gathering(store, subject, question.start, place.at, most).Gather());
  explanation.next = CutPage(entries, place, question.limit);
  explanation.entries = Folded(std::move(entries));
  return explanation;
}

}  // namespace tocsin::core
