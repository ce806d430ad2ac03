// How many deliveries each channel may have out with notifiers, learned from how it took the last.
#include "services/core/engine/lease_allowances.h"

#include <algorithm>

namespace tocsin::core {
namespace {

constexpr absl::Duration kForgetEvery = absl::Minutes(1);

}  // namespace

void LeaseAllowances::Leased(absl::Span<const LeasedDelivery> leased, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  for (const LeasedDelivery& each : leased) {
    leases_[each.delivery.id] = {.channel = each.delivery.channel, .at = now};
  }
}

void LeaseAllowances::Reported(absl::Span<const DeliveryReport> reports, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  for (const DeliveryReport& report : reports) {
    const auto lease = leases_.find(report.delivery_id);
    if (lease == leases_.end()) continue;
    Learn(report, lease->second, now);
    leases_.erase(lease);
  }
}

void LeaseAllowances::Learn(const DeliveryReport& report, const Lease& lease, absl::Time now) {
  if (report.result == DeliveryResult::kDeferred) return;  // nothing was tried
  if (report.result != DeliveryResult::kDelivered) {
    allowances_.erase(lease.channel);
    return;
  }
  const bool prompt = now - lease.at <= options_.prompt;
  const auto known = allowances_.find(lease.channel);
  if (known == allowances_.end()) {
    if (!prompt || allowances_.size() >= options_.remembered_channels) return;
    allowances_[lease.channel] = {.leases = options_.first + 1, .used = now};
    return;
  }
  Allowance& allowance = known->second;
  allowance.leases = std::min(allowance.leases + (prompt ? 1 : -1), options_.most);
  allowance.used = now;
  if (allowance.leases <= options_.first) allowances_.erase(known);
}

std::map<ChannelKey, int> LeaseAllowances::Get(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Forget(now);
  std::map<ChannelKey, int> leases;
  for (const auto& [channel, allowance] : allowances_) leases[channel] = allowance.leases;
  return leases;
}

void LeaseAllowances::Forget(absl::Time now) {
  if (now - forgot_at_ < kForgetEvery && now >= forgot_at_) return;
  forgot_at_ = now;
  absl::erase_if(leases_,
                 [&](const auto& entry) { return now - entry.second.at > options_.memory; });
  absl::erase_if(allowances_,
                 [&](const auto& entry) { return now - entry.second.used > options_.memory; });
}

}  // namespace tocsin::core
