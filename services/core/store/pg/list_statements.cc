// The statements that find the monitors of a page.
#include "services/core/store/pg/list_statements.h"

#include "services/core/store/pg/monitor_views.h"

namespace tocsin::core::pg {

// What costs little comes first.
#define TOCSIN_MATCHES(keys, texts, ids, names)                                          \
  "($6::boolean OR m.deleted_at IS NULL) "                                               \
  "AND ($8::smallint IS NULL OR m.severity = $8::smallint) "                             \
  "AND ($9::text IS NULL OR m.owner = $9::text) "                                        \
  "AND (cardinality(" ids "::text[]) = 0 OR m.id LIKE ALL (" ids                         \
  "::text[])) "                                                                          \
  "AND ($10::jsonb IS NULL OR m.labels @> $10::jsonb) "                                  \
  "AND (cardinality(" keys "::text[]) = 0 OR m.labels ?& " keys                          \
  "::text[]) "                                                                           \
  "AND (cardinality(" names                                                              \
  "::text[]) = 0 "                                                                       \
  "OR lower(m.display_name COLLATE \"C\") LIKE ALL (" names                              \
  "::text[])) "                                                                          \
  "AND (cardinality(" texts "::text[]) = 0 OR " TOCSIN_SEARCHED_TEXT " LIKE ALL (" texts \
  "::text[]))"

#define TOCSIN_WALK_MATCHES TOCSIN_MATCHES("$11", "$12", "$13", "$14")

#define TOCSIN_WALK(direction, walk)                                \
  "WITH walked AS MATERIALIZED (" walk                              \
  " LIMIT $4::integer) "                                            \
  "(SELECT w.monitor_id, w.at, w.id FROM walked w WHERE w.matches " \
  "ORDER BY w.at " direction ", w.id " direction                    \
  " LIMIT $5::integer) "                                            \
  "UNION ALL (SELECT NULL::bigint, w.at, w.id FROM walked w OFFSET $4::integer - 1 LIMIT 1)"

// Not EXISTS: the planner would make a table of all the monitors of that state for it.
#define TOCSIN_OF_STATE                                               \
  "($7::smallint IS NULL OR coalesce((SELECT l.state = $7::smallint " \
  "FROM monitor_listing l WHERE l.monitor_id = m.monitor_id), false))"

#define TOCSIN_WALK_BY_ID(direction, beyond)                                                  \
  TOCSIN_WALK(direction, "SELECT m.monitor_id, $2::timestamptz AS at, m.id, " TOCSIN_OF_STATE \
                         " AND " TOCSIN_WALK_MATCHES                                          \
                         " AS matches FROM monitor m "                                        \
                         "WHERE m.project_id = $1::integer AND m.id " beyond                  \
                         " $3::text "                                                         \
                         "ORDER BY m.id " direction)

#define TOCSIN_WALK_BY_CREATION(direction, beyond)                                         \
  TOCSIN_WALK(direction, "SELECT m.monitor_id, m.created_at AS at, m.id, " TOCSIN_OF_STATE \
                         " AND " TOCSIN_WALK_MATCHES                                       \
                         " AS matches FROM monitor m "                                     \
                         "WHERE m.project_id = $1::integer "                               \
                         "AND (m.created_at, m.id) " beyond                                \
                         " ($2::timestamptz, $3::text) "                                   \
                         "ORDER BY m.created_at " direction ", m.id " direction)

#define TOCSIN_LISTING_MATCHES            \
  "coalesce((SELECT " TOCSIN_WALK_MATCHES \
  " FROM monitor m WHERE m.monitor_id = l.monitor_id), false) AS matches "

#define TOCSIN_WALK_STATE_BY_ID(direction, beyond)                                        \
  TOCSIN_WALK(direction,                                                                  \
              "SELECT l.monitor_id, $2::timestamptz AS at, l.id, " TOCSIN_LISTING_MATCHES \
              "FROM monitor_listing l WHERE l.project_id = $1::integer "                  \
              "AND l.state = $7::smallint AND l.state <> 2 AND l.id " beyond              \
              " $3::text "                                                                \
              "ORDER BY l.id " direction)

#define TOCSIN_STATE_BY_CHANGE(direction, state, beyond)                                      \
  "(SELECT l.monitor_id, l.changed_at, l.id FROM monitor_listing l "                          \
  "WHERE l.project_id = $1::integer AND l.state = " state " AND (l.changed_at, l.id) " beyond \
  " ($2::timestamptz, $3::text) "                                                             \
  "ORDER BY l.changed_at " direction ", l.id " direction " LIMIT $4::integer)"

#define TOCSIN_WALK_CHANGES(direction, from)                                                      \
  TOCSIN_WALK(direction, "SELECT l.monitor_id, l.changed_at AS at, l.id, " TOCSIN_LISTING_MATCHES \
                         "FROM (" from ") l ORDER BY l.changed_at " direction ", l.id " direction)

#define TOCSIN_WALK_STATE_BY_CHANGE(direction, beyond) \
  TOCSIN_WALK_CHANGES(direction, TOCSIN_STATE_BY_CHANGE(direction, "$7::smallint", beyond))

// Each state has its own order in the index; $7 is NULL.
#define TOCSIN_WALK_BY_CHANGE(direction, beyond) \
  TOCSIN_WALK_CHANGES(direction, TOCSIN_STATE_BY_CHANGE(direction, "coalesce($7::smallint, 1)", beyond) \
                      " UNION ALL " TOCSIN_STATE_BY_CHANGE(direction, "2", beyond)              \
                      " UNION ALL " TOCSIN_STATE_BY_CHANGE(direction, "3", beyond)              \
                      " UNION ALL " TOCSIN_STATE_BY_CHANGE(direction, "4", beyond))

#define TOCSIN_BOTH_WAYS(name, walk)                                     \
  {                                                                      \
    {name "_asc", walk("ASC", ">")}, { name "_desc", walk("DESC", "<") } \
  }

const ListStatements kWalkById = TOCSIN_BOTH_WAYS("walk_by_id", TOCSIN_WALK_BY_ID);
const ListStatements kWalkByCreation =
    TOCSIN_BOTH_WAYS("walk_by_creation", TOCSIN_WALK_BY_CREATION);
const ListStatements kWalkByChange = TOCSIN_BOTH_WAYS("walk_by_change", TOCSIN_WALK_BY_CHANGE);
const ListStatements kWalkStateById = TOCSIN_BOTH_WAYS("walk_state_by_id", TOCSIN_WALK_STATE_BY_ID);
const ListStatements kWalkStateByChange =
    TOCSIN_BOTH_WAYS("walk_state_by_change", TOCSIN_WALK_STATE_BY_CHANGE);

// Planned for its values each time, so that what is NULL or not asked for is not there for the
// planner; monitor_listing then is there only when it is needed. `IS TRUE` keeps what is only
// looked at away from the index.
#define TOCSIN_SEARCH(direction, beyond) \
  "WITH found AS MATERIALIZED (SELECT m.monitor_id, m.id, CASE $11::integer "                   \
  "WHEN 1 THEN l.changed_at WHEN 2 THEN m.created_at ELSE $2::timestamptz END AS at "           \
  "FROM monitor m LEFT JOIN monitor_listing l ON l.monitor_id = m.monitor_id "                  \
  "WHERE (m.project_id = $1::integer) IS TRUE AND ($7::smallint IS NULL "                       \
  "OR (l.project_id = $1::integer AND l.state = $7::smallint)) "                                \
  "AND ($12::text IS NULL OR " TOCSIN_SEARCHED_TEXT " LIKE $12::text) "                         \
  "AND ($13::text IS NULL OR " TOCSIN_SEARCHED_TEXT " LIKE $13::text) "                         \
  "AND ($14::text IS NULL OR " TOCSIN_SEARCHED_TEXT " LIKE $14::text) "                         \
  "AND (NOT $15::boolean OR m.project_id = $1::integer) "                                       \
  "AND (NOT $16::boolean OR m.severity = $8::smallint) "                                        \
  "AND (NOT $17::boolean OR m.owner = $9::text) "                                               \
  "AND (NOT $18::boolean OR m.labels @> $10::jsonb) "                                           \
  "AND (NOT $19::boolean OR m.labels ?& $20::text[]) "                                          \
  "AND (" TOCSIN_MATCHES("$20", "$21", "$22", "$23") ") IS TRUE"                                \
  " LIMIT $4::integer + 1) "                                                                    \
  "(SELECT f.monitor_id, f.at, f.id FROM found f "                                              \
  "WHERE (f.at, f.id) " beyond " ($2::timestamptz, $3::text) "                                  \
  "ORDER BY f.at " direction ", f.id " direction " LIMIT $5::integer) "                         \
  "UNION ALL (SELECT NULL::bigint, f.at, f.id FROM found f OFFSET $4::integer LIMIT 1)"

const ListStatements kSearchMonitors = TOCSIN_BOTH_WAYS("search_monitors", TOCSIN_SEARCH);

#define TOCSIN_ESTIMATE_PATTERN(alias, pattern) \
  "UNION ALL SELECT FROM monitor " alias " WHERE " TOCSIN_SEARCHED_TEXT_OF(alias) " LIKE " pattern

const Statement kEstimateTerms = {
    "estimate_terms",
    "EXPLAIN (FORMAT JSON) "
    "SELECT FROM monitor total "
    "UNION ALL SELECT FROM monitor project WHERE project.project_id = $1::integer "
    "UNION ALL SELECT FROM monitor severity WHERE severity.severity = $2::smallint "
    "UNION ALL SELECT FROM monitor owner WHERE owner.owner = $3::text "
    "UNION ALL SELECT FROM monitor labels WHERE labels.labels @> $4::jsonb "
    "UNION ALL SELECT FROM monitor_listing state "
    "WHERE state.project_id = $1::integer AND state.state = $5::smallint "
    TOCSIN_ESTIMATE_PATTERN("pattern_1", "$6::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_2", "$7::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_3", "$8::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_4", "$9::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_5", "$10::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_6", "$11::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_7", "$12::text ")
    TOCSIN_ESTIMATE_PATTERN("pattern_8", "$13::text ")
    "UNION ALL SELECT FROM monitor label_keys WHERE cardinality($14::text[]) > 0 "
    "AND label_keys.labels ?& $14::text[]"};

const Statement kMonitorViews = {
    "monitor_views", TOCSIN_SELECT_MONITOR_VIEW "WHERE m.monitor_id = ANY ($1::bigint[])"};

}  // namespace tocsin::core::pg
