// What is remembered of keys, for how long, and what is noted of their use.
#include "services/core/api/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sha256.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/key_admin.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using ::testing::Optional;

const ResourceName kCi{.project = "default", .id = "ci"};

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() {
    ApiKey key;
    key.project_id = "default";
    key.id = "ci";
    key.role = Role::kEditor;
    secret_ = admin_.Create(caller_, key, false)->secret;
  }
  // As another core does it: this one's authenticator is not told.
  void Revoke() { ASSERT_TRUE(admin_.Revoke(caller_, kCi, "").ok()); }
  std::string Answer(const std::string& secret) {
    return tocsin::Reason(authenticator_.Authenticate(secret).status());
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    monotonic_.Advance(by);
  }
  std::optional<absl::Time> NotedUse() {
    EXPECT_TRUE(authenticator_.NoteUses().ok());
    return admin_.Get(kCi)->used_at;
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  FakeMonotonicClock monotonic_;
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  KeyAdmin admin_{memory_, clock_};
  Authenticator authenticator_{store_, clock_, monotonic_};
  const Caller caller_;
  std::string secret_;
};

TEST_F(AuthenticatorTest, AKeyIsKnownByItsSecret) {
  const Principal principal = authenticator_.Authenticate(secret_).value();
  EXPECT_EQ(principal.name, "projects/default/keys/ci");
  EXPECT_EQ(principal.project_id, "default");
  EXPECT_EQ(principal.role, Role::kEditor);
}

TEST_F(AuthenticatorTest, AnythingElseIsUnknown) {
  EXPECT_EQ(Answer(""), "KEY_UNKNOWN");
  EXPECT_EQ(Answer("tk_short"), "KEY_UNKNOWN");
  EXPECT_EQ(Answer("tk_" + std::string(43, 'a')), "KEY_UNKNOWN");
  EXPECT_EQ(Answer(secret_ + " "), "KEY_UNKNOWN");
}

TEST_F(AuthenticatorTest, WhatOthersRevokeIsSeenAfterFiveSecondsAtTheLatest) {
  EXPECT_EQ(Answer(secret_), "");
  Revoke();
  Advance(absl::Seconds(4));
  EXPECT_EQ(Answer(secret_), "");
  Advance(absl::Seconds(1));
  EXPECT_EQ(Answer(secret_), "KEY_UNKNOWN");
}

TEST_F(AuthenticatorTest, WhatIsForgottenIsReadAtOnce) {
  EXPECT_EQ(Answer(secret_), "");
  Revoke();
  authenticator_.Forget();
  EXPECT_EQ(Answer(secret_), "KEY_UNKNOWN");
}

TEST_F(AuthenticatorTest, AnEndIsNotedAlsoWhileTheKeyIsRemembered) {
  const std::string next = admin_.Rotate(caller_, kCi, absl::Seconds(2))->secret;
  EXPECT_EQ(Answer(secret_), "");
  Advance(absl::Seconds(2));
  EXPECT_EQ(Answer(secret_), "KEY_EXPIRED");
  EXPECT_EQ(Answer(next), "");
}

TEST_F(AuthenticatorTest, AnExpiredKeyIsToldSo) {
  ASSERT_TRUE(admin_
                  .Update(
                      caller_, kCi, "",
                      [&](ApiKey& key) {
                        key.expires_at = clock_.Now() + absl::Hours(1);
                        return absl::OkStatus();
                      },
                      false)
                  .ok());
  EXPECT_EQ(Answer(secret_), "");
  Advance(absl::Hours(1));
  EXPECT_EQ(Answer(secret_), "KEY_EXPIRED");
}

TEST_F(AuthenticatorTest, WhileTheDatabaseIsAwayOnlyWhatIsRememberedIsKnown) {
  EXPECT_EQ(Answer(secret_), "");
  store_.set_away(true);
  EXPECT_EQ(Answer(secret_), "");
  EXPECT_TRUE(
      absl::IsUnavailable(authenticator_.Authenticate("tk_" + std::string(43, 'a')).status()));
  Advance(absl::Seconds(5));
  EXPECT_TRUE(absl::IsUnavailable(authenticator_.Authenticate(secret_).status()));
}

TEST_F(AuthenticatorTest, AFloodOfWrongKeysDrivesNoRightOneOut) {
  EXPECT_EQ(Answer(secret_), "");
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(Answer("tk_" + std::string(39, 'a') + std::to_string(1000 + i)), "KEY_UNKNOWN");
  }
  store_.set_away(true);
  EXPECT_EQ(Answer(secret_), "");
}

TEST_F(AuthenticatorTest, AUseIsNotedOnceAMinuteAndNotByTheCall) {
  const absl::Time first = clock_.Now();
  EXPECT_EQ(Answer(secret_), "");
  EXPECT_EQ(admin_.Get(kCi)->used_at, std::nullopt);
  EXPECT_THAT(NotedUse(), Optional(first));
  Advance(absl::Seconds(59));
  EXPECT_EQ(Answer(secret_), "");
  EXPECT_THAT(NotedUse(), Optional(first));
  Advance(absl::Seconds(1));
  EXPECT_EQ(Answer(secret_), "");
  EXPECT_THAT(NotedUse(), Optional(first + absl::Minutes(1)));
}

TEST_F(AuthenticatorTest, LookingWhetherAKeyIsGoodIsNoUse) {
  EXPECT_TRUE(authenticator_.Check(Sha256(secret_)).ok());
  EXPECT_EQ(NotedUse(), std::nullopt);
}

}  // namespace
}  // namespace tocsin::core
