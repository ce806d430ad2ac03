// Lines of crontabs, one by one.
#include "cli/import_crontab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::vector<ImportedMonitor> OfUser(absl::string_view text) {
  return FromCrontab(text, {.time_zone = "UTC"}).monitors;
}

TEST(ImportCrontabTest, ALineBecomesACronSchedule) {
  const auto entries = OfUser("  30\t2 * * mon-fri  /usr/local/bin/backup.sh --all\n");
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].id, "backup");
  EXPECT_EQ(entries[0].name, "line 1");
  EXPECT_EQ(entries[0].monitor.schedule().cron().expression(), "30 2 * * mon-fri");
  EXPECT_EQ(entries[0].monitor.schedule().cron().time_zone(), "UTC");
  EXPECT_TRUE(entries[0].monitor.arm_on_create());
  EXPECT_THAT(entries[0].notes, IsEmpty());
}

TEST(ImportCrontabTest, CommentsRightAboveALineAreItsDescription) {
  const auto entries = OfUser("# of the file\n\n# Copies /srv\n# nightly\n@daily a\n@daily b\n");
  EXPECT_EQ(entries[0].monitor.description(), "Copies /srv\nnightly");
  EXPECT_EQ(entries[1].monitor.description(), "");
}

TEST(ImportCrontabTest, ALineWithTooFewFieldsIsRefusedBeforeItsCommandIsTakenApart) {
  const auto entries = OfUser("45 3 * * echo too few\n0 4 * jan-MAR mon,Tue fine\n");
  EXPECT_THAT(entries[0].refusal, HasSubstr("\"echo\" is no field of a schedule; accepted:"));
  EXPECT_EQ(entries[1].refusal, "");
}

TEST(ImportCrontabTest, WithoutAZoneThatOfTheMachineIsAssumed) {
  const auto jobs = FromCrontab("@daily a\n", {.machine_zone = "Europe/Paris"});
  EXPECT_EQ(jobs.monitors[0].monitor.schedule().cron().time_zone(), "Europe/Paris");
  EXPECT_THAT(jobs.monitors[0].notes, ElementsAre(HasSubstr("read as Europe/Paris")));
}

TEST(ImportCrontabTest, ASystemCrontabHasUsers) {
  const auto entries =
      FromCrontab("*/5 * * * * www-data php /x/cron.php\n@weekly root report\n", {.system = true})
          .monitors;
  EXPECT_EQ(entries[0].monitor.owner(), "www-data");
  EXPECT_EQ(entries[0].id, "cron");
  EXPECT_EQ(entries[1].monitor.owner(), "root");
  EXPECT_EQ(entries[1].id, "report");
  EXPECT_EQ(
      FromCrontab("@daily root x", {.system = true, .owner = "ops"}).monitors[0].monitor.owner(),
      "ops");
}

TEST(ImportCrontabTest, TheZoneIsThatOfCronTzAndNotOfTz) {
  const auto entries = FromCrontab(
                           "@daily a\nTZ=Asia/Tokyo\n@daily b\nCRON_TZ = \"Europe/Paris\"\n@daily "
                           "c\nMAILTO=x\n@daily "
                           "d\n",
                           {})
                           .monitors;
  const auto zone = [&entries](size_t i) {
    return entries[i].monitor.schedule().cron().time_zone();
  };
  EXPECT_EQ(zone(0), "UTC");
  EXPECT_THAT(entries[0].notes, ElementsAre(HasSubstr("read as UTC")));
  EXPECT_EQ(zone(1), "UTC");
  EXPECT_THAT(entries[1].notes, ElementsAre(HasSubstr("TZ=Asia/Tokyo is for the job alone"),
                                            HasSubstr("read as UTC")));
  EXPECT_EQ(zone(2), "Europe/Paris");
  EXPECT_EQ(zone(3), "Europe/Paris");
  EXPECT_THAT(entries[3].notes, ElementsAre(HasSubstr("the cron of Debian and Ubuntu does not"),
                                            HasSubstr("TZ=Asia/Tokyo")));
}

TEST(ImportCrontabTest, AZoneThatSomebodySaysComesBeforeCronTz) {
  const auto entries =
      FromCrontab("CRON_TZ=Europe/Paris\n@daily a\n@daily b\n", {.time_zone = "America/New_York"})
          .monitors;
  EXPECT_EQ(entries[1].monitor.schedule().cron().time_zone(), "America/New_York");
  EXPECT_THAT(entries[1].notes,
              ElementsAre(HasSubstr("CRON_TZ=Europe/Paris gives way to --time-zone")));
}

TEST(ImportCrontabTest, AJobThatReportsToAUrlOfItsOwnIsSkipped) {
  const auto entries = OfUser(
      "0 1 * * * TOCSIN_PUSH_URL=https://t/api/push/x /usr/bin/tocsin exec -- sync.sh\n"
      "0 2 * * * flock -n /l tocsin exec --monitor locked -- own.sh\n");
  EXPECT_THAT(entries[0].skipped, HasSubstr("a URL of its own"));
  EXPECT_EQ(entries[1].skipped, "");
  EXPECT_EQ(entries[1].id, "locked");
}

TEST(ImportCrontabTest, ATestInFrontOfAJobIsToldSinceItsFailureIsOne) {
  const auto entries = OfUser(
      "0 16 1-7 * * [ \"$(date +\\%u)\" = 1 ] && /opt/first-monday.sh\n"
      "0 16 * * * cd /srv && ./sync.sh\n");
  EXPECT_EQ(entries[0].id, "first-monday");
  EXPECT_THAT(entries[0].notes, Contains(HasSubstr("if [ ... ]; then ...; fi")));
  EXPECT_THAT(entries[1].notes, Not(Contains(HasSubstr("test fails"))));
}

TEST(ImportCrontabTest, WhatIsNoScheduleIsSkippedOrRefused) {
  const auto entries = OfUser(
      "@reboot /bin/x\nnonsense\n0 0 * * *\n0 0 * * 1~5 x\n@every 90s y\n@every never y\n"
      "0 0 * * * %stdin\n");
  EXPECT_THAT(entries[0].skipped, HasSubstr("when the machine starts"));
  EXPECT_THAT(entries[1].refusal, HasSubstr("no line of a crontab"));
  EXPECT_THAT(entries[2].refusal, HasSubstr("no line of a crontab"));
  EXPECT_THAT(entries[3].refusal, HasSubstr("at random"));
  EXPECT_EQ(entries[4].monitor.schedule().heartbeat().timeout().seconds(), 90);
  EXPECT_THAT(entries[5].refusal, HasSubstr("no duration"));
  EXPECT_THAT(entries[6].refusal, HasSubstr("no line of a crontab"));
}

TEST(ImportCrontabTest, IdsThatComeTwiceAreToldApart) {
  const auto entries = OfUser("@daily /a/sync\n@hourly /b/sync.sh\n@daily ---\n");
  EXPECT_EQ(entries[0].id, "sync");
  EXPECT_EQ(entries[1].id, "sync-2");
  EXPECT_THAT(entries[1].notes, ElementsAre("its id is not sync, which another one has"));
  EXPECT_EQ(entries[2].id, "line-3");
}

TEST(ImportCrontabTest, AJobIsCalledAsWhatItRuns) {
  EXPECT_EQ(JobName("/usr/local/bin/backup.sh --all"), "backup");
  EXPECT_EQ(JobName("cd /srv && FOO=bar nice -n 10 ./run.py -v"), "run");
  EXPECT_EQ(JobName("test -x /usr/sbin/anacron && run-parts /etc/cron.daily"), "run-parts");
  EXPECT_EQ(JobName("flock -n /run/lock/x /opt/sync >/dev/null 2>&1"), "sync");
  EXPECT_EQ(JobName("timeout 30m perl -w /opt/job.pl x"), "x");
  EXPECT_EQ(JobName("bash -c 'vacuum --all'"), "vacuum");
  EXPECT_EQ(JobName("curl -fsS https://example.org/x"), "curl");
  EXPECT_EQ(JobName("date;ls"), "date");
  EXPECT_EQ(JobName("sudo"), "");
  EXPECT_EQ(JobName("/usr/bin/tocsin exec -q --monitor nightly -- backup.sh"), "nightly");
  EXPECT_EQ(JobName("tocsin exec -- backup.sh"), "backup");
}

TEST(ImportCrontabTest, LinesHaveABound) {
  std::string text;
  for (size_t i = 0; i <= kMaxCrontabLines; ++i) text += "\n";
  const auto entries = OfUser(text + "@daily x\n");
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_THAT(entries[0].refusal, HasSubstr("more than 100000 lines"));
}

TEST(ImportCrontabTest, ARunMayTakeAsLongAsTheNextOneIsAway) {
  const auto limit = [](absl::string_view expression) {
    return OfUser(absl::StrCat(expression, " job\n"))[0].monitor.max_run_duration().seconds();
  };
  EXPECT_EQ(limit("*/5 * * * *"), 3600);
  EXPECT_EQ(limit("@hourly"), 3600);
  EXPECT_EQ(limit("0 */6 * * *"), 6 * 3600);
  EXPECT_EQ(limit("0 9-17 * * mon-fri"), 3600);
  EXPECT_EQ(limit("*/5 3 * * *"), 3600);
  EXPECT_EQ(limit("0 6,18,20 * * *"), 2 * 3600);
  EXPECT_EQ(limit("0 22,2 * * *"), 4 * 3600);
  EXPECT_EQ(limit("0 */6,12 * * *"), 6 * 3600);
  EXPECT_EQ(limit("0 5/2147483647 * * *"), 24 * 3600);
  EXPECT_EQ(limit("30 2 * * *"), 24 * 3600);
  EXPECT_EQ(limit("@weekly"), 24 * 3600);
  EXPECT_EQ(limit("@every 30m"), 3600);
  EXPECT_EQ(limit("@every 2h"), 7200);
}

TEST(ImportCrontabTest, NumbersThatAreNoneOfTheirFieldAreRefused) {
  const auto entries = OfUser(
      "0 25 * * * a\n60 * * * * b\n-60/10 * * * * c\n0 0 0 * * d\n0 0 * 13 * e\n0 0 * * 8 f\n"
      "0-59/2,5 0-23 1,31 jan-dec 0,7,mon-fri fine\n*/90 * * * * step\n");
  ASSERT_THAT(entries, SizeIs(8));
  EXPECT_THAT(entries[0].refusal, HasSubstr("\"25\" is no hour; accepted: 0 to 23"));
  EXPECT_THAT(entries[1].refusal, HasSubstr("no minute"));
  EXPECT_THAT(entries[2].refusal, HasSubstr("no minute"));
  EXPECT_THAT(entries[3].refusal, HasSubstr("no day of the month"));
  EXPECT_THAT(entries[4].refusal, HasSubstr("no month"));
  EXPECT_THAT(entries[5].refusal, HasSubstr("no day of the week"));
  EXPECT_EQ(entries[6].refusal, "");
  EXPECT_EQ(entries[7].refusal, "") << "core judges it";
}

TEST(ImportCrontabTest, ADayThatNeverComesSwitchesALineOff) {
  const auto entries = OfUser(
      "0 0 31 2 * off\n0 0 31 4,6 * off\n0 0 29 2 * leap\n0 0 31 2 mon mondays\n"
      "0 0 31 feb * named\n");
  EXPECT_THAT(entries[0].skipped, HasSubstr("never runs"));
  EXPECT_THAT(entries[1].skipped, HasSubstr("never runs"));
  for (size_t i = 2; i < 5; ++i) EXPECT_EQ(entries[i].skipped, "") << i;
}

TEST(ImportCrontabTest, WhatComesWhenATestFailsIsTheJobAndNeedsNoNote) {
  const auto entries = OfUser(
      "@daily test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }\n");
  EXPECT_EQ(entries[0].id, "run-parts");
  EXPECT_THAT(entries[0].notes, IsEmpty());
  // What follows is the job still.
  EXPECT_EQ(OfUser("@daily . /etc/profile; /opt/backup.sh || echo failed\n")[0].id, "line-1");
  EXPECT_EQ(OfUser("@daily [ -x /opt/x ] || exit 0; /opt/x\n")[0].id, "x");
  EXPECT_EQ(OfUser("@daily cd /srv || exit 1; /opt/backup.sh\n")[0].id, "backup");
}

TEST(ImportCrontabTest, ALineThatIsNotToBeLoggedIsOneLikeOthers) {
  EXPECT_EQ(OfUser("-@daily job\n")[0].monitor.schedule().cron().expression(), "@daily");
  const auto entries = OfUser("-*/15 * * * * job\n");
  EXPECT_EQ(entries[0].refusal, "");
  EXPECT_EQ(entries[0].monitor.schedule().cron().expression(), "*/15 * * * *");
}

TEST(ImportCrontabTest, AJobUnderALockMayNeedALongerRun) {
  EXPECT_THAT(OfUser("@hourly flock -n /run/lock job\n")[0].notes,
              ElementsAre(HasSubstr("maxRunDuration")));
}

TEST(ImportCrontabTest, TellsWhenEveryCommandBeginsWithAUser) {
  const auto users = [](absl::string_view text, bool system) {
    return FromCrontab(text,
                       {.system = system,
                        .time_zone = "UTC",
                        .is_user = [](auto name) { return name == "root" || name == "mail"; }})
        .has_users;
  };
  EXPECT_TRUE(users("@daily root a\n@daily mail b\n", false));
  EXPECT_FALSE(users("@daily root a\n@daily mail b\n", true));
  EXPECT_FALSE(users("@daily root a\n@daily b c\n", false));
  EXPECT_FALSE(users("@daily mail\n", false)) << "a command of its own";
  EXPECT_FALSE(users("", false));
}

TEST(ImportCrontabTest, AnUserIsNoPath) {
  const auto entries =
      FromCrontab("@daily /usr/bin/backup --all\n", {.system = true, .time_zone = "UTC"}).monitors;
  EXPECT_THAT(entries[0].refusal, HasSubstr("no name of a user"));
  EXPECT_THAT(FromCrontab("*/5 * * * * * root /opt/six\n", {.system = true, .time_zone = "UTC"})
                  .monitors[0]
                  .refusal,
              HasSubstr("no name of a user"));
  EXPECT_EQ(FromCrontab("@daily svc@corp.example.com job\n", {.system = true, .time_zone = "UTC"})
                .monitors[0]
                .refusal,
            "");
}

}  // namespace
}  // namespace tocsin::cli
