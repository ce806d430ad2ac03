// Files, folders and standard input, read as what they declare.
#pragma once

#include <string>
#include <vector>

#include "cli/apply/faults.h"
#include "cli/apply/reader.h"

namespace tocsin::cli {

// Of a folder.
inline constexpr size_t kMaxFiles = 10'000;

// What `paths` declare: files; folders, of which *.yaml and *.yml are read in the order of their
// names, those below them and hidden ones are not; "-" for standard input. What is declared twice,
// in whichever files, is a fault, as is what cannot be read.
Declared ReadSources(const std::vector<std::string>& paths, const std::string& default_project,
                     Faults& faults);

}  // namespace tocsin::cli
