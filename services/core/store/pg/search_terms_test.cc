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

MonitorFilter Filter(const std::string& text) { return ParseMonitorFilter(text).value(); }

TEST(IndexedPatterns, AreTheWordsOfATextWithWhatIsBesideThem) {
  EXPECT_THAT(IndexedPatterns(Filter("\"db-backup-17\"")), ElementsAre("%-backup-%"));
  EXPECT_THAT(IndexedPatterns(Filter("bench-333333")), ElementsAre("%-333333%", "%bench-%"));
  EXPECT_THAT(IndexedPatterns(Filter("\"100% ab_cde\"")), ElementsAre("%100\\%%", "%\\_cde%"));
}

TEST(IndexedPatterns, AreTheLongestThreeOfAllTexts) {
  EXPECT_THAT(IndexedPatterns(Filter("abc id:abcdef abcde display_name:abcd")),
              ElementsAre("%abcdef%", "%abcde%", "%abcd%"));
}

TEST(IndexedPatterns, DoNotCutALetterOfSeveralBytes) {
  EXPECT_THAT(IndexedPatterns(Filter("caf\xC3\xA9 \xC3\xA9t\xC3\xA9s-nuit")),
              ElementsAre("%-nuit%", "%caf%"));
}

TEST(IndexedPatterns, AreNoneOfWhatTrigramsDoNotFind) {
  EXPECT_THAT(IndexedPatterns(Filter("zz id:a-b-c")), IsEmpty());
}

TEST(ChooseTerms, LeavesOutWhatNearlyAllMatch) {
  const std::optional<SearchTerms> terms = ChooseTerms({.project = 1'000'000,
                                                        .severity = 900'000,
                                                        .owner = 50,
                                                        .labels = 5'000,
                                                        .label_keys = 500'000,
                                                        .state = {},
                                                        .patterns = {900'000, 100}},
                                                       {"%common%", "%rare%"});
  ASSERT_TRUE(terms.has_value());
  EXPECT_FALSE(terms->project);
  EXPECT_FALSE(terms->severity);
  EXPECT_TRUE(terms->owner);
  EXPECT_TRUE(terms->labels);
  EXPECT_FALSE(terms->label_keys);
  EXPECT_THAT(terms->patterns, ElementsAre("%rare%"));
}

TEST(ChooseTerms, SearchesASmallProject) {
  const std::optional<SearchTerms> terms = ChooseTerms({.project = 900,
                                                        .severity = {},
                                                        .owner = {},
                                                        .labels = 1'000'000,
                                                        .label_keys = {},
                                                        .state = {},
                                                        .patterns = {}},
                                                       {});
  ASSERT_TRUE(terms.has_value());
  EXPECT_TRUE(terms->project);
  EXPECT_FALSE(terms->labels);
}

TEST(ChooseTerms, SearchesNothingWhereNothingIsRare) {
  EXPECT_FALSE(ChooseTerms({.project = 1'000'000,
                            .severity = 900'000,
                            .owner = {},
                            .labels = 500'000,
                            .label_keys = {},
                            .state = 990'000,
                            .patterns = {20'000}},
                           {"%77%"})
                   .has_value());
  EXPECT_FALSE(ChooseTerms(TermEstimates(), {}).has_value());
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
      "'2026-03-02', '2026-03-02' FROM generate_series(1, 20000) i");
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
