// Time zones by name.
#pragma once

#include <string>
#include <string_view>
#include <utility>

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

// A zone that keeps the name under which it is stored, also where this machine's database lacks it:
// what is written back is what was read.
class NamedZone {
 public:
  NamedZone() : NamedZone(absl::UTCTimeZone()) {}
  NamedZone(absl::TimeZone zone) : zone_(zone), name_(zone.name()) {}  // NOLINT: they are alike
  // Counts as UTC.
  static NamedZone Unknown(std::string name) {
    NamedZone zone;
    zone.name_ = std::move(name);
    return zone;
  }

  const std::string& name() const { return name_; }
  operator absl::TimeZone() const { return zone_; }  // NOLINT

 private:
  absl::TimeZone zone_;
  std::string name_;
};

}  // namespace tocsin::core
