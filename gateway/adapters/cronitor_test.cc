// Cronitor's telemetry: states, parameters, and the path it shares with Healthchecks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/adapters/testing/reading_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

TEST(CronitorTest, TheStateIsInThePathOrAParameter) {
  struct Case {
    std::string target;
    PushKind kind;
  };
  for (const Case& c : {
           Case{"/p/k1/Nightly_Backup", PushKind::kUp},
           Case{"/p/k1/nightly-backup/", PushKind::kUp},
           Case{"/p/k1/nightly-backup/run", PushKind::kStart},
           Case{"/p/k1/nightly-backup/complete", PushKind::kUp},
           Case{"/p/k1/nightly-backup/fail", PushKind::kDown},
           Case{"/p/k1/nightly-backup/ok/", PushKind::kUp},
           Case{"/p/k1/nightly-backup?state=run", PushKind::kStart},
           Case{"/p/k1/nightly-backup?state=complete", PushKind::kUp},
           Case{"/p/k1/nightly-backup?state=FAIL&host=a", PushKind::kDown},
           Case{"/p/k1/nightly-backup/fail?state=ok", PushKind::kDown},
           Case{"/p/k1/nightly-backup?state=", PushKind::kUp},
           Case{"/ping/k1/nightly-backup?state=tick&try=1&stamp=1.5", PushKind::kUp},
           Case{"/ping/k1/nightly-backup?state=run&stamp=1.5&env=prod", PushKind::kStart},
           Case{"/ping/k1/nightly-backup?state=fail", PushKind::kDown},
           Case{"/ping/k1/nightly-backup?stamp=1700000000.123", PushKind::kUp},
           Case{"/ping/k1/nightly-backup?metric=count:1", PushKind::kUp},
           // As older clients of its own have it.
           Case{"/ping/k1/nightly-backup/run?message=a&series=1", PushKind::kStart},
           Case{"/ping/k1/nightly-backup/complete", PushKind::kUp},
           Case{"/ping/k1/nightly-backup/fail?series=1", PushKind::kDown},
           Case{"/ping/k1/nightly-backup/logs?message=a&stamp=1.5&metric=length:3", PushKind::kLog},
           Case{"/ping/k1/nightly-backup?state=logs", PushKind::kLog},
       }) {
    const Reading r = ReadAs({c.target});
    ASSERT_EQ(r.adapter, &CronitorAdapter()) << c.target;
    EXPECT_TRUE(r.status.ok()) << c.target << r.status;
    EXPECT_EQ(r.to.secret, "k1") << c.target;
    EXPECT_EQ(r.to.monitor_id, "nightly-backup") << c.target;
    EXPECT_EQ(r.p.kind, c.kind) << c.target;
    EXPECT_TRUE(r.p.create) << c.target;
  }
}

TEST(CronitorTest, WithoutItsParametersThePathIsHealthchecks) {
  for (const char* target : {"/ping/k1/nightly-backup", "/ping/k1/nightly-backup?rid=x",
                             "/ping/k1/nightly-backup?create=1", "/ping/k1/nightly-backup/fail",
                             "/ping/k1/nightly-backup/log", "/ping/k1/nightly-backup/3?rid=x",
                             "/ping/07c2f548-9850-4b27-af5d-6c9dc157ec02/fail?state=run"}) {
    EXPECT_EQ(ReadAs({target}).adapter, &HealthchecksAdapter()) << target;
  }
  EXPECT_EQ(ReadAs({"/p/"}).adapter, nullptr);
  EXPECT_EQ(ReadAs({"/p"}).adapter, nullptr);
}

TEST(CronitorTest, TheDurationIsAMetricOrAParameter) {
  const auto value = [](const std::string& query) {
    return ReadAs({"/ping/k/m?" + query}).p.value;
  };
  EXPECT_EQ(value("state=complete&try=1&stamp=1.5&duration=12.500&status_code=0"), 12.5);
  EXPECT_EQ(value("state=complete&duration=12.5&metric=duration:3"), 3);
  EXPECT_EQ(value("state=complete&metric=count:7&duration=12.5"), 12.5);
  EXPECT_EQ(value("state=complete&duration=long"), std::nullopt);
}

TEST(CronitorTest, KeepsMessageSeriesStatusAndOneMetric) {
  const Reading r = ReadAs(
      {"/ping/k/m?state=fail&message=disk%20full+now&series=a1b2&status_code=3"
       "&metric=count:5&metric=duration:12.5&metric=error_count:1&host=h&stamp=1.5&env=prod"});
  EXPECT_TRUE(r.status.ok());
  EXPECT_EQ(r.p.message, "disk full now");
  EXPECT_EQ(r.p.run_id, "a1b2");
  EXPECT_EQ(r.p.exit_status, 3);
  EXPECT_EQ(r.p.value, 12.5);
  EXPECT_EQ(ReadAs({"/p/k/m?metric=count:5&metric=error_count:1"}).p.value, 5);
  EXPECT_EQ(ReadAs({"/p/k/m?metric=count:x&metric=error_count:1"}).p.value, 1);
  EXPECT_EQ(ReadAs({"/p/k/m?metric=count&metric=duration:inf"}).p.value, std::nullopt);
  EXPECT_EQ(ReadAs({"/p/k/m?status_code=256"}).p.exit_status, std::nullopt);
  EXPECT_EQ(ReadAs({"/p/k/m?message=" + std::string(5000, 'a')}).p.message.size(), 4096u);
  EXPECT_EQ(ReadAs({"/p/k/m?message=a%FFb%00c"}).p.message,
            "a\xEF\xBF\xBD"
            "bc");
}

TEST(CronitorTest, SaysWhatIsWrong) {
  struct Case {
    std::string target, text;
  };
  for (const Case& c : {
           Case{"/p/k", "the path must be"},
           Case{"/p/k/", "the path must be"},
           Case{"/p//m", "the path must be"},
           Case{"/p/k/m/run/more", "the path must be"},
           Case{"/ping/k?state=run", "the path must be"},
           Case{"/p/k/m/pause", "state must be"},
           Case{"/p/k/m?state=running", "state must be"},
           Case{"/p/k/a%2Fb", "the monitor in the path"},
           Case{"/p/k/%FF%00", "the monitor in the path"},
           Case{"/p/k/" + std::string(64, 'a'), "the monitor in the path"},
           Case{"/p/k/m?series=" + std::string(65, 'a'), "series must be at most 64"},
           Case{"/p/k/m?series=" + std::string(40, '\xFF'), "series must be at most 64"},
       }) {
    const Reading r = ReadAs({c.target});
    ASSERT_EQ(r.adapter, &CronitorAdapter()) << c.target;
    EXPECT_TRUE(absl::IsInvalidArgument(r.status)) << c.target;
    EXPECT_THAT(std::string(r.status.message()), HasSubstr(c.text)) << c.target;
  }
}

TEST(CronitorTest, AnswersOkOrASentence) {
  const Adapter& adapter = CronitorAdapter();
  for (const PushVerdict verdict :
       {PushVerdict::kRecorded, PushVerdict::kPaused, PushVerdict::kCreated}) {
    EXPECT_EQ(AnswerOf(adapter, verdict).status, 200);
    EXPECT_EQ(AnswerOf(adapter, verdict).body, "OK");
  }
  EXPECT_EQ(AnswerOf(adapter, PushVerdict::kUnknown).status, 404);
  EXPECT_EQ(AnswerOf(adapter, PushVerdict::kMayNotCreate).status, 403);
  EXPECT_EQ(AnswerOf(adapter, PushVerdict::kBadRequest).body, "what is wrong");
  EXPECT_EQ(HeaderOf(AnswerOf(adapter, PushVerdict::kTryLater), "Retry-After"), "2");
}

}  // namespace
}  // namespace tocsin::gateway
