// Whatever jobs and people write, payloads stay within the limits that receivers publish.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/notifier/channel/pagerduty_payload.h"
#include "services/notifier/channel/slack_payload.h"
#include "services/notifier/testing/sample_messages.h"

namespace tocsin::notifier {
namespace {

using nlohmann::json;

constexpr int kRounds = 500;
constexpr char kRoutingKey[] = "R0123456789ABCDEFGHIJKLMNOPQRSTU";

const std::vector<std::string> kPieces = {
    "<!channel>", "@here", "@everyone",          "<@U012>",  "<http://evil|bank>",
    "&",          "&&lt;", "[x](http://evil)",   "\"",       "\\",
    "\n",         "\x1b[", "\xE2\x80\xAE",       "\xFF\xC3", "\xF0\x9F\x98\x80",
    "ü",          " ",     "https://wiki/@team", "a",        "](("};

size_t Characters(const std::string& text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return n;
}

class Hostile {
 public:
  explicit Hostile(std::mt19937_64& random) : random_(random) {}

  // Up to `most` bytes, and often so many.
  std::string Text(size_t most) {
    const size_t wanted = Below(3) == 0 ? Below(most + 1) : most;
    // Now and then one piece again and again: what is longest when it is escaped.
    const std::string& same = kPieces[Below(kPieces.size())];
    const bool monotone = Below(3) == 0;
    std::string text;
    while (text.size() < wanted) text += monotone ? same : kPieces[Below(kPieces.size())];
    text.resize(wanted);
    return text;
  }

  // `grow`: beyond what core lets pass.
  void Spoil(Message& message, size_t grow) {
    for (EventFacts& event : message.events) {
      MonitorFacts& monitor = event.monitor;
      monitor.display_name = Text(128 * grow);
      monitor.description = Text(4096 * grow);
      monitor.owner = Text(128 * grow);
      monitor.runbook_url = absl::StrCat("https://", Text(2040 * grow));
      for (int i = 0; i < 32; ++i) monitor.labels[absl::StrCat("l", i)] = Text(128 * grow);
      event.incident.message = Text(4096 * grow);
      if (!event.last_heartbeat.has_value()) continue;
      event.last_heartbeat->message = Text(4096 * grow);
      event.last_heartbeat->output = Text(1024 * grow);
      event.last_heartbeat->run_id = Text(64 * grow);
    }
    if (message.notice.has_value()) message.notice->reason = Text(64 * grow);
    if (message.digest.has_value())
      message.digest->url = absl::StrCat("https://", Text(2000 * grow));
  }

  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

 private:
  std::mt19937_64& random_;
};

// Of Slack's markup nothing but its three entities is left, and no chat finds a mention or link
// text.
void ExpectHarmless(const std::string& text) {
  EXPECT_FALSE(absl::StrContains(text, "<")) << text;
  EXPECT_FALSE(absl::StrContains(text, ">")) << text;
  EXPECT_FALSE(absl::StrContains(text, "](")) << text;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string rest = text.substr(i, 8);
    if (text[i] == '&') {
      EXPECT_TRUE(absl::StartsWith(rest, "&amp;") || absl::StartsWith(rest, "&lt;") ||
                  absl::StartsWith(rest, "&gt;"))
          << text;
    }
    if (text[i] == '@') {
      EXPECT_TRUE(absl::StartsWith(rest, "@\u200b")) << text;
    }
    EXPECT_FALSE(static_cast<unsigned char>(text[i]) < 0x20) << text;
  }
}

void ExpectSlack(const Message& message) {
  const std::string body = SlackPayload(message);
  EXPECT_EQ(body, SlackPayload(message));
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(parsed.is_discarded()) << body;
  ASSERT_EQ(parsed["attachments"].size(), 1u);
  const json& attachment = parsed["attachments"][0];
  const std::string text = attachment["text"], fallback = attachment["fallback"];
  size_t total = Characters(text) + Characters(attachment["footer"]);
  EXPECT_GE(text.size(), 1u);
  EXPECT_LE(Characters(text), 3000u);
  EXPECT_LE(Characters(fallback), 500u);
  ExpectHarmless(text);
  ExpectHarmless(fallback);
  const json fields = attachment.value("fields", json::array());
  EXPECT_LE(fields.size(), 25u);
  for (const json& field : fields) {
    const std::string value = field["value"];
    EXPECT_GE(value.size(), 1u);
    EXPECT_LE(Characters(value), 1024u);
    ExpectHarmless(value);
    total += Characters(value) + Characters(field["title"]);
  }
  EXPECT_LE(total, 6000u);
}

void ExpectPagerDuty(const Message& message) {
  const std::string body = PagerDutyPayload(message, kRoutingKey);
  EXPECT_EQ(body, PagerDutyPayload(message, kRoutingKey));
  EXPECT_LE(body.size(), 512'000u);
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(parsed.is_discarded()) << body;
  EXPECT_EQ(parsed["routing_key"], kRoutingKey);
  const std::string action = parsed["event_action"], key = parsed["dedup_key"];
  EXPECT_TRUE(action == "trigger" || action == "resolve") << action;
  EXPECT_GE(key.size(), 1u);
  EXPECT_LE(Characters(key), 255u);
  const json& payload = parsed["payload"];
  const std::string summary = payload["summary"], severity = payload["severity"];
  EXPECT_GE(summary.size(), 1u);
  EXPECT_LE(Characters(summary), 1024u);
  EXPECT_TRUE(severity == "critical" || severity == "error" || severity == "warning" ||
              severity == "info")
      << severity;
  EXPECT_NE(payload["source"], "");
}

TEST(PayloadLimitsTest, HoldForWhateverIsWritten) {
  const char* given = std::getenv("TOCSIN_TEST_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  Hostile hostile(random);
  const std::vector<SampleMessage> samples = SampleMessages();
  for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    SampleMessage sample = samples[hostile.Below(samples.size())];
    hostile.Spoil(sample.message, hostile.Below(100) == 0 ? 100 : 1);
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", round ", round, ", ", sample.name));
    ExpectSlack(sample.message);
    ExpectPagerDuty(sample.message);
  }
}

TEST(PayloadLimitsTest, WhatCannotFitIsLeftOutAndTheAlertStillGoes) {
  Message message = SampleNamed("opened_reported_down");
  message.events.back().monitor.description = std::string(600'000, 'x');
  const json parsed = json::parse(PagerDutyPayload(message, kRoutingKey));
  EXPECT_FALSE(parsed["payload"].contains("custom_details"));
  EXPECT_TRUE(absl::StartsWith(std::string(parsed["payload"]["summary"]), "DOWN sync"));
}

}  // namespace
}  // namespace tocsin::notifier
