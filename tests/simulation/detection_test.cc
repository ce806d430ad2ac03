// R1 of the targets: every dead job is alerted within the bound that product.md states, and no
// live job is, over thousands of random lives crossed with own outages, restarts, pauses and
// changes of schedule.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run, TOCSIN_TEST_JOBS=N lets more jobs live.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/scenarios/model_world.h"
#include "tests/simulation/job.h"

namespace tocsin::core::simulation {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

class DetectionTest : public ::testing::Test {
 protected:
  const uint64_t seed_ = FromEnvironment("TOCSIN_TEST_SEED", std::random_device{}());
  const uint64_t jobs_ = FromEnvironment("TOCSIN_TEST_JOBS", 10000);
};

TEST_F(DetectionTest, EveryDeadJobIsAlertedWithinTheStatedBound) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed_));
  for (uint64_t i = 0; i < jobs_; ++i) {
    Job job(seed_ + i, /*dies=*/true);
    scenarios::ModelWorld world(job.monitor());
    const Fate fate = job.Live(world);
    ASSERT_TRUE(fate.alerted) << "seed " << seed_ + i << "\n" << fate.story;
    ASSERT_LE(*fate.alerted_at, fate.promised_by) << "seed " << seed_ + i << "\n" << fate.story;
  }
}

TEST_F(DetectionTest, NoLiveJobIsAlerted) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed_));
  for (uint64_t i = 0; i < jobs_; ++i) {
    Job job(seed_ + i, /*dies=*/false);
    scenarios::ModelWorld world(job.monitor());
    const Fate fate = job.Live(world);
    ASSERT_FALSE(fate.alerted) << "seed " << seed_ + i << "\n" << fate.story;
  }
}

}  // namespace
}  // namespace tocsin::core::simulation
