// What a gateway is handed of monitors, by the key of whoever asked it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/api/testing/gate_fixture.h"
#include "tocsin/internal/v1/monitor_export_service.grpc.pb.h"

namespace tocsin::core {
namespace {

using internal::v1::ExportMonitorsRequest;
using internal::v1::ExportMonitorsResponse;
using internal::v1::MonitorExportService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MonitorExportServiceTest : public GateTest {
 protected:
  struct Exported {
    grpc::Status status;
    std::vector<ExportMonitorsResponse> pages;
    std::string reason() const { return tocsin::Reason(FromGrpcStatus(status)); }
    std::vector<std::string> names() const {
      std::vector<std::string> all;
      for (const ExportMonitorsResponse& page : pages) {
        for (const auto& monitor : page.monitors()) {
          all.push_back(absl::StrCat(page.project(), "/", monitor.id()));
        }
      }
      return all;
    }
  };
  Exported Export(const std::string& key, const std::string& project = "",
                  const std::string& filter = "") {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + key);
    ExportMonitorsRequest request;
    request.set_project(project);
    request.set_filter(filter);
    Exported exported;
    const auto reader = exports_->ExportMonitors(&context, request);
    ExportMonitorsResponse page;
    while (reader->Read(&page)) exported.pages.push_back(page);
    exported.status = reader->Finish();
    return exported;
  }

  std::unique_ptr<MonitorExportService::Stub> exports_ =
      MonitorExportService::NewStub(server_->InProcessChannel({}));
};

TEST_F(MonitorExportServiceTest, AKeyOfAProjectSeesItsOwnAndAKeyOfAllSeesAll) {
  const std::string mine = MakeKey("mine", Role::kViewer);
  const std::string all = MakeKey("-", Role::kViewer);
  EXPECT_THAT(Export(mine).names(), ElementsAre("mine/job"));
  EXPECT_THAT(Export(mine, "mine").names(), ElementsAre("mine/job"));
  EXPECT_THAT(Export(all).names(), ElementsAre("mine/job", "theirs/job"));
  EXPECT_THAT(Export(all, "theirs").names(), ElementsAre("theirs/job"));
  const Exported theirs = Export(mine, "theirs");
  EXPECT_EQ(theirs.reason(), "OTHER_PROJECT");
  EXPECT_EQ(Export(mine, "unknown").status.error_message(), theirs.status.error_message());
  EXPECT_THAT(theirs.pages, IsEmpty());
}

TEST_F(MonitorExportServiceTest, RolesThatDoNotReadAreRefused) {
  EXPECT_EQ(Export(MakeKey("mine", Role::kPusher)).reason(), "ROLE_TOO_LOW");
  EXPECT_EQ(Export(MakeKey("-", Role::kGateway)).reason(), "ROLE_TOO_LOW");
  EXPECT_EQ(Export("tk_unknown").reason(), "KEY_UNKNOWN");
  EXPECT_TRUE(Export(MakeKey("mine", Role::kEditor)).status.ok());
}

TEST_F(MonitorExportServiceTest, WhatCannotBeReadIsNamed) {
  const std::string all = MakeKey("-", Role::kViewer);
  EXPECT_THAT(Export(all, "A/b").status.error_message(), HasSubstr("project"));
  EXPECT_THAT(Export(all, "", "state = ASLEEP").status.error_message(), HasSubstr("filter"));
  EXPECT_EQ(Export(all, "nowhere").status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(MonitorExportServiceTest, SaysWhatIsShownOfAMonitor) {
  MonitorDefinition definition;
  definition.project_id = "mine";
  definition.id = "backup";
  definition.display_name = "The backup";
  definition.owner = "payments";
  definition.severity = Severity::kCritical;
  definition.labels = {{"team", "pay"}};
  definition.arm_on_create = true;
  definition.schedule.timeout = definition.schedule.recommended_interval = absl::Minutes(1);
  ASSERT_TRUE(monitors_.Create(Caller(), definition).ok());
  const Exported found = Export(MakeKey("mine", Role::kViewer), "", "labels.team = pay");
  ASSERT_THAT(found.names(), ElementsAre("mine/backup"));
  const auto& monitor = found.pages[0].monitors(0);
  EXPECT_EQ(monitor.display_name(), "The backup");
  EXPECT_EQ(monitor.owner(), "payments");
  EXPECT_EQ(monitor.severity(), v1::Monitor::SEVERITY_CRITICAL);
  EXPECT_EQ(monitor.labels().at("team"), "pay");
  EXPECT_EQ(monitor.state(), v1::Monitor::STATE_NEW);
  EXPECT_EQ(monitor.deadline_time().seconds(), absl::ToUnixSeconds(clock_.Now()) + 60);
  EXPECT_FALSE(monitor.has_last_heartbeat_time());
  EXPECT_FALSE(monitor.has_last_value());
}

TEST_F(MonitorExportServiceTest, OneMoreThanTheLimitIsRefusedUntilOneHasEnded) {
  const std::string all = MakeKey("-", Role::kViewer);
  // So much that no client's window takes it: exports that are not read stay.
  for (int i = 0; i < 400; ++i) {
    MonitorDefinition definition;
    definition.project_id = "mine";
    definition.id = absl::StrCat("large-", i);
    definition.schedule.timeout = definition.schedule.recommended_interval = absl::Minutes(1);
    for (int k = 0; k < 32; ++k) definition.labels[absl::StrCat("l", k)] = std::string(128, 'x');
    ASSERT_TRUE(monitors_.Create(Caller(), definition).ok());
  }
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<ExportMonitorsResponse>>> readers;
  for (int i = 0; i < MonitorExportHandler::kMaxExports; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    contexts.back()->AddMetadata("authorization", "Bearer " + all);
    readers.push_back(exports_->ExportMonitors(contexts.back().get(), {}));
    readers.back()->WaitForInitialMetadata();
  }
  const Exported refused = Export(all);
  EXPECT_EQ(refused.reason(), "TOO_MANY_EXPORTS");
  for (const auto& context : contexts) context->TryCancel();
  for (const auto& reader : readers) EXPECT_FALSE(reader->Finish().ok());
  // The server learns of it a moment later.
  while (Export(all).reason() == "TOO_MANY_EXPORTS") {
  }
}

}  // namespace
}  // namespace tocsin::core
