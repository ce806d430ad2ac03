// Machine-readable details of an absl::Status, without gRPC: which fields are wrong, a reason
// that programs can switch on, when to try again. common/grpc_status.h carries them as
// google.rpc.BadRequest, ErrorInfo and RetryInfo.
//
// Setters do nothing on an OK status.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/any_string_view.h"

namespace tocsin {

struct FieldViolation {
  std::string field;        // path in the request, e.g. "monitor.timeout"
  std::string description;  // a sentence for people
  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

void AddFieldViolation(absl::Status& status, AnyStringView field, AnyStringView description);
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

// An UPPER_SNAKE_CASE word such as MONITOR_NOT_FOUND; empty if none was set.
void SetReason(absl::Status& status, AnyStringView reason);
std::string Reason(const absl::Status& status);

// Facts beside the reason, e.g. "resource" and its full name.
void SetMetadata(absl::Status& status, AnyStringView key, AnyStringView value);
std::map<std::string, std::string> Metadata(const absl::Status& status);

// How long the caller should wait before trying again.
void SetRetryDelay(absl::Status& status, absl::Duration delay);
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

// The same code and details with another message; OK stays OK.
absl::Status WithMessage(const absl::Status& status, AnyStringView message);

}  // namespace tocsin
