// The metric families of management over REST.
#include "gateway/rest/api_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <string>

namespace tocsin::gateway {
namespace {

constexpr const char* kKindNames[] = {"read", "write", "watch", "page", "scrape", "other"};
constexpr const char* kClassNames[] = {"2xx", "3xx", "4xx", "5xx"};

}  // namespace

ApiMetrics::ApiMetrics() : registry_(std::make_unique<prometheus::Registry>()) {
  auto& requests = prometheus::BuildCounter()
                       .Name("tocsin_gateway_api_requests_total")
                       .Help("Requests that are no pushes, by kind and status.")
                       .Register(*registry_);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    for (size_t status = 0; status < kClasses; ++status) {
      requests_[kind][status] =
          &requests.Add({{"kind", kKindNames[kind]}, {"status", kClassNames[status]}});
    }
  }
  auto& durations = prometheus::BuildHistogram()
                        .Name("tocsin_gateway_api_duration_seconds")
                        .Help("From a request's last byte to its answer.")
                        .Register(*registry_);
  for (size_t kind = 0; kind < durations_.size(); ++kind) {
    durations_[kind] = &durations.Add({{"kind", kKindNames[kind]}},
                                      prometheus::Histogram::BucketBoundaries{
                                          0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 10});
  }
  retries_ = &prometheus::BuildCounter()
                  .Name("tocsin_gateway_api_retries_total")
                  .Help("Reads that were tried again on another core.")
                  .Register(*registry_)
                  .Add({});
  calls_ = &prometheus::BuildGauge()
                .Name("tocsin_gateway_api_calls")
                .Help("Calls that wait for core.")
                .Register(*registry_)
                .Add({});
  streams_ = &prometheus::BuildGauge()
                  .Name("tocsin_gateway_api_streams")
                  .Help("Streams of events to clients.")
                  .Register(*registry_)
                  .Add({});
  scrapes_ = &prometheus::BuildGauge()
                  .Name("tocsin_gateway_monitor_scrapes")
                  .Help("Scrapes of /metrics/monitors that are being answered.")
                  .Register(*registry_)
                  .Add({});
  cut_scrapes_ = &prometheus::BuildCounter()
                      .Name("tocsin_gateway_monitor_scrapes_cut_total")
                      .Help("Scrapes of /metrics/monitors whose answer broke off.")
                      .Register(*registry_)
                      .Add({});
  scrape_durations_ = &prometheus::BuildHistogram()
                           .Name("tocsin_gateway_monitor_scrape_duration_seconds")
                           .Help("How long whole answers to scrapes of /metrics/monitors took.")
                           .Register(*registry_)
                           .Add({}, prometheus::Histogram::BucketBoundaries{0.01, 0.05, 0.1, 0.5, 1,
                                                                            2, 5, 10, 30, 60});
}

ApiMetrics::~ApiMetrics() = default;

prometheus::Collectable& ApiMetrics::collectable() { return *registry_; }

void ApiMetrics::Count(ApiKind kind, int http_status) {
  const size_t status = static_cast<size_t>(std::clamp(http_status / 100, 2, 5) - 2);
  requests_[static_cast<size_t>(kind)][status]->Increment();
}

void ApiMetrics::Count(ApiKind kind, int http_status, absl::Duration took) {
  Count(kind, http_status);
  const size_t index = static_cast<size_t>(kind);
  if (index < durations_.size()) durations_[index]->Observe(absl::ToDoubleSeconds(took));
}

void ApiMetrics::CountRetry() { retries_->Increment(); }
void ApiMetrics::SetCalls(int calls) { calls_->Set(calls); }
void ApiMetrics::SetStreams(int streams) { streams_->Set(streams); }
void ApiMetrics::SetScrapes(int scrapes) { scrapes_->Set(scrapes); }

void ApiMetrics::CountScrape(bool whole, absl::Duration took) {
  whole ? scrape_durations_->Observe(absl::ToDoubleSeconds(took)) : cut_scrapes_->Increment();
}

}  // namespace tocsin::gateway
