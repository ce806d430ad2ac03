// tocsin.v1.TimelineService.
#include "services/core/api/timeline_service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/engine/explainer.h"

namespace tocsin::core {
namespace {

constexpr int kDefaultRecords = 200;
// So much around the time that is asked about is shown when nothing is said.
constexpr absl::Duration kBefore = absl::Hours(24);
constexpr absl::Duration kAfter = absl::Hours(1);
constexpr absl::Duration kLongest = absl::Hours(24 * 400);

v1::Verdict::Answer ToProto(VerdictAnswer answer) {
  switch (answer) {
    case VerdictAnswer::kRang:
      return v1::Verdict::ANSWER_RANG;
    case VerdictAnswer::kHeldBack:
      return v1::Verdict::ANSWER_HELD_BACK;
    case VerdictAnswer::kNotDelivered:
      return v1::Verdict::ANSWER_NOT_DELIVERED;
    case VerdictAnswer::kQuiet:
      return v1::Verdict::ANSWER_QUIET;
    case VerdictAnswer::kNotWatched:
      return v1::Verdict::ANSWER_NOT_WATCHED;
    case VerdictAnswer::kUnknown:
      break;
  }
  return v1::Verdict::ANSWER_UNSPECIFIED;
}

v1::TimelineEntry::Kind ToProto(EntryKind kind) {
  switch (kind) {
    case EntryKind::kHeartbeat:
      return v1::TimelineEntry::KIND_HEARTBEAT;
    case EntryKind::kRejectedPush:
      return v1::TimelineEntry::KIND_REJECTED_PUSH;
    case EntryKind::kTransition:
      return v1::TimelineEntry::KIND_TRANSITION;
    case EntryKind::kAlert:
      return v1::TimelineEntry::KIND_ALERT;
    case EntryKind::kDelivery:
      return v1::TimelineEntry::KIND_DELIVERY;
    case EntryKind::kOwnOutage:
      return v1::TimelineEntry::KIND_OWN_OUTAGE;
    case EntryKind::kMaintenance:
      return v1::TimelineEntry::KIND_MAINTENANCE;
    case EntryKind::kMute:
      return v1::TimelineEntry::KIND_MUTE;
    case EntryKind::kChange:
      return v1::TimelineEntry::KIND_CHANGE;
  }
  return v1::TimelineEntry::KIND_UNSPECIFIED;
}

v1::TimelineEntry ToProto(const TimelineEntry& entry) {
  v1::TimelineEntry out;
  *out.mutable_time() = ToTimestamp(entry.at);
  if (entry.end) *out.mutable_end_time() = ToTimestamp(*entry.end);
  out.set_kind(ToProto(entry.kind));
  out.set_count(entry.count);
  out.set_what(entry.what);
  out.set_why(entry.why);
  out.set_resource(entry.resource);
  out.set_actor(entry.actor);
  if (entry.deadline) *out.mutable_deadline_time() = ToTimestamp(*entry.deadline);
  out.set_settings(entry.settings);
  return out;
}

// "micros.skip".
std::string PlaceKey(const TimelinePlace& place) {
  return absl::StrCat(absl::ToUnixMicros(place.at), ".", place.skip);
}

absl::StatusOr<std::optional<TimelinePlace>> ReadPlace(const ListScope& scope,
                                                       const std::string& token) {
  ASSIGN_OR_RETURN(const std::string key, PageKey(scope, token));
  if (key.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(key, '.');
  int64_t micros = 0;
  TimelinePlace place;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &micros) ||
      !absl::SimpleAtoi(parts[1], &place.skip) || place.skip < 0 || place.skip > kMaxPageSize) {
    return BadPageToken();
  }
  place.at = absl::FromUnixMicros(micros);
  return place;
}

}  // namespace

TimelineServiceHandler::TimelineServiceHandler(Gate& gate, Store& store, const Clock& clock)
    : gate_(gate), store_(store), clock_(clock) {}

absl::Status TimelineServiceHandler::Explain(const v1::ExplainMonitorRequest& request,
                                             v1::ExplainMonitorResponse& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMonitorName(request.name(), "name"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const absl::Time now = clock_.Now();
  ExplainQuestion question;
  question.project = name.project;
  question.monitor = name.id;
  question.limit = request.page_size() == 0 ? kDefaultRecords : size;
  if (request.has_at()) question.at = FromTimestamp(request.at());
  if (question.at.value_or(now) > now) {
    return InvalidField("at", "it is in the future", "a time that has come, or none");
  }
  const absl::Time at = question.at.value_or(now);
  // Scope of a page token: what was asked, not what it defaults to, which moves.
  const ListScope scope = {"ExplainMonitor", request.name(), request.at().ShortDebugString(),
                           request.start_time().ShortDebugString(),
                           request.end_time().ShortDebugString()};
  ASSIGN_OR_RETURN(question.place, ReadPlace(scope, request.page_token()));
  question.end = request.has_end_time()    ? FromTimestamp(request.end_time())
                 : question.at.has_value() ? std::min(at + kAfter, now)
                                           : now;
  question.start = request.has_start_time() ? FromTimestamp(request.start_time())
                                            : std::min(at, question.end) - kBefore;
  if (question.end < question.start || question.end - question.start > kLongest) {
    return InvalidField("end_time", "it is before the beginning, or too long after it",
                        "a time at most 400 days after start_time");
  }
  Explanation explanation;
  while (true) {
    ASSIGN_OR_RETURN(explanation, core::ExplainMonitor(store_, question, now));
    const size_t shown =
        AddFitting(explanation.entries, explanation.entries.size(), *response.mutable_entries(),
                   [](const TimelineEntry& entry) { return ToProto(entry); });
    if (shown == explanation.entries.size()) break;
    // How many records make so many entries is known only afterwards.
    question.limit /= 2;
    response.clear_entries();
  }
  *response.mutable_at() = ToTimestamp(at);
  *response.mutable_start_time() = ToTimestamp(question.start);
  *response.mutable_end_time() = ToTimestamp(question.end);
  v1::Verdict& verdict = *response.mutable_verdict();
  verdict.set_answer(ToProto(explanation.verdict.answer));
  verdict.set_reason(explanation.verdict.reason);
  for (const std::string& sentence : explanation.verdict.sentences) {
    verdict.add_sentences(sentence);
  }
  if (explanation.incident != 0) {
    verdict.set_incident(IncidentName(name.project, explanation.incident));
  }
  if (explanation.next.has_value()) {
    response.set_next_page_token(PageToken(scope, PlaceKey(*explanation.next)));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* TimelineServiceHandler::ExplainMonitor(
    grpc::CallbackServerContext* context, const v1::ExplainMonitorRequest* request,
    v1::ExplainMonitorResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access&) { return Explain(*request, *response); });
}

}  // namespace tocsin::core
