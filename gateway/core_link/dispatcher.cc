// Batching, retries and the choice of a stream.
#include "gateway/core_link/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/random.h"

namespace tocsin::gateway {
namespace {

using internal::v1::PushOutcome;

// Core clamps to this, too (proto/tocsin/internal/v1/push_service.proto).
constexpr absl::Duration kMaxAge = absl::Seconds(10);
constexpr size_t kMaxSpareRefs = 16;
// Core reads no message above 4 MiB. One push more than this is well below it.
constexpr size_t kMaxBatchBytes = 3 * 1024 * 1024;
// More than a push without its texts takes on the wire.
constexpr size_t kPushBytes = 300;
// A batch costs gateway, core and PostgreSQL as much as some fifteen pushes, whatever is in it.
// While a stream owes answers, fewer than these wait for them, or for `small_batch_wait`.
constexpr size_t kSmallBatch = 16;
// While it owes answers to this many, small batches would cost more than they gain, however long
// that takes.
constexpr size_t kManyInFlight = 64;
// How long after a push has given up its stream may still answer, before it is reset.
constexpr absl::Duration kResetAfter = absl::Seconds(1);

// Takes from the front what has been answered meanwhile.
void DropDone(std::deque<PushRef>& queue) {
  while (!queue.empty() && !queue.front().waiting()) queue.pop_front();
}

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options, OutcomeSink& sink)
    : options_(std::move(options)), sink_(sink), batch_sizes_(std::size(kBatchSizes) + 1) {}
Dispatcher::~Dispatcher() = default;

bool Dispatcher::Submit(PendingPush* push, absl::Duration now) {
  if (stats_.pending >= options_.max_pending) {
    ++stats_.refused;
    shed_.NoteRefusal(now);
    pool_.Return(push);
    return false;
  }
  ++stats_.pending;
  const PushRef ref(*push);
  QueueOf(*push).push_back(ref);
  arrivals_.push_back(ref);
  return true;
}

Dispatcher::StreamId Dispatcher::Add(CoreStream* stream) {
  auto added = std::make_unique<Stream>();
  added->id = ++last_stream_id_;
  added->stream = stream;
  added->backoff = options_.min_backoff;
  streams_.push_back(std::move(added));
  ++stats_.streams;
  return last_stream_id_;
}

Dispatcher::Stream* Dispatcher::Find(StreamId id) {
  for (const auto& stream : streams_) {
    if (stream->id == id) return stream.get();
  }
  return nullptr;
}

void Dispatcher::Greeted(StreamId id) {
  if (Stream* stream = Find(id)) stream->greeted = true;
}

void Dispatcher::Remove(StreamId id, absl::Duration) {
  const auto it = std::find_if(streams_.begin(), streams_.end(),
                               [id](const auto& stream) { return stream->id == id; });
  if (it == streams_.end()) return;
  const std::unique_ptr<Stream> gone = std::move(*it);
  streams_.erase(it);
  --stats_.streams;
  // Newest first, so that the oldest push ends up in front.
  for (auto batch = gone->in_flight.rbegin(); batch != gone->in_flight.rend(); ++batch) {
    --stats_.batches_in_flight;
    shed_.Return(batch->shed_micros);
    if (!batch->given_up) SendElsewhere(*batch);
  }
}

void Dispatcher::Retire(StreamId id) {
  if (Stream* stream = Find(id)) stream->retired = true;
}

// Puts the batch's pushes that still wait for it in front of the queue.
void Dispatcher::SendElsewhere(Batch& batch) {
  batch.given_up = true;
  for (auto ref = batch.pushes.rbegin(); ref != batch.pushes.rend(); ++ref) {
    if (!ref->waiting() || ref->push->batch != batch.id) continue;
    ref->push->batch = 0;
    QueueOf(*ref->push).push_front(*ref);
  }
}

void Dispatcher::OnAnswer(StreamId id, const internal::v1::PushStreamResponse& answer,
                          absl::Duration now) {
  Stream* const stream = Find(id);
  if (stream == nullptr) return;
  if (answer.speak()) {
    stream->asked = true;
    return;
  }
  const auto batch = std::find_if(stream->in_flight.begin(), stream->in_flight.end(),
                                  [&](const Batch& b) { return b.id == answer.batch_id(); });
  if (batch == stream->in_flight.end()) return;
  Batch answered = std::move(*batch);
  stream->in_flight.erase(batch);
  --stats_.batches_in_flight;
  stream->stalled = false;
  Apply(*stream, answered, answer, now);
  if (spare_refs_.size() < kMaxSpareRefs) {
    answered.pushes.clear();
    spare_refs_.push_back(std::move(answered.pushes));
  }
}

void Dispatcher::Apply(Stream& from, Batch& batch, const internal::v1::PushStreamResponse& answer,
                       absl::Duration now) {
  if (batch.pushes.empty()) return;  // a sign of life says nothing about recording
  const bool all_recorded = answer.outcomes().empty();
  const size_t outcomes = static_cast<size_t>(answer.outcomes_size());
  bool unavailable = false;
  for (size_t i = 0; i < batch.pushes.size(); ++i) {
    const PushRef ref = batch.pushes[i];
    PushOutcome outcome = internal::v1::PUSH_OUTCOME_RECORDED;
    // Core must answer every push; one that it left out is in doubt.
    if (!all_recorded) {
      outcome = i < outcomes ? answer.outcomes(static_cast<int>(i))
                             : internal::v1::PUSH_OUTCOME_UNAVAILABLE;
    }
    const bool given_up = !ref.waiting() || ref.push->batch != batch.id;
    if (given_up && ref.waiting() && outcome != internal::v1::PUSH_OUTCOME_UNAVAILABLE) {
      ++stats_.late_answers;
    }
    if (!ref.waiting()) continue;
    switch (outcome) {
      case internal::v1::PUSH_OUTCOME_RECORDED:
        Finish(*ref.push, ref.push->creates ? PushResult::kCreated : PushResult::kRecorded, now);
        break;
      case internal::v1::PUSH_OUTCOME_RECORDED_PAUSED:
        Finish(*ref.push, PushResult::kRecordedPaused, now);
        break;
      case internal::v1::PUSH_OUTCOME_CREATED:
        Finish(*ref.push, PushResult::kCreated, now);
        break;
      case internal::v1::PUSH_OUTCOME_MAY_NOT_CREATE:
        Finish(*ref.push, PushResult::kMayNotCreate, now);
        break;
      case internal::v1::PUSH_OUTCOME_TOO_MANY_MONITORS:
        Finish(*ref.push, PushResult::kTooManyMonitors, now);
        break;
      case internal::v1::PUSH_OUTCOME_DELETED:
        Finish(*ref.push, PushResult::kDeleted, now);
        break;
      case internal::v1::PUSH_OUTCOME_BEING_CREATED:
        // No fault of the core's: it is as healthy as before.
        ref.push->creates = true;
        if (!given_up) RetryLater(*ref.push, now);
        break;
      case internal::v1::PUSH_OUTCOME_UNKNOWN_TOKEN:
        Finish(*ref.push, PushResult::kUnknownToken, now);
        break;
      case internal::v1::PUSH_OUTCOME_INVALID:
        Finish(*ref.push, PushResult::kInvalid, now);
        break;
      default:
        unavailable = true;
        // When another batch carries it by now, that one decides.
        if (!given_up) RetryLater(*ref.push, now);
    }
  }
  if (unavailable) {
    // Or it would attract every push: nobody answers faster than who does nothing.
    from.unhealthy_until = now + from.backoff;
    from.backoff = std::min(2 * from.backoff, options_.max_backoff);
  } else {
    from.unhealthy_until = -absl::InfiniteDuration();
    from.backoff = options_.min_backoff;
  }
}

void Dispatcher::Finish(PendingPush& push, PushResult result, absl::Duration now) {
  --stats_.pending;
  sink_.OnOutcome(push, result, now);
  pool_.Return(&push);
}

void Dispatcher::RetryLater(PendingPush& push, absl::Duration now) {
  push.batch = 0;
  absl::Duration backoff = options_.min_backoff;
  for (uint32_t i = 1; i < push.attempts && backoff < options_.max_backoff; ++i) backoff *= 2;
  backoff = std::min(backoff, options_.max_backoff) * (0.75 + RandomFraction() / 2);
  retries_.push({now + backoff, PushRef(push)});
}

Dispatcher::Health Dispatcher::HealthOf(const Stream& stream, absl::Duration now) {
  if (stream.stalled) return Health::kStalled;
  return now < stream.unhealthy_until ? Health::kUnhealthy : Health::kGood;
}

// Among the healthiest streams, the one with the fewest batches in flight, in turns; nullptr when
// all of those have enough. A worse one never gets what a healthy but busy one will take soon.
Dispatcher::Stream* Dispatcher::ChooseStream(bool with_key, absl::Duration now) {
  Stream* best = nullptr;
  Health best_health = Health::kStalled;
  for (size_t i = 0; i < streams_.size(); ++i) {
    Stream* const stream = streams_[(next_stream_ + i) % streams_.size()].get();
    if (stream->retired || (with_key && !stream->greeted)) continue;
    const Health health = HealthOf(*stream, now);
    if (best != nullptr && health < best_health) continue;
    if (best == nullptr || health > best_health ||
        stream->in_flight.size() < best->in_flight.size()) {
      best = stream;
      best_health = health;
    }
  }
  if (best == nullptr || best->in_flight.size() >= options_.max_batches_in_flight) return nullptr;
  return best;
}

bool Dispatcher::WorthABatch(const Stream& to, absl::Duration now) const {
  size_t in_flight = 0;
  for (const Batch& batch : to.in_flight) in_flight += batch.pushes.size();
  const size_t ready = ready_.size() + ready_with_key_.size();
  if (in_flight >= kManyInFlight) return ready >= std::min(in_flight, options_.max_batch) / 4 * 3;
  // A sign of life that is due takes them along.
  return in_flight == 0 || ready >= kSmallBatch || WaitedEnough() <= now ||
         NextSignOfLife(to) <= now;
}

absl::Duration Dispatcher::WaitedEnough() const {
  absl::Duration first = absl::InfiniteDuration();
  for (const std::deque<PushRef>* queue : {&ready_, &ready_with_key_}) {
    if (!queue->empty()) first = std::min(first, queue->front().push->received);
  }
  return first + options_.small_batch_wait;
}

std::vector<PushRef> Dispatcher::TakeRefs() {
  if (spare_refs_.empty()) return {};
  std::vector<PushRef> refs = std::move(spare_refs_.back());
  spare_refs_.pop_back();
  return refs;
}

// Of both queues the one that came first.
std::optional<PushRef> Dispatcher::NextReady(const Stream& to) {
  DropDone(ready_);
  DropDone(ready_with_key_);
  const bool with_key = to.greeted && !ready_with_key_.empty();
  if (ready_.empty() && !with_key) return std::nullopt;
  std::deque<PushRef>& queue =
      with_key && (ready_.empty() ||
                   ready_with_key_.front().push->received < ready_.front().push->received)
          ? ready_with_key_
          : ready_;
  const PushRef next = queue.front();
  queue.pop_front();
  return next;
}

void Dispatcher::SendBatch(Stream& to, size_t limit, absl::Duration now) {
  Batch batch;
  batch.id = ++last_batch_id_;
  batch.sent = now;
  batch.shed_micros = shed_.TakeMicros();
  batch.pushes = TakeRefs();
  CoreStream::Batch message = to.stream->NewBatch();
  size_t bytes = 0;
  while (batch.pushes.size() < limit && bytes < kMaxBatchBytes) {
    const std::optional<PushRef> next = NextReady(to);
    if (!next) break;
    const PushRef ref = *next;
    PendingPush& push = *ref.push;
    Fill(*message->add_pushes(), push, now);
    bytes += kPushBytes + push.parameters.message.size() + push.parameters.output.size();
    push.batch = batch.id;
    if (!push.creates) batch.oldest = std::min(batch.oldest, push.received);
    if (++push.attempts > 1) ++stats_.retries;
    batch.pushes.push_back(ref);
  }
  message->set_batch_id(batch.id);
  message->set_shed_micros(batch.shed_micros);
  message->set_sent_micros(static_cast<uint64_t>(absl::ToInt64Microseconds(now)));
  message->set_held_micros(
      static_cast<uint64_t>(absl::ToInt64Microseconds(HeldElsewhere(to, now))));
  if (!to.named) message->set_gateway(options_.gateway_name);
  to.named = true;
  to.asked = false;
  to.sent = now;
  ++stats_.batches_in_flight;
  CountBatch(batch.pushes.size());
  to.in_flight.push_back(std::move(batch));
  to.stream->Send(std::move(message));
}

absl::Duration Dispatcher::HeldElsewhere(const Stream& to, absl::Duration now) const {
  absl::Duration oldest = now;
  for (const auto& stream : streams_) {
    if (stream.get() == &to) continue;
    for (const Batch& batch : stream->in_flight) {
      if (!batch.given_up) oldest = std::min(oldest, batch.oldest);
    }
  }
  // Usually nothing waits for its turn. One whose monitor is being made holds up no deadline.
  if (!ready_.empty() || !ready_with_key_.empty() || !retries_.empty()) {
    const auto first = std::find_if(arrivals_.begin(), arrivals_.end(), [](const PushRef& ref) {
      return ref.waiting() && ref.push->batch == 0 && !ref.push->creates;
    });
    if (first != arrivals_.end()) oldest = std::min(oldest, first->push->received);
  }
  return now - oldest;
}

void Dispatcher::CountBatch(size_t size) {
  if (size == 0) return;
  ++stats_.batches;
  stats_.pushes_sent += static_cast<int64_t>(size);
  const auto* const bound = std::lower_bound(std::begin(kBatchSizes), std::end(kBatchSizes), size);
  batch_sizes_[static_cast<size_t>(bound - std::begin(kBatchSizes))] += 1;
  batch_size_sum_ += static_cast<double>(size);
}

void Dispatcher::Fill(internal::v1::Push& out, const PendingPush& push, absl::Duration now) {
  const PushParameters& p = push.parameters;
  out.set_token_hash(push.token_hash.data(), push.token_hash.size());
  out.set_push_id(push.push_id);
  const absl::Duration age = std::clamp(now - push.received, absl::ZeroDuration(), kMaxAge);
  out.set_age_micros(static_cast<uint32_t>(absl::ToInt64Microseconds(age)));
  if (push.attempts > 0) out.set_retried(true);
  out.set_kind(static_cast<v1::Heartbeat::Kind>(p.kind));
  if (!p.message.empty()) out.set_message(p.message);
  if (p.value) out.set_value(*p.value);
  if (!p.run_id.empty()) out.set_run_id(p.run_id);
  if (p.exit_status) out.set_exit_status(*p.exit_status);
  if (!p.output.empty()) out.set_output(p.output);
  if (push.monitor_id.empty()) return;
  out.set_monitor_id(push.monitor_id);
  if (!p.create) return;
  out.set_create(true);
  out.set_client(push.client.ToString());
  if (!push.request_id.empty()) out.set_request_id(push.request_id);
}

// Finds streams that owe an answer for too long; their pushes go elsewhere if there is somewhere.
void Dispatcher::CheckStreams(absl::Duration now) {
  bool other = false;
  for (const auto& stream : streams_) {
    if (!stream->in_flight.empty() &&
        stream->in_flight.front().sent + options_.attempt_timeout <= now) {
      stream->stalled = true;
    }
    other = other || (!stream->stalled && !stream->retired);
  }
  std::vector<CoreStream*> hopeless;
  for (const auto& stream : streams_) {
    if (!stream->stalled) continue;
    for (auto batch = stream->in_flight.rbegin(); batch != stream->in_flight.rend(); ++batch) {
      const bool late = batch->sent + options_.attempt_timeout <= now;
      // With nowhere else to go, an answer that is late is worth more than a second copy.
      if (other && late && !batch->given_up) SendElsewhere(*batch);
    }
    if (stream->in_flight.front().sent + options_.push_timeout + kResetAfter <= now) {
      hopeless.push_back(stream->stream);
    }
  }
  for (CoreStream* stream : hopeless) {
    const auto it = std::find_if(streams_.begin(), streams_.end(),
                                 [stream](const auto& s) { return s->stream == stream; });
    Remove((*it)->id, now);
    stream->Reset();
  }
}

void Dispatcher::ExpirePushes(absl::Duration now) {
  while (!arrivals_.empty()) {
    const PushRef ref = arrivals_.front();
    if (ref.waiting()) {
      if (ref.push->received + options_.push_timeout > now) return;
      ++stats_.timed_out;
      // Core answered one that waits for its monitor to be made: nobody was kept from being heard.
      if (!ref.push->creates) shed_.Note(ref.push->received, now);
      Finish(*ref.push, PushResult::kUnavailable, now);
    }
    arrivals_.pop_front();
  }
}

void Dispatcher::TakeDueRetries(absl::Duration now) {
  while (!retries_.empty() && retries_.top().due <= now) {
    const PushRef& ref = retries_.top().push;
    if (ref.waiting()) QueueOf(*ref.push).push_back(ref);
    retries_.pop();
  }
}

void Dispatcher::FinishRetired() {
  for (size_t i = 0; i < streams_.size();) {
    if (!streams_[i]->retired || !streams_[i]->in_flight.empty()) {
      ++i;
      continue;
    }
    CoreStream* const stream = streams_[i]->stream;
    streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
    --stats_.streams;
    stream->Finish();
  }
}

bool Dispatcher::connected() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [](const auto& stream) { return !stream->retired; });
}

absl::Duration Dispatcher::NextSignOfLife(const Stream& stream) const {
  // A core that owes many answers will not read more of them.
  const bool full = stream.in_flight.size() >= 2 * options_.max_batches_in_flight;
  if (stream.retired || full) return absl::InfiniteDuration();
  if (stream.asked) return -absl::InfiniteDuration();
  if (options_.sign_of_life == absl::InfiniteDuration()) return absl::InfiniteDuration();
  return stream.sent + options_.sign_of_life;
}

void Dispatcher::GiveSignsOfLife(absl::Duration now) {
  for (const auto& stream : streams_) {
    if (NextSignOfLife(*stream) <= now) SendBatch(*stream, 0, now);
  }
}

absl::Duration Dispatcher::NextEvent(absl::Duration now) const {
  absl::Duration next = absl::InfiniteDuration();
  if (!arrivals_.empty()) next = arrivals_.front().push->received + options_.push_timeout;
  if (!retries_.empty()) next = std::min(next, retries_.top().due);
  // What has waited for longer waits for an answer, not for a time.
  if (const absl::Duration enough = WaitedEnough(); enough > now) next = std::min(next, enough);
  for (const auto& stream : streams_) {
    next = std::min(next, NextSignOfLife(*stream));
    for (const Batch& batch : stream->in_flight) {
      const absl::Duration late = batch.sent + options_.attempt_timeout;
      next = std::min(next, late > now ? late : batch.sent + options_.push_timeout + kResetAfter);
    }
  }
  return next;
}

void Dispatcher::SendReady(std::deque<PushRef>& queue, absl::Duration now) {
  for (DropDone(queue); !queue.empty(); DropDone(queue)) {
    Stream* const stream = ChooseStream(&queue == &ready_with_key_, now);
    if (stream == nullptr || !WorthABatch(*stream, now)) return;
    SendBatch(*stream, options_.max_batch, now);
    next_stream_ = (next_stream_ + 1) % streams_.size();
  }
}

absl::Duration Dispatcher::OnTurn(absl::Duration now) {
  ExpirePushes(now);
  CheckStreams(now);
  TakeDueRetries(now);
  SendReady(ready_with_key_, now);
  SendReady(ready_, now);
  GiveSignsOfLife(now);
  FinishRetired();
  return NextEvent(now);
}

std::vector<double> Dispatcher::TakeBatchSizes(double& sum) {
  sum = std::exchange(batch_size_sum_, 0);
  return std::exchange(batch_sizes_, std::vector<double>(batch_sizes_.size()));
}

}  // namespace tocsin::gateway
