// What the notifier counts and shows.
#include "services/notifier/metrics.h"

#include <string>
#include <vector>

namespace tocsin::notifier {
namespace {

const std::vector<double> kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                      0.15,  0.25,   0.5,   1,    2.5,   5,    10};
// A delivery may wait for days.
const std::vector<double> kDwellSeconds = {0.005, 0.01, 0.025, 0.05, 0.1,   0.15,
                                           0.25,  0.5,  1,     2.5,  5,     10,
                                           30,    60,   300,   3600, 86400, 259200};

prometheus::Counter* MakeCounter(prometheus::Registry& registry, const char* name,
                                 const char* help) {
  return &prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge* MakeGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram* MakeHistogram(prometheus::Registry& registry, const char* name,
                                     const char* help, const std::vector<double>& buckets) {
  return &prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

std::string Word(Outcome outcome) { return std::string(OutcomeWord(outcome)); }

size_t IndexOf(Outcome outcome) { return static_cast<size_t>(outcome); }

}  // namespace

NotifierMetrics::NotifierMetrics(prometheus::Registry& registry)
    : attempt_duration_(MakeHistogram(registry, "tocsin_notifier_attempt_duration_seconds",
                                      "How long requests to receivers took.", kSeconds)),
      dwell_(MakeHistogram(registry, "tocsin_notifier_dwell_seconds",
                           "From when something happened to when a receiver had it.",
                           kDwellSeconds)),
      redeliveries_(MakeCounter(registry, "tocsin_notifier_redeliveries_total",
                                "Attempts at deliveries that somebody asked for again.")),
      in_flight_(MakeGauge(registry, "tocsin_notifier_in_flight_requests",
                           "Requests to receivers under way.")),
      queued_(MakeGauge(registry, "tocsin_notifier_queued_deliveries",
                        "Deliveries taken from core that wait for their turn.")),
      breakers_open_(MakeGauge(registry, "tocsin_notifier_open_breakers",
                               "Channels that are not tried because they do nothing but fail.")),
      streams_(MakeGauge(registry, "tocsin_notifier_connected_streams",
                         "Delivery streams to core that are connected.")),
      credits_(MakeGauge(registry, "tocsin_notifier_granted_credits",
                         "Deliveries that core may assign before more credit is granted.")),
      resent_reports_(MakeCounter(registry, "tocsin_notifier_resent_reports_total",
                                  "Outcome reports sent again because their stream broke.")),
      dropped_reports_(MakeCounter(registry, "tocsin_notifier_dropped_reports_total",
                                   "Outcome reports given up because no core was reachable.")) {
  auto& attempts = prometheus::BuildCounter()
                       .Name("tocsin_notifier_attempts_total")
                       .Help("Attempts to deliver, by format and outcome.")
                       .Register(registry);
  auto& deferrals = prometheus::BuildCounter()
                        .Name("tocsin_notifier_deferrals_total")
                        .Help("Deliveries handed back to core without an attempt, by reason.")
                        .Register(registry);
  const std::array<Format, kFormats> formats = {Format::kUnknown, Format::kStandardWebhook,
                                                Format::kSlack, Format::kPagerDuty};
  for (Outcome outcome : kAllOutcomes) {
    const size_t i = IndexOf(outcome);
    for (size_t f = 0; f < formats.size(); ++f) {
      // A channel of unknown format is never tried, only found unusable.
      const bool exists = formats[f] == Format::kUnknown
                              ? outcome == Outcome::kBadChannel
                              : IsAttempt(outcome) || outcome == Outcome::kBadChannel;
      attempts_[f][i] = exists ? &attempts.Add({{"format", std::string(FormatWord(formats[f]))},
                                                {"outcome", Word(outcome)}})
                               : nullptr;
    }
    const bool deferral = !IsAttempt(outcome) && outcome != Outcome::kBadChannel;
    deferrals_[i] = deferral ? &deferrals.Add({{"reason", Word(outcome)}}) : nullptr;
  }
}

void NotifierMetrics::CountAttempt(Format format, Outcome outcome, absl::Duration took) {
  prometheus::Counter* counter = attempts_[static_cast<size_t>(format)][IndexOf(outcome)];
  if (counter != nullptr) counter->Increment();
  if (IsAttempt(outcome)) attempt_duration_->Observe(absl::ToDoubleSeconds(took));
}

void NotifierMetrics::ObserveDwell(absl::Duration dwell) {
  dwell_->Observe(absl::ToDoubleSeconds(dwell));
}

void NotifierMetrics::CountDeferral(Outcome outcome) {
  if (deferrals_[IndexOf(outcome)] != nullptr) deferrals_[IndexOf(outcome)]->Increment();
}

void NotifierMetrics::CountRedelivery() { redeliveries_->Increment(); }

void NotifierMetrics::SetLoad(int in_flight, size_t queued, int breakers_open) {
  in_flight_->Set(in_flight);
  queued_->Set(static_cast<double>(queued));
  breakers_open_->Set(breakers_open);
}

void NotifierMetrics::SetStreams(int connected) { streams_->Set(connected); }

void NotifierMetrics::SetCredits(int granted) { credits_->Set(granted); }

void NotifierMetrics::CountResentReports(size_t n) {
  resent_reports_->Increment(static_cast<double>(n));
}

void NotifierMetrics::CountDroppedReports(size_t n) {
  dropped_reports_->Increment(static_cast<double>(n));
}

}  // namespace tocsin::notifier
