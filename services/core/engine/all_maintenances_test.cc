// None is missed, however many there are and whatever they are called.
#include "services/core/engine/all_maintenances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::SizeIs;

class AllMaintenancesTest : public ::testing::Test {
 protected:
  AllMaintenancesTest() : project_(*store_.FindProject("default").value()) {}

  // Of the same name for all; deleted, so that the next one may have it.
  void AddDeleted(const std::string& id, int count) {
    const absl::Status status =
        store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          for (int i = 0; i < count; ++i) {
            absl::StatusOr<Maintenance> made =
                transaction.InsertMaintenance(Named(id, MaintenanceKind::kMaintenance));
            if (!made.ok()) return made.status();
            made->deleted_at = clock_.Now();
            if (const auto saved = transaction.SaveMaintenance(*made); !saved.ok()) {
              return saved.status();
            }
          }
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
  }
  void Add(const std::string& id, MaintenanceKind kind) {
    const absl::Status status =
        store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
          return transaction.InsertMaintenance(Named(id, kind)).status();
        });
    ASSERT_TRUE(status.ok()) << status;
  }
  Maintenance Named(const std::string& id, MaintenanceKind kind) const {
    Maintenance made;
    made.kind = kind;
    made.project = project_;
    made.project_id = "default";
    made.id = id;
    made.all_monitors = true;
    made.start = clock_.Now();
    made.end = clock_.Now() + absl::Hours(1);
    return made;
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  MemoryStore store_{clock_};
  const ProjectKey project_;
};

TEST_F(AllMaintenancesTest, AreReadBeyondAPage) {
  for (int i = 0; i < kMaintenancesAtOnce; ++i) {
    Add(absl::StrCat("mute-", i), MaintenanceKind::kMute);
  }
  Add("mute-7", MaintenanceKind::kMaintenance);
  Add("weekly", MaintenanceKind::kMaintenance);
  const absl::StatusOr<Maintenances> all =
      AllMaintenances(store_, {.project = project_, .after_id = ""});
  ASSERT_TRUE(all.ok()) << all.status();
  std::set<std::pair<std::string, MaintenanceKind>> names;
  for (const Maintenance& each : *all) names.emplace(each.id, each.kind);
  EXPECT_THAT(names, SizeIs(kMaintenancesAtOnce + 2));
  EXPECT_THAT(*all, SizeIs(kMaintenancesAtOnce + 2));
}

TEST_F(AllMaintenancesTest, ThoseOfOneNameAreAllReadWhereverAPageEnds) {
  Add("first", MaintenanceKind::kMaintenance);
  AddDeleted("move", kMaintenancesAtOnce + 5);
  Add("move", MaintenanceKind::kMute);
  Add("weekly", MaintenanceKind::kMaintenance);
  const absl::StatusOr<Maintenances> all =
      AllMaintenances(store_, {.project = project_, .after_id = "", .with_deleted = true});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(*all, SizeIs(kMaintenancesAtOnce + 8));
  EXPECT_EQ(all->back().id, "weekly");
}

}  // namespace
}  // namespace tocsin::core
