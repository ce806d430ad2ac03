// Time zones by name.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tocsin::core {

// The zone of that name in the IANA time zone database, e.g. Europe/Berlin, or UTC.
// INVALID_ARGUMENT on the field "time_zone" for everything else: nothing depends on where a server
// stands
// ("localtime"), and no path reaches a file outside of the database.
//
// The names are those that the system's database has at the first call, each zone is read once:
// what is kept is bounded by them, not by what callers ask for, and an update of the database
// counts from a restart on. Thread-safe.
absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view iana_name);

}  // namespace tocsin::core
