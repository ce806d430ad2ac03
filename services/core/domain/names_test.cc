// Resource names.
#include "services/core/domain/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/transition.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

TEST(Names, FormatAndParseBack) {
  EXPECT_EQ(MonitorName("default", "nightly"), "projects/default/monitors/nightly");
  EXPECT_EQ(*ParseMonitorName(MonitorName("p", "m"), "name"), (ResourceName{"p", "m"}));
  EXPECT_EQ(*ParseChannelName(ChannelName("p", "c"), "name"), (ResourceName{"p", "c"}));
  EXPECT_EQ(*ParseDeliveryName(DeliveryName("p", "msg_1"), "name"), (ResourceName{"p", "msg_1"}));
  EXPECT_EQ(*ParseIncidentName(IncidentName("p", 42), "name"), (NumberedName{"p", 42}));
  EXPECT_EQ(AlertEventName("p", 42), "projects/p/alertEvents/42");
}

TEST(Names, AnEmptyParentIsTheDefaultProject) {
  EXPECT_EQ(*ParseParent("", "parent"), "default");
  EXPECT_EQ(*ParseParent("projects/other", "parent"), "other");
  EXPECT_FALSE(ParseParent("projects/-", "parent").ok());
  EXPECT_EQ(*ParseParent("projects/-", "parent", /*any_allowed=*/true), kAnyProject);
  EXPECT_FALSE(ParseParent("default", "parent").ok());
}

TEST(Names, ThatAreMalformedAreRefusedWithTheFieldAndTheForm) {
  for (const char* name :
       {"", "nightly", "projects/p/monitors", "projects/p/monitors/", "projects//monitors/m",
        "projects/p/channels/m", "projects/-/monitors/m", "projects/p/monitors/m/x"}) {
    const absl::StatusOr<ResourceName> parsed = ParseMonitorName(name, "name");
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(FieldViolations(parsed.status())[0].field, "name");
    EXPECT_THAT(FieldViolations(parsed.status())[0].description,
                ::testing::HasSubstr("projects/{project}/monitors/{monitor}"));
  }
  for (const char* name : {"projects/p/incidents/x", "projects/p/incidents/0",
                           "projects/p/incidents/01", "projects/p/incidents/-1"}) {
    EXPECT_FALSE(ParseIncidentName(name, "name").ok()) << name;
  }
}

TEST(Words, AreThoseOfTheGlossary) {
  EXPECT_EQ(ReasonName(Reason::kFirstHeartbeat), "first_heartbeat");
  EXPECT_EQ(DeliveryTypeName(DeliveryType::kIncidentOpened), "incident.opened");
  EXPECT_EQ(CauseName(Cause::kMissedDeadline), "missed_deadline");
  EXPECT_EQ(ResolutionName(Resolution::kLateHeartbeat), "late_heartbeat");
  EXPECT_EQ(ParseSeverity("warning"), Severity::kWarning);
  EXPECT_EQ(ParseSeverity("Warning"), std::nullopt);
}

}  // namespace
}  // namespace tocsin::core
