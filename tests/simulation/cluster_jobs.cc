// What comes from outside by itself: jobs, and the gateways that carry their pushes.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "tests/simulation/cluster.h"

namespace tocsin::core::simulation {
namespace {

// How long a gateway tries, and how long it waits for one core.
constexpr absl::Duration kRetryTime = absl::Seconds(5);
constexpr absl::Duration kCoreTimeout = absl::Seconds(1);

}  // namespace

void Cluster::RunJobs() {
  for (size_t i = 0; i < jobs_.size(); ++i) {
    Job& job = jobs_[i];
    if (job.dies_at <= Now()) {
      // It comes back when it has long been found.
      job.pushes_at = Now() + Between(absl::Minutes(1), absl::Minutes(8));
      job.dies_at = job.pushes_at + Between(absl::Minutes(1), absl::Minutes(6));
      if (calm_) job.dies_at = absl::InfiniteFuture();
    }
    if (job.pushes_at <= Now()) PushFrom(i);
  }
}

void Cluster::PushFrom(size_t index) {
  Job& job = jobs_[index];
  const absl::Duration interval = IntervalOf(job.twin->definition().schedule);
  job.pushes_at = Now() + Between(interval * 4 / 5, interval);
  Waiting waiting;
  waiting.job = index;
  waiting.item.token = Sha256(job.token);
  Heartbeat& heartbeat = waiting.item.heartbeat;
  heartbeat.at = Now();
  heartbeat.push_id = ++pushes_;
  heartbeat.source = job.source;
  if (!calm_ && job.character == Character::kFlapping && Chance(30)) {
    heartbeat.kind = HeartbeatKind::kDown;
    heartbeat.message = Chance(50) ? "disk full" : "";
  }
  waiting.next_try = Now();
  waiting.gives_up_at = Now() + kRetryTime;
  // A run lasts from one push to the next. On their way its start and its end may overtake each
  // other.
  heartbeat.run_id = std::exchange(job.run, "");
  if (Chance(10)) {
    Waiting log = waiting;
    log.item.heartbeat.kind = Chance(50) ? HeartbeatKind::kLog : HeartbeatKind::kStart;
    log.item.heartbeat.push_id = ++pushes_;
    waiting_.push_back(std::move(log));
  }
  if (!calm_ && Chance(20)) {
    job.run = absl::StrCat("run-", pushes_);
    Waiting start = waiting;
    start.item.heartbeat.kind = HeartbeatKind::kStart;
    start.item.heartbeat.run_id = job.run;
    start.item.heartbeat.push_id = ++pushes_;
    // It waits until the next push is about to come, now and then.
    if (Chance(20)) start.next_try = job.pushes_at;
    start.gives_up_at = start.next_try + kRetryTime;
    waiting_.push_back(std::move(start));
  }
  waiting_.push_back(std::move(waiting));
}

void Cluster::RunGateways() {
  // What is put back comes after all that were there.
  for (size_t left = waiting_.size(); left > 0; --left) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiting.next_try <= Now() && TryPush(waiting)) continue;
    waiting_.push_back(std::move(waiting));
  }
}

Cluster::Host& Cluster::NextHost() {
  const auto stalled = [this](const Host& host) {
    return !host.socket.empty() && Now() - host.socket.front().at >= kCoreTimeout;
  };
  for (size_t i = 0; i < hosts_.size(); ++i) {
    Host& host = hosts_[++next_host_ % hosts_.size()];
    if (!stalled(host)) return host;
  }
  return hosts_[++next_host_ % hosts_.size()];
}

bool Cluster::TryPush(Waiting& waiting) {
  if (Now() > waiting.gives_up_at) return true;
  if (gateways_away_ && waiting.item.heartbeat.source == Source::kHttp) return true;
  Host& host = NextHost();
  waiting.next_try = Now() + Between(absl::Milliseconds(50), absl::Milliseconds(250));
  if (host.core == nullptr) return false;
  if (host.connection->away()) {
    waiting.item.retried = true;
    return false;
  }
  ++retries_;
  if (host.thaws_at > Now()) {
    host.socket.push_back({.job = waiting.job, .item = waiting.item, .at = Now()});
    waiting.item.retried = true;
    waiting.next_try = Now() + kCoreTimeout;
    return false;
  }
  // Its recorder would try again for as long as its clock stands still.
  if (host.doomed || (&host != &hosts_[sound_] && !calm_ && Chance(5))) {
    CrashUnder(host, waiting);
    waiting.item.retried = true;
    return false;
  }
  if (!Hand(host, waiting.job, waiting.item)) {
    waiting.item.retried = true;
    return false;
  }
  --retries_;
  return true;
}

bool Cluster::Hand(Host& host, size_t job, const PushItem& item) {
  const uint64_t push_id = item.heartbeat.push_id;
  // While it is away its recorder would wait for ever, on a clock that stands still.
  if (host.connection->away()) return false;
  const PushAnswer answer = host.core->Push(item);
  jobs_[job].twin->AfterPush(push_id, Now());
  switch (answer.result) {
    case PushResult::kRecorded:
    case PushResult::kRecordedPaused:
    case PushResult::kCreated:
      acknowledged_.insert({job, push_id});
      return true;
    case PushResult::kUnavailable:
      return false;
    default:
      faults_.push_back("a push with a good token was refused");
      return true;
  }
}

// With the push under way: before, in, or after its transaction.
void Cluster::CrashUnder(Host& host, const Waiting& waiting) {
  host.connection->Spare();
  if (Chance(80)) host.connection->DieNext(DrawDeath());
  host.core->PushAndStop(waiting.item);
  jobs_[waiting.job].twin->AfterPush(waiting.item.heartbeat.push_id, Now());
  Crash(host, Between(absl::Milliseconds(100), absl::Seconds(15)));
}

}  // namespace tocsin::core::simulation
