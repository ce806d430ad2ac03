// Decides which of the deliveries at hand is sent next, so that no receiver holds up another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/random/random.h"
#include "absl/time/time.h"
#include "services/notifier/delivery/circuit_breaker.h"
#include "services/notifier/delivery/outcome.h"

namespace tocsin::notifier {

struct DispatcherOptions {
  // Requests under way to receivers that answer promptly.
  int concurrency = 64;
  // Requests under way to receivers that are slow or failing: each costs a socket and nothing
  // else, so there may be many, and they take nothing from the prompt ones.
  int slow_concurrency = 1024;
  // A request older than this counts as slow.
  absl::Duration slow_after = absl::Milliseconds(250);
  // Requests at a time to one channel that has succeeded before; grows up to `concurrency` while
  // the receiver keeps answering promptly, and is halved when it does not.
  int channel_concurrency = 4;
  // No other delivery of a channel is kept waiting longer on account of one Retry-After.
  absl::Duration longest_hold = absl::Minutes(1);
  // Channels whose history is kept while they have nothing to send.
  size_t remembered_channels = 10'000;
  BreakerOptions breaker;
};

// Round robin over channels. A channel that has not succeeded yet, or that failed last, gets one
// request at a time; one whose breaker is open gets none, and its deliveries are handed back.
// Deliveries of one channel begin in the order of Add. Times are those of a monotonic clock that
// counts suspended time. Not thread safe.
class Dispatcher {
 public:
  struct Item {
    uint64_t ticket = 0;      // the caller's name for the delivery; unique while it is here
    std::string channel;      // and where it leads: a secret
    absl::Duration begin_by;  // a request begun later could outlive the lease
  };
  // A delivery that is handed back without an attempt.
  struct Deferral {
    uint64_t ticket = 0;
    Outcome outcome = Outcome::kCircuitOpen;
    absl::Duration retry_after;
  };
  struct Decisions {
    std::vector<uint64_t> begin;  // each must be ended by Finish or Abandon
    std::vector<Deferral> defer;
  };

  Dispatcher(const DispatcherOptions& options, absl::BitGen random)
      : options_(options), random_(std::move(random)) {}
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void Add(Item item);
  // What to do now. To be called after every change and when NextWake has come.
  Decisions Poll(absl::Duration now);
  // The request of `ticket` ended. `hold`: the receiver asked for that much rest.
  void Finish(uint64_t ticket, Outcome outcome, std::optional<absl::Duration> hold,
              absl::Duration now);
  // `ticket` was begun but no request was made.
  void Abandon(uint64_t ticket);
  // Hands back everything that was not begun.
  std::vector<Deferral> Drain();

  // When Poll may have something to do without any other call; InfiniteDuration: never.
  absl::Duration NextWake() const;
  int in_flight() const { return fast_ + slow_; }
  size_t queued() const { return by_deadline_.size(); }
  int breakers_open() const { return breakers_open_; }

 private:
  struct Channel {
    explicit Channel(const DispatcherOptions& options)
        : cap(options.channel_concurrency), breaker(options.breaker) {}

    std::deque<Item> queue;
    int in_flight = 0;
    int cap;
    CircuitBreaker breaker;
    bool proven = false;   // has succeeded
    bool slow = false;     // answered late last time
    bool in_ring = false;  // may be able to begin something
    absl::Duration hold_until = -absl::InfiniteDuration();
  };
  struct Running {
    Channel* channel = nullptr;
    absl::Duration began;
    bool slow = false;
  };
  using Ring = std::deque<Channel*>;

  Channel& FindChannel(const std::string& name);
  void ForgetIdleChannels();
  static bool UsesSlowPool(const Channel& channel);
  int Limit(const Channel& channel) const;
  // Puts the channel in its ring if it has something to send.
  void Enroll(Channel& channel);
  void ParkSlowRequests(absl::Duration now);
  void DeferExpired(absl::Duration now, Decisions& decisions);
  // Serves one ring as far as its pool allows; returns whether a channel moved to the other.
  bool Serve(bool slow_pool, absl::Duration now, Decisions& decisions);
  // Hands back the whole queue if the channel must not be tried now.
  bool DeferBlocked(Channel& channel, absl::Duration now, Decisions& decisions);
  void Begin(Channel& channel, bool slow_pool, absl::Duration now, Decisions& decisions);
  // Takes a begun request off the books.
  Running Release(uint64_t ticket);
  void AdaptCap(Channel& channel, bool succeeded, absl::Duration elapsed);
  void CountBreaker(CircuitBreaker::State before, CircuitBreaker::State after);

  const DispatcherOptions options_;
  absl::BitGen random_;
  absl::flat_hash_map<std::string, std::unique_ptr<Channel>> channels_;
  absl::flat_hash_map<uint64_t, Running> running_;
  std::deque<uint64_t> fast_order_;  // begun in the fast pool, oldest first; may hold ended ones
  std::map<std::pair<absl::Duration, uint64_t>, Channel*> by_deadline_;  // everything queued
  Ring fast_ring_;
  Ring slow_ring_;
  int fast_ = 0;
  int slow_ = 0;
  int breakers_open_ = 0;
};

}  // namespace tocsin::notifier
