// What goes wrong.
#include <algorithm>
#include <array>

#include "tests/simulation/cluster.h"

namespace tocsin::core::simulation {
namespace {

constexpr FaultRates kBadConnection = {
    .fail_before = 20, .roll_back = 20, .in_doubt_written = 20, .in_doubt_lost = 20};
// A heartbeat lost in one own outage is forgiven; each job pushes well before the next one.
constexpr absl::Duration kBetweenOutages = absl::Minutes(5);

}  // namespace

void Cluster::RunFaults() {
  database_away_ = database_away_ && outage_ends_at_ > Now();
  for (Host& host : hosts_) {
    if (host.heals_at > Now() || outage_ends_at_ > Now()) continue;
    host.connection->set_rates({});
    if (host.core != nullptr) host.connection->set_away(false);
  }
  if (outage_ends_at_ <= Now() && gateways_away_) EndOutage();
  if (calm_) return;
  if (outage_at_ <= Now()) BeginOutage();
  if (outage_ends_at_ > Now()) return;
  if (rotates_at_ <= Now()) {
    rotates_at_ = Now() + Between(absl::Seconds(20), absl::Seconds(60));
    const size_t next = Pick(hosts_.size());
    if (Works(hosts_[next])) sound_ = next;
    hosts_[sound_].heals_at = absl::InfinitePast();
    hosts_[sound_].doomed = false;
    hosts_[sound_].connection->Spare();
    hosts_[sound_].connection->set_rates({});
  }
  if (breaks_at_ <= Now()) BreakOne();
}

// How a process dies with a transaction under way.
Fault Cluster::DrawDeath() {
  return std::array{Fault::kBefore, Fault::kRollBack, Fault::kInDoubtWritten,
                    Fault::kInDoubtLost}[Pick(4)];
}

void Cluster::BreakOne() {
  breaks_at_ = Now() + Between(absl::Seconds(1), absl::Seconds(15));
  const size_t index = Pick(hosts_.size());
  Host& host = hosts_[index];
  if (index == sound_ || host.core == nullptr || host.thaws_at > Now()) return;
  switch (Pick(5)) {
    case 0:
      Crash(host, Between(absl::Milliseconds(100), absl::Seconds(15)));
      break;
    case 1:
      ++freezes_;
      host.thaws_at = Now() + Between(absl::Milliseconds(500),
                                      Chance(80) ? absl::Seconds(8) : absl::Seconds(40));
      break;
    case 2:
      host.connection->set_away(true);
      host.heals_at = Now() + Between(absl::Milliseconds(500), absl::Seconds(10));
      break;
    case 3:
      host.doomed = true;
      host.connection->DieNext(DrawDeath());
      break;
    default:
      host.connection->set_rates(kBadConnection);
      host.heals_at = Now() + Between(absl::Seconds(5), absl::Seconds(30));
      break;
  }
}

void Cluster::BeginOutage() {
  outage_at_ = Now() + kBetweenOutages + Between(absl::ZeroDuration(), absl::Minutes(3));
  const absl::Duration length = Between(absl::Milliseconds(2500), absl::Seconds(70));
  outage_ends_at_ = Now() + length;
  GapKind kind = GapKind::kCore;
  for (Host& host : hosts_) {
    host.doomed = false;
    host.connection->Spare();
  }
  switch (Pick(3)) {
    case 0:  // the database
      database_away_ = true;
      for (Host& host : hosts_) host.connection->set_away(true);
      break;
    case 1:  // every core
      for (Host& host : hosts_) {
        if (host.core != nullptr) Crash(host, absl::ZeroDuration());
        host.starts_at = outage_ends_at_;
      }
      break;
    default:
      kind = GapKind::kGateway;
      gateways_away_ = true;
      for (Host& host : hosts_) {
        if (host.core != nullptr) host.core->GatewayLeaves();
      }
      break;
  }
  // It begins with the newest touch, and ends with the next one.
  outages_.push_back(
      {.kind = kind, .start = Now() - absl::Seconds(1), .end = outage_ends_at_ + absl::Seconds(1)});
}

void Cluster::EndOutage() {
  gateways_away_ = false;
  for (Host& host : hosts_) {
    if (host.core != nullptr) host.core->GatewayComes();
  }
}

void Cluster::CalmDown() {
  calm_ = true;
  outage_ends_at_ = std::min(outage_ends_at_, Now());
  for (Host& host : hosts_) {
    host.heals_at = absl::InfinitePast();
    host.thaws_at = std::min(host.thaws_at, Now());
    if (host.core == nullptr) host.starts_at = Now();
    host.doomed = false;
    host.connection->Spare();
  }
  for (Notifier& notifier : notifiers_) notifier.BehaveWell();
}

}  // namespace tocsin::core::simulation
