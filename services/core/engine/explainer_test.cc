// Verdicts and timelines, from what a store keeps.
#include "services/core/engine/explainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/engine/event_writer.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MinuteMonitor;
using testing::Second;
using ::testing::SizeIs;
using testing::UpAt;
using testing::UpSince;

class ExplainerTest : public ::testing::Test {
 protected:
  ExplainerTest() : clock_(Second(0)), store_(clock_) {
    monitor_ = {.definition = MinuteMonitor(), .state = UpSince(Second(0))};
    monitor_.definition.project = store_.FindProject("default").value().value();
    Do([&](Transaction& transaction) -> absl::Status {
      absl::StatusOr<MonitorIdentity> made =
          transaction.InsertMonitor(monitor_, absl::InfiniteFuture());
      if (!made.ok()) return made.status();
      monitor_.definition.key = made->key;
      return absl::OkStatus();
    });
    Hear(UpAt(Second(0)), Reason::kRecorded);
  }

  void Do(absl::FunctionRef<absl::Status(Transaction&)> body) {
    ASSERT_TRUE(store_.Transact(TransactionClass::kAdmin, body).ok());
  }
  void Hear(Heartbeat heartbeat, Reason reason) {
    heartbeat.push_id = ++pushes_;
    Do([&](Transaction& transaction) {
      return transaction.AddHeartbeats(
          {{.monitor = monitor_.definition.key, .heartbeat = heartbeat, .reason = reason}});
    });
  }
  // Decides, as sweeper and recorder do.
  void Decided(const Input& input, const GapList& gaps, absl::Time now) {
    Do([&](Transaction& transaction) {
      const Decision decision = Decide(monitor_.definition, monitor_.state, input, gaps, now);
      return WriteDecision(transaction, monitor_, decision, now);
    });
  }
  void AddChannel() {
    Channel channel;
    channel.project = monitor_.definition.project;
    channel.id = "ops";
    channel.is_default = true;
    Do([&](Transaction& transaction) { return transaction.InsertChannel(channel).status(); });
  }
  static ExplainQuestion Ask(double start, double end) {
    ExplainQuestion question;
    question.project = "default";
    question.monitor = "nightly-backup";
    question.start = Second(start);
    question.end = Second(end);
    return question;
  }
  std::vector<std::string> What(const Explanation& explanation) {
    std::vector<std::string> what;
    for (const TimelineEntry& entry : explanation.entries) what.push_back(entry.what);
    return what;
  }

  FakeClock clock_;
  MemoryStore store_;
  Monitor monitor_;
  uint64_t pushes_ = 0;
};

TEST_F(ExplainerTest, AnAlarmIsExplainedFromItsHeartbeatToItsChannel) {
  AddChannel();
  Decided(DeadlineChecked{}, {}, Second(60.5));
  Hear(UpAt(Second(90)), Reason::kRecovered);
  Decided(HeartbeatArrived{.heartbeat = UpAt(Second(90))}, {}, Second(90));
  const Explanation now = ExplainMonitor(store_, Ask(-100, 100), Second(100)).value();
  // The message of the beginning was not sent yet: one that tells both waits in its place.
  EXPECT_EQ(now.verdict.reason, "pending");
  EXPECT_GT(now.incident, 0);
  EXPECT_THAT(absl::StrJoin(now.verdict.sentences, "\n"),
              HasSubstr("It ended at 2026-01-05 12:01:30Z, after 30s, with up."));
  EXPECT_THAT(What(now),
              ElementsAre("up", "DOWN", "alert FIRING", "incident.opened superseded for ops", "up",
                          "UP", "alert RESOLVED", "incident.resolved waits for ops"));
  // While it was open, asked about later.
  ExplainQuestion then = Ask(-100, 100);
  then.at = Second(61);
  EXPECT_EQ(ExplainMonitor(store_, then, Second(100))->incident, now.incident);
  // And well before it.
  then.at = Second(-30);
  EXPECT_EQ(ExplainMonitor(store_, then, Second(3600))->verdict.answer, VerdictAnswer::kNotWatched);
}

TEST_F(ExplainerTest, TheLastHeartbeatIsFoundHoweverMuchWasLoggedSince) {
  for (int i = 0; i < 300; ++i) {
    Heartbeat log = UpAt(Second(1 + i * 0.1));
    log.kind = HeartbeatKind::kLog;
    Hear(log, Reason::kLogged);
  }
  const Explanation quiet = ExplainMonitor(store_, Ask(-100, 40), Second(40)).value();
  EXPECT_EQ(quiet.verdict.reason, "in_time");
  EXPECT_THAT(quiet.verdict.sentences.front(), HasSubstr("The last heartbeat was up"));
}

TEST_F(ExplainerTest, WhatIsLongerAgoThanHeartbeatsAreKeptIsNotGuessed) {
  ExplainQuestion then = Ask(-100, 100);
  then.at = Second(-1);
  monitor_.definition.created_at = Second(-90);
  Do([&](Transaction& transaction) {
    return transaction.SaveDefinition(monitor_.definition).status();
  });
  const Verdict verdict = ExplainMonitor(store_, then, Second(100))->verdict;
  EXPECT_EQ(verdict.answer, VerdictAnswer::kUnknown);
  EXPECT_EQ(verdict.reason, "not_kept");
}

TEST_F(ExplainerTest, AnotherMonitorThatHadItsNameIsNotTold) {
  const auto audited = [&](ProjectKey project, double at) {
    AuditRecord record;
    record.at = Second(at);
    record.caller.actor = "eve";
    record.caller.method = "tocsin.v1.MonitorService/UpdateMonitor";
    record.project = project;
    record.project_id = "default";
    record.resource = "projects/default/monitors/nightly-backup";
    record.changes = {{"owner", "secret", "other"}};
    return record;
  };
  const ProjectKey project = monitor_.definition.project;
  Do([&](Transaction& transaction) -> absl::Status {
    for (const AuditRecord& record : {audited(project + 1, 10), audited(project, -86'400)}) {
      if (absl::Status status = transaction.AddAudit(record); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
  EXPECT_THAT(What(ExplainMonitor(store_, Ask(-90'000, 30), Second(30)).value()),
              ElementsAre("up"));
}

TEST_F(ExplainerTest, NobodyIsToldWithoutAChannel) {
  Decided(DeadlineChecked{}, {}, Second(60.5));
  const Explanation explanation = ExplainMonitor(store_, Ask(-100, 100), Second(100)).value();
  EXPECT_EQ(explanation.verdict.answer, VerdictAnswer::kNotDelivered);
  EXPECT_EQ(explanation.verdict.reason, "no_channel");
}

TEST_F(ExplainerTest, AMuteIsNamedWithItsAuthor) {
  Maintenance mute;
  mute.kind = MaintenanceKind::kMute;
  mute.project = monitor_.definition.project;
  mute.project_id = "default";
  mute.id = "quiet";
  mute.reason = "known";
  mute.author = "projects/default/keys/anna";
  mute.monitors = {"nightly-backup"};
  mute.start = mute.created_at = Second(30);
  mute.end = Second(600);
  Do([&](Transaction& transaction) { return transaction.InsertMaintenance(mute).status(); });
  const GapList windows =
      WithMaintenances({}, {mute}, monitor_.definition, monitor_.state, Second(60.5));
  Decided(DeadlineChecked{}, windows, Second(60.5));
  const Explanation explanation = ExplainMonitor(store_, Ask(-100, 100), Second(100)).value();
  EXPECT_EQ(explanation.verdict.answer, VerdictAnswer::kHeldBack);
  EXPECT_EQ(explanation.verdict.reason, "muted");
  EXPECT_THAT(explanation.verdict.sentences, Contains(HasSubstr("keys/anna: \"known\"")));
  EXPECT_THAT(What(explanation), Contains("muted"));
}

TEST_F(ExplainerTest, AMuteThatWasEndedEarlyIsKnownByTheAuditLog) {
  AddChannel();
  Maintenance mute;
  mute.kind = MaintenanceKind::kMute;
  mute.reason = "known";
  mute.monitors = {"nightly-backup", "other"};
  mute.start = Second(30);
  mute.end = Second(600);
  const auto record = [&](const char* method, double at, std::vector<FieldChange> changes) {
    AuditRecord written;
    written.at = Second(at);
    written.caller.actor = "anna";
    written.caller.method = std::string("tocsin.v1.MuteService/") + method;
    written.project = monitor_.definition.project;
    written.resource = "projects/default/mutes/quiet";
    written.changes = std::move(changes);
    Do([&](Transaction& transaction) { return transaction.AddAudit(written); });
  };
  record("CreateMute", 30, ChangesOf(nullptr, &mute));
  const GapList windows = {{.kind = GapKind::kMute, .start = Second(30), .end = Second(600)}};
  Decided(DeadlineChecked{}, windows, Second(60.5));
  record("DeleteMute", 90, ChangesOf(&mute, nullptr));
  Decided(DeadlineChecked{}, {}, Second(90.1));
  const Explanation explanation = ExplainMonitor(store_, Ask(-100, 100), Second(100)).value();
  EXPECT_THAT(
      explanation.verdict.sentences,
      Contains(HasSubstr("It was held back until 2026-01-05 12:01:30Z: it was muted (quiet) "
                         "from 2026-01-05 12:00:30Z to 2026-01-05 12:01:30Z by anna")));
}

TEST_F(ExplainerTest, PagesGoBackInTimeAndLeaveNothingOut) {
  for (int i = 1; i <= 9; ++i) Hear(testing::DownAt(Second(i / 3)), Reason::kStillDown);
  ExplainQuestion question = Ask(-100, 100);
  question.limit = 4;
  std::vector<absl::Time> seen;
  int pages = 0;
  do {
    const Explanation page = ExplainMonitor(store_, question, Second(100)).value();
    std::vector<absl::Time> times;
    for (const TimelineEntry& entry : page.entries) times.push_back(entry.at);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    seen.insert(seen.begin(), times.begin(), times.end());
    question.place = page.next;
    ++pages;
  } while (question.place.has_value() && pages < 10);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(seen, SizeIs(10));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(ExplainerTest, AMonitorThatIsMissingIsNotFound) {
  ExplainQuestion question = Ask(0, 1);
  question.monitor = "other";
  EXPECT_EQ(ExplainMonitor(store_, question, Second(1)).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tocsin::core
