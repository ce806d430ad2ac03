// Projects: made, changed, deleted, and what stands against it.
#include "services/core/engine/project_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/key_admin.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using ::testing::Optional;
using ::testing::SizeIs;

class ProjectAdminTest : public ::testing::Test {
 protected:
  static Project Named(const std::string& id, const std::string& display_name = "") {
    Project project;
    project.id = id;
    project.display_name = display_name;
    return project;
  }
  absl::StatusOr<Project> Rename(const std::string& id, const std::string& display_name,
                                 const std::string& etag = "") {
    return admin_.Update(
        caller_, id, etag,
        [&](Project& project) {
          project.display_name = display_name;
          return absl::OkStatus();
        },
        false);
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  ProjectAdmin admin_{store_, clock_};
  const Caller caller_;
};

TEST_F(ProjectAdminTest, AProjectIsMadeWithItsIdAsName) {
  const Project made = admin_.Create(caller_, Named("payments"), false).value();
  EXPECT_EQ(made.display_name, "payments");
  EXPECT_THAT(made.created_at, Optional(clock_.Now()));
  EXPECT_EQ(*admin_.Get("payments"), made);
  EXPECT_EQ(tocsin::Reason(admin_.Create(caller_, Named("payments"), false).status()),
            "PROJECT_ALREADY_EXISTS");
  EXPECT_EQ(tocsin::Reason(admin_.Get("unknown").status()), "PROJECT_NOT_FOUND");
}

TEST_F(ProjectAdminTest, ValidatingOnlyMakesNothingAndFindsTheFaults) {
  EXPECT_EQ(admin_.Create(caller_, Named("payments"), true)->id, "payments");
  EXPECT_EQ(tocsin::Reason(admin_.Get("payments").status()), "PROJECT_NOT_FOUND");
  EXPECT_EQ(tocsin::Reason(admin_.Create(caller_, Named("default"), true).status()),
            "PROJECT_ALREADY_EXISTS");
  const absl::Status faulty =
      admin_.Create(caller_, Named("No Id", std::string(129, 'x')), true).status();
  EXPECT_THAT(FieldViolations(faulty), SizeIs(2));
}

TEST_F(ProjectAdminTest, AnInDoubtCreationIsResolvedByLooking) {
  store_.FailNext(simulation::Fault::kInDoubtWritten);
  EXPECT_TRUE(admin_.Create(caller_, Named("payments"), false).ok());
  store_.FailNext(simulation::Fault::kInDoubtLost);
  EXPECT_TRUE(admin_.Create(caller_, Named("billing"), false).ok());
  EXPECT_THAT(admin_.List("", 10).value(), SizeIs(3));
}

TEST_F(ProjectAdminTest, AStaleEtagChangesNothing) {
  const Project made = admin_.Create(caller_, Named("payments"), false).value();
  const Project renamed = Rename("payments", "Payments", EtagOf(made)).value();
  EXPECT_NE(EtagOf(renamed), EtagOf(made));
  EXPECT_EQ(tocsin::Reason(Rename("payments", "Other", EtagOf(made)).status()), "ETAG_STALE");
  EXPECT_EQ(admin_.Get("payments")->display_name, "Payments");
  EXPECT_EQ(tocsin::Reason(admin_.Delete(caller_, "payments", EtagOf(made), false)), "ETAG_STALE");
  EXPECT_TRUE(admin_.Delete(caller_, "payments", EtagOf(renamed), false).ok());
}

TEST_F(ProjectAdminTest, WhatHasMonitorsOrChannelsIsNotDeleted) {
  ASSERT_TRUE(admin_.Create(caller_, Named("payments"), false).ok());
  ChannelAdmin channels(store_, clock_);
  Channel channel;
  channel.project_id = "payments";
  channel.id = "hook";
  channel.url = "https://hooks.example.com/";
  ASSERT_TRUE(channels.Create(caller_, channel, "").ok());
  EXPECT_EQ(tocsin::Reason(admin_.Delete(caller_, "payments", "", false)), "PROJECT_IN_USE");
  ASSERT_TRUE(channels.Delete(caller_, {.project = "payments", .id = "hook"}).ok());
  EXPECT_TRUE(admin_.Delete(caller_, "payments", "", false).ok());
}

TEST_F(ProjectAdminTest, TheDefaultProjectIsNotDeleted) {
  EXPECT_EQ(tocsin::Reason(admin_.Delete(caller_, "default", "", false)), "PROJECT_IS_DEFAULT");
}

TEST_F(ProjectAdminTest, WhatIsMissingIsDeletedOnlyWhereThatIsAllowed) {
  EXPECT_EQ(tocsin::Reason(admin_.Delete(caller_, "payments", "", false)), "PROJECT_NOT_FOUND");
  EXPECT_TRUE(admin_.Delete(caller_, "payments", "", true).ok());
  ASSERT_TRUE(admin_.Create(caller_, Named("payments"), false).ok());
  store_.FailNext(simulation::Fault::kInDoubtWritten);
  EXPECT_TRUE(admin_.Delete(caller_, "payments", "", false).ok());
}

TEST_F(ProjectAdminTest, TheIdCanBeUsedAgainAndTheKeysOfBeforeStayEnded) {
  ASSERT_TRUE(admin_.Create(caller_, Named("payments"), false).ok());
  KeyAdmin keys(store_, clock_);
  ApiKey key;
  key.project_id = "payments";
  key.id = "ci";
  ASSERT_TRUE(keys.Create(caller_, key, false).ok());
  ASSERT_TRUE(admin_.Delete(caller_, "payments", "", false).ok());
  EXPECT_EQ(tocsin::Reason(keys.Create(caller_, key, false).status()), "PROJECT_NOT_FOUND");
  ASSERT_TRUE(admin_.Create(caller_, Named("payments"), false).ok());
  EXPECT_EQ(tocsin::Reason(keys.Get({.project = "payments", .id = "ci"}).status()),
            "KEY_NOT_FOUND");
}

}  // namespace
}  // namespace tocsin::core
