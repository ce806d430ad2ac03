// Resources as YAML that `tocsin apply` reads.
#include "cli/apply/writer.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "cli/apply/reader.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {
namespace {

using testing::HasSubstr;

// As the reader makes it of what the writer wrote.
v1::Monitor RoundTrip(const v1::Monitor& monitor) {
  Faults faults;
  Declared declared;
  const std::string text = WriteCollection(MonitorKind(), {{.id = "a", .message = &monitor}});
  for (const YamlNode& document : ParseYaml(text, "a.yaml", faults)) {
    ReadDocument(document, ".", "default", declared, faults);
  }
  EXPECT_EQ(faults.ToString(), "") << text;
  EXPECT_EQ(declared.resources.size(), 1U) << text;
  v1::Monitor read;
  if (!declared.resources.empty()) read.CopyFrom(*declared.resources[0].wanted);
  return read;
}

TEST(WriterTest, AMonitorComesBackAsItWas) {
  v1::Monitor monitor;
  monitor.set_display_name("Nightly: \"all\" of it #1");
  monitor.set_description("two\nlines, a tab\t and \xC3\xA9; ${env:HOME} is no secret");
  monitor.set_severity(v1::Monitor::SEVERITY_WARNING);
  monitor.set_runbook_url("https://example.org/a?b=c#d");
  (*monitor.mutable_labels())["version"] = "1.10";
  (*monitor.mutable_labels())["on"] = "yes";
  (*monitor.mutable_labels())["empty"] = "";
  monitor.mutable_schedule()->mutable_cron()->set_expression("*/5 * * * *");
  monitor.mutable_schedule()->mutable_cron()->mutable_early_tolerance();
  monitor.set_failure_threshold(3);
  monitor.add_channels("projects/default/channels/on");
  monitor.set_value_min(0.1);
  monitor.set_value_max(1e300);
  monitor.mutable_max_run_duration()->set_seconds(90);
  monitor.mutable_max_run_duration()->set_nanos(500'000'000);
  const v1::Monitor read = RoundTrip(monitor);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(read, monitor))
      << read.DebugString();
}

TEST(WriterTest, DefaultsAndWhatIsTheServersAreLeftOut) {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/a");
  monitor.set_display_name("a");
  monitor.set_severity(v1::Monitor::SEVERITY_ERROR);
  monitor.set_failure_threshold(1);
  monitor.set_recovery_threshold(1);
  monitor.set_state(v1::Monitor::STATE_UP);
  (*monitor.mutable_labels())[kSetLabel] = "main";
  auto& heartbeat = *monitor.mutable_schedule()->mutable_heartbeat();
  heartbeat.mutable_timeout()->set_seconds(300);
  heartbeat.mutable_recommended_interval()->set_seconds(300);
  heartbeat.mutable_grace();
  monitor.set_arm_on_create(true);
  EXPECT_EQ(WriteCollection(MonitorKind(), {{.id = "a", .message = &monitor}}),
            "monitors:\n"
            "  - id: a\n"
            "    schedule:\n"
            "      heartbeat:\n"
            "        timeout: 5m\n");
  monitor.set_arm_on_create(false);
  EXPECT_THAT(WriteCollection(MonitorKind(), {{.id = "a", .message = &monitor}}),
              HasSubstr("    armOnCreate: false\n"));
}

TEST(WriterTest, TheUrlOfAChannelIsAComment) {
  v1::Channel channel;
  channel.set_display_name("on-call");
  channel.set_url("https://hooks.example.org");
  channel.set_format(v1::Channel::FORMAT_STANDARD_WEBHOOK);
  channel.set_is_default(true);
  EXPECT_EQ(WriteCollection(ChannelKind(), {{.id = "on-call", .message = &channel}}),
            "channels:\n"
            "  - id: on-call\n"
            "    # It is kept as it is while it is left out; core shows no more than "
            "https://hooks.example.org\n"
            "    # url: ${env:TOCSIN_SECRET_ON_CALL}\n"
            "    isDefault: true\n");
}

TEST(WriterTest, HeadersOfAChannelAreComments) {
  v1::Channel channel;
  (*channel.mutable_headers())["X-Env"] = "***";
  (*channel.mutable_headers())["Authorization"] = "***";
  EXPECT_THAT(WriteCollection(ChannelKind(), {{.id = "on-call", .message = &channel}}),
              HasSubstr("    # They are kept as they are while they are left out; core shows no "
                        "more than their names\n"
                        "    # headers:\n"
                        "    #   Authorization: ${env:TOCSIN_SECRET_ON_CALL_HEADER_AUTHORIZATION}\n"
                        "    #   X-Env: ${env:TOCSIN_SECRET_ON_CALL_HEADER_X_ENV}\n"));
}

TEST(WriterTest, NothingIsReadAsSomethingElse) {
  for (const char* text : {"", "yes", "NULL", "1.10", "0x1f", "-", "a: b", "a #b", "* * * * *",
                           "@daily", "- x", "a:", " a", "a ", "2026-01-01", "=", "~"}) {
    EXPECT_EQ(YamlScalar(text).front(), '"') << text;
  }
  EXPECT_EQ(YamlScalar("Europe/Paris"), "Europe/Paris");
  EXPECT_EQ(YamlScalar("https://example.org/x"), "https://example.org/x");
}

TEST(WriterTest, CommentsStayComments) {
  EXPECT_EQ(YamlComment("one\ntwo\x1b[31m", "  "), "  # one\n  # two [31m\n");
}

}  // namespace
}  // namespace tocsin::cli
