// Monitors of Uptime Kuma, one by one.
#include "cli/import_kuma.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/import_json.h"
#include "common/sha256.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

constexpr char kToken[] = "Zr3vQ8nLxT0bWc5yKd7mHs2fJp9uEa1g";

// As a backup of version 1.23 has it, without most of what is for other types.
Json PushMonitor() {
  return *ParseExport(R"({
    "id": 7, "name": "Nightly Backup", "description": "Copies the database", "pathName": "Nightly Backup",
    "parent": null, "childrenIDs": [], "url": "https://", "method": "GET", "hostname": null,
    "port": null, "maxretries": 0, "weight": 2000, "active": true, "forceInactive": false,
    "type": "push", "timeout": 48, "interval": 3600, "retryInterval": 3600, "resendInterval": 0,
    "keyword": null, "ignoreTls": false, "upsideDown": false, "notificationIDList": {"1": true},
    "tags": [{"tag_id": 1, "monitor_id": 7, "value": "ops", "name": "team", "color": "#4B5563"},
             {"tag_id": 2, "monitor_id": 7, "value": "", "name": "Backup", "color": "#DC2626"}],
    "maintenance": false, "pushToken": "Zr3vQ8nLxT0bWc5yKd7mHs2fJp9uEa1g"})");
}

Json Patched(const char* patch) {
  Json monitor = PushMonitor();
  monitor.merge_patch(*ParseExport(patch));
  return monitor;
}

ImportedMonitor Import(const Json& monitor) {
  return FromUptimeKuma({{"version", "1.23.16"},
                         {"notificationList", Json::array()},
                         {"monitorList", {monitor}}})
      ->front();
}

TEST(ImportKumaTest, APushMonitorIsKeptWithAllThatItHas) {
  const ImportedMonitor entry = Import(PushMonitor());
  EXPECT_EQ(entry.refusal, "");
  EXPECT_THAT(entry.notes, IsEmpty());
  EXPECT_EQ(entry.place, "monitorList[0]");
  EXPECT_EQ(entry.id, "nightly-backup");
  EXPECT_EQ(entry.push_token_sha256, Hex(Sha256Bytes(kToken)));
  EXPECT_FALSE(entry.paused);
  EXPECT_TRUE(entry.in_use);
  EXPECT_EQ(entry.monitor.display_name(), "Nightly Backup");
  EXPECT_EQ(entry.monitor.description(), "Copies the database");
  EXPECT_EQ(entry.monitor.labels().at("team"), "ops");
  EXPECT_EQ(entry.monitor.labels().at("tag.backup"), "true");
  EXPECT_EQ(entry.monitor.schedule().heartbeat().timeout().seconds(), 3600);
  EXPECT_EQ(entry.monitor.schedule().heartbeat().grace().seconds(), 1);
  EXPECT_EQ(entry.monitor.failure_threshold(), 0);
  EXPECT_FALSE(entry.monitor.has_reminder_interval());
  EXPECT_FALSE(entry.monitor.resume_on_heartbeat());
}

TEST(ImportKumaTest, SilenceIsFoundWhenKumaWouldFindIt) {
  const struct {
    const char* patch;
    int threshold, grace;
    bool noted;
  } kCases[] = {
      {R"({"maxretries": 2})", 3, 1, false},
      {R"({"maxretries": 2, "retryInterval": 0})", 3, 1, false},
      {R"({"maxretries": 2, "retryInterval": null})", 3, 1, false},
      {R"({"maxretries": 3, "retryInterval": 60})", 0, 181, true},
      {R"({"maxretries": 100})", 0, 360001, true},
      {R"({"maxretries": 1000000000})", 0, 366 * 86400, true},
      {R"({"maxretries": 0, "retryInterval": 60})", 0, 1, false},
  };
  for (const auto& c : kCases) {
    const ImportedMonitor entry = Import(Patched(c.patch));
    EXPECT_EQ(entry.refusal, "") << c.patch;
    EXPECT_EQ(entry.monitor.failure_threshold(), c.threshold) << c.patch;
    EXPECT_EQ(entry.monitor.schedule().heartbeat().grace().seconds(), c.grace) << c.patch;
    EXPECT_EQ(!entry.notes.empty(), c.noted) << c.patch;
  }
}

TEST(ImportKumaTest, RemindersComeAfterAsManyIntervals) {
  const ImportedMonitor entry = Import(Patched(R"({"resendInterval": 12})"));
  EXPECT_EQ(entry.monitor.reminder_interval().seconds(), 12 * 3600);
  EXPECT_THAT(entry.notes, IsEmpty());
  const ImportedMonitor often =
      Import(Patched(R"({"interval": 20, "retryInterval": 20, "resendInterval": 1})"));
  EXPECT_EQ(often.monitor.reminder_interval().seconds(), 60);
  EXPECT_THAT(often.notes, ElementsAre("reminders come every 1m instead of 20s"));
}

TEST(ImportKumaTest, InactiveMonitorsArePaused) {
  for (const char* const patch :
       {R"({"active": false})", R"({"active": 0})", R"({"forceInactive": true})"}) {
    const ImportedMonitor entry = Import(Patched(patch));
    EXPECT_TRUE(entry.paused) << patch;
    EXPECT_FALSE(entry.in_use) << patch;
  }
  EXPECT_FALSE(Import(Patched(R"({"active": 1})")).paused);
  EXPECT_FALSE(Import(Patched(R"({"active": null})")).paused);
}

TEST(ImportKumaTest, AShortTokenIsKeptAndNoted) {
  const ImportedMonitor entry = Import(Patched(R"({"pushToken": "aB3xY9kQ1z"})"));
  EXPECT_EQ(entry.push_token_sha256, Hex(Sha256Bytes("aB3xY9kQ1z")));
  EXPECT_THAT(entry.notes, ElementsAre(HasSubstr("its push token has 10 characters only")));
}

TEST(ImportKumaTest, OtherTypesAreSkipped) {
  for (const char* const type : {"http", "group", "ping"}) {
    const ImportedMonitor entry = Import(
        Patched((std::string(R"({"interval": null, "pushToken": null, "type": ")") + type + "\"}")
                    .c_str()));
    EXPECT_EQ(entry.skipped, std::string("no push monitor: its type is ") + type);
    EXPECT_EQ(entry.refusal, "");
    EXPECT_EQ(entry.id, "");
  }
}

TEST(ImportKumaTest, WhatCannotBeKeptIsRefusedWithTheReason) {
  const struct {
    const char* patch;
    const char* refusal;
  } kCases[] = {
      {R"({"upsideDown": true})", "upside down"},
      {R"({"upsideDown": 1})", "upside down"},
      {R"({"pushToken": null})", "pushToken: missing"},
      {R"({"pushToken": 12})", "pushToken: it is a number; accepted: a string"},
      {R"({"interval": null})", "interval: missing or 0"},
      {R"({"interval": "60"})", "interval: it is a string; accepted: a number of seconds"},
      {R"({"maxretries": 1.5})", "maxretries: it is 1.5; accepted: a whole number"},
      {R"({"resendInterval": []})", "resendInterval: it is an array"},
      {R"({"tags": "a"})", "tags: it is a string; accepted: an array"},
      {R"({"tags": [{"name": 1}]})", "tags[0]: name: it is a number"},
      {R"({"type": null})", "type: missing; accepted: push"},
      {R"({"name": []})", "name: it is an array; accepted: a string"},
      {R"({"active": "yes"})", "active: it is a string; accepted: true or false"},
  };
  for (const auto& c : kCases) {
    const ImportedMonitor entry = Import(Patched(c.patch));
    EXPECT_THAT(entry.refusal, HasSubstr(c.refusal)) << c.patch;
    EXPECT_EQ(entry.id, "") << c.patch;
  }
  EXPECT_THAT(Import(Json("x")).refusal, HasSubstr("it is a string, not an object"));
}

TEST(ImportKumaTest, TakesTheListsOfBothVersions) {
  const Json monitor = PushMonitor();
  const struct {
    Json exported;
    const char* place;
  } kCases[] = {
      {{{"monitorList", Json::array({monitor})}}, "monitorList[0]"},
      {{{"monitorList", {{"7", monitor}}}}, "monitorList[7]"},
      {Json::array({monitor}), "[0]"},
      {{{"7", monitor}}, "[7]"},
  };
  for (const auto& c : kCases) {
    const auto entries = FromUptimeKuma(c.exported);
    ASSERT_TRUE(entries.ok()) << c.place << entries.status();
    ASSERT_EQ(entries->size(), 1U) << c.place;
    EXPECT_EQ(entries->front().place, c.place);
    EXPECT_EQ(entries->front().id, "nightly-backup") << c.place;
  }
}

TEST(ImportKumaTest, AnExportHasItsBound) {
  const Json many(kMaxImported + 1, nullptr);
  EXPECT_EQ(FromUptimeKuma({{"monitorList", many}}).status().message(),
            "there are 100001 monitors; accepted: at most 100000");
}

TEST(ImportKumaTest, AnotherDocumentIsNoExport) {
  for (const char* const text : {"{}", "null", "7", R"({"monitorList": "x"})", R"({"checks": []})",
                                 R"({"7": {}, "x": {}})"}) {
    const auto entries = FromUptimeKuma(*ParseExport(text));
    EXPECT_TRUE(absl::IsInvalidArgument(entries.status())) << text;
    EXPECT_THAT(entries.status().message(), HasSubstr("no export of Uptime Kuma")) << text;
  }
}

}  // namespace
}  // namespace tocsin::cli
