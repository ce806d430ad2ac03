// The gateway's metric families.
#include "gateway/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string>
#include <utility>

#include "common/build_info.h"

namespace tocsin::gateway {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;
using prometheus::Registry;

constexpr std::array<const char*, PushCounts::kOutcomes> kOutcomeNames = {
    "recorded",        "paused",      "created", "unknown_token",
    "may_not_create",  "bad_request", "invalid", "rate_limited",
    "unknown_limited", "unavailable", "shed"};

Counter& MakeCounter(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

Gauge& MakeGauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

template <typename Bounds>
Histogram::BucketBoundaries Buckets(const Bounds& bounds) {
  return {std::begin(bounds), std::end(bounds)};
}

MetricFamily Family(const char* name, const char* help, MetricType type) {
  MetricFamily family;
  family.name = std::string("tocsin_gateway_") + name;
  family.help = help;
  family.type = type;
  return family;
}

void Add(MetricFamily& family, const std::atomic<int64_t>& value, const char* reason = nullptr) {
  prometheus::ClientMetric metric;
  const double number = static_cast<double>(value.load(std::memory_order_relaxed));
  if (family.type == MetricType::Gauge) {
    metric.gauge.value = number;
  } else {
    metric.counter.value = number;
  }
  if (reason != nullptr) metric.label.push_back({"reason", reason});
  family.metric.push_back(std::move(metric));
}

// The HTTP server's own counters, read when scraped.
class ServerMetrics {
 public:
  explicit ServerMetrics(const http::ServerStats& stats) : stats_(stats) {}

  void AppendTo(std::vector<MetricFamily>& out) const {
    const auto one = [&](const char* name, const char* help, MetricType type,
                         const std::atomic<int64_t>& value) {
      Add(out.emplace_back(Family(name, help, type)), value);
    };
    one("http_connections", "Open connections.", MetricType::Gauge, stats_.open_connections);
    one("http_unsent_bytes", "Of answers, what their clients have not taken yet.",
        MetricType::Gauge, stats_.unsent_bytes);
    one("http_requests_in_flight", "Requests without an answer yet.", MetricType::Gauge,
        stats_.in_flight);
    one("http_connections_total", "Connections accepted.", MetricType::Counter, stats_.accepted);
    one("http_requests_total", "Complete requests read.", MetricType::Counter, stats_.requests);
    one("http_timeouts_total", "Requests or answers that took a client too long.",
        MetricType::Counter, stats_.timed_out);
    one("http_pipeline_pauses_total", "Times a client had too many requests in flight.",
        MetricType::Counter, stats_.pipeline_pauses);
    MetricFamily& refused = out.emplace_back(Family(
        "http_refused_total", "What a limit of the HTTP server refused.", MetricType::Counter));
    Add(refused, stats_.refused_connections, "connections");
    Add(refused, stats_.refused_head, "head_size");
    Add(refused, stats_.refused_body, "body_size");
    Add(refused, stats_.refused_malformed, "malformed");
  }

 private:
  const http::ServerStats& stats_;
};

}  // namespace

void PushCounts::Count(PushOutcomeLabel outcome, absl::Duration took) {
  Count(outcome);
  const double seconds = absl::ToDoubleSeconds(took);
  const auto* const bound = std::lower_bound(kDurations.begin(), kDurations.end(), seconds);
  durations[static_cast<size_t>(bound - kDurations.begin())] += 1;
  duration_sum += seconds;
}

struct GatewayMetrics::Families : prometheus::Collectable {
  Registry registry;
  std::array<Counter*, PushCounts::kOutcomes> pushes{};
  Histogram& duration;
  Histogram& batch_size;
  Gauge& streams;
  Gauge& pending;
  Gauge& batches_in_flight;
  Counter& retries;
  Counter& late_answers;
  Counter& shed;
  std::atomic<const http::ServerStats*> server{nullptr};

  Families()
      : duration(prometheus::BuildHistogram()
                     .Name("tocsin_gateway_push_duration_seconds")
                     .Help("From a push's last byte to core's outcome.")
                     .Register(registry)
                     .Add({}, Buckets(PushCounts::kDurations))),
        batch_size(prometheus::BuildHistogram()
                       .Name("tocsin_gateway_batch_size")
                       .Help("Pushes in one batch to core.")
                       .Register(registry)
                       .Add({}, Buckets(Dispatcher::kBatchSizes))),
        streams(MakeGauge(registry, "tocsin_gateway_core_streams",
                          "Connected streams to core, over all io threads.")),
        pending(MakeGauge(registry, "tocsin_gateway_pending_pushes",
                          "Pushes that wait for core's outcome.")),
        batches_in_flight(MakeGauge(registry, "tocsin_gateway_batches_in_flight",
                                    "Batches that wait for core's answer.")),
        retries(MakeCounter(registry, "tocsin_gateway_push_retries_total",
                            "Pushes that were sent to core once more.")),
        late_answers(MakeCounter(registry, "tocsin_gateway_late_answers_total",
                                 "Outcomes that came after their attempt was given up.")),
        shed(MakeCounter(registry, "tocsin_gateway_shed_seconds_total",
                         "Time in which pushes had to be refused.")) {
    auto& family = prometheus::BuildCounter()
                       .Name("tocsin_gateway_pushes_total")
                       .Help("Pushes by how they ended.")
                       .Register(registry);
    for (size_t i = 0; i < pushes.size(); ++i) {
      pushes[i] = &family.Add({{"outcome", kOutcomeNames[i]}});
    }
    RegisterBuildInfo(registry, "tocsin-gateway");
  }

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families = registry.Collect();
    if (const auto* stats = server.load()) ServerMetrics(*stats).AppendTo(families);
    return families;
  }
};

GatewayMetrics::GatewayMetrics() : families_(std::make_unique<Families>()) {}
GatewayMetrics::~GatewayMetrics() = default;

prometheus::Collectable& GatewayMetrics::collectable() { return *families_; }

void GatewayMetrics::Watch(const http::ServerStats& stats) { families_->server.store(&stats); }

void GatewayMetrics::Publish(PushCounts& counts) {
  for (size_t i = 0; i < counts.outcomes.size(); ++i) {
    if (counts.outcomes[i] == 0) continue;
    families_->pushes[i]->Increment(static_cast<double>(counts.outcomes[i]));
    counts.outcomes[i] = 0;
  }
  families_->duration.ObserveMultiple(counts.durations, counts.duration_sum);
  std::fill(counts.durations.begin(), counts.durations.end(), 0);
  counts.duration_sum = 0;
}

void GatewayMetrics::Publish(const DispatcherStats& before, const DispatcherStats& after) {
  const auto difference = [](auto a, auto b) {
    return static_cast<double>(a) - static_cast<double>(b);
  };
  families_->retries.Increment(difference(after.retries, before.retries));
  families_->late_answers.Increment(difference(after.late_answers, before.late_answers));
  families_->streams.Increment(difference(after.streams, before.streams));
  families_->pending.Increment(difference(after.pending, before.pending));
  families_->batches_in_flight.Increment(
      difference(after.batches_in_flight, before.batches_in_flight));
}

void GatewayMetrics::PublishBatchSizes(const std::vector<double>& counts, double sum) {
  families_->batch_size.ObserveMultiple(counts, sum);
}

void GatewayMetrics::PublishShed(absl::Duration more) {
  families_->shed.Increment(absl::ToDoubleSeconds(more));
}

}  // namespace tocsin::gateway
