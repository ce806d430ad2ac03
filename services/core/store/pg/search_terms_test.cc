// Which terms of a filter a search asks the index for.
#include "services/core/store/pg/search_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/log.h"
#include "services/core/domain/monitor_filter.h"
#include "services/core/store/pg/conninfo.h"
#include "services/core/store/pg/session_settings.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MonitorFilter Filter(const std::string& text) { return ParseMonitorFilter(text).value(); }

TEST(IndexedPatterns, AreTheWordsOfATextWithWhatIsBesideThem) {
  EXPECT_THAT(IndexedPatterns(Filter("\"db-backup-17\"")), ElementsAre("%-backup-%"));
  EXPECT_THAT(IndexedPatterns(Filter("bench-333333")), ElementsAre("%-333333%", "%bench-%"));
  EXPECT_THAT(IndexedPatterns(Filter("\"100% ab_cde\"")), ElementsAre("%100\\%%", "%\\_cde%"));
}

TEST(IndexedPatterns, AreOfAllTextsTheLongestFirst) {
  EXPECT_THAT(IndexedPatterns(Filter("abc id:abcdef abcde display_name:abcd")),
              ElementsAre("%abcdef%", "%abcde%", "%abcd%", "%abc%"));
}

TEST(IndexedPatterns, AreEachThereOnceAndNotTooMany) {
  EXPECT_THAT(IndexedPatterns(Filter("backup id:backup abc-abc-abc-d17")),
              ElementsAre("%backup%", "%abc-%", "%-abc-%", "%-d17%"));
  EXPECT_THAT(IndexedPatterns(Filter("aaa bbb ccc ddd eee fff ggg hhh iii jjj")),
              SizeIs(kPatternCandidates));
}

TEST(IndexedPatterns, DoNotCutALetterOfSeveralBytes) {
  EXPECT_THAT(IndexedPatterns(Filter("caf\xC3\xA9 \xC3\xA9t\xC3\xA9s-nuit")),
              ElementsAre("%-nuit%", "%caf%"));
}

TEST(IndexedPatterns, AreNoneOfWhatTrigramsDoNotFind) {
  EXPECT_THAT(IndexedPatterns(Filter("zz id:a-b-c")), IsEmpty());
}

TermEstimates OfAMillion() {
  TermEstimates estimates;
  estimates.project = estimates.total = 1'000'000;
  return estimates;
}

TEST(ChooseTerms, LeavesOutWhatNearlyAllMatch) {
  TermEstimates estimates = OfAMillion();
  estimates.severity = 900'000;
  estimates.owner = 50;
  estimates.labels = 5'000;
  estimates.label_keys = 500'000;
  estimates.patterns = {900'000, 100};
  const std::optional<SearchTerms> terms = ChooseTerms(estimates, {"%common%", "%rare%"});
  ASSERT_TRUE(terms.has_value());
  EXPECT_FALSE(terms->project);
  EXPECT_FALSE(terms->severity);
  EXPECT_TRUE(terms->owner);
  EXPECT_TRUE(terms->labels);
  EXPECT_FALSE(terms->label_keys);
  EXPECT_THAT(terms->patterns, ElementsAre("%rare%"));
}

TEST(ChooseTerms, TakesTheRarestWordsOfATextNotTheLongest) {
  TermEstimates estimates = OfAMillion();
  estimates.patterns = {1'000'000, 100'000, 200'000, 300'000, 100};
  const std::optional<SearchTerms> terms =
      ChooseTerms(estimates, {"%europe-%", "%backup%", "%west1%", "%nightly%", "%-0042%"});
  ASSERT_TRUE(terms.has_value());
  EXPECT_THAT(terms->patterns, ElementsAre("%-0042%"));
  estimates.patterns = {40'000, 30'000, 20'000, 50'000, 100};
  EXPECT_THAT(ChooseTerms(estimates, {"%a%", "%b%", "%c%", "%d%", "%e%"})->patterns,
              ElementsAre("%e%", "%c%", "%b%"));
}

TEST(ChooseTerms, SearchesWhatIsRareOnlyTogether) {
  TermEstimates estimates = OfAMillion();
  estimates.severity = estimates.owner = estimates.labels = 30'000;
  EXPECT_TRUE(ChooseTerms(estimates, {}).has_value());
  estimates.owner = estimates.labels = std::nullopt;
  EXPECT_FALSE(ChooseTerms(estimates, {}).has_value());
}

TEST(ChooseTerms, SearchesASmallProject) {
  TermEstimates estimates = OfAMillion();
  estimates.project = 900;
  estimates.labels = 1'000'000;
  const std::optional<SearchTerms> terms = ChooseTerms(estimates, {});
  ASSERT_TRUE(terms.has_value());
  EXPECT_TRUE(terms->project);
  EXPECT_FALSE(terms->labels);
}

TEST(ChooseTerms, SearchesByAStateThatIsRarerThanTheRest) {
  TermEstimates estimates = OfAMillion();
  estimates.state = 1'000;
  estimates.labels = 500'000;
  const std::optional<SearchTerms> terms = ChooseTerms(estimates, {});
  ASSERT_TRUE(terms.has_value());
  EXPECT_FALSE(terms->project);
  EXPECT_FALSE(terms->labels);
}

// A text that one of the planner's hundred samples has is expected to be that of a hundredth.
TEST(ChooseTerms, SearchesAlsoWhatAppearsToBeThatOfAHundredth) {
  TermEstimates estimates = OfAMillion();
  estimates.patterns = {1'000'000.0 / 99};
  EXPECT_TRUE(ChooseTerms(estimates, {"%-333333%"}).has_value());
}

TEST(ChooseTerms, SearchesNothingWhereNothingIsRare) {
  TermEstimates estimates = OfAMillion();
  estimates.severity = 900'000;
  estimates.labels = 500'000;
  estimates.state = 990'000;
  estimates.patterns = {200'000};
  EXPECT_FALSE(ChooseTerms(estimates, {"%77%"}).has_value());
}

TEST(ChooseTerms, AsksThePlannerWhatIsRare) {
  TestDatabase database;
  database.Migrate();
  database.Execute(
      "INSERT INTO monitor (project_id, id, display_name, description, owner, severity, "
      "runbook_url, labels, timeout_us, recommended_interval_us, grace_us, failure_threshold, "
      "recovery_threshold, arm_on_create, resume_on_heartbeat, channels, version, created_at, "
      "updated_at) SELECT 1, 'bench-' || i, 'Job', '', 'owner-' || i / 2, 2, '', "
      "jsonb_build_object('env', 'prod', 'host', i::text), 1, 1, 0, 1, 1, false, false, '{}', 1, "
      "'2026-03-02', '2026-03-02' FROM generate_series(1, 100000) i");
  database.Execute("ANALYZE monitor");
  const SystemMonotonicClock clock;
  Watchdog watchdog(clock);
  ChangeLogger log("test");
  Session session({.conninfo = SessionConninfo(database.url(), "test").value(),
                   .settings = SettingsOf(kSearch)},
                  watchdog, log);
  ASSERT_TRUE(session.Ready().ok());
  MonitorQuery query;
  query.project = 1;
  const auto choose = [&](const std::string& filter) {
    query.filter = Filter(filter);
    return ChooseTerms(session, query).value();
  };

  std::optional<SearchTerms> terms = choose("bench-1234 severity=ERROR labels.env=prod");
  ASSERT_TRUE(terms.has_value());
  EXPECT_THAT(terms->patterns, ElementsAre("%-1234%"));
  EXPECT_FALSE(terms->project);
  EXPECT_FALSE(terms->severity);
  EXPECT_FALSE(terms->labels);

  terms = choose("owner=owner-7 labels.host=14 labels.pager:* bench");
  ASSERT_TRUE(terms.has_value());
  EXPECT_TRUE(terms->owner);
  EXPECT_TRUE(terms->labels);
  EXPECT_TRUE(terms->label_keys);
  EXPECT_THAT(terms->patterns, IsEmpty());

  EXPECT_FALSE(choose("bench severity=ERROR labels.env:*").has_value());
  EXPECT_TRUE(choose("severity=CRITICAL").has_value());  // none is
}

}  // namespace
}  // namespace tocsin::core::pg
