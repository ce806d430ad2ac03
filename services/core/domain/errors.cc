// Every failure that a user can meet, named once and worded once.
#include "services/core/domain/errors.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"

namespace tocsin::core {
namespace {

absl::Status WithReason(absl::Status status, std::string reason) {
  SetReason(status, std::move(reason));
  return status;
}

absl::Status NotFound(std::string_view name, std::string reason) {
  return WithReason(
      absl::NotFoundError(absl::StrCat(AnyStringView(name).absl(), " does not exist")),
      std::move(reason));
}

absl::Status AlreadyExists(std::string_view name, std::string reason) {
  return WithReason(
      absl::AlreadyExistsError(absl::StrCat(AnyStringView(name).absl(), " exists already")),
      std::move(reason));
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
  for (const Fault& fault : faults_) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", fault.field, ": ", fault.description);
  }
  absl::Status status = absl::InvalidArgumentError(text);
  SetReason(status, "INVALID_FIELD");
  for (const Fault& fault : faults_) AddFieldViolation(status, fault.field, fault.description);
  return status;
}

absl::Status MonitorNotFound(std::string_view name) { return NotFound(name, "MONITOR_NOT_FOUND"); }

absl::Status ChannelNotFound(std::string_view name) { return NotFound(name, "CHANNEL_NOT_FOUND"); }

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

absl::Status MonitorAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "MONITOR_ALREADY_EXISTS");
}

absl::Status ChannelAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "CHANNEL_ALREADY_EXISTS");
}

absl::Status ProjectAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "PROJECT_ALREADY_EXISTS");
}

absl::Status KeyAlreadyExists(std::string_view name) {
  return AlreadyExists(name, "KEY_ALREADY_EXISTS");
}

absl::Status MonitorIsDeleted(std::string_view name) {
  return WithReason(absl::FailedPreconditionError(
                        absl::StrCat(AnyStringView(name).absl(), " is deleted; undelete it first")),
                    "MONITOR_DELETED");
}

absl::Status MonitorIsNotDeleted(std::string_view name) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(AnyStringView(name).absl(), " is not deleted")),
      "MONITOR_NOT_DELETED");
}

absl::Status ChannelIsDisabled(std::string_view name) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        AnyStringView(name).absl(), " is disabled; give it a new URL first")),
                    "CHANNEL_DISABLED");
}

absl::Status DeliveryIsPending(std::string_view name) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        AnyStringView(name).absl(),
                        " is still pending; it can be redelivered once it is finished")),
                    "DELIVERY_PENDING");
}

absl::Status DeliveryHasNoChannel(std::string_view name) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          AnyStringView(name).absl(), " cannot be redelivered: its channel was deleted")),
      "CHANNEL_DELETED");
}

absl::Status ProjectInUse(std::string_view name) {
  return WithReason(
      absl::FailedPreconditionError(
          absl::StrCat(AnyStringView(name).absl(), " has monitors or channels; delete them first")),
      "PROJECT_IN_USE");
}

absl::Status ProjectIsDefault(std::string_view name) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        AnyStringView(name).absl(), " always exists and cannot be deleted")),
                    "PROJECT_IS_DEFAULT");
}

absl::Status KeyIsRevoked(std::string_view name) {
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        AnyStringView(name).absl(), " is revoked for good; create another")),
                    "KEY_REVOKED");
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
  return WithReason(absl::AbortedError(absl::StrCat(
                        AnyStringView(name).absl(),
                        " has changed since it was read; read it again, then update it")),
                    "ETAG_STALE");
}

absl::Status UnknownCursor() {
  return WithReason(
      absl::OutOfRangeError(
          "the cursor is unknown, the database may have been restored; start again with an empty "
          "cursor and reconcile with the list of incidents"),
      "CURSOR_UNKNOWN");
}

absl::Status TooManyWatches(int limit) {
  return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                        "this core serves ", limit,
                        " watches of alerts already, which is its limit; end one that nobody "
                        "needs, watch on another core, or share one watch among its readers")),
                    "TOO_MANY_WATCHES");
}

absl::Status TryAgain(std::string_view what, absl::Duration after) {
  absl::Status status = absl::UnavailableError(AnyStringView(what).absl());
  SetReason(status, "TRY_AGAIN");
  SetRetryDelay(status, after);
  return status;
}

}  // namespace tocsin::core
