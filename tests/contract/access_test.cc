// Contract of projects and keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/names.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

class AccessContract : public StoreContract {
 protected:
  ProjectKey AddProject(const std::string& id) {
    Project project;
    project.id = id;
    project.display_name = "The " + id;
    project.created_at = project.updated_at = kStart;
    ProjectKey key = 0;
    Do([&](Transaction& transaction) {
      const absl::StatusOr<ProjectIdentity> added = transaction.InsertProject(project);
      if (added.ok()) key = added->key;
      return added.status();
    });
    return key;
  }

  static ApiKey MakeKey(ProjectKey project, const std::string& id) {
    ApiKey key;
    key.project = project;
    key.id = id;
    key.display_name = "The " + id;
    key.role = Role::kEditor;
    key.created_at = key.updated_at = kStart;
    return key;
  }

  // With the secret whose hash is all `byte`.
  ApiKeyKey AddKey(const ApiKey& made, uint8_t byte) {
    ApiKeyKey key = 0;
    Do([&](Transaction& transaction) -> absl::Status {
      const absl::StatusOr<ApiKeyIdentity> added = transaction.InsertKey(made);
      if (!added.ok()) return added.status();
      key = added->key;
      return transaction.AddKeySecret(key, SecretOf(byte, made.created_at));
    });
    return key;
  }

  static KeySecret SecretOf(uint8_t byte, absl::Time at) {
    return {.hash = TokenOf(byte), .prefix = "tk_" + std::to_string(byte), .created_at = at};
  }

  std::optional<ApiKey> Lock(ProjectKey project, const std::string& id) {
    std::optional<ApiKey> found;
    Do([&](Transaction& transaction) {
      const absl::StatusOr<std::optional<ApiKey>> key = transaction.LockKey(project, id);
      if (key.ok()) found = *key;
      return key.status();
    });
    return found;
  }

  void Revoke(ProjectKey project, const std::string& id, absl::Time at) {
    Do([&](Transaction& transaction) -> absl::Status {
      ApiKey key = transaction.LockKey(project, id).value().value();
      key.revoked_at = at;
      return transaction.SaveKey(key).status();
    });
  }

  std::vector<std::string> Listed(const KeyQuery& query) {
    std::vector<std::string> names;
    const std::vector<ApiKey> keys = store().ListKeys(query).value();
    for (const ApiKey& key : keys) names.push_back(KeyName(key.project_id, key.id));
    return names;
  }

  std::vector<std::string> Projects(const ProjectQuery& query = {}) {
    std::vector<std::string> ids;
    const std::vector<Project> projects = store().ListProjects(query).value();
    for (const Project& project : projects) ids.push_back(project.id);
    return ids;
  }

  void Delete(const std::string& id) {
    Do([&](Transaction& transaction) {
      const Project project = transaction.LockProject(id).value().value();
      return transaction.DeleteProject(project.key, kStart + absl::Hours(1));
    });
  }
};

TEST_P(AccessContract, TheDefaultProjectIsThereFromTheStart) {
  const Project project = store().ReadProject("default").value().value();
  EXPECT_EQ(project.display_name, "default");
  EXPECT_EQ(project.created_at, std::nullopt);
  EXPECT_EQ(project.key, this->project());
}

TEST_P(AccessContract, AProjectIsReadAsItWasWritten) {
  const ProjectKey key = AddProject("payments");
  const Project project = store().ReadProject("payments").value().value();
  EXPECT_EQ(project.key, key);
  EXPECT_EQ(project.display_name, "The payments");
  EXPECT_THAT(project.created_at, Optional(kStart));
  EXPECT_THAT(store().FindProject("payments").value(), Optional(key));
  Do([&](Transaction& transaction) -> absl::Status {
    Project changed = transaction.LockProject("payments").value().value();
    EXPECT_EQ(changed, project);
    changed.display_name = "Payments";
    changed.updated_at = kStart + absl::Hours(1);
    EXPECT_NE(transaction.SaveProject(changed).value(), project.version);
    return absl::OkStatus();
  });
  const Project after = store().ReadProject("payments").value().value();
  EXPECT_EQ(after.display_name, "Payments");
  EXPECT_THAT(after.created_at, Optional(kStart));
  EXPECT_THAT(after.updated_at, Optional(kStart + absl::Hours(1)));
}

TEST_P(AccessContract, AProjectsIdIsTakenUntilItIsDeleted) {
  AddProject("payments");
  const auto insert = [](Transaction& transaction) {
    Project project;
    project.id = "payments";
    return transaction.InsertProject(project).status();
  };
  EXPECT_TRUE(absl::IsAlreadyExists(store().Transact(TransactionClass::kAdmin, insert)));
  Delete("payments");
  EXPECT_EQ(store().ReadProject("payments").value(), std::nullopt);
  EXPECT_EQ(store().FindProject("payments").value(), std::nullopt);
  EXPECT_TRUE(store().Transact(TransactionClass::kAdmin, insert).ok());
}

TEST_P(AccessContract, ProjectsAreListedInOrderOfTheirIds) {
  AddProject("payments");
  AddProject("a-team");
  AddProject("gone");
  Delete("gone");
  EXPECT_THAT(Projects(), ElementsAre("a-team", "default", "payments"));
  EXPECT_THAT(Projects({.after_id = "a-team", .limit = 1}), ElementsAre("default"));
}

TEST_P(AccessContract, AProjectIsInUseWhileItHasMonitorsOrChannels) {
  const auto in_use = [&] {
    bool used = false;
    Do([&](Transaction& transaction) {
      used = transaction.IsInUse(project()).value();
      return absl::OkStatus();
    });
    return used;
  };
  EXPECT_FALSE(in_use());
  const ChannelKey channel = AddChannel("mail");
  EXPECT_TRUE(in_use());
  Do([&](Transaction& transaction) { return transaction.DeleteChannel(channel, kStart); });
  EXPECT_FALSE(in_use());
  const MonitorIdentity monitor = AddUp("nightly");
  EXPECT_TRUE(in_use());
  MonitorDefinition definition = Load(monitor.key).definition;
  definition.deleted_at = kStart;
  Do([&](Transaction& transaction) { return transaction.SaveDefinition(definition).status(); });
  EXPECT_FALSE(in_use());
}

TEST_P(AccessContract, WhatLiesInADeletedProjectIsNotFoundAlsoWhenItsIdIsUsedAgain) {
  const ProjectKey project = AddProject("payments");
  Monitor monitor = UpMonitor("nightly");
  monitor.definition.project = project;
  const MonitorIdentity identity = Add(monitor);
  const IncidentKey incident = Open(identity, 1, kStart).incident.key;
  (void)incident;
  EXPECT_TRUE(store().FindMonitor("payments", "nightly").value().has_value());
  Delete("payments");
  AddProject("payments");
  EXPECT_FALSE(store().FindMonitor("payments", "nightly").value().has_value());
  EXPECT_FALSE(store().ReadMonitor("payments", "nightly").value().has_value());
  EXPECT_FALSE(store().ReadIncident("payments", incident).value().has_value());
}

TEST_P(AccessContract, HoldingTellsWhetherTheProjectIsStillThere) {
  const ProjectKey project = AddProject("payments");
  const auto held = [&] {
    bool there = false;
    Do([&](Transaction& transaction) {
      there = transaction.HoldProject(project).value();
      return absl::OkStatus();
    });
    return there;
  };
  EXPECT_TRUE(held());
  Delete("payments");
  EXPECT_FALSE(held());
}

TEST_P(AccessContract, AKeyIsReadAsItWasWritten) {
  ApiKey made = MakeKey(project(), "fleet");
  made.role = Role::kPusher;
  made.expires_at = kStart + absl::Hours(24);
  made.push =
      PushGrant{.may_create = true, .defaults = UpMonitor("any").definition, .max_monitors = 17};
  made.push->defaults.project = 0;
  const ApiKeyKey key = AddKey(made, 1);
  ApiKey expected = made;
  expected.key = key;
  expected.project_id = "default";
  expected.prefix = "tk_1";
  std::optional<ApiKey> locked = Lock(project(), "fleet");
  ASSERT_TRUE(locked.has_value());
  expected.version = locked->version;
  EXPECT_EQ(*locked, expected);
  EXPECT_THAT(store().ListKeys({.project = project()}).value(), ElementsAre(expected));
  const KeyMatch match = store().FindKeyBySecret(TokenOf(1)).value().value();
  EXPECT_EQ(match.key, expected);
  EXPECT_EQ(match.secret_expires_at, absl::InfiniteFuture());
  EXPECT_EQ(match.EndsAt(), kStart + absl::Hours(24));
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(2)).value(), std::nullopt);
}

TEST_P(AccessContract, AKeyOfAllProjectsLiesInNone) {
  AddKey(MakeKey(0, "ops"), 1);
  AddKey(MakeKey(project(), "ops"), 2);
  EXPECT_EQ(Lock(0, "ops")->project_id, "-");
  EXPECT_EQ(Lock(project(), "ops")->project_id, "default");
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(1)).value()->key.project_id, "-");
}

TEST_P(AccessContract, ASavedKeyHasAnotherVersion) {
  AddKey(MakeKey(project(), "ci"), 1);
  ApiKey key = *Lock(project(), "ci");
  const int64_t before = key.version;
  key.display_name = "CI";
  key.expires_at = kStart + absl::Hours(1);
  key.updated_at = kStart + absl::Seconds(1);
  Do([&](Transaction& transaction) -> absl::Status {
    const absl::StatusOr<int64_t> version = transaction.SaveKey(key);
    key.version = version.value();
    return version.status();
  });
  EXPECT_NE(key.version, before);
  EXPECT_EQ(*Lock(project(), "ci"), key);
}

TEST_P(AccessContract, AKeysIdIsTakenUntilItIsRevokedAndThenItIsTheNewOne) {
  AddKey(MakeKey(project(), "ci"), 1);
  const auto insert = [&](Transaction& transaction) {
    return transaction.InsertKey(MakeKey(project(), "ci")).status();
  };
  EXPECT_TRUE(absl::IsAlreadyExists(store().Transact(TransactionClass::kAdmin, insert)));
  Revoke(project(), "ci", kStart + absl::Hours(1));
  EXPECT_EQ(Lock(project(), "ci")->prefix, "tk_1");
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(1)).value()->EndsAt(), absl::InfinitePast());
  AddKey(MakeKey(project(), "ci"), 2);
  EXPECT_EQ(Lock(project(), "ci")->prefix, "tk_2");
  Revoke(project(), "ci", kStart + absl::Hours(2));
  EXPECT_EQ(Lock(project(), "ci")->prefix, "tk_2");  // the one revoked last
}

TEST_P(AccessContract, KeysAreListedByProjectAndIdPageByPage) {
  const ProjectKey payments = AddProject("payments");
  AddKey(MakeKey(payments, "b"), 1);
  AddKey(MakeKey(payments, "a"), 2);
  AddKey(MakeKey(0, "ops"), 3);
  AddKey(MakeKey(project(), "ci"), 4);
  EXPECT_THAT(Listed({.project = payments}),
              ElementsAre("projects/payments/keys/a", "projects/payments/keys/b"));
  EXPECT_THAT(Listed({.project = 0}), ElementsAre("projects/-/keys/ops"));
  EXPECT_THAT(Listed({}), ElementsAre("projects/-/keys/ops", "projects/default/keys/ci",
                                      "projects/payments/keys/a", "projects/payments/keys/b"));
  const std::vector<ApiKey> first = store().ListKeys({.limit = 2}).value();
  ASSERT_EQ(first.size(), 2u);
  const ApiKey& last = first.back();
  EXPECT_THAT(Listed({.after = {last.project_id, last.id, last.key}}),
              ElementsAre("projects/payments/keys/a", "projects/payments/keys/b"));
}

TEST_P(AccessContract, RevokedKeysAreListedWhenAskedForAndPagesPassThem) {
  AddKey(MakeKey(project(), "ci"), 1);
  Revoke(project(), "ci", kStart);
  AddKey(MakeKey(project(), "ci"), 2);
  EXPECT_THAT(Listed({.project = project()}), ElementsAre("projects/default/keys/ci"));
  const std::vector<ApiKey> first =
      store().ListKeys({.project = project(), .limit = 1, .show_revoked = true}).value();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_THAT(first[0].revoked_at, Optional(kStart));
  const std::vector<ApiKey> second = store()
                                         .ListKeys({.project = project(),
                                                    .after = {"default", "ci", first[0].key},
                                                    .show_revoked = true})
                                         .value();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].revoked_at, std::nullopt);
}

TEST_P(AccessContract, RotatedSecretsWorkTillTheirEnd) {
  const ApiKeyKey key = AddKey(MakeKey(project(), "ci"), 1);
  const absl::Time soon = kStart + absl::Hours(1);
  Do([&](Transaction& transaction) -> absl::Status {
    const absl::Status expired = transaction.ExpireKeySecrets(key, soon);
    if (!expired.ok()) return expired;
    return transaction.AddKeySecret(key, SecretOf(2, kStart + absl::Minutes(1)));
  });
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(1)).value()->secret_expires_at, soon);
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(2)).value()->secret_expires_at, absl::InfiniteFuture());
  EXPECT_EQ(Lock(project(), "ci")->prefix, "tk_2");
  // What ends earlier still does.
  Do([&](Transaction& transaction) {
    return transaction.ExpireKeySecrets(key, soon + absl::Hours(1));
  });
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(1)).value()->secret_expires_at, soon);
}

TEST_P(AccessContract, ASecretBelongsToOneKey) {
  AddKey(MakeKey(project(), "ci"), 1);
  const ApiKeyKey other = AddKey(MakeKey(project(), "cd"), 2);
  EXPECT_TRUE(absl::IsAlreadyExists(
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
        return transaction.AddKeySecret(other, SecretOf(1, kStart));
      })));
}

TEST_P(AccessContract, UsesAreNotedWithoutChangingTheKey) {
  const ApiKeyKey key = AddKey(MakeKey(project(), "ci"), 1);
  const int64_t version = Lock(project(), "ci")->version;
  const auto note = [&](absl::Time at) {
    Do([&](Transaction& transaction) {
      return transaction.NoteKeyUses({{.key = key, .at = at}, {.key = 4711, .at = at}});
    });
  };
  note(kStart + absl::Minutes(2));
  note(kStart + absl::Minutes(1));
  EXPECT_THAT(Lock(project(), "ci")->used_at, Optional(kStart + absl::Minutes(2)));
  EXPECT_EQ(Lock(project(), "ci")->version, version);
}

TEST_P(AccessContract, KeysEndWithTheirProjectAndNotWithTheNextOfItsName) {
  const ProjectKey payments = AddProject("payments");
  AddKey(MakeKey(payments, "ci"), 1);
  AddKey(MakeKey(0, "ops"), 2);
  Delete("payments");
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(1)).value()->EndsAt(), absl::InfinitePast());
  EXPECT_EQ(store().FindKeyBySecret(TokenOf(2)).value()->EndsAt(), absl::InfiniteFuture());
  const ProjectKey again = AddProject("payments");
  EXPECT_THAT(Listed({.project = again, .show_revoked = true}), IsEmpty());
}

TEST_P(AccessContract, ChangesOfKeysAreNews) {
  (void)store().WaitForNews(absl::Seconds(1));
  const ApiKeyKey key = AddKey(MakeKey(project(), "ci"), 1);
  EXPECT_TRUE(store().WaitForNews(absl::Seconds(10)).keys);
  Do([&](Transaction& transaction) { return transaction.ExpireKeySecrets(key, kStart); });
  EXPECT_TRUE(store().WaitForNews(absl::Seconds(10)).keys);
  Revoke(project(), "ci", kStart);
  EXPECT_TRUE(store().WaitForNews(absl::Seconds(10)).keys);
}

TEST_P(AccessContract, RevokedKeysAndEndedSecretsAreForgottenAfterThirtyDays) {
  AddKey(MakeKey(project(), "old"), 1);
  Revoke(project(), "old", kStart);
  const ApiKeyKey rotated = AddKey(MakeKey(project(), "rotated"), 2);
  Do([&](Transaction& transaction) -> absl::Status {
    const absl::Status expired = transaction.ExpireKeySecrets(rotated, kStart);
    if (!expired.ok()) return expired;
    return transaction.AddKeySecret(rotated, SecretOf(3, kStart));
  });
  const RetentionPolicy policy;
  ASSERT_TRUE(store().Maintain(policy, kStart + absl::Hours(24 * 30)).ok());
  EXPECT_TRUE(Lock(project(), "old").has_value());
  EXPECT_TRUE(store().FindKeyBySecret(TokenOf(2)).value().has_value());
  ASSERT_TRUE(store().Maintain(policy, kStart + absl::Hours(24 * 30) + absl::Seconds(1)).ok());
  EXPECT_FALSE(Lock(project(), "old").has_value());
  EXPECT_FALSE(store().FindKeyBySecret(TokenOf(1)).value().has_value());
  EXPECT_FALSE(store().FindKeyBySecret(TokenOf(2)).value().has_value());
  EXPECT_TRUE(store().FindKeyBySecret(TokenOf(3)).value().has_value());
  EXPECT_EQ(Lock(project(), "rotated")->prefix, "tk_3");
}

TEST_P(AccessContract, PushKeysReachTheMonitorsOfTheirProjectAndNoOthers) {
  const MonitorIdentity job = AddUp("job");
  const MonitorIdentity gone = AddUp("gone");
  Do([&](Transaction& transaction) -> absl::Status {
    Monitor loaded = transaction.LockMonitors({gone.key}, LockMode::kWait).value().front();
    loaded.definition.deleted_at = kStart;
    return transaction.SaveDefinition(loaded.definition).status();
  });
  const auto key = [&](ProjectKey of, const std::string& id, Role role, uint8_t byte) {
    ApiKey made = MakeKey(of, id);
    made.role = role;
    if (role == Role::kPusher) made.push = PushGrant{.may_create = true};
    return AddKey(made, byte);
  };
  const ApiKeyKey fleet = key(project(), "fleet", Role::kPusher, 1);
  key(AddProject("payments"), "fleet", Role::kPusher, 2);
  key(project(), "people", Role::kAdmin, 3);
  key(project(), "revoked", Role::kPusher, 4);
  Revoke(project(), "revoked", kStart);
  ApiKey short_lived = MakeKey(project(), "short");
  short_lived.role = Role::kPusher;
  short_lived.expires_at = kStart + absl::Hours(1);
  AddKey(short_lived, 5);

  Monitor bounded = UpMonitor("bounded");
  bounded.definition.value_max = 1;
  Add(bounded);

  const auto resolve = [&](std::vector<PushTarget> targets, absl::Time now) {
    std::vector<const PushTarget*> pointers;
    for (const PushTarget& target : targets) pointers.push_back(&target);
    std::vector<TargetMatch> matches;
    Do([&](Transaction& transaction) -> absl::Status {
      matches = transaction.ResolveTargets(pointers, now).value();
      return absl::OkStatus();
    });
    return matches;
  };
  const auto matches = resolve({{TokenOf(1), "nothing"},
                                {TokenOf(1), "job"},
                                {TokenOf(1), "gone"},
                                {TokenOf(2), "job"},
                                {TokenOf(3), "job"},
                                {TokenOf(4), "job"},
                                {TokenOf(5), "job"},
                                {TokenOf(6), "job"},
                                {TokenOf(1), "job"}},
                               kStart);
  ASSERT_EQ(matches.size(), 9u);
  for (const size_t i : {0u, 2u, 3u, 4u, 5u, 7u}) EXPECT_FALSE(matches[i].monitor.has_value()) << i;
  for (const size_t i : {1u, 6u, 8u}) {
    ASSERT_TRUE(matches[i].monitor.has_value()) << i;
    const TokenMatch& match = *matches[i].monitor;
    EXPECT_EQ(match.monitor, job.key);
    EXPECT_EQ(match.version, job.version);
    EXPECT_EQ(match.project_id, "default");
    EXPECT_EQ(match.monitor_id, "job");
    EXPECT_FALSE(match.has_value_bounds);
  }
  EXPECT_TRUE(resolve({{TokenOf(1), "bounded"}}, kStart)[0].monitor->has_value_bounds);
  EXPECT_EQ(matches[1].monitor->expires_at, absl::InfiniteFuture());
  EXPECT_EQ(matches[6].monitor->expires_at, kStart + absl::Hours(1));
  // What is missing is told from what is deleted, and a key that is no good from both.
  for (const size_t i : {0u, 1u, 2u, 8u}) {
    EXPECT_EQ(matches[i].key, fleet) << i;
    EXPECT_TRUE(matches[i].may_create) << i;
    EXPECT_EQ(matches[i].deleted, i == 2) << i;
  }
  EXPECT_NE(matches[3].key, 0) << "a good key, of another project";
  EXPECT_FALSE(matches[6].may_create);
  for (const size_t i : {4u, 5u, 7u}) EXPECT_EQ(matches[i].key, 0) << i;
  const TargetMatch expired = resolve({{TokenOf(5), "job"}}, kStart + absl::Hours(1))[0];
  EXPECT_FALSE(expired.monitor.has_value());
  EXPECT_EQ(expired.key, 0);
}

TEST_P(AccessContract, MonitorsAreCountedNoFurtherThanAsked) {
  EXPECT_EQ(store().CountMonitors(project(), 10).value(), 0);
  for (const char* id : {"a", "b", "c"}) AddUp(id);
  EXPECT_EQ(store().CountMonitors(project(), 10).value(), 3);
  EXPECT_EQ(store().CountMonitors(project(), 2).value(), 2);
  EXPECT_EQ(store().CountMonitors(AddProject("payments"), 10).value(), 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, AccessContract, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
