// Every monitor once, whatever the number of projects and pages.
#include "services/core/engine/monitor_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/names.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/project_admin.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MonitorExportTest : public ::testing::Test {
 protected:
  void MakeProject(const std::string& id) {
    Project project;
    project.id = id;
    ASSERT_TRUE(projects_.Create({}, project, false).ok());
  }
  void Make(const std::string& project, const std::string& id, Labels labels = {}) {
    MonitorDefinition definition;
    definition.project_id = project;
    definition.id = id;
    definition.labels = std::move(labels);
    definition.schedule.timeout = definition.schedule.recommended_interval = absl::Seconds(60);
    definition.arm_on_create = true;
    const auto created = monitors_.Create(Caller(), definition);
    ASSERT_TRUE(created.ok()) << created.status();
  }
  // "project/monitor" of each, and how many pages there were.
  std::vector<std::string> All(const std::string& project, const std::string& filter = "") {
    MonitorExport all(store_, *ParseMonitorFilter(filter), project);
    std::vector<std::string> names;
    for (pages_ = 0; !all.done(); ++pages_) {
      const absl::StatusOr<ExportedPage> page = all.Next({}, clock_.Now());
      EXPECT_TRUE(page.ok()) << page.status();
      EXPECT_LE(page->monitors.size(), static_cast<size_t>(MonitorExport::kPage));
      for (const ExportedMonitor& monitor : page->monitors) {
        names.push_back(absl::StrCat(page->project_id, "/", monitor.view.monitor.definition.id));
      }
    }
    return names;
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  MemoryStore store_{clock_};
  MonitorAdmin monitors_{store_, clock_};
  ProjectAdmin projects_{store_, clock_};
  int pages_ = 0;
};

TEST_F(MonitorExportTest, AMaintenanceMovesTheDeadlineHoweverManyMutesAreKept) {
  Make("default", "job");
  const ProjectKey project = *store_.FindProject("default").value();
  const absl::Status status =
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        Maintenance each;
        each.project = project;
        each.project_id = "default";
        each.all_monitors = true;
        each.start = clock_.Now() - absl::Hours(48);
        each.end = clock_.Now() - absl::Hours(47);
        each.kind = MaintenanceKind::kMute;
        for (int i = 0; i <= kMaxMaintenances; ++i) {
          each.id = absl::StrCat("mute-", i);
          RETURN_IF_ERROR(transaction.InsertMaintenance(each).status());
        }
        each.kind = MaintenanceKind::kMaintenance;
        each.id = "weekly";
        each.start = clock_.Now();
        each.end = clock_.Now() + absl::Hours(1);
        return transaction.InsertMaintenance(each).status();
      });
  ASSERT_TRUE(status.ok()) << status;
  MonitorExport all(store_, *ParseMonitorFilter(""), "default");
  clock_.Advance(absl::Seconds(30));
  const absl::StatusOr<ExportedPage> page = all.Next({}, clock_.Now());
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->monitors.at(0).deadline, clock_.Now() + absl::Minutes(60.5));
}

TEST_F(MonitorExportTest, OfAllProjectsComesInOrderOfProjectAndId) {
  MakeProject("b");
  MakeProject("a");
  Make("b", "2");
  Make("b", "1");
  Make("default", "job");
  EXPECT_THAT(All("-"), ElementsAre("b/1", "b/2", "default/job"));
  EXPECT_THAT(All("b"), ElementsAre("b/1", "b/2"));
  EXPECT_THAT(All("a"), IsEmpty());
}

TEST_F(MonitorExportTest, OfManyMonitorsComesInPagesThatShareNone) {
  std::vector<std::string> expected;
  for (int i = 0; i < MonitorExport::kPage + 1; ++i) {
    Make("default", absl::StrCat("m-", 10'000 + i));
    expected.push_back(absl::StrCat("default/m-", 10'000 + i));
  }
  EXPECT_EQ(All("default"), expected);
  EXPECT_EQ(pages_, 2);
}

TEST_F(MonitorExportTest, OfManyProjectsComesWithAllOfThem) {
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    const std::string id = absl::StrCat("p-", 100 + i);
    MakeProject(id);
    Make(id, "job");
    expected.push_back(id + "/job");
  }
  EXPECT_EQ(All("-"), expected);
}

TEST_F(MonitorExportTest, HasWhatTheFilterAsksForAndNothingDeleted) {
  Make("default", "a", {{"team", "payments"}});
  Make("default", "b", {{"team", "search"}});
  Make("default", "c", {{"team", "payments"}});
  ASSERT_TRUE(monitors_.Delete(Caller(), {.project = "default", .id = "c"}, {}).ok());
  EXPECT_THAT(All("default", "labels.team = payments"), ElementsAre("default/a"));
  EXPECT_THAT(All("-", "state = UP AND state = DOWN"), IsEmpty());
}

TEST_F(MonitorExportTest, TellsWhatIsSilenced) {
  Make("default", "loud");
  Make("default", "muted");
  const ProjectKey project = *store_.FindProject("default").value();
  const absl::Status status =
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        Maintenance mute;
        mute.kind = MaintenanceKind::kMute;
        mute.project = project;
        mute.project_id = "default";
        mute.id = "m";
        mute.monitors = {"muted"};
        mute.start = mute.created_at = clock_.Now() - absl::Minutes(1);
        mute.end = clock_.Now() + absl::Minutes(1);
        return transaction.InsertMaintenance(mute).status();
      });
  ASSERT_TRUE(status.ok()) << status;
  MonitorExport all(store_, {}, "default");
  const ExportedPage page = all.Next({}, clock_.Now()).value();
  ASSERT_EQ(page.monitors.size(), 2u);
  EXPECT_FALSE(page.monitors[0].silenced);
  EXPECT_TRUE(page.monitors[1].silenced);
}

TEST_F(MonitorExportTest, TellsTheDeadlineAndThatOfAPausedOneIsNever) {
  Make("default", "a");
  Make("default", "b");
  ASSERT_TRUE(monitors_.Pause(Caller(), {.project = "default", .id = "b"}).ok());
  MonitorExport all(store_, {}, "default");
  const absl::StatusOr<ExportedPage> page = all.Next({}, clock_.Now());
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->monitors[0].deadline, clock_.Now() + absl::Seconds(60));
  EXPECT_EQ(page->monitors[1].deadline, absl::InfiniteFuture());
}

TEST_F(MonitorExportTest, OfAProjectThatDoesNotExistIsNotFound) {
  MonitorExport all(store_, {}, "nowhere");
  EXPECT_TRUE(absl::IsNotFound(all.Next({}, clock_.Now()).status()));
}

}  // namespace
}  // namespace tocsin::core
