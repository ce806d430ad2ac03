// tocsin.internal.v1.RejectionService.
#include "services/core/api/rejection_service.h"

#include <algorithm>
#include <vector>

#include "common/status_macros.h"
#include "services/core/api/serve.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"
#include "services/core/engine/rejection_recorder.h"

namespace tocsin::core {
namespace {

constexpr int kMostReported = 1000;
// As with pushes: a gateway's monotonic clock may stand still.
constexpr absl::Duration kOldest = absl::Minutes(1);

// nullopt: of a newer gateway, or none of ours.
std::optional<Rejection> ReasonOf(internal::v1::RejectionReason reason) {
  switch (reason) {
    case internal::v1::REJECTION_REASON_BAD_PARAMETER:
      return Rejection::kBadParameter;
    case internal::v1::REJECTION_REASON_TOO_LARGE:
      return Rejection::kTooLarge;
    case internal::v1::REJECTION_REASON_TOO_OFTEN:
      return Rejection::kTooOften;
    case internal::v1::REJECTION_REASON_UNKNOWN_TOKEN:
      return Rejection::kUnknownToken;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::Status RejectionServiceHandler::Report(const internal::v1::ReportRejectionsRequest& request) {
  if (request.rejections_size() > kMostReported) {
    return InvalidField("rejections", "there are too many", "at most 1,000");
  }
  const absl::Time now = clock_.Now();
  std::vector<ReportedRejection> reported;
  for (const internal::v1::Rejections& each : request.rejections()) {
    const std::optional<Rejection> reason = ReasonOf(each.reason());
    ReportedRejection out;
    if (!reason.has_value() || each.count() < 1 || each.token_hash().size() != out.secret.size()) {
      continue;
    }
    std::copy(each.token_hash().begin(), each.token_hash().end(), out.secret.begin());
    out.monitor_id = each.monitor_id();
    const absl::Duration age =
        std::clamp(absl::Microseconds(each.age_micros()), absl::ZeroDuration(), kOldest);
    out.push.newest = now - age;
    out.push.minute = absl::FromUnixSeconds(absl::ToUnixSeconds(out.push.newest) / 60 * 60);
    out.push.reason = *reason;
    out.push.source = CleanText(each.source(), kMaxRejectionSourceBytes);
    out.push.count = each.count();
    out.push.detail = CleanText(each.detail(), kMaxRejectionDetailBytes);
    reported.push_back(std::move(out));
  }
  return RecordRejections(store_, std::move(reported));
}

grpc::ServerUnaryReactor* RejectionServiceHandler::ReportRejections(
    grpc::CallbackServerContext* context, const internal::v1::ReportRejectionsRequest* request,
    internal::v1::ReportRejectionsResponse* /*response*/) {
  return Serve(gate_, context, *request, [&](const Access&) { return Report(*request); });
}

}  // namespace tocsin::core
