// Everything that is known of one monitor, on a page.
#include "cli/describe/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kThree = 1'773'111'600;  // 2026-03-10T03:00:00Z
const absl::Time kNow = absl::FromUnixSeconds(kThree);

MonitorPage Down() {
  MonitorPage page;
  page.monitor.set_name("projects/default/monitors/nightly");
  page.monitor.set_state(v1::Monitor::STATE_DOWN);
  page.monitor.set_open_incident("projects/default/incidents/7");
  v1::Incident& incident = *page.incidents.add_incidents();
  incident.set_name("projects/default/incidents/7");
  incident.set_cause(v1::Incident::CAUSE_REPORTED_DOWN);
  incident.set_message("disk full");
  incident.mutable_open_time()->set_seconds(kThree - 60);
  v1::Channel channel;
  channel.set_name("projects/default/channels/chat");
  channel.set_url("https://chat.example.org");
  page.told.push_back({channel, "a default channel"});
  return page;
}

TEST(PageTest, WhatIsWrongComesFirst) {
  EXPECT_THAT(
      PageText(Down(), kNow, false, {}),
      StartsWith(
          "down for 1m: the job said at 02:59:00Z that it failed: \"disk full\"\n\nMonitor "));
  EXPECT_THAT(PageText(Down(), kNow, false, {.colour = true}),
              StartsWith("\x1b[1;31mdown\x1b[0m for 1m: the job"));
}

TEST(PageTest, WhoIsToldIsSaidAndAlsoThatNobodyIs) {
  MonitorPage page = Down();
  EXPECT_THAT(PageText(page, kNow, false, {}),
              HasSubstr("chat     https://chat.example.org  a default channel  works\n"));
  page.told.clear();
  EXPECT_THAT(PageText(page, kNow, false, {}), HasSubstr("Nobody: "));
}

TEST(PageTest, ASectionWithNothingToSayIsLeftOut) {
  MonitorPage page = Down();
  EXPECT_THAT(PageText(page, kNow, false, {}), Not(HasSubstr("Not told in")));
  EXPECT_THAT(PageText(page, kNow, false, {}), Not(HasSubstr("Fires next")));
  EXPECT_THAT(PageText(page, kNow, false, {}), HasSubstr("Newest heartbeats\nNone.\n"));
  v1::Mute& mute = page.mutes.emplace_back();
  mute.set_name("projects/default/mutes/m");
  mute.set_reason("deploying");
  mute.mutable_expire_time()->set_seconds(kThree + 60);
  EXPECT_THAT(PageText(page, kNow, false, {}), HasSubstr("until 2026-03-10 03:01:00Z"));
}

TEST(PageTest, TablesAreAsWideAsTheTerminal) {
  MonitorPage page = Down();
  page.incidents.mutable_incidents(0)->set_message(std::string(200, 'x'));
  for (const auto line : absl::StrSplit(PageText(page, kNow, true, {.width = 80}), '\n')) {
    EXPECT_LE(Width(line), 80) << line;
  }
  EXPECT_THAT(PageText(page, kNow, true, {}), HasSubstr(std::string(200, 'x')));
}

TEST(PageTest, ProgramsGetTheMessagesOfTheApi) {
  const auto json = PageJson(Down());
  EXPECT_EQ(json["monitor"]["state"], "STATE_DOWN");
  EXPECT_EQ(json["incidents"][0]["message"], "disk full");
  EXPECT_EQ(json["channels"][0]["why"], "a default channel");
  EXPECT_TRUE(json["mutes"].empty());
}

}  // namespace
}  // namespace tocsin::cli
