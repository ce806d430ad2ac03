// The owner of monitors, channels and keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

struct Project {
  ProjectKey key = 0;
  std::string id;  // 1 to 63 of [a-z0-9-]
  std::string display_name;
  // Absent for `default`, which was there from the start.
  std::optional<absl::Time> created_at;
  std::optional<absl::Time> updated_at;
  int64_t version = 0;  // drawn anew with every change

  friend bool operator==(const Project&, const Project&) = default;
};

// Gives what was left out its default. Call it before validating.
void FillDefaults(Project& project);
// All but the id. `prefix` as in validate.h.
void ValidateProject(const Project& project, std::string_view prefix, FieldFaults& faults);

}  // namespace tocsin::core
