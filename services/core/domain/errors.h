// Every failure that a user can meet, named once and worded once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tocsin::core {

// Collects every fault of a request, so that a user meets all of them at once. Not thread-safe.
class FieldFaults {
 public:
  // `field` is its path in the request's proto, e.g. "monitor.schedule.heartbeat.timeout".
  void Add(std::string_view field, std::string_view problem, std::string_view accepted);
  // A fault that is worded already.
  void AddWorded(std::string field, std::string description) {
    faults_.push_back(Fault{std::move(field), std::move(description)});
  }
  // The field violations of another INVALID_ARGUMENT, below `prefix` ("" or "monitor").
  void Append(const absl::Status& status, std::string_view prefix);
  // The value, or the faults of an INVALID_ARGUMENT and T().
  template <typename T>
  T Take(absl::StatusOr<T> value) {
    if (value.ok()) return *std::move(value);
    Append(value.status(), "");
    return T();
  }
  bool empty() const { return faults_.empty(); }
  // OK when there is none; otherwise INVALID_ARGUMENT with a field violation for each, and one
  // line "FIELD: PROBLEM; accepted: ACCEPTED" for each as its text. Answers travel in headers,
  // which are short: of very many faults the first are told, and how many more there are.
  absl::Status ToStatus() const;

 private:
  struct Fault {
    std::string field;
    std::string description;
  };
  std::vector<Fault> faults_;
};

// INVALID_ARGUMENT with one field violation, as FieldFaults words it.
absl::Status InvalidField(std::string_view field, std::string_view problem,
                          std::string_view accepted);
// Reasons that callers look at.
inline constexpr char kMonitorNotFound[] = "MONITOR_NOT_FOUND";
inline constexpr char kMonitorAlreadyExists[] = "MONITOR_ALREADY_EXISTS";
inline constexpr char kChannelNotFound[] = "CHANNEL_NOT_FOUND";
inline constexpr char kChannelAlreadyExists[] = "CHANNEL_ALREADY_EXISTS";
inline constexpr char kMaintenanceNotFound[] = "MAINTENANCE_NOT_FOUND";
inline constexpr char kMuteNotFound[] = "MUTE_NOT_FOUND";

// The errors below carry a reason (see common/status_details.h), e.g. MONITOR_NOT_FOUND, and as
// metadata the `resource` that they name. Names are cut when they are longer than any that exists.
// NOT_FOUND with the resource's full name.
absl::Status MonitorNotFound(std::string_view name);
absl::Status ChannelNotFound(std::string_view name);
absl::Status MaintenanceNotFound(std::string_view name);
absl::Status MuteNotFound(std::string_view name);
absl::Status IncidentNotFound(std::string_view name);
absl::Status DeliveryNotFound(std::string_view name);
absl::Status ProjectNotFound(std::string_view name);
absl::Status KeyNotFound(std::string_view name);
// NOT_FOUND that names nothing, since a token is a secret.
absl::Status UnknownPushToken();
// PERMISSION_DENIED: there is no such monitor, and the push key may not make it.
absl::Status MayNotCreate();
// PERMISSION_DENIED: the same, since the project has as many as the key allows.
absl::Status TooManyMonitors();
// FAILED_PRECONDITION: a push asks for a monitor that is deleted.
absl::Status PushedToDeleted();
absl::Status MonitorAlreadyExists(std::string_view name);
absl::Status ChannelAlreadyExists(std::string_view name);
absl::Status MaintenanceAlreadyExists(std::string_view name);
absl::Status MuteAlreadyExists(std::string_view name);
// FAILED_PRECONDITION: a project has at most so many.
absl::Status TooManyMaintenances(std::string_view project, int most);
absl::Status TooManyMutes(std::string_view project, int most);
absl::Status ProjectAlreadyExists(std::string_view name);
absl::Status KeyAlreadyExists(std::string_view name);
// ALREADY_EXISTS that names nothing, since whoever knows a token may not know whose it is.
absl::Status PushTokenInUse();
// INVALID_ARGUMENT: the request id came with another request before.
absl::Status RequestIdReused();
// INVALID_ARGUMENT: what was sent is no message of its type.
absl::Status MalformedRequest();
// INVALID_ARGUMENT: the database refuses what a heartbeat says.
absl::Status HeartbeatRefused();
// FAILED_PRECONDITION.
absl::Status MonitorIsDeleted(std::string_view name);
absl::Status MonitorIsNotDeleted(std::string_view name);
absl::Status ChannelIsDisabled(std::string_view name);
absl::Status DeliveryIsPending(std::string_view name);
// The delivery's channel was deleted.
absl::Status DeliveryHasNoChannel(std::string_view name);
// It has monitors or channels.
absl::Status ProjectInUse(std::string_view name);
absl::Status ProjectIsDefault(std::string_view name);
absl::Status KeyIsRevoked(std::string_view name);
// UNAUTHENTICATED. Each says what to do, and nothing of a key that was not shown in full.
absl::Status KeyMissing();
absl::Status KeyUnknown();
absl::Status KeyExpired();
// PERMISSION_DENIED. `held` and `needed` are the words of roles.
absl::Status RoleTooLow(std::string_view held, std::string_view needed);
// Nobody may call the method.
absl::Status MethodClosed();
// The key is one of another project than the request's: the answer knows only the key's own.
absl::Status OtherProject(std::string_view own_project);
// What is asked for needs a key of all projects.
absl::Status NeedsKeyOfAllProjects(std::string_view own_project);
// ABORTED: somebody else changed the resource since the etag was read.
absl::Status StaleEtag(std::string_view name);
// ABORTED: it has an etag no more, since it does not exist.
absl::Status EtagOfNothing(std::string_view name);
// INTERNAL: what happened is for the log only.
absl::Status InternalFailure();
// OUT_OF_RANGE: the cursor's epoch is unknown.
absl::Status UnknownCursor();
// RESOURCE_EXHAUSTED with a retry delay: this process serves `limit` watches of alerts already.
absl::Status TooManyWatches(int limit);
// The same of exports of monitors.
absl::Status TooManyExports(int limit);
// UNAVAILABLE with a retry delay: what a retry can cure. `what` is safe to show.
absl::Status TryAgain(std::string_view what, absl::Duration after = absl::Seconds(1));

}  // namespace tocsin::core
