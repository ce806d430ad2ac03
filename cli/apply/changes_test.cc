// What differs between two messages of a kind, field by field.
#include "cli/apply/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::Monitor Some() {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/a");
  monitor.set_owner("payments");
  monitor.set_severity(v1::Monitor::SEVERITY_ERROR);
  (*monitor.mutable_labels())["team"] = "a";
  monitor.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(60);
  monitor.add_channels("projects/default/channels/ops");
  return monitor;
}

TEST(ChangesTest, WhatIsTheServersIsNoDifference) {
  v1::Monitor after = Some();
  after.set_etag("1f");
  after.set_state(v1::Monitor::STATE_DOWN);
  EXPECT_THAT(ChangesBetween(MonitorKind(), &after, Some(), {}), IsEmpty());
}

TEST(ChangesTest, FieldsAreNamedAndShownAsFilesHaveThem) {
  const v1::Monitor before = Some();
  v1::Monitor after = Some();
  after.clear_owner();
  after.set_severity(v1::Monitor::SEVERITY_CRITICAL);
  (*after.mutable_labels())["team"] = "b";
  (*after.mutable_labels())["zone"] = "c";
  after.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(90);
  after.set_failure_threshold(2);
  after.set_arm_on_create(true);
  after.add_channels("projects/default/channels/second");
  after.set_value_max(1.5);
  EXPECT_THAT(
      ChangesBetween(MonitorKind(), &before, after, {}),
      ElementsAre(FieldChange{"severity", "error", "critical"},
                  FieldChange{"labels.team", "a", "b"}, FieldChange{"labels.zone", "", "c"},
                  FieldChange{"schedule.heartbeat.timeout", "1m", "1m30s"},
                  FieldChange{"failureThreshold", "", "2"}, FieldChange{"armOnCreate", "", "true"},
                  FieldChange{"channels", "ops", "ops, second"}, FieldChange{"valueMax", "", "1.5"},
                  FieldChange{"owner", "payments", ""}));
}

TEST(ChangesTest, AnotherKindOfScheduleIsShownInItsFields) {
  const v1::Monitor before = Some();
  v1::Monitor after = Some();
  after.mutable_schedule()->mutable_cron()->set_expression("@daily");
  EXPECT_THAT(ChangesBetween(MonitorKind(), &before, after, {}),
              ElementsAre(FieldChange{"schedule.cron.expression", "", "@daily"},
                          FieldChange{"schedule.heartbeat.timeout", "1m", ""}));
}

TEST(ChangesTest, SecretsAreNotShown) {
  v1::Channel before;
  before.set_selector("team=a");
  v1::Channel after;
  after.set_url("https://example.org/secret");
  after.set_selector("team=b");
  EXPECT_THAT(ChangesBetween(ChannelKind(), &before, after, {"url", "selector"}),
              ElementsAre(FieldChange{"url", "", "(secret)"},
                          FieldChange{"selector", "(secret)", "(secret)"}));
}

}  // namespace
}  // namespace tocsin::cli
