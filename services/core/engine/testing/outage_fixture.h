// An outage guard over a store in memory, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/testing/fake_clock.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core::testing {

class OutageTest : public ::testing::Test {
 protected:
  OutageTest() { recorder_.Start(); }

  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = store_.Transact(TransactionClass::kAdmin, body);
    EXPECT_TRUE(status.ok()) << status;
  }
  void TouchAfter(absl::Duration duration) {
    clock_.Advance(duration);
    const absl::Status status = guard_.TouchNow();
    EXPECT_TRUE(status.ok()) << status;
  }
  GapList StoredGaps() { return *store_.ReadGaps(absl::InfinitePast()); }
  void AddChannel(const std::string& id, bool is_default, bool disabled) {
    Channel channel;
    channel.project = project_;
    channel.project_id = "default";
    channel.id = id;
    channel.is_default = is_default;
    if (disabled) channel.disabled_at = clock_.Now();
    Run([&](Transaction& transaction) { return transaction.InsertChannel(channel).status(); });
  }
  // As the server's threads do it.
  void Wait(absl::Duration duration) {
    for (const absl::Time end = clock_.Now() + duration; clock_.Now() < end;) {
      TouchAfter(absl::Seconds(1));
      EXPECT_TRUE(guard_.TellGaps().ok());
    }
  }
  // Up since now.
  void AddMonitor(const std::string& id, absl::Duration timeout = absl::Minutes(1),
                  Source source = Source::kHttp) {
    Monitor monitor = {.definition = MinuteMonitor(), .state = UpSince(clock_.Now())};
    monitor.definition.schedule.timeout = timeout;
    monitor.definition.schedule.recommended_interval = timeout;
    monitor.state.last_source = source;
    monitor.definition.project = project_;
    monitor.definition.id = id;
    Run([&](Transaction& transaction) {
      return transaction.InsertMonitor(monitor, absl::InfiniteFuture()).status();
    });
  }
  std::vector<DeliveryView> Deliveries() {
    DeliveryQuery query;
    query.project = project_;
    return *store_.ListDeliveries(query);
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics metrics_{registry_};
  PushRecorder recorder_{store_, clock_, monotonic_, {}, recorder_metrics_};
  OutageGuard guard_{store_, recorder_, clock_, {.instance = "a"}, metrics_};
  const absl::Time start_ = clock_.Now();
  const ProjectKey project_ = store_.FindProject("default")->value();
};

}  // namespace tocsin::core::testing
