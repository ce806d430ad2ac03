// Lets a scenario happen to a world and tells every expectation that fails.
#pragma once

#include <string>
#include <vector>

#include "tests/scenarios/scenario.h"
#include "tests/scenarios/world.h"

namespace tocsin::core::scenarios {

// One sentence for each failure, "down.txt:7 at 61s: …"; empty when all went as expected.
std::vector<std::string> Perform(const Scenario& scenario, World& world);

}  // namespace tocsin::core::scenarios
