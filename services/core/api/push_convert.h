// Pushes as they come over gRPC, made into items for the recorder.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/engine/push_recorder.h"
#include "tocsin/internal/v1/push_service.pb.h"
#include "tocsin/v1/push_service.pb.h"

namespace tocsin::core {

// INVALID_ARGUMENT with all faults. A push without an id is given one.
absl::StatusOr<PushItem> ToPushItem(const v1::PushRequest& request, absl::Time now);

// Nullopt when it breaks the contract of the proto. Its text is cleaned all the same.
std::optional<PushItem> ToPushItem(const internal::v1::Push& push, absl::Time now);

internal::v1::PushOutcome ToOutcome(PushResult result);

// The answer to one push, or the error that it is told.
absl::StatusOr<v1::PushResponse> ToPushResponse(const PushAnswer& answer, absl::Time received_at);

}  // namespace tocsin::core
