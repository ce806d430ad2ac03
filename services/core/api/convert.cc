// Time, enumerations, heartbeats, and what deliveries and channels look like from outside.
#include "services/core/api/convert.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "services/core/domain/names.h"
#include "services/core/domain/transition.h"
#include "services/core/engine/channel_admin.h"

namespace tocsin::core {
namespace {

// The range of google.protobuf.Duration: about 10,000 years.
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;
// 0001-01-01 and the last second of 9999, the range of google.protobuf.Timestamp.
constexpr int64_t kMinTimestampSeconds = -62'135'596'800;
constexpr int64_t kMaxTimestampSeconds = 253'402'300'799;

int64_t Split(absl::Duration duration, int32_t& nanos) {
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  nanos = static_cast<int32_t>(absl::ToInt64Nanoseconds(rest));
  return seconds;
}

}  // namespace

google::protobuf::Timestamp ToTimestamp(absl::Time at) {
  google::protobuf::Timestamp out;
  const int64_t seconds = absl::ToUnixSeconds(at);  // rounds down
  out.set_seconds(std::clamp(seconds, kMinTimestampSeconds, kMaxTimestampSeconds));
  if (seconds == out.seconds()) {
    out.set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(at - absl::FromUnixSeconds(seconds))));
  }
  return out;
}

google::protobuf::Duration ToDuration(absl::Duration duration) {
  const absl::Duration limit = absl::Seconds(kMaxDurationSeconds);
  google::protobuf::Duration out;
  int32_t nanos = 0;
  out.set_seconds(Split(std::clamp(duration, -limit, limit), nanos));
  out.set_nanos(nanos);
  return out;
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& at) {
  return absl::FromUnixMicros(absl::ToUnixMicros(
      absl::FromUnixSeconds(std::clamp(at.seconds(), kMinTimestampSeconds, kMaxTimestampSeconds)) +
      absl::Nanoseconds(at.nanos())));
}

absl::Duration FromDuration(const google::protobuf::Duration& duration) {
  const int64_t seconds = std::clamp(duration.seconds(), -kMaxDurationSeconds, kMaxDurationSeconds);
  return absl::Trunc(absl::Seconds(seconds) + absl::Nanoseconds(duration.nanos()),
                     absl::Microseconds(1));
}

v1::Heartbeat::Kind ToProto(HeartbeatKind kind) {
  switch (kind) {
    case HeartbeatKind::kUp:
      return v1::Heartbeat::KIND_UP;
    case HeartbeatKind::kDown:
      return v1::Heartbeat::KIND_DOWN;
    case HeartbeatKind::kStart:
      return v1::Heartbeat::KIND_START;
    case HeartbeatKind::kLog:
      return v1::Heartbeat::KIND_LOG;
  }
  return v1::Heartbeat::KIND_UNSPECIFIED;
}

v1::Heartbeat::Source ToProto(Source source) {
  switch (source) {
    case Source::kUnknown:
      return v1::Heartbeat::SOURCE_UNSPECIFIED;
    case Source::kHttp:
      return v1::Heartbeat::SOURCE_HTTP;
    case Source::kGrpc:
      return v1::Heartbeat::SOURCE_GRPC;
  }
  return v1::Heartbeat::SOURCE_UNSPECIFIED;
}

v1::Delivery::State ToProto(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending:
      return v1::Delivery::STATE_PENDING;
    case DeliveryState::kDelivered:
      return v1::Delivery::STATE_DELIVERED;
    case DeliveryState::kDead:
      return v1::Delivery::STATE_DEAD;
    case DeliveryState::kSuperseded:
      return v1::Delivery::STATE_SUPERSEDED;
  }
  return v1::Delivery::STATE_UNSPECIFIED;
}

std::optional<DeliveryState> FromProto(v1::Delivery::State state, std::string_view field,
                                       FieldFaults& faults) {
  switch (state) {
    case v1::Delivery::STATE_UNSPECIFIED:
      return std::nullopt;
    case v1::Delivery::STATE_PENDING:
      return DeliveryState::kPending;
    case v1::Delivery::STATE_DELIVERED:
      return DeliveryState::kDelivered;
    case v1::Delivery::STATE_DEAD:
      return DeliveryState::kDead;
    case v1::Delivery::STATE_SUPERSEDED:
      return DeliveryState::kSuperseded;
    default:
      faults.Add(field, absl::StrCat(static_cast<int>(state), " is no state"),
                 "STATE_PENDING, STATE_DELIVERED, STATE_DEAD or STATE_SUPERSEDED");
      return std::nullopt;
  }
}

v1::Heartbeat ToProto(const Heartbeat& heartbeat) {
  v1::Heartbeat out;
  out.set_kind(ToProto(heartbeat.kind));
  *out.mutable_receive_time() = ToTimestamp(heartbeat.at);
  out.set_message(heartbeat.message.empty() ? "OK" : heartbeat.message);
  if (heartbeat.value) out.set_value(*heartbeat.value);
  if (heartbeat.exit_status) out.set_exit_status(*heartbeat.exit_status);
  out.set_run_id(heartbeat.run_id);
  out.set_source(ToProto(heartbeat.source));
  if (heartbeat.run_duration) *out.mutable_run_duration() = ToDuration(*heartbeat.run_duration);
  out.set_output(heartbeat.output);
  return out;
}

v1::Heartbeat ToProto(const StoredHeartbeat& stored) {
  v1::Heartbeat out = ToProto(stored.heartbeat);
  out.set_reason(std::string(ReasonName(stored.reason)));
  out.set_output_size_bytes(stored.output_bytes);
  return out;
}

v1::Delivery ToProto(const DeliveryView& view) {
  const Delivery& delivery = view.delivery;
  v1::Delivery out;
  out.set_name(DeliveryName(view.project_id, delivery.id));
  out.set_channel(ChannelName(view.project_id, view.channel_id));
  if (!view.monitor_id.empty()) out.set_monitor(MonitorName(view.project_id, view.monitor_id));
  out.set_type(DeliveryTypeName(delivery.type));
  for (EventKey event : delivery.events) {
    out.add_alert_events(AlertEventName(view.project_id, event));
  }
  if (!delivery.told_by.empty()) out.set_digest(DeliveryName(view.project_id, delivery.told_by));
  out.set_state(ToProto(delivery.state));
  out.set_attempts(delivery.attempts);
  if (delivery.state == DeliveryState::kPending) {
    *out.mutable_next_attempt_time() = ToTimestamp(delivery.next_attempt_at);
  }
  out.set_last_outcome(delivery.last_outcome);
  out.set_last_http_status(delivery.last_http_status);
  out.set_last_answer(delivery.last_answer);
  *out.mutable_create_time() = ToTimestamp(delivery.created_at);
  if (delivery.finished_at) *out.mutable_finish_time() = ToTimestamp(*delivery.finished_at);
  return out;
}

v1::Channel ToProto(const Channel& channel) {
  v1::Channel out;
  out.set_name(ChannelName(channel.project_id, channel.id));
  out.set_display_name(channel.display_name);
  out.set_url(MaskUrl(channel.url));
  out.set_format(static_cast<v1::Channel::Format>(channel.format));
  out.set_selector(channel.selector);
  out.set_is_default(channel.is_default);
  if (!channel.fallback_channel.empty()) {
    out.set_fallback_channel(ChannelName(channel.project_id, channel.fallback_channel));
  }
  if (channel.disabled_at) *out.mutable_disable_time() = ToTimestamp(*channel.disabled_at);
  out.set_disable_reason(channel.disable_reason);
  if (channel.failing_since) *out.mutable_failing_since() = ToTimestamp(*channel.failing_since);
  out.set_last_error(channel.last_error);
  out.set_group_limit(channel.group_limit);
  *out.mutable_group_wait() = ToDuration(channel.group_wait);
  *out.mutable_create_time() = ToTimestamp(channel.created_at);
  *out.mutable_update_time() = ToTimestamp(channel.updated_at);
  out.set_etag(EtagOf(channel));
  out.set_omit_output(channel.omit_output);
  const ChannelHeaders headers = MaskHeaders(channel.headers);
  out.mutable_headers()->insert(headers.begin(), headers.end());
  if (channel.old_secrets_until.has_value()) {
    *out.mutable_old_secret_expire_time() = ToTimestamp(*channel.old_secrets_until);
  }
  return out;
}

v1::AuditEntry ToProto(const AuditView& view) {
  const AuditRecord& record = view.record;
  v1::AuditEntry out;
  out.set_name(AuditEntryName(record.project_id, view.key));
  *out.mutable_time() = ToTimestamp(record.at);
  out.set_actor(record.caller.actor);
  out.set_method(record.caller.method);
  out.set_resource(record.resource);
  out.set_source(record.caller.source);
  out.set_request_id(record.caller.request_id);
  for (const FieldChange& change : record.changes) {
    v1::FieldChange& shown = *out.add_changes();
    shown.set_field(change.field);
    shown.set_before(change.before);
    shown.set_after(change.after);
  }
  return out;
}

ChannelFormat FromProto(v1::Channel::Format format, std::string_view prefix, FieldFaults& faults) {
  switch (format) {
    case v1::Channel::FORMAT_SLACK:
      return ChannelFormat::kSlack;
    case v1::Channel::FORMAT_PAGERDUTY:
      return ChannelFormat::kPagerDuty;
    case v1::Channel::FORMAT_UNSPECIFIED:
    case v1::Channel::FORMAT_STANDARD_WEBHOOK:
      break;
    default:
      faults.Add(std::string(prefix) + ".format",
                 absl::StrCat(static_cast<int>(format), " is no format"),
                 "FORMAT_STANDARD_WEBHOOK, FORMAT_SLACK or FORMAT_PAGERDUTY");
  }
  return ChannelFormat::kStandardWebhook;
}

std::string FallbackId(const std::string& name, const std::string& project_id,
                       std::string_view prefix, FieldFaults& faults) {
  if (name.empty()) return "";
  const std::string field = std::string(prefix) + ".fallback_channel";
  absl::StatusOr<ResourceName> parsed = ParseChannelName(name, field);
  if (!parsed.ok()) {
    faults.Append(parsed.status(), "");
    return "";
  }
  if (!project_id.empty() && parsed->project != project_id) {
    faults.Add(field, "it lies in another project", "a channel of the same project");
  }
  return parsed->id;
}

Channel FromProto(const v1::Channel& channel, const std::string& project_id, const std::string& id,
                  std::string_view prefix, FieldFaults& faults) {
  Channel out;
  out.project_id = project_id;
  out.id = id;
  out.display_name = channel.display_name();
  out.url = channel.url();
  out.format = FromProto(channel.format(), prefix, faults);
  out.selector = channel.selector();
  out.is_default = channel.is_default();
  out.fallback_channel = FallbackId(channel.fallback_channel(), project_id, prefix, faults);
  if (channel.group_limit() != 0) out.group_limit = channel.group_limit();
  if (channel.has_group_wait()) out.group_wait = FromDuration(channel.group_wait());
  out.omit_output = channel.omit_output();
  out.headers = ChannelHeaders(channel.headers().begin(), channel.headers().end());
  return out;
}

}  // namespace tocsin::core
