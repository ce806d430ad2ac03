// Keys: made, changed, revoked, rotated, and installed at the start.
#include "services/core/engine/key_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sha256.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

const ResourceName kCi{.project = "default", .id = "ci"};

class KeyAdminTest : public ::testing::Test {
 protected:
  static ApiKey Key(const std::string& id, const std::string& project = "default") {
    ApiKey key;
    key.project_id = project;
    key.id = id;
    key.role = Role::kEditor;
    return key;
  }
  CreatedKey Create(const std::string& id) {
    return admin_.Create(caller_, Key(id), false).value();
  }
  std::optional<KeyMatch> Find(const std::string& secret) {
    return memory_.FindKeyBySecret(Sha256(secret)).value();
  }
  bool Works(const std::string& secret) {
    const std::optional<KeyMatch> match = Find(secret);
    return match.has_value() && match->EndsAt() > clock_.Now();
  }
  absl::StatusOr<ApiKey> SetExpiry(absl::Time at, const std::string& etag = "",
                                   bool validate_only = false) {
    return admin_.Update(
        caller_, kCi, etag,
        [&](ApiKey& key) {
          key.expires_at = at;
          return absl::OkStatus();
        },
        validate_only);
  }
  absl::Status Install(const std::string& secret) {
    return admin_.Install(caller_, "bootstrap-admin", Role::kAdmin, secret);
  }

  static std::string Secret(char c) { return FormatSecret(std::string(32, c)); }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  KeyAdmin admin_{store_, clock_};
  const Caller caller_{};
};

TEST_F(KeyAdminTest, ANewKeyWorksAndOnlyItsHashIsKept) {
  const CreatedKey created = Create("ci");
  EXPECT_TRUE(IsKeySecret(created.secret));
  EXPECT_EQ(created.key.prefix, created.secret.substr(0, 9));
  EXPECT_EQ(created.key.display_name, "ci");
  EXPECT_TRUE(Works(created.secret));
  EXPECT_EQ(*admin_.Get(kCi), created.key);
  EXPECT_NE(Create("cd").secret, created.secret);
}

TEST_F(KeyAdminTest, AnIdIsTakenUntilItsKeyIsRevoked) {
  Create("ci");
  EXPECT_EQ(tocsin::Reason(admin_.Create(caller_, Key("ci"), false).status()),
            "KEY_ALREADY_EXISTS");
  ASSERT_TRUE(admin_.Revoke(caller_, kCi, "").ok());
  EXPECT_TRUE(admin_.Create(caller_, Key("ci"), false).ok());
}

TEST_F(KeyAdminTest, AllFaultsAreToldAtOnceAndNothingIsMade) {
  ApiKey key = Key("No Id");
  key.role = Role::kGateway;
  key.expires_at = clock_.Now();
  const absl::Status status = admin_.Create(caller_, key, false).status();
  EXPECT_THAT(FieldViolations(status), SizeIs(3)) << status;
  EXPECT_EQ(tocsin::Reason(admin_.Create(caller_, Key("ci", "unknown"), false).status()),
            "PROJECT_NOT_FOUND");
  EXPECT_THAT(admin_.List("-", {}, 10, true).value(), IsEmpty());
}

TEST_F(KeyAdminTest, ValidatingOnlyMakesNoKeyAndShowsNoSecret) {
  const CreatedKey shown = admin_.Create(caller_, Key("ci"), true).value();
  EXPECT_EQ(shown.secret, "");
  EXPECT_EQ(tocsin::Reason(admin_.Get(kCi).status()), "KEY_NOT_FOUND");
}

TEST_F(KeyAdminTest, AnInDoubtCreationIsResolvedByLooking) {
  store_.FailNext(simulation::Fault::kInDoubtWritten);
  EXPECT_TRUE(Works(Create("ci").secret));
  store_.FailNext(simulation::Fault::kInDoubtLost);
  EXPECT_TRUE(Works(Create("cd").secret));
  EXPECT_THAT(admin_.List("default", {}, 10, true).value(), SizeIs(2));
}

TEST_F(KeyAdminTest, ARevokedKeyWorksNoMoreAndRevokingTwiceIsNoError) {
  const CreatedKey created = Create("ci");
  const absl::Time at = clock_.Now();
  EXPECT_THAT(admin_.Revoke(caller_, kCi, "")->revoked_at, Optional(at));
  EXPECT_FALSE(Works(created.secret));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(admin_.Revoke(caller_, kCi, "")->revoked_at, Optional(at));
  EXPECT_EQ(tocsin::Reason(SetExpiry(clock_.Now() + absl::Hours(1)).status()), "KEY_REVOKED");
  EXPECT_EQ(tocsin::Reason(admin_.Rotate(caller_, kCi, absl::ZeroDuration()).status()),
            "KEY_REVOKED");
}

TEST_F(KeyAdminTest, AStaleEtagChangesNothing) {
  const std::string etag = EtagOf(Create("ci").key);
  const absl::Time end = clock_.Now() + absl::Hours(1);
  ASSERT_TRUE(SetExpiry(end, etag).ok());
  EXPECT_EQ(tocsin::Reason(SetExpiry(end + absl::Hours(1), etag).status()), "ETAG_STALE");
  EXPECT_EQ(tocsin::Reason(admin_.Revoke(caller_, kCi, etag).status()), "ETAG_STALE");
  EXPECT_THAT(admin_.Get(kCi)->expires_at, Optional(end));
  EXPECT_EQ(admin_.Get(kCi)->revoked_at, std::nullopt);
}

TEST_F(KeyAdminTest, AKeyEndsWhenItExpires) {
  const CreatedKey created = Create("ci");
  EXPECT_EQ(tocsin::Reason(SetExpiry(clock_.Now()).status()), "INVALID_FIELD");
  ASSERT_TRUE(SetExpiry(clock_.Now() + absl::Hours(1), "", /*validate_only=*/true).ok());
  EXPECT_EQ(admin_.Get(kCi)->expires_at, std::nullopt);
  ASSERT_TRUE(SetExpiry(clock_.Now() + absl::Hours(1)).ok());
  clock_.Advance(absl::Minutes(59));
  EXPECT_TRUE(Works(created.secret));
  clock_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Works(created.secret));
}

TEST_F(KeyAdminTest, ARotatedKeyWorksWithBothSecretsForTheOverlap) {
  const std::string old_secret = Create("ci").secret;
  const RotatedKey rotated = admin_.Rotate(caller_, kCi, absl::Hours(2)).value();
  EXPECT_EQ(rotated.old_secret_expires_at, clock_.Now() + absl::Hours(2));
  EXPECT_EQ(rotated.key.prefix, PrefixOf(rotated.secret));
  EXPECT_TRUE(Works(old_secret));
  EXPECT_TRUE(Works(rotated.secret));
  clock_.Advance(absl::Hours(2));
  EXPECT_FALSE(Works(old_secret));
  EXPECT_TRUE(Works(rotated.secret));
  const RotatedKey again = admin_.Rotate(caller_, kCi, absl::ZeroDuration()).value();
  EXPECT_FALSE(Works(rotated.secret));
  EXPECT_TRUE(Works(again.secret));
  EXPECT_EQ(tocsin::Reason(admin_.Rotate(caller_, kCi, absl::Hours(24 * 31)).status()),
            "INVALID_FIELD");
}

TEST_F(KeyAdminTest, AnInDoubtRotationIsDoneOnce) {
  const std::string old_secret = Create("ci").secret;
  store_.FailNext(simulation::Fault::kInDoubtWritten);
  const RotatedKey rotated = admin_.Rotate(caller_, kCi, absl::Hours(1)).value();
  EXPECT_TRUE(Works(rotated.secret));
  EXPECT_EQ(admin_.Get(kCi)->prefix, PrefixOf(rotated.secret));
}

TEST_F(KeyAdminTest, EveryKeyIsListedForAllProjects) {
  Create("ci");
  ASSERT_TRUE(admin_.Create(caller_, Key("ops", "-"), false).ok());
  const auto names = [&](const std::string& project) {
    std::vector<std::string> found;
    const std::vector<ApiKey> keys = admin_.List(project, {}, 10, false).value();
    for (const ApiKey& key : keys) found.push_back(KeyName(key.project_id, key.id));
    return found;
  };
  EXPECT_THAT(names("-"), ElementsAre("projects/-/keys/ops", "projects/default/keys/ci"));
  EXPECT_THAT(names("default"), ElementsAre("projects/default/keys/ci"));
}

TEST_F(KeyAdminTest, AnInstalledKeyIsMadeOnceAndItsSecretIsReplaced) {
  const std::string first = Secret('1');
  ASSERT_TRUE(Install(first).ok());
  const ApiKey made = Find(first)->key;
  EXPECT_EQ(KeyName(made.project_id, made.id), "projects/-/keys/bootstrap-admin");
  EXPECT_EQ(made.role, Role::kAdmin);
  ASSERT_TRUE(Install(first).ok());
  EXPECT_EQ(Find(first)->key, made);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(Install(Secret('2')).ok());
  EXPECT_FALSE(Works(first));
  EXPECT_TRUE(Works(Secret('2')));
  EXPECT_EQ(Find(Secret('2'))->key.key, made.key);
}

TEST_F(KeyAdminTest, WhatWasRevokedOrReplacedIsNotInstalledAgain) {
  ASSERT_TRUE(Install(Secret('1')).ok());
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(Install(Secret('2')).ok());
  EXPECT_THAT(Install(Secret('1')).message(), HasSubstr("revoked, replaced or has expired"));
  ASSERT_TRUE(admin_.Revoke(caller_, {.project = "-", .id = "bootstrap-admin"}, "").ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Install(Secret('2'))));
  EXPECT_FALSE(Works(Secret('2')));
  EXPECT_TRUE(Install(Secret('3')).ok());
  EXPECT_TRUE(Works(Secret('3')));
}

TEST_F(KeyAdminTest, AnotherKeysSecretIsNotInstalled) {
  const CreatedKey ci = Create("ci");
  EXPECT_THAT(Install(ci.secret).message(), HasSubstr("projects/default/keys/ci"));
  EXPECT_EQ(Find(ci.secret)->key, ci.key);
}

}  // namespace
}  // namespace tocsin::core
