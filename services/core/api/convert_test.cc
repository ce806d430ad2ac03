// What the domain looks like from outside, and back.
#include "services/core/api/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "services/core/api/deliver_convert.h"
#include "services/core/api/unary.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MinuteMonitor;
using testing::Second;

TEST(Convert, ADefinitionSurvivesTheWay) {
  MonitorView view;
  MonitorDefinition& definition = view.monitor.definition;
  definition = MinuteMonitor();
  definition.description = "copies the database";
  definition.owner = "payments";
  definition.severity = Severity::kCritical;
  definition.runbook_url = "https://example.com/runbook";
  definition.labels = {{"team", "payments"}, {"env", "prod"}};
  definition.schedule.grace = absl::Milliseconds(1500);
  definition.arm_on_create = true;
  definition.resume_on_heartbeat = true;
  definition.channels = {"hook", "pager"};
  const v1::Monitor shown = ToProto(view, {}, Second(1));
  FieldFaults faults;
  MonitorDefinition back =
      FromProto(shown, definition.project_id, definition.id, "monitor", faults);
  EXPECT_TRUE(faults.empty());
  back.key = definition.key;
  back.project = definition.project;
  back.version = definition.version;
  back.created_at = definition.created_at;
  back.updated_at = definition.updated_at;
  EXPECT_EQ(back, definition);
}

TEST(Convert, AMonitorIsShownAsItIsAtTheTimeOfTheRead) {
  MonitorView view;
  view.monitor.definition = MinuteMonitor();
  view.monitor.definition.schedule.grace = absl::Seconds(30);
  view.monitor.state.state = State::kUp;
  view.monitor.state.last_at = Second(0);
  view.last_heartbeat = Heartbeat();
  view.last_heartbeat->at = Second(0);
  const v1::Monitor in_time = ToProto(view, {}, Second(59));
  EXPECT_EQ(in_time.condition(), v1::Monitor::CONDITION_UP);
  EXPECT_EQ(FromTimestamp(in_time.deadline_time()), Second(90));
  EXPECT_EQ(in_time.last_heartbeat().message(), "OK");
  EXPECT_FALSE(in_time.last_heartbeat().has_value());
  EXPECT_EQ(ToProto(view, {}, Second(61)).condition(), v1::Monitor::CONDITION_LATE);
}

TEST(Convert, AFormatSurvivesTheWayAndAnUnknownOneIsRefused) {
  for (const auto format : {v1::Channel::FORMAT_STANDARD_WEBHOOK, v1::Channel::FORMAT_SLACK,
                            v1::Channel::FORMAT_PAGERDUTY}) {
    v1::Channel channel;
    channel.set_format(format);
    FieldFaults faults;
    EXPECT_EQ(ToProto(FromProto(channel, "default", "hook", "channel", faults)).format(), format);
    EXPECT_TRUE(faults.empty());
  }
  v1::Channel unknown;
  unknown.set_format(static_cast<v1::Channel::Format>(99));
  FieldFaults faults;
  FromProto(unknown, "default", "hook", "channel", faults);
  EXPECT_THAT(faults.ToStatus().message(), HasSubstr("FORMAT_SLACK"));
}

TEST(Convert, ChannelsOfAnotherProjectAreAFault) {
  v1::Monitor monitor;
  monitor.add_channels("projects/other/channels/hook");
  FieldFaults faults;
  FromProto(monitor, "default", "job", "monitor", faults);
  EXPECT_FALSE(faults.empty());
}

TEST(Convert, AChannelThatOmitsOutputIsSentNone) {
  LeasedDelivery leased;
  leased.delivery.type = DeliveryType::kIncidentOpened;
  leased.channel.project_id = "default";
  leased.channel.id = "chat";
  leased.events.resize(2);  // the second of a monitor that was never heard
  leased.events[0].last_heartbeat = Heartbeat();
  leased.events[0].last_heartbeat->message = "disk full";
  leased.events[0].last_heartbeat->output = "password=hunter2";
  const internal::v1::Assignment whole = ToAssignment(leased, Second(0), "");
  EXPECT_EQ(whole.events(0).last_heartbeat().output(), "password=hunter2");
  leased.channel.omit_output = true;
  const internal::v1::Assignment bare = ToAssignment(leased, Second(0), "");
  EXPECT_THAT(bare.events(0).last_heartbeat().output(), IsEmpty());
  EXPECT_EQ(bare.events(0).last_heartbeat().message(), "disk full");
  EXPECT_FALSE(bare.events(1).has_last_heartbeat());
}

TEST(Convert, AReadShowsNoValueOfAHeaderAndTheNotifierGetsThem) {
  LeasedDelivery leased;
  leased.delivery.type = DeliveryType::kChannelTest;
  leased.channel.project_id = "default";
  leased.channel.id = "chat";
  leased.channel.headers = {{"Authorization", "Bearer s3cret"}};
  const v1::Channel read = ToProto(leased.channel);
  EXPECT_EQ(read.headers().size(), 1u);
  EXPECT_EQ(read.headers().at("Authorization"), "***");
  const internal::v1::Assignment sent = ToAssignment(leased, Second(0), "");
  EXPECT_EQ(sent.destination().headers().at("Authorization"), "Bearer s3cret");
}

TEST(Convert, AMessageOfAnIncidentSaysWhereItCanBeRead) {
  LeasedDelivery leased;
  leased.delivery.type = DeliveryType::kIncidentResolved;
  leased.channel.project_id = "default";
  leased.events.resize(2);
  for (AlertEvent& event : leased.events) event.definition.project_id = "default";
  leased.events[1].incident.key = 7;
  const std::string where = "https://tocsin.example";
  const internal::v1::Assignment sent = ToAssignment(leased, Second(0), where);
  EXPECT_EQ(sent.url(), where + "/api/v1/" + sent.events(1).incident().name());
  EXPECT_THAT(ToAssignment(leased, Second(0), "").url(), IsEmpty());
  leased.events.clear();
  EXPECT_THAT(ToAssignment(leased, Second(0), where).url(), IsEmpty());
}

TEST(Convert, InstantsBeforeTheEpochKeepTheirFraction) {
  const absl::Time at = absl::UnixEpoch() - absl::Milliseconds(250);
  EXPECT_EQ(ToTimestamp(at).seconds(), -1);
  EXPECT_EQ(ToTimestamp(at).nanos(), 750'000'000);
  EXPECT_EQ(FromTimestamp(ToTimestamp(at)), at);
}

TEST(Convert, DurationsOutOfRangeSaturate) {
  google::protobuf::Duration wild;
  wild.set_seconds(std::numeric_limits<int64_t>::min());
  EXPECT_LT(FromDuration(wild), -absl::Hours(24 * 366 * 1000));
  EXPECT_EQ(ToDuration(absl::InfiniteDuration()).seconds(), 315'576'000'000);
}

TEST(Convert, AMaskedUrlIsSchemeHostAndPortAlone) {
  EXPECT_EQ(MaskUrl("https://hooks.example.com/services/T0/B0/secret"),
            "https://hooks.example.com");
  EXPECT_EQ(MaskUrl("http://user:pass@host:8080?key=1"), "http://host:8080");
  EXPECT_EQ(MaskUrl("https://a@b@host#x"), "https://host");
  EXPECT_EQ(MaskUrl("https://events.example\\@host/x"), "https://host");
  EXPECT_EQ(MaskUrl("https://user:pa\\ss@host/x"), "https://host");
  EXPECT_EQ(MaskUrl("http://[::1]:8080/x"), "http://[::1]:8080");
  EXPECT_EQ(MaskUrl("http://[::1"), "http://[::1");
  EXPECT_THAT(MaskUrl("secret"), IsEmpty());
}

TEST(Unary, NoTextOfAnInternalErrorIsShown) {
  const grpc::Status shown = Answer(Caller(), absl::InternalError("the secret of a bug"));
  EXPECT_EQ(shown.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(shown.error_message().find("secret"), std::string::npos);
  EXPECT_EQ(Answer(Caller(), absl::UnknownError("lost while committing")).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST(Unary, PageTokensGiveTheirKeyBack) {
  const ListScope scope = {"ListMonitors", "default"};
  EXPECT_EQ(PageKey(scope, PageToken(scope, "nightly-backup")).value(), "nightly-backup");
  EXPECT_EQ(NumericPageKey(scope, NumericPageToken(scope, 12345)).value(), 12345);
  EXPECT_EQ(NumericPageKey(scope, "").value(), 0);
  EXPECT_FALSE(NumericPageKey(scope, PageToken(scope, "-3")).ok());
  EXPECT_EQ(PageKey(scope, "").value(), "");
  EXPECT_FALSE(PageKey(scope, std::string(1000, 'a')).ok());
}

TEST(Unary, APageTokenOfOneListIsNoneOfAnother) {
  const ListScope scope = {"ListMonitors", "default", "ab", "c"};
  const std::string token = PageToken(scope, "key");
  EXPECT_TRUE(PageKey(scope, token).ok());
  for (const ListScope& other :
       std::vector<ListScope>{{"ListChannels", "default", "ab", "c"},
                              {"ListMonitors", "other", "ab", "c"},
                              {"ListMonitors", "default", "a", "bc"},
                              {"ListMonitors", "default", "ab", "c", ""}}) {
    const absl::Status status = PageKey(other, token).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("of another list"));
  }
}

TEST(Unary, APageTokenThatWasChangedIsRefused) {
  const ListScope scope = {"ListMonitors", "default"};
  const std::string token = PageToken(scope, "key");
  for (const std::string& changed :
       {token.substr(1), token.substr(0, 8), "A" + token, std::string("!"), std::string("\xff")}) {
    EXPECT_EQ(PageKey(scope, changed).status().code(), absl::StatusCode::kInvalidArgument)
        << changed;
  }
}

TEST(Unary, PageSizesAreCutToTheMostAndNegativeOnesRefused) {
  EXPECT_EQ(PageSize(0).value(), 50);
  EXPECT_EQ(PageSize(1000).value(), 1000);
  EXPECT_EQ(PageSize(2000000000).value(), 1000);
  EXPECT_EQ(PageSize(-1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tocsin::core
