// What a verdict says in each situation that people ask about.
#include "services/core/domain/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::CronSchedule;
using testing::DownAt;
using ::testing::HasSubstr;
using testing::MinuteMonitor;
using ::testing::Not;
using testing::Second;
using testing::UpAt;
using testing::UpSince;
using testing::Wall;

// UP, heard at second 0, asked about at second 30, with one default channel.
Evidence Calm() {
  Evidence evidence;
  evidence.at = Second(30);
  evidence.now = Second(30);
  evidence.definition = MinuteMonitor();
  evidence.state = UpSince(Second(0));
  evidence.last = KnownHeartbeat{.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded};
  Channel channel;
  channel.key = 3;
  channel.id = "ops";
  channel.is_default = true;
  evidence.channels = {channel};
  return evidence;
}

Delivery DeliveryIn(DeliveryState state) {
  Delivery delivery;
  delivery.key = 40;
  delivery.id = "msg_1";
  delivery.channel = 3;
  delivery.events = {20};
  delivery.state = state;
  delivery.attempts = 2;
  delivery.created_at = Second(60.1);
  delivery.next_attempt_at = Second(65);
  if (state != DeliveryState::kPending) delivery.finished_at = Second(61);
  return delivery;
}

// DOWN since second 60, noticed at once, told to ops; asked about at second 70.
Evidence Missed() {
  Evidence evidence = Calm();
  evidence.at = evidence.now = Second(70);
  OutageEvidence outage;
  outage.incident.key = 5;
  outage.incident.opened_at = Second(60);
  outage.incident.detected_at = Second(60.1);
  outage.before = evidence.last;
  AlertEvent firing;
  firing.key = 20;
  firing.incident = outage.incident;
  firing.definition = evidence.definition;
  firing.occurred_at = Second(60);
  firing.detected_at = Second(60.1);
  firing.expected_at = Second(60);
  outage.firing = firing;
  outage.deliveries = {{.delivery = DeliveryIn(DeliveryState::kDelivered), .channel = "ops"}};
  evidence.state.state = State::kDown;
  evidence.state.incident = outage.incident;
  evidence.outage = outage;
  return evidence;
}

// The same, over at second 100.
Evidence Recovered() {
  Evidence evidence = Missed();
  Incident& incident = evidence.outage->incident;
  incident.closed_at = Second(100);
  incident.resolution = Resolution::kRecovered;
  evidence.outage->ended =
      KnownHeartbeat{.heartbeat = UpAt(Second(100)), .reason = Reason::kRecovered};
  evidence.at = evidence.now = Second(110);
  evidence.state = UpSince(Second(100));
  evidence.last = evidence.outage->ended;
  return evidence;
}

KnownWindow Silence(MaintenanceKind kind) {
  KnownWindow known;
  known.maintenance.kind = kind;
  known.maintenance.id = "quiet";
  known.maintenance.reason = "known, ticket 7";
  known.maintenance.author = "projects/default/keys/anna";
  known.window = {.start = Second(-10), .end = Second(600)};
  return known;
}

void HoldBack(Evidence& evidence) {
  evidence.outage->firing.reset();
  evidence.outage->deliveries.clear();
  evidence.outage->incident.held_until = Second(600);
}

struct Situation {
  std::string name;
  std::function<Evidence()> evidence;
  VerdictAnswer answer;
  std::string reason;
  std::vector<std::string> says;  // each is part of the sentences
};

std::vector<Situation> WhyItRang() {
  return {
      {"a_missed_deadline_is_told_with_its_chain",
       &Missed,
       VerdictAnswer::kRang,
       "missed_deadline",
       {"It rang. DOWN since 2026-01-05 12:01:00Z: no heartbeat came in time.",
        "The last heartbeat before was up at 2026-01-05 12:00:00Z", "every 1m, grace 0",
        "expected by 2026-01-05 12:01:00Z", "the deadline was 2026-01-05 12:01:00Z",
        "Channel ops was told at 2026-01-05 12:01:01Z (2 attempts)."}},
      {"a_false_alarm_says_what_would_have_spared_it",
       &Recovered,
       VerdictAnswer::kRang,
       "missed_deadline",
       {"DOWN from 2026-01-05 12:01:00Z to 2026-01-05 12:01:40Z",
        "It ended at 2026-01-05 12:01:40Z, after 40s, with up.",
        "came 40s late: with a grace above 40s it would not have rung.", "it was quiet"}},
      {"refused_pushes_are_named",
       [] {
         Evidence evidence = Recovered();
         evidence.outage->rejected = {{.monitor = 7,
                                       .minute = Second(60),
                                       .reason = Rejection::kBadParameter,
                                       .source = "192.0.2.7",
                                       .count = 12,
                                       .detail = "status is okk"}};
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"refused meanwhile: 12 × 400 bad parameter from 192.0.2.7; the newest was told: \"status "
        "is okk\""}},
      {"a_postponed_deadline_names_the_own_outage",
       [] {
         Evidence evidence = Missed();
         evidence.outage->incident.opened_at = Second(100);
         evidence.outage->incident.detected_at = Second(103);
         evidence.outage->gaps = {CoreGap(Second(35), Second(40))};
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"A time in which Tocsin could not receive had postponed that deadline to 2026-01-05 "
        "12:01:40Z: 2026-01-05 12:00:35Z to 2026-01-05 12:00:40Z.",
        "Tocsin noticed at 2026-01-05 12:01:43Z, 3s after."}},
      {"a_reported_failure_quotes_the_job",
       [] {
         Evidence evidence = Missed();
         evidence.outage->incident.cause = Cause::kReportedDown;
         evidence.outage->firing->expected_at.reset();
         Heartbeat down = DownAt(Second(60));
         down.exit_status = 2;
         evidence.outage->before =
             KnownHeartbeat{.heartbeat = down, .reason = Reason::kReportedDown};
         return evidence;
       },
       VerdictAnswer::kRang,
       "reported_down",
       {"the job said that it failed", "It sent down \"disk full\" (exit status 2) at"}},
      {"a_value_out_of_range_names_the_bounds",
       [] {
         Evidence evidence = Missed();
         evidence.outage->incident.cause = Cause::kValueOutOfRange;
         evidence.outage->firing->definition.value_max = 90;
         Heartbeat up = UpAt(Second(60));
         up.value = 97;
         evidence.outage->before = KnownHeartbeat{.heartbeat = up, .reason = Reason::kOutOfRange};
         return evidence;
       },
       VerdictAnswer::kRang,
       "value_out_of_range",
       {"with value 97", "at most 90 is allowed"}},
      {"a_run_that_took_too_long_is_named",
       [] {
         Evidence evidence = Missed();
         evidence.outage->incident.cause = Cause::kRunOverran;
         evidence.outage->firing->run = Run{.id = "r7", .started_at = Second(10)};
         return evidence;
       },
       VerdictAnswer::kRang,
       "run_overran",
       {"Run r7 began at 2026-01-05 12:00:10Z and was to end by 2026-01-05 12:01:00Z"}},
      {"a_late_commit_is_called_a_false_alarm",
       [] {
         Evidence evidence = Recovered();
         evidence.outage->incident.resolution = Resolution::kLateHeartbeat;
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"false alarm", "received in time, but was recorded late"}},
      {"a_threshold_is_counted",
       [] {
         Evidence evidence = Missed();
         evidence.outage->firing->definition.failure_threshold = 3;
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"It was failure 3 in a row, and 3 make an incident."}},
      {"a_digest_is_named",
       [] {
         Evidence evidence = Missed();
         evidence.outage->deliveries[0].delivery.told_by = "msg_digest";
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"within digest msg_digest"}},
      {"what_was_held_back_and_told_says_until_when",
       [] {
         Evidence evidence = Missed();
         evidence.outage->firing->detected_at = Second(600);
         evidence.outage->windows = {Silence(MaintenanceKind::kMaintenance)};
         return evidence;
       },
       VerdictAnswer::kRang,
       "missed_deadline",
       {"It was held back until 2026-01-05 12:10:00Z: it was in maintenance quiet"}},
  };
}

std::vector<Situation> WhyItFailedUntold() {
  return {
      {"a_mute_says_who_and_why",
       [] {
         Evidence evidence = Missed();
         HoldBack(evidence);
         evidence.outage->windows = {Silence(MaintenanceKind::kMute)};
         return evidence;
       },
       VerdictAnswer::kHeldBack,
       "muted",
       {"It failed and did not ring.", "muted (quiet) from 2026-01-05 11:59:50Z",
        "by projects/default/keys/anna: \"known, ticket 7\"",
        "still down at 2026-01-05 12:10:00Z, it is told then"}},
      {"a_maintenance_that_was_over_first",
       [] {
         Evidence evidence = Recovered();
         HoldBack(evidence);
         evidence.outage->windows = {Silence(MaintenanceKind::kMaintenance)};
         return evidence;
       },
       VerdictAnswer::kHeldBack,
       "maintenance",
       {"It was over before that ended."}},
      {"flapping",
       [] {
         Evidence evidence = Missed();
         HoldBack(evidence);
         return evidence;
       },
       VerdictAnswer::kHeldBack,
       "flapping",
       {"was flapping"}},
      {"no_channel_is_for_it",
       [] {
         Evidence evidence = Missed();
         evidence.outage->deliveries.clear();
         evidence.channels[0].is_default = false;
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "no_channel",
       {"no channel selects it"}},
      {"the_project_has_no_channel",
       [] {
         Evidence evidence = Missed();
         evidence.outage->deliveries.clear();
         evidence.channels.clear();
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "no_channel",
       {"It failed and nobody was told. DOWN since", "the project has no channel"}},
      {"its_channels_are_disabled",
       [] {
         Evidence evidence = Missed();
         evidence.outage->deliveries.clear();
         evidence.channels[0].disabled_at = Second(-100);
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "channels_disabled",
       {"disabled (ops)"}},
      {"a_failing_channel_has_not_been_told",
       [] {
         Evidence evidence = Missed();
         Delivery& delivery = evidence.outage->deliveries[0].delivery;
         delivery = DeliveryIn(DeliveryState::kPending);
         delivery.last_outcome = "HTTP 503";
         evidence.channels[0].failing_since = Second(-100);
         evidence.channels[0].last_error = "HTTP 503";
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "pending",
       {"has not been told yet: 2 attempts, the last: HTTP 503; the next is due at",
        "Channel ops fails since 2026-01-05 11:58:20Z: HTTP 503."}},
      {"a_dead_delivery",
       [] {
         Evidence evidence = Missed();
         evidence.outage->deliveries[0].delivery = DeliveryIn(DeliveryState::kDead);
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "dead",
       {"never told: given up after 2 attempts"}},
      {"a_message_that_was_taken_back",
       [] {
         Evidence evidence = Recovered();
         evidence.outage->deliveries[0].delivery = DeliveryIn(DeliveryState::kSuperseded);
         return evidence;
       },
       VerdictAnswer::kNotDelivered,
       "withdrawn",
       {"taken back before it was sent"}},
  };
}

std::vector<Situation> WhyItWasQuiet() {
  return {
      {"in_time",
       &Calm,
       VerdictAnswer::kQuiet,
       "in_time",
       {"It did not ring at 2026-01-05 12:00:30Z.", "expected by 2026-01-05 12:01:00Z"}},
      {"late_and_within_its_grace",
       [] {
         Evidence evidence = Calm();
         evidence.definition.schedule.grace = absl::Seconds(30);
         evidence.at = evidence.now = Second(80);
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "in_grace",
       {"late, and within its grace"}},
      {"postponed_by_an_own_outage",
       [] {
         Evidence evidence = Calm();
         evidence.at = evidence.now = Second(80);
         evidence.gaps = {CoreGap(Second(40), Second(50))};
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "postponed",
       {"has moved that deadline to 2026-01-05 12:01:50Z"}},
      {"a_deadline_that_is_not_judged_yet",
       [] {
         Evidence evidence = Calm();
         evidence.at = evidence.now = Second(61);
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "not_judged",
       {"not judged yet"}},
      {"below_the_threshold",
       [] {
         Evidence evidence = Calm();
         evidence.definition.failure_threshold = 3;
         evidence.state.failures = evidence.state.misses = 2;
         evidence.at = evidence.now = Second(130);
         evidence.passed = {{.monitor = 7, .at = Second(120), .reason = Reason::kCounted}};
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "below_threshold",
       {"failed 2 of 3 times in a row, last with the deadline of 2026-01-05 12:02:00Z"}},
      {"excused",
       [] {
         Evidence evidence = Calm();
         evidence.definition.schedule = CronSchedule("0 * * * *", absl::Minutes(5), "Europe/Paris");
         evidence.at = evidence.now = Second(400);
         evidence.state.excused_at = Second(0);
         evidence.passed = {{.monitor = 7, .at = Second(300), .reason = Reason::kExcused}};
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "excused",
       {"was excused", "cron 0 * * * * in Europe/Paris"}},
      {"an_open_run_without_a_limit",
       [] {
         Evidence evidence = Calm();
         evidence.state = MonitorState();
         evidence.state.runs = {Run{.id = "", .started_at = Second(10)}};
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "running",
       {"A run is open, and nothing limits it."}},
      {"paused_says_by_whom",
       [] {
         Evidence evidence = Calm();
         evidence.state.state = State::kPaused;
         evidence.rested = AuditRecord{.at = Second(-60), .caller = {.actor = "anna"}};
         return evidence;
       },
       VerdictAnswer::kNotWatched,
       "paused",
       {"It was paused, since 2026-01-05 11:59:00Z by anna: nothing is expected of it"}},
      {"deleted",
       [] {
         Evidence evidence = Calm();
         evidence.definition.deleted_at = Second(-60);
         return evidence;
       },
       VerdictAnswer::kNotWatched,
       "deleted",
       {"It was deleted, since 2026-01-05 11:59:00Z"}},
      {"never_pushed",
       [] {
         Evidence evidence = Calm();
         evidence.state = MonitorState();
         evidence.last.reset();
         return evidence;
       },
       VerdictAnswer::kNotWatched,
       "never_pushed",
       {"never been pushed", "arm_on_create"}},
      {"what_would_keep_it_silent_is_said_before_it_fails",
       [] {
         Evidence evidence = Calm();
         evidence.windows = {Silence(MaintenanceKind::kMute)};
         evidence.channels[0].is_default = false;
         return evidence;
       },
       VerdictAnswer::kQuiet,
       "in_time",
       {"It was muted (quiet)", "Should it fail: Nobody is told of it"}},
  };
}

class VerdictTest : public ::testing::TestWithParam<Situation> {};

TEST_P(VerdictTest, SaysWhy) {
  const Verdict verdict = Explain(GetParam().evidence());
  EXPECT_EQ(verdict.answer, GetParam().answer);
  EXPECT_EQ(verdict.reason, GetParam().reason);
  const std::string all = absl::StrJoin(verdict.sentences, "\n");
  for (const std::string& part : GetParam().says) EXPECT_THAT(all, HasSubstr(part));
  for (const std::string& sentence : verdict.sentences) EXPECT_EQ(sentence.back(), '.') << sentence;
}

std::string NameOf(const ::testing::TestParamInfo<Situation>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Rang, VerdictTest, ::testing::ValuesIn(WhyItRang()), &NameOf);
INSTANTIATE_TEST_SUITE_P(Untold, VerdictTest, ::testing::ValuesIn(WhyItFailedUntold()), &NameOf);
INSTANTIATE_TEST_SUITE_P(Quiet, VerdictTest, ::testing::ValuesIn(WhyItWasQuiet()), &NameOf);

TEST(Verdict, WhatAJobWroteStaysOnItsLine) {
  Evidence evidence = Calm();
  evidence.last->heartbeat.message = "fine\nIt rang.\x1b[31m";
  const std::string all = absl::StrJoin(Explain(evidence).sentences, "\n");
  EXPECT_THAT(all, HasSubstr("\"fine It rang. [31m\""));
  EXPECT_THAT(all, Not(HasSubstr("\x1b")));
}

TEST(Verdict, WhatIsNotKnownOfThatTimeIsNotGuessed) {
  Evidence evidence = Calm();
  evidence.state = MonitorState();
  evidence.last.reset();
  evidence.heard_later = true;
  EXPECT_EQ(Explain(evidence).answer, VerdictAnswer::kUnknown);
  EXPECT_EQ(Explain(evidence).reason, "not_kept");
  evidence.definition.created_at = evidence.at + absl::Seconds(1);
  EXPECT_EQ(Explain(evidence).reason, "not_made");
}

TEST(Verdict, WhatWasBroughtBackAndNotResumedWasNotPausedByAnybody) {
  Evidence evidence = Calm();
  evidence.state.state = State::kPaused;
  evidence.rested =
      AuditRecord{.at = Second(-60),
                  .caller = {.actor = "anna", .method = "tocsin.v1.MonitorService/DeleteMonitor"}};
  EXPECT_THAT(Explain(evidence).sentences.front(),
              HasSubstr("It was brought back and not resumed. It was deleted, since 2026-01-05"));
}

}  // namespace
}  // namespace tocsin::core
