// Two committers, and the group commit that empties the queue.
#include "services/core/engine/push_recorder.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/random.h"
#include "common/standstills.h"
#include "services/core/engine/full_path.h"
#include "services/core/engine/key_uses.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_access.h"
#include "services/core/engine/push_group.h"
#include "services/core/engine/push_queue.h"
#include "services/core/engine/token_cache.h"
#include "services/core/engine/token_resolver.h"

namespace tocsin::core {
namespace {

// Between tries while the store is unavailable.
constexpr absl::Duration kFirstWait = absl::Milliseconds(5);
constexpr absl::Duration kLongestWait = absl::Milliseconds(50);
// How long something may have waited in a socket and still be found in the history, which is looked
// at for 15 s before it was read (FindRecorded): a second less, for clocks that differ and for what
// waited a moment before the standstill. The gateways try for a shorter time.
constexpr absl::Duration kLookedFor = absl::Seconds(14);

std::string OutcomeName(const FullPathOutcome& outcome) {
  switch (outcome.answer.result) {
    case PushResult::kUnknownToken:
      return "unknown_token";
    case PushResult::kMissing:
    case PushResult::kMayNotCreate:
    case PushResult::kDeleted:
      return "no_monitor";
    default:
      break;
  }
  if (outcome.duplicate) return "duplicate";
  if (outcome.answer.result == PushResult::kRecordedPaused) return "paused";
  return outcome.answer.reason == Reason::kStale ? "stale" : "recorded";
}

TransactionClass ClassOf(int committer) {
  return committer == 0 ? TransactionClass::kCommitter0 : TransactionClass::kCommitter1;
}

}  // namespace

class PushRecorder::Impl {
 public:
  Impl(Store& store, const Clock& clock, const MonotonicClock& monotonic, RecorderOptions options,
       RecorderMetrics& metrics)
      : store_(store),
        clock_(clock),
        monotonic_(monotonic),
        options_(options),
        metrics_(metrics),
        cache_(options.cached_tokens) {}

  void Start() {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || !threads_.empty()) return;
    for (int i = 0; i < kPushCommitters; ++i) threads_.emplace_back([this, i] { Commit(i); });
  }

  void Stop() {
    std::vector<std::thread> threads;
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      threads = std::exchange(threads_, {});
    }
    for (std::thread& thread : threads) thread.join();
    AbandonQueue();
  }

  void Submit(std::vector<PushItem> items, Done done) {
    if (items.empty()) return std::move(done)({});
    const absl::Duration monotonic = monotonic_.Now();
    const absl::Time now = clock_.Now();
    auto batch = std::make_shared<PushBatch>();
    batch->answers.resize(items.size());
    batch->remaining = items.size();
    {
      absl::MutexLock lock(&mutex_);
      const absl::Duration locked = MarkAwake();
      // It may have waited unseen in a socket, and the gateway may have sent it elsewhere
      // meanwhile.
      const std::optional<absl::Duration> unseen_since = standstills_.UnseenSince();
      const bool retried = unseen_since.has_value();
      const bool too_long = retried && locked - *unseen_since > kLookedFor;
      if (!stopping_ && !too_long && queue_.size() + items.size() <= options_.queue_limit) {
        batch->done = std::move(done);
        // What waited in a gateway is held since then: nothing younger is settled.
        absl::Duration oldest;
        for (const PushItem& item : items) oldest = std::max(oldest, now - item.heartbeat.at);
        batch->begun = begun_.insert(monotonic - oldest);
        for (size_t i = 0; i < items.size(); ++i) {
          const absl::Duration age = now - items[i].heartbeat.at;
          // By its id a push in doubt is found again.
          uint64_t& push_id = items[i].heartbeat.push_id;
          if (push_id == 0) push_id = RandomId();
          items[i].retried |= retried;
          queue_.Add(QueuedPush{.batch = batch,
                                .index = i,
                                .item = std::move(items[i]),
                                .begun = monotonic - std::max(age, absl::ZeroDuration())});
        }
        metrics_.queue.Set(static_cast<double>(queue_.size()));
        return;
      }
    }
    for (const PushItem& item : items) {
      metrics_.Heartbeats(item.heartbeat.kind, "unavailable").Increment();
    }
    std::move(done)(std::move(batch->answers));
  }

  void SubmitTouch(std::function<absl::Status(Transaction&)> body, TouchDone done) {
    {
      absl::MutexLock lock(&mutex_);
      MarkAwake();
      if (!stopping_) {
        queue_.AddTouch({.body = std::move(body), .done = std::move(done)});
        return;
      }
    }
    std::move(done)(absl::UnavailableError("the recorder is stopping"));
  }

  void NoteAwake() {
    absl::MutexLock lock(&mutex_);
    MarkAwake();
  }

  absl::Duration OldestAge() const {
    const absl::Duration now = monotonic_.Now();
    absl::MutexLock lock(&mutex_);
    return begun_.empty() ? absl::ZeroDuration() : now - *begun_.begin();
  }

  void FlushCache() {
    cache_.Clear();
    metrics_.cached_tokens.Set(0);
  }

  void DoubtKeys() { cache_.DoubtKeys(); }

  KeyUses& key_uses() { return uses_; }

 private:
  // The loop of one committer's thread.
  void Commit(int committer) {
    absl::Duration wait = kFirstWait;
    while (true) {
      std::optional<PushQueue::Group> taken = Take(committer);
      if (!taken.has_value()) return;
      PushQueue::Group& group = *taken;
      if (!group.touch.empty()) {
        PushQueue::Touch& touch = group.touch.front();
        std::move(touch.done)(store_.Transact(ClassOf(committer), touch.body));
        continue;
      }
      DropOld(group.entries);
      std::vector<QueuedPush*> again = Record(committer, group.entries);
      const bool in_vain = !again.empty() && again.size() == group.entries.size();
      if (again.empty()) wait = kFirstWait;
      if (!Finish(committer, again) || !in_vain) continue;
      WaitBeforeRetry(wait);
      wait = std::min(wait * 2, kLongestWait);
    }
  }

  // Nothing when there is no more, and there will be none.
  std::optional<PushQueue::Group> Take(int committer) {
    absl::MutexLock lock(&mutex_);
    const auto has_work = [this, committer]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return queue_.HasWork(committer) || (stopping_ && queue_.empty());
    };
    while (true) {
      mutex_.Await(absl::Condition(&has_work));
      if (queue_.empty()) return std::nullopt;
      Linger();
      PushQueue::Group group = queue_.Take(committer, options_.group_limit);
      metrics_.queue.Set(static_cast<double>(queue_.size()));
      if (!group.entries.empty()) last_taken_ = monotonic_.Now();
      if (!group.touch.empty() || !group.entries.empty()) return group;
    }
  }

  // Waits until a group is worth its costs.
  void Linger() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (options_.lingers == nullptr || !options_.lingers()) return;
    const auto is_enough = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return stopping_ || queue_.has_touches() || queue_.size() >= options_.linger_enough;
    };
    const absl::Duration left = last_taken_ + options_.linger_for - monotonic_.Now();
    if (left > absl::ZeroDuration()) mutex_.AwaitWithTimeout(absl::Condition(&is_enough), left);
  }

  void DropOld(std::vector<QueuedPush>& entries) {
    const absl::Duration now = monotonic_.Now();
    std::vector<QueuedPush> young;
    young.reserve(entries.size());
    for (QueuedPush& entry : entries) {
      if (now - entry.begun > options_.max_age) {
        Fail(entry, PushResult::kUnavailable);
      } else {
        young.push_back(std::move(entry));
      }
    }
    entries = std::move(young);
  }

  // Records a group, answers what is decided, and returns what is to be tried again, in order.
  std::vector<QueuedPush*> Record(int committer, std::vector<QueuedPush>& entries) {
    std::vector<QueuedPush*> again;
    if (entries.empty()) return again;
    metrics_.group_size.Observe(static_cast<double>(entries.size()));
    const absl::Duration begun = monotonic_.Now();
    std::vector<QueuedPush*> full;
    std::vector<SteadyCandidate> steady;
    DivideGroup(entries, cache_, clock_.Now(), begun, steady, full);
    if (ResolveTokens(store_, ClassOf(committer), full, clock_.Now(), cache_, uses_)) {
      steady.clear();
      full.clear();
      DivideGroup(entries, cache_, clock_.Now(), begun, steady, full);
    }
    FastPath(committer, steady, full, again);
    // In order of arrival.
    std::sort(full.begin(), full.end());
    FullPath(committer, full, again);
    std::sort(again.begin(), again.end());
    metrics_.commit_duration.Observe(absl::ToDoubleSeconds(monotonic_.Now() - begun));
    return again;
  }

  // Adds what did not qualify to `full`, and what is to be tried again to `again`.
  void FastPath(int committer, const std::vector<SteadyCandidate>& steady,
                std::vector<QueuedPush*>& full, std::vector<QueuedPush*>& again) {
    if (steady.empty()) return;
    std::vector<SteadyUp> newest, folded;
    for (size_t i = 0; i < steady.size(); ++i) {
      const bool is_newest =
          i + 1 == steady.size() || steady[i + 1].token.monitor != steady[i].token.monitor;
      (is_newest ? newest : folded).push_back(SteadyUpOf(steady[i]));
    }
    const absl::StatusOr<std::vector<MonitorKey>> recorded =
        store_.RecordSteadyUps(committer, newest, folded);
    if (absl::IsUnknown(recorded.status())) metrics_.in_doubt.Increment();
    for (const SteadyCandidate& candidate : steady) {
      QueuedPush& entry = *candidate.entry;
      if (absl::IsUnknown(recorded.status())) {
        entry.item.retried = true;
        again.push_back(&entry);
      } else if (absl::IsUnavailable(recorded.status())) {
        entry.tried = true;
        again.push_back(&entry);
      } else if (recorded.ok() &&
                 std::binary_search(recorded->begin(), recorded->end(), candidate.token.monitor)) {
        metrics_.fast_path.Increment();
        metrics_.Heartbeats(entry.item.heartbeat.kind, "recorded").Increment();
        Answer(entry, PushAnswer{PushResult::kRecorded, Reason::kRecorded, candidate.token.name});
      } else {
        cache_.Drop(entry.item.token);
        full.push_back(&entry);
      }
    }
  }

  void FullPath(int committer, absl::Span<QueuedPush* const> entries,
                std::vector<QueuedPush*>& again) {
    if (entries.empty()) return;
    std::vector<const PushItem*> items;
    items.reserve(entries.size());
    for (const QueuedPush* entry : entries) items.push_back(&entry->item);
    const bool tried = std::any_of(entries.begin(), entries.end(),
                                   [](const QueuedPush* entry) { return entry->tried; });
    std::vector<FullPathOutcome> outcomes;
    const absl::Status status =
        RecordOnFullPath(store_, ClassOf(committer), tried ? LockMode::kSkip : LockMode::kWait,
                         clock_, items, outcomes);
    if (status.ok()) {
      for (size_t i = 0; i < entries.size(); ++i) {
        if (outcomes[i].blocked) {
          again.push_back(entries[i]);
        } else {
          Settle(*entries[i], std::move(outcomes[i]));
        }
      }
      metrics_.cached_tokens.Set(static_cast<double>(cache_.size()));
      return;
    }
    if (absl::IsUnknown(status)) metrics_.in_doubt.Increment();
    if (absl::IsUnknown(status) || absl::IsUnavailable(status)) {
      for (QueuedPush* entry : entries) {
        entry->item.retried |= absl::IsUnknown(status);
        entry->tried |= absl::IsUnavailable(status);
        again.push_back(entry);
      }
      return;
    }
    if (entries.size() > 1) {
      // What is poisonous fails alone.
      const absl::Span<QueuedPush* const> later = entries.subspan(entries.size() / 2);
      const size_t failed = again.size();
      FullPath(committer, entries.first(entries.size() - later.size()), again);
      if (again.size() == failed) {
        FullPath(committer, later, again);
      } else {
        // Nothing may overtake what is tried again.
        again.insert(again.end(), later.begin(), later.end());
      }
      return;
    }
    Fail(*entries.front(),
         absl::IsDataLoss(status) ? PushResult::kInvalid : PushResult::kUnavailable);
  }

  void Settle(QueuedPush& entry, FullPathOutcome outcome) {
    metrics_.full_path.Increment();
    metrics_.Heartbeats(entry.item.heartbeat.kind, OutcomeName(outcome)).Increment();
    if (outcome.push_key != 0) uses_.Note(outcome.push_key, outcome.resolved_at);
    if (outcome.cached.has_value()) {
      KeepAccess(cache_, entry.item, *std::move(outcome.cached), outcome.resolved_at);
    } else {
      cache_.Drop(entry.item.token);
    }
    Answer(entry, std::move(outcome.answer));
  }

  // What was taken is done, but for `again`. False when it is stopping: they are answered then.
  bool Finish(int committer, const std::vector<QueuedPush*>& again) {
    {
      absl::MutexLock lock(&mutex_);
      queue_.Finish(committer, stopping_ ? std::vector<QueuedPush*>() : again);
      metrics_.queue.Set(static_cast<double>(queue_.size()));
      if (!stopping_) return true;
    }
    for (QueuedPush* entry : again) Fail(*entry, PushResult::kUnavailable);
    return false;
  }

  void WaitBeforeRetry(absl::Duration wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), wait);
  }

  void Fail(QueuedPush& entry, PushResult result) {
    metrics_
        .Heartbeats(entry.item.heartbeat.kind,
                    result == PushResult::kInvalid ? "invalid" : "unavailable")
        .Increment();
    Answer(entry, PushAnswer{result, Reason::kNothingToDo, nullptr});
  }

  void Answer(QueuedPush& entry, PushAnswer answer) {
    PushBatch& batch = *entry.batch;
    batch.answers[entry.index] = std::move(answer);
    if (batch.remaining.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    {
      absl::MutexLock lock(&mutex_);
      begun_.erase(batch.begun);
    }
    std::move(batch.done)(std::move(batch.answers));
  }

  // What is left when there was no committer to take it.
  void AbandonQueue() {
    std::vector<QueuedPush> left;
    std::vector<PushQueue::Touch> touches;
    {
      absl::MutexLock lock(&mutex_);
      while (!queue_.empty()) {
        PushQueue::Group group = queue_.Take(0, options_.group_limit);
        std::move(group.entries.begin(), group.entries.end(), std::back_inserter(left));
        std::move(group.touch.begin(), group.touch.end(), std::back_inserter(touches));
        queue_.Finish(0, {});
      }
      metrics_.queue.Set(0);
    }
    for (QueuedPush& entry : left) Fail(entry, PushResult::kUnavailable);
    for (PushQueue::Touch& touch : touches) {
      std::move(touch.done)(absl::UnavailableError("the recorder is stopping"));
    }
  }

  // Reads the clock under the lock, so that no mark lies within a standstill; returns what it says.
  absl::Duration MarkAwake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const absl::Duration now = monotonic_.Now();
    standstills_.MarkAwake(now);
    return now;
  }

  Store& store_;
  const Clock& clock_;
  const MonotonicClock& monotonic_;
  const RecorderOptions options_;
  RecorderMetrics& metrics_;
  KeyUses uses_;
  TokenCache cache_;

  mutable absl::Mutex mutex_;
  PushQueue queue_ ABSL_GUARDED_BY(mutex_);
  Standstills standstills_ ABSL_GUARDED_BY(mutex_){kRecorderStandstills};
  std::multiset<absl::Duration> begun_ ABSL_GUARDED_BY(mutex_);  // of batches not answered
  absl::Duration last_taken_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();  // a group
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

PushRecorder::PushRecorder(Store& store, const Clock& clock, const MonotonicClock& monotonic,
                           RecorderOptions options, RecorderMetrics& metrics)
    : impl_(std::make_unique<Impl>(store, clock, monotonic, options, metrics)) {}

PushRecorder::~PushRecorder() { impl_->Stop(); }

void PushRecorder::Start() { impl_->Start(); }
void PushRecorder::Stop() { impl_->Stop(); }

void PushRecorder::Submit(std::vector<PushItem> batch, Done done) {
  impl_->Submit(std::move(batch), std::move(done));
}

void PushRecorder::SubmitTouch(std::function<absl::Status(Transaction&)> body, TouchDone done) {
  impl_->SubmitTouch(std::move(body), std::move(done));
}

void PushRecorder::NoteAwake() { impl_->NoteAwake(); }

absl::Duration PushRecorder::OldestAge() const { return impl_->OldestAge(); }

void PushRecorder::FlushCache() { impl_->FlushCache(); }

void PushRecorder::DoubtKeys() { impl_->DoubtKeys(); }

KeyUses& PushRecorder::key_uses() { return impl_->key_uses(); }

}  // namespace tocsin::core
