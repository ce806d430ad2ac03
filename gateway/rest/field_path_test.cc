// Names of fields in errors: those of JSON, whoever found the fault.
#include "gateway/rest/field_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"
#include "tocsin/v1/key_service.pb.h"
#include "tocsin/v1/monitor_service.pb.h"

namespace tocsin::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(FieldPathTest, FollowsAPathThroughTheRequest) {
  const auto& create = *v1::CreateMonitorRequest::descriptor();
  EXPECT_EQ(InJsonNames("monitor_id", create), "monitorId");
  EXPECT_EQ(InJsonNames("monitor.failure_threshold", create), "monitor.failureThreshold");
  EXPECT_EQ(InJsonNames("monitor.schedule.heartbeat.recommended_interval", create),
            "monitor.schedule.heartbeat.recommendedInterval");
  EXPECT_EQ(InJsonNames("monitorId", create), "monitorId");
  EXPECT_EQ(InJsonNames("key.push.defaults.runbook_url", *v1::CreateKeyRequest::descriptor()),
            "key.push.defaults.runbookUrl");
}

TEST(FieldPathTest, LeavesPlacesInListsAndKeysOfMaps) {
  const auto& create = *v1::CreateMonitorRequest::descriptor();
  EXPECT_EQ(InJsonNames("monitor.channels[1]", create), "monitor.channels[1]");
  EXPECT_EQ(InJsonNames("monitor.labels.display_name", create), "monitor.labels.display_name");
  EXPECT_EQ(InJsonNames("monitor.labels.a.b_c[0]", create), "monitor.labels.a.b_c[0]");
}

TEST(FieldPathTest, LeavesWhatLeadsToNoField) {
  const auto& create = *v1::CreateMonitorRequest::descriptor();
  for (const char* path : {"", ".", "no_field", "monitor.no_field", "monitor_id.no_field",
                           "monitor..owner", "monitor.", "[0]", "monitor.failure_threshold.x"}) {
    EXPECT_EQ(InJsonNames(path, create), path);
  }
}

TEST(FieldPathTest, RenamesAnErrorsFieldsAndKeepsTheRest) {
  absl::Status status = absl::InvalidArgumentError(
      "monitor_id: missing; accepted: an id\nmonitor.failure_threshold: it is 0; accepted: 1\n"
      "and 1 more");
  AddFieldViolation(status, "monitor_id", "missing; accepted: an id");
  AddFieldViolation(status, "monitor.failure_threshold", "it is 0; accepted: 1");
  SetReason(status, "INVALID_FIELD");
  SetMetadata(status, "more_faults", "1");
  SetRetryDelay(status, absl::Seconds(2));
  const absl::Status told = InJsonNames(status, *v1::CreateMonitorRequest::descriptor());
  EXPECT_EQ(told.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(told.message(),
            "monitorId: missing; accepted: an id\nmonitor.failureThreshold: it is 0; accepted: 1\n"
            "and 1 more");
  EXPECT_THAT(FieldViolations(told),
              ElementsAre(FieldViolation{"monitorId", "missing; accepted: an id"},
                          FieldViolation{"monitor.failureThreshold", "it is 0; accepted: 1"}));
  EXPECT_EQ(Reason(told), "INVALID_FIELD");
  EXPECT_THAT(Metadata(told), ElementsAre(Pair("more_faults", "1")));
  EXPECT_EQ(RetryDelay(told), absl::Seconds(2));
  EXPECT_EQ(InJsonNames(absl::NotFoundError("x"), *v1::CreateMonitorRequest::descriptor()),
            absl::NotFoundError("x"));
}

}  // namespace
}  // namespace tocsin::gateway
