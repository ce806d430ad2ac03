// What a project must fulfil.
#include "services/core/domain/project.h"

#include "services/core/domain/validate.h"

namespace tocsin::core {

void FillDefaults(Project& project) {
  if (project.display_name.empty()) project.display_name = project.id;
}

void ValidateProject(const Project& project, std::string_view prefix, FieldFaults& faults) {
  ValidateDisplayName(project.display_name, std::string(prefix) + ".display_name", faults);
}

}  // namespace tocsin::core
