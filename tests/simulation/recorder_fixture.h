// A recorder on a store in memory that can be told to fail, with two monitors.
#pragma once

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {

// Refuses, as a database would, what holds the message "poison".
class PoisonableStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  void set_poisonous(MonitorKey monitor) { monitor_ = monitor; }

  absl::Status Transact(TransactionClass klass,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override {
    return MemoryStore::Transact(klass, [&](Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(body(transaction));
      ASSIGN_OR_RETURN(const std::optional<Heartbeat> newest,
                       transaction.NewestHeartbeat(monitor_, absl::InfiniteFuture()));
      if (newest.has_value() && newest->message == "poison") return absl::DataLossError("poison");
      return absl::OkStatus();
    });
  }

 private:
  MonitorKey monitor_ = 0;
};

inline TokenHash Token(uint8_t number) {
  TokenHash token = {};
  token.back() = number;
  return token;
}

class PushRecorderTest : public ::testing::Test {
 protected:
  PushRecorderTest() {
    Run([this](Transaction& transaction) -> absl::Status {
      Channel channel;
      channel.project = project_;
      channel.project_id = "default";
      channel.id = "all";
      channel.is_default = true;
      return transaction.InsertChannel(channel).status();
    });
    job_ = Add("job", 1, State::kNew);
    other_ = Add("other", 2, State::kNew);
  }

  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = memory_.Transact(TransactionClass::kAdmin, body);
    EXPECT_TRUE(status.ok()) << status;
  }

  MonitorKey Add(const std::string& id, uint8_t token, State state) {
    MonitorKey key = 0;
    Run([&](Transaction& transaction) -> absl::Status {
      Monitor monitor;
      monitor.definition.project = project_;
      monitor.definition.project_id = "default";
      monitor.definition.id = id;
      monitor.definition.schedule.timeout = absl::Seconds(60);
      monitor.definition.schedule.recommended_interval = absl::Seconds(60);
      monitor.definition.schedule.grace = absl::ZeroDuration();
      monitor.state.state = state;
      ASSIGN_OR_RETURN(const MonitorIdentity identity,
                       transaction.InsertMonitor(monitor, absl::InfiniteFuture()));
      key = identity.key;
      return transaction.AddToken(key, Token(token), clock_.Now());
    });
    return key;
  }

  PushItem Item(uint8_t token, HeartbeatKind kind = HeartbeatKind::kUp) {
    PushItem item;
    item.token = Token(token);
    item.heartbeat.kind = kind;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.push_id = ++push_id_;
    return item;
  }

  // The answers, when they have come.
  std::vector<PushAnswer> Push(std::vector<PushItem> items) {
    std::vector<PushAnswer> answers;
    absl::Notification done;
    recorder_.Submit(std::move(items), [&](std::vector<PushAnswer> given) {
      answers = std::move(given);
      done.Notify();
    });
    done.WaitForNotification();
    return answers;
  }
  PushAnswer PushOne(PushItem item) { return Push({std::move(item)}).front(); }

  // A touch that does this in its transaction.
  void Touch(std::function<void()> body) {
    absl::Notification done;
    recorder_.SubmitTouch(
        [body = std::move(body)](Transaction&) {
          body();
          return absl::OkStatus();
        },
        [&](absl::Status) { done.Notify(); });
    done.WaitForNotification();
  }

  Monitor Stored(const std::string& id = "job") {
    return memory_.FindMonitor("default", id)->value();
  }
  std::vector<StoredHeartbeat> History(MonitorKey monitor) {
    HeartbeatQuery query;
    query.monitor = monitor;
    query.limit = 100;
    return *memory_.ListHeartbeats(query);
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  PoisonableStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  const ProjectKey project_ = memory_.FindProject("default")->value();
  MonitorKey job_ = 0;
  MonitorKey other_ = 0;
  uint64_t push_id_ = 0;
  prometheus::Registry registry_;
  RecorderMetrics metrics_{registry_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), metrics_};
};

}  // namespace tocsin::core
