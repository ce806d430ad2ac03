// The imports that write files for `tocsin apply` instead of making monitors.
#pragma once

#include "CLI/App.hpp"
#include "cli/context.h"

namespace tocsin::cli {

// Adds their commands below `import`; `context` must outlive it.
void AddFileImports(CLI::App& import, Context& context);

}  // namespace tocsin::cli
