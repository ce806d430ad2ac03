// Status → problem.
#include "gateway/rest/problem.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status_details.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

// Whose word the reason is, as in google.rpc.ErrorInfo.
constexpr char kDomain[] = "tocsin";

// What went wrong inside is for the log: the text of such errors was not written for users.
bool IsInternal(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnknown ||
         code == absl::StatusCode::kDataLoss;
}

// gRPC's own words about a connection name addresses of our network.
bool IsFromTheTransport(const absl::Status& status) {
  return absl::IsUnavailable(status) && Reason(status).empty() && !RetryDelay(status);
}

// gRPC has no words for a method that a server has not.
bool IsUnknownMethod(const absl::Status& status) {
  return absl::IsUnimplemented(status) && status.message().empty();
}

std::string Detail(const absl::Status& status) {
  if (IsInternal(status.code())) {
    return "Something went wrong inside; the request id finds the log line.";
  }
  if (IsFromTheTransport(status)) return "Core cannot be reached at the moment; try again.";
  if (absl::IsDeadlineExceeded(status)) {
    return "Core took too long to answer; it may have done what was asked.";
  }
  if (IsUnknownMethod(status)) {
    return "This core does not know the method: it is older than its gateway.";
  }
  return std::string(status.message());
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

std::string ProblemReason(const absl::Status& status) {
  if (std::string reason = Reason(status); !reason.empty()) return reason;
  if (IsInternal(status.code())) return "INTERNAL";
  if (IsFromTheTransport(status)) return "CORE_UNREACHABLE";
  if (absl::IsDeadlineExceeded(status)) return "CORE_TOO_SLOW";
  if (IsUnknownMethod(status)) return "METHOD_UNKNOWN";
  return CodeName(status.code());
}

std::string ProblemJson(const absl::Status& status, std::string_view request_id, int http_status) {
  if (http_status == 0) http_status = HttpStatusOf(status.code());
  std::string json =
      absl::StrCat(R"({"type":"about:blank","title":)", JsonString(http::ReasonPhrase(http_status)),
                   R"(,"status":)", http_status, R"(,"detail":)", JsonString(Detail(status)),
                   R"(,"code":)", JsonString(CodeName(status.code())), R"(,"domain":)",
                   JsonString(kDomain), R"(,"reason":)", JsonString(ProblemReason(status)));
  std::string violations;
  for (const FieldViolation& violation : FieldViolations(status)) {
    absl::StrAppend(&violations, violations.empty() ? "" : ",", R"({"field":)",
                    JsonString(violation.field), R"(,"description":)",
                    JsonString(violation.description), "}");
  }
  if (!violations.empty()) absl::StrAppend(&json, R"(,"violations":[)", violations, "]");
  absl::StrAppend(&json, R"(,"requestId":)", JsonString(request_id), "}");
  return json;
}

http::Response ProblemAnswer(const absl::Status& status, std::string_view request_id,
                             int http_status) {
  http::Response response;
  response.status = http_status != 0 ? http_status : HttpStatusOf(status.code());
  response.content_type = "application/problem+json";
  response.body = ProblemJson(status, request_id, response.status) + "\n";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Request-Id", std::string(request_id)}};
  std::optional<absl::Duration> retry = RetryDelay(status);
  if (!retry && (response.status == 503 || response.status == 429)) retry = absl::Seconds(1);
  if (retry) {
    const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(*retry, absl::Seconds(1)));
    response.headers.emplace_back("Retry-After", std::to_string(std::max<int64_t>(seconds, 1)));
  }
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response NoResourceAnswer(std::string_view request_id) {
  absl::Status status =
      absl::NotFoundError("There is nothing at this path; /docs lists what there is.");
  SetReason(status, "ROUTE_NOT_FOUND");
  return ProblemAnswer(status, request_id);
}

http::Response NotAllowedAnswer(const std::string& allow, std::string_view request_id) {
  absl::Status status =
      absl::UnimplementedError(absl::StrCat("This path can be requested with ", allow, "."));
  SetReason(status, "METHOD_NOT_ALLOWED");
  http::Response response = ProblemAnswer(status, request_id, 405);
  response.headers.emplace_back("Allow", allow);
  return response;
}

http::Response NoJsonAnswer(std::string_view request_id) {
  absl::Status status =
      absl::InvalidArgumentError("The body must be JSON: send Content-Type: application/json.");
  SetReason(status, "UNSUPPORTED_MEDIA_TYPE");
  return ProblemAnswer(status, request_id, 415);
}

}  // namespace tocsin::gateway
