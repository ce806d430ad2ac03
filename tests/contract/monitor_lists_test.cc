// Contract of lists of monitors: filters, orders and pages.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using By = MonitorOrder::By;

constexpr absl::Duration kSecond = absl::Seconds(1);

class MonitorLists : public StoreContract {
 protected:
  MonitorKey AddMonitor(const std::string& id, State state = State::kUp,
                        absl::Duration changed = absl::ZeroDuration()) {
    Monitor monitor = UpMonitor(id);
    monitor.definition.display_name = id;
    monitor.definition.labels.clear();
    monitor.state.state = state;
    monitor.state.changed_at = kStart + changed;
    return keys_[id] = Add(monitor).key;
  }

  void SetState(const std::string& id, State state, absl::Duration changed) {
    StateChange change;
    change.monitor = keys_.at(id);
    change.state = Load(change.monitor).state;
    change.state.state = state;
    change.state.changed_at = kStart + changed;
    Save(change);
  }

  MonitorQuery Query(const std::string& filter, const std::string& order = "") {
    MonitorQuery query;
    query.project = project();
    query.filter = ParseMonitorFilter(filter).value();
    query.order = ParseMonitorOrder(order).value();
    return query;
  }

  static void Append(const MonitorPage& page, std::vector<std::string>& ids) {
    for (const MonitorView& view : page.monitors) ids.push_back(view.monitor.definition.id);
  }

  // The ids of all pages.
  std::vector<std::string> List(MonitorQuery query) {
    std::vector<std::string> ids;
    while (true) {
      const MonitorPage page = store().ListMonitors(query).value();
      EXPECT_LE(page.monitors.size(), static_cast<size_t>(query.limit));
      Append(page, ids);
      if (!page.next) return ids;
      query.after = page.next;
      query.walk = page.walk;
    }
  }
  std::vector<std::string> List(const std::string& filter, const std::string& order = "") {
    return List(Query(filter, order));
  }

  std::map<std::string, MonitorKey> keys_;
};

TEST_P(MonitorLists, EveryKindOfTermFilters) {
  Monitor monitor = UpMonitor("nightly-backup");
  monitor.definition.display_name = "Sauvegarde 100% \\ _x\"";
  monitor.definition.owner = "payments";
  monitor.definition.severity = Severity::kCritical;
  monitor.definition.labels = {{"team", "a b"}, {"app.io", ""}};
  Add(monitor);
  AddMonitor("other");
  for (const char* filter :
       {"state=UP nightly", "severity=critical", "owner=payments", "labels.team = \"a b\"",
        "labels.team:*", "labels.app.io=\"\"", "labels.team:* labels.app.io:*", "id:LY-b",
        "display_name:GARDE", "back", "\"100%\"", "\"\\\\\"", "\"_X\\\"\"", "ni ba ga de"}) {
    EXPECT_THAT(List(filter), ElementsAre("nightly-backup")) << filter;
  }
  for (const char* filter :
       {"state=DOWN", "severity=info", "owner=payment", "labels.team=a", "labels.host:*",
        "id:garde", "display_name:nightly", "\"10_%\"", "\"_ight\"", "\"100%%\"", "\"kup\\\\\"",
        "state=UP state=DOWN", "\"sauvegarde nightly\""}) {
    EXPECT_THAT(List(filter), IsEmpty()) << filter;
  }
}

TEST_P(MonitorLists, TheByteBetweenDisplayNameAndIdIsFoundInDisplayNamesOnly) {
  Monitor monitor = UpMonitor("job");
  monitor.definition.display_name = "a\x01job";
  Add(monitor);
  monitor = UpMonitor("job-2");
  monitor.definition.display_name = "a";
  Add(monitor);
  EXPECT_THAT(List("\"a\x01job\""), ElementsAre("job"));
}

TEST_P(MonitorLists, HostileTextsAreTakenLiterally) {
  AddMonitor("job");
  for (const std::string& text :
       {std::string("'; DROP TABLE monitor; --"), std::string("%"), std::string("_"),
        std::string("\\"), std::string("\\%"), std::string("$1"), std::string("job\x01job"),
        std::string("{\"a\": 1}"), std::string("{a,b}"), std::string(900, '%'),
        std::string("NULL")}) {
    const std::string quoted =
        absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
    for (const char* field : {"", "id:", "display_name:", "owner:", "labels.x="}) {
      EXPECT_THAT(List(absl::StrCat(field, quoted)), IsEmpty()) << field << quoted;
    }
  }
  EXPECT_THAT(List(""), ElementsAre("job"));
}

TEST_P(MonitorLists, EachOrderGoesBothWaysAndTiesGoById) {
  AddMonitor("a", State::kUp, 2 * kSecond);
  AddMonitor("c", State::kPaused, kSecond);
  AddMonitor("b", State::kNew, kSecond);
  AddMonitor("d", State::kDown, 3 * kSecond);
  EXPECT_THAT(List("", "id"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(List("", "id desc"), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(List("", "state_change_time"), ElementsAre("b", "c", "a", "d"));
  EXPECT_THAT(List("", "state_change_time desc"), ElementsAre("d", "a", "c", "b"));
  EXPECT_THAT(List("", "create_time"), ElementsAre("a", "b", "c", "d"));  // all at once
  EXPECT_THAT(List("", "create_time desc"), ElementsAre("d", "c", "b", "a"));
}

TEST_P(MonitorLists, AChangeOfStateMovesAMonitorAndSteadyHeartbeatsDoNot) {
  const MonitorKey a = AddMonitor("a"), b = AddMonitor("b");
  SetState("a", State::kDown, kSecond);
  EXPECT_THAT(List("state=DOWN"), ElementsAre("a"));
  EXPECT_THAT(List("state=UP"), ElementsAre("b"));
  EXPECT_THAT(List("", "state_change_time desc"), ElementsAre("a", "b"));
  EXPECT_EQ(Load(a).state.changed_at, kStart + kSecond);
  const absl::Time before = Load(b).state.changed_at;
  const MonitorIdentity identity = {.key = b, .version = Load(b).definition.version};
  ASSERT_THAT(store().RecordSteadyUps(0, {UpOf(identity, kStart + 9 * kSecond, 77)}, {}).value(),
              SizeIs(1));
  EXPECT_EQ(Load(b).state.changed_at, before);
  EXPECT_THAT(List("", "state_change_time desc"), ElementsAre("a", "b"));
}

TEST_P(MonitorLists, DeletedOnesAreListedWhenAskedFor) {
  Monitor gone = UpMonitor("gone");
  gone.definition.deleted_at = kStart;
  Add(gone);
  AddMonitor("here");
  for (const char* order : {"id", "create_time desc", "state_change_time"}) {
    MonitorQuery query = Query("state=UP", order);
    EXPECT_THAT(List(query), ElementsAre("here"));
    query.show_deleted = true;
    EXPECT_THAT(List(query), SizeIs(2));
  }
}

TEST_P(MonitorLists, APlaceNeedNotBeThatOfAMonitor) {
  for (const char* id : {"a", "c"}) AddMonitor(id);
  MonitorQuery query = Query("");
  query.after = MonitorPlace{.id = "b"};
  EXPECT_THAT(List(query), ElementsAre("c"));
  query = Query("", "id desc");
  query.after = MonitorPlace{.id = "b"};
  EXPECT_THAT(List(query), ElementsAre("a"));
}

TEST_P(MonitorLists, WhatDoesNotMoveIsListedOnceWhileOthersComeGoAndChange) {
  for (int i = 10; i < 40; ++i) {
    AddMonitor(absl::StrCat("m", i), i % 2 == 0 ? State::kUp : State::kNew, i * kSecond);
  }
  for (const char* order :
       {"id", "id desc", "state_change_time", "state_change_time desc", "create_time"}) {
    MonitorQuery query = Query("", order);
    query.limit = 7;
    std::vector<std::string> ids;
    for (int page_number = 0;; ++page_number) {
      const MonitorPage page = store().ListMonitors(query).value();
      Append(page, ids);
      if (!page.next) break;
      query.after = page.next;
      // One comes, one changes its place, and the last one shown goes.
      const std::string tag = absl::StrCat("-", std::string(order).substr(0, 1),
                                           std::string(order).size(), "-", page_number);
      AddMonitor("a" + tag);
      AddMonitor("z" + tag);
      SetState("m10", page_number % 2 == 0 ? State::kDown : State::kUp,
               absl::Seconds(100 + page_number));
    }
    for (int i = 11; i < 40; ++i) {
      EXPECT_EQ(std::count(ids.begin(), ids.end(), absl::StrCat("m", i)), 1) << order << " m" << i;
    }
  }
}

// --- Against a filter of the test's own ---

struct Naive {
  std::string id, name, owner, severity, state;
  std::map<std::string, std::string> labels;
  int changed = 0, created = 0;
  bool deleted = false;
};

struct NaiveTerm {
  std::string field;  // "text" for none, "has:KEY" for a label's presence
  std::string value;

  std::string Text() const {
    const std::string quoted = absl::StrCat("\"", value, "\"");
    if (field == "text") return quoted;
    if (absl::StrContains(field, "has:")) return absl::StrCat("labels.", field.substr(4), ":*");
    return absl::StrCat(field, field == "id" || field == "display_name" ? ":" : " = ", quoted);
  }

  bool Holds(const Naive& monitor) const {
    const auto in = [&](const std::string& text) {
      return absl::AsciiStrToLower(text).find(absl::AsciiStrToLower(value)) != std::string::npos;
    };
    if (field == "state") return absl::EqualsIgnoreCase(monitor.state, value);
    if (field == "severity") return absl::EqualsIgnoreCase(monitor.severity, value);
    if (field == "owner") return monitor.owner == value;
    if (field == "id") return in(monitor.id);
    if (field == "display_name") return in(monitor.name);
    if (field == "text") return in(monitor.id) || in(monitor.name);
    if (absl::StrContains(field, "has:")) return monitor.labels.count(field.substr(4)) > 0;
    const auto label = monitor.labels.find(field.substr(std::string("labels.").size()));
    return label != monitor.labels.end() && label->second == value;
  }
};

class RandomLists : public MonitorLists {
 protected:
  template <typename Value>
  const Value& Any(const std::vector<Value>& values) {
    return values[random_() % values.size()];
  }

  void Populate(int count) {
    Do([&](Transaction& transaction) -> absl::Status {
      naive_.clear();
      for (int i = 0; i < count; ++i) {
        Naive made;
        made.id = absl::StrCat(Any(words_), "-", Any(words_), "-", random_() % 100000, "-", i);
        made.name = absl::StrCat(Any(names_), " ", Any(names_));
        made.owner = Any(owners_);
        made.severity = Any(severities_);
        made.state = Any(states_);
        for (const char* key : {"team", "env", "a.b"}) {
          if (random_() % 2 == 0) made.labels[key] = Any(values_);
        }
        made.changed = static_cast<int>(random_() % 20);
        made.created = static_cast<int>(random_() % 20);
        made.deleted = random_() % 10 == 0;
        Monitor monitor = UpMonitor(made.id);
        MonitorDefinition& definition = monitor.definition;
        definition.display_name = made.name;
        definition.owner = made.owner;
        definition.severity = *ParseMonitorFilter("severity=" + made.severity)->severity;
        definition.labels = {made.labels.begin(), made.labels.end()};
        definition.created_at = kStart + made.created * kSecond;
        if (made.deleted) definition.deleted_at = kStart;
        monitor.state.state = *ParseMonitorFilter("state=" + made.state)->state;
        monitor.state.changed_at = kStart + made.changed * kSecond;
        EXPECT_TRUE(transaction.InsertMonitor(monitor, absl::InfiniteFuture()).ok());
        naive_.push_back(made);
      }
      return absl::OkStatus();
    });
  }

  NaiveTerm AnyTerm() {
    const std::string field = Any(std::vector<std::string>{
        "state", "state", "severity", "owner", "id", "display_name", "text", "text", "labels.team",
        "labels.env", "labels.a.b", "has:team", "has:a.b", "has:none"});
    if (field == "state") return {field, Any(states_)};
    if (field == "severity") return {field, Any(severities_)};
    if (field == "owner") return {field, Any(owners_)};
    if (field == "id") return {field, Any(words_)};
    if (field == "display_name") return {field, Any(names_)};
    if (field == "text") return {field, random_() % 2 == 0 ? Any(words_) : Any(texts_)};
    return {field, Any(values_)};
  }

  std::vector<std::string> Expected(const std::vector<NaiveTerm>& terms, const std::string& order,
                                    bool show_deleted) {
    std::vector<std::pair<int, std::string>> places;
    for (const Naive& monitor : naive_) {
      const bool wanted = (show_deleted || !monitor.deleted) &&
                          std::all_of(terms.begin(), terms.end(),
                                      [&](const NaiveTerm& term) { return term.Holds(monitor); });
      if (!wanted) continue;
      const int time = order[0] == 's' ? monitor.changed : order[0] == 'c' ? monitor.created : 0;
      places.emplace_back(time, monitor.id);
    }
    std::sort(places.begin(), places.end());
    if (absl::StrContains(order, "desc")) std::reverse(places.begin(), places.end());
    std::vector<std::string> ids;
    for (const auto& [time, id] : places) ids.push_back(id);
    return ids;
  }

  std::mt19937_64 random_;
  std::vector<Naive> naive_;
  const std::vector<std::string> words_ = {"backup", "sync", "x", "night-job", "aa", "mail"};
  const std::vector<std::string> names_ = {"Backup", "SYNC", "100%", "a_b", "été", "Job"};
  const std::vector<std::string> texts_ = {"%", "_",    "0%",  "É",
                                           "t", "up 1", "b-s", "nothing-has-it"};
  const std::vector<std::string> owners_ = {"payments", "search", "", "a b"};
  const std::vector<std::string> values_ = {"one", "two", ""};
  const std::vector<std::string> severities_ = {"critical", "ERROR", "Warning", "INFO"};
  const std::vector<std::string> states_ = {"UP", "UP", "UP", "down", "New", "PAUSED"};
};

TEST_P(RandomLists, EveryFilterOrderAndPageGivesWhatANaiveFilterGives) {
  uint64_t seed = std::random_device()();
  const char* given = std::getenv("TOCSIN_TEST_SEED");
  if (given != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(given, &seed));
  }
  std::cout << "TOCSIN_TEST_SEED=" << seed << std::endl;
  random_.seed(seed);
  Populate(700);
  for (int i = 0; i < 60; ++i) {
    std::vector<NaiveTerm> terms;
    std::vector<std::string> texts;
    for (uint64_t count = random_() % 4; count > 0; --count) {
      terms.push_back(AnyTerm());
      texts.push_back(terms.back().Text());
    }
    const std::string order =
        absl::StrCat(Any(std::vector<std::string>{"id", "state_change_time", "create_time"}),
                     random_() % 2 == 0 ? " desc" : "");
    MonitorQuery query = Query(absl::StrJoin(texts, random_() % 2 == 0 ? " AND " : " "), order);
    query.limit = Any(std::vector<int>{20, 100, 333, 1000});
    query.show_deleted = random_() % 3 == 0;
    // Whatever way the store takes, it finds the same.
    query.walk = random_() % 3 == 0;
    ASSERT_THAT(List(query), ElementsAreArray(Expected(terms, order, query.show_deleted)))
        << "filter: " << absl::StrJoin(texts, " ") << " order: " << order
        << " limit: " << query.limit << " walk: " << query.walk;
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, MonitorLists, testing::ValuesIn(AllStores()), StoreKindName);
INSTANTIATE_TEST_SUITE_P(Stores, RandomLists, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
