// Maintenances, from the request to what they keep from being told.
#include "services/core/engine/maintenance_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const ResourceName kWork = {.project = "default", .id = "work"};
const Caller kPerson = {.actor = "projects/default/keys/ada",
                        .identity = "projects/default/keys/ada",
                        .method = "m",
                        .source = "",
                        .request_id = ""};

class MaintenanceAdminTest : public ::testing::Test {
 protected:
  MaintenanceAdminTest() {
    Channel channel;
    channel.project_id = "default";
    channel.id = "all";
    channel.url = "https://example.com/hook";
    channel.is_default = true;
    EXPECT_TRUE(ChannelAdmin(store_, clock_).Create(Caller(), channel, "").ok());
    MonitorDefinition definition = testing::MinuteMonitor();
    definition.id = "job";
    const auto created = monitors_.Create(Caller(), definition);
    EXPECT_TRUE(created.ok()) << created.status();
    if (created.ok()) job_ = created->view.monitor.definition.key;
  }

  Maintenance Work(absl::Duration from, absl::Duration until) {
    Maintenance maintenance;
    maintenance.project_id = "default";
    maintenance.id = "work";
    maintenance.reason = "new disks";
    maintenance.all_monitors = true;
    maintenance.start = clock_.Now() + from;
    maintenance.end = clock_.Now() + until;
    return maintenance;
  }
  // Gives the job an input as recorder and sweeper do.
  void Give(const Input& input) {
    const absl::Time now = clock_.Now();
    const absl::Status given =
        store_.Transact(TransactionClass::kSweeper, [&](Transaction& transaction) {
          Monitor monitor = transaction.LockMonitors({job_}, LockMode::kWait)->front();
          const GapList gaps = WithMaintenances({}, **transaction.ReadMaintenances(),
                                                monitor.definition, monitor.state, now);
          return WriteDecision(transaction, monitor,
                               Decide(monitor.definition, monitor.state, input, gaps, now), now);
        });
    EXPECT_TRUE(given.ok()) << given;
  }
  void Push(HeartbeatKind kind) { Give(HeartbeatArrived{testing::Beat(kind, clock_.Now())}); }
  std::vector<DeliveryType> Told() {
    DeliveryQuery query;
    query.project = *store_.FindProject("default").value();
    std::vector<DeliveryType> told;
    const std::vector<DeliveryView> deliveries = store_.ListDeliveries(query).value();
    for (const DeliveryView& view : deliveries) told.push_back(view.delivery.type);
    return told;
  }
  absl::Time SweepAtOfJob() { return store_.NextSweepAt({}).value(); }

  FakeClock clock_;
  MemoryStore store_{clock_};
  MonitorAdmin monitors_{store_, clock_};
  MaintenanceAdmin admin_{store_, clock_};
  MonitorKey job_ = 0;
};

TEST_F(MaintenanceAdminTest, IsMadeWithItsAuthorAndReadAgain) {
  const absl::StatusOr<Maintenance> made =
      admin_.Create(kPerson, Work(absl::Hours(1), absl::Hours(2)));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->author, "projects/default/keys/ada");
  EXPECT_EQ(made->display_name, "work");
  EXPECT_EQ(*admin_.Get(MaintenanceKind::kMaintenance, kWork), *made);
  EXPECT_THAT(*admin_.List("default", {.limit = 10}), SizeIs(1));
  EXPECT_EQ(admin_.Create(kPerson, Work(absl::Hours(1), absl::Hours(2))).status().code(),
            absl::StatusCode::kAlreadyExists);
  const std::vector<AuditView> entries = store_.ListAudit(AuditQuery()).value();
  EXPECT_EQ(entries.front().record.resource, "projects/default/maintenances/work");
}

TEST_F(MaintenanceAdminTest, WhatIsOnlyCheckedIsNotMade) {
  ASSERT_TRUE(
      admin_.Create(kPerson, Work(absl::Hours(1), absl::Hours(2)), {.validate_only = true}).ok());
  EXPECT_TRUE(absl::IsNotFound(admin_.Get(MaintenanceKind::kMaintenance, kWork).status()));
}

TEST_F(MaintenanceAdminTest, AStaleEtagIsRefused) {
  const Maintenance made = *admin_.Create(kPerson, Work(absl::Hours(1), absl::Hours(2)));
  const auto longer = [](Maintenance& maintenance) {
    maintenance.end += absl::Hours(1);
    return absl::OkStatus();
  };
  ASSERT_TRUE(admin_.Update(kPerson, kWork, longer, {.etag = EtagOf(made)}).ok());
  EXPECT_TRUE(
      absl::IsAborted(admin_.Update(kPerson, kWork, longer, {.etag = EtagOf(made)}).status()));
  EXPECT_TRUE(absl::IsAborted(
      admin_.Delete(kPerson, MaintenanceKind::kMaintenance, kWork, {.etag = EtagOf(made)})));
}

TEST_F(MaintenanceAdminTest, AMuteThatWasEndedIsKeptToExplainWithAllThatItNamed) {
  Maintenance mute = Work(absl::ZeroDuration(), absl::Hours(1));
  mute.kind = MaintenanceKind::kMute;
  mute.all_monitors = false;
  for (int i = 0; i < 100; ++i) mute.monitors.push_back(absl::StrCat("a-job-with-a-long-id-", i));
  ASSERT_TRUE(admin_.Create(kPerson, mute).ok());
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(admin_.Delete(kPerson, MaintenanceKind::kMute, kWork, {}).ok());
  EXPECT_TRUE(absl::IsNotFound(admin_.Get(MaintenanceKind::kMute, kWork).status()));
  const std::vector<Maintenance> kept =
      store_
          .ListMaintenances({.project = *store_.FindProject("default").value(),
                             .after_id = "",
                             .with_deleted = true})
          .value();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].deleted_at, clock_.Now());
  EXPECT_EQ(kept[0].monitors, mute.monitors);
  EXPECT_TRUE(admin_.Create(kPerson, mute).ok()) << "the name is free again";
}

TEST_F(MaintenanceAdminTest, WhatFailsAndRecoversInAWindowIsToldNobody) {
  Push(HeartbeatKind::kUp);
  ASSERT_TRUE(admin_.Create(kPerson, Work(absl::ZeroDuration(), absl::Hours(1))).ok());
  clock_.Advance(absl::Seconds(10));
  Push(HeartbeatKind::kDown);
  clock_.Advance(absl::Seconds(10));
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(*store_.ListIncidents({.project = *store_.FindProject("default").value()}), SizeIs(1))
      << "it is recorded";
}

TEST_F(MaintenanceAdminTest, WhatIsDownAtTheEndIsToldOnceWithTheTimeWhenItBegan) {
  Push(HeartbeatKind::kUp);
  ASSERT_TRUE(admin_.Create(kPerson, Work(absl::ZeroDuration(), absl::Hours(1))).ok());
  clock_.Advance(absl::Seconds(10));
  const absl::Time failed_at = clock_.Now();
  Push(HeartbeatKind::kDown);
  EXPECT_LE(SweepAtOfJob(), failed_at + absl::Hours(1) - absl::Seconds(10));
  clock_.Advance(absl::Hours(1));
  Give(DeadlineChecked{});
  Give(DeadlineChecked{});
  ASSERT_THAT(Told(), SizeIs(1));
  EXPECT_EQ(Told()[0], DeliveryType::kIncidentOpened);
  EXPECT_EQ(store_.SequenceFeed(10).value(), 1);
  const std::vector<FeedEntry> events = store_.ReadFeed(0, 0, INT64_MAX, 10).value();
  EXPECT_EQ(events.front().event.occurred_at, failed_at);
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Told(), SizeIs(2)) << "every alarm ends";
}

TEST_F(MaintenanceAdminTest, ThatItHasRecoveredIsToldInAWindowToo) {
  Push(HeartbeatKind::kDown);
  ASSERT_THAT(Told(), SizeIs(1));
  ASSERT_TRUE(admin_.Create(kPerson, Work(absl::ZeroDuration(), absl::Hours(1))).ok());
  clock_.Advance(absl::Seconds(10));
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Told(), SizeIs(2));
}

TEST_F(MaintenanceAdminTest, AWindowThatIsTakenBackEndsAtOnce) {
  Push(HeartbeatKind::kUp);
  ASSERT_TRUE(admin_.Create(kPerson, Work(absl::ZeroDuration(), absl::Hours(1))).ok());
  clock_.Advance(absl::Seconds(10));
  Push(HeartbeatKind::kDown);
  clock_.Advance(absl::Seconds(10));
  Give(DeadlineChecked{});
  EXPECT_THAT(Told(), IsEmpty());
  ASSERT_TRUE(admin_.Delete(kPerson, MaintenanceKind::kMaintenance, kWork).ok());
  EXPECT_LE(SweepAtOfJob(), clock_.Now());
  Give(DeadlineChecked{});
  EXPECT_THAT(Told(), SizeIs(1));
}

}  // namespace
}  // namespace tocsin::core
