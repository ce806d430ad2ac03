// Every error that a client meets says what is wrong in words, and in words for programs; and
// hostile input changes nothing.
#include "services/core/domain/errors.h"

#include <gmock/gmock.h>
#include <google/protobuf/empty.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status_details.h"
#include "services/core/api/testing/api_fixture.h"
#include "services/core/api/unary.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// What headers may take, as clients limit them.
constexpr size_t kMaxHeaderBytes = 8192;

// What a client reads of a status.
void ExpectExplained(const absl::Status& status, const std::string& where) {
  EXPECT_FALSE(status.ok()) << where;
  EXPECT_THAT(tocsin::Reason(status), Not(IsEmpty())) << where << ": " << status;
  EXPECT_FALSE(status.message().empty()) << where;
  const grpc::Status sent = ToGrpcStatus(status);
  // A byte of the text may take three, and details are sent in base64.
  EXPECT_LT(3 * sent.error_message().size() + sent.error_details().size() * 4 / 3, kMaxHeaderBytes)
      << where;
  const bool violated = status.code() == absl::StatusCode::kInvalidArgument &&
                        tocsin::Reason(status) != "HEARTBEAT_REFUSED" &&
                        tocsin::Reason(status) != "MALFORMED_REQUEST";
  EXPECT_EQ(FieldViolations(status).empty(), !violated) << where << ": " << status;
  const bool retry = absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
  EXPECT_EQ(RetryDelay(status).has_value(), retry) << where << ": " << status;
}

TEST(ErrorsTest, EveryErrorHasAReasonAndWhatARetryCanCureADelay) {
  const std::string name = kJob;
  const std::vector<absl::Status> all = {InvalidField("a", "b", "c"),
                                         MonitorNotFound(name),
                                         ChannelNotFound(name),
                                         IncidentNotFound(name),
                                         DeliveryNotFound(name),
                                         ProjectNotFound(name),
                                         UnknownPushToken(),
                                         MonitorAlreadyExists(name),
                                         ChannelAlreadyExists(name),
                                         PushTokenInUse(),
                                         RequestIdReused(),
                                         HeartbeatRefused(),
                                         MalformedRequest(),
                                         MonitorIsDeleted(name),
                                         MonitorIsNotDeleted(name),
                                         ChannelIsDisabled(name),
                                         DeliveryIsPending(name),
                                         DeliveryHasNoChannel(name),
                                         StaleEtag(name),
                                         EtagOfNothing(name),
                                         InternalFailure(),
                                         UnknownCursor(),
                                         TooManyWatches(1),
                                         TryAgain("so"),
                                         KeyNotFound(name),
                                         ProjectAlreadyExists(name),
                                         KeyAlreadyExists(name),
                                         ProjectInUse(name),
                                         ProjectIsDefault(name),
                                         KeyIsRevoked(name),
                                         KeyMissing(),
                                         KeyUnknown(),
                                         KeyExpired(),
                                         RoleTooLow("viewer", "editor"),
                                         MethodClosed(),
                                         OtherProject("a"),
                                         NeedsKeyOfAllProjects("a")};
  for (const absl::Status& status : all) {
    ExpectExplained(status, status.ToString());
    // As it went through gRPC.
    const absl::Status read = FromGrpcStatus(Answer(Caller(), status));
    EXPECT_EQ(tocsin::Reason(read), tocsin::Reason(status));
    EXPECT_EQ(Metadata(read), Metadata(status));
  }
  EXPECT_EQ(Metadata(MonitorNotFound(name))["resource"], name);
}

TEST(ErrorsTest, WhatTheStoreSaysIsExplainedOrHidden) {
  for (const absl::Status& raw :
       {absl::UnavailableError("the database is not available"), absl::UnknownError("lost"),
        absl::InternalError("syntax error at \"SELECT\""), absl::DataLossError("poison"),
        absl::AlreadyExistsError("duplicate key value violates unique constraint"),
        absl::NotFoundError("no such row"), absl::FailedPreconditionError("key abc is missing")}) {
    const absl::Status read = FromGrpcStatus(Answer(Caller(), raw));
    ExpectExplained(read, raw.ToString());
    if (read.code() == absl::StatusCode::kInternal) {
      EXPECT_EQ(read.message(), "internal error; the log of the server says more");
    }
  }
}

TEST(ErrorsTest, VeryManyFaultsFitIntoAnAnswer) {
  FieldFaults faults;
  for (int i = 0; i < 1000; ++i) {
    faults.Add("monitor.labels.key" + std::to_string(i), "\u202Eit is \u20ac\u20ac\u20ac",
               "at most 128 bytes");
  }
  const absl::Status status = faults.ToStatus();
  ExpectExplained(status, "faults");
  EXPECT_THAT(FieldViolations(status), SizeIs(20));
  EXPECT_EQ(Metadata(status)["more_faults"], "980");
}

class HostileTest : public ApiTest {
 protected:
  static std::vector<std::string> HostileStrings() {
    return {std::string("a\0b", 3),
            std::string("\0", 1),
            "\u202Eevil\u202C",
            "\u200B",
            "'; DROP TABLE monitor; --",
            "\"quoted\"",
            "`id`",
            "$(id)",
            "../../etc/passwd",
            "..",
            ".",
            "a/b",
            "a//b",
            "projects/default/monitors/../../x",
            "%00",
            "%",
            "a b",
            "\n",
            "\r\nX-Evil: 1",
            "\x1b[2J",
            std::string(1 << 20, 'x'),
            std::string(1 << 20, '/'),
            std::string(200, '\xF0'),
            "lone \xED\xA0\x80"};
  }
  // Whether what is stored is what CreateMonitor and CreateHook made.
  void ExpectUntouched() {
    v1::GetMonitorRequest get;
    get.set_name(kJob);
    v1::Monitor monitor;
    ASSERT_TRUE(Call(*monitors_, &Monitors::GetMonitor, get, monitor).ok());
    EXPECT_EQ(monitor.SerializeAsString(), monitor_.SerializeAsString());
    v1::ListMonitorsRequest list;
    list.set_show_deleted(true);
    v1::ListMonitorsResponse page;
    ASSERT_TRUE(Call(*monitors_, &Monitors::ListMonitors, list, page).ok());
    EXPECT_THAT(page.monitors(), SizeIs(1));
    EXPECT_EQ(store_.ListAudit(AuditQuery())->size(), 2u);
  }
  void SetUp() override {
    monitor_ = CreateMonitor().monitor();
    CreateHook();
  }

  v1::Monitor monitor_;
};

TEST_F(HostileTest, NamesAreAnsweredClearlyAndChangeNothing) {
  for (const std::string& hostile : HostileStrings()) {
    std::vector<absl::Status> answers;
    const auto call = [&](auto& stub, auto method, auto request, auto response) {
      answers.push_back(Call(stub, method, request, response));
    };
    const auto named = [&](auto request, const std::string& name) {
      request.set_name(name);
      return request;
    };
    for (const std::string& name :
         {hostile, "projects/default/monitors/" + hostile, "projects/" + hostile + "/monitors/job",
          "projects/default/channels/" + hostile}) {
      call(*monitors_, &Monitors::GetMonitor, named(v1::GetMonitorRequest(), name), v1::Monitor());
      call(*monitors_, &Monitors::DeleteMonitor, named(v1::DeleteMonitorRequest(), name),
           v1::Monitor());
      call(*monitors_, &Monitors::UndeleteMonitor, named(v1::UndeleteMonitorRequest(), name),
           v1::Monitor());
      call(*monitors_, &Monitors::PauseMonitor, named(v1::PauseMonitorRequest(), name),
           v1::Monitor());
      call(*monitors_, &Monitors::ResumeMonitor, named(v1::ResumeMonitorRequest(), name),
           v1::Monitor());
      call(*monitors_, &Monitors::RotatePushToken, named(v1::RotatePushTokenRequest(), name),
           v1::RotatePushTokenResponse());
      call(*channels_, &Channels::GetChannel, named(v1::GetChannelRequest(), name), v1::Channel());
      call(*channels_, &Channels::DeleteChannel, named(v1::DeleteChannelRequest(), name),
           google::protobuf::Empty());
      call(*channels_, &Channels::TestChannel, named(v1::TestChannelRequest(), name),
           v1::Delivery());
      call(*incidents_, &Incidents::GetIncident, named(v1::GetIncidentRequest(), name),
           v1::Incident());
      call(*deliveries_, &Deliveries::RedeliverDelivery,
           named(v1::RedeliverDeliveryRequest(), name), v1::Delivery());
      v1::ListHeartbeatsRequest heartbeats;
      heartbeats.set_parent(name);
      call(*monitors_, &Monitors::ListHeartbeats, heartbeats, v1::ListHeartbeatsResponse());
      v1::UpdateMonitorRequest update;
      update.mutable_monitor()->set_name(name);
      update.mutable_monitor()->set_owner("x");
      call(*monitors_, &Monitors::UpdateMonitor, update, v1::Monitor());
      update.set_allow_missing(true);
      call(*monitors_, &Monitors::UpdateMonitor, update, v1::Monitor());
      v1::UpdateChannelRequest channel;
      channel.mutable_channel()->set_name(name);
      channel.mutable_channel()->set_selector("a=b");
      call(*channels_, &Channels::UpdateChannel, channel, v1::Channel());
    }
    v1::CreateMonitorRequest create = NewMonitor(hostile);
    call(*monitors_, &Monitors::CreateMonitor, create, v1::CreateMonitorResponse());
    create = NewMonitor("other");
    create.set_parent(hostile);
    call(*monitors_, &Monitors::CreateMonitor, create, v1::CreateMonitorResponse());
    create = NewMonitor("other");
    create.set_request_id(hostile);
    call(*monitors_, &Monitors::CreateMonitor, create, v1::CreateMonitorResponse());
    v1::ListAuditEntriesRequest audit;
    audit.set_parent(hostile);
    call(*audit_, &v1::AuditService::Stub::ListAuditEntries, audit, v1::ListAuditEntriesResponse());
    v1::ListAuditEntriesRequest page;
    page.set_page_token(hostile);
    call(*audit_, &v1::AuditService::Stub::ListAuditEntries, page, v1::ListAuditEntriesResponse());
    for (const absl::Status& status : answers) {
      ExpectExplained(status, hostile.substr(0, 40));
      EXPECT_THAT((std::vector{absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound}),
                  ::testing::Contains(status.code()))
          << status;
    }
  }
  ExpectUntouched();
}

TEST_F(HostileTest, ValuesAreKeptAsTheyAreOrRefused) {
  for (const std::string& hostile : HostileStrings()) {
    v1::UpdateMonitorRequest update;
    update.mutable_monitor()->set_name(kJob);
    update.mutable_monitor()->set_owner(hostile);
    update.mutable_update_mask()->add_paths("owner");
    v1::Monitor monitor;
    const absl::Status status = Call(*monitors_, &Monitors::UpdateMonitor, update, monitor);
    if (status.ok()) {
      EXPECT_EQ(monitor.owner(), hostile);
    } else {
      ExpectExplained(status, hostile.substr(0, 40));
    }
    update.mutable_monitor()->clear_owner();
    (*update.mutable_monitor()->mutable_labels())[hostile] = "v";
    update.mutable_update_mask()->set_paths(0, "labels");
    const absl::Status label = Call(*monitors_, &Monitors::UpdateMonitor, update, monitor);
    // "." is a label's key as good as any.
    EXPECT_EQ(label.ok(), hostile == "." || hostile == "..") << hostile.substr(0, 40);
  }
}

}  // namespace
}  // namespace tocsin::core
