// Between the messages of the delivery stream and the notifier's own words.
#include "services/notifier/stream/convert.h"

#include <utility>

#include "common/clock.h"

namespace tocsin::notifier {
namespace {

absl::Time Time(const google::protobuf::Timestamp& proto) {
  return TruncateToMicros(absl::FromUnixSeconds(proto.seconds()) +
                          absl::Nanoseconds(proto.nanos()));
}

absl::Duration Duration(const google::protobuf::Duration& proto) {
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

// The enumerations of message.h have the order and gaps of the proto's, so that a number in range
// means the same; HeartbeatKind has no words for START and LOG, which are never a last heartbeat.
template <typename Enum>
Enum InRange(int number, Enum last) {
  return number >= 0 && number <= static_cast<int>(last) ? static_cast<Enum>(number) : Enum{};
}

HeartbeatFacts FromProto(const v1::Heartbeat& proto) {
  HeartbeatFacts facts;
  facts.kind = InRange(proto.kind(), HeartbeatKind::kDown);
  facts.at = Time(proto.receive_time());
  facts.message = proto.message();
  if (proto.has_value()) facts.value = proto.value();
  if (proto.has_exit_status()) facts.exit_status = proto.exit_status();
  facts.run_id = proto.run_id();
  if (proto.has_run_duration()) facts.run_duration = Duration(proto.run_duration());
  facts.output = proto.output();
  return facts;
}

// `facts` keeps UTC when this machine does not know the zone.
void TakeCron(const v1::CronSchedule& proto, MonitorFacts& facts) {
  CronFacts& cron = facts.cron.emplace();
  cron.expression = proto.expression();
  cron.time_zone = proto.time_zone();
  if (proto.has_early_tolerance()) cron.early_tolerance = Duration(proto.early_tolerance());
  facts.grace = Duration(proto.grace());
  absl::TimeZone zone;
  if (absl::LoadTimeZone(cron.time_zone, &zone)) facts.zone = zone;
}

void TakeSchedule(const v1::Schedule& proto, MonitorFacts& facts) {
  if (proto.has_cron()) return TakeCron(proto.cron(), facts);
  facts.timeout = Duration(proto.heartbeat().timeout());
  facts.recommended_interval = Duration(proto.heartbeat().recommended_interval());
  facts.grace = Duration(proto.heartbeat().grace());
}

MonitorFacts FromProto(const v1::MonitorSnapshot& proto) {
  MonitorFacts facts;
  facts.name = proto.name();
  facts.display_name = proto.display_name();
  facts.description = proto.description();
  facts.owner = proto.owner();
  facts.severity = InRange(proto.severity(), Severity::kInfo);
  facts.runbook_url = proto.runbook_url();
  facts.labels.insert(proto.labels().begin(), proto.labels().end());
  facts.state = InRange(proto.state(), MonitorState::kPaused);
  TakeSchedule(proto.schedule(), facts);
  if (proto.has_value_min()) facts.value_min = proto.value_min();
  if (proto.has_value_max()) facts.value_max = proto.value_max();
  facts.max_run_duration = Duration(proto.max_run_duration());
  return facts;
}

IncidentFacts FromProto(const v1::Incident& proto) {
  IncidentFacts facts;
  facts.name = proto.name();
  facts.cause = InRange(proto.cause(), Cause::kValueOutOfRange);
  facts.opened_at = Time(proto.open_time());
  facts.detected_at = Time(proto.detect_time());
  if (proto.has_close_time()) facts.closed_at = Time(proto.close_time());
  facts.resolution = InRange(proto.resolution(), Resolution::kLateHeartbeat);
  facts.message = proto.message();
  return facts;
}

EventFacts FromProto(const v1::AlertEvent& proto) {
  EventFacts facts;
  facts.type = InRange(proto.type(), EventType::kReminder);
  facts.sequence = proto.sequence();
  facts.occurred_at = Time(proto.occur_time());
  facts.detected_at = Time(proto.detect_time());
  facts.monitor = FromProto(proto.monitor());
  facts.incident = FromProto(proto.incident());
  if (proto.has_expect_time()) facts.expected_at = Time(proto.expect_time());
  if (proto.has_last_heartbeat()) facts.last_heartbeat = FromProto(proto.last_heartbeat());
  if (proto.has_run()) {
    facts.run = RunFacts{.id = proto.run().id(), .started_at = Time(proto.run().start_time())};
  }
  facts.flapping = proto.flapping();
  return facts;
}

DigestFacts FromProto(const internal::v1::Digest& proto) {
  DigestFacts facts;
  facts.project = proto.project();
  facts.url = proto.url();
  for (const internal::v1::Digest::Count& count : proto.counts()) {
    facts.counts.push_back({.type = InRange(count.type(), EventType::kReminder),
                            .cause = InRange(count.cause(), Cause::kValueOutOfRange),
                            .events = count.events()});
  }
  return facts;
}

Message MessageOf(const internal::v1::Assignment& proto) {
  Message message;
  message.type = proto.type();
  message.occurred_at = Time(proto.occur_time());
  for (const v1::AlertEvent& event : proto.events()) message.events.push_back(FromProto(event));
  if (proto.has_digest()) message.digest = FromProto(proto.digest());
  if (proto.has_blind()) {
    const v1::BlindInterval& blind = proto.blind();
    message.blind = BlindFacts{.started_at = Time(blind.start_time()),
                               .ended_at = std::nullopt,
                               .unverified_count = blind.unverified_count(),
                               .unverified_monitors = {blind.unverified_monitors().begin(),
                                                       blind.unverified_monitors().end()}};
    if (blind.has_end_time()) message.blind->ended_at = Time(blind.end_time());
  }
  if (proto.has_channel_notice()) {
    ChannelNoticeFacts notice;
    notice.channel = proto.channel_notice().channel();
    if (proto.channel_notice().has_failing_since()) {
      notice.failing_since = Time(proto.channel_notice().failing_since());
    }
    notice.reason = proto.channel_notice().reason();
    message.notice = std::move(notice);
  }
  message.skipped = proto.skipped();
  message.url = proto.url();
  return message;
}

Format FormatOf(v1::Channel::Format format) {
  switch (format) {
    case v1::Channel::FORMAT_UNSPECIFIED:  // read as the standard one
    case v1::Channel::FORMAT_STANDARD_WEBHOOK:
      return Format::kStandardWebhook;
    case v1::Channel::FORMAT_SLACK:
      return Format::kSlack;
    case v1::Channel::FORMAT_PAGERDUTY:
      return Format::kPagerDuty;
    default:
      return Format::kUnknown;
  }
}

}  // namespace

Delivery FromProto(const internal::v1::Assignment& assignment, uint64_t origin,
                   absl::Duration leased_at) {
  Delivery delivery;
  delivery.facts.origin = origin;
  delivery.facts.lease_id = assignment.lease_id();
  delivery.facts.delivery_id = assignment.delivery_id();
  delivery.facts.attempt = assignment.attempt();
  delivery.facts.redelivery = assignment.redelivery();
  delivery.facts.incident_open = assignment.incident_open();
  delivery.lease = Duration(assignment.lease());
  delivery.leased_at = leased_at;
  delivery.destination.channel = assignment.destination().channel();
  delivery.destination.url = assignment.destination().url();
  delivery.destination.secrets.assign(assignment.destination().secrets().begin(),
                                      assignment.destination().secrets().end());
  delivery.destination.headers = {assignment.destination().headers().begin(),
                                  assignment.destination().headers().end()};
  delivery.destination.format = FormatOf(assignment.destination().format());
  delivery.message = MessageOf(assignment);
  return delivery;
}

void ToProto(const Report& report, internal::v1::DeliveryReport& proto) {
  proto.set_lease_id(report.lease_id);
  proto.set_delivery_id(report.delivery_id);
  proto.set_result(static_cast<internal::v1::DeliveryReport::Result>(report.result));
  proto.set_outcome(std::string(OutcomeWord(report.outcome)));
  proto.set_http_status(report.http_status);
  proto.set_answer(report.answer);
  if (report.result == Result::kRetry || report.result == Result::kDeferred) {
    const absl::Duration wait = report.retry_after;
    proto.mutable_retry_after()->set_seconds(absl::ToInt64Seconds(wait));
    proto.mutable_retry_after()->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(wait - absl::Trunc(wait, absl::Seconds(1)))));
  }
}

}  // namespace tocsin::notifier
