// Every failure that a user can meet, named once and worded once.
#include "services/core/domain/errors.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

// Longer than any name.
constexpr size_t kMaxNameBytes = 256;
// Of a status that travels in headers, of which clients take 8 KB in all.
constexpr size_t kMaxFaults = 20;
constexpr size_t kMaxFaultBytes = 2000;
constexpr size_t kMaxTextBytes = 700;
// Watches last: to ask for another one at once is of no use.
constexpr absl::Duration kExportsRest = absl::Seconds(5);
constexpr absl::Duration kWatchesRest = absl::Seconds(10);

absl::Status WithReason(absl::Status status, std::string reason) {
  SetReason(status, std::move(reason));
  return status;
}

// An error about one resource: its name, and the rest of the sentence.
absl::Status About(absl::StatusCode code, std::string_view name, absl::string_view rest,
                   std::string reason) {
  const std::string shown = CleanText(name, kMaxNameBytes);
  absl::Status status(code, absl::StrCat(shown, rest));
  SetReason(status, reason);
  SetMetadata(status, "resource", shown);
  return status;
}

absl::Status NotFound(std::string_view name, std::string reason) {
  return About(absl::StatusCode::kNotFound, name, " does not exist", std::move(reason));
}

absl::Status AlreadyExists(std::string_view name, std::string reason) {
  return About(absl::StatusCode::kAlreadyExists, name, " exists already", std::move(reason));
}

absl::Status Precondition(std::string_view name, absl::string_view rest, std::string reason) {
  return About(absl::StatusCode::kFailedPrecondition, name, rest, std::move(reason));
}

}  // namespace

absl::Status InvalidField(std::string_view field, std::string_view problem,
                          std::string_view accepted) {
  FieldFaults faults;
  faults.Add(field, problem, accepted);
  return faults.ToStatus();
}

void FieldFaults::Add(std::string_view field, std::string_view problem, std::string_view accepted) {
  faults_.push_back(Fault{
      std::string(field),
      absl::StrCat(AnyStringView(problem).absl(), "; accepted: ", AnyStringView(accepted).absl())});
}

void FieldFaults::Append(const absl::Status& status, std::string_view prefix) {
  for (FieldViolation& violation : FieldViolations(status)) {
    std::string path =
        prefix.empty() ? violation.field : absl::StrCat(std::string(prefix), ".", violation.field);
    faults_.push_back(Fault{std::move(path), std::move(violation.description)});
  }
}

absl::Status FieldFaults::ToStatus() const {
  if (faults_.empty()) return absl::OkStatus();
  std::string text;
  size_t worded = 0;
  for (const Fault& fault : faults_) {
    const std::string line = absl::StrCat(fault.field, ": ", fault.description);
    if (worded > 0 && text.size() + line.size() > kMaxTextBytes) break;
    absl::StrAppend(&text, worded == 0 ? "" : "\n", line);
    ++worded;
  }
  if (worded < faults_.size()) {
    absl::StrAppend(&text, "\nand ", faults_.size() - worded, " more");
  }
  absl::Status status = absl::InvalidArgumentError(text);
  SetReason(status, "INVALID_FIELD");
  size_t told = 0;
  size_t bytes = 0;
  for (const Fault& fault : faults_) {
    bytes += fault.field.size() + fault.description.size();
    if (told > 0 && (told == kMaxFaults || bytes > kMaxFaultBytes)) break;
    AddFieldViolation(status, fault.field, fault.description);
    ++told;
  }
  if (told < faults_.size()) {
    SetMetadata(status, "more_faults", absl::StrCat(faults_.size() - told));
  }
  return status;
}

absl::Status MonitorNotFound(std::string_view name) { return NotFound(name, kMonitorNotFound); }

absl::Status ChannelNotFound(std::string_view name) { return NotFound(name, kChannelNotFound); }

absl::Status MuteNotFound(std::string_view name) { return NotFound(name, kMuteNotFound); }

absl::Status MaintenanceNotFound(std::string_view name) {
  return NotFound(name, kMaintenanceNotFound);
}

absl::Status IncidentNotFound(std::string_view name) {
  return NotFound(name, "INCIDENT_NOT_FOUND");
}

absl::Status DeliveryNotFound(std::string_view name) {
  return NotFound(name, "DELIVERY_NOT_FOUND");
}

absl::Status ProjectNotFound(std::string_view name) { return NotFound(name, "PROJECT_NOT_FOUND"); }

absl::Status KeyNotFound(std::string_view name) { return NotFound(name, "KEY_NOT_FOUND"); }

absl::Status UnknownPushToken() {
  return WithReason(absl::NotFoundError("Monitor not found or not active."), "PUSH_TOKEN_UNKNOWN");
}

absl::Status MayNotCreate() {
  return WithReason(
      absl::PermissionDeniedError(
          "there is no such monitor, and this push key may not create it: it is not one that may, "
          "or what it would create names a channel that does not exist any more"),
      "PUSH_KEY_MAY_NOT_CREATE");
}

absl::Status TooManyMonitors() {
  return WithReason(
      absl::PermissionDeniedError("there is no such monitor, and it is not created: the project "
                                  "has as many monitors as this push key allows (max_monitors)"),
      "TOO_MANY_MONITORS");
}

absl::Status PushedToDeleted() {
  return WithReason(absl::FailedPreconditionError(
                        "the monitor is deleted, and its id is not free: undelete it, or push to "
                        "another id"),
                    "MONITOR_DELETED");
}

absl::Status MonitorAlreadyExists(std::string_view name) {
  return AlreadyExists(name, kMonitorAlreadyExists);
}

absl::Status ChannelAlreadyExists(std::string_view name) {
  return AlreadyExists(name, kChannelAlreadyExists);
}

absl::Status MaintenanceAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "MAINTENANCE_ALREADY_EXISTS");
}

absl::Status MuteAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "MUTE_ALREADY_EXISTS");
}

absl::Status TooManyMaintenances(std::string_view project, int most) {
  return Precondition(project, absl::StrCat(" has ", most, " maintenances; delete some"),
                      "TOO_MANY_MAINTENANCES");
}

absl::Status TooManyMutes(std::string_view project, int most) {
  return Precondition(project,
                      absl::StrCat(" has ", most, " mutes that have not ended; delete some"),
                      "TOO_MANY_MUTES");
}

absl::Status PushTokenInUse() {
  return WithReason(absl::AlreadyExistsError("that push token is in use, or was; draw another one"),
                    "PUSH_TOKEN_IN_USE");
}

absl::Status RequestIdReused() {
  return WithReason(InvalidField("request_id", "another request came with it before",
                                 "a UUID drawn anew for each creation"),
                    "REQUEST_ID_REUSED");
}

absl::Status MalformedRequest() {
  return WithReason(
      absl::InvalidArgumentError(
          "the request cannot be read: text has to be UTF-8, and the message that of the method"),
      "MALFORMED_REQUEST");
}

absl::Status HeartbeatRefused() {
  return WithReason(absl::InvalidArgumentError("the heartbeat cannot be stored"),
                    "HEARTBEAT_REFUSED");
}

absl::Status ProjectAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "PROJECT_ALREADY_EXISTS");
}

absl::Status KeyAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "KEY_ALREADY_EXISTS");
}

absl::Status MonitorIsDeleted(std::string_view name) {
  return Precondition(name, " is deleted; undelete it first", "MONITOR_DELETED");
}

absl::Status MonitorIsNotDeleted(std::string_view name) {
  return Precondition(name, " is not deleted", "MONITOR_NOT_DELETED");
}

absl::Status ChannelIsDisabled(std::string_view name) {
  return Precondition(name, " is disabled; give it a new URL first", "CHANNEL_DISABLED");
}

absl::Status DeliveryIsPending(std::string_view name) {
  return Precondition(name, " is still pending; it can be redelivered once it is finished",
                      "DELIVERY_PENDING");
}

absl::Status DeliveryHasNoChannel(std::string_view name) {
  return Precondition(name, " cannot be redelivered: its channel was deleted", "CHANNEL_DELETED");
}

absl::Status ProjectInUse(std::string_view name) {
  return Precondition(name, " has monitors or channels; delete them first", "PROJECT_IN_USE");
}

absl::Status ProjectIsDefault(std::string_view name) {
  return Precondition(name, " always exists and cannot be deleted", "PROJECT_IS_DEFAULT");
}

absl::Status KeyIsRevoked(std::string_view name) {
  return Precondition(name, " is revoked for good; create another", "KEY_REVOKED");
}

absl::Status KeyMissing() {
  return WithReason(
      absl::UnauthenticatedError("a key is needed: send it as `authorization: Bearer tk_…`"),
      "KEY_MISSING");
}

absl::Status KeyUnknown() {
  return WithReason(absl::UnauthenticatedError("the key is unknown, or was revoked"),
                    "KEY_UNKNOWN");
}

absl::Status KeyExpired() {
  return WithReason(
      absl::UnauthenticatedError("the key has expired, or was replaced by a newer one"),
      "KEY_EXPIRED");
}

absl::Status RoleTooLow(std::string_view held, std::string_view needed) {
  return WithReason(absl::PermissionDeniedError(absl::StrCat(
                        "this needs a key with the role ", AnyStringView(needed).absl(),
                        "; this one has the role ", AnyStringView(held).absl())),
                    "ROLE_TOO_LOW");
}

absl::Status MethodClosed() {
  return WithReason(absl::PermissionDeniedError("this method is open to no key"), "METHOD_CLOSED");
}

absl::Status OtherProject(std::string_view own_project) {
  return WithReason(
      absl::PermissionDeniedError(absl::StrCat("the key gives access to projects/",
                                               AnyStringView(own_project).absl(), " only")),
      "OTHER_PROJECT");
}

absl::Status NeedsKeyOfAllProjects(std::string_view own_project) {
  return WithReason(absl::PermissionDeniedError(absl::StrCat(
                        "this needs a key of all projects; the key gives access to projects/",
                        AnyStringView(own_project).absl(), " only")),
                    "OTHER_PROJECT");
}

absl::Status StaleEtag(std::string_view name) {
  return About(absl::StatusCode::kAborted, name,
               " has changed since it was read; read it again, then decide again", "ETAG_STALE");
}

absl::Status EtagOfNothing(std::string_view name) {
  return About(absl::StatusCode::kAborted, name, " does not exist any more, and so has no etag",
               "ETAG_STALE");
}

absl::Status InternalFailure() {
  return WithReason(absl::InternalError("internal error; the log of the server says more"),
                    "INTERNAL");
}

absl::Status UnknownCursor() {
  return WithReason(
      absl::OutOfRangeError(
          "the cursor is unknown, the database may have been restored; start again with an empty "
          "cursor and reconcile with the list of incidents"),
      "CURSOR_UNKNOWN");
}

absl::Status TooManyWatches(int limit) {
  absl::Status status =
      WithReason(absl::ResourceExhaustedError(absl::StrCat(
                     "this core serves ", limit,
                     " watches of alerts already, which is its limit; end one that nobody "
                     "needs, watch on another core, or share one watch among its readers")),
                 "TOO_MANY_WATCHES");
  SetRetryDelay(status, kWatchesRest);
  return status;
}

absl::Status TooManyExports(int limit) {
  absl::Status status = WithReason(
      absl::ResourceExhaustedError(absl::StrCat(
          "this core hands out metrics of monitors to ", limit,
          " scrapes already, which is its limit; scrape less often, or fewer monitors at once")),
      "TOO_MANY_EXPORTS");
  SetRetryDelay(status, kExportsRest);
  return status;
}

absl::Status TryAgain(std::string_view what, absl::Duration after) {
  absl::Status status = absl::UnavailableError(AnyStringView(what).absl());
  SetReason(status, "TRY_AGAIN");
  SetRetryDelay(status, after);
  return status;
}

}  // namespace tocsin::core
