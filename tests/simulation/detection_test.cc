// R1 of the targets: every dead job is alerted within the bound that product.md states, and no
// live job is, over thousands of random lives crossed with own outages, maintenances, restarts,
// pauses and changes of schedule. Lived on the model of core, and fewer of them on core itself.
//
// Prints its seed; TOCSIN_TEST_SEED=N repeats a run, TOCSIN_TEST_JOBS=N lets that many jobs live,
// also on core.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/scenarios/engine_world.h"
#include "tests/scenarios/model_world.h"
#include "tests/simulation/job.h"

namespace tocsin::core::simulation {
namespace {

constexpr uint64_t kJobsOnModel = 10'000;
constexpr uint64_t kJobsOnEngine = 1'000;
// Of each stretch of the life of a job before something happens.
constexpr absl::Duration kLived = absl::Milliseconds(250);

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

struct OnModel {
  static constexpr uint64_t kJobs = kJobsOnModel;
  static std::unique_ptr<scenarios::World> Make(const MonitorDefinition& monitor) {
    return std::make_unique<scenarios::ModelWorld>(monitor);
  }
};

struct OnEngine {
  static constexpr uint64_t kJobs = kJobsOnEngine;
  static std::unique_ptr<scenarios::World> Make(const MonitorDefinition& monitor) {
    return std::make_unique<scenarios::EngineWorld>(monitor, kLived);
  }
};

template <typename Where>
class DetectionTest : public ::testing::Test {
 protected:
  const uint64_t seed_ = FromEnvironment("TOCSIN_TEST_SEED", std::random_device{}());
  const uint64_t jobs_ = FromEnvironment("TOCSIN_TEST_JOBS", Where::kJobs);
};

struct Names {
  template <typename Where>
  static std::string GetName(int) {
    return std::is_same_v<Where, OnModel> ? "OnModel" : "OnEngine";
  }
};

using Worlds = ::testing::Types<OnModel, OnEngine>;
TYPED_TEST_SUITE(DetectionTest, Worlds, Names);

TYPED_TEST(DetectionTest, EveryDeadJobIsAlertedWithinTheStatedBound) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(this->seed_));
  for (uint64_t i = 0; i < this->jobs_; ++i) {
    Job job(this->seed_ + i, /*dies=*/true);
    const auto world = TypeParam::Make(job.monitor());
    const Fate fate = job.Live(*world);
    const std::string story = absl::StrCat("seed ", this->seed_ + i, "\n", fate.story);
    ASSERT_TRUE(fate.found_at.has_value()) << story;
    ASSERT_LE(*fate.found_at, fate.promised_by) << story;
    ASSERT_EQ(fate.fault, "") << story;
  }
}

TYPED_TEST(DetectionTest, NoLiveJobIsAlerted) {
  std::printf("seed %llu\n", static_cast<unsigned long long>(this->seed_));
  for (uint64_t i = 0; i < this->jobs_; ++i) {
    Job job(this->seed_ + i, /*dies=*/false);
    const auto world = TypeParam::Make(job.monitor());
    const Fate fate = job.Live(*world);
    ASSERT_FALSE(fate.found_at.has_value()) << "seed " << this->seed_ + i << "\n" << fate.story;
  }
}

}  // namespace
}  // namespace tocsin::core::simulation
