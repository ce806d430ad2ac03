// Tells how text is written for chats.
#include "services/notifier/channel/mrkdwn.h"

#include <gtest/gtest.h>

#include <string>

namespace tocsin::notifier {
namespace {

TEST(MrkdwnTest, MarkupAndMentionsAreOnlyText) {
  EXPECT_EQ(Mrkdwn("a < b && c > d", 100), "a &lt; b &amp;&amp; c &gt; d");
  EXPECT_EQ(Mrkdwn("<!channel> <@U1>", 100), "&lt;!channel&gt; &lt;@\u200bU1&gt;");
  EXPECT_EQ(Mrkdwn("@here", 100), "@\u200bhere");
  EXPECT_EQ(Mrkdwn("![x](http://evil)", 100), "![x]\u200b(http://evil)");
  EXPECT_EQ(Mrkdwn("f(x) [1]", 100), "f(x) [1]");
}

TEST(MrkdwnTest, AnAddressStaysOne) {
  EXPECT_EQ(Mrkdwn("Runbook: https://wiki/@team/a?b=1&c=2", 100),
            "Runbook: https://wiki/%40team/a?b=1&amp;c=2");
}

TEST(MrkdwnTest, ControlCharactersAndBrokenUtf8AreMadePlain) {
  EXPECT_EQ(Mrkdwn("a\nb\x1b[2J \xff", 100), "a\\nb\\u001b[2J \xEF\xBF\xBD");
}

TEST(MrkdwnTest, CutsBetweenEntitiesAndCharacters) {
  EXPECT_EQ(Mrkdwn("ab&&", 10), "ab&amp;…");
  EXPECT_EQ(Mrkdwn("ab&&", 12), "ab&amp;&amp;");
  EXPECT_EQ(Mrkdwn("üüüü", 7), "üü…");
  EXPECT_EQ(Mrkdwn("", 7), "");
  for (size_t most = 3; most < 60; ++most) {
    const std::string cut = Mrkdwn("<@&>ü€😀<@&>ü€😀", most);
    EXPECT_LE(cut.size(), most);
  }
}

}  // namespace
}  // namespace tocsin::notifier
