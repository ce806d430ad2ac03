// The statements that find the monitors of a page. A test watches their plans.
#pragma once

#include "services/core/store/pg/statement.h"

namespace tocsin::core::pg {

// One statement for each direction.
struct ListStatements {
  Statement ascending;
  Statement descending;
  const Statement& In(bool is_descending) const { return is_descending ? descending : ascending; }
};

// The first parameters of all of them; NULL asks nothing:
//   $1 project, $2 and $3 the place (time, id) after which to go on, $4 how many to look at,
//   $5 how many to return, $6 whether deleted ones count, $7 state, $8 severity, $9 owner,
//   $10 labels
// The answer: monitor_id and place of those that match, in order; then, if there is more to look
// at, NULL and a place.

// Look at the next $4 monitors in their order; the place in the end is that of the last of them.
// Parameters besides are arrays, never NULL: $11 label keys, $12 patterns of display name and id
// together, $13 of the id, $14 of the display name.
extern const ListStatements kWalkById;
extern const ListStatements kWalkByCreation;
extern const ListStatements kWalkByChange;
// The same for those of one state, $7; by id not for UP.
extern const ListStatements kWalkStateById;
extern const ListStatements kWalkStateByChange;

// Collect up to $4 matching monitors from wherever they are found soonest, and sort them. With NULL
// in the end there are more of them, and the answer is worth nothing. Parameters besides:
//   $11 what the order is by: 0 the id, 1 the change of state, 2 the creation,
//   $12 to $14 patterns of display name and id together that the index is asked for, or NULL,
//   $15 to $19 whether it is asked for project, severity, owner, labels, label keys (booleans),
//   $20 to $23 as $11 to $14 above.
extern const ListStatements kSearchMonitors;

// EXPLAIN, as JSON, in which the alias of each node names the term that it estimates: total (all
// monitors), project, severity, owner, labels, state, label_keys, pattern_1 to pattern_8.
// Parameters, of which those that are NULL are not there: $1 project, $2 severity, $3 owner, $4
// labels, $5 state, $6 to $13 patterns; $14 label keys, an array.
extern const Statement kEstimateTerms;

// The views of the monitors $1, in no order.
extern const Statement kMonitorViews;

// What patterns of display name and id together are compared with. The byte between them is in no
// id.
#define TOCSIN_SEARCHED_TEXT_OF(monitor) \
  "lower((" monitor ".display_name || E'\\x01' || " monitor ".id) COLLATE \"C\")"
#define TOCSIN_SEARCHED_TEXT TOCSIN_SEARCHED_TEXT_OF("m")

}  // namespace tocsin::core::pg
