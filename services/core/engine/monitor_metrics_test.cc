// What Prometheus is told of each monitor.
#include "services/core/engine/monitor_metrics.h"

#include "absl/time/time.h"
#include "common/testing/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MonitorMetrics, ShowsEachMonitorByItsIdInOneStateOfFour) {
  FakeClock clock(absl::FromUnixMicros(1'700'000'000'000'005));
  MemoryStore store(clock);
  MonitorAdmin admin(store, clock);
  MonitorDefinition definition;
  definition.project_id = "default";
  definition.id = "backup";
  definition.owner = "team \"pay\"";
  definition.arm_on_create = true;
  definition.schedule.timeout = absl::Seconds(60);
  definition.schedule.recommended_interval = absl::Seconds(60);
  ASSERT_TRUE(admin.Create(Caller(), definition).ok());

  const std::string text = *MonitorMetrics(store, {}, clock.Now());
  const std::string labels = "{project=\"default\",monitor=\"backup\"";
  EXPECT_THAT(text, HasSubstr("tocsin_monitor_state" + labels + ",state=\"new\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tocsin_monitor_state" + labels + ",state=\"up\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("owner=\"team \\\"pay\\\"\",severity=\"error\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("tocsin_monitor_deadline_timestamp_seconds" + labels +
                              "} 1700000060.000005\n"));
  EXPECT_THAT(text, Not(HasSubstr("last_heartbeat_timestamp_seconds" + labels)));
}

}  // namespace
}  // namespace tocsin::core
