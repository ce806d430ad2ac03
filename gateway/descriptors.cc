// How many connections the limit of open files leaves room for.
#include "gateway/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace tocsin::gateway {
namespace {

// The admin server, calls to core, files.
constexpr uint64_t kReserved = 64;
// An event loop, what wakes it, a listener, and streams to some replicas of core.
constexpr uint64_t kOfThread = 16;
// Of 16 connections one more may be open to be told that there are too many, and 16 besides.
constexpr uint64_t kToRefuse = 16;

}  // namespace

int FittingConnections(int wanted, uint64_t descriptors, int threads) {
  const uint64_t others = kReserved + kToRefuse + kOfThread * static_cast<uint64_t>(threads);
  const uint64_t room = descriptors - std::min(descriptors, others);
  const uint64_t fitting = std::max<uint64_t>(room / 17 * 16, 1);
  return static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(wanted), fitting));
}

uint64_t RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<uint64_t>::max();
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

}  // namespace tocsin::gateway
