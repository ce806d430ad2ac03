// What the gateway counts, and how the io threads bring it together.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gateway/core_link/dispatcher.h"
#include "gateway/http/server.h"

namespace prometheus {
class Collectable;
}

namespace tocsin::gateway {

// How a push ended: the closed set of the label "outcome".
enum class PushOutcomeLabel : uint8_t {
  kRecorded,
  kPaused,
  kCreated,
  kUnknownToken,
  kMayNotCreate,
  kBadRequest,      // a parameter, a method, no token
  kInvalid,         // core refused what the gateway let pass
  kRateLimited,     // a known token, too often
  kUnknownLimited,  // an unknown token from an address over its limit
  kUnavailable,     // no core recorded it in time
  kShed,            // too many were waiting
  kCount,
};

// One io thread's counts since they were last published.
struct PushCounts {
  static constexpr size_t kOutcomes = static_cast<size_t>(PushOutcomeLabel::kCount);
  // Upper bounds in seconds.
  static constexpr std::array<double, 14> kDurations = {
      0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};

  std::array<int64_t, kOutcomes> outcomes{};
  std::vector<double> durations = std::vector<double>(kDurations.size() + 1);
  double duration_sum = 0;

  void Count(PushOutcomeLabel outcome) { ++outcomes[static_cast<size_t>(outcome)]; }
  void Count(PushOutcomeLabel outcome, absl::Duration took);
};

// Thread safe. Metrics exist, at 0, from the start.
class GatewayMetrics {
 public:
  GatewayMetrics();
  ~GatewayMetrics();
  GatewayMetrics(const GatewayMetrics&) = delete;
  GatewayMetrics& operator=(const GatewayMetrics&) = delete;

  // What /metrics shows. `stats`, when given, must outlive the collectable's use.
  prometheus::Collectable& collectable();
  void Watch(const http::ServerStats& stats);

  // Adds `counts` and clears them.
  void Publish(PushCounts& counts);
  // Adds what changed between `before` and `after`, two states of one dispatcher.
  void Publish(const DispatcherStats& before, const DispatcherStats& after);
  void PublishBatchSizes(const std::vector<double>& counts, double sum);
  void PublishShed(absl::Duration more);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace tocsin::gateway
