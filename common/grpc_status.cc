// absl::Status ⇄ grpc::Status. The codes have the same numbers in both.
#include "common/grpc_status.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/status_details.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tocsin/internal/v1/error_info.pb.h"

namespace tocsin {
namespace {

using internal::v1::ErrorInfo;

constexpr char kDomain[] = "tocsin";
constexpr char kErrorInfoType[] = "type.googleapis.com/google.rpc.ErrorInfo";

void PackDetails(const absl::Status& status, google::rpc::Status& out) {
  if (std::string reason = Reason(status); !reason.empty()) {
    ErrorInfo info;
    info.set_reason(reason);
    info.set_domain(kDomain);
    for (auto& [key, value] : Metadata(status)) (*info.mutable_metadata())[key] = value;
    google::protobuf::Any* detail = out.add_details();
    detail->set_type_url(kErrorInfoType);
    info.SerializeToString(detail->mutable_value());
  }
  if (auto violations = FieldViolations(status); !violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (FieldViolation& violation : violations) {
      auto* field = bad_request.add_field_violations();
      field->set_field(std::move(violation.field));
      field->set_description(std::move(violation.description));
    }
    out.add_details()->PackFrom(bad_request);
  }
  if (std::optional<absl::Duration> delay = RetryDelay(status)) {
    google::rpc::RetryInfo retry;
    absl::Duration rest;
    retry.mutable_retry_delay()->set_seconds(absl::IDivDuration(*delay, absl::Seconds(1), &rest));
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
    out.add_details()->PackFrom(retry);
  }
}

void UnpackDetails(const google::rpc::Status& in, absl::Status& status) {
  for (const google::protobuf::Any& detail : in.details()) {
    ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (detail.type_url() == kErrorInfoType && info.ParseFromString(detail.value())) {
      SetReason(status, info.reason());
      for (const auto& [key, value] : info.metadata()) SetMetadata(status, key, value);
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& field : bad_request.field_violations()) {
        AddFieldViolation(status, field.field(), field.description());
      }
    } else if (detail.UnpackTo(&retry)) {
      SetRetryDelay(status, absl::Seconds(retry.retry_delay().seconds()) +
                                absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  PackDetails(status, details);
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  if (details.details().empty()) return grpc::Status(code, message);
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  return grpc::Status(code, message, details.SerializeAsString());
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    UnpackDetails(details, result);
  }
  return result;
}

}  // namespace tocsin
