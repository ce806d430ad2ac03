// Roles, secrets and what a key must fulfil.
#include "services/core/domain/api_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/status_details.h"
#include "services/core/domain/names.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FaultyFields(const ApiKey& key) {
  FieldFaults faults;
  ValidateApiKey(key, "key", faults);
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(faults.ToStatus())) {
    fields.push_back(violation.field);
  }
  return fields;
}

ApiKey KeyOf(Role role, const std::string& project) {
  ApiKey key;
  key.project_id = project;
  key.id = "ci";
  key.role = role;
  return key;
}

TEST(ApiKey, PeoplesRolesIncludeTheLowerOnesAndTheOthersOnlyThemselves) {
  const Role all[] = {Role::kViewer, Role::kEditor,  Role::kAdmin,
                      Role::kPusher, Role::kGateway, Role::kNotifier};
  std::set<std::pair<Role, Role>> included;
  for (const Role held : all) {
    for (const Role needed : all) {
      if (held != needed && Includes(held, needed)) included.insert({held, needed});
      EXPECT_TRUE(Includes(held, held));
    }
  }
  EXPECT_THAT(included, ElementsAre(std::pair(Role::kEditor, Role::kViewer),
                                    std::pair(Role::kAdmin, Role::kViewer),
                                    std::pair(Role::kAdmin, Role::kEditor)));
}

TEST(ApiKey, ASecretHasItsFormAndItsPrefix) {
  const std::string secret = FormatSecret(std::string(32, '\xfb'));
  EXPECT_EQ(secret.size(), 46u);
  EXPECT_TRUE(IsKeySecret(secret));
  EXPECT_EQ(PrefixOf(secret), secret.substr(0, 9));
  EXPECT_FALSE(IsKeySecret(""));
  EXPECT_FALSE(IsKeySecret(secret + "a"));
  EXPECT_FALSE(IsKeySecret("tk_" + std::string(42, 'a') + "="));
  EXPECT_FALSE(IsKeySecret("pk_" + std::string(43, 'a')));
}

TEST(ApiKey, EndsWithItsSecretItsExpiryOrItsRevocation) {
  KeyMatch match;
  EXPECT_EQ(match.EndsAt(), absl::InfiniteFuture());
  match.key.expires_at = absl::FromUnixSeconds(20);
  match.secret_expires_at = absl::FromUnixSeconds(10);
  EXPECT_EQ(match.EndsAt(), absl::FromUnixSeconds(10));
  match.secret_expires_at = absl::InfiniteFuture();
  EXPECT_EQ(match.EndsAt(), absl::FromUnixSeconds(20));
  match.key.revoked_at = absl::FromUnixSeconds(1);
  EXPECT_EQ(match.EndsAt(), absl::InfinitePast());
}

TEST(ApiKey, ServicesHaveKeysOfAllProjectsAndPushersOfOne) {
  EXPECT_THAT(FaultyFields(KeyOf(Role::kGateway, "default")), ElementsAre("key.role"));
  EXPECT_THAT(FaultyFields(KeyOf(Role::kNotifier, "default")), ElementsAre("key.role"));
  EXPECT_THAT(FaultyFields(KeyOf(Role::kPusher, std::string(kAnyProject))),
              ElementsAre("key.role"));
  EXPECT_THAT(FaultyFields(KeyOf(Role::kGateway, std::string(kAnyProject))), IsEmpty());
  EXPECT_THAT(FaultyFields(KeyOf(Role::kPusher, "default")), IsEmpty());
  EXPECT_THAT(FaultyFields(KeyOf(Role::kAdmin, std::string(kAnyProject))), IsEmpty());
}

TEST(ApiKey, OnlyAPusherHasAGrantAndItsFaultsAreAllTold) {
  ApiKey key = KeyOf(Role::kEditor, "default");
  key.push.emplace();
  EXPECT_THAT(FaultyFields(key), ElementsAre("key.push"));
  key.role = Role::kPusher;
  FillDefaults(key);
  EXPECT_THAT(FaultyFields(key), IsEmpty());
  key.display_name = std::string(129, 'x');
  key.push->max_monitors = 100'001;
  key.push->defaults.schedule.timeout = absl::Hours(24 * 400);
  EXPECT_THAT(FaultyFields(key), ElementsAre("key.display_name", "key.push.max_monitors",
                                             "key.push.defaults.schedule.heartbeat.timeout"));
}

TEST(ApiKey, AGrantDefaultsToADayAndAnHourAndAThousandMonitors) {
  ApiKey key = KeyOf(Role::kPusher, "default");
  key.push.emplace();
  FillDefaults(key);
  EXPECT_EQ(key.display_name, "ci");
  EXPECT_EQ(key.push->defaults.schedule.timeout, absl::Hours(24));
  EXPECT_EQ(key.push->defaults.schedule.grace, absl::Hours(1));
  EXPECT_EQ(key.push->max_monitors, 1000);
}

TEST(ApiKey, NamesOfKeysMayStandForAllProjects) {
  EXPECT_EQ(KeyName("-", "ops"), "projects/-/keys/ops");
  EXPECT_EQ(*ParseKeyName("projects/-/keys/ops", "name"),
            (ResourceName{.project = "-", .id = "ops"}));
  EXPECT_FALSE(ParseKeyName("projects/-/monitors/ops", "name").ok());
  EXPECT_FALSE(ParseProjectName("", "name").ok());
  EXPECT_FALSE(ParseProjectName("projects/-", "name").ok());
  EXPECT_EQ(*ParseProjectName("projects/payments", "name"), "payments");
}

}  // namespace
}  // namespace tocsin::core
