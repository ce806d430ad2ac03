// How many connections the limit of open files leaves room for.
#pragma once

#include <cstdint>

namespace tocsin::gateway {

// Of `wanted` connections so many as fit into `descriptors`, with room for those that are told why
// they are refused (see http::Worker), for what `threads` io threads have besides, streams to core
// among it, and for all else; at least one.
int FittingConnections(int wanted, uint64_t descriptors, int threads);

// Raises the process's limit of open files to what it may be raised to, and returns it.
uint64_t RaiseDescriptorLimit();

}  // namespace tocsin::gateway
