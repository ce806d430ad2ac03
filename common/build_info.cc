// Version from CMake's project().
#include "common/build_info.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace tocsin {

std::string Version() { return TOCSIN_VERSION; }

void RegisterBuildInfo(prometheus::Registry& registry, const std::string& service) {
  prometheus::BuildGauge()
      .Name("tocsin_build_info")
      .Help("Always 1; the labels say which build this is.")
      .Register(registry)
      .Add({{"service", service}, {"version", Version()}, {"compiler", __VERSION__}})
      .Set(1);
}

}  // namespace tocsin
