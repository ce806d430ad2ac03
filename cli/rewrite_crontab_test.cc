// What becomes of the lines of a crontab whose jobs are to report.
#include "cli/rewrite_crontab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const RewriteOptions kOptions = {.tocsin = "/bin/tocsin", .push_url_file = "/etc/tocsin/url"};
constexpr char kTop[] = "TOCSIN_PUSH_URL_FILE=/etc/tocsin/url\n";

RewrittenCrontab Rewrite(absl::string_view text, bool system = false) {
  return RewriteCrontab(text, FromCrontab(text, {.system = system, .time_zone = "UTC"}), kOptions);
}

// What becomes of one line.
std::string Line(absl::string_view line) {
  const std::string text = Rewrite(line).text;
  EXPECT_EQ(text.substr(0, sizeof kTop - 1), kTop);
  return text.substr(sizeof kTop - 1);
}

TEST(RewriteCrontabTest, APlainCommandIsRunAsItIs) {
  EXPECT_EQ(Line("30 2 * * * /usr/local/bin/backup.sh --all"),
            "30 2 * * * /bin/tocsin exec --monitor backup -- /usr/local/bin/backup.sh --all");
  EXPECT_EQ(Line("@daily\t/srv/report.py -n 5"),
            "@daily\t/bin/tocsin exec --monitor report -- /srv/report.py -n 5");
}

TEST(RewriteCrontabTest, WhatNeedsAShellKeepsTheOneOfCron) {
  EXPECT_EQ(Line("0 * * * * cd /srv && ./sync.sh >/dev/null 2>&1"),
            "0 * * * * /bin/tocsin exec --monitor sync -- \"$SHELL\" -c "
            "'cd /srv && ./sync.sh >/dev/null 2>&1'");
  // A name alone may be one that only shells know.
  EXPECT_EQ(Line("0 * * * * exit 3"),
            "0 * * * * /bin/tocsin exec --monitor exit -- \"$SHELL\" -c 'exit 3'");
  EXPECT_EQ(Line("0 * * * * LANG=C job"),
            "0 * * * * /bin/tocsin exec --monitor job -- \"$SHELL\" -c 'LANG=C job'");
  EXPECT_EQ(Line("0 * * * * job 'a b' $HOME"),
            "0 * * * * /bin/tocsin exec --monitor job -- \"$SHELL\" -c "
            "'job '\\''a b'\\'' $HOME'");
  EXPECT_EQ(Line("0 * * * * job ~/x"),
            "0 * * * * /bin/tocsin exec --monitor job -- \"$SHELL\" -c 'job ~/x'");
}

TEST(RewriteCrontabTest, PercentSignsMeanWhatTheyMeant) {
  EXPECT_EQ(Line("0 1 * * * report $(date +\\%V)"),
            "0 1 * * * /bin/tocsin exec --monitor report -- \"$SHELL\" -c "
            "'report $(date +\\%V)'");
  EXPECT_EQ(
      Line("0 1 * * * mail ops%Hello%there's more"),
      "0 1 * * * /bin/tocsin exec --monitor mail -- \"$SHELL\" -c 'mail ops'%Hello%there's more");
}

TEST(RewriteCrontabTest, AllElseIsAsItWas) {
  const std::string text =
      "# jobs\nMAILTO=ops\n\n  0 1 * * *  root\t/srv/backup.sh  \n@reboot root hello\nnonsense\n";
  EXPECT_EQ(Rewrite(text, /*system=*/true).text,
            absl::StrCat(kTop,
                         "# jobs\nMAILTO=ops\n\n  0 1 * * *  root\t/bin/tocsin exec --monitor "
                         "backup -- /srv/backup.sh  \n@reboot root hello\nnonsense\n"));
}

TEST(RewriteCrontabTest, WhatReportsAlreadyIsLeftAlone) {
  const std::string once = Rewrite("0 1 * * * backup.sh\n0 2 * * * a | b\n").text;
  EXPECT_EQ(Rewrite(once).text, once);
}

TEST(RewriteCrontabTest, WhatIsUnderTocsinExecBehindOtherThingsIsLeftAlone) {
  for (const char* line : {"0 1 * * * TOCSIN_PUSH_URL=https://t/api/push/x tocsin exec -- sync.sh",
                           "0 1 * * * flock -n /l /usr/bin/tocsin exec --monitor x -- own.sh"}) {
    EXPECT_EQ(Line(line), line);
  }
}

TEST(RewriteCrontabTest, APushUrlAboveAJobDoesNotComeBeforeTheFileOfAllJobs) {
  EXPECT_THAT(Rewrite("TOCSIN_PUSH_URL=https://t/api/push/x\n0 1 * * * /b/other.sh\n").text,
              HasSubstr("/bin/tocsin exec --push-url-file '/etc/tocsin/url' --monitor other -- "
                        "/b/other.sh\n"));
}

TEST(RewriteCrontabTest, AnotherShellRunsAlsoWhatIsPlain) {
  EXPECT_THAT(Rewrite("SHELL=/bin/bash\n0 1 * * * /b/job.sh --x\n").text,
              HasSubstr("-- \"$SHELL\" -c '/b/job.sh --x'\n"));
  EXPECT_THAT(Rewrite("SHELL=/bin/sh\n0 1 * * * /b/job.sh --x\n").text,
              HasSubstr("-- /b/job.sh --x\n"));
}

TEST(RewriteCrontabTest, EveryJobHasTheVariableAboveIt) {
  const std::string below =
      "0 1 * * * /b/first.sh\nTOCSIN_PUSH_URL_FILE=/x\n0 2 * * * /b/other.sh\n";
  EXPECT_EQ(Rewrite(below).text.substr(0, sizeof kTop - 1), kTop);
  const std::string other = "TOCSIN_PUSH_URL_FILE_OLD=/x\n0 1 * * * /b/first.sh\n";
  EXPECT_EQ(Rewrite(other).text.substr(0, sizeof kTop - 1), kTop);
  const std::string above = "TOCSIN_PUSH_URL_FILE = /x\n0 1 * * * /b/first.sh\n";
  EXPECT_EQ(Rewrite(above).text.substr(0, 20), above.substr(0, 20));
  EXPECT_EQ(Rewrite(above).text.find(kTop), std::string::npos);
}

TEST(RewriteCrontabTest, ACommandThatWouldBeTooLongForCronIsLeftAndNamed) {
  const std::string text =
      absl::StrCat("0 1 * * * /b/short.sh\n0 1 * * * long.sh ", std::string(960, 'x'), "\n");
  const RewrittenCrontab rewritten = Rewrite(text);
  EXPECT_THAT(rewritten.text, HasSubstr("-- /b/short.sh\n0 1 * * * long.sh x"));
  EXPECT_THAT(rewritten.notes, ElementsAre(HasSubstr("line 2 is left as it was")));
  EXPECT_THAT(Rewrite("0 1 * * * short.sh").notes, IsEmpty());
}

}  // namespace
}  // namespace tocsin::cli
