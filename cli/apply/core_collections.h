// The collections of a core, by gRPC.
#pragma once

#include <memory>

#include "cli/apply/collection.h"
#include "cli/context.h"

namespace tocsin::cli {

// Both point into `context`, which outlives them. Calls that are lost are made again.
std::unique_ptr<Collection> MonitorsOf(const Context& context);
std::unique_ptr<Collection> ChannelsOf(const Context& context);

}  // namespace tocsin::cli
