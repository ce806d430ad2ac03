// Which build this is.
#pragma once

#include <string>

namespace prometheus {
class Registry;
}

namespace tocsin {

// "0.1.0"
std::string Version();

// Adds the metric tocsin_build_info{service,version,compiler} = 1. Call once per registry.
void RegisterBuildInfo(prometheus::Registry& registry, const std::string& service);

}  // namespace tocsin
