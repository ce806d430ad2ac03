// Creations that count once, however often they are asked for.
#include "services/core/engine/repeatable_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/channel_admin.h"
#include "services/core/engine/key_admin.h"
#include "services/core/engine/maintenance_admin.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using simulation::Fault;
using ::testing::SizeIs;

const ResourceName kJob = {.project = "default", .id = "job"};
const ResourceName kHook = {.project = "default", .id = "hook"};

std::string KeyLine(char c) { return absl::Base64Escape(std::string(32, c)) + "\n"; }

class RepeatableRequestTest : public ::testing::Test {
 protected:
  static MonitorDefinition Job(const std::string& id = "job") {
    MonitorDefinition definition;
    definition.project_id = "default";
    definition.id = id;
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
  static CreationOptions Asked(const std::string& what = "job") {
    return {.request = {.id = "0C6C9A8E-1f7b-4a55-9d0e-6a2f5f1c7d42",
                        .fingerprint = Sha256Bytes(what)}};
  }
  bool Works(const std::string& token) {
    bool works = false;
    const TokenHash hash = Sha256(token);
    EXPECT_TRUE(
        memory_
            .Transact(
                TransactionClass::kAdmin,
                [&](Transaction& transaction) {
                  works = transaction.ResolveTokens({&hash, 1}, clock_.Now())->front().has_value();
                  return absl::OkStatus();
                })
            .ok());
    return works;
  }
  size_t Entries() { return memory_.ListAudit({.limit = 1000})->size(); }

  const Caller somebody_ = {.actor = "somebody", .identity = "somebody#1", .method = "create"};
  FakeClock clock_;
  MemoryStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  const Sealer sealer_ = *Sealer::FromText(KeyLine('a'));
  MonitorAdmin monitors_{store_, clock_, &sealer_};
  ChannelAdmin channels_{store_, clock_, &sealer_};
  MaintenanceAdmin maintenances_{store_, clock_};
  KeyAdmin keys_{store_, clock_, &sealer_};
};

TEST_F(RepeatableRequestTest, ARepeatedCreationIsAnsweredAsTheFirstAndMakesNothing) {
  const absl::StatusOr<CreatedMonitor> first = monitors_.Create(somebody_, Job(), Asked());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->push_token.size(), 32u);
  EXPECT_TRUE(Works(first->push_token));
  clock_.Advance(absl::Hours(23));
  CreationOptions again = Asked();
  for (char& c : again.request.id) c = static_cast<char>(std::tolower(c));
  const absl::StatusOr<CreatedMonitor> second = monitors_.Create(somebody_, Job(), again);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->push_token, first->push_token);
  EXPECT_EQ(EtagOf(second->view.monitor.definition), EtagOf(first->view.monitor.definition));
  EXPECT_EQ(second->view.monitor.definition.created_at, first->view.monitor.definition.created_at);
  EXPECT_EQ(Entries(), 1u);

  ChannelCreationOptions hook = {.request = Asked("hook").request};
  hook.request.id[0] = '1';
  const absl::StatusOr<CreatedChannel> made = channels_.Create(somebody_, Hook(), "", hook);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(IsWebhookSecret(made->webhook_secret));
  const absl::StatusOr<CreatedChannel> repeated = channels_.Create(somebody_, Hook(), "", hook);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->webhook_secret, made->webhook_secret);
  EXPECT_EQ(EtagOf(repeated->channel), EtagOf(made->channel));
  EXPECT_EQ(Entries(), 2u);
}

TEST_F(RepeatableRequestTest, WhatWasMadeIsAnsweredAsMadeAlsoWhenItIsOver) {
  const absl::Time made_at = clock_.Now();
  const auto mute = [&] {
    Maintenance mute;
    mute.kind = MaintenanceKind::kMute;
    mute.project_id = "default";
    mute.id = "quiet";
    mute.selector = "team=a";
    mute.reason = "known";
    mute.start = clock_.Now();
    mute.end = made_at + absl::Minutes(2);
    return mute;
  };
  const MaintenanceOptions options = {.request = Asked("mute").request, .starts_now = true};
  const absl::StatusOr<Maintenance> first = maintenances_.Create(somebody_, mute(), options);
  ASSERT_TRUE(first.ok()) << first.status();
  ApiKey key;
  key.project_id = "default";
  key.id = "short";
  key.role = Role::kViewer;
  key.expires_at = made_at + absl::Minutes(2);
  RequestIdentity asked = Asked("key").request;
  asked.id[0] = '2';
  const absl::StatusOr<CreatedKey> made = keys_.Create(somebody_, key, false, asked);
  ASSERT_TRUE(made.ok()) << made.status();
  const size_t entries = Entries();

  clock_.Advance(absl::Minutes(10));
  const absl::StatusOr<Maintenance> again = maintenances_.Create(somebody_, mute(), options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->start, made_at);
  EXPECT_EQ(again->created_at, made_at);
  const absl::StatusOr<CreatedKey> repeated = keys_.Create(somebody_, key, false, asked);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->secret, made->secret);
  EXPECT_EQ(Entries(), entries);

  // A request that comes for the first time has no such excuse.
  asked.id[0] = '3';
  key.id = "late";
  const absl::Status late = keys_.Create(somebody_, key, false, asked).status();
  ASSERT_THAT(FieldViolations(late), SizeIs(1)) << late;
  EXPECT_EQ(FieldViolations(late)[0].field, "key.expire_time");
  MaintenanceOptions other = options;
  other.request.id[0] = '4';
  EXPECT_TRUE(absl::IsInvalidArgument(maintenances_.Create(somebody_, mute(), other).status()));
}

TEST_F(RepeatableRequestTest, AnotherRequestWithTheIdIsRefused) {
  ASSERT_TRUE(monitors_.Create(somebody_, Job(), Asked()).ok());
  const absl::Status status = monitors_.Create(somebody_, Job("other"), Asked("other")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(tocsin::Reason(status), "REQUEST_ID_REUSED");
  EXPECT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_FALSE(memory_.FindMonitor("default", "other")->has_value());
}

TEST_F(RepeatableRequestTest, IdsOfOtherActorsAndMethodsAreOthers) {
  const std::string token = monitors_.Create(somebody_, Job(), Asked())->push_token;
  const Caller other = {.actor = "somebody", .identity = "somebody#2", .method = "create"};
  EXPECT_EQ(tocsin::Reason(monitors_.Create(other, Job(), Asked()).status()),
            "MONITOR_ALREADY_EXISTS");
  EXPECT_NE(monitors_.Create(other, Job("other"), Asked())->push_token, token);
  const Caller method = {.actor = "somebody", .identity = "somebody#1", .method = "push"};
  EXPECT_TRUE(monitors_.Create(method, Job("third"), Asked()).ok());
}

TEST_F(RepeatableRequestTest, ARequestIsAnsweredAsTheFirstAlsoWhenItsResourceIsGone) {
  const std::string token = monitors_.Create(somebody_, Job(), Asked())->push_token;
  ASSERT_TRUE(monitors_.Delete(somebody_, kJob).ok());
  const absl::StatusOr<CreatedMonitor> repeated = monitors_.Create(somebody_, Job(), Asked());
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->push_token, token);
  EXPECT_FALSE(repeated->view.monitor.definition.deleted_at.has_value());
  EXPECT_TRUE((*memory_.FindMonitor("default", "job"))->definition.deleted_at.has_value());

  ChannelCreationOptions hook = {.request = Asked("hook").request};
  hook.request.id[0] = '1';
  ASSERT_TRUE(channels_.Create(somebody_, Hook(), "", hook).ok());
  ASSERT_TRUE(channels_.Delete(somebody_, kHook).ok());
  EXPECT_TRUE(channels_.Create(somebody_, Hook(), "", hook).ok());
  EXPECT_FALSE(channels_.Get(kHook).ok());
}

TEST_F(RepeatableRequestTest, ARequestIsForgottenAfterADay) {
  ASSERT_TRUE(monitors_.Create(somebody_, Job(), Asked()).ok());
  clock_.Advance(kRequestMemory);
  EXPECT_EQ(tocsin::Reason(monitors_.Create(somebody_, Job(), Asked()).status()),
            "MONITOR_ALREADY_EXISTS");
}

TEST_F(RepeatableRequestTest, ARefusedRequestMayBeMadeAgain) {
  MonitorDefinition job = Job();
  job.channels = {"hook"};
  EXPECT_FALSE(monitors_.Create(somebody_, job, Asked()).ok());
  ASSERT_TRUE(channels_.Create(somebody_, Hook(), "").ok());
  EXPECT_TRUE(monitors_.Create(somebody_, job, Asked()).ok());
}

TEST_F(RepeatableRequestTest, SecretsAreTheSameWhileTheKeyIsThereAndLeftOutAfterwards) {
  const std::string token = monitors_.Create(somebody_, Job(), Asked())->push_token;
  const Sealer rotated = *Sealer::FromText(KeyLine('b') + KeyLine('a'));
  MonitorAdmin with_both(store_, clock_, &rotated);
  EXPECT_EQ(with_both.Create(somebody_, Job(), Asked())->push_token, token);
  const Sealer other = *Sealer::FromText(KeyLine('b'));
  MonitorAdmin without(store_, clock_, &other);
  const absl::StatusOr<CreatedMonitor> repeated = without.Create(somebody_, Job(), Asked());
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->push_token, "");
}

TEST_F(RepeatableRequestTest, ACreationInDoubtIsAnsweredWithItsToken) {
  for (const Fault fault : {Fault::kInDoubtWritten, Fault::kInDoubtLost}) {
    const std::string id = fault == Fault::kInDoubtWritten ? "written" : "lost";
    CreationOptions options = Asked(id);
    options.request.id[0] = fault == Fault::kInDoubtWritten ? '1' : '2';
    store_.FailNext(fault);
    const absl::StatusOr<CreatedMonitor> created = monitors_.Create(somebody_, Job(id), options);
    ASSERT_TRUE(created.ok()) << created.status();
    EXPECT_TRUE(Works(created->push_token));
  }
  EXPECT_EQ(Entries(), 2u);
}

TEST_F(RepeatableRequestTest, WhatIsOnlyValidatedIsNotRemembered) {
  CreationOptions trial = Asked("trial");
  trial.validate_only = true;
  ASSERT_TRUE(monitors_.Create(somebody_, Job(), trial).ok());
  EXPECT_TRUE(monitors_.Create(somebody_, Job(), Asked()).ok());
}

}  // namespace
}  // namespace tocsin::core
