// Checks of Healthchecks, one by one.
#include "cli/import_healthchecks.h"

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

constexpr char kUuid[] = "31365bce-8da9-4729-8ff3-aaa71d56b712";

// As version 3 of the API describes a check to a key that may write.
Json Check() {
  return *ParseExport(R"({
    "name": "Filesystem Backup", "slug": "filesystem-backup", "tags": "backup team=ops",
    "desc": "Runs incremental backup every hour", "grace": 600, "n_pings": 12, "status": "up",
    "started": false, "last_ping": "2026-03-24T14:02:03+00:00",
    "next_ping": "2026-03-24T15:02:03+00:00", "manual_resume": false, "methods": "",
    "subject": "", "subject_fail": "", "start_kw": "", "success_kw": "", "failure_kw": "",
    "filter_subject": false, "filter_body": false, "filter_http_body": false,
    "filter_default_fail": false,
    "badge_url": "https://hc.example.org/b/2/8f0c5a7e-0b7c-4e9e-8f4b-5b1b2d7a4f11.svg",
    "uuid": "31365bce-8da9-4729-8ff3-aaa71d56b712",
    "ping_url": "https://hc.example.org/ping/31365bce-8da9-4729-8ff3-aaa71d56b712",
    "update_url": "https://hc.example.org/api/v3/checks/31365bce-8da9-4729-8ff3-aaa71d56b712",
    "channels": "1bdea468-03bf-47b8-ab27-29a9dd0e4b94", "timeout": 3600})");
}

ImportedMonitor Import(const Json& check) {
  return FromHealthchecks({{"checks", {check}}})->front();
}

// With some fields as in `patch`; those that are null there are absent.
Json Patched(const char* patch) {
  Json check = Check();
  check.merge_patch(*ParseExport(patch));
  return check;
}

TEST(ImportHealthchecksTest, ACheckIsKeptWithAllThatItHas) {
  const ImportedMonitor entry = Import(Check());
  EXPECT_EQ(entry.refusal, "");
  EXPECT_THAT(entry.notes, IsEmpty());
  EXPECT_EQ(entry.place, "checks[0]");
  EXPECT_EQ(entry.name, "Filesystem Backup");
  EXPECT_EQ(entry.id, "filesystem-backup");
  EXPECT_EQ(entry.push_token_sha256, Hex(Sha256Bytes(kUuid)));
  EXPECT_FALSE(entry.paused);
  EXPECT_TRUE(entry.in_use);
  EXPECT_EQ(entry.monitor.display_name(), "Filesystem Backup");
  EXPECT_EQ(entry.monitor.description(), "Runs incremental backup every hour");
  EXPECT_EQ(entry.monitor.labels().at("tag.backup"), "true");
  EXPECT_EQ(entry.monitor.labels().at("team"), "ops");
  EXPECT_EQ(entry.monitor.schedule().heartbeat().timeout().seconds(), 3600);
  EXPECT_EQ(entry.monitor.schedule().heartbeat().grace().seconds(), 600);
  EXPECT_EQ(entry.monitor.max_run_duration().seconds(), 600);
  EXPECT_TRUE(entry.monitor.resume_on_heartbeat());
}

TEST(ImportHealthchecksTest, ACronScheduleKeepsItsZoneAndGrace) {
  const ImportedMonitor entry =
      Import(Patched(R"({"timeout": null, "schedule": "15 5 * * *", "tz": "Europe/Riga"})"));
  EXPECT_EQ(entry.refusal, "");
  EXPECT_EQ(entry.monitor.schedule().cron().expression(), "15 5 * * *");
  EXPECT_EQ(entry.monitor.schedule().cron().time_zone(), "Europe/Riga");
  EXPECT_EQ(entry.monitor.schedule().cron().grace().seconds(), 600);
}

TEST(ImportHealthchecksTest, StatesAndPausesAreKept) {
  const struct {
    const char* patch;
    bool paused, in_use, resumes;
  } kCases[] = {
      {R"({"status": "paused"})", true, false, true},
      {R"({"status": "paused", "manual_resume": true})", true, false, false},
      {R"({"status": "new", "last_ping": null})", false, false, true},
      {R"({"status": "down"})", false, true, true},
      {R"({"status": "grace", "started": true})", false, true, true},
  };
  for (const auto& c : kCases) {
    const ImportedMonitor entry = Import(Patched(c.patch));
    EXPECT_EQ(entry.paused, c.paused) << c.patch;
    EXPECT_EQ(entry.in_use, c.in_use) << c.patch;
    EXPECT_EQ(entry.monitor.resume_on_heartbeat(), c.resumes) << c.patch;
  }
}

TEST(ImportHealthchecksTest, TheUuidIsThatOfThePingUrlInLowerCase) {
  for (const char* const patch :
       {R"({"ping_url": "https://hc-ping.com/31365BCE-8DA9-4729-8FF3-AAA71D56B712"})",
        R"({"ping_url": null})", R"({"uuid": null})",
        R"({"ping_url": "https://hc-ping.com/key/filesystem-backup"})"}) {
    EXPECT_EQ(Import(Patched(patch)).push_token_sha256, Hex(Sha256Bytes(kUuid))) << patch;
  }
}

TEST(ImportHealthchecksTest, TheIdIsTheSlugOrElseTheName) {
  EXPECT_EQ(Import(Patched(R"({"slug": "a_b"})")).id, "a-b");
  EXPECT_EQ(Import(Patched(R"({"slug": ""})")).id, "filesystem-backup");
  EXPECT_EQ(Import(Patched(R"({"slug": null, "name": "Büro / Süd"})")).id, "b-ro-s-d");
  EXPECT_THAT(Import(Patched(R"({"slug": "", "name": ""})")).id, HasSubstr("imported-"));
}

TEST(ImportHealthchecksTest, WhatIsNotAsItWasIsNoted) {
  const struct {
    const char* patch;
    const char* note;
  } kCases[] = {
      {R"({"methods": "POST"})", "pings by GET and HEAD count, too, not only by POST"},
      {R"({"filter_subject": true, "success_kw": "SUCCESS"})", "for pings by e-mail"},
      {R"({"filter_body": true, "failure_kw": "ERROR"})", "for pings by e-mail"},
      {R"({"subject": "done"})", "for pings by e-mail"},
      {R"({"tags": "team=a team=b"})", "the tag \"team=b\" is left out"},
  };
  for (const auto& c : kCases) {
    const ImportedMonitor entry = Import(Patched(c.patch));
    EXPECT_EQ(entry.refusal, "") << c.patch;
    EXPECT_THAT(entry.notes, ElementsAre(HasSubstr(c.note))) << c.patch;
  }
}

TEST(ImportHealthchecksTest, WhatCannotBeKeptIsRefusedWithTheReason) {
  const struct {
    const char* patch;
    const char* refusal;
  } kCases[] = {
      {R"({"timeout": null, "schedule": "Mon..Fri 12:00", "tz": "UTC"})", "OnCalendar"},
      {R"({"timeout": null, "schedule": "*-*-* 05:00:00\n*-*-* 17:00:00"})", "OnCalendar"},
      {R"({"filter_http_body": true, "failure_kw": "ERROR"})", "keywords in the body of a ping"},
      {R"({"ping_url": null, "uuid": null, "unique_key": "a6c7"})", "read-only key"},
      {R"({"ping_url": null, "uuid": null})", "ping_url: it ends in no UUID"},
      {R"({"ping_url": "https://x.example/ping/31365bce8da947298ff3aaa71d56b712", "uuid": ""})",
       "ping_url: it ends in no UUID"},
      {R"({"timeout": null})", "timeout: missing"},
      {R"({"timeout": "1h"})", "timeout: it is a string; accepted: a number of seconds"},
      {R"({"grace": null})", "grace: missing"},
      {R"({"grace": -60})", "grace: it is -60"},
      {R"({"name": {"a": 1}})", "name: it is an object; accepted: a string"},
      {R"({"schedule": 5})", "schedule: it is a number; accepted: a string"},
      {R"({"manual_resume": "no"})", "manual_resume: it is a string; accepted: true or false"},
      {R"({"tags": ["a"]})", "tags: it is an array; accepted: a string"},
  };
  for (const auto& c : kCases) {
    const ImportedMonitor entry = Import(Patched(c.patch));
    EXPECT_THAT(entry.refusal, HasSubstr(c.refusal)) << c.patch;
    EXPECT_EQ(entry.id, "") << c.patch;
  }
  EXPECT_THAT(Import(Json(7)).refusal, HasSubstr("it is a number, not an object"));
}

TEST(ImportHealthchecksTest, ASlugThatDoesNotReachItsMonitorIsNoted) {
  Json other = Check();
  other["ping_url"] = "https://hc.example.org/ping/803f680d-e89b-492b-82ef-2be7b774a92d";
  const auto entries = *FromHealthchecks({{"checks", {Check(), other, Check()}}});
  EXPECT_THAT(entries[0].notes, IsEmpty());
  EXPECT_THAT(entries[1].notes, ElementsAre("pings by its slug do not reach it: its id is "
                                            "filesystem-backup-2"));
  EXPECT_EQ(entries[2].refusal, "its push URL is that of checks[0], too");
  const ImportedMonitor longest =
      Import(Patched((R"({"slug": ")" + std::string(70, 'a') + R"("})").c_str()));
  EXPECT_THAT(longest.notes, ElementsAre(HasSubstr("pings by its slug do not reach it")));
}

TEST(ImportHealthchecksTest, AnExportHasItsBound) {
  const Json many(kMaxImported + 1, nullptr);
  EXPECT_EQ(FromHealthchecks({{"checks", many}}).status().message(),
            "checks: there are 100001; accepted: at most 100000");
}

TEST(ImportHealthchecksTest, AnotherDocumentIsNoExport) {
  for (const char* const text : {"[]", "{}", "null", R"({"checks": {}})", R"({"checks": "x"})",
                                 R"({"error": "wrong api key"})", R"({"monitorList": []})"}) {
    const auto entries = FromHealthchecks(*ParseExport(text));
    EXPECT_TRUE(absl::IsInvalidArgument(entries.status())) << text;
    EXPECT_THAT(entries.status().message(), HasSubstr("no export of Healthchecks")) << text;
  }
  EXPECT_THAT(*FromHealthchecks(*ParseExport(R"({"checks": []})")), IsEmpty());
}

}  // namespace
}  // namespace tocsin::cli
