// Windows of maintenances: when they are open, what they move, and what they keep from being told.
#include "services/core/domain/maintenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/domain/time_zone.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {
namespace {

using testing::DownAt;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

Maintenance Once(absl::Time start, absl::Time end) {
  Maintenance maintenance;
  maintenance.project = 1;
  maintenance.id = "work";
  maintenance.reason = "new disks";
  maintenance.all_monitors = true;
  maintenance.start = start;
  maintenance.end = end;
  maintenance.created_at = Second(-1'000'000);
  return maintenance;
}

Maintenance Nightly(const std::string& cron, absl::Duration duration,
                    const std::string& zone = "UTC") {
  Maintenance maintenance = Once(absl::UnixEpoch(), absl::UnixEpoch());
  maintenance.recurring = RecurringWindow{.expression = *CronExpression::Parse(cron),
                                          .zone = *FindTimeZone(zone),
                                          .duration = duration};
  return maintenance;
}

Decision DecideIn(const Maintenances& maintenances, const MonitorDefinition& definition,
                  const MonitorState& state, const Input& input, absl::Time now) {
  const GapList gaps = WithMaintenances({}, maintenances, definition, state, now);
  return Decide(definition, state, input, gaps, now);
}

TEST(Maintenance, IsAboutMonitorsBySelectorByNameOrAboutAllOfItsProject) {
  MonitorDefinition definition = MinuteMonitor();
  definition.labels["team"] = "payments";
  Maintenance maintenance = Once(Second(0), Second(10));
  EXPECT_TRUE(Covers(maintenance, definition));
  maintenance.all_monitors = false;
  EXPECT_FALSE(Covers(maintenance, definition));
  maintenance.selector = "team=payments";
  EXPECT_TRUE(Covers(maintenance, definition));
  maintenance.selector = "team=search";
  EXPECT_FALSE(Covers(maintenance, definition));
  maintenance.monitors = {"nightly-backup"};
  EXPECT_TRUE(Covers(maintenance, definition));
  maintenance.project = 2;
  EXPECT_FALSE(Covers(maintenance, definition));
}

TEST(Maintenance, OfOneWindowIsOpenFromItsBeginningUpToItsEnd) {
  const Maintenance maintenance = Once(Second(10), Second(20));
  EXPECT_FALSE(WindowBegunBy(maintenance, Second(9)).has_value());
  EXPECT_EQ(WindowBegunBy(maintenance, Second(10))->end, Second(20));
  EXPECT_EQ(NextWindow(maintenance, Second(9))->start, Second(10));
  EXPECT_EQ(NextWindow(maintenance, Second(19))->start, Second(10));
  EXPECT_FALSE(NextWindow(maintenance, Second(20)).has_value());
}

TEST(Maintenance, ThatRecursOpensWhenItsExpressionFiresInItsZone) {
  const Maintenance maintenance = Nightly("0 2 * * *", absl::Hours(1), "Europe/Paris");
  const absl::TimeZone paris = *FindTimeZone("Europe/Paris");
  const auto at = [&](int day, int hour, int minute) {
    return absl::FromCivil(absl::CivilSecond(2026, 1, day, hour, minute, 0), paris);
  };
  EXPECT_EQ(NextWindow(maintenance, at(5, 12, 0))->start, at(6, 2, 0));
  EXPECT_EQ(NextWindow(maintenance, at(6, 2, 59))->end, at(6, 3, 0));
  EXPECT_EQ(NextWindow(maintenance, at(6, 3, 0))->start, at(7, 2, 0));
}

TEST(Maintenance, HasNoWindowBeforeItWasMade) {
  Maintenance maintenance = Nightly("0 2 * * *", absl::Hours(1));
  maintenance.created_at = Second(0);  // noon
  EXPECT_FALSE(WindowBegunBy(maintenance, Second(0)).has_value());
  Maintenance late = Once(Second(-100), Second(100));
  late.created_at = Second(0);
  EXPECT_EQ(WindowBegunBy(late, Second(1))->start, Second(0));
  EXPECT_FALSE(WindowBegunBy(late, Second(-1)).has_value());
  Maintenance within = Nightly("0 12 * * *", absl::Hours(4));
  within.created_at = Second(3600);
  const std::optional<MaintenanceWindow> first = WindowBegunBy(within, Second(3600));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->start, Second(3600));
  EXPECT_FALSE(WindowBegunBy(within, first->start - absl::Microseconds(1)).has_value());
}

TEST(Maintenance, MovesADeadlineAsAnOwnOutageDoesAndOnlyOnce) {
  const MonitorState state = UpSince(Second(0));
  const auto deadline = [&](const Maintenance& maintenance, double now) {
    const MonitorDefinition definition = MinuteMonitor();
    const GapList gaps = WithMaintenances({}, {maintenance}, definition, state, Second(now));
    return DeadlineOf(definition, state, gaps);
  };
  EXPECT_EQ(deadline(Once(Second(40), Second(100)), 50).at, Second(160));
  EXPECT_EQ(deadline(Once(Second(60), Second(100)), 50).at, Second(160));
  EXPECT_EQ(deadline(Once(Second(61), Second(100)), 50).at, Second(60)) << "it begins too late";
  EXPECT_EQ(deadline(Once(Second(5), Second(29)), 50).at, Second(60)) << "it was over in time";
  EXPECT_FALSE(deadline(Once(Second(40), Second(100)), 50).unverified);
}

TEST(Maintenance, OfEachNightHidesNoDeadDailyJob) {
  // It runs at two, in the middle of the window, and died.
  const Maintenances maintenances = {Nightly("0 1 * * *", absl::Hours(2))};
  MonitorDefinition daily = MinuteMonitor();
  daily.schedule = {.timeout = absl::Hours(24), .recommended_interval = absl::Hours(24)};
  MonitorDefinition cron = MinuteMonitor();
  cron.schedule = {.grace = absl::Minutes(30)};
  cron.schedule.cron = CronRule{*CronExpression::Parse("0 2 * * *"), absl::UTCTimeZone()};
  const absl::Time two = absl::FromCivil(absl::CivilHour(2026, 1, 5, 2), absl::UTCTimeZone());
  for (const MonitorDefinition& definition : {daily, cron}) {
    MonitorState state = UpSince(two);
    absl::Time now = two;
    while (state.state == State::kUp && now < two + absl::Hours(24 * 5)) {
      now += absl::Minutes(10);
      state = DecideIn(maintenances, definition, state, DeadlineChecked{}, now).next;
    }
    ASSERT_EQ(state.state, State::kDown);
    EXPECT_LE(state.incident->opened_at, two + absl::Hours(24 * 2 + 2));
  }
}

TEST(Maintenance, KeepsALiveDailyJobFromEveryAlarm) {
  const Maintenances maintenances = {Nightly("0 1 * * *", absl::Hours(2))};
  MonitorDefinition daily = MinuteMonitor();
  daily.schedule = {.timeout = absl::Hours(24), .recommended_interval = absl::Hours(24)};
  const absl::Time two = absl::FromCivil(absl::CivilHour(2026, 1, 5, 2), absl::UTCTimeZone());
  MonitorState state = UpSince(two);
  // For one night it waits until the work is done.
  for (const double hours : {25.0, 49.0, 72.5}) {
    const absl::Time at = two + absl::Hours(hours);
    for (absl::Time now = state.last_at; now < at; now += absl::Minutes(10)) {
      state = DecideIn(maintenances, daily, state, DeadlineChecked{}, now).next;
      ASSERT_EQ(state.state, State::kUp) << now;
    }
    state = DecideIn(maintenances, daily, state, HeartbeatArrived{UpAt(at)}, at).next;
  }
}

class HeldIncident : public ::testing::Test {
 protected:
  // A job that says down at 50.
  Decision Fail() {
    return DecideIn(maintenances_, MinuteMonitor(), UpSince(Second(0)),
                    HeartbeatArrived{DownAt(Second(50))}, Second(50));
  }

  Maintenances maintenances_ = {Once(Second(40), Second(100))};
};

TEST_F(HeldIncident, IsRecordedAndNotTold) {
  const Decision failed = Fail();
  EXPECT_EQ(failed.next.state, State::kDown);
  ASSERT_TRUE(failed.opened.has_value());
  EXPECT_EQ(failed.opened->held_until, Second(100));
  EXPECT_EQ(failed.next.sequence, 0);
  EXPECT_LE(SweepAt(MinuteMonitor(), failed.next), Second(100)) << "a lower bound";
}

TEST_F(HeldIncident, IsToldOnceAtTheEndIfItIsOpenStill) {
  const MonitorState down = Fail().next;
  EXPECT_EQ(DecideIn(maintenances_, MinuteMonitor(), down, DeadlineChecked{}, Second(99)).reason,
            Reason::kNotDue);
  const GapList gaps = WithMaintenances({}, maintenances_, MinuteMonitor(), down, Second(100));
  EXPECT_EQ(TellAt(MinuteMonitor(), down, gaps, Second(105)), Second(100))
      << "whether the job has come back by then has to be known";
  const Decision told =
      DecideIn(maintenances_, MinuteMonitor(), down, DeadlineChecked{}, Second(100));
  EXPECT_TRUE(told.told);
  EXPECT_EQ(told.next.sequence, 1);
  EXPECT_FALSE(told.next.incident->held_until.has_value());
  EXPECT_EQ(told.next.incident->opened_at, Second(50));
  EXPECT_FALSE(
      DecideIn(maintenances_, MinuteMonitor(), told.next, DeadlineChecked{}, Second(200)).told);
}

TEST_F(HeldIncident, WaitsForAWindowThatGoesOn) {
  const MonitorState down = Fail().next;
  maintenances_.push_back(Once(Second(90), Second(150)));
  const Decision held =
      DecideIn(maintenances_, MinuteMonitor(), down, DeadlineChecked{}, Second(100));
  EXPECT_FALSE(held.told);
  EXPECT_TRUE(held.incident_changed);
  EXPECT_EQ(held.next.incident->held_until, Second(150));
}

TEST_F(HeldIncident, FollowsAWindowThatBecameShorter) {
  const MonitorState down = Fail().next;
  maintenances_ = {Once(Second(40), Second(70))};
  const Decision noted =
      DecideIn(maintenances_, MinuteMonitor(), down, DeadlineChecked{}, Second(60));
  EXPECT_EQ(noted.next.incident->held_until, Second(70));
  const GapList gaps = WithMaintenances({}, maintenances_, MinuteMonitor(), down, Second(60));
  EXPECT_LE(TellAt(MinuteMonitor(), down, gaps, Second(60)), Second(60));
  EXPECT_EQ(TellAt(MinuteMonitor(), noted.next, gaps, Second(60)), Second(70))
      << "the sweeper would spin";
  EXPECT_TRUE(
      DecideIn(maintenances_, MinuteMonitor(), noted.next, DeadlineChecked{}, Second(70)).told);
}

TEST_F(HeldIncident, IsToldAtOnceWhenTheWindowIsTakenBack) {
  const MonitorState down = Fail().next;
  EXPECT_TRUE(DecideIn({}, MinuteMonitor(), down, DeadlineChecked{}, Second(60)).told);
}

TEST_F(HeldIncident, EndsWithoutAWordWhenTheJobRecoversBefore) {
  const Decision recovered = DecideIn(maintenances_, MinuteMonitor(), Fail().next,
                                      HeartbeatArrived{UpAt(Second(60))}, Second(60));
  EXPECT_EQ(recovered.next.state, State::kUp);
  ASSERT_TRUE(recovered.closed.has_value());
  EXPECT_TRUE(recovered.closed->held_until.has_value());
  EXPECT_EQ(recovered.next.sequence, 0);
}

TEST_F(HeldIncident, IsNoneThatWasToldBefore) {
  const MonitorState down = DecideIn(maintenances_, MinuteMonitor(), UpSince(Second(0)),
                                     HeartbeatArrived{DownAt(Second(39))}, Second(39))
                                .next;
  ASSERT_EQ(down.sequence, 1);
  const Decision again = DecideIn(maintenances_, MinuteMonitor(), down,
                                  HeartbeatArrived{DownAt(Second(50))}, Second(50));
  EXPECT_EQ(again.next.sequence, 1) << "nothing is told twice";
  const Decision recovered = DecideIn(maintenances_, MinuteMonitor(), again.next,
                                      HeartbeatArrived{UpAt(Second(60))}, Second(60));
  EXPECT_EQ(recovered.next.sequence, 2) << "that it has recovered is never held back";
}

TEST_F(HeldIncident, HasNoReminders) {
  MonitorDefinition definition = MinuteMonitor();
  definition.reminder_interval = absl::Seconds(20);
  MonitorState down = DecideIn(maintenances_, definition, UpSince(Second(0)),
                               HeartbeatArrived{DownAt(Second(39))}, Second(39))
                          .next;
  const Decision held = DecideIn(maintenances_, definition, down, DeadlineChecked{}, Second(60));
  EXPECT_FALSE(held.reminded) << "one that was told is not told again within the window";
  EXPECT_GT(SweepAt(definition, held.next), Second(60)) << "the sweeper would spin";
  EXPECT_EQ(ReminderAt(definition, Fail().next), absl::InfiniteFuture());
}

TEST_F(HeldIncident, AJobThatRestedHasItsIntervalFromTheDeletion) {
  const MonitorState up = UpSince(Second(0));
  maintenances_[0].deleted_at = Second(90);
  const GapList gaps = WithMaintenances({}, maintenances_, MinuteMonitor(), up, Second(91));
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), up, gaps).at, Second(90) + absl::Seconds(60));
  EXPECT_FALSE(MaintainedUntil(gaps, Second(91)).has_value());
  EXPECT_TRUE(MaintainedUntil(gaps, Second(89)).has_value()) << "as it was then";
}

TEST(Maintenance, AWindowThatBeginsAfterTheDeletionIsNone) {
  Maintenance nightly = Nightly("0 2 * * *", absl::Hours(1));
  nightly.deleted_at = nightly.created_at;
  EXPECT_FALSE(WindowBegunBy(nightly, nightly.created_at + absl::Hours(72)).has_value());
}

// A mute of all that is in the window 40 to 100.
class MutedIncident : public HeldIncident {
 protected:
  MutedIncident() { maintenances_[0].kind = MaintenanceKind::kMute; }
};

TEST_F(MutedIncident, IsToldWhenTheMuteEndsIfItIsOpenStill) {
  const MonitorState down = Fail().next;
  EXPECT_EQ(down.incident->held_until, Second(100));
  EXPECT_EQ(down.sequence, 0);
  const Decision told =
      DecideIn(maintenances_, MinuteMonitor(), down, DeadlineChecked{}, Second(100));
  EXPECT_TRUE(told.told);
  EXPECT_EQ(told.next.incident->opened_at, Second(50));
}

TEST_F(MutedIncident, ThatWasToldBeforeEndsAtOnce) {
  const MonitorState down = DecideIn(maintenances_, MinuteMonitor(), UpSince(Second(0)),
                                     HeartbeatArrived{DownAt(Second(39))}, Second(39))
                                .next;
  EXPECT_EQ(
      DecideIn(maintenances_, MinuteMonitor(), down, HeartbeatArrived{UpAt(Second(60))}, Second(60))
          .next.sequence,
      2);
}

TEST_F(MutedIncident, AMuteMovesNoDeadline) {
  const MonitorState up = UpSince(Second(0));
  const GapList gaps = WithMaintenances({}, maintenances_, MinuteMonitor(), up, Second(50));
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), up, gaps).at, Second(60));
  EXPECT_EQ(MutedUntil(gaps, Second(50)), Second(100));
  EXPECT_FALSE(MaintainedUntil(gaps, Second(50)).has_value());
  maintenances_[0].kind = MaintenanceKind::kMaintenance;
  const GapList moved = WithMaintenances({}, maintenances_, MinuteMonitor(), up, Second(50));
  EXPECT_GT(DeadlineOf(MinuteMonitor(), up, moved).at, Second(60)) << "a maintenance does";
}

TEST(Mute, ReportsEveryFaultAtOnceByItsField) {
  Maintenance mute;
  mute.kind = MaintenanceKind::kMute;
  FieldFaults faults;
  ValidateMaintenance(mute, "mute", faults);
  const std::string text(faults.ToStatus().message());
  for (const char* field : {"mute.reason", "mute.selector", "mute.expire_time"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(field));
  }
}

TEST(Maintenance, ReportsEveryFaultAtOnceByItsField) {
  Maintenance maintenance;
  maintenance.id = "work";
  FieldFaults faults;
  FillDefaults(maintenance);
  ValidateMaintenance(maintenance, "maintenance", faults);
  const std::string text(faults.ToStatus().message());
  for (const char* field :
       {"maintenance.reason", "maintenance.selector", "maintenance.one_off.end_time"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(field));
  }
}

TEST(Maintenance, ThatWouldNeverEndIsRefused) {
  const auto faults_of = [](const Maintenance& maintenance) {
    FieldFaults faults;
    ValidateMaintenance(maintenance, "maintenance", faults);
    return std::string(faults.ToStatus().message());
  };
  for (const Maintenance& endless :
       {Nightly("* * * * *", absl::Minutes(1)), Nightly("0 2 * * *", absl::Hours(25)),
        Nightly("0 2 * * *", absl::Hours(24), "America/New_York"),
        Nightly("0 */6 * * *", absl::Hours(6))}) {
    EXPECT_THAT(faults_of(endless), ::testing::HasSubstr("maintenance.recurring.duration"));
  }
  for (const Maintenance& ends :
       {Nightly("0 2 * * *", absl::Hours(23)), Nightly("0 2,3 * * *", absl::Hours(3)),
        Nightly("0 0 1 1 *", absl::Hours(24 * 7)), Nightly("* * * * 6,0", absl::Minutes(1)),
        Nightly("*/15 * * 7,8 *", absl::Minutes(15)), Nightly("0 0 29 2 *", absl::Hours(24))}) {
    EXPECT_EQ(faults_of(ends), "");
  }
}

}  // namespace
}  // namespace tocsin::core
