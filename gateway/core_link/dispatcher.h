// Turns single pushes into batches on streams to core, and sees each push through: batches that
// form while others are in flight, another try elsewhere when one fails, an end after a bounded
// time.
//
// No I/O and no threads: streams are an interface, time is an argument. Loop thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/core_link/pending_push.h"
#include "gateway/core_link/shed_clock.h"
#include "tocsin/internal/v1/push_service.pb.h"

namespace tocsin::gateway {

// A connected stream to one replica of core.
class CoreStream {
 public:
  using Batch = std::unique_ptr<internal::v1::PushStreamRequest>;
  virtual ~CoreStream() = default;

  // An empty batch to fill, whose memory was used before.
  virtual Batch NewBatch() = 0;
  virtual void Send(Batch batch) = 0;
  // It owes answers that nobody waits for any more: break the connection and make a new one. The
  // dispatcher has forgotten the stream when it calls this.
  virtual void Reset() = 0;
  // Nothing more will be sent and nothing is owed: end it. The dispatcher has forgotten it.
  virtual void Finish() = 0;
};

// Who is told the outcome of each push, exactly once. The push is void afterwards.
class OutcomeSink {
 public:
  virtual ~OutcomeSink() = default;
  virtual void OnOutcome(PendingPush& push, PushResult result, absl::Duration now) = 0;
};

struct DispatcherOptions {
  std::string gateway_name;
  size_t max_batch = 1000;
  size_t max_batches_in_flight = 3;  // per stream
  // How long a few pushes wait for the answers that a stream owes, to go as one batch with those
  // that come meanwhile. The event loop counts whole milliseconds: it may be one more.
  absl::Duration small_batch_wait = absl::Milliseconds(1);
  size_t max_pending = 20'000;
  absl::Duration attempt_timeout = absl::Seconds(1);
  absl::Duration push_timeout = absl::Seconds(5);
  absl::Duration min_backoff = absl::Milliseconds(20);  // after "unavailable", doubled each time
  absl::Duration max_backoff = absl::Milliseconds(500);
  // An idle stream says that we are here, so often and when it is asked; InfiniteDuration: only
  // then.
  absl::Duration sign_of_life = absl::Milliseconds(500);
};

// Since the start, except the gauges.
struct DispatcherStats {
  int64_t batches = 0;
  int64_t pushes_sent = 0;  // retries count again
  int64_t retries = 0;
  int64_t refused = 0;           // by max_pending
  int64_t timed_out = 0;         // after push_timeout
  int64_t late_answers = 0;      // that came after their attempt was given up, and were used
  size_t pending = 0;            // gauge
  size_t batches_in_flight = 0;  // gauge
  size_t streams = 0;            // gauge

  friend bool operator==(const DispatcherStats&, const DispatcherStats&) = default;
};

class Dispatcher {
 public:
  using StreamId = uint64_t;

  // The sink must outlive the dispatcher.
  Dispatcher(DispatcherOptions options, OutcomeSink& sink);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // A push to fill for Submit() or Discard().
  PendingPush* Take() { return pool_.Take(); }
  void Discard(PendingPush* push) { pool_.Return(push); }
  // False when too many wait: the push was refused and is void, the sink is not told.
  bool Submit(PendingPush* push, absl::Duration now);

  // A stream is connected; it must outlive its Remove(), Reset() or Finish(). Never 0.
  StreamId Add(CoreStream* stream);
  // The core at the other end has greeted: it knows of push keys. One of a release before them
  // would take such a push for one with a token that nobody has, so it gets none.
  void Greeted(StreamId id);
  // The stream has ended, cleanly or not: what it owed is sent elsewhere.
  void Remove(StreamId id, absl::Duration now);
  // No more batches for it; it is finished once it owes nothing.
  void Retire(StreamId id);
  void OnAnswer(StreamId id, const internal::v1::PushStreamResponse& answer, absl::Duration now);

  // Sends what can be sent and gives up what has waited too long. Returns when it wants to be
  // called again at the latest.
  absl::Duration OnTurn(absl::Duration now);

  // Pushes were refused before they came here (too many connections).
  void NoteRefusal(absl::Duration now) { shed_.NoteRefusal(now); }
  // A push that went another way (a call of its own) came at `from` and failed at `now`, for want
  // of a core.
  void NoteFailure(absl::Duration from, absl::Duration now) { shed_.Note(from, now); }

  // Whether a push would find a stream.
  bool connected() const;
  absl::Duration shed_total() const { return shed_.total(); }
  const DispatcherStats& stats() const { return stats_; }
  // How many batches were of up to kBatchSizes[i] pushes (the last: of more) since the last call.
  static constexpr size_t kBatchSizes[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
  std::vector<double> TakeBatchSizes(double& sum);

 private:
  struct Batch {
    uint64_t id = 0;
    absl::Duration sent;
    absl::Duration oldest = absl::InfiniteDuration();  // when the first of its pushes came
    uint64_t shed_micros = 0;
    bool given_up = false;  // its pushes were sent elsewhere
    std::vector<PushRef> pushes;
  };
  struct Stream {
    StreamId id = 0;
    CoreStream* stream = nullptr;
    std::deque<Batch> in_flight;                      // oldest first
    absl::Duration sent = -absl::InfiniteDuration();  // the newest batch
    bool named = false;                               // has our name
    bool greeted = false;                             // see Greeted()
    bool asked = false;                               // core waits for a sign of life
    bool stalled = false;  // owed an answer for longer than an attempt may take
    bool retired = false;
    absl::Duration unhealthy_until = -absl::InfiniteDuration();  // it said "unavailable"
    absl::Duration backoff;
  };
  struct Retry {
    absl::Duration due;
    PushRef push;
    bool operator>(const Retry& other) const { return due > other.due; }
  };
  enum class Health { kStalled, kUnhealthy, kGood };

  static Health HealthOf(const Stream& stream, absl::Duration now);
  Stream* Find(StreamId id);
  Stream* ChooseStream(bool with_key, absl::Duration now);
  // Whether what is ready should go to `to` now, rather than with what comes until it has answered.
  bool WorthABatch(const Stream& to, absl::Duration now) const;
  // When the oldest of what is ready has waited for small_batch_wait.
  absl::Duration WaitedEnough() const;
  // Sends what is in `queue`, which is one of both, as far as streams take it.
  void SendReady(std::deque<PushRef>& queue, absl::Duration now);
  // The next push for a batch to that stream, or nothing.
  std::optional<PushRef> NextReady(const Stream& to);
  std::deque<PushRef>& QueueOf(const PendingPush& push) {
    return push.monitor_id.empty() ? ready_ : ready_with_key_;
  }
  // Of at most `limit` pushes that are ready; of none it is a sign of life.
  void SendBatch(Stream& to, size_t limit, absl::Duration now);
  void GiveSignsOfLife(absl::Duration now);
  // When the stream wants its next sign of life.
  absl::Duration NextSignOfLife(const Stream& stream) const;
  // For how long the oldest push waits that `to` was not given.
  absl::Duration HeldElsewhere(const Stream& to, absl::Duration now) const;
  void CountBatch(size_t size);
  void Fill(internal::v1::Push& out, const PendingPush& push, absl::Duration now);
  void Apply(Stream& from, Batch& batch, const internal::v1::PushStreamResponse& answer,
             absl::Duration now);
  void Finish(PendingPush& push, PushResult result, absl::Duration now);
  void RetryLater(PendingPush& push, absl::Duration now);
  void SendElsewhere(Batch& batch);
  void CheckStreams(absl::Duration now);
  void ExpirePushes(absl::Duration now);
  void TakeDueRetries(absl::Duration now);
  void FinishRetired();
  std::vector<PushRef> TakeRefs();
  absl::Duration NextEvent(absl::Duration now) const;

  const DispatcherOptions options_;
  OutcomeSink& sink_;
  PushPool pool_;
  ShedClock shed_;
  DispatcherStats stats_;
  std::vector<double> batch_sizes_;
  double batch_size_sum_ = 0;

  std::vector<std::unique_ptr<Stream>> streams_;
  size_t next_stream_ = 0;  // round robin
  StreamId last_stream_id_ = 0;
  uint64_t last_batch_id_ = 0;

  std::deque<PushRef> ready_;           // to be sent, oldest first
  std::deque<PushRef> ready_with_key_;  // the same, of push keys
  std::deque<PushRef> arrivals_;        // all that wait, in order of arrival
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  std::vector<std::vector<PushRef>> spare_refs_;
};

}  // namespace tocsin::gateway
