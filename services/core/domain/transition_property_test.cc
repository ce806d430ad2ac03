// What holds of the deadline formula and the state machine over random histories.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include "services/core/domain/deadline.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/flapping.h"
#include "services/core/domain/tell_time.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {
namespace {

using testing::Beat;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpSince;

constexpr int kRounds = 20000;

class TransitionProperty : public ::testing::Test {
 protected:
  TransitionProperty() {
    const char* given = std::getenv("TOCSIN_TEST_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
    RecordProperty("seed", std::to_string(seed_));
    printf("seed %llu\n", static_cast<unsigned long long>(seed_));
  }

  int Int(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Int(1, 100) <= percent; }
  // A whole number of milliseconds, so that instants coincide now and then.
  absl::Duration Upto(absl::Duration most) {
    return absl::Milliseconds(
        std::uniform_int_distribution<int64_t>(0, absl::ToInt64Milliseconds(most))(random_));
  }

  MonitorDefinition AnyDefinition(int max_threshold) {
    MonitorDefinition definition = MinuteMonitor();
    Schedule& schedule = definition.schedule;
    schedule.timeout = absl::Seconds(Int(1, 200));
    schedule.recommended_interval = absl::Seconds(Int(1, 200));
    schedule.recommended_interval = std::min(schedule.recommended_interval, schedule.timeout);
    schedule.grace = absl::Seconds(Chance(50) ? 0 : Int(1, 60));
    if (Chance(40)) schedule = AnyCronSchedule();
    if (Chance(40)) definition.max_run_duration = absl::Seconds(Int(1, 300));
    if (Chance(30)) definition.reminder_interval = absl::Seconds(Int(60, 300));
    if (Chance(30)) definition.value_min = Int(0, 4);
    if (Chance(30)) definition.value_max = Int(4, 9);
    definition.failure_threshold = Int(1, max_threshold);
    definition.recovery_threshold = Int(1, max_threshold);
    definition.arm_on_create = Chance(30);
    definition.resume_on_heartbeat = Chance(30);
    return definition;
  }

  Schedule AnyCronSchedule() {
    static constexpr const char* kExpressions[] = {"* * * * *", "*/2 * * * *", "3,4,10-12 * * * *",
                                                   "0-59/5 * * * *"};
    static constexpr const char* kZones[] = {"UTC", "Europe/Berlin", "Asia/Kathmandu"};
    Schedule schedule = testing::CronSchedule(kExpressions[Int(0, 3)], absl::Seconds(Int(1, 90)),
                                              kZones[Int(0, 2)]);
    if (Chance(40)) schedule.cron->early_tolerance = absl::Seconds(Int(0, 150));
    return schedule;
  }

  std::string AnyRunId() {
    return Chance(40) ? "" : std::string(1, static_cast<char>('a' + Int(0, 3)));
  }

  Runs AnyRuns() {
    Runs runs;
    absl::Time started = Second(0);
    for (const char* id : {"", "a", "b"}) {
      if (!Chance(30)) continue;
      started += Upto(absl::Seconds(100));
      core::Run& run = runs.emplace_back(core::Run{.id = id, .started_at = started});
      if (Chance(70)) run.due_at = started + absl::Seconds(Int(1, 300));
      run.overran = Chance(20);
    }
    return runs;
  }

  MonitorState AnyWatchedState(const MonitorDefinition& definition) {
    MonitorState state = UpSince(Second(0) + Upto(absl::Seconds(300)));
    state.last_source = static_cast<Source>(Int(0, 2));
    state.misses = Int(0, definition.failure_threshold - 1);
    if (Chance(20)) state.armed_at = Second(0) + Upto(absl::Seconds(300));
    if (Chance(20)) state.floor_at = Second(0) + Upto(absl::Seconds(600));
    if (Chance(20)) state.excused_at = Second(0) + Upto(absl::Seconds(300));
    // A credit is that of a start before the newest heartbeat, or of a run that is open.
    if (Chance(20)) state.credit_at = state.last_at - Upto(absl::Seconds(100));
    if (Chance(30)) state.runs = AnyRuns();
    return state;
  }

  GapList AnyGaps(int most) {
    GapList gaps;
    const int count = Int(0, most);
    for (int i = 0; i < count; ++i) {
      const absl::Time start = Second(0) + Upto(absl::Seconds(900));
      gaps.push_back({.kind = static_cast<GapKind>(Int(1, 3)),
                      .start = start,
                      .end = start + absl::Milliseconds(1) + Upto(absl::Seconds(300))});
    }
    std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.end < b.end; });
    return gaps;
  }

  Input AnyInput(absl::Time now, MonitorDefinition& definition) {
    const int choice = Int(1, 100);
    if (choice <= 50) {
      const auto kind = static_cast<HeartbeatKind>(Chance(70) ? 1 : Int(1, 4));
      absl::Time at = now;
      if (Chance(30)) at -= Upto(absl::Seconds(10));  // it waited somewhere
      HeartbeatArrived arrived{.heartbeat = Beat(kind, at, Chance(50) ? "why" : "")};
      arrived.heartbeat.run_id = AnyRunId();
      if (Chance(30)) arrived.heartbeat.value = Int(-1, 10);
      arrived.run_ended =
          kind == HeartbeatKind::kStart && !arrived.heartbeat.run_id.empty() && Chance(10);
      return arrived;
    }
    if (choice <= 85) return DeadlineChecked{};
    if (choice <= 89) return Paused{};
    if (choice <= 94) return Resumed{};
    if (choice <= 97) {
      const bool schedule = Chance(50);
      const Schedule before = definition.schedule;
      if (schedule) definition.schedule = AnyDefinition(1).schedule;
      definition.arm_on_create = Chance(30);
      return schedule ? Reconfigured{.replaced = before} : Reconfigured{};
    }
    if (definition.deleted_at.has_value()) {
      definition.deleted_at.reset();
      return Undeleted{};
    }
    definition.deleted_at = now;
    return Deleted{};
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
};

TEST_F(TransitionProperty, GapsNeverMoveADeadlineEarlierAndSweepAtIsBelowEveryDeadline) {
  for (int round = 0; round < kRounds; ++round) {
    const MonitorDefinition definition = AnyDefinition(4);
    const MonitorState state = AnyWatchedState(definition);
    const GapList gaps = AnyGaps(6);
    const Deadline with = DeadlineOf(definition, state, gaps);
    const Deadline without = DeadlineOf(definition, state, {});
    ASSERT_GE(with.at, without.at);
    // With several runs an outage may change which of them is due first.
    if (state.runs.size() < 2) {
      ASSERT_EQ(with.plain, without.at);
    }
    ASSERT_EQ(without.plain, without.at);
    ASSERT_LE(SweepAt(definition, state), with.at);
  }
}

TEST_F(TransitionProperty, APostponementIsBoundedByOneGapThatBeganBeforeThePlainDeadline) {
  for (int round = 0; round < kRounds; ++round) {
    const MonitorDefinition definition = AnyDefinition(1);
    const MonitorState state = AnyWatchedState(definition);
    const GapList gaps = AnyGaps(6);
    const Deadline deadline = DeadlineOf(definition, state, gaps);
    absl::Time bound = deadline.plain;
    for (const Gap& gap : gaps) {
      if (gap.start > deadline.plain) continue;
      // Of a schedule its interval, of a run its limit; with cron the interval is zero.
      absl::Duration longest = definition.schedule.recommended_interval + definition.schedule.grace;
      for (const core::Run& run : state.runs) {
        if (run.has_limit()) longest = std::max(longest, run.due_at - run.started_at);
      }
      bound = std::max(bound, gap.end + longest);
    }
    ASSERT_LE(deadline.at, bound);
    if (deadline.at > deadline.plain) {
      ASSERT_TRUE(deadline.unverified);
    }
  }
}

// The promise to live jobs: who pushes every recommended interval, and so again within one after
// an own outage that swallowed pushes, is never judged. (It is one outage: a second that begins
// before the postponed deadline does not postpone it again, or a dead job might never be found.)
TEST_F(TransitionProperty, AJobThatPushesEveryIntervalIsNeverPastItsDeadline) {
  for (int round = 0; round < kRounds; ++round) {
    MonitorDefinition definition = AnyDefinition(1);
    if (definition.schedule.cron.has_value()) continue;
    const GapList gaps = AnyGaps(1);
    const absl::Duration interval = definition.schedule.recommended_interval;
    MonitorState state = UpSince(Second(0));
    state.last_source = Source::kHttp;
    for (absl::Time at = Second(0); at < Second(1500); at += interval) {
      const bool lost = std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
        return gap.start <= at && at <= gap.end;
      });
      ASSERT_GE(DeadlineOf(definition, state, gaps).at, at) << "interval " << interval;
      if (!lost) state.last_at = at;
    }
  }
}

TEST_F(TransitionProperty, ASteadyUpMovesTheNewestHeartbeatAndNothingElse) {
  int steady = 0;
  for (int round = 0; round < kRounds; ++round) {
    const MonitorDefinition definition = AnyDefinition(4);
    MonitorState state = AnyWatchedState(definition);
    state.sequence = Int(0, 9);
    state.last_kind = static_cast<HeartbeatKind>(Int(1, 2));
    const absl::Time at = Second(0) + Upto(absl::Seconds(900));
    Heartbeat heartbeat = Beat(HeartbeatKind::kUp, at, "", static_cast<Source>(Int(0, 2)));
    if (Chance(30)) heartbeat.value = Int(-1, 10);
    if (Chance(10)) heartbeat.run_id = "a";
    if (!IsSteadyUp(definition, state, heartbeat)) continue;
    ++steady;
    const Decision decision =
        Decide(definition, state, HeartbeatArrived{heartbeat}, AnyGaps(3), at + absl::Seconds(1));
    EXPECT_EQ(decision.reason, Reason::kRecorded);
    EXPECT_FALSE(decision.opened || decision.closed || decision.expected_at);
    EXPECT_FALSE(decision.withdraw_unsent_firing || decision.message_changed);
    EXPECT_FALSE(decision.reminded || decision.run_duration);
    EXPECT_EQ(decision.ended_run, "");
    const MonitorState& next = decision.next;
    EXPECT_EQ(next.last_at, at);
    EXPECT_EQ(next.last_kind, HeartbeatKind::kUp);
    EXPECT_EQ(next.last_source, heartbeat.source);
    EXPECT_EQ(next.state, state.state);
    EXPECT_EQ(next.armed_at, state.armed_at);
    EXPECT_EQ(next.floor_at, state.floor_at);
    EXPECT_EQ(next.failures, state.failures);
    EXPECT_EQ(next.successes, state.successes);
    EXPECT_EQ(next.misses, state.misses);
    EXPECT_EQ(next.credit_at, absl::InfinitePast());
    EXPECT_EQ(next.excused_at, state.excused_at);
    EXPECT_EQ(next.changed_at, state.changed_at);
    EXPECT_TRUE(next.runs.empty());
    EXPECT_EQ(next.sequence, state.sequence);
    EXPECT_EQ(next.incident.has_value(), state.incident.has_value());
    EXPECT_GE(DeadlineOf(definition, next, {}).at, DeadlineOf(definition, state, {}).at);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(steady, kRounds / 20);
}

// What people hear of a monitor: that it is down, then that it is not.
class Listener {
 public:
  void Hear(const Decision& decision) {
    if (decision.told_end.has_value()) HearEnd();
    const auto& opened = decision.opened;
    const auto& closed = decision.closed;
    if (closed.has_value() && !closed->held_until && !decision.next.untold_end) HearEnd();
    if (decision.told || (opened.has_value() && !opened->held_until)) {
      ASSERT_FALSE(down_);
      down_ = true;
      ++events_;
    }
    if (!decision.reminded) return;
    ASSERT_TRUE(down_);
    ++events_;
  }
  int64_t events() const { return events_; }
  bool down() const { return down_; }

 private:
  void HearEnd() {
    ASSERT_TRUE(down_);
    down_ = false;
    ++events_;
  }

  int64_t events_ = 0;
  bool down_ = false;
};

// Over one random history: alarms begin and end in turn, and their numbers have no holes.
TEST_F(TransitionProperty, EveryAlarmEndsOnceAndNumbersHaveNoHoles) {
  int held = 0;
  for (int history = 0; history < kRounds / 20; ++history) {
    MonitorDefinition definition = AnyDefinition(3);
    MonitorState state;
    if (definition.arm_on_create) state.armed_at = Second(0);
    const GapList gaps = AnyGaps(4);
    absl::Time now = Second(0);
    std::optional<Incident> open;
    Listener listener;
    for (int step = 0; step < 200; ++step) {
      now += Upto(Chance(50) ? absl::Seconds(1) : absl::Seconds(90));
      const Input input = AnyInput(now, definition);
      const Decision decision = Decide(definition, state, input, gaps, now);
      ASSERT_LE(decision.opened.has_value() + decision.closed.has_value() + decision.reminded +
                    decision.told,
                1);
      if (decision.opened.has_value()) {
        ASSERT_FALSE(open.has_value());
        open = decision.opened;
        ASSERT_GE(open->detected_at, open->opened_at);
        held += open->held_until.has_value();
      }
      if (decision.closed.has_value()) {
        ASSERT_TRUE(open.has_value());
        ASSERT_EQ(decision.closed->opened_at, open->opened_at);
        ASSERT_TRUE(decision.closed->closed_at && decision.closed->resolution);
        ASSERT_GE(*decision.closed->closed_at, decision.closed->opened_at);
        open.reset();
      }
      listener.Hear(decision);
      ASSERT_FALSE(HasFailure());
      state = decision.next;
      ASSERT_EQ(state.sequence, listener.events());
      ASSERT_EQ(state.state == State::kDown, open.has_value());
      ASSERT_EQ(state.incident.has_value(), open.has_value());
      ASSERT_LE(SweepAt(definition, state), DeadlineOf(definition, state, gaps).at);
      ASSERT_LE(SweepAt(definition, state), ReminderAt(definition, state));
      ASSERT_LE(SweepAt(definition, state), TellAt(definition, state, gaps, now));
      ASSERT_TRUE(std::is_sorted(
          state.runs.begin(), state.runs.end(),
          [](const core::Run& a, const core::Run& b) { return a.started_at < b.started_at; }));
      if (state.state == State::kPaused) {
        ASSERT_TRUE(state.runs.empty());
        ASSERT_FALSE(listener.down());
      }
    }
    // Time alone tells whatever is held back.
    for (int check = 0; check < 5; ++check) {
      now += kSteadySpan;
      const Decision decision = Decide(definition, state, DeadlineChecked{}, gaps, now);
      listener.Hear(decision);
      state = decision.next;
    }
    ASSERT_EQ(listener.down(), state.state == State::kDown);
    ASSERT_FALSE(state.untold_end.has_value());
  }
  EXPECT_GT(held, 0);
}

// An incident never begins before the end of the one before: nothing is judged twice.
TEST_F(TransitionProperty, IncidentsDoNotOverlap) {
  for (int history = 0; history < kRounds / 20; ++history) {
    MonitorDefinition definition = AnyDefinition(3);
    MonitorState state;
    absl::Time now = Second(0);
    absl::Time closed = absl::InfinitePast();
    for (int step = 0; step < 200; ++step) {
      now += Upto(Chance(50) ? absl::Seconds(1) : absl::Seconds(90));
      Decision decision;
      do {
        decision = Decide(definition, state, DeadlineChecked{}, {}, now);
        state = decision.next;
        ASSERT_TRUE(!decision.opened || decision.opened->opened_at >= closed);
      } while (decision.reason != Reason::kNotDue);
      Input input = AnyInput(now, definition);
      // No heartbeat is late, and no sweep: each is another story.
      if (auto* arrived = std::get_if<HeartbeatArrived>(&input)) arrived->heartbeat.at = now;
      decision = Decide(definition, state, input, {}, now);
      state = decision.next;
      if (decision.closed) closed = *decision.closed->closed_at;
    }
  }
}

// Promise 7. The job is dead; core is away again and again, for as long and as often as it likes,
// and people change the schedule now and then. Each miss is postponed by one outage, and one more
// is excused.
TEST_F(TransitionProperty, ADeadJobIsFoundWhateverOutagesAndChangesCome) {
  int found = 0;
  for (int history = 0; history < kRounds / 20; ++history) {
    MonitorDefinition definition = AnyDefinition(3);
    // It lived, in all manners.
    MonitorState state;
    if (definition.arm_on_create) state.armed_at = Second(0);
    absl::Time now = Second(0);
    for (int step = 0; step < 50; ++step) {
      now += Upto(absl::Seconds(60));
      const Input input = AnyInput(now, definition);
      if (std::holds_alternative<Reconfigured>(input) || definition.deleted_at.has_value()) {
        definition.deleted_at.reset();
        continue;
      }
      state = Decide(definition, state, input, {}, now).next;
    }
    if (state.state == State::kPaused) state = Decide(definition, state, Resumed{}, {}, now).next;
    if (state.state != State::kUp) continue;
    const absl::Duration away = absl::Seconds(Int(1, 200));
    const absl::Duration between = absl::Seconds(Int(1, 200));
    int changes = Int(0, 3);
    GapList gaps;
    absl::Duration longest;  // of what one miss may take
    const auto note = [&] {
      const Schedule& schedule = definition.schedule;
      // No fire times of AnyCronSchedule are more than 51 minutes apart.
      const absl::Duration period = schedule.cron ? absl::Minutes(51) : schedule.timeout;
      longest = std::max(longest, period + schedule.grace + schedule.recommended_interval +
                                      std::max(away, absl::Seconds(300)));
    };
    note();
    const absl::Time died = now;
    // Runs with a limit are judged first, each once and postponed once.
    absl::Duration runs = absl::Seconds(300 + 300) + away;
    const auto bound = [&](int changed) {
      return died + runs + (definition.failure_threshold + 1 + changed) * 2 * longest + away +
             between + absl::Seconds(150);
    };
    int changed = 0;
    while (state.state == State::kUp) {
      now += between;
      if (changes > 0 && Chance(30)) {
        --changes;
        ++changed;
        const Reconfigured change{.replaced = definition.schedule};
        definition.schedule = AnyDefinition(1).schedule;
        state = Decide(definition, state, change, gaps, now).next;
        note();
      }
      state = Decide(definition, state, DeadlineChecked{}, gaps, now).next;
      gaps.push_back({.kind = GapKind::kCore, .start = now, .end = now + away});
      now += away;
      ASSERT_LE(now, bound(changed)) << "away " << away << " between " << between;
    }
    ++found;
  }
  EXPECT_GT(found, kRounds / 100);
}

// The same promise as above for cron: who pushes at each fire time is never failed by one outage.
TEST_F(TransitionProperty, AJobThatPushesAtEachFireTimeIsNeverFailedByAnOutage) {
  for (int round = 0; round < kRounds / 20; ++round) {
    MonitorDefinition definition = AnyDefinition(1);
    definition.schedule = AnyCronSchedule();
    const CronRule& rule = *definition.schedule.cron;
    const GapList gaps = AnyGaps(1);
    MonitorState state = UpSince(rule.expression.Next(Second(0), rule.zone));
    state.last_source = Source::kHttp;
    for (absl::Time fire = state.last_at; fire < Second(3600);
         fire = rule.expression.Next(fire, rule.zone)) {
      // Late by less than the grace, or early by less than the tolerance.
      const absl::Time at = Chance(50) ? fire + Upto(definition.schedule.grace)
                                       : fire - Upto(EarlyTolerance(rule, fire));
      const bool lost = std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
        return gap.start <= at && at <= gap.end;
      });
      const bool blind = std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
        return gap.start <= at && at <= gap.end + absl::Seconds(6);
      });
      if (!blind) {
        for (Reason reason = Reason::kExcused; reason == Reason::kExcused;) {
          const Decision decision = Decide(definition, state, DeadlineChecked{}, gaps, at);
          reason = decision.reason;
          ASSERT_NE(reason, Reason::kMissed) << rule.expression.text() << " at " << at;
          state = decision.next;
        }
      }
      if (!lost && at >= state.last_at) {
        state =
            Decide(definition, state, HeartbeatArrived{Beat(HeartbeatKind::kUp, at)}, {}, at).next;
      }
    }
  }
}

}  // namespace
}  // namespace tocsin::core
