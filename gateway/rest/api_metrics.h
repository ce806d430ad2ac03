// What is counted of requests that are no pushes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"

namespace prometheus {
class Collectable;
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace tocsin::gateway {

// What kind of request it was: the closed set of the label "kind".
enum class ApiKind : uint8_t {
  kRead,    // GET of a resource
  kWrite,   // what may change something
  kWatch,   // a stream
  kPage,    // /docs, /openapi.json
  kScrape,  // /metrics/monitors
  kOther,   // no route
  kCount,
};

// Thread safe. Metrics exist, at 0, from the start.
class ApiMetrics {
 public:
  ApiMetrics();
  ~ApiMetrics();
  ApiMetrics(const ApiMetrics&) = delete;
  ApiMetrics& operator=(const ApiMetrics&) = delete;

  prometheus::Collectable& collectable();

  void Count(ApiKind kind, int http_status);
  // The same, with how long it took.
  void Count(ApiKind kind, int http_status, absl::Duration took);
  void CountRetry();
  void SetCalls(int calls);
  void SetStreams(int streams);
  void SetScrapes(int scrapes);
  // A scrape has ended that had begun to be answered: as a whole, or cut off.
  void CountScrape(bool whole, absl::Duration took);

 private:
  static constexpr size_t kKinds = static_cast<size_t>(ApiKind::kCount);
  static constexpr size_t kClasses = 4;  // 2xx to 5xx

  std::unique_ptr<prometheus::Registry> registry_;
  std::array<std::array<prometheus::Counter*, kClasses>, kKinds> requests_{};
  std::array<prometheus::Histogram*, 2> durations_{};  // of reads and writes
  prometheus::Counter* retries_ = nullptr;
  prometheus::Gauge* calls_ = nullptr;
  prometheus::Gauge* streams_ = nullptr;
  prometheus::Gauge* scrapes_ = nullptr;
  prometheus::Counter* cut_scrapes_ = nullptr;
  prometheus::Histogram* scrape_durations_ = nullptr;
};

}  // namespace tocsin::gateway
