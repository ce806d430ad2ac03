// Validation and conversion of pushes.
#include "services/core/api/push_convert.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "common/random.h"
#include "common/sha256.h"
#include "services/core/api/convert.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/push_access.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxRunId = 64;
constexpr size_t kMaxOrigin = 128;  // bytes of an address or a request id
constexpr absl::Duration kMaxAge = absl::Seconds(10);

std::optional<HeartbeatKind> ToKind(v1::Heartbeat::Kind kind) {
  switch (kind) {
    case v1::Heartbeat::KIND_UP:
      return HeartbeatKind::kUp;
    case v1::Heartbeat::KIND_DOWN:
      return HeartbeatKind::kDown;
    case v1::Heartbeat::KIND_START:
      return HeartbeatKind::kStart;
    case v1::Heartbeat::KIND_LOG:
      return HeartbeatKind::kLog;
    default:
      return std::nullopt;
  }
}

std::string StorableText(const std::string& text) {
  return text.size() <= kMaxMessageBytes && IsCleanText(text) ? text : CleanText(text);
}

std::string Tail(const std::string& output) {
  if (output.size() <= kMaxOutputBytes) return output;
  return output.substr(output.size() - kMaxOutputBytes);
}

// Or none.
bool IsMonitorId(const std::string& id) {
  FieldFaults faults;
  if (!id.empty()) ValidateResourceId(id, "monitor_id", faults);
  return faults.empty();
}
bool IsExitStatus(int32_t status) { return status >= 0 && status <= 255; }
bool IsRunId(const std::string& id) { return id.size() <= kMaxRunId && IsCleanText(id); }

// What both messages have in common, of a push that is valid.
template <typename Message>
PushItem Fill(const Message& push, HeartbeatKind kind, absl::Time at, Source source) {
  PushItem item;
  Heartbeat& heartbeat = item.heartbeat;
  heartbeat.kind = kind;
  heartbeat.at = at;
  heartbeat.message = StorableText(push.message());
  if (push.has_value()) heartbeat.value = push.value();
  if (push.has_exit_status()) heartbeat.exit_status = push.exit_status();
  heartbeat.run_id = push.run_id();
  heartbeat.output = Tail(push.output());
  heartbeat.source = source;
  heartbeat.push_id = push.push_id();
  return item;
}

// The token is that of a push key.
void SetTarget(PushItem& item, const std::string& monitor_id) {
  const PushTarget target = {.key = item.token, .monitor_id = monitor_id};
  item.token = TargetToken(target);
  item.target = std::make_shared<const PushTarget>(target);
}

// What a recorded push did, in words.
std::string Effect(const PushAnswer& answer) {
  if (answer.result == PushResult::kRecordedPaused) return "stored, the monitor is paused";
  if (answer.result == PushResult::kCreated) return "recorded, the monitor was created";
  switch (answer.reason) {
    case Reason::kStale:
      return "stored, a newer heartbeat has come already";
    case Reason::kRecovered:
    case Reason::kLateHeartbeat:
      return "recorded, the incident is resolved";
    case Reason::kReportedDown:
    case Reason::kOutOfRange:
      return "recorded, an incident was opened";
    case Reason::kTooManyRuns:
      return "stored, too many runs are open";
    default:
      return "recorded";
  }
}

}  // namespace

absl::StatusOr<PushItem> ToPushItem(const v1::PushRequest& request, absl::Time now) {
  FieldFaults faults;
  if (request.push_token().empty()) faults.Add("push_token", "is missing", "the monitor's token");
  std::optional<HeartbeatKind> kind = HeartbeatKind::kUp;
  if (request.kind() != v1::Heartbeat::KIND_UNSPECIFIED) kind = ToKind(request.kind());
  if (!kind) faults.Add("kind", "is unknown", "UP, DOWN, START or LOG");
  if (request.has_value() && !std::isfinite(request.value())) {
    faults.Add("value", "is not finite", "a finite number");
  }
  if (request.has_exit_status() && !IsExitStatus(request.exit_status())) {
    faults.Add("exit_status", "is out of range", "0 to 255");
  }
  if (!request.monitor_id().empty()) {
    ValidateResourceId(request.monitor_id(), "monitor_id", faults);
  } else if (request.create()) {
    faults.Add("create", "has no monitor to create", "monitor_id and a push key with it");
  }
  if (!IsRunId(request.run_id())) {
    faults.Add("run_id", "is too long or has a NUL", "at most 64 bytes of text");
  }
  if (!faults.empty()) return faults.ToStatus();
  PushItem item = Fill(request, *kind, now, Source::kGrpc);
  item.token = Sha256(request.push_token());
  if (!request.monitor_id().empty()) SetTarget(item, request.monitor_id());
  // A client that names its push may be trying again; nothing else says so.
  item.retried = request.push_id() != 0;
  if (!item.retried) item.heartbeat.push_id = RandomId();
  return item;
}

std::optional<PushItem> ToPushItem(const internal::v1::Push& push, absl::Time now) {
  const std::optional<HeartbeatKind> kind = ToKind(push.kind());
  if (!kind || push.token_hash().size() != TokenHash().size() || push.push_id() == 0 ||
      (push.has_value() && !std::isfinite(push.value())) ||
      (push.has_exit_status() && !IsExitStatus(push.exit_status())) || !IsRunId(push.run_id()) ||
      !IsMonitorId(push.monitor_id())) {
    return std::nullopt;
  }
  const absl::Duration age = std::min(absl::Microseconds(push.age_micros()), kMaxAge);
  PushItem item = Fill(push, *kind, now - age, Source::kHttp);
  std::copy_n(push.token_hash().begin(), item.token.size(), item.token.begin());
  if (!push.monitor_id().empty()) SetTarget(item, push.monitor_id());
  if (push.create()) {
    item.creation = std::make_shared<const Creation>(
        Creation{.source = CleanText(push.client().substr(0, kMaxOrigin)),
                 .request_id = CleanText(push.request_id().substr(0, kMaxOrigin))});
  }
  item.retried = push.retried();
  return item;
}

internal::v1::PushOutcome ToOutcome(PushResult result) {
  switch (result) {
    case PushResult::kRecorded:
      return internal::v1::PUSH_OUTCOME_RECORDED;
    case PushResult::kRecordedPaused:
      return internal::v1::PUSH_OUTCOME_RECORDED_PAUSED;
    case PushResult::kCreated:
      return internal::v1::PUSH_OUTCOME_CREATED;
    case PushResult::kUnknownToken:
      return internal::v1::PUSH_OUTCOME_UNKNOWN_TOKEN;
    case PushResult::kMayNotCreate:
      return internal::v1::PUSH_OUTCOME_MAY_NOT_CREATE;
    case PushResult::kTooManyMonitors:
      return internal::v1::PUSH_OUTCOME_TOO_MANY_MONITORS;
    case PushResult::kDeleted:
      return internal::v1::PUSH_OUTCOME_DELETED;
    case PushResult::kMissing:
    case PushResult::kBeingCreated:
      return internal::v1::PUSH_OUTCOME_BEING_CREATED;
    case PushResult::kUnavailable:
      return internal::v1::PUSH_OUTCOME_UNAVAILABLE;
    case PushResult::kInvalid:
      return internal::v1::PUSH_OUTCOME_INVALID;
  }
  return internal::v1::PUSH_OUTCOME_UNAVAILABLE;
}

absl::StatusOr<v1::PushResponse> ToPushResponse(const PushAnswer& answer, absl::Time received_at) {
  switch (answer.result) {
    case PushResult::kUnknownToken:
      return UnknownPushToken();
    case PushResult::kMayNotCreate:
      return MayNotCreate();
    case PushResult::kTooManyMonitors:
      return TooManyMonitors();
    case PushResult::kDeleted:
      return PushedToDeleted();
    case PushResult::kMissing:
    case PushResult::kBeingCreated:
    case PushResult::kUnavailable:
      return TryAgain("the heartbeat could not be recorded");
    case PushResult::kInvalid:
      return HeartbeatRefused();
    case PushResult::kRecorded:
    case PushResult::kRecordedPaused:
    case PushResult::kCreated:
      break;
  }
  v1::PushResponse response;
  *response.mutable_receive_time() = ToTimestamp(received_at);
  if (answer.monitor != nullptr) response.set_monitor(*answer.monitor);
  response.set_message(Effect(answer));
  return response;
}

}  // namespace tocsin::core
