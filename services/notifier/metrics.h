// What the notifier counts and shows.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>

#include "absl/time/time.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/delivery/outcome.h"

namespace tocsin::notifier {

// Every series exists from the start with 0. Thread safe.
class NotifierMetrics {
 public:
  // `registry` must outlive it.
  explicit NotifierMetrics(prometheus::Registry& registry);
  NotifierMetrics(const NotifierMetrics&) = delete;
  NotifierMetrics& operator=(const NotifierMetrics&) = delete;

  void CountAttempt(Format format, Outcome outcome, absl::Duration took);
  // Of what happened until its receiver had it; not for redeliveries.
  void ObserveDwell(absl::Duration dwell);
  void CountDeferral(Outcome outcome);
  void CountRedelivery();
  void SetLoad(int in_flight, size_t queued, int breakers_open);
  void SetStreams(int connected);
  void SetCredits(int granted);
  void CountResentReports(size_t n);
  void CountDroppedReports(size_t n);

 private:
  static constexpr size_t kFormats = 4;

  // By the number of the format.
  std::array<std::array<prometheus::Counter*, kAllOutcomes.size()>, kFormats> attempts_;
  std::array<prometheus::Counter*, kAllOutcomes.size()> deferrals_;
  prometheus::Histogram* attempt_duration_;
  prometheus::Histogram* dwell_;
  prometheus::Counter* redeliveries_;
  prometheus::Gauge* in_flight_;
  prometheus::Gauge* queued_;
  prometheus::Gauge* breakers_open_;
  prometheus::Gauge* streams_;
  prometheus::Gauge* credits_;
  prometheus::Counter* resent_reports_;
  prometheus::Counter* dropped_reports_;
};

}  // namespace tocsin::notifier
