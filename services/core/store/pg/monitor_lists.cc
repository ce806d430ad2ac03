// Finds the monitors of a page with work that is bounded whatever the filter.
//
// A walk looks at the monitors in the order of the list, some hundreds at a time; it is quick where
// what matches lies close together. A search collects what matches from the indexes and sorts it;
// it is quick where little matches. What is neither (very many match, but far from here) is walked
// to over several pages, each of which ends after a fixed time.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/list_statements.h"
#include "services/core/store/pg/monitor_views.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/search_terms.h"

namespace tocsin::core {
namespace {

using By = MonitorOrder::By;

constexpr int kFirstLook = 250;
constexpr int kLook = 500;
// The most that a search sorts.
constexpr int kMostFound = 2000;
// A page that goes on has looked at kLook more at least, also where the machine has too much to do;
// after so long it ends with what it has.
constexpr absl::Duration kPatience = absl::Milliseconds(7);

// '~' is above all that ids are made of.
MonitorPlace StartOf(const MonitorOrder& order) {
  if (order.by == By::kId) return {.at = absl::UnixEpoch(), .id = order.descending ? "~" : ""};
  if (order.descending) return {.at = absl::InfiniteFuture(), .id = ""};
  return {.at = absl::InfinitePast(), .id = ""};
}

// The texts of a filter as the statements take them.
struct Patterns {
  explicit Patterns(const MonitorFilter& filter) {
    for (const TextTerm& term : filter.texts) {
      // The byte between display name and id is no text: only a display name can contain it.
      const bool in_name =
          term.in == TextTerm::In::kDisplayName ||
          (term.in == TextTerm::In::kEither && term.text.find('\x01') != std::string::npos);
      pg::BinaryArray& array = in_name ? names : term.in == TextTerm::In::kId ? ids : texts;
      array.AddBytes(pg::ContainsPattern(term.text));
    }
    for (const std::string& key : filter.label_keys) keys.AddBytes(key);
  }

  pg::BinaryArray keys{pg::ElementType::kText};
  pg::BinaryArray texts{pg::ElementType::kText};
  pg::BinaryArray ids{pg::ElementType::kText};
  pg::BinaryArray names{pg::ElementType::kText};
};

// Of the states the index by id knows all but UP.
bool HasOrderedState(const MonitorQuery& query) {
  if (!query.filter.state.has_value() || query.order.by == By::kCreate) return false;
  return query.order.by == By::kStateChange || *query.filter.state != State::kUp;
}

// Whether an index finds what the filter asks for and the order's own index does not.
bool CanSearch(const MonitorQuery& query) {
  const MonitorFilter& filter = query.filter;
  return filter.severity.has_value() || filter.owner.has_value() || !filter.labels.empty() ||
         !filter.label_keys.empty() || !pg::IndexedPatterns(filter).empty() ||
         (filter.state.has_value() && !HasOrderedState(query));
}

const pg::Statement& WalkOf(const MonitorQuery& query) {
  const bool of_state = HasOrderedState(query);
  const bool descending = query.order.descending;
  switch (query.order.by) {
    case By::kStateChange:
      return (of_state ? pg::kWalkStateByChange : pg::kWalkByChange).In(descending);
    case By::kCreate:
      return pg::kWalkByCreation.In(descending);
    case By::kId:
      break;
  }
  return (of_state ? pg::kWalkStateById : pg::kWalkById).In(descending);
}

}  // namespace

// One page in the making: the keys of its monitors, in order.
class pg::MonitorFinder {
 public:
  explicit MonitorFinder(const MonitorQuery& query)
      : query_(query), place_(query.after.value_or(StartOf(query.order))) {}

  const MonitorQuery& query() const { return query_; }
  bool done() const { return done_; }
  const std::vector<MonitorKey>& found() const { return found_; }
  // From where the list goes on, also when it is not done.
  std::optional<MonitorPlace> next() const {
    return done_ ? next_ : std::optional<MonitorPlace>(place_);
  }

  absl::Status Walk(pg::Session& session, int look) {
    pg::Params params;
    AddAsked(look, params);
    AddArrays(params);
    ASSIGN_OR_RETURN(pg::Rows rows, session.Run(WalkOf(query_), params));
    return Take(rows).status();
  }

  // False when there is too much.
  absl::StatusOr<bool> Search(pg::Session& session, const pg::SearchTerms& terms) {
    pg::Params params;
    AddAsked(kMostFound, params);
    params.Int(static_cast<int>(query_.order.by));
    for (size_t i = 0; i < pg::kSearchPatterns; ++i) {
      i < terms.patterns.size() ? params.Text(terms.patterns[i]) : params.Null();
    }
    params.Bool(terms.project)
        .Bool(terms.severity)
        .Bool(terms.owner)
        .Bool(terms.labels)
        .Bool(terms.label_keys);
    AddArrays(params);
    ASSIGN_OR_RETURN(pg::Rows rows,
                     session.Run(pg::kSearchMonitors.In(query_.order.descending), params));
    if (!rows.empty() && rows.at(rows.size() - 1).NextIsNull()) return false;
    RETURN_IF_ERROR(Take(rows).status());
    return true;
  }

 private:
  static_assert(static_cast<int>(By::kId) == 0 && static_cast<int>(By::kStateChange) == 1 &&
                static_cast<int>(By::kCreate) == 2);

  void AddAsked(int look, pg::Params& params) const {
    const MonitorFilter& filter = query_.filter;
    params.Int(query_.project)
        .Time(place_.at)
        .Text(place_.id)
        .Int(look)
        .Int(query_.limit + 1 - static_cast<int>(found_.size()))
        .Bool(query_.show_deleted)
        .EnumOrNull(filter.state)
        .EnumOrNull(filter.severity)
        .TextOrNull(filter.owner);
    filter.labels.empty() ? params.Null() : params.Text(pg::LabelsToJson(filter.labels));
  }

  void AddArrays(pg::Params& params) const {
    Patterns patterns(query_.filter);
    params.Array(std::move(patterns.keys))
        .Array(std::move(patterns.texts))
        .Array(std::move(patterns.ids))
        .Array(std::move(patterns.names));
  }

  // Takes what a statement found.
  absl::StatusOr<bool> Take(pg::Rows& rows) {
    done_ = true;
    for (int i = 0; i < rows.size(); ++i) {
      pg::Row row = rows.at(i);
      const bool is_place = row.NextIsNull();
      const MonitorKey key = row.MaybeInt().value_or(0);
      MonitorPlace place;
      place.at = row.Time();
      place.id = row.Text();
      if (is_place) {
        place_ = std::move(place);
        done_ = false;
      } else if (static_cast<int>(found_.size()) == query_.limit) {
        next_ = last_;  // one more than is shown
        done_ = true;
        break;
      } else {
        found_.push_back(key);
        last_ = std::move(place);
      }
    }
    RETURN_IF_ERROR(rows.status());
    return done_;
  }

  const MonitorQuery& query_;
  MonitorPlace place_;  // everything up to here was looked at
  std::vector<MonitorKey> found_;
  MonitorPlace last_;  // of the last one found
  std::optional<MonitorPlace> next_;
  bool done_ = false;
};

namespace {

// Those of `keys` that are still what the query asks for, in their order.
absl::StatusOr<std::vector<MonitorView>> ReadViews(pg::Session& session, const MonitorQuery& query,
                                                   const std::vector<MonitorKey>& keys) {
  std::vector<MonitorView> views;
  if (keys.empty()) return views;
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(pg::kMonitorViews, pg::Params().Keys8(keys)));
  std::unordered_map<MonitorKey, MonitorView> read;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    MonitorView view = pg::ReadMonitorView(row);
    read[view.monitor.definition.key] = std::move(view);
  }
  RETURN_IF_ERROR(rows.status());
  views.reserve(read.size());
  for (const MonitorKey key : keys) {
    auto found = read.extract(key);
    if (found.empty()) continue;
    MonitorView& view = found.mapped();
    const bool hidden = view.monitor.definition.deleted_at && !query.show_deleted;
    if (!hidden && Matches(query.filter, view.monitor)) views.push_back(std::move(view));
  }
  return views;
}

}  // namespace

absl::StatusOr<bool> PgStore::Search(pg::MonitorFinder& finder) {
  absl::StatusOr<pg::SessionPool::Lease> session = search_.Take(kPatience);
  // All of them search: this page does without, the next one may.
  if (absl::IsUnavailable(session.status())) return true;
  RETURN_IF_ERROR(session.status());
  RETURN_IF_ERROR((*session)->Ready());
  ASSIGN_OR_RETURN(const std::optional<pg::SearchTerms> terms,
                   pg::ChooseTerms(**session, finder.query()));
  return terms.has_value() ? finder.Search(**session, *terms) : false;
}

absl::StatusOr<MonitorPage> PgStore::ListMonitors(const MonitorQuery& query) {
  MonitorPage page;
  if (query.filter.nothing) return page;
  const absl::Duration end = clock_.Now() + kPatience;
  pg::MonitorFinder finder(query);
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, list_.Take());
  RETURN_IF_ERROR(session->Ready());
  page.walk = query.walk;
  RETURN_IF_ERROR(finder.Walk(*session, std::max(kFirstLook, query.limit + 1)));
  // Where some match at once, the rest is not far.
  if (!finder.done() && !query.walk && finder.found().empty() && CanSearch(query)) {
    const absl::StatusOr<bool> searches = Search(finder);
    // A timeout is UNAVAILABLE, too.
    if (!searches.ok() && !absl::IsUnavailable(searches.status())) return searches.status();
    page.walk = !searches.ok() || !*searches;
  }
  for (bool first = true; !finder.done() && (first || clock_.Now() < end); first = false) {
    RETURN_IF_ERROR(finder.Walk(*session, kLook));
  }
  page.next = finder.next();
  ASSIGN_OR_RETURN(page.monitors, ReadViews(*session, query, finder.found()));
  return page;
}

}  // namespace tocsin::core
