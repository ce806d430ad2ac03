// Page sizes and tokens, and the end of a unary call.
#include "services/core/api/unary.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

// Longer than any key.
constexpr size_t kMaxTokenBytes = 256;

// Tokens begin with it; one that is made otherwise has another.
constexpr char kTokenVersion = 1;
constexpr size_t kDigestBytes = 8;

constexpr std::string_view kAcceptedToken =
    "next_page_token of the page before, asked for with the same parent, filter, order and the "
    "like";

// Parts are told apart by their lengths.
std::string DigestOf(const ListScope& scope) {
  std::string all;
  for (const std::string& part : scope) absl::StrAppend(&all, part.size(), ":", part);
  return Sha256Bytes(all).substr(0, kDigestBytes);
}

using Log = void (*)(AnyStringView, std::initializer_list<LogField>);

void Tell(Log log, AnyStringView event, const Caller& caller, const absl::Status& status) {
  log(event, {{"call", caller.method},
              {"actor", caller.actor},
              {"source", caller.source},
              {"request_id", caller.request_id},
              {"status", status}});
}

}  // namespace

grpc::Status Answer(const Caller& caller, const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      Tell(LogError, "call_failed", caller, status);
      return ToGrpcStatus(InternalFailure());
    case absl::StatusCode::kUnknown:
      Tell(LogWarning, "call_in_doubt", caller, status);
      return ToGrpcStatus(TryAgain("it is not known whether the change was made"));
    case absl::StatusCode::kUnavailable:
      return ToGrpcStatus(tocsin::Reason(status).empty() ? TryAgain(std::string(status.message()))
                                                         : status);
    case absl::StatusCode::kOk:
    case absl::StatusCode::kCancelled:
      return ToGrpcStatus(status);
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      // Not louder: who has no key can make any number of these.
      Tell(LogDebug, "call_refused", caller, status);
      return ToGrpcStatus(status);
    default:
      // What users are told has a reason; this is the store's, and not for them.
      if (tocsin::Reason(status).empty()) {
        Tell(LogError, "call_failed", caller, status);
        return ToGrpcStatus(InternalFailure());
      }
      return ToGrpcStatus(status);
  }
}

grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, const Caller& caller,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(Answer(caller, status));
  return reactor;
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kDefaultPageSize;
  if (asked < 0) {
    return InvalidField("page_size", absl::StrCat("it is ", asked),
                        absl::StrCat("0 to ", kMaxPageSize));
  }
  return std::min(asked, kMaxPageSize);
}

std::string PageToken(const ListScope& scope, std::string_view last_key) {
  std::string bytes(1, kTokenVersion);
  absl::StrAppend(&bytes, DigestOf(scope), std::string(last_key));
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::string> PageKey(const ListScope& scope, const std::string& token) {
  std::string bytes;
  if (token.empty()) return bytes;
  constexpr size_t kHeadBytes = 1 + kDigestBytes;
  if (token.size() > kMaxTokenBytes || !absl::WebSafeBase64Unescape(token, &bytes) ||
      bytes.size() <= kHeadBytes || bytes[0] != kTokenVersion ||
      !IsCleanText(bytes.substr(kHeadBytes))) {
    return BadPageToken();
  }
  if (bytes.compare(1, kDigestBytes, DigestOf(scope)) != 0) {
    return InvalidField("page_token", "it is of another list", kAcceptedToken);
  }
  return bytes.substr(kHeadBytes);
}

std::string NumericPageToken(const ListScope& scope, int64_t last_key) {
  return PageToken(scope, absl::StrCat(last_key));
}

absl::StatusOr<int64_t> NumericPageKey(const ListScope& scope, const std::string& token) {
  if (token.empty()) return 0;
  ASSIGN_OR_RETURN(const std::string key, PageKey(scope, token));
  int64_t number = 0;
  if (!absl::SimpleAtoi(key, &number) || number <= 0) return BadPageToken();
  return number;
}

absl::Status BadPageToken() {
  return InvalidField("page_token", "it is none of ours", kAcceptedToken);
}

absl::StatusOr<ProjectKey> RequireProject(Store& store, const std::string& project_id) {
  ASSIGN_OR_RETURN(const std::optional<ProjectKey> key, store.FindProject(project_id));
  if (!key) return ProjectNotFound(ProjectName(project_id));
  return *key;
}

absl::StatusOr<MonitorKey> MonitorKeyOf(Store& store, const std::string& name,
                                        const std::string& project_id) {
  ASSIGN_OR_RETURN(const ResourceName parsed, ParseMonitorName(name, "monitor"));
  if (parsed.project != project_id) {
    return InvalidField("monitor", "it lies in another project", "a monitor of the parent");
  }
  ASSIGN_OR_RETURN(const std::optional<Monitor> monitor,
                   store.FindMonitor(parsed.project, parsed.id));
  if (!monitor) return MonitorNotFound(name);
  return monitor->definition.key;
}

}  // namespace tocsin::core
