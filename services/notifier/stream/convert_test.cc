// Tells that nothing of an assignment or a report is lost or mistaken on the way.
#include "services/notifier/stream/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/testing/fake_clock.h"
#include "services/notifier/stream/testing/fake_core.h"

namespace tocsin::notifier {
namespace {

using testing::ElementsAre;

constexpr absl::Duration kNow = absl::Seconds(77);

TEST(ConvertTest, TakesTheLeaseAndTheDestination) {
  internal::v1::Assignment proto = MakeAssignment("msg_1", "ops", "https://e/x", TestEpoch());
  proto.set_attempt(4);
  proto.set_redelivery(true);
  (*proto.mutable_destination()->mutable_headers())["X-Env"] = "prod";
  proto.set_url("https://t/incident");
  const Delivery delivery = FromProto(proto, 9, kNow);
  EXPECT_EQ(delivery.facts.origin, 9u);
  EXPECT_EQ(delivery.facts.lease_id, "lease-msg_1");
  EXPECT_EQ(delivery.facts.delivery_id, "msg_1");
  EXPECT_EQ(delivery.facts.attempt, 4);
  EXPECT_TRUE(delivery.facts.redelivery);
  EXPECT_TRUE(delivery.facts.incident_open);
  EXPECT_EQ(delivery.lease, absl::Seconds(30));
  EXPECT_EQ(delivery.leased_at, kNow);
  EXPECT_EQ(delivery.destination.channel, "projects/default/channels/ops");
  EXPECT_EQ(delivery.destination.url, "https://e/x");
  EXPECT_THAT(delivery.destination.secrets, ElementsAre(kTestSecret));
  EXPECT_THAT(delivery.destination.headers, ElementsAre(testing::Pair("X-Env", "prod")));
  EXPECT_EQ(delivery.message.url, "https://t/incident");
  EXPECT_EQ(delivery.destination.format, Format::kStandardWebhook);
  proto.mutable_destination()->set_format(v1::Channel::FORMAT_SLACK);
  EXPECT_EQ(FromProto(proto, 9, kNow).destination.format, Format::kSlack);
  proto.mutable_destination()->set_format(v1::Channel::FORMAT_PAGERDUTY);
  EXPECT_EQ(FromProto(proto, 9, kNow).destination.format, Format::kPagerDuty);
  proto.mutable_destination()->set_format(static_cast<v1::Channel::Format>(99));
  EXPECT_EQ(FromProto(proto, 9, kNow).destination.format, Format::kUnknown);
}

TEST(ConvertTest, TakesTheFactsOfAnEvent) {
  internal::v1::Assignment proto = MakeAssignment("msg_1", "ops", "https://e/x", TestEpoch());
  v1::AlertEvent& event = *proto.mutable_events(0);
  event.set_type(v1::AlertEvent::TYPE_RESOLVED);
  event.mutable_expect_time()->set_seconds(100);
  event.mutable_monitor()->set_display_name("Sync");
  event.mutable_monitor()->set_owner("ops");
  event.mutable_monitor()->set_runbook_url("https://r");
  (*event.mutable_monitor()->mutable_labels())["team"] = "a";
  event.mutable_incident()->set_resolution(v1::Incident::RESOLUTION_LATE_HEARTBEAT);
  event.mutable_incident()->mutable_close_time()->set_seconds(200);
  v1::Heartbeat& last = *event.mutable_last_heartbeat();
  last.set_kind(v1::Heartbeat::KIND_DOWN);
  last.mutable_receive_time()->set_seconds(5);
  last.mutable_receive_time()->set_nanos(1999);
  last.set_message("m");
  last.set_value(0);
  last.set_exit_status(0);
  last.set_run_id("r");
  last.mutable_run_duration()->set_seconds(90);
  last.set_output("tar: disk full\n");
  event.mutable_monitor()->set_value_min(0);
  event.mutable_monitor()->set_value_max(90);
  event.mutable_monitor()->mutable_max_run_duration()->set_seconds(7200);
  proto.set_skipped(3);
  const Message message = FromProto(proto, 9, kNow).message;
  EXPECT_EQ(message.type, kIncidentOpened);
  EXPECT_EQ(message.skipped, 3);
  ASSERT_EQ(message.events.size(), 1u);
  const EventFacts& facts = message.events[0];
  EXPECT_EQ(facts.type, EventType::kResolved);
  EXPECT_EQ(facts.sequence, 1);
  EXPECT_EQ(facts.expected_at, absl::FromUnixSeconds(100));
  EXPECT_EQ(facts.monitor.display_name, "Sync");
  EXPECT_EQ(facts.monitor.owner, "ops");
  EXPECT_EQ(facts.monitor.severity, Severity::kCritical);
  EXPECT_EQ(facts.monitor.state, MonitorState::kDown);
  EXPECT_EQ(facts.monitor.timeout, absl::Minutes(1));
  EXPECT_THAT(facts.monitor.labels, ElementsAre(testing::Pair("team", "a")));
  EXPECT_EQ(facts.incident.cause, Cause::kReportedDown);
  EXPECT_EQ(facts.incident.resolution, Resolution::kLateHeartbeat);
  EXPECT_EQ(facts.incident.closed_at, absl::FromUnixSeconds(200));
  ASSERT_TRUE(facts.last_heartbeat.has_value());
  EXPECT_EQ(facts.last_heartbeat->kind, HeartbeatKind::kDown);
  EXPECT_EQ(facts.last_heartbeat->at, absl::FromUnixMicros(5'000'001));
  EXPECT_EQ(facts.last_heartbeat->value, 0.0);
  EXPECT_EQ(facts.last_heartbeat->exit_status, 0);
  EXPECT_EQ(facts.last_heartbeat->run_id, "r");
  EXPECT_EQ(facts.last_heartbeat->run_duration, absl::Seconds(90));
  EXPECT_EQ(facts.last_heartbeat->output, "tar: disk full\n");
  EXPECT_EQ(facts.monitor.value_min, 0.0);
  EXPECT_EQ(facts.monitor.value_max, 90.0);
  EXPECT_EQ(facts.monitor.max_run_duration, absl::Hours(2));
  EXPECT_FALSE(facts.monitor.cron.has_value());
}

TEST(ConvertTest, TakesACronScheduleWithItsZone) {
  internal::v1::Assignment proto = MakeAssignment("msg_1", "ops", "https://e/x", TestEpoch());
  v1::CronSchedule& cron =
      *proto.mutable_events(0)->mutable_monitor()->mutable_schedule()->mutable_cron();
  cron.set_expression("0 2 * * *");
  cron.set_time_zone("Europe/Paris");
  cron.mutable_grace()->set_seconds(300);
  const auto facts = [&] { return FromProto(proto, 9, kNow).message.events[0].monitor; };
  EXPECT_EQ(facts().cron->expression, "0 2 * * *");
  EXPECT_EQ(facts().cron->time_zone, "Europe/Paris");
  EXPECT_FALSE(facts().cron->early_tolerance.has_value());
  EXPECT_EQ(facts().grace, absl::Minutes(5));
  EXPECT_EQ(facts().timeout, absl::ZeroDuration());
  EXPECT_EQ(facts().zone.name(), "Europe/Paris");
  // A zone that came into the world after our copy of the database.
  cron.set_time_zone("Mars/Olympus");
  cron.mutable_early_tolerance()->set_seconds(0);
  EXPECT_EQ(facts().cron->time_zone, "Mars/Olympus");
  EXPECT_EQ(facts().cron->early_tolerance, absl::ZeroDuration());
  EXPECT_EQ(facts().zone.name(), "UTC");
}

TEST(ConvertTest, WhatIsAbsentStaysAbsentAndTheUnknownIsUnknown) {
  internal::v1::Assignment proto = MakeAssignment("msg_1", "ops", "https://e/x", TestEpoch());
  proto.mutable_events(0)->mutable_incident()->set_cause(static_cast<v1::Incident::Cause>(50));
  const EventFacts facts = FromProto(proto, 9, kNow).message.events[0];
  EXPECT_EQ(facts.incident.cause, Cause::kUnknown);
  EXPECT_FALSE(facts.expected_at.has_value());
  EXPECT_FALSE(facts.last_heartbeat.has_value());
  EXPECT_FALSE(facts.incident.closed_at.has_value());
}

TEST(ConvertTest, TakesNoticesAndOwnOutages) {
  internal::v1::Assignment proto;
  proto.set_type("system.blind");
  proto.mutable_blind()->mutable_start_time()->set_seconds(10);
  proto.mutable_blind()->mutable_end_time()->set_seconds(70);
  proto.mutable_blind()->set_unverified_count(2);
  proto.mutable_blind()->add_unverified_monitors("projects/default/monitors/a");
  proto.mutable_channel_notice()->set_channel("projects/default/channels/x");
  proto.mutable_channel_notice()->set_reason("gone");
  const Message message = FromProto(proto, 1, kNow).message;
  ASSERT_TRUE(message.blind.has_value());
  EXPECT_EQ(*message.blind->ended_at - message.blind->started_at, absl::Minutes(1));
  EXPECT_EQ(message.blind->unverified_count, 2);
  EXPECT_THAT(message.blind->unverified_monitors, ElementsAre("projects/default/monitors/a"));
  ASSERT_TRUE(message.notice.has_value());
  EXPECT_EQ(message.notice->reason, "gone");
  proto.mutable_blind()->clear_end_time();
  EXPECT_FALSE(FromProto(proto, 1, kNow).message.blind->ended_at.has_value());
  EXPECT_FALSE(message.notice->failing_since.has_value());
}

TEST(ConvertTest, ReportsSayHowItWent) {
  Report report;
  report.lease_id = "l";
  report.delivery_id = "d";
  report.result = Result::kRetry;
  report.outcome = Outcome::kStatus5xx;
  report.http_status = 503;
  report.retry_after = absl::Milliseconds(1250);
  report.answer = "away";
  internal::v1::DeliveryReport proto;
  ToProto(report, proto);
  EXPECT_EQ(proto.lease_id(), "l");
  EXPECT_EQ(proto.delivery_id(), "d");
  EXPECT_EQ(proto.result(), internal::v1::DeliveryReport::RESULT_RETRY);
  EXPECT_EQ(proto.outcome(), "status_5xx");
  EXPECT_EQ(proto.http_status(), 503);
  EXPECT_EQ(proto.answer(), "away");
  EXPECT_EQ(proto.retry_after().seconds(), 1);
  EXPECT_EQ(proto.retry_after().nanos(), 250'000'000);
  for (const auto& [result, expected] :
       {std::pair(Result::kDelivered, internal::v1::DeliveryReport::RESULT_DELIVERED),
        std::pair(Result::kDeferred, internal::v1::DeliveryReport::RESULT_DEFERRED),
        std::pair(Result::kGone, internal::v1::DeliveryReport::RESULT_GONE),
        std::pair(Result::kDead, internal::v1::DeliveryReport::RESULT_DEAD)}) {
    report.result = result;
    ToProto(report, proto);
    EXPECT_EQ(proto.result(), expected);
  }
}

}  // namespace
}  // namespace tocsin::notifier
