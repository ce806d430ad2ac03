// Keeps what gateways refused of the monitors that it belongs to.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/rejected_push.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct ReportedRejection {
  TokenHash secret{};      // SHA-256 of a push token or push key
  std::string monitor_id;  // with a push key
  RejectedPush push;       // `monitor` is found here
};

// What is of no monitor is dropped: a token that never was one's, a secret of no push key, a
// project without such a monitor. What has expired or was revoked still leads to what it was for.
absl::Status RecordRejections(Store& store, std::vector<ReportedRejection> reported);

}  // namespace tocsin::core
