// The JSON that another monitor exported, read with its bounds and its places. Pure but for
// ReadExportFile.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

inline constexpr size_t kMaxExportBytes = size_t{64} << 20;
inline constexpr size_t kMaxExportDepth = 32;
inline constexpr size_t kMaxExportValues = 4'000'000;

// The bytes of a file; of standard input for "-". INVALID_ARGUMENT when it cannot be read or has
// more than kMaxExportBytes, of which it never reads much more.
absl::StatusOr<std::string> ReadExportFile(const std::string& path);

// `text` as JSON. INVALID_ARGUMENT says at which line and column it is none, or which of the bounds
// above it breaks; then little more memory was used than the text has.
absl::StatusOr<nlohmann::json> ParseExport(absl::string_view text);

// "a string" and the like, for sentences about a value that is none of what was expected.
std::string KindOf(const nlohmann::json& value);

// The fields of one object of an export. A field that is null is absent. The first one that is not
// what was asked for is remembered as the fault; what was asked for is then as if it were absent.
class ExportFields {
 public:
  // `object` has to outlive this.
  explicit ExportFields(const nlohmann::json& object);

  bool Has(const char* field) const { return Find(field) != nullptr; }
  // Empty when it is absent.
  std::string Text(const char* field);
  // Seconds, 0 to 366 days, in whole milliseconds.
  std::optional<absl::Duration> Seconds(const char* field);
  // 0 to a billion; a fraction is a fault.
  std::optional<int> Count(const char* field);
  // Also 0 and 1, as databases have it.
  std::optional<bool> Flag(const char* field);
  // Null when it is absent.
  const nlohmann::json* Array(const char* field);

  // For what only the caller can tell, e.g. a field that has to be there.
  void Fault(absl::string_view field, absl::string_view problem, absl::string_view accepted);

  // "timeout: it is a string; accepted: …", or empty.
  const std::string& fault() const { return fault_; }

 private:
  const nlohmann::json* Find(const char* field) const;
  void WrongKind(const char* field, const nlohmann::json& value, absl::string_view accepted);

  const nlohmann::json& object_;
  std::string fault_;
};

}  // namespace tocsin::cli
