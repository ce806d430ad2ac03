// Who is told of a monitor, and what keeps it from being told.
#include "cli/describe/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

v1::Monitor Nightly() {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/nightly");
  monitor.set_owner("payments");
  monitor.set_severity(v1::Monitor::SEVERITY_CRITICAL);
  (*monitor.mutable_labels())["env"] = "prod";
  return monitor;
}

v1::Channel ChannelOf(const std::string& id, const std::string& selector, bool is_default = false) {
  v1::Channel channel;
  channel.set_name("projects/default/channels/" + id);
  channel.set_selector(selector);
  channel.set_is_default(is_default);
  return channel;
}

std::vector<std::string> Words(const std::vector<Told>& told) {
  std::vector<std::string> words;
  for (const Told& one : told) words.push_back(one.channel.name().substr(26) + ": " + one.why);
  return words;
}

TEST(RoutingTest, ASelectorMatchesWhenEveryTermDoes) {
  const v1::Monitor monitor = Nightly();
  EXPECT_TRUE(Selects("env=prod", monitor));
  EXPECT_TRUE(Selects(" env = prod , severity=critical,owner=payments", monitor));
  EXPECT_FALSE(Selects("env=prod,team=x", monitor));
  EXPECT_FALSE(Selects("env=test", monitor));
  EXPECT_FALSE(Selects("", monitor));
}

TEST(RoutingTest, NamedAndSelectedChannelsAreToldAndNotTheDefaultOne) {
  v1::Monitor monitor = Nightly();
  monitor.add_channels("projects/default/channels/a");
  EXPECT_THAT(Words(WhoIsTold(monitor, {ChannelOf("a", ""), ChannelOf("b", "env=prod"),
                                        ChannelOf("c", "env=test"), ChannelOf("d", "", true)})),
              testing::ElementsAre("a: named by the monitor", "b: its selector env=prod"));
}

TEST(RoutingTest, WhenNoneOfThemIsEnabledTheDefaultOnesAre) {
  v1::Channel disabled = ChannelOf("b", "env=prod");
  disabled.mutable_disable_time()->set_seconds(1);
  EXPECT_THAT(Words(WhoIsTold(Nightly(), {disabled, ChannelOf("d", "", true)})),
              testing::ElementsAre("d: a default channel"));
  EXPECT_TRUE(WhoIsTold(Nightly(), {disabled}).empty());
}

TEST(RoutingTest, AMuteIsAboutWhatItNamesOrSelects) {
  v1::Mute mute;
  mute.set_selector("env=prod");
  EXPECT_TRUE(IsAbout(mute, Nightly()));
  mute.set_selector("env=test");
  EXPECT_FALSE(IsAbout(mute, Nightly()));
  mute.add_monitors("projects/default/monitors/nightly");
  EXPECT_TRUE(IsAbout(mute, Nightly()));
}

TEST(RoutingTest, AMaintenanceMayBeAboutAllMonitors) {
  v1::Maintenance maintenance;
  EXPECT_FALSE(IsAbout(maintenance, Nightly()));
  maintenance.set_all_monitors(true);
  EXPECT_TRUE(IsAbout(maintenance, Nightly()));
}

}  // namespace
}  // namespace tocsin::cli
