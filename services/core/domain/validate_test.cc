// What definitions must fulfil.
#include "services/core/domain/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "common/any_string_view.h"
#include "common/status_details.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Fields(const FieldFaults& faults) {
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(faults.ToStatus())) {
    fields.push_back(violation.field);
  }
  return fields;
}

std::vector<std::string> MonitorFaults(const MonitorDefinition& definition) {
  FieldFaults faults;
  ValidateMonitor(definition, "monitor", faults);
  return Fields(faults);
}

TEST(ResourceId, IsOneTo63LowerCaseLettersDigitsAndDashes) {
  for (const char* id : {"a", "0", "nightly-backup-2", "a-"}) EXPECT_TRUE(IsResourceId(id)) << id;
  EXPECT_TRUE(IsResourceId(std::string(63, 'a')));
  for (const char* id : {"", "-a", "A", "a_b", "a.b", "é", "a/b"}) {
    EXPECT_FALSE(IsResourceId(id)) << id;
  }
  EXPECT_FALSE(IsResourceId(std::string(64, 'a')));
}

TEST(Monitor, ThatFulfilsEverythingHasNoFaults) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.runbook_url = "https://wiki.example/runbooks/1?x=y#z";
  definition.labels = {{"team", "payments"}, {"a.b_c-d", ""}};
  definition.channels = {"ops"};
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
}

TEST(Monitor, ReportsEveryFaultAtOnceByItsFieldInTheRequest) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.display_name = std::string(129, 'x');
  definition.owner = "\xFF";
  definition.runbook_url = "ftp://x";
  definition.labels = {{"Team", "x"}, {"ok", std::string(129, 'x')}};
  definition.schedule.timeout = absl::Milliseconds(999);
  definition.schedule.grace = -absl::Seconds(1);
  definition.failure_threshold = 101;
  definition.recovery_threshold = -1;
  definition.channels = {"a", "a"};
  EXPECT_THAT(
      MonitorFaults(definition),
      ElementsAre("monitor.display_name", "monitor.owner", "monitor.runbook_url", "monitor.labels",
                  "monitor.labels.ok", "monitor.schedule.heartbeat.timeout",
                  "monitor.schedule.heartbeat.grace", "monitor.failure_threshold",
                  "monitor.recovery_threshold", "monitor.channels"));
}

TEST(Monitor, FaultSaysWhatWasGivenAndWhatIsAccepted) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule.timeout = absl::Hours(24 * 367);
  FieldFaults faults;
  ValidateMonitor(definition, "monitor", faults);
  EXPECT_EQ(faults.ToStatus().message(),
            "monitor.schedule.heartbeat.timeout: it is 367 days; accepted: 1 s to 366 days");
}

TEST(Monitor, TimeoutOfZeroMayHaveBeenGivenOrForgotten) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule.timeout = absl::ZeroDuration();
  FieldFaults faults;
  ValidateMonitor(definition, "monitor", faults);
  EXPECT_EQ(faults.ToStatus().message(),
            "monitor.schedule.heartbeat.timeout: missing or 0; accepted: 1 s to 366 days");
}

TEST(Monitor, TimeoutMayBeOneSecondTo366Days) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule = Schedule();
  definition.schedule.timeout = absl::Seconds(1);
  FillDefaults(definition);
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.schedule.timeout = absl::Hours(24 * 366);
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.schedule.timeout = absl::InfiniteDuration();
  EXPECT_THAT(MonitorFaults(definition), ElementsAre("monitor.schedule.heartbeat.timeout"));
}

TEST(Monitor, RecommendedIntervalIsNeverAboveTheTimeout) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule.recommended_interval = absl::Seconds(61);
  EXPECT_THAT(MonitorFaults(definition),
              ElementsAre("monitor.schedule.heartbeat.recommended_interval"));
}

TEST(Monitor, DefaultsAreFilledIn) {
  MonitorDefinition definition;
  definition.id = "m";
  definition.schedule.timeout = absl::Seconds(90) + absl::Nanoseconds(1);
  definition.failure_threshold = 0;
  FillDefaults(definition);
  EXPECT_EQ(definition.display_name, "m");
  EXPECT_EQ(definition.schedule.timeout, absl::Seconds(90));
  EXPECT_EQ(definition.schedule.recommended_interval, absl::Seconds(90));
  EXPECT_EQ(definition.failure_threshold, 1);
}

TEST(Monitor, AGraceOfZeroOfACronScheduleIsFiveMinutes) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule = testing::CronSchedule("@daily", absl::ZeroDuration());
  FillDefaults(definition);
  EXPECT_EQ(definition.schedule.grace, absl::Minutes(5));
  EXPECT_EQ(definition.schedule.timeout, absl::ZeroDuration());
  EXPECT_EQ(definition.schedule.recommended_interval, absl::ZeroDuration());
  EXPECT_FALSE(definition.schedule.cron->early_tolerance.has_value());
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
}

TEST(Monitor, GraceAndToleranceOfACronScheduleHaveTheirLimits) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.schedule = testing::CronSchedule("@daily", absl::Hours(24 * 366));
  definition.schedule.cron->early_tolerance = absl::Hours(24);
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.schedule.cron->early_tolerance = absl::ZeroDuration();
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.schedule.grace = absl::Hours(24 * 366) + absl::Seconds(1);
  definition.schedule.cron->early_tolerance = absl::Hours(25);
  EXPECT_THAT(MonitorFaults(definition),
              ElementsAre("monitor.schedule.cron.grace", "monitor.schedule.cron.early_tolerance"));
  definition.schedule.grace = -absl::Seconds(1);
  definition.schedule.cron->early_tolerance = -absl::Seconds(1);
  EXPECT_THAT(MonitorFaults(definition), SizeIs(2));
}

TEST(Monitor, BoundsOfValuesAreFiniteAndInOrder) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.value_min = definition.value_max = 3;
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.value_max = 2;
  EXPECT_THAT(MonitorFaults(definition), ElementsAre("monitor.value_max"));
  definition.value_min = std::numeric_limits<double>::quiet_NaN();
  definition.value_max = std::numeric_limits<double>::infinity();
  EXPECT_THAT(MonitorFaults(definition), ElementsAre("monitor.value_min", "monitor.value_max"));
}

TEST(Monitor, LimitsOfRunsAndRemindersAreNoneOrNotTooShort) {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.max_run_duration = absl::Seconds(1);
  definition.reminder_interval = absl::Minutes(1);
  EXPECT_THAT(MonitorFaults(definition), IsEmpty());
  definition.max_run_duration = absl::Milliseconds(999);
  definition.reminder_interval = absl::Seconds(59);
  EXPECT_THAT(MonitorFaults(definition),
              ElementsAre("monitor.max_run_duration", "monitor.reminder_interval"));
  definition.max_run_duration = -absl::Seconds(1);
  definition.reminder_interval = absl::InfiniteDuration();
  EXPECT_THAT(MonitorFaults(definition), SizeIs(2));
}

TEST(Url, NeedsASchemeOfTheWebAndAHost) {
  Channel channel;
  channel.id = "ops";
  const auto faults_of = [&](std::string url) {
    channel.url = std::move(url);
    FieldFaults faults;
    ValidateChannel(channel, "channel", faults);
    return Fields(faults);
  };
  for (const char* url : {"http://127.0.0.1:9000", "https://hooks.example/T0/B0?x#y",
                          "HTTPS://[::1]:8080/", "https://user:secret@host/x"}) {
    EXPECT_THAT(faults_of(url), IsEmpty()) << url;
  }
  for (const char* url :
       {"", "hooks.example", "https://", "https:///x", "https://:80/", "file:///x", "https://a b",
        "https://a\n", "https://a\\@b/x", "https://u:p\\w@b/x"}) {
    EXPECT_THAT(faults_of(url), ElementsAre("channel.url")) << url;
  }
  EXPECT_THAT(faults_of("https://x/" + std::string(2048, 'a')), ElementsAre("channel.url"));
}

TEST(Url, IsNotRepeatedInTheFaultForItMayBeASecret) {
  Channel channel;
  channel.url = "htps://hooks.example/s3cret";
  FieldFaults faults;
  ValidateChannel(channel, "channel", faults);
  EXPECT_THAT(faults.ToStatus().message(), ::testing::Not(::testing::HasSubstr("s3cret")));
}

TEST(ChannelDefinition, ReportsSelectorAndFallbackFaults) {
  Channel channel;
  channel.id = "ops";
  channel.url = "https://x";
  channel.selector = "team";
  channel.fallback_channel = "ops";
  FieldFaults faults;
  ValidateChannel(channel, "channel", faults);
  EXPECT_THAT(Fields(faults), ElementsAre("channel.selector", "channel.fallback_channel"));
}

TEST(WebhookSecret, IsPrefixedBase64Of24To64Bytes) {
  EXPECT_TRUE(IsWebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  for (const char* secret : {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                             "whsec_c2hvcnQ=", "whsec_!!!!9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    EXPECT_FALSE(IsWebhookSecret(secret)) << secret;
  }
}

TEST(WebhookSecret, IsWhatTheFormatNeeds) {
  const auto accepts = [](ChannelFormat format, std::string_view secret) {
    FieldFaults faults;
    ValidateWebhookSecret(format, secret, "webhook_secret", faults);
    const bool told = faults.empty() || secret.empty() ||
                      !absl::StrContains(faults.ToStatus().message(), AnyStringView(secret).absl());
    EXPECT_TRUE(told) << "a secret is not repeated";
    return faults.empty();
  };
  constexpr std::string_view kSigning = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  constexpr std::string_view kRoutingKey = "R0123456789ABCDEFGHIJKLMNOPQRSTU";
  EXPECT_TRUE(accepts(ChannelFormat::kStandardWebhook, ""));
  EXPECT_TRUE(accepts(ChannelFormat::kStandardWebhook, kSigning));
  EXPECT_FALSE(accepts(ChannelFormat::kStandardWebhook, kRoutingKey));
  EXPECT_TRUE(accepts(ChannelFormat::kSlack, ""));
  EXPECT_FALSE(accepts(ChannelFormat::kSlack, kSigning));
  EXPECT_TRUE(accepts(ChannelFormat::kPagerDuty, kRoutingKey));
  for (const std::string_view bad : {std::string_view(), kSigning, kRoutingKey.substr(1),
                                     std::string_view("R0123456789ABCDEFGHIJKLMNOPQRST-")}) {
    EXPECT_FALSE(accepts(ChannelFormat::kPagerDuty, bad)) << bad;
  }
}

TEST(HeartbeatFields, MustBeFiniteInRangeAndShort) {
  Heartbeat heartbeat;
  heartbeat.value = std::numeric_limits<double>::infinity();
  heartbeat.exit_status = 256;
  heartbeat.run_id = std::string(65, 'r');
  FieldFaults faults;
  ValidateHeartbeat(heartbeat, "", faults);
  EXPECT_THAT(Fields(faults), ElementsAre("value", "exit_status", "run_id"));
}

TEST(TokenOverlap, IsAtMost30Days) {
  FieldFaults faults;
  ValidateTokenOverlap(absl::ZeroDuration(), "overlap", faults);
  ValidateTokenOverlap(absl::Hours(24 * 30), "overlap", faults);
  EXPECT_TRUE(faults.empty());
  ValidateTokenOverlap(-absl::Seconds(1), "overlap", faults);
  ValidateTokenOverlap(absl::Hours(24 * 31), "overlap", faults);
  EXPECT_THAT(Fields(faults), ElementsAre("overlap", "overlap"));
}

TEST(Validate, RequestIdsAreUuidsOfAnyVersionInAnyCase) {
  for (const char* id :
       {"", "0c6c9a8e-1f7b-4a55-9d0e-6a2f5f1c7d42", "0C6C9A8E-1F7B-1A55-0D0E-6A2F5F1C7D42",
        "00000000-0000-0000-0000-000000000000"}) {
    FieldFaults faults;
    ValidateRequestId(id, "request_id", faults);
    EXPECT_TRUE(faults.empty()) << id;
  }
  for (const char* id :
       {"1", "0c6c9a8e1f7b4a559d0e6a2f5f1c7d42", "0c6c9a8e-1f7b-4a55-9d0e-6a2f5f1c7d4g",
        "{0c6c9a8e-1f7b-4a55-9d0e-6a2f5f1c7d42}", "0c6c9a8e-1f7b-4a55-9d0e06a2f5f1c7d42"}) {
    FieldFaults faults;
    ValidateRequestId(id, "request_id", faults);
    EXPECT_FALSE(faults.empty()) << id;
  }
}

TEST(Validate, HashesOfTokensAreSixtyFourDigitsAndAreNotRepeatedInErrors) {
  FieldFaults faults;
  const std::string hex = std::string(62, '0') + "aF";
  const std::optional<TokenHash> hash = ReadTokenHash(hex, "push_token_sha256", faults);
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(hash->back(), 0xAF);
  EXPECT_EQ(ReadTokenHash("", "push_token_sha256", faults), std::nullopt);
  EXPECT_TRUE(faults.empty());
  for (const std::string& bad : {std::string("my-token"), hex + "0", std::string(64, 'g')}) {
    FieldFaults refused;
    EXPECT_EQ(ReadTokenHash(bad, "push_token_sha256", refused), std::nullopt);
    EXPECT_EQ(std::string(refused.ToStatus().message()).find(bad), std::string::npos);
    EXPECT_FALSE(refused.empty());
  }
}

TEST(Validate, EtagsAreAsResourcesHaveThem) {
  for (const char* etag : {"", "1f", "ffffffffffffffff"}) {
    FieldFaults faults;
    ValidateEtag(etag, "etag", faults);
    EXPECT_TRUE(faults.empty()) << etag;
  }
  for (const char* etag : {"\"1f\"", "W/1f", "1F", "00000000000000000"}) {
    FieldFaults faults;
    ValidateEtag(etag, "etag", faults);
    EXPECT_FALSE(faults.empty()) << etag;
  }
}

}  // namespace
}  // namespace tocsin::core
