// Rows of incidents, events, deliveries and channels.
#include "services/core/store/pg/alert_rows.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/store/pg/channel_sealing.h"
#include "services/core/store/pg/event_facts.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {
std::string KeysToText(const std::vector<int64_t>& keys) {
  return absl::StrCat("{", absl::StrJoin(keys, ","), "}");
}

std::vector<int64_t> KeysFromText(const std::string& text) {
  std::vector<int64_t> keys;
  const absl::string_view inner =
      absl::StripSuffix(absl::StripPrefix(absl::string_view(text), "{"), "}");
  for (const absl::string_view part : absl::StrSplit(inner, ',', absl::SkipEmpty())) {
    int64_t key = 0;
    if (absl::SimpleAtoi(part, &key)) keys.push_back(key);
  }
  return keys;
}

Incident ReadIncident(Row& row) {
  Incident incident;
  incident.key = row.Int();
  incident.project = row.Int();
  incident.monitor = row.Int();
  incident.cause = row.As<Cause>();
  incident.opened_at = row.Time();
  incident.detected_at = row.Time();
  incident.closed_at = row.MaybeTime();
  const std::optional<int64_t> resolution = row.MaybeInt();
  if (resolution) incident.resolution = static_cast<Resolution>(*resolution);
  incident.message = row.Text();
  incident.reminded_at = row.MaybeTime();
  incident.held_until = row.MaybeTime();
  return incident;
}

absl::Status ReadOneEvent(Row& row, AlertEvent& event) {
  event.key = row.Int();
  event.type = row.As<EventType>();
  event.project = row.Int();
  event.monitor = row.Int();
  event.sequence = row.Int();
  event.occurred_at = row.Time();
  event.detected_at = row.Time();
  event.state = row.As<State>();
  event.expected_at = row.MaybeTime();
  if (row.NextIsNull()) {
    row.Skip();
    return SnapshotFromJson(row.Text(), event);
  }
  const std::string facts = row.Bytes();
  row.Skip();
  return FactsFromBytes(facts, event);
}

absl::StatusOr<AlertEvent> ReadEvent(Row& row) {
  AlertEvent event;
  RETURN_IF_ERROR(ReadOneEvent(row, event));
  return event;
}

absl::StatusOr<Delivery> ReadDelivery(Row& row) {
  Delivery delivery;
  delivery.key = row.Int();
  delivery.id = row.Text();
  delivery.project = row.Int();
  delivery.channel = row.Int();
  delivery.monitor = row.Int();
  delivery.sequence = row.Int();
  delivery.type = row.As<DeliveryType>();
  delivery.events = KeysFromText(row.Text());
  RETURN_IF_ERROR(ExtraFromJson(row.Text(), delivery));
  delivery.state = row.As<DeliveryState>();
  delivery.redelivery = row.Bool();
  delivery.attempts = row.Int32();
  delivery.skipped = row.Int32();
  delivery.occurred_at = row.Time();
  delivery.created_at = row.Time();
  delivery.next_attempt_at = row.Time();
  delivery.expires_at = row.Time();
  delivery.last_outcome = row.Text();
  delivery.last_http_status = row.Int32();
  delivery.last_answer = row.Text();
  delivery.finished_at = row.MaybeTime();
  delivery.lease_id = row.Text();
  delivery.leased_until = row.TimeOr(absl::InfinitePast());
  delivery.may_gather = row.Bool();
  delivery.told_by = row.Text();
  return delivery;
}

Channel ReadChannel(Row& row, const Sealer& sealer) {
  Channel channel;
  channel.key = row.Int();
  channel.project = row.Int();
  channel.project_id = row.Text();
  channel.id = row.Text();
  channel.display_name = row.Text();
  const std::string url = row.Bytes(), secrets = row.Bytes(), headers = row.Bytes();
  OpenSealed({.url = url, .secrets = secrets, .headers = headers}, sealer, channel);
  channel.format = row.As<ChannelFormat>();
  channel.selector = row.Text();
  channel.is_default = row.Bool();
  channel.fallback_channel = row.Text();
  channel.disabled_at = row.MaybeTime();
  channel.disable_reason = row.Text();
  channel.failing_since = row.MaybeTime();
  channel.last_error = row.Text();
  const std::optional<absl::Time> told_at = row.MaybeTime();
  const std::optional<absl::Time> told_failing_since = row.MaybeTime();
  const std::optional<absl::Time> told_disabled_at = row.MaybeTime();
  if (told_at.has_value()) {
    channel.told = ChannelTold{
        .at = *told_at, .failing_since = told_failing_since, .disabled_at = told_disabled_at};
  }
  channel.created_at = row.Time();
  channel.updated_at = row.Time();
  channel.version = row.Int();
  channel.group_limit = row.Int32();
  channel.group_wait = absl::Microseconds(row.Int());
  channel.url_set_at = row.MaybeTime();
  channel.old_secrets_until = row.MaybeTime();
  channel.omit_output = row.Bool();
  return channel;
}

}  // namespace tocsin::core::pg
