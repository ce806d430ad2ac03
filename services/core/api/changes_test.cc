// How changes behave at the API: masks, etags, trials, repeats, hashes of tokens, and the audit
// log.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "services/core/api/testing/api_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kId[] = "0C6C9A8E-1f7b-4a55-9d0e-6a2f5f1c7d42";

class ChangesTest : public ApiTest {
 protected:
  static std::string Sha256Hex(const std::string& token) { return Hex(Sha256Bytes(token)); }

  absl::Status Update(const v1::UpdateMonitorRequest& request, v1::Monitor& monitor) {
    return Call(*monitors_, &Monitors::UpdateMonitor, request, monitor);
  }
  // An update of the job by a mask.
  absl::Status Update(const v1::Monitor& values, const std::vector<std::string>& mask,
                      v1::Monitor& monitor) {
    v1::UpdateMonitorRequest request;
    *request.mutable_monitor() = values;
    request.mutable_monitor()->set_name(kJob);
    for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
    return Update(request, monitor);
  }
  v1::ListAuditEntriesResponse Audit(const v1::ListAuditEntriesRequest& request = {}) {
    v1::ListAuditEntriesResponse response;
    const absl::Status status =
        Call(*audit_, &v1::AuditService::Stub::ListAuditEntries, request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  v1::Monitor Read() {
    v1::GetMonitorRequest request;
    request.set_name(kJob);
    v1::Monitor monitor;
    EXPECT_TRUE(Call(*monitors_, &Monitors::GetMonitor, request, monitor).ok());
    return monitor;
  }
};

TEST_F(ChangesTest, AMaskOfAllClearsWhatIsNotGiven) {
  CreateMonitor();
  v1::Monitor values;
  values.set_owner("payments");
  values.set_description("copies");
  v1::Monitor monitor;
  ASSERT_TRUE(Update(values, {"owner", "description"}, monitor).ok());
  v1::Monitor all;
  all.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(90);
  all.set_owner("billing");
  ASSERT_TRUE(Update(all, {"*"}, monitor).ok());
  EXPECT_EQ(monitor.owner(), "billing");
  EXPECT_THAT(monitor.description(), IsEmpty());
  EXPECT_EQ(monitor.display_name(), "job") << "cleared fields have their defaults";
  EXPECT_EQ(monitor.schedule().heartbeat().timeout().seconds(), 90);
  const absl::Status status = Update(v1::Monitor(), {"*"}, monitor);
  ASSERT_THAT(FieldViolations(status), SizeIs(1)) << status;
  EXPECT_EQ(FieldViolations(status)[0].field, "monitor.schedule.heartbeat.timeout");
}

TEST_F(ChangesTest, AMonitorGetsACronScheduleAndItsTimeoutBack) {
  CreateMonitor();
  v1::Monitor cron;
  cron.mutable_schedule()->mutable_cron()->set_expression("0 2 * * *");
  cron.mutable_schedule()->mutable_cron()->set_time_zone("Europe/Paris");
  v1::Monitor monitor;
  ASSERT_TRUE(Update(cron, {"schedule.cron.expression", "schedule.cron.time_zone"}, monitor).ok());
  EXPECT_EQ(monitor.schedule().cron().time_zone(), "Europe/Paris");
  EXPECT_EQ(monitor.schedule().cron().grace().seconds(), 300) << "its default";
  // A part of it needs no more than itself.
  v1::Monitor part;
  part.mutable_schedule()->mutable_cron()->mutable_grace()->set_seconds(60);
  ASSERT_TRUE(Update(part, {"schedule.cron.grace"}, monitor).ok());
  EXPECT_EQ(monitor.schedule().cron().expression(), "0 2 * * *");
  EXPECT_EQ(monitor.schedule().cron().grace().seconds(), 60);
  v1::Monitor timeout;
  timeout.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(90);
  ASSERT_TRUE(Update(timeout, {"schedule.heartbeat.timeout"}, monitor).ok());
  EXPECT_EQ(monitor.schedule().heartbeat().timeout().seconds(), 90);
}

TEST_F(ChangesTest, TheFaultsOfACronScheduleAreItsOwn) {
  v1::CreateMonitorRequest request;
  request.set_monitor_id("other");
  v1::CronSchedule& cron = *request.mutable_monitor()->mutable_schedule()->mutable_cron();
  cron.set_expression("61 * * * *");
  cron.set_time_zone("Mars/Olympus");
  cron.mutable_early_tolerance()->set_seconds(90'000);
  v1::CreateMonitorResponse response;
  const absl::Status status = Call(*monitors_, &Monitors::CreateMonitor, request, response);
  std::vector<std::string> fields;
  for (const FieldViolation& fault : FieldViolations(status)) fields.push_back(fault.field);
  EXPECT_THAT(fields, UnorderedElementsAre("monitor.schedule.cron.expression",
                                           "monitor.schedule.cron.time_zone",
                                           "monitor.schedule.cron.early_tolerance"));
}

TEST_F(ChangesTest, APartOfACronScheduleIsNotGivenToAMonitorWithoutOne) {
  CreateMonitor();
  const v1::Monitor before = Read();
  v1::Monitor part;
  part.mutable_schedule()->mutable_cron()->set_time_zone("Europe/Paris");
  v1::Monitor monitor;
  const absl::Status status = Update(part, {"schedule.cron.time_zone"}, monitor);
  ASSERT_THAT(FieldViolations(status), SizeIs(1)) << status;
  EXPECT_EQ(FieldViolations(status)[0].field, "monitor.schedule.cron.expression");
  // One that the mask does not name is none, whatever it says.
  part.mutable_schedule()->mutable_cron()->set_expression("@daily");
  EXPECT_FALSE(Update(part, {"schedule.cron.time_zone"}, monitor).ok());
  EXPECT_EQ(Read().SerializeAsString(), before.SerializeAsString());
  v1::UpdateMonitorRequest missing;
  *missing.mutable_monitor() = part;
  missing.mutable_monitor()->set_name("projects/default/monitors/other");
  missing.mutable_update_mask()->add_paths("schedule.cron.time_zone");
  missing.set_allow_missing(true);
  EXPECT_FALSE(Update(missing, monitor).ok()) << "nor does it make one that fires each minute";
}

TEST_F(ChangesTest, AnEmptyMaskNamesWhatIsSet) {
  CreateMonitor();
  v1::Monitor values;
  values.set_owner("payments");
  v1::Monitor monitor;
  ASSERT_TRUE(Update(values, {}, monitor).ok());
  EXPECT_EQ(monitor.owner(), "payments");
  ASSERT_TRUE(Update(v1::Monitor(), {}, monitor).ok());
  EXPECT_EQ(monitor.owner(), "payments");
}

TEST_F(ChangesTest, ALabelIsSetOrRemovedByItsKey) {
  CreateMonitor();
  v1::Monitor values;
  (*values.mutable_labels())["team"] = "payments";
  (*values.mutable_labels())["tier"] = "1";
  (*values.mutable_labels())["a.b"] = "x";
  v1::Monitor monitor;
  ASSERT_TRUE(Update(values, {"labels.team", "labels.`a.b`"}, monitor).ok());
  EXPECT_THAT(monitor.labels(), SizeIs(2));
  EXPECT_EQ(monitor.labels().at("team"), "payments");
  ASSERT_TRUE(Update(v1::Monitor(), {"labels.a.b"}, monitor).ok());
  EXPECT_THAT(monitor.labels(), SizeIs(1));
  EXPECT_EQ(FieldViolations(Update(values, {"labels.No Such Key"}, monitor)).size(), 1u);
}

TEST_F(ChangesTest, WhatIsOutputOnlyIsLeftAloneAndWhatDoesNotExistIsRefused) {
  CreateMonitor();
  const v1::Monitor before = Read();
  v1::Monitor values;
  values.set_state(v1::Monitor::STATE_DOWN);
  values.set_unverified(true);
  v1::Monitor monitor;
  ASSERT_TRUE(
      Update(values, {"state", "unverified", "name", "last_heartbeat.message"}, monitor).ok());
  EXPECT_EQ(monitor.SerializeAsString(), before.SerializeAsString());
  const absl::Status status =
      Update(values, {"colour", "", "owner.x", "last_heartbeat.colour", "Owner", "schedule.cron"},
             monitor);
  EXPECT_THAT(FieldViolations(status), SizeIs(6)) << status;
  EXPECT_EQ(tocsin::Reason(status), "INVALID_FIELD");
  EXPECT_EQ(Read().SerializeAsString(), before.SerializeAsString());
}

TEST_F(ChangesTest, ValuesThatTheMaskDoesNotNameAreNotLookedAt) {
  CreateMonitor();
  v1::Monitor values;
  values.set_owner("payments");
  values.set_severity(static_cast<v1::Monitor::Severity>(99));
  values.add_channels("nonsense");
  v1::Monitor monitor;
  EXPECT_TRUE(Update(values, {"owner"}, monitor).ok());
  EXPECT_THAT(FieldViolations(Update(values, {"severity", "channels"}, monitor)), SizeIs(2));
}

TEST_F(ChangesTest, EveryFaultOfAnUpdateIsNamedAtOnce) {
  CreateMonitor();
  v1::UpdateMonitorRequest request;
  request.mutable_monitor()->set_name("job");
  request.mutable_monitor()->set_etag("\"W/1\"");
  request.mutable_monitor()->set_owner(std::string(129, 'x'));
  request.mutable_monitor()->mutable_schedule()->mutable_heartbeat()->mutable_grace()->set_seconds(
      -1);
  request.mutable_monitor()->set_severity(static_cast<v1::Monitor::Severity>(99));
  for (const char* path : {"colour", "owner", "schedule.heartbeat.grace", "severity"}) {
    request.mutable_update_mask()->add_paths(path);
  }
  request.set_push_token_sha256("abc");
  v1::Monitor monitor;
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(Update(request, monitor))) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields,
              UnorderedElementsAre("monitor.name", "monitor.etag", "monitor.owner",
                                   "monitor.schedule.heartbeat.grace", "monitor.severity",
                                   "update_mask", "push_token_sha256", "push_token_sha256"));
}

TEST_F(ChangesTest, EveryFaultOfACreationIsNamedAtOnce) {
  v1::CreateMonitorRequest request = NewMonitor("No id");
  request.set_parent("nowhere");
  request.set_request_id("1");
  request.set_push_token_sha256("xyz");
  request.mutable_monitor()->clear_schedule();
  v1::CreateMonitorResponse response;
  std::vector<std::string> fields;
  for (const FieldViolation& violation :
       FieldViolations(Call(*monitors_, &Monitors::CreateMonitor, request, response))) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields,
              UnorderedElementsAre("parent", "monitor_id", "request_id", "push_token_sha256",
                                   "monitor.schedule.heartbeat.timeout"));
  v1::CreateChannelRequest channel;
  channel.set_parent("x/y/z");
  channel.set_webhook_secret("hush");
  channel.set_request_id("2");
  v1::CreateChannelResponse made;
  EXPECT_THAT(FieldViolations(Call(*channels_, &Channels::CreateChannel, channel, made)),
              SizeIs(5));
}

TEST_F(ChangesTest, AnEtagGuardsUpdatesAndDeletionsOfChannels) {
  const v1::Channel channel = CreateHook().channel();
  EXPECT_FALSE(channel.etag().empty());
  v1::UpdateChannelRequest update;
  update.mutable_channel()->set_name(kHook);
  update.mutable_channel()->set_etag(channel.etag());
  update.mutable_channel()->set_display_name("The hook");
  v1::Channel updated;
  ASSERT_TRUE(Call(*channels_, &Channels::UpdateChannel, update, updated).ok());
  update.mutable_channel()->set_display_name("Another");
  EXPECT_EQ(Call(*channels_, &Channels::UpdateChannel, update, updated).code(),
            absl::StatusCode::kAborted);
  v1::DeleteChannelRequest deletion;
  deletion.set_name(kHook);
  deletion.set_etag(channel.etag());
  google::protobuf::Empty empty;
  const absl::Status stale = Call(*channels_, &Channels::DeleteChannel, deletion, empty);
  EXPECT_EQ(tocsin::Reason(stale), "ETAG_STALE");
  EXPECT_EQ(Metadata(stale)["resource"], kHook);
  deletion.set_etag(updated.etag());
  deletion.set_validate_only(true);
  EXPECT_TRUE(Call(*channels_, &Channels::DeleteChannel, deletion, empty).ok());
  deletion.set_validate_only(false);
  EXPECT_TRUE(Call(*channels_, &Channels::DeleteChannel, deletion, empty).ok());
  EXPECT_EQ(Call(*channels_, &Channels::DeleteChannel, deletion, empty).code(),
            absl::StatusCode::kNotFound);
  deletion.set_allow_missing(true);
  EXPECT_TRUE(Call(*channels_, &Channels::DeleteChannel, deletion, empty).ok());
}

TEST_F(ChangesTest, ASecretIsRotatedAndTheChannelSaysUntilWhenTheOldOneSigns) {
  const v1::CreateChannelResponse made = CreateHook();
  v1::RotateChannelSecretRequest rotation;
  rotation.set_name(kHook);
  v1::RotateChannelSecretResponse rotated;
  ASSERT_TRUE(Call(*channels_, &Channels::RotateChannelSecret, rotation, rotated).ok());
  EXPECT_NE(rotated.webhook_secret(), made.webhook_secret());
  EXPECT_NE(rotated.channel().etag(), made.channel().etag());
  EXPECT_EQ(rotated.channel().old_secret_expire_time().seconds(),
            absl::ToUnixSeconds(clock_.Now() + absl::Hours(24)));
  rotation.mutable_overlap();
  ASSERT_TRUE(Call(*channels_, &Channels::RotateChannelSecret, rotation, rotated).ok());
  EXPECT_FALSE(rotated.channel().has_old_secret_expire_time());
}

TEST_F(ChangesTest, AMissingMonitorIsMadeByAnUpdateAndIsNoErrorOfADeletion) {
  v1::DeleteMonitorRequest deletion;
  deletion.set_name(kJob);
  v1::Monitor monitor;
  EXPECT_EQ(Call(*monitors_, &Monitors::DeleteMonitor, deletion, monitor).code(),
            absl::StatusCode::kNotFound);
  deletion.set_allow_missing(true);
  ASSERT_TRUE(Call(*monitors_, &Monitors::DeleteMonitor, deletion, monitor).ok());
  EXPECT_THAT(monitor.name(), IsEmpty());

  v1::UpdateMonitorRequest request;
  *request.mutable_monitor() = NewMonitor().monitor();
  request.mutable_monitor()->set_name(kJob);
  request.mutable_monitor()->set_owner("payments");
  request.mutable_update_mask()->add_paths("description");
  EXPECT_EQ(Update(request, monitor).code(), absl::StatusCode::kNotFound);
  request.set_allow_missing(true);
  request.set_push_token_sha256(Sha256Hex("drawn by the client"));
  request.set_validate_only(true);
  ASSERT_TRUE(Update(request, monitor).ok());
  EXPECT_EQ(store_.FindMonitor("default", "job")->has_value(), false);
  request.set_validate_only(false);
  ASSERT_TRUE(Update(request, monitor).ok());
  EXPECT_EQ(monitor.owner(), "payments") << "all that is given counts for what is made";
  request.mutable_monitor()->set_description("copies");
  ASSERT_TRUE(Update(request, monitor).ok());
  EXPECT_EQ(monitor.description(), "copies");
  EXPECT_THAT(Audit().audit_entries(), SizeIs(2));
  request.mutable_monitor()->set_name("projects/default/monitors/No Id");
  EXPECT_EQ(FieldViolations(Update(request, monitor)).at(0).field, "monitor.name");
}

TEST_F(ChangesTest, ATokenOfTheClientPassesThroughNobodysHands) {
  v1::CreateMonitorRequest request = NewMonitor();
  request.set_push_token_sha256(absl::AsciiStrToUpper(Sha256Hex("drawn by the client")));
  v1::CreateMonitorResponse created;
  ASSERT_TRUE(Call(*monitors_, &Monitors::CreateMonitor, request, created).ok());
  EXPECT_THAT(created.push_token(), IsEmpty());
  EXPECT_THAT(created.push_url(), IsEmpty());
  request.set_monitor_id("other");
  const absl::Status taken = Call(*monitors_, &Monitors::CreateMonitor, request, created);
  EXPECT_EQ(taken.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(tocsin::Reason(taken), "PUSH_TOKEN_IN_USE");
  EXPECT_THAT(Metadata(taken), IsEmpty());
  v1::RotatePushTokenRequest rotation;
  rotation.set_name(kJob);
  rotation.set_push_token_sha256(Sha256Hex("the next"));
  v1::RotatePushTokenResponse rotated;
  ASSERT_TRUE(Call(*monitors_, &Monitors::RotatePushToken, rotation, rotated).ok());
  EXPECT_THAT(rotated.push_token(), IsEmpty());
  EXPECT_THAT(rotated.push_url(), IsEmpty());
}

TEST_F(ChangesTest, ARepeatedRequestIsAnsweredAsTheFirst) {
  v1::CreateMonitorRequest request = NewMonitor();
  request.set_request_id(kId);
  (*request.mutable_monitor()->mutable_labels())["team"] = "a";
  (*request.mutable_monitor()->mutable_labels())["tier"] = "b";
  v1::CreateMonitorResponse first;
  v1::CreateMonitorResponse second;
  ASSERT_TRUE(Call(*monitors_, &Monitors::CreateMonitor, request, first).ok());
  ASSERT_TRUE(Call(*monitors_, &Monitors::CreateMonitor, request, second).ok());
  EXPECT_EQ(second.push_token(), first.push_token());
  EXPECT_EQ(second.push_url(), first.push_url());
  EXPECT_EQ(second.monitor().etag(), first.monitor().etag());
  request.mutable_monitor()->set_owner("payments");
  const absl::Status status = Call(*monitors_, &Monitors::CreateMonitor, request, second);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(tocsin::Reason(status), "REQUEST_ID_REUSED");
  EXPECT_THAT(Audit().audit_entries(), SizeIs(1));
}

TEST_F(ChangesTest, TheAuditLogSaysWhoAndWhat) {
  CreateMonitor();
  v1::PauseMonitorRequest pause;
  pause.set_name(kJob);
  v1::Monitor monitor;
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", "my-request.1");
  ASSERT_TRUE(monitors_->PauseMonitor(&context, pause, &monitor).ok());
  CreateHook();
  const v1::ListAuditEntriesResponse all = Audit();
  ASSERT_THAT(all.audit_entries(), SizeIs(3));
  const v1::AuditEntry& entry = all.audit_entries(1);
  EXPECT_THAT(entry.name(), StartsWith("projects/default/auditEntries/"));
  EXPECT_EQ(entry.actor(), "anonymous");
  EXPECT_EQ(entry.method(), "tocsin.v1.MonitorService/PauseMonitor");
  EXPECT_EQ(entry.resource(), kJob);
  EXPECT_EQ(entry.request_id(), "my-request.1");
  EXPECT_THAT(entry.source(), testing::Not(IsEmpty()));
  ASSERT_THAT(entry.changes(), SizeIs(1));
  EXPECT_EQ(entry.changes(0).field(), "state");
  EXPECT_EQ(entry.changes(0).after(), "STATE_PAUSED");
  for (const char* secret : {"pw", "secret", "key=1", "whsec"}) {
    EXPECT_EQ(all.audit_entries(0).DebugString().find(secret), std::string::npos) << secret;
  }

  v1::ListAuditEntriesRequest request;
  request.set_resource(kJob);
  request.set_page_size(1);
  v1::ListAuditEntriesResponse page = Audit(request);
  ASSERT_THAT(page.audit_entries(), SizeIs(1));
  request.set_page_token(page.next_page_token());
  page = Audit(request);
  ASSERT_THAT(page.audit_entries(), SizeIs(1));
  EXPECT_EQ(page.audit_entries(0).method(), "tocsin.v1.MonitorService/CreateMonitor");
  EXPECT_THAT(page.next_page_token(), IsEmpty());
  request = v1::ListAuditEntriesRequest();
  request.set_parent("projects/-");
  EXPECT_THAT(Audit(request).audit_entries(), SizeIs(3));
  request.set_actor("projects/default/keys/somebody");
  EXPECT_THAT(Audit(request).audit_entries(), IsEmpty());
}

TEST_F(ChangesTest, TheAuditLogRefusesToLookForWhatCannotBeInIt) {
  const auto refused = [&](const std::string& resource, const std::string& actor) {
    v1::ListAuditEntriesRequest request;
    request.set_resource(resource);
    request.set_actor(actor);
    v1::ListAuditEntriesResponse response;
    const absl::Status status =
        Call(*audit_, &v1::AuditService::Stub::ListAuditEntries, request, response);
    std::vector<std::string> fields;
    for (const FieldViolation& violation : FieldViolations(status)) {
      EXPECT_THAT(violation.description, testing::HasSubstr("accepted: projects/{project}"));
      fields.push_back(violation.field);
    }
    EXPECT_EQ(status.ok(), fields.empty()) << status;
    return fields;
  };
  for (const char* name :
       {"job", "monitors/job", "projects/", "projects/-", "projects/default/monitors/",
        "projects/default/monitors/My Job", "projects/default/monitors/job/x",
        "projects/default/incidents/1", "projects/De fault/keys/a"}) {
    EXPECT_THAT(refused(name, ""), ElementsAre("resource")) << name;
  }
  for (const char* name : {"nobody", "keys/ci", "projects/default", "projects/default/keys/"}) {
    EXPECT_THAT(refused("", name), ElementsAre("actor")) << name;
  }
  EXPECT_THAT(refused("job", "ci"), ElementsAre("resource", "actor"));
  for (const char* name :
       {"", "projects/default", "projects/default/monitors/job", "projects/default/channels/hook",
        "projects/-/keys/ci", "projects/default/deliveries/1"}) {
    EXPECT_THAT(refused(name, ""), IsEmpty()) << name;
  }
  for (const char* name : {"anonymous", "system", "projects/-/keys/ci", "projects/p/keys/ci"}) {
    EXPECT_THAT(refused("", name), IsEmpty()) << name;
  }
}

TEST_F(ChangesTest, ARedeliveryIsTold) {
  CreateHook();
  v1::TestChannelRequest test;
  test.set_name(kHook);
  v1::Delivery delivery;
  ASSERT_TRUE(Call(*channels_, &Channels::TestChannel, test, delivery).ok());
  EndDelivery(delivery.name());
  v1::RedeliverDeliveryRequest request;
  request.set_name(delivery.name());
  ASSERT_TRUE(Call(*deliveries_, &Deliveries::RedeliverDelivery, request, delivery).ok());
  const v1::ListAuditEntriesResponse all = Audit();
  ASSERT_THAT(all.audit_entries(), SizeIs(3));
  EXPECT_EQ(all.audit_entries(0).resource(), delivery.name());
  EXPECT_EQ(all.audit_entries(0).changes(0).before(), "STATE_DEAD");
  EXPECT_EQ(all.audit_entries(0).changes(0).after(), "STATE_PENDING");
}

}  // namespace
}  // namespace tocsin::core
