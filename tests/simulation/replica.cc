// One replica of core, whose tasks run when virtual time comes to them.
#include "tests/simulation/replica.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/status_macros.h"

namespace tocsin::core::simulation {
namespace {

constexpr absl::Duration kTouchRest = absl::Milliseconds(500);
constexpr absl::Duration kTellRest = absl::Seconds(2);
constexpr int kMaxRuns = 10'000;  // of tasks at one instant

// A task that never asks for rest would stop virtual time.
[[noreturn]] void DieRestless() {
  std::fputs("a task of core never rests\n", stderr);
  std::abort();
}

}  // namespace

Replica::Replica(Store& store, const Clock& clock, const MonotonicClock& monotonic,
                 std::string instance, MonitorAdmin::TokenSource tokens)
    : store_(store),
      clock_(clock),
      instance_(std::move(instance)),
      recorder_(store, clock, monotonic, {.cached_tokens = 1000}, recorder_metrics_),
      guard_(store, recorder_, clock, {.instance = instance_}, guard_metrics_),
      sweeper_(store, guard_, clock, {}, sweeper_metrics_),
      deliveries_(store, clock, {}, delivery_metrics_),
      monitors_(store, clock, std::move(tokens)),
      maintenances_(store, clock) {
  const absl::Time now = clock.Now();
  // As server.cc does: after a failure the next one tries again.
  tasks_[kAwake] = {[this] {
                      recorder_.NoteAwake();
                      return PushRecorder::kAwakeEvery;
                    },
                    now};
  tasks_[kTouch] = {[this] {
                      guard_.TouchNow().IgnoreError();
                      return kTouchRest;
                    },
                    now};
  tasks_[kSweep] = {[this] { return sweeper_.Sweep(); }, now};
  tasks_[kReports] = {[this] { return deliveries_.TickReports(); }, now};
  tasks_[kDeliveries] = {[this] { return deliveries_.TickLeases(); }, now};
  tasks_[kTell] = {
      [this] {
        guard_.TellGaps().IgnoreError();
        store_.WakeSweeps(MaintenanceAdmin::kWokenTogether, clock_.Now()).IgnoreError();
        return kTellRest;
      },
      now};
  guard_.OnUrgent([this] { tasks_[kTouch].due = clock_.Now(); });
  deliveries_.OnUrgent([this] { tasks_[kDeliveries].due = clock_.Now(); },
                       [this] { tasks_[kReports].due = clock_.Now(); });
  recorder_.Start();
}

Replica::~Replica() { recorder_.Stop(); }

void Replica::GatewayComes() {
  has_gateway_ = true;
  guard_.GatewayConnected();
}

void Replica::GatewayLeaves() {
  has_gateway_ = false;
  guard_.GatewayDisconnected();
}

void Replica::RunDue() {
  const absl::Time now = clock_.Now();
  if (has_gateway_) guard_.GatewayHeard(now);
  for (int runs = 0; NextDue() <= now; ++runs) {
    if (runs == kMaxRuns) DieRestless();
    for (Task& task : tasks_) {
      if (task.due > now) continue;
      // What wakes it while it runs makes it run again.
      task.due = absl::InfiniteFuture();
      const absl::Duration rest = task.run();
      task.due = std::min(task.due, now + rest);
    }
  }
}

absl::Time Replica::NextDue() const {
  return std::min_element(tasks_.begin(), tasks_.end(),
                          [](const Task& a, const Task& b) { return a.due < b.due; })
      ->due;
}

void Replica::Wake(const News& news) {
  if (news.sweep) tasks_[kSweep].due = clock_.Now();
  if (news.deliveries) tasks_[kDeliveries].due = clock_.Now();
}

std::vector<PushAnswer> Replica::Submit(PushItem item, bool stop) {
  std::vector<PushAnswer> answers;
  absl::Notification answered;
  recorder_.Submit({std::move(item)}, [&](std::vector<PushAnswer> given) {
    answers = std::move(given);
    answered.Notify();
  });
  if (stop) recorder_.Stop();
  answered.WaitForNotification();
  return answers;
}

PushAnswer Replica::Push(PushItem item) { return Submit(std::move(item), false).front(); }

PushAnswer Replica::PushAndStop(PushItem item) { return Submit(std::move(item), true).front(); }

void Replica::LiveQuietly(absl::Time until) {
  Task& touch = tasks_[kTouch];
  const int64_t touches = (until - touch.due) / kTouchRest;
  if (touches <= 0) return;
  const absl::Time last = touch.due + (touches - 1) * kTouchRest;
  const absl::Status status =
      store_.Transact(TransactionClass::kCommitter0, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Touch> rows, transaction.ReadTouches());
        for (Touch row : rows) {
          if (row.instance != instance_) continue;
          row.at = last;
          if (has_gateway_) row.gateway_seen_at = last;
          return transaction.SaveTouch(row);
        }
        return absl::OkStatus();  // it has not touched yet
      });
  if (!status.ok()) return;
  touch.due = last + kTouchRest;
  tasks_[kAwake].due = std::max(tasks_[kAwake].due, last + PushRecorder::kAwakeEvery);
}

}  // namespace tocsin::core::simulation
