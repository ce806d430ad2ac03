// Time zones by name.
#include "services/core/domain/time_zone.h"

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

constexpr char kField[] = "time_zone";
constexpr char kUtc[] = "UTC";
// Longer than any name.
constexpr size_t kMaxShownBytes = 64;

using Names = std::set<std::string, std::less<>>;

// Where absl looks for zones.
std::filesystem::path DatabaseFolder() {
  const char* given = std::getenv("TZDIR");
  return given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
}

// Besides zones the folder has tables, copies of all zones in posix/ and right/ (which counts leap
// seconds), and links to what this machine uses. Only names of zones begin with a capital letter,
// but for the one that says that nobody has chosen a zone.
bool IsZone(const std::string& name) {
  return absl::ascii_isupper(name[0]) && !absl::StrContains(name, ".") && name != "Factory";
}

Names ReadNames() {
  const std::filesystem::path folder = DatabaseFolder();
  Names names = {kUtc};
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().lexically_relative(folder).string();
    std::error_code gone;
    if (entry->is_directory(gone)) {
      if (!IsZone(name)) entry.disable_recursion_pending();
    } else if (IsZone(name)) {
      names.insert(name);
    }
  }
  return names;
}

// absl keeps whatever it was asked for, even what is none, and takes paths: it is asked for these
// names only.
const Names& KnownNames() {
  static const Names& names = *new Names(ReadNames());
  return names;
}

absl::Status NotKnown(std::string_view name) {
  const std::string problem =
      absl::StrCat("\"", CleanText(name, kMaxShownBytes), "\" is not known");
  if (KnownNames().size() == 1) {
    return InvalidField(kField, problem + " to a server without a time zone database",
                        "UTC, until its package tzdata is installed");
  }
  for (const std::string& known : KnownNames()) {
    if (absl::EqualsIgnoreCase(known, AnyStringView(name).absl())) {
      return InvalidField(kField, problem, known);
    }
  }
  return InvalidField(kField, problem,
                      "a name of the IANA time zone database, e.g. Europe/Berlin, or UTC");
}

}  // namespace

absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view iana_name) {
  if (iana_name.empty()) {
    return InvalidField(kField, "is empty",
                        "a name of the IANA time zone database, e.g. Europe/Berlin, or UTC");
  }
  const auto name = KnownNames().find(iana_name);
  absl::TimeZone zone;
  if (name == KnownNames().end() || !absl::LoadTimeZone(*name, &zone)) return NotKnown(iana_name);
  return zone;
}

}  // namespace tocsin::core
