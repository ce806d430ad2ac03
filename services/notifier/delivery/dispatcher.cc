// Round robin over channels with two pools of slots: prompt receivers, and slow or failing ones.
#include "services/notifier/delivery/dispatcher.h"

#include <algorithm>

namespace tocsin::notifier {
namespace {

// Handing a delivery back for less than this would only make it go round.
constexpr absl::Duration kShortestDeferral = absl::Milliseconds(100);
// The receiver may be dead for this notifier alone, and a delivery that it defers is deferred for
// all of them.
constexpr absl::Duration kLongestDeferral = absl::Seconds(15);
// Part of a pause by which deferred deliveries are spread, so that they do not return in one lump.
constexpr double kSpread = 0.1;

}  // namespace

void Dispatcher::Add(Item item) {
  Channel& channel = FindChannel(item.channel);
  by_deadline_.emplace(std::make_pair(item.begin_by, item.ticket), &channel);
  channel.queue.push_back(std::move(item));
  Enroll(channel);
}

Dispatcher::Decisions Dispatcher::Poll(absl::Duration now) {
  Decisions decisions;
  ParkSlowRequests(now);
  DeferExpired(now, decisions);
  bool moved = true;
  while (moved) {
    moved = Serve(/*slow_pool=*/false, now, decisions);
    moved = Serve(/*slow_pool=*/true, now, decisions) || moved;
  }
  return decisions;
}

void Dispatcher::Finish(uint64_t ticket, Outcome outcome, std::optional<absl::Duration> hold,
                        absl::Duration now) {
  const Running running = Release(ticket);
  if (running.channel == nullptr) return;
  Channel& channel = *running.channel;
  const CircuitBreaker::State before = channel.breaker.state();
  if (outcome == Outcome::kOk) {
    channel.breaker.Succeed();
    channel.proven = true;
  } else if (outcome == Outcome::kRejected) {
    // The receiver is well; it is the message that it will never take.
    channel.breaker.Succeed();
  } else if (outcome == Outcome::kGone) {
    channel.breaker.Trip(now);
  } else if (hold.has_value() && outcome == Outcome::kStatus4xx &&
             channel.breaker.state() == CircuitBreaker::State::kClosed) {
    // A receiver that asks for rest is well: it is not a failure that should open the breaker.
  } else {
    channel.breaker.Fail(now, absl::Uniform(random_, 0.0, 1.0));
  }
  CountBreaker(before, channel.breaker.state());
  if (hold.has_value()) channel.hold_until = now + std::min(*hold, options_.longest_hold);
  AdaptCap(channel, outcome == Outcome::kOk, now - running.began);
  Enroll(channel);
}

void Dispatcher::Abandon(uint64_t ticket) {
  const Running running = Release(ticket);
  if (running.channel == nullptr) return;
  // A probe that was never made leaves the breaker waiting for its result for ever.
  const CircuitBreaker::State before = running.channel->breaker.state();
  if (before == CircuitBreaker::State::kHalfOpen) running.channel->breaker.CancelProbe();
  CountBreaker(before, running.channel->breaker.state());
  Enroll(*running.channel);
}

std::vector<Dispatcher::Deferral> Dispatcher::Drain() {
  std::vector<Deferral> deferrals;
  for (const auto& [key, channel] : by_deadline_) {
    deferrals.push_back({key.second, Outcome::kDraining, absl::ZeroDuration()});
    channel->queue.clear();
  }
  by_deadline_.clear();
  return deferrals;
}

absl::Duration Dispatcher::NextWake() const {
  absl::Duration wake = absl::InfiniteDuration();
  if (!by_deadline_.empty()) {
    wake = by_deadline_.begin()->first.first + absl::Microseconds(1);
  }
  if (!fast_ring_.empty() && !fast_order_.empty() && slow_ < options_.slow_concurrency) {
    const auto oldest = running_.find(fast_order_.front());
    if (oldest != running_.end()) wake = std::min(wake, oldest->second.began + options_.slow_after);
  }
  return wake;
}

Dispatcher::Channel& Dispatcher::FindChannel(const std::string& name) {
  const auto found = channels_.find(name);
  if (found != channels_.end()) return *found->second;
  if (channels_.size() >= options_.remembered_channels) ForgetIdleChannels();
  return *channels_.emplace(name, std::make_unique<Channel>(options_)).first->second;
}

void Dispatcher::ForgetIdleChannels() {
  absl::erase_if(channels_, [this](const auto& entry) {
    const Channel& channel = *entry.second;
    if (!channel.queue.empty() || channel.in_flight > 0 || channel.in_ring) return false;
    CountBreaker(channel.breaker.state(), CircuitBreaker::State::kClosed);
    return true;
  });
}

bool Dispatcher::UsesSlowPool(const Channel& channel) {
  return channel.slow || channel.breaker.failures() > 0;
}

int Dispatcher::Limit(const Channel& channel) const {
  return channel.proven && channel.breaker.failures() == 0 ? channel.cap : 1;
}

void Dispatcher::Enroll(Channel& channel) {
  if (channel.in_ring || channel.queue.empty()) return;
  channel.in_ring = true;
  (UsesSlowPool(channel) ? slow_ring_ : fast_ring_).push_back(&channel);
}

void Dispatcher::ParkSlowRequests(absl::Duration now) {
  while (!fast_order_.empty()) {
    const auto oldest = running_.find(fast_order_.front());
    if (oldest != running_.end()) {
      if (oldest->second.began + options_.slow_after > now) return;
      if (slow_ >= options_.slow_concurrency) return;
      oldest->second.slow = true;
      --fast_;
      ++slow_;
    }
    fast_order_.pop_front();
  }
}

void Dispatcher::DeferExpired(absl::Duration now, Decisions& decisions) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first.first < now) {
    const uint64_t ticket = by_deadline_.begin()->first.second;
    std::deque<Item>& queue = by_deadline_.begin()->second->queue;
    queue.erase(std::find_if(queue.begin(), queue.end(),
                             [ticket](const Item& item) { return item.ticket == ticket; }));
    by_deadline_.erase(by_deadline_.begin());
    decisions.defer.push_back({ticket, Outcome::kExpiredLease, kShortestDeferral});
  }
}

bool Dispatcher::Serve(bool slow_pool, absl::Duration now, Decisions& decisions) {
  Ring& ring = slow_pool ? slow_ring_ : fast_ring_;
  bool moved = false;
  while (!ring.empty()) {
    Channel& channel = *ring.front();
    if (channel.queue.empty() || UsesSlowPool(channel) != slow_pool) {
      ring.pop_front();
      channel.in_ring = false;
      moved |= !channel.queue.empty();
      Enroll(channel);
      continue;
    }
    if (DeferBlocked(channel, now, decisions) || !channel.breaker.MayBegin(now) ||
        channel.in_flight >= Limit(channel)) {
      // It comes back with Add, or when a request of it ends.
      ring.pop_front();
      channel.in_ring = false;
      continue;
    }
    const bool full =
        slow_pool ? slow_ >= options_.slow_concurrency : fast_ >= options_.concurrency;
    if (full) return moved;
    ring.pop_front();
    channel.in_ring = false;
    Begin(channel, slow_pool, now, decisions);
    Enroll(channel);
  }
  return moved;
}

bool Dispatcher::DeferBlocked(Channel& channel, absl::Duration now, Decisions& decisions) {
  const absl::Duration pause = channel.breaker.Remaining(now);
  const absl::Duration hold = channel.hold_until - now;
  if (std::max(pause, hold) <= absl::ZeroDuration()) return false;
  const absl::Duration wait = std::max(std::min(pause, kLongestDeferral), hold);
  for (const Item& item : channel.queue) {
    const double spread = 1 + kSpread * absl::Uniform(random_, 0.0, 1.0);
    decisions.defer.push_back(
        {item.ticket, Outcome::kCircuitOpen, std::max(wait * spread, kShortestDeferral)});
    by_deadline_.erase({item.begin_by, item.ticket});
  }
  channel.queue.clear();
  return true;
}

void Dispatcher::Begin(Channel& channel, bool slow_pool, absl::Duration now, Decisions& decisions) {
  const Item item = std::move(channel.queue.front());
  channel.queue.pop_front();
  by_deadline_.erase({item.begin_by, item.ticket});
  channel.breaker.Begin(now);
  ++channel.in_flight;
  ++(slow_pool ? slow_ : fast_);
  if (!slow_pool) fast_order_.push_back(item.ticket);
  running_.emplace(item.ticket, Running{&channel, now, slow_pool});
  decisions.begin.push_back(item.ticket);
}

Dispatcher::Running Dispatcher::Release(uint64_t ticket) {
  const auto found = running_.find(ticket);
  if (found == running_.end()) return {};
  const Running running = found->second;
  running_.erase(found);
  --running.channel->in_flight;
  --(running.slow ? slow_ : fast_);
  while (!fast_order_.empty() && !running_.contains(fast_order_.front())) fast_order_.pop_front();
  return running;
}

void Dispatcher::AdaptCap(Channel& channel, bool succeeded, absl::Duration elapsed) {
  channel.slow = elapsed > options_.slow_after;
  if (succeeded && !channel.slow) {
    const bool was_binding = channel.in_flight + 1 >= channel.cap;
    if (was_binding) channel.cap = std::min(channel.cap + 1, options_.concurrency);
    return;
  }
  channel.cap =
      std::max(channel.cap / 2, std::min(options_.channel_concurrency, options_.concurrency));
}

void Dispatcher::CountBreaker(CircuitBreaker::State before, CircuitBreaker::State after) {
  breakers_open_ -= before != CircuitBreaker::State::kClosed ? 1 : 0;
  breakers_open_ += after != CircuitBreaker::State::kClosed ? 1 : 0;
}

}  // namespace tocsin::notifier
