// How things that happened read.
#include "services/core/domain/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::DownAt;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpAt;

TimelineEntry Up(double at) {
  return EntryOf({.heartbeat = UpAt(Second(at)), .reason = Reason::kRecorded});
}

TEST(Timeline, SteadyHeartbeatsAreOneEntryUntilSomethingElseHappens) {
  std::vector<TimelineEntry> entries = {Up(0), Up(60), Up(120),
                                        EntryOf(CoreGap(Second(130), Second(140))), Up(180)};
  const std::vector<TimelineEntry> folded = Folded(entries);
  ASSERT_EQ(folded.size(), 3u);
  EXPECT_EQ(folded[0].count, 3);
  EXPECT_EQ(folded[0].at, Second(0));
  EXPECT_EQ(folded[0].end, Second(120));
  EXPECT_EQ(folded[1].what, "own outage");
  EXPECT_EQ(folded[1].why, "no core could record, for 10s");
  EXPECT_EQ(folded[2].count, 1);
}

TEST(Timeline, HeartbeatsThatDidSomethingOrSayOtherThingsStandAlone) {
  const TimelineEntry down =
      EntryOf({.heartbeat = DownAt(Second(60)), .reason = Reason::kReportedDown});
  EXPECT_EQ(down.what, "down \"disk full\"");
  EXPECT_EQ(down.why, "reported down");
  Heartbeat other = UpAt(Second(120));
  other.message = "late";
  const std::vector<TimelineEntry> folded =
      Folded({Up(0), down, EntryOf({.heartbeat = other, .reason = Reason::kRecorded}), Up(180)});
  EXPECT_EQ(folded.size(), 4u);
}

TEST(Timeline, ACountedDeadlineSaysHowOften) {
  const TimelineEntry entry = EntryOf(PassedDeadline{.monitor = 7,
                                                     .at = Second(90),
                                                     .plain = Second(60),
                                                     .expected_at = Second(60),
                                                     .judged_at = Second(90),
                                                     .reason = Reason::kCounted,
                                                     .failures = 1,
                                                     .threshold = 2,
                                                     .settings = "every 1m"});
  EXPECT_EQ(entry.what, "deadline passed");
  EXPECT_EQ(entry.why,
            "failure 1 of 2; expected by 2026-01-05 12:01:00Z, postponed from 2026-01-05 "
            "12:01:00Z");
  EXPECT_EQ(entry.deadline, Second(90));
  EXPECT_EQ(entry.settings, "every 1m");
}

TEST(Timeline, AnIncidentBeginsAndEnds) {
  Incident incident;
  incident.key = 5;
  incident.opened_at = Second(60);
  incident.detected_at = Second(61);
  EXPECT_FALSE(EndOf(incident, "default").has_value());
  AlertEvent opening;
  opening.definition = MinuteMonitor();
  opening.expected_at = Second(60);
  const TimelineEntry beginning = BeginningOf(incident, &opening, "default");
  EXPECT_EQ(beginning.what, "DOWN");
  EXPECT_EQ(beginning.resource, "projects/default/incidents/5");
  EXPECT_EQ(beginning.settings, "every 1m, grace 0");
  incident.closed_at = Second(100);
  incident.resolution = Resolution::kPaused;
  EXPECT_EQ(EndOf(incident, "default")->what, "PAUSED");
}

TEST(Timeline, ADeliveryNamesItsChannelAndAttempts) {
  Delivery delivery;
  delivery.id = "msg_1";
  delivery.created_at = Second(60);
  delivery.next_attempt_at = Second(70);
  delivery.attempts = 3;
  delivery.last_outcome = "HTTP 503";
  const TimelineEntry entry = EntryOf({.delivery = delivery, .channel = "ops"}, "default");
  EXPECT_EQ(entry.what, "incident.opened waits for ops");
  EXPECT_EQ(entry.why, "3 attempts, HTTP 503, next at 2026-01-05 12:01:10Z");
}

TEST(Timeline, AChangeSaysWhoChangedWhat) {
  const TimelineEntry entry = EntryOf(
      AuditRecord{.at = Second(1),
                  .caller = {.actor = "anna", .method = "tocsin.v1.MonitorService/UpdateMonitor"},
                  .resource = "projects/default/monitors/m",
                  .changes = {{.field = "owner", .before = "a", .after = "b"},
                              {.field = "labels.x", .before = "", .after = "y"}}});
  EXPECT_EQ(entry.what, "UpdateMonitor");
  EXPECT_EQ(entry.why, "owner: a → b, labels.x: → y");
  EXPECT_EQ(entry.actor, "anna");
}

}  // namespace
}  // namespace tocsin::core
