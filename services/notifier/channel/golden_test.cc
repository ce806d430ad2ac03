// Compares every summary and payload with its golden file in tests/golden.
//
// To write them anew: TOCSIN_UPDATE_GOLDEN=1 build/release/tests/notifier_golden_test
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "services/notifier/channel/pagerduty_payload.h"
#include "services/notifier/channel/payload.h"
#include "services/notifier/channel/slack_payload.h"
#include "services/notifier/channel/summary.h"
#include "services/notifier/testing/sample_messages.h"

namespace tocsin::notifier {
namespace {

const std::filesystem::path kGoldenDir = TOCSIN_GOLDEN_DIR;

bool Updating() { return std::getenv("TOCSIN_UPDATE_GOLDEN") != nullptr; }

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void Compare(const std::string& file_name, const std::string& actual) {
  const std::filesystem::path path = kGoldenDir / file_name;
  if (Updating()) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_EQ(actual, ReadFile(path)) << "in " << path;
}

// Readable, in the same order of keys.
std::string Indented(const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(parsed.is_discarded()) << json;
  return parsed.dump(2) + "\n";
}

class GoldenTest : public testing::TestWithParam<SampleMessage> {};

TEST_P(GoldenTest, SummaryIsThatOfTheFile) {
  const std::string summary = Summarize(GetParam().message);
  EXPECT_EQ(summary.find('\n'), std::string::npos);
  Compare(GetParam().name + ".txt", summary + "\n");
}

TEST_P(GoldenTest, PayloadIsThatOfTheFile) {
  const std::string payload = StandardWebhookPayload(GetParam().message);
  EXPECT_EQ(payload, StandardWebhookPayload(GetParam().message));
  Compare(GetParam().name + ".json", Indented(payload));
}

TEST_P(GoldenTest, SlackPayloadIsThatOfTheFile) {
  Compare("slack/" + GetParam().name + ".json", Indented(SlackPayload(GetParam().message)));
}

TEST_P(GoldenTest, PagerDutyPayloadIsThatOfTheFile) {
  const std::string payload =
      PagerDutyPayload(GetParam().message, "R0123456789ABCDEFGHIJKLMNOPQRSTU");
  Compare("pagerduty/" + GetParam().name + ".json", Indented(payload));
}

INSTANTIATE_TEST_SUITE_P(Messages, GoldenTest, testing::ValuesIn(SampleMessages()),
                         [](const auto& info) { return info.param.name; });

TEST(GoldenFilesTest, EachBelongsToAMessage) {
  std::set<std::string> names;
  for (const SampleMessage& sample : SampleMessages()) names.insert(sample.name);
  for (const char* format : {"", "slack", "pagerduty"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kGoldenDir / format)) {
      if (entry.is_directory()) continue;  // of another format, or of others
      EXPECT_EQ(names.count(entry.path().stem().string()), 1u) << entry.path();
    }
  }
}

}  // namespace
}  // namespace tocsin::notifier
