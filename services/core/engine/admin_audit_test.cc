// Every change that people make leaves one entry in the audit log, and what is no change leaves
// none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/sha256.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using simulation::Fault;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ResourceName kJob = {.project = "default", .id = "job"};
const ResourceName kHook = {.project = "default", .id = "hook"};

class AdminAuditTest : public ::testing::Test {
 protected:
  static MonitorDefinition Job() {
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = "job";
    definition.schedule.timeout = absl::Seconds(60);
    return definition;
  }
  static Channel Hook() {
    Channel channel;
    channel.project_id = "default";
    channel.id = "hook";
    channel.url = "https://hooks.example/T0/B0";
    return channel;
  }
  static absl::Status Own(MonitorDefinition& definition) {
    definition.owner = "payments";
    return absl::OkStatus();
  }
  static absl::Status Move(Channel& channel) {
    channel.url = "https://other.example/T1";
    return absl::OkStatus();
  }
  Caller By(const std::string& method) {
    return {.actor = "projects/default/keys/k",
            .method = method,
            .source = "192.0.2.1",
            .request_id = "r-" + method};
  }

  std::vector<AuditView> Entries() { return *memory_.ListAudit({.limit = 1000}); }
  // The methods of all entries, the oldest first.
  std::vector<std::string> Methods() {
    std::vector<std::string> methods;
    const std::vector<AuditView> entries = Entries();
    for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
      methods.push_back(it->record.caller.method);
    }
    return methods;
  }
  int64_t FeedLength() {
    (void)memory_.SequenceFeed(100);
    return memory_.ReadFeedEnd()->position;
  }

  FakeClock clock_;
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  MonitorAdmin monitors_{store_, clock_};
  ChannelAdmin channels_{store_, clock_};
};

TEST_F(AdminAuditTest, EachChangeOfAMonitorIsToldOnce) {
  ASSERT_TRUE(monitors_.Create(By("create"), Job()).ok());
  ASSERT_TRUE(monitors_.Update(By("update"), kJob, Own).ok());
  ASSERT_TRUE(monitors_.Update(By("nothing"), kJob, Own).ok());
  ASSERT_TRUE(monitors_.Pause(By("pause"), kJob).ok());
  ASSERT_TRUE(monitors_.Pause(By("nothing"), kJob).ok());
  ASSERT_TRUE(monitors_.Resume(By("resume"), kJob).ok());
  ASSERT_TRUE(monitors_.Resume(By("nothing"), kJob).ok());
  ASSERT_TRUE(monitors_.RotateToken(By("rotate"), kJob, absl::ZeroDuration()).ok());
  ASSERT_TRUE(monitors_.Delete(By("delete"), kJob).ok());
  ASSERT_TRUE(monitors_.Delete(By("nothing"), kJob).ok());
  ASSERT_TRUE(monitors_.Undelete(By("undelete"), kJob).ok());
  EXPECT_FALSE(monitors_.Undelete(By("nothing"), kJob).ok());
  EXPECT_THAT(Methods(),
              ElementsAre("create", "update", "pause", "resume", "rotate", "delete", "undelete"));
}

TEST_F(AdminAuditTest, EachChangeOfAChannelIsToldOnce) {
  ASSERT_TRUE(channels_.Create(By("create"), Hook(), "").ok());
  ASSERT_TRUE(channels_.Update(By("update"), kHook, Move).ok());
  ASSERT_TRUE(channels_.Update(By("nothing"), kHook, Move).ok());
  ASSERT_TRUE(channels_.Test(By("test"), kHook).ok());
  ASSERT_TRUE(channels_.Delete(By("delete"), kHook).ok());
  EXPECT_FALSE(channels_.Delete(By("nothing"), kHook).ok());
  EXPECT_THAT(Methods(), ElementsAre("create", "update", "test", "delete"));
  EXPECT_THAT(Entries()[2].record.changes,
              ElementsAre(FieldChange{"url", "https://hooks.example", "https://other.example"}));
}

TEST_F(AdminAuditTest, AnEntrySaysWhoAndWhatAndNoSecret) {
  ASSERT_TRUE(monitors_.Create(By("create"), Job()).ok());
  const absl::StatusOr<RotatedToken> rotated =
      monitors_.RotateToken(By("rotate"), kJob, absl::ZeroDuration());
  ASSERT_TRUE(rotated.ok());
  const AuditRecord record = Entries().front().record;
  EXPECT_EQ(record.at, clock_.Now());
  EXPECT_EQ(record.caller, By("rotate"));
  EXPECT_EQ(record.project_id, "default");
  EXPECT_EQ(record.resource, "projects/default/monitors/job");
  ASSERT_THAT(record.changes, SizeIs(2));
  EXPECT_EQ(record.changes[0], (FieldChange{"push_token", "", "(changed)"}));
}

TEST_F(AdminAuditTest, AChangeInDoubtIsToldOnce) {
  ASSERT_TRUE(monitors_.Create(By("create"), Job()).ok());
  for (const Fault fault : {Fault::kInDoubtWritten, Fault::kInDoubtLost}) {
    store_.FailNext(fault);
    ASSERT_TRUE(monitors_.Pause(By("pause"), kJob).ok());
    store_.FailNext(fault);
    ASSERT_TRUE(monitors_.Resume(By("resume"), kJob).ok());
  }
  EXPECT_THAT(Methods(), ElementsAre("create", "pause", "resume", "pause", "resume"));
}

TEST_F(AdminAuditTest, WhatIsOnlyValidatedLeavesNothing) {
  ASSERT_TRUE(monitors_.Create(By("create"), Job()).ok());
  ASSERT_TRUE(channels_.Create(By("create"), Hook(), "").ok());
  const Monitor before = **memory_.FindMonitor("default", "job");
  const Channel hook = *channels_.Get(kHook);
  const absl::StatusOr<MonitorView> updated =
      monitors_.Update(By("no"), kJob, Own, {.validate_only = true});
  EXPECT_EQ(updated->monitor.definition.owner, "payments");
  EXPECT_EQ(EtagOf(updated->monitor.definition), "");
  EXPECT_TRUE(monitors_.Delete(By("no"), kJob, {.validate_only = true})
                  ->monitor.definition.deleted_at.has_value());
  EXPECT_EQ(channels_.Update(By("no"), kHook, Move, {.validate_only = true})->url,
            "https://other.example/T1");
  EXPECT_TRUE(channels_.Delete(By("no"), kHook, {.validate_only = true}).ok());
  Channel other = Hook();
  other.id = "other";
  const absl::StatusOr<CreatedChannel> made =
      channels_.Create(By("no"), other, "", {.validate_only = true});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->webhook_secret, "");
  EXPECT_EQ(channels_.Get({.project = "default", .id = "other"}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ((*memory_.FindMonitor("default", "job"))->definition, before.definition);
  EXPECT_EQ(*channels_.Get(kHook), hook);
  EXPECT_THAT(Methods(), ElementsAre("create", "create"));
  EXPECT_EQ(FeedLength(), 0);
  // What would be refused is refused.
  EXPECT_EQ(
      tocsin::Reason(
          monitors_.Update(By("no"), kJob, Own, {.etag = "abc", .validate_only = true}).status()),
      "ETAG_STALE");
}

TEST_F(AdminAuditTest, StaleEtagsStopUpdatesAndDeletions) {
  const std::string etag = EtagOf(monitors_.Create(By("create"), Job())->view.monitor.definition);
  const std::string hook_etag = EtagOf(channels_.Create(By("create"), Hook(), "")->channel);
  ASSERT_TRUE(monitors_.Update(By("update"), kJob, Own, {.etag = etag}).ok());
  const absl::StatusOr<Channel> moved =
      channels_.Update(By("update"), kHook, Move, {.etag = hook_etag});
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_NE(EtagOf(*moved), hook_etag);
  const auto back = [](Channel& channel) {
    channel.url = "https://hooks.example/T0/B0";
    return absl::OkStatus();
  };
  for (const absl::Status& status :
       {monitors_.Delete(By("no"), kJob, {.etag = etag}).status(),
        channels_.Update(By("no"), kHook, back, {.etag = hook_etag}).status(),
        channels_.Delete(By("no"), kHook, {.etag = hook_etag})}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(tocsin::Reason(status), "ETAG_STALE");
  }
  store_.FailNext(Fault::kInDoubtWritten);
  EXPECT_TRUE(channels_.Delete(By("delete"), kHook, {.etag = EtagOf(*moved)}).ok());
  const std::string fresh = EtagOf((*memory_.FindMonitor("default", "job"))->definition);
  store_.FailNext(Fault::kInDoubtWritten);
  EXPECT_TRUE(monitors_.Delete(By("delete"), kJob, {.etag = fresh}).ok());
  EXPECT_THAT(Methods(), ElementsAre("create", "create", "update", "update", "delete", "delete"));
}

TEST_F(AdminAuditTest, WhatIsMissingIsMadeWhenThatIsAllowed) {
  const MonitorDefinition job = Job();
  const Channel hook = Hook();
  const TokenHash hash = Sha256("a token that somebody drew");
  EXPECT_EQ(
      tocsin::Reason(
          monitors_.Update(By("no"), kJob, Own, {.etag = "abc", .if_missing = &job}).status()),
      "ETAG_STALE");
  EXPECT_EQ(monitors_.Update(By("make"), kJob, Own, {.if_missing = &job, .token_hash = hash})
                ->monitor.definition.owner,
            "");
  EXPECT_EQ(
      monitors_.Update(By("update"), kJob, Own, {.if_missing = &job})->monitor.definition.owner,
      "payments");
  EXPECT_TRUE(channels_.Update(By("make"), kHook, Move, {.if_missing = &hook}).ok());
  EXPECT_EQ(channels_.Get(kHook)->url, hook.url);
  EXPECT_THAT(Methods(), ElementsAre("make", "update", "make"));
}

TEST_F(AdminAuditTest, ATokenHashThatIsTakenIsRefusedAndNamesNobody) {
  const TokenHash hash = Sha256("a token that somebody drew");
  const absl::StatusOr<CreatedMonitor> made =
      monitors_.Create(By("create"), Job(), {.token_hash = hash});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->push_token, "");
  MonitorDefinition other = Job();
  other.id = "other";
  for (const absl::Status& status :
       {monitors_.Create(By("no"), other, {.token_hash = hash}).status(),
        monitors_.Create(By("no"), other, {.validate_only = true, .token_hash = hash}).status(),
        monitors_.RotateToken(By("no"), kJob, absl::ZeroDuration(), hash).status()}) {
    EXPECT_EQ(tocsin::Reason(status), "PUSH_TOKEN_IN_USE");
    EXPECT_EQ(std::string(status.message()).find("job"), std::string::npos);
  }
  EXPECT_FALSE(memory_.FindMonitor("default", "other")->has_value());
  const TokenHash next = Sha256("the next one");
  EXPECT_EQ(monitors_.RotateToken(By("rotate"), kJob, absl::ZeroDuration(), next)->push_token, "");
  EXPECT_THAT(Methods(), ElementsAre("create", "rotate"));
}

}  // namespace
}  // namespace tocsin::core
