// What log lines look like.
#include "common/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tocsin {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  void Init(LogFormat format, LogLevel level = LogLevel::kInfo) {
    InitLogging({.service = "tocsin-test", .format = format, .level = level, .stream = &out_});
  }
  ~LogTest() override { InitLogging({}); }

  std::ostringstream out_;
};

TEST_F(LogTest, ALogfmtLineHasTimeLevelServiceEventAndFields) {
  Init(LogFormat::kLogfmt);
  LogInfo("started", {{"port", 8080},
                      {"host", "::1"},
                      {"ratio", 0.5},
                      {"ok", true},
                      {"took", absl::Milliseconds(1500)},
                      {"note", std::string("two \"words\"\n")},
                      {"empty", ""}});
  EXPECT_THAT(out_.str(), ContainsRegex("^ts=[0-9-]+T[0-9:.]+Z level=info service=tocsin-test "));
  EXPECT_THAT(out_.str(), EndsWith("event=started port=8080 host=::1 ratio=0.5 ok=true took=1.5s "
                                   "note=\"two \\\"words\\\"\\n\" empty=\"\"\n"));
}

TEST_F(LogTest, AJsonLineIsOneObject) {
  Init(LogFormat::kJson);
  LogWarning("odd", {{"text", absl::string_view("a\xff\"b")},
                     {"n", uint64_t{7}},
                     {"error", absl::NotFoundError("gone")},
                     {"at", absl::FromUnixSeconds(1)}});
  const auto line = nlohmann::json::parse(out_.str());
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["event"], "odd");
  EXPECT_EQ(line["text"], "a\xEF\xBF\xBD\"b");
  EXPECT_EQ(line["n"], 7);
  EXPECT_EQ(line["error"], "NOT_FOUND: gone");
  EXPECT_EQ(line["at"], "1970-01-01T00:00:01.000000Z");
}

TEST_F(LogTest, ALineStaysOneLineWhateverIsInIt) {
  Init(LogFormat::kLogfmt);
  LogInfo("x", {{"msg", "a\r\nlevel=error event=forged"}});
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("msg=\"a\\r\\nlevel=error"));
}

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  Init(LogFormat::kLogfmt, LogLevel::kWarning);
  LogInfo("quiet");
  LogDebug("quieter");
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  LogError("loud");
  EXPECT_THAT(out_.str(), EndsWith("event=loud\n"));
  EXPECT_THAT(out_.str(), ::testing::Not(HasSubstr("quiet")));
}

TEST_F(LogTest, FormatsAndLevelsAreParsedByName) {
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_FALSE(ParseLogFormat("xml").ok());
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_FALSE(ParseLogLevel("chatty").ok());
}

TEST_F(LogTest, AChangeLoggerTellsBeginningChangeAndEnd) {
  Init(LogFormat::kLogfmt);
  ChangeLogger logger("database");
  logger.Report(absl::OkStatus());
  EXPECT_EQ(out_.str(), "");
  logger.Report(absl::UnavailableError("refused"));
  logger.Report(absl::UnavailableError("refused"));
  logger.Report(absl::UnavailableError("timeout"));
  logger.Report(absl::OkStatus());
  logger.Report(absl::OkStatus());
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, HasSubstr("event=database error=\"UNAVAILABLE: refused\""));
  EXPECT_THAT(text, HasSubstr("event=database error=\"UNAVAILABLE: timeout\""));
  EXPECT_THAT(text, EndsWith("event=database_recovered failures=3\n"));
}

}  // namespace
}  // namespace tocsin
