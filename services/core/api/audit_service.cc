// tocsin.v1.AuditService.
#include "services/core/api/audit_service.h"

#include <string>
#include <utility>
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
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

// What entries name. Anything else was mistyped, and an empty list would not say so.
constexpr std::string_view kResources =
    "projects/{project}, or below that /monitors/{monitor}, /channels/{channel}, /keys/{key} or "
    "/deliveries/{delivery}";
constexpr std::string_view kActors = "projects/{project}/keys/{key}, anonymous or system";

constexpr size_t kMaxShownBytes = 128;  // of what is refused

bool IsNameWithId(const absl::StatusOr<ResourceName>& name) {
  return name.ok() && IsResourceId(name->id) &&
         (IsResourceId(name->project) || name->project == kAnyProject);
}

bool CanBeActor(const std::string& text) {
  return text == "anonymous" || text == "system" || IsNameWithId(ParseKeyName(text, "actor"));
}

bool CanBeResource(const std::string& text) {
  const absl::StatusOr<std::string> project = ParseProjectName(text, "resource");
  return (project.ok() && IsResourceId(*project)) ||
         IsNameWithId(ParseMonitorName(text, "resource")) ||
         IsNameWithId(ParseChannelName(text, "resource")) ||
         IsNameWithId(ParseKeyName(text, "resource")) || ParseDeliveryName(text, "resource").ok();
}

// Empty asks for nothing.
void RefuseUnless(bool possible, const std::string& text, std::string_view field,
                  std::string_view accepted, FieldFaults& faults) {
  if (text.empty() || possible) return;
  faults.Add(field, absl::StrCat("\"", CleanText(text, kMaxShownBytes), "\" names none"), accepted);
}

// "MICROS.KEY" of the last entry of a page.
std::string TokenAfter(const ListScope& scope, const AuditView& last) {
  return PageToken(scope, absl::StrCat(absl::ToUnixMicros(last.record.at), ".", last.key));
}

void ReadToken(const ListScope& scope, const std::string& token, AuditQuery& query,
               FieldFaults& faults) {
  if (token.empty()) return;
  const std::string key = faults.Take(PageKey(scope, token));
  if (key.empty()) return;
  const std::pair<std::string, std::string> parts = absl::StrSplit(key, absl::MaxSplits('.', 1));
  int64_t micros = 0;
  if (!absl::SimpleAtoi(parts.first, &micros) ||
      !absl::SimpleAtoi(parts.second, &query.before_key)) {
    faults.Append(BadPageToken(), "");
  }
  query.before = absl::FromUnixMicros(micros);
}

}  // namespace

AuditServiceHandler::AuditServiceHandler(Gate& gate, Store& store) : gate_(gate), store_(store) {}

absl::Status AuditServiceHandler::List(const v1::ListAuditEntriesRequest& request,
                                       v1::ListAuditEntriesResponse& response) {
  FieldFaults faults;
  const std::string project =
      faults.Take(ParseParent(request.parent(), "parent", /*any_allowed=*/true));
  const int size = faults.Take(PageSize(request.page_size()));
  AuditQuery query;
  query.resource = request.resource();
  query.actor = request.actor();
  RefuseUnless(CanBeResource(query.resource), query.resource, "resource", kResources, faults);
  RefuseUnless(CanBeActor(query.actor), query.actor, "actor", kActors, faults);
  const ListScope scope = {"audit",
                           project,
                           query.resource,
                           query.actor,
                           request.start_time().ShortDebugString(),
                           request.end_time().ShortDebugString()};
  ReadToken(scope, request.page_token(), query, faults);
  RETURN_IF_ERROR(faults.ToStatus());
  if (request.has_start_time()) query.start = FromTimestamp(request.start_time());
  if (request.has_end_time()) query.end = FromTimestamp(request.end_time());
  if (project != kAnyProject) {
    ASSIGN_OR_RETURN(query.project, RequireProject(store_, project));
  }
  query.limit = size + 1;  // one more than shown says whether there is a next page
  ASSIGN_OR_RETURN(const std::vector<AuditView> views, store_.ListAudit(query));
  const size_t shown = AddFitting(views, size, *response.mutable_audit_entries(),
                                  [](const AuditView& view) { return ToProto(view); });
  if (shown < views.size()) response.set_next_page_token(TokenAfter(scope, views[shown - 1]));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AuditServiceHandler::ListAuditEntries(
    grpc::CallbackServerContext* context, const v1::ListAuditEntriesRequest* request,
    v1::ListAuditEntriesResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

}  // namespace tocsin::core
