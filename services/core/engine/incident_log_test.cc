// What people who follow core's log read of incidents.
#include "services/core/engine/incident_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "absl/synchronization/notification.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/sweeper.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using simulation::Fault;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ResourceName kJob = {.project = "default", .id = "job"};
constexpr char kOpened[] =
    "event=incident_opened monitor=projects/default/monitors/job "
    "incident=projects/default/incidents/[0-9]+ cause=";
constexpr char kClosed[] =
    "event=incident_closed monitor=projects/default/monitors/job "
    "incident=projects/default/incidents/[0-9]+ cause=";

class IncidentLogTest : public ::testing::Test {
 protected:
  IncidentLogTest() {
    InitLogging({.stream = &lines_});
    recorder_.Start();
    EXPECT_TRUE(guard_.TouchNow().ok());
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = "job";
    definition.schedule.timeout = absl::Seconds(60);
    token_ = admin_.Create(Caller(), definition)->push_token;
  }
  ~IncidentLogTest() override {
    recorder_.Stop();
    InitLogging({});
  }

  void Push(HeartbeatKind kind) {
    clock_.Advance(absl::Milliseconds(500));
    PushItem item;
    item.token = Sha256(token_);
    item.heartbeat.kind = kind;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.message = "password=hunter2";
    item.heartbeat.source = Source::kGrpc;
    item.heartbeat.push_id = ++push_id_;
    absl::Notification done;
    recorder_.Submit({item}, [&](std::vector<PushAnswer>) { done.Notify(); });
    done.WaitForNotification();
  }
  // What was logged since it was asked last.
  std::string Lines() {
    std::string lines = lines_.str();
    lines_.str("");
    return lines;
  }

  std::ostringstream lines_;
  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, /*seed=*/1};
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  SweeperMetrics sweeper_metrics_{registry_};
  PushRecorder recorder_{memory_, clock_, monotonic_, {}, recorder_metrics_};
  OutageGuard guard_{memory_, recorder_, clock_, {.instance = "a"}, guard_metrics_};
  Sweeper sweeper_{memory_, guard_, clock_, {}, sweeper_metrics_};
  MonitorAdmin admin_{store_, clock_};
  std::string token_;
  uint64_t push_id_ = 0;
};

TEST_F(IncidentLogTest, APushThatOpensOrClosesAnIncidentIsTold) {
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Lines(), Not(HasSubstr("incident")));
  Push(HeartbeatKind::kDown);
  const std::string opened = Lines();
  EXPECT_THAT(opened, ContainsRegex(std::string(kOpened) + "reported_down at="));
  EXPECT_THAT(opened, Not(HasSubstr("hunter2"))) << "what a job says may be a secret";
  Push(HeartbeatKind::kDown);
  EXPECT_THAT(Lines(), IsEmpty()) << "it is open already";
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Lines(),
              ContainsRegex(std::string(kClosed) + "reported_down resolution=recovered lasted=1s"));
}

TEST_F(IncidentLogTest, ADeadlineThatPassesIsTold) {
  Push(HeartbeatKind::kUp);
  for (int i = 0; i < 61; ++i) {
    clock_.Advance(absl::Seconds(1));
    EXPECT_TRUE(guard_.TouchNow().ok());
  }
  Lines();
  sweeper_.Sweep();
  EXPECT_THAT(Lines(), ContainsRegex(std::string(kOpened) + "missed_deadline at="));
}

TEST_F(IncidentLogTest, AFloodIsCountedAfterItsFirstLines) {
  MonitorDefinition definition;
  definition.project_id = "default";
  definition.id = "job";
  MonitorState down;
  down.incident = Incident();
  Decision opens;
  opens.opened = Incident();
  Decision closes;
  closes.closed = Incident();
  closes.closed->closed_at = clock_.Now();
  IncidentLog log;
  for (size_t i = 0; i < kMostIncidentLines + 2; ++i) log.Note(definition, opens, down);
  log.Note(definition, closes, MonitorState());
  MonitorDefinition critical = definition;
  critical.id = "vital";
  critical.severity = Severity::kCritical;
  log.Note(critical, opens, down);
  log.Write();
  const std::string lines = Lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), kMostIncidentLines + 2);
  EXPECT_THAT(lines, HasSubstr("event=incident_opened monitor=projects/default/monitors/vital"));
  EXPECT_THAT(lines, HasSubstr("event=incidents_without_a_line opened=2 closed=1"));
  log.Note(definition, opens, down);
  log.Write();
  EXPECT_THAT(Lines(), Not(HasSubstr("incidents_without_a_line"))) << "each flood by itself";
}

TEST_F(IncidentLogTest, PausingAndDeletingClose) {
  Push(HeartbeatKind::kDown);
  Lines();
  EXPECT_TRUE(admin_.Pause(Caller(), kJob).ok());
  EXPECT_THAT(Lines(), ContainsRegex(std::string(kClosed) + "reported_down resolution=paused"));
  EXPECT_TRUE(admin_.Resume(Caller(), kJob).ok());
  Push(HeartbeatKind::kDown);
  Lines();
  EXPECT_TRUE(admin_.Delete(Caller(), kJob).ok());
  EXPECT_THAT(Lines(), ContainsRegex(std::string(kClosed) + "reported_down resolution=deleted"));
}

TEST_F(IncidentLogTest, WhatWasNotCommittedIsNotTold) {
  Push(HeartbeatKind::kDown);
  Lines();
  store_.FailNext(Fault::kRollBack);
  EXPECT_FALSE(admin_.Pause(Caller(), kJob).ok());
  EXPECT_THAT(Lines(), Not(HasSubstr("incident_closed")));
}

}  // namespace
}  // namespace tocsin::core
