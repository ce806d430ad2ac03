// What product.md promises, with several replicas of core and everything around them failing.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run, TOCSIN_TEST_MINUTES=N makes it longer.
#include "tests/simulation/cluster.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

namespace tocsin::core::simulation {
namespace {

constexpr uint64_t kRuns = 4;
constexpr uint64_t kMinutes = 15;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

class ClusterTest : public ::testing::TestWithParam<int> {};

TEST_P(ClusterTest, KeepsEveryPromiseWhateverBreaks) {
  const uint64_t first = FromEnvironment("TOCSIN_TEST_SEED", std::random_device{}());
  const uint64_t minutes = FromEnvironment("TOCSIN_TEST_MINUTES", kMinutes);
  size_t digests = 0;
  for (uint64_t seed = first; seed < first + kRuns; ++seed) {
    std::printf("seed %llu: ", static_cast<unsigned long long>(seed));
    Cluster cluster(seed, GetParam());
    cluster.Live(absl::Minutes(static_cast<int64_t>(minutes)));
    std::printf("%s\n", cluster.Summary().c_str());
    digests += cluster.Digests();
    for (const std::string& fault : cluster.faults()) ADD_FAILURE() << fault;
    ASSERT_TRUE(cluster.faults().empty()) << "TOCSIN_TEST_SEED=" << seed << " repeats it";
  }
  EXPECT_GT(digests, 0u);
}

INSTANTIATE_TEST_SUITE_P(Replicas, ClusterTest, ::testing::Values(2, 3));

}  // namespace
}  // namespace tocsin::core::simulation
