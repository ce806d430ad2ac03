// Tells which gRPC targets are behind an address of core.
#include "services/notifier/stream/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::notifier {
namespace {

using testing::ElementsAre;

TEST(ResolverTest, TakesLiteralsNamesAndSockets) {
  EXPECT_THAT(*ResolveTargets("127.0.0.1:7070"), ElementsAre("ipv4:127.0.0.1:7070"));
  EXPECT_THAT(*ResolveTargets("[::1]:7070"), ElementsAre("ipv6:[::1]:7070"));
  EXPECT_THAT(*ResolveTargets("localhost:7070"), ElementsAre("ipv4:127.0.0.1:7070"));
  EXPECT_THAT(*ResolveTargets(":7070"), ElementsAre("ipv4:127.0.0.1:7070"));
  EXPECT_THAT(*ResolveTargets("unix:/run/core"), ElementsAre("unix:/run/core"));
}

TEST(ResolverTest, SaysWhetherTryingAgainMayHelp) {
  EXPECT_EQ(ResolveTargets("no-such-host.invalid:7070").status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(ResolveTargets("nonsense").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tocsin::notifier
