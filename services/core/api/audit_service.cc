// tocsin.v1.AuditService.
#include "services/core/api/audit_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

// Longer than any name.
constexpr size_t kMaxFilterBytes = 512;

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

std::string ReadFilter(const std::string& text, std::string_view field, FieldFaults& faults) {
  if (text.size() > kMaxFilterBytes || !IsCleanText(text)) {
    faults.Add(field, "it is no name", "a full name of at most 512 bytes");
    return "";
  }
  return text;
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
  query.resource = ReadFilter(request.resource(), "resource", faults);
  query.actor = ReadFilter(request.actor(), "actor", faults);
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
  ASSIGN_OR_RETURN(std::vector<AuditView> views, store_.ListAudit(query));
  if (views.size() > static_cast<size_t>(size)) {
    views.resize(size);
    response.set_next_page_token(TokenAfter(scope, views.back()));
  }
  for (const AuditView& view : views) *response.add_audit_entries() = ToProto(view);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AuditServiceHandler::ListAuditEntries(
    grpc::CallbackServerContext* context, const v1::ListAuditEntriesRequest* request,
    v1::ListAuditEntriesResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

}  // namespace tocsin::core
