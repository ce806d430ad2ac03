// Brings the schema of a database up to what this binary needs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace tocsin::core::pg {

// One numbered file of migrations/. Forward only; never changed once released.
struct Migration {
  int number = 0;
  std::string name;  // "0001_init"
  std::string sql;
  // Binaries that do not know this migration must not run on its schema. The file says so with
  // the line "-- breaks older binaries".
  bool breaking = false;
};

// Those embedded in the binary, ascending by number.
std::vector<Migration> EmbeddedMigrations();

// Applies, under an advisory lock, each in a transaction of its own, those of `migrations` that the
// database lacks. Any number of processes may call it at once. FAILED_PRECONDITION: an applied
// migration has another checksum than ours, a newer one breaks this binary, or the server is too
// old; UNAVAILABLE: no database; others: the migration failed, nothing of it was applied.
absl::Status ApplyMigrations(const std::string& url, absl::Span<const Migration> migrations);

}  // namespace tocsin::core::pg
