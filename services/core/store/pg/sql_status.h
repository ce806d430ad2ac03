// What PostgreSQL's and libpq's failures mean to callers: the one table SQLSTATE → Status.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace tocsin::core::pg {

struct SqlFault {
  std::string sqlstate;  // empty: the server said nothing
  std::string message;
  bool connection_lost = false;  // the session is over
};

// `committing`: the statement that failed could have committed, so a lost connection leaves its
// outcome in doubt (UNKNOWN) instead of UNAVAILABLE. The text names no secret; INTERNAL and
// DATA_LOSS carry the server's words, the others do not.
// Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
absl::Status StatusOf(const SqlFault& fault, bool committing);

// Serialization failure or deadlock: running the whole transaction again can help.
bool IsConflict(const SqlFault& fault);

// Whether the session is of no more use though the connection may still stand: the server is
// going away, is read-only, or forgot what was prepared.
bool EndsSession(const SqlFault& fault);

}  // namespace tocsin::core::pg
