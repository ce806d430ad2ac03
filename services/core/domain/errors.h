// Every failure that a user can meet, named once and worded once.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace tocsin::core {

// INVALID_ARGUMENT with a field violation: "FIELD: WHAT WAS GIVEN; accepted: …".
absl::Status InvalidField(std::string_view field, std::string_view problem,
                          std::string_view accepted);
// NOT_FOUND with the resource's full name.
absl::Status MonitorNotFound(std::string_view name);
absl::Status ChannelNotFound(std::string_view name);
absl::Status IncidentNotFound(std::string_view name);
absl::Status DeliveryNotFound(std::string_view name);
absl::Status ProjectNotFound(std::string_view name);
// NOT_FOUND that names nothing, since a token is a secret.
absl::Status UnknownPushToken();
absl::Status MonitorAlreadyExists(std::string_view name);
absl::Status ChannelAlreadyExists(std::string_view name);
// FAILED_PRECONDITION.
absl::Status MonitorIsDeleted(std::string_view name);
absl::Status MonitorIsNotDeleted(std::string_view name);
absl::Status DeliveryIsPending(std::string_view name);
// ABORTED: somebody else changed the resource since the etag was read.
absl::Status StaleEtag(std::string_view name);
// OUT_OF_RANGE: the cursor's epoch is unknown.
absl::Status UnknownCursor();
// UNAVAILABLE with a retry delay: what a retry can cure. `what` is safe to show.
absl::Status TryAgain(std::string_view what, absl::Duration after = absl::Seconds(1));

}  // namespace tocsin::core
