// The language of filters: what it takes, what it refuses and where it says the fault is.
#include "services/core/domain/monitor_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_details.h"
#include "services/core/domain/monitor_order.h"

namespace tocsin::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using In = TextTerm::In;

struct Good {
  std::string text;
  MonitorFilter filter;
};

TEST(MonitorFilter, WhatTheGrammarSaysIsUnderstood) {
  const Good cases[] = {
      {"", {}},
      {" \t\r\n", {}},
      {"state = DOWN", {.state = State::kDown}},
      {"state=down", {.state = State::kDown}},
      {"state:Paused", {.state = State::kPaused}},
      {"state = \"NEW\"", {.state = State::kNew}},
      {"state = STATE_UP", {.state = State::kUp}},
      {"severity = SEVERITY_CRITICAL", {.severity = Severity::kCritical}},
      {"displayName:Nightly", {.texts = {{In::kDisplayName, "nightly"}}}},
      {"\"labels.team\"", {.texts = {{In::kEither, "labels.team"}}}},
      {"labels", {.texts = {{In::kEither, "labels"}}}},
      {"severity = critical", {.severity = Severity::kCritical}},
      {"owner = payments", {.owner = "payments"}},
      {"owner = \"\"", {.owner = ""}},
      {"owner:\"team \\\"a\\\" \\\\ b\"", {.owner = "team \"a\" \\ b"}},
      {"labels.team = payments", {.labels = {{"team", "payments"}}}},
      {"labels.app.kubernetes.io_x-y:z", {.labels = {{"app.kubernetes.io_x-y", "z"}}}},
      {"labels.team = \"\"", {.labels = {{"team", ""}}}},
      {"labels.team:*", {.label_keys = {"team"}}},
      {"labels.team : *", {.label_keys = {"team"}}},
      {"labels.team:\"*\"", {.labels = {{"team", "*"}}}},
      {"id:Night", {.texts = {{In::kId, "night"}}}},
      {"display_name:\"Nightly B\"", {.texts = {{In::kDisplayName, "nightly b"}}}},
      {"nightly-backup", {.texts = {{In::kEither, "nightly-backup"}}}},
      {"\"100 %_\\\\\"", {.texts = {{In::kEither, "100 %_\\"}}}},
      {"\"AND\"", {.texts = {{In::kEither, "and"}}}},
      {"sécurité", {.texts = {{In::kEither, "sécurité"}}}},
      {"state", {.texts = {{In::kEither, "state"}}}},
      {"state = DOWN AND labels.team = payments AND nightly",
       {.state = State::kDown,
        .labels = {{"team", "payments"}},
        .texts = {{In::kEither, "nightly"}}}},
      {"state=DOWN labels.team=payments nightly",
       {.state = State::kDown,
        .labels = {{"team", "payments"}},
        .texts = {{In::kEither, "nightly"}}}},
      {"state=UP AND state=up", {.state = State::kUp}},
      {"labels.a=1 labels.a=1", {.labels = {{"a", "1"}}}},
  };
  for (const Good& good : cases) {
    const absl::StatusOr<MonitorFilter> filter = ParseMonitorFilter(good.text);
    ASSERT_TRUE(filter.ok()) << good.text << ": " << filter.status();
    EXPECT_EQ(*filter, good.filter) << good.text;
  }
}

TEST(MonitorFilter, TermsThatExcludeEachOtherMatchNothing) {
  for (const char* text : {"state=UP state=DOWN", "owner=a owner=b", "labels.a=1 labels.a=2",
                           "severity=INFO severity=ERROR"}) {
    const absl::StatusOr<MonitorFilter> filter = ParseMonitorFilter(text);
    ASSERT_TRUE(filter.ok()) << filter.status();
    EXPECT_TRUE(filter->nothing) << text;
  }
}

struct Bad {
  std::string text;
  std::string problem;
  std::string accepted;
};

TEST(MonitorFilter, WhatItDoesNotKnowIsRefusedWithThePlaceAndWhatIsAccepted) {
  const Bad cases[] = {
      {"state = LATE", "at position 9: there is no state \"LATE\"", "NEW, UP, DOWN, PAUSED"},
      {"severity=bad", "at position 10", "CRITICAL, ERROR, WARNING, INFO"},
      {"state = STATE_", "at position 9: there is no state \"STATE_\"", "NEW, UP, DOWN, PAUSED"},
      {"state = STATE_LATE", "there is no state \"STATE_LATE\"", "NEW, UP, DOWN, PAUSED"},
      {"state = SEVERITY_ERROR", "there is no state", "NEW, UP, DOWN, PAUSED"},
      {"labels.team", "at position 1: nothing is asked of labels.team", "labels.team:*"},
      {"a AND labels.team AND b", "at position 7: nothing is asked of labels.team",
       "labels.team:*"},
      {"labels.Team", "at position 8: this is no key", "[a-z0-9_.-]"},
      {"colour = red", "at position 1: there is no field \"colour\"", "labels.KEY"},
      {"id = job", "at position 4: id is not compared with =", "id:TEXT"},
      {"state != UP", "at position 7: there is no comparison !=", "= and :"},
      {"state < UP", "at position 7: there is no comparison <", "= and :"},
      {"state >= UP", "at position 7: there is no comparison >=", "= and :"},
      {"-nightly", "at position 1: negation", "joined by AND"},
      {"a -b", "at position 3: negation", "joined by AND"},
      {"NOT nightly", "at position 1: NOT is not supported", "joined by AND"},
      {"a OR b", "at position 3: OR is not supported", "joined by AND"},
      {"a or b", "at position 3: or is not supported", "joined by AND"},
      {"a and b", "at position 3: and is no AND", "joined by AND"},
      {"(a)", "at position 1: parentheses", "joined by AND"},
      {"AND a", "at position 1: AND has no term before it", "joined by AND"},
      {"a AND AND b", "at position 7: AND has no term before it", "joined by AND"},
      {"a AND", "at position 6: AND has no term after it", "joined by AND"},
      {"= a", "at position 1: there is no field before =", "joined by AND"},
      {"state =", "at position 8: a value is missing after =", "double quotes"},
      {"state = = UP", "at position 9: a value is missing", "double quotes"},
      {"\"state\" = UP", "at position 1: a field does not stand in quotes", "joined by AND"},
      {"owner = *", "at position 9: *", "double quotes"},
      {"labels.team = *", "at position 15: *", "double quotes"},
      {"*", "at position 1: *", "double quotes"},
      {"night*", "at position 6: *", "double quotes"},
      {"labels. = a", "at position 8: this is no key", "[a-z0-9_.-]"},
      {"labels.Team = a", "at position 8: this is no key", "[a-z0-9_.-]"},
      {"\"\"", "at position 1: the text is empty", "joined by AND"},
      {"id:\"\"", "at position 4: the text is empty", "joined by AND"},
      {"owner = \"a", "at position 9: the quotes that begin here do not end", "double quotes"},
      {"\"a\\n\"", "at position 3: the backslash escapes nothing", "\\\""},
      {"\"a\\", "at position 3: the backslash escapes nothing", "\\\""},
      {"owner = 'a'", "at position 9: \"'\" is not expected", "double quotes"},
      {"a, b", "at position 2: \",\" is not expected", "double quotes"},
      {"100%", "at position 4: \"%\" is not expected", "double quotes"},
      {"a\x01", "at position 2: \"a control character\"", "double quotes"},
      {"é state = LATE", "at position 11", "NEW"},  // in characters, not bytes
      {std::string("a\0b", 3), "it is not valid text", "UTF-8"},
      {"\xff", "it is not valid text", "UTF-8"},
      {std::string(1025, 'a'), "it has 1025 bytes", "at most 1024"},
  };
  for (const Bad& bad : cases) {
    const absl::Status status = ParseMonitorFilter(bad.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(bad.problem), HasSubstr("accepted"), HasSubstr(bad.accepted)))
        << bad.text;
    ASSERT_THAT(FieldViolations(status), SizeIs(1));
    EXPECT_EQ(FieldViolations(status)[0].field, "filter");
  }
}

TEST(MonitorFilter, AsManyTermsAndBytesAsAreAllowedPassAndOneMoreDoesNot) {
  std::string text;
  for (int i = 0; i < kMaxFilterTerms; ++i) absl::StrAppend(&text, "t", i, " ");
  EXPECT_TRUE(ParseMonitorFilter(text).ok());
  EXPECT_THAT(std::string(ParseMonitorFilter(text + "more").status().message()),
              HasSubstr("too many terms; accepted: at most 20"));
  EXPECT_TRUE(ParseMonitorFilter(std::string(kMaxFilterBytes, 'a')).ok());
}

TEST(MonitorFilter, EveryTermMustHold) {
  Monitor monitor;
  monitor.definition.id = "nightly-backup";
  monitor.definition.display_name = "Sauvegarde 100%";
  monitor.definition.owner = "payments";
  monitor.definition.severity = Severity::kCritical;
  monitor.definition.labels = {{"team", "a b"}};
  monitor.state.state = State::kDown;
  for (const char* text : {"", "state=DOWN", "severity=critical", "owner=payments", "labels.team:*",
                           "labels.team = \"a b\"", "id:LY-B", "display_name:GARDE", "BACK",
                           "\"100%\"", "state=DOWN owner=payments nightly"}) {
    EXPECT_TRUE(Matches(*ParseMonitorFilter(text), monitor)) << text;
  }
  for (const char* text :
       {"state=UP", "severity=info", "owner=Payments", "labels.host:*", "labels.team=a", "id:garde",
        "display_name:nightly", "\"10_%\"", "state=DOWN owner=search", "state=DOWN state=UP"}) {
    EXPECT_FALSE(Matches(*ParseMonitorFilter(text), monitor)) << text;
  }
}

TEST(MonitorOrder, EachHasBothDirections) {
  using By = MonitorOrder::By;
  const std::pair<const char*, MonitorOrder> cases[] = {
      {"", {}},
      {"  ", {}},
      {"id", {}},
      {"id asc", {}},
      {"id desc", {By::kId, true}},
      {" state_change_time   desc ", {By::kStateChange, true}},
      {"state_change_time", {By::kStateChange, false}},
      {"create_time asc", {By::kCreate, false}},
      {"stateChangeTime desc", {By::kStateChange, true}},
      {"createTime", {By::kCreate, false}},
  };
  for (const auto& [text, order] : cases) {
    const absl::StatusOr<MonitorOrder> parsed = ParseMonitorOrder(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, order) << text;
  }
}

TEST(MonitorOrder, AnythingElseIsRefusedWithWhatIsAccepted) {
  for (const char* text : {"name", "id down", "id,create_time", "id DESC", "desc", "id asc asc",
                           "id; DROP TABLE monitor", "\xff"}) {
    const absl::Status status = ParseMonitorOrder(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("order_by"), HasSubstr("id, state_change_time or create_time")));
  }
}

TEST(MonitorOrder, TiesGoById) {
  const MonitorPlace a = {absl::UnixEpoch(), "a"}, b = {absl::UnixEpoch(), "b"};
  EXPECT_TRUE(ComesBefore({MonitorOrder::By::kCreate, false}, a, b));
  EXPECT_TRUE(ComesBefore({MonitorOrder::By::kCreate, true}, b, a));
  EXPECT_FALSE(ComesBefore({}, a, a));
}

}  // namespace
}  // namespace tocsin::core
