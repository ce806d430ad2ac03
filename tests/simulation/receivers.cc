// Simulated notifiers and the receivers that they send to.
#include "tests/simulation/receivers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin::core::simulation {
namespace {

constexpr uint32_t kCredits = 8;

}  // namespace

Notifier::Notifier(std::string name, uint64_t seed, const Clock& clock, Arrivals& arrivals)
    : name_(std::move(name)), random_(seed), clock_(clock), arrivals_(arrivals) {}

bool Notifier::Chance(int percent) {
  return std::uniform_int_distribution<int>(1, 100)(random_) <= percent;
}

absl::Duration Notifier::Between(int64_t low_millis, int64_t high_millis) {
  return absl::Milliseconds(
      std::uniform_int_distribution<int64_t>(low_millis, high_millis)(random_));
}

void Notifier::Take(std::vector<LeasedDelivery> leased) {
  for (const LeasedDelivery& each : leased) {
    std::map<MonitorKey, int64_t> newest;
    for (const AlertEvent& event : each.events) {
      int64_t& sequence = newest[event.monitor];
      sequence = std::max(sequence, event.sequence);
    }
    held_.push_back({.lease_id = each.delivery.lease_id,
                     .delivery_id = each.delivery.id,
                     .channel = each.delivery.channel,
                     .newest = std::move(newest),
                     .send_at = clock_.Now() + Between(1, 500)});
  }
}

bool Notifier::Send(const Held& held) {
  const bool vanishes = !well_ && Chance(3);
  if (vanishes && Chance(50)) return false;
  const bool arrives = well_ || Chance(85);
  if (arrives) {
    arrivals_.deliveries.insert(held.delivery_id);
    for (const auto& [monitor, sequence] : held.newest) {
      arrivals_.sequences[{monitor, held.channel}].push_back(sequence);
    }
  }
  if (vanishes) return false;
  // Some answers are lost on the way.
  const bool answered = arrives && (well_ || Chance(90));
  reports_.push_back({.lease_id = held.lease_id,
                      .delivery_id = held.delivery_id,
                      .result = answered ? DeliveryResult::kDelivered : DeliveryResult::kRetry,
                      .outcome = answered ? "delivered" : "timeout",
                      .http_status = answered ? 200 : 0,
                      .answer = "",
                      .retry_after = answered ? absl::ZeroDuration() : Between(500, 5'000)});
  return true;
}

void Notifier::Vanish() {
  if (core_ != nullptr) core_->Detach(stream_);
  core_ = nullptr;
  held_.clear();
  reports_.clear();
  connects_at_ = clock_.Now() + Between(500, 40'000);
}

void Notifier::Lose(const DeliveryQueue& core) {
  if (core_ != &core) return;
  core_ = nullptr;
  connects_at_ = clock_.Now() + Between(100, 1'000);
}

void Notifier::RunDue(const FindCore& find) {
  const absl::Time now = clock_.Now();
  if (core_ == nullptr && connects_at_ <= now) {
    core_ = find();
    if (core_ == nullptr) {
      connects_at_ = now + Between(100, 1'000);
    } else {
      stream_ = core_->Attach(
          name_, [this](std::vector<LeasedDelivery> leased) { Take(std::move(leased)); });
      const auto held = static_cast<uint32_t>(held_.size());
      if (held < kCredits) core_->GrantCredits(stream_, kCredits - held);
    }
  }
  const auto due = std::stable_partition(held_.begin(), held_.end(),
                                         [now](const Held& held) { return held.send_at > now; });
  const std::vector<Held> sending(due, held_.end());
  held_.erase(due, held_.end());
  for (const Held& held : sending) {
    if (!Send(held)) return Vanish();
  }
  if (core_ == nullptr || reports_.empty()) return;
  const auto count = static_cast<uint32_t>(reports_.size());
  if (core_->Report(std::exchange(reports_, {}))) core_->GrantCredits(stream_, count);
}

absl::Time Notifier::NextDue() const {
  absl::Time next = core_ == nullptr ? connects_at_ : absl::InfiniteFuture();
  for (const Held& held : held_) next = std::min(next, held.send_at);
  return next;
}

}  // namespace tocsin::core::simulation
