// What files say, as resources.
#include "cli/apply/reader.h"

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {
namespace {

using google::protobuf::FieldDescriptor;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Declared Read(absl::string_view text, std::string* told = nullptr) {
  Faults faults;
  Declared declared;
  for (const YamlNode& document : ParseYaml(text, "a.yaml", faults)) {
    ReadDocument(document, ".", "default", declared, faults);
  }
  if (told != nullptr) {
    *told = faults.ToString();
  } else {
    EXPECT_EQ(faults.ToString(), "");
  }
  return declared;
}

std::string FaultsOf(absl::string_view text) {
  std::string told;
  Read(text, &told);
  return told;
}

const v1::Monitor& MonitorOf(const Resource& resource) {
  return dynamic_cast<const v1::Monitor&>(*resource.wanted);
}

TEST(ReaderTest, AMonitorHasTheFieldsOfTheApi) {
  const Declared declared = Read(R"(
project: payments
monitors:
  - id: nightly
    displayName: "Nightly: all of it"
    owner: 007
    severity: critical
    labels: {team: payments, version: 1.10}
    schedule: {cron: {expression: "30 2 * * *", timeZone: Europe/Paris, grace: 1h}}
    failureThreshold: 2
    resumeOnHeartbeat: true
    channels: [ops, projects/other/channels/x]
    valueMin: -0.5
    maxRunDuration: 1d12h
)");
  ASSERT_THAT(declared.resources, SizeIs(1));
  const Resource& resource = declared.resources[0];
  EXPECT_EQ(resource.Name(), "projects/payments/monitors/nightly");
  EXPECT_EQ(resource.Title(), "monitor payments/nightly");
  const v1::Monitor& monitor = MonitorOf(resource);
  EXPECT_EQ(monitor.display_name(), "Nightly: all of it");
  EXPECT_EQ(monitor.owner(), "007");
  EXPECT_EQ(monitor.severity(), v1::Monitor::SEVERITY_CRITICAL);
  EXPECT_EQ(monitor.labels().at("version"), "1.10");
  EXPECT_EQ(monitor.schedule().cron().time_zone(), "Europe/Paris");
  EXPECT_EQ(monitor.schedule().cron().grace().seconds(), 3600);
  EXPECT_EQ(monitor.failure_threshold(), 2);
  EXPECT_TRUE(monitor.resume_on_heartbeat());
  EXPECT_THAT(monitor.channels(),
              ElementsAre("projects/payments/channels/ops", "projects/other/channels/x"));
  EXPECT_EQ(monitor.value_min(), -0.5);
  EXPECT_FALSE(monitor.has_value_max());
  EXPECT_EQ(monitor.max_run_duration().seconds(), 36 * 3600);
}

TEST(ReaderTest, AMonitorIsArmedUnlessToldOtherwise) {
  const Declared declared =
      Read("monitors: [{id: a}, {id: b, armOnCreate: false}, {id: c, armOnCreate: true}]");
  EXPECT_TRUE(MonitorOf(declared.resources[0]).arm_on_create());
  EXPECT_FALSE(MonitorOf(declared.resources[1]).arm_on_create());
  EXPECT_TRUE(MonitorOf(declared.resources[2]).arm_on_create());
}

TEST(ReaderTest, AnEmptyValueIsAsIfItWereLeftOut) {
  const Declared declared =
      Read("channels:\nmonitors:\n  - id: a\n    owner:\n    labels: ~\n    armOnCreate: ~\n");
  ASSERT_THAT(declared.resources, SizeIs(1));
  EXPECT_EQ(MonitorOf(declared.resources[0]).owner(), "");
  EXPECT_TRUE(MonitorOf(declared.resources[0]).arm_on_create());
  EXPECT_EQ(declared.resources[0].places.count("owner"), 0U);
}

TEST(ReaderTest, TheProjectHoldsForItsDocument) {
  const Declared declared =
      Read("monitors: [{id: a}]\nproject: one\n---\nmonitors: [{id: a}]\n---\nproject: empty\n");
  EXPECT_EQ(declared.resources[0].Name(), "projects/one/monitors/a");
  EXPECT_EQ(declared.resources[1].Name(), "projects/default/monitors/a");
  EXPECT_THAT(declared.projects, ElementsAre("one", "default", "empty"));
}

TEST(ReaderTest, SecretsAreNamedAndNotShown) {
  setenv("READER_TEST_URL", "https://example.org/secret", 1);
  const Declared declared = Read("channels: [{id: a, url: '${env:READER_TEST_URL}'}]");
  const Resource& resource = declared.resources[0];
  EXPECT_EQ(dynamic_cast<const v1::Channel&>(*resource.wanted).url(), "https://example.org/secret");
  EXPECT_THAT(resource.masked, ElementsAre("url"));
}

TEST(ReaderTest, EveryFaultIsToldWithItsPlaceAndField) {
  EXPECT_EQ(FaultsOf(R"(monitor: 3
monitors:
- id: Bad_Id
- owner: x
- id: a
  scedule: {}
  failure_threshold: 3
  failureThreshold: many
  severity: bad
  armOnCreate: yes
  valueMin: .nan
  labels: [a]
  labels: {}
  schedule: {cron: {expression: a, every: b}, heartbeat: {timeout: 5 parsecs}}
- 7
channels: {}
)"),
            "a.yaml:1:1: monitor: unknown field; did you mean monitors? accepted: project, "
            "channels, monitors\n"
            "a.yaml:3:7: id: it is no id; accepted: 1 to 63 of [a-z0-9-], beginning with a letter "
            "or digit\n"
            "a.yaml:4:3: id: missing; accepted: 1 to 63 of [a-z0-9-], beginning with a letter or "
            "digit\n"
            "a.yaml:6:3: scedule: unknown field; did you mean schedule? accepted: id, "
            "pushTokenSha256, displayName, description, owner, severity, runbookUrl, labels, "
            "schedule, failureThreshold, recoveryThreshold, armOnCreate, resumeOnHeartbeat, "
            "channels, valueMin, valueMax, maxRunDuration, reminderInterval\n"
            "a.yaml:7:3: failure_threshold: unknown field; did you mean failureThreshold?\n"
            "a.yaml:8:21: failureThreshold: it is \"many\"; accepted: a whole number\n"
            "a.yaml:9:13: severity: it is \"bad\"; accepted: critical, error, warning, info\n"
            "a.yaml:10:16: armOnCreate: it is \"yes\"; accepted: true or false\n"
            "a.yaml:11:13: valueMin: it is \".nan\"; accepted: a number\n"
            "a.yaml:12:11: labels: it is a list; accepted: a mapping\n"
            "a.yaml:13:3: labels: it comes twice\n"
            "a.yaml:14:36: schedule.cron.every: unknown field; accepted: expression, timeZone, "
            "grace, earlyTolerance\n"
            "a.yaml:14:47: schedule.heartbeat: there is cron already; accepted: one of the two\n"
            "a.yaml:15:3: monitors: an item is a single value; accepted: a mapping with an id\n"
            "a.yaml:16:11: channels: it is a mapping; accepted: a list\n");
}

TEST(ReaderTest, WhatIsTheServersIsNoFieldOfFiles) {
  EXPECT_THAT(FaultsOf("monitors: [{id: a, state: STATE_UP}]"), HasSubstr("state: unknown field"));
  EXPECT_THAT(FaultsOf("monitors: [{id: a, labels: {tocsin.set: x}}]"),
              HasSubstr("labels.tocsin.set: the command line sets it itself: use --set"));
}

// What the readers and writers of fields can do with a message of any kind.
void ExpectReadable(const google::protobuf::Descriptor& type, const Kind& kind) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!kind.Declares(field)) continue;
    SCOPED_TRACE(field.full_name());
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (field.is_map()) {
          EXPECT_EQ(field.message_type()->map_key()->cpp_type(), FieldDescriptor::CPPTYPE_STRING);
          EXPECT_NE(field.message_type()->map_value()->cpp_type(),
                    FieldDescriptor::CPPTYPE_MESSAGE);
        } else {
          EXPECT_FALSE(field.is_repeated());
          if (field.message_type() != google::protobuf::Duration::descriptor()) {
            ExpectReadable(*field.message_type(), kind);
          }
        }
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
      case FieldDescriptor::CPPTYPE_BOOL:
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_INT32:
        EXPECT_FALSE(field.is_repeated());
        break;
      default:
        ADD_FAILURE() << "no file can have a value of this type yet";
    }
  }
}

TEST(ReaderTest, EveryFieldOfEveryKindCanBeRead) {
  for (const Kind* kind : Kinds()) {
    ExpectReadable(*kind->type, *kind);
    for (const auto& [field, of] : kind->references) {
      EXPECT_NE(kind->type->FindFieldByName(field), nullptr) << field;
    }
    for (const std::string& field : kind->hidden) {
      EXPECT_NE(kind->type->FindFieldByName(field), nullptr) << field;
    }
  }
}

}  // namespace
}  // namespace tocsin::cli
