// What people do with monitors.
#include "services/core/engine/monitor_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/sha256.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/deadline.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using simulation::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const ResourceName kJob = {.project = "default", .id = "job"};

class MonitorAdminTest : public ::testing::Test {
 protected:
  static MonitorDefinition Definition(const std::string& id = "job") {
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = id;
    definition.schedule.timeout = absl::Seconds(60);
    return definition;
  }

  CreatedMonitor Create(const MonitorDefinition& definition = Definition()) {
    absl::StatusOr<CreatedMonitor> created = admin_.Create(Caller(), definition);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? *created : CreatedMonitor();
  }

  // What the token gives access to now.
  std::optional<TokenMatch> Resolve(const std::string& token) {
    std::optional<TokenMatch> match;
    const TokenHash hash = Sha256(token);
    EXPECT_TRUE(memory_
                    .Transact(TransactionClass::kAdmin,
                              [&](Transaction& transaction) {
                                match = transaction.ResolveTokens({hash}, clock_.Now())->front();
                                return absl::OkStatus();
                              })
                    .ok());
    return match;
  }

  // Brings the monitor to a state as a heartbeat or the sweeper would.
  void SetState(MonitorState state) {
    const MonitorKey key = Stored().definition.key;
    EXPECT_TRUE(memory_
                    .Transact(TransactionClass::kAdmin,
                              [&](Transaction& transaction) -> absl::Status {
                                if (state.incident) {
                                  state.incident->monitor = key;
                                  state.incident->key = *transaction.AddIncident(*state.incident);
                                }
                                const StateChange change = {.monitor = key,
                                                            .state = state,
                                                            .last_push_id = 0,
                                                            .sweep_at = absl::InfiniteFuture()};
                                return transaction.SaveStates({change});
                              })
                    .ok());
  }
  MonitorState Up() {
    MonitorState state;
    state.state = State::kUp;
    state.last_at = clock_.Now();
    return state;
  }
  MonitorState Down() {
    MonitorState state = Up();
    state.state = State::kDown;
    state.sequence = 1;
    state.incident = Incident{.cause = Cause::kReportedDown,
                              .opened_at = clock_.Now(),
                              .detected_at = clock_.Now(),
                              .closed_at = std::nullopt,
                              .resolution = std::nullopt,
                              .message = "disk full"};
    return state;
  }

  Monitor Stored() { return memory_.FindMonitor("default", "job")->value(); }
  std::vector<AlertEvent> Events() {
    (void)memory_.SequenceFeed(100);
    std::vector<AlertEvent> events;
    const std::vector<FeedEntry> entries = *memory_.ReadFeed(0, 0, INT64_MAX, 100);
    for (const FeedEntry& entry : entries) events.push_back(entry.event);
    return events;
  }
  absl::Time Deadline() {
    const Monitor monitor = Stored();
    return DeadlineOf(monitor.definition, monitor.state, {}).at;
  }

  FakeClock clock_;
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  int tokens_ = 0;
  MonitorAdmin admin_{store_, clock_, [this] { return "token-" + std::to_string(++tokens_); }};
};

TEST_F(MonitorAdminTest, CreatesAMonitorWithATokenThatIsKeptAsAHash) {
  const CreatedMonitor created = Create();
  const MonitorDefinition& definition = created.view.monitor.definition;
  EXPECT_EQ(definition.display_name, "job");
  EXPECT_EQ(definition.schedule.recommended_interval, absl::Seconds(60));
  EXPECT_EQ(definition.created_at, clock_.Now());
  EXPECT_EQ(created.view.monitor.state.state, State::kNew);
  EXPECT_EQ(created.push_token, "token-1");
  ASSERT_TRUE(Resolve("token-1").has_value());
  EXPECT_EQ(Resolve("token-1")->monitor, definition.key);
  EXPECT_EQ(Stored().definition, definition);
  EXPECT_EQ(*memory_.NextSweepAt({}), absl::InfiniteFuture());
}

TEST_F(MonitorAdminTest, DrawsTokensThatNobodyCanGuess) {
  MonitorAdmin admin(store_, clock_);
  const std::string token = admin.Create(Caller(), Definition())->push_token;
  EXPECT_GE(token.size(), 32u);
  EXPECT_NE(token, admin.RotateToken(Caller(), kJob, absl::ZeroDuration())->push_token);
}

TEST_F(MonitorAdminTest, ArmsAMonitorThatIsToBeArmedOnCreation) {
  MonitorDefinition definition = Definition();
  definition.arm_on_create = true;
  Create(definition);
  EXPECT_EQ(Deadline(), clock_.Now() + absl::Seconds(60));
  EXPECT_EQ(*memory_.NextSweepAt({}), clock_.Now() + absl::Seconds(60));
}

TEST_F(MonitorAdminTest, TellsAllFaultsOfARequestAtOnce) {
  MonitorDefinition definition = Definition("No Such Id");
  definition.schedule.timeout = absl::ZeroDuration();
  const absl::Status status = admin_.Create(Caller(), definition).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_THAT(FieldViolations(status), SizeIs(2));
  EXPECT_EQ(FieldViolations(status)[0].field, "monitor_id");
  EXPECT_EQ(FieldViolations(status)[1].field, "monitor.schedule.heartbeat.timeout");
}

TEST_F(MonitorAdminTest, RefusesAnUnknownProjectAndUnknownChannels) {
  MonitorDefinition definition = Definition();
  definition.project_id = "nowhere";
  EXPECT_EQ(tocsin::Reason(admin_.Create(Caller(), definition).status()), "PROJECT_NOT_FOUND");
  definition = Definition();
  definition.channels = {"pager"};
  const absl::Status status = admin_.Create(Caller(), definition).status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "monitor.channels");
}

TEST_F(MonitorAdminTest, AnIdIsTakenOnceAlsoByADeletedMonitor) {
  Create();
  EXPECT_EQ(tocsin::Reason(admin_.Create(Caller(), Definition()).status()),
            "MONITOR_ALREADY_EXISTS");
  EXPECT_TRUE(admin_.Delete(Caller(), kJob).ok());
  const absl::Status status = admin_.Create(Caller(), Definition()).status();
  EXPECT_EQ(tocsin::Reason(status), "MONITOR_ALREADY_EXISTS");
  EXPECT_THAT(std::string(status.message()), HasSubstr("undeleted"));
}

TEST_F(MonitorAdminTest, ValidatingOnlyChecksEverythingAndWritesNothing) {
  const absl::StatusOr<CreatedMonitor> would_be =
      admin_.Create(Caller(), Definition(), {.validate_only = true});
  ASSERT_TRUE(would_be.ok());
  EXPECT_EQ(would_be->view.monitor.definition.display_name, "job");
  EXPECT_EQ(would_be->push_token, "");
  EXPECT_FALSE(memory_.FindMonitor("default", "job")->has_value());
  Create();
  EXPECT_EQ(tocsin::Reason(admin_.Create(Caller(), Definition(), {.validate_only = true}).status()),
            "MONITOR_ALREADY_EXISTS");
}

TEST_F(MonitorAdminTest, ACreationInDoubtIsResolvedByLooking) {
  for (const Fault fault : {Fault::kInDoubtWritten, Fault::kInDoubtLost}) {
    const std::string id = fault == Fault::kInDoubtWritten ? "written" : "lost";
    simulation::FaultyStore faulty(memory_, 1);
    MonitorAdmin admin(faulty, clock_, [&] {
      faulty.FailNext(fault);
      return "token-" + id;
    });
    const absl::StatusOr<CreatedMonitor> created = admin.Create(Caller(), Definition(id));
    ASSERT_TRUE(created.ok()) << created.status();
    ASSERT_TRUE(Resolve("token-" + id).has_value());
    EXPECT_EQ(Resolve("token-" + id)->monitor, created->view.monitor.definition.key);
  }
}

TEST_F(MonitorAdminTest, UpdatesWhatTheEditChangesAndDrawsAVersion) {
  const int64_t version = Create().view.monitor.definition.version;
  clock_.Advance(absl::Seconds(5));
  const absl::StatusOr<MonitorView> updated =
      admin_.Update(Caller(), kJob, [](MonitorDefinition& definition) {
        definition.owner = "payments";
        definition.id = "other";  // immutable
        return absl::OkStatus();
      });
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->monitor.definition.owner, "payments");
  EXPECT_EQ(updated->monitor.definition.id, "job");
  EXPECT_NE(updated->monitor.definition.version, version);
  EXPECT_EQ(updated->monitor.definition.updated_at, clock_.Now());
  EXPECT_EQ(Stored().definition, updated->monitor.definition);
}

TEST_F(MonitorAdminTest, AnUpdateThatChangesNothingWritesNothing) {
  const MonitorDefinition before = Create().view.monitor.definition;
  clock_.Advance(absl::Seconds(5));
  EXPECT_TRUE(
      admin_.Update(Caller(), kJob, [](MonitorDefinition&) { return absl::OkStatus(); }).ok());
  EXPECT_EQ(Stored().definition, before);
}

TEST_F(MonitorAdminTest, AChangeOfScheduleMovesTheDeadlineAndTheSweep) {
  Create();
  SetState(Up());
  clock_.Advance(absl::Seconds(30));
  const auto edit = [](MonitorDefinition& definition) {
    definition.schedule.timeout = absl::Seconds(10);
    return absl::OkStatus();
  };
  ASSERT_TRUE(admin_.Update(Caller(), kJob, edit).ok());
  EXPECT_EQ(Deadline(), clock_.Now() + absl::Seconds(10));
  EXPECT_EQ(*memory_.NextSweepAt({}), clock_.Now() + absl::Seconds(10));
  EXPECT_EQ(Stored().definition.schedule.recommended_interval, absl::Seconds(10));
  clock_.Advance(absl::Seconds(5));
  ASSERT_TRUE(admin_.Update(Caller(), kJob, edit).ok());  // no change any more
  EXPECT_EQ(Deadline(), clock_.Now() + absl::Seconds(5));
}

TEST_F(MonitorAdminTest, ARecommendedIntervalThatWasLeftAloneFollowsTheTimeout) {
  MonitorDefinition definition = Definition();
  definition.schedule.recommended_interval = absl::Seconds(20);
  Create(definition);
  const auto set_timeout = [&](absl::Duration timeout) {
    return admin_.Update(Caller(), kJob, [=](MonitorDefinition& edited) {
      edited.schedule.timeout = timeout;
      return absl::OkStatus();
    });
  };
  EXPECT_EQ(set_timeout(absl::Seconds(90))->monitor.definition.schedule.recommended_interval,
            absl::Seconds(20));
  EXPECT_EQ(set_timeout(absl::Seconds(10))->monitor.definition.schedule.recommended_interval,
            absl::Seconds(10));
}

TEST_F(MonitorAdminTest, AStaleEtagIsRefused) {
  const std::string etag = EtagOf(Create().view.monitor.definition);
  const auto own = [](const std::string& owner) {
    return [owner](MonitorDefinition& definition) {
      definition.owner = owner;
      return absl::OkStatus();
    };
  };
  EXPECT_TRUE(admin_.Update(Caller(), kJob, own("a"), {.etag = etag}).ok());
  const absl::Status status = admin_.Update(Caller(), kJob, own("b"), {.etag = etag}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Stored().definition.owner, "a");
  // The same update in doubt is no conflict with itself.
  const std::string fresh = EtagOf(Stored().definition);
  simulation::FaultyStore faulty(memory_, 1);
  MonitorAdmin admin(faulty, clock_);
  faulty.FailNext(Fault::kInDoubtWritten);
  EXPECT_TRUE(admin.Update(Caller(), kJob, own("c"), {.etag = fresh}).ok());
  EXPECT_EQ(Stored().definition.owner, "c");
}

TEST_F(MonitorAdminTest, AnInvalidUpdateIsRefusedAndChangesNothing) {
  const MonitorDefinition before = Create().view.monitor.definition;
  const absl::Status status = admin_
                                  .Update(Caller(), kJob,
                                          [](MonitorDefinition& definition) {
                                            definition.failure_threshold = 101;
                                            return absl::OkStatus();
                                          })
                                  .status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "monitor.failure_threshold");
  EXPECT_EQ(Stored().definition, before);
}

TEST_F(MonitorAdminTest, APauseClosesTheIncidentAndAResumptionArmsFromThen) {
  Create();
  SetState(Down());
  clock_.Advance(absl::Seconds(10));
  ASSERT_TRUE(admin_.Pause(Caller(), kJob).ok());
  EXPECT_EQ(Stored().state.state, State::kPaused);
  EXPECT_FALSE(Stored().state.incident.has_value());
  ASSERT_THAT(Events(), SizeIs(1));
  EXPECT_EQ(Events()[0].type, EventType::kResolved);
  EXPECT_EQ(Events()[0].incident.resolution, Resolution::kPaused);
  EXPECT_EQ(Events()[0].sequence, 2);
  const int64_t version = Stored().definition.version;
  EXPECT_TRUE(admin_.Pause(Caller(), kJob).ok());  // twice is no error
  EXPECT_EQ(Stored().definition.version, version);

  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(admin_.Resume(Caller(), kJob)->monitor.state.state, State::kUp);
  EXPECT_EQ(Deadline(), clock_.Now() + absl::Seconds(60));
  EXPECT_EQ(*memory_.NextSweepAt({}), Deadline());
  EXPECT_NE(Stored().definition.version, version);
  EXPECT_TRUE(admin_.Resume(Caller(), kJob).ok());
}

TEST_F(MonitorAdminTest, ADeletedMonitorCanBeUndeletedAndIsThenPaused) {
  Create();
  SetState(Down());
  clock_.Advance(absl::Seconds(10));
  const absl::StatusOr<MonitorView> deleted = admin_.Delete(Caller(), kJob);
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(deleted->monitor.definition.deleted_at, clock_.Now());
  ASSERT_THAT(Events(), SizeIs(1));
  EXPECT_EQ(Events()[0].incident.resolution, Resolution::kDeleted);
  EXPECT_FALSE(Resolve("token-1").has_value());
  const absl::Time deleted_at = clock_.Now();
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(admin_.Delete(Caller(), kJob)->monitor.definition.deleted_at, deleted_at);

  for (const absl::Status& status :
       {admin_.Pause(Caller(), kJob).status(), admin_.Resume(Caller(), kJob).status(),
        admin_.RotateToken(Caller(), kJob, absl::ZeroDuration()).status(),
        admin_.Update(Caller(), kJob, [](MonitorDefinition&) { return absl::OkStatus(); })
            .status()}) {
    EXPECT_EQ(tocsin::Reason(status), "MONITOR_DELETED");
  }
  EXPECT_EQ(admin_.Undelete(Caller(), kJob)->monitor.state.state, State::kPaused);
  EXPECT_TRUE(Resolve("token-1").has_value());
  EXPECT_EQ(tocsin::Reason(admin_.Undelete(Caller(), kJob).status()), "MONITOR_NOT_DELETED");
}

TEST_F(MonitorAdminTest, ARotatedTokenWorksAtOnceAndTheOldOneForTheOverlap) {
  const int64_t version = Create().view.monitor.definition.version;
  const absl::StatusOr<RotatedToken> rotated = admin_.RotateToken(Caller(), kJob, absl::Hours(1));
  ASSERT_TRUE(rotated.ok());
  EXPECT_EQ(rotated->push_token, "token-2");
  EXPECT_EQ(rotated->old_token_expires_at, clock_.Now() + absl::Hours(1));
  EXPECT_NE(Stored().definition.version, version);
  EXPECT_TRUE(Resolve("token-1").has_value());
  EXPECT_TRUE(Resolve("token-2").has_value());
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(Resolve("token-1").has_value());
  EXPECT_TRUE(Resolve("token-2").has_value());
  ASSERT_TRUE(admin_.RotateToken(Caller(), kJob, absl::ZeroDuration()).ok());
  EXPECT_FALSE(Resolve("token-2").has_value());
  EXPECT_EQ(admin_.RotateToken(Caller(), kJob, absl::Hours(24 * 31)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(MonitorAdminTest, WhatDoesNotExistIsNotFoundByName) {
  const absl::Status status = admin_.Pause(Caller(), kJob).status();
  EXPECT_EQ(tocsin::Reason(status), "MONITOR_NOT_FOUND");
  EXPECT_THAT(std::string(status.message()), HasSubstr("projects/default/monitors/job"));
}

TEST_F(MonitorAdminTest, AnOutcomeThatStaysInDoubtCanBeTriedAgain) {
  Create();
  store_.set_rates({.in_doubt_lost = 1000});
  const absl::Status status = admin_.Pause(Caller(), kJob).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryDelay(status).has_value());
}

}  // namespace
}  // namespace tocsin::core
