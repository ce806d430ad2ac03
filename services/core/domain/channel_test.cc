// Selectors and routing.
#include "services/core/domain/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status_details.h"
#include "services/core/domain/selector.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MonitorDefinition Payments() {
  MonitorDefinition definition = testing::MinuteMonitor();
  definition.labels = {{"team", "payments"}, {"env", "prod"}};
  definition.severity = Severity::kCritical;
  definition.owner = "ana";
  return definition;
}

Channel ChannelWith(ChannelKey key, std::string id, std::string selector, bool is_default) {
  Channel channel;
  channel.key = key;
  channel.id = std::move(id);
  channel.selector = std::move(selector);
  channel.is_default = is_default;
  return channel;
}

TEST(Selector, MatchesWhenEveryTermDoes) {
  EXPECT_TRUE(SelectorMatches("team=payments", Payments()));
  EXPECT_TRUE(SelectorMatches(" team = payments , severity=critical,owner=ana", Payments()));
  EXPECT_FALSE(SelectorMatches("team=payments,env=test", Payments()));
  EXPECT_FALSE(SelectorMatches("region=eu", Payments()));
  EXPECT_FALSE(SelectorMatches("severity=error", Payments()));
}

TEST(Selector, ThatIsEmptySelectsNone) {
  EXPECT_FALSE(SelectorMatches("", Payments()));
  EXPECT_FALSE(SelectorMatches("  ", Payments()));
}

TEST(Selector, OfALabelCalledOwnerMatchesThatToo) {
  MonitorDefinition definition = Payments();
  definition.labels["owner"] = "bob";
  EXPECT_TRUE(SelectorMatches("owner=bob", definition));
  EXPECT_TRUE(SelectorMatches("owner=ana", definition));
}

TEST(Selector, ThatIsMalformedIsRefusedWithTheTermThatIsWrong) {
  for (const char* text :
       {"team", "=x", "team=", "Team=x", "a=b,,c=d", "severity=criticl", "a=b,"}) {
    const absl::StatusOr<Selector> parsed = ParseSelector(text, "channel.selector");
    ASSERT_FALSE(parsed.ok()) << text;
    ASSERT_EQ(FieldViolations(parsed.status()).size(), 1u);
    EXPECT_EQ(FieldViolations(parsed.status())[0].field, "channel.selector");
    EXPECT_THAT(FieldViolations(parsed.status())[0].description, HasSubstr("accepted"));
    EXPECT_FALSE(SelectorMatches(text, Payments()));
  }
}

TEST(Selector, ValueMayContainAnEqualsSign) {
  EXPECT_EQ(*ParseSelector("a=b=c", "f"), (Selector{{.key = "a", .value = "b=c"}}));
  EXPECT_EQ(*ParseSelector("a == b", "f"), (Selector{{.key = "a", .value = "b"}}));
}

TEST(Route, ChoosesSelectingAndNamedChannelsOnce) {
  MonitorDefinition definition = Payments();
  definition.channels = {"named", "both"};
  const std::vector<Channel> channels = {
      ChannelWith(1, "both", "team=payments", false), ChannelWith(2, "default", "", true),
      ChannelWith(3, "named", "", false), ChannelWith(4, "other", "team=search", false)};
  EXPECT_THAT(Route(definition, channels), ElementsAre(1, 3));
}

TEST(Route, FallsBackToTheDefaultChannels) {
  const std::vector<Channel> channels = {ChannelWith(1, "a", "team=search", false),
                                         ChannelWith(2, "b", "", true),
                                         ChannelWith(3, "c", "", true)};
  EXPECT_THAT(Route(Payments(), channels), ElementsAre(2, 3));
  EXPECT_THAT(Route(Payments(), {}), IsEmpty());
}

TEST(Route, LeavesOutDisabledChannelsAndThenUsesTheDefaults) {
  std::vector<Channel> channels = {ChannelWith(1, "a", "team=payments", false),
                                   ChannelWith(2, "b", "", true)};
  channels[0].disabled_at = testing::Second(0);
  EXPECT_THAT(Route(Payments(), channels), ElementsAre(2));
  channels[1].disabled_at = testing::Second(0);
  EXPECT_THAT(Route(Payments(), channels), IsEmpty());
}

}  // namespace
}  // namespace tocsin::core
