// Every .txt file of this folder is a test.
#include "tests/scenarios/scenario.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "services/core/domain/validate.h"
#include "tests/scenarios/engine_world.h"
#include "tests/scenarios/model_world.h"
#include "tests/scenarios/runner.h"

namespace tocsin::core::scenarios {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The timelines are of minutes for the most part: all of those is lived.
constexpr absl::Duration kLived = absl::Minutes(2);

enum class Kind { kModel, kEngine };

std::unique_ptr<World> MakeWorld(Kind kind, const MonitorDefinition& monitor) {
  if (kind == Kind::kModel) return std::make_unique<ModelWorld>(monitor);
  return std::make_unique<EngineWorld>(monitor, kLived);
}

class ScenarioTest : public ::testing::Test {
 public:
  ScenarioTest(Kind kind, std::filesystem::path path) : kind_(kind), path_(std::move(path)) {}

  void TestBody() override {
    absl::StatusOr<Scenario> scenario = ParseScenario(path_.filename().string(), ReadAll(path_));
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    scenario->monitor.id = "job";
    FillDefaults(scenario->monitor);
    const std::unique_ptr<World> world = MakeWorld(kind_, scenario->monitor);
    for (const std::string& fault : Perform(*scenario, *world)) ADD_FAILURE() << fault;
  }

 private:
  const Kind kind_;
  const std::filesystem::path path_;
};

void RegisterAll() {
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(TOCSIN_SCENARIOS)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".txt" && path.stem() != "CMakeLists") paths.insert(path);
  }
  for (const auto& [suite, kind] :
       {std::pair("Scenario", Kind::kModel), std::pair("ScenarioOnEngine", Kind::kEngine)}) {
    for (const std::filesystem::path& path : paths) {
      ::testing::RegisterTest(
          suite, path.stem().string().c_str(), nullptr, nullptr, path.c_str(), 1,
          [kind = kind, path]() -> ::testing::Test* { return new ScenarioTest(kind, path); });
    }
  }
}

TEST(ScenarioLanguage, SaysWhichLineIsWrong) {
  EXPECT_EQ(ParseScenario("x.txt", "at 0s push up\nat 5s pusch up\n").status().message(),
            "x.txt:2: \"pusch\" is not understood; accepted: push, change, expect, pause, resume, "
            "delete, undelete, maintenance, delete maintenance, restart, own outage of, gateway "
            "outage of");
  EXPECT_FALSE(ParseScenario("x.txt", "at 5 push up\n").ok());
  EXPECT_FALSE(ParseScenario("x.txt", "at 5s push up saying \"x\n").ok());
  EXPECT_EQ(*ParseLength("1d2h3m4.5s"), absl::Hours(26) + absl::Minutes(3) + absl::Seconds(4.5));
}

}  // namespace
}  // namespace tocsin::core::scenarios

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tocsin::core::scenarios::RegisterAll();
  return RUN_ALL_TESTS();
}
