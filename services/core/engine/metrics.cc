// Makes the engine's metrics, with every child whose labels are known present from the start, so
// that a rate over a counter sees its first increment.
#include "services/core/engine/metrics.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;
using Buckets = prometheus::Histogram::BucketBoundaries;

constexpr std::array<std::string_view, 7> kOutcomes = {
    "recorded", "paused", "stale", "duplicate", "unknown_token", "unavailable", "invalid"};
constexpr std::array<HeartbeatKind, 4> kKinds = {HeartbeatKind::kUp, HeartbeatKind::kDown,
                                                 HeartbeatKind::kStart, HeartbeatKind::kLog};
constexpr std::array<State, 4> kStates = {State::kNew, State::kUp, State::kDown, State::kPaused};

Counters& CounterFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Gauges& GaugeFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Histogram& MakeHistogram(prometheus::Registry& registry, const char* name,
                                     const char* help, const Buckets& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

}  // namespace

RecorderMetrics::RecorderMetrics(prometheus::Registry& registry)
    : heartbeats(CounterFamily(registry, "tocsin_core_heartbeats_total",
                               "Heartbeats pushed, by kind and what became of them.")),
      group_size(MakeHistogram(registry, "tocsin_core_group_size", "Pushes in one group commit.",
                               {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096})),
      commit_duration(MakeHistogram(
          registry, "tocsin_core_commit_duration_seconds",
          "Time that one group takes to be committed.",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})),
      fast_path(CounterFamily(registry, "tocsin_core_fast_path_total",
                              "Pushes recorded without a decision.")
                    .Add({})),
      full_path(CounterFamily(registry, "tocsin_core_full_path_total",
                              "Pushes that were decided with the monitor locked.")
                    .Add({})),
      in_doubt(CounterFamily(registry, "tocsin_core_in_doubt_groups_total",
                             "Groups whose commit was in doubt and was looked up.")
                   .Add({})),
      queue(GaugeFamily(registry, "tocsin_core_queued_pushes", "Pushes that wait for a commit.")
                .Add({})),
      cached_tokens(
          GaugeFamily(registry, "tocsin_core_cached_tokens", "Push tokens that are cached.")
              .Add({})) {
  for (const HeartbeatKind kind : kKinds) {
    for (size_t i = 0; i < kOutcomes.size(); ++i) {
      heartbeat_children[static_cast<size_t>(kind)][i] = &heartbeats.Add(
          {{"kind", std::string(HeartbeatKindName(kind))}, {"outcome", std::string(kOutcomes[i])}});
    }
  }
}

prometheus::Counter& RecorderMetrics::Heartbeats(HeartbeatKind kind, const std::string& outcome) {
  const auto row = static_cast<size_t>(kind);
  for (size_t i = 0; row < heartbeat_children.size() && i < kOutcomes.size(); ++i) {
    if (outcome == kOutcomes[i] && heartbeat_children[row][i] != nullptr) {
      return *heartbeat_children[row][i];
    }
  }
  return heartbeats.Add({{"kind", std::string(HeartbeatKindName(kind))}, {"outcome", outcome}});
}

SweeperMetrics::SweeperMetrics(prometheus::Registry& registry)
    : lag(MakeHistogram(registry, "tocsin_core_sweep_lag_seconds",
                        "From a deadline to the decision about it.",
                        {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300})),
      transitions(CounterFamily(registry, "tocsin_core_transitions_total",
                                "Changes of state of monitors, by new state and cause.")),
      swept(CounterFamily(registry, "tocsin_core_swept_monitors_total",
                          "Monitors whose deadline was judged.")
                .Add({})) {
  for (const Cause cause : {Cause::kReportedDown, Cause::kMissedDeadline, Cause::kRunOverran,
                            Cause::kValueOutOfRange}) {
    Transitions(State::kDown, std::string(CauseName(cause)));
  }
}

prometheus::Counter& SweeperMetrics::Transitions(State to, const std::string& cause) {
  return transitions.Add({{"to", std::string(StateName(to))}, {"cause", cause}});
}

GuardMetrics::GuardMetrics(prometheus::Registry& registry)
    : own_outage(CounterFamily(registry, "tocsin_core_own_outage_seconds_total",
                               "Time in which Tocsin itself could not receive heartbeats.")
                     .Add({})),
      gateways(GaugeFamily(registry, "tocsin_core_connected_gateways",
                           "Gateways connected to this replica.")
                   .Add({})),
      touch_age(GaugeFamily(registry, "tocsin_core_newest_touch_timestamp_seconds",
                            "When this replica last proved that it can receive, in Unix time.")
                    .Add({})),
      newest_outage(GaugeFamily(registry, "tocsin_core_newest_own_outage_timestamp_seconds",
                                "When the newest time in which no core could commit ended, in "
                                "Unix time, as far as this replica knows; 0: none.")
                        .Add({})) {}

DeliveryMetrics::DeliveryMetrics(prometheus::Registry& registry)
    : leased(CounterFamily(registry, "tocsin_core_leased_deliveries_total",
                           "Deliveries handed to notifiers.")
                 .Add({})),
      reports(CounterFamily(registry, "tocsin_core_delivery_reports_total",
                            "Reports of notifiers that were applied, by result.")),
      notifiers(GaugeFamily(registry, "tocsin_core_connected_notifiers",
                            "Notifiers connected to this replica.")
                    .Add({})) {
  for (const char* result : {"delivered", "retry", "deferred", "gone", "dead"}) {
    reports.Add({{"result", result}});
  }
}

CensusMetrics::CensusMetrics(prometheus::Registry& registry)
    : monitors(GaugeFamily(registry, "tocsin_core_monitors", "Monitors that exist, by state.")),
      incidents(GaugeFamily(registry, "tocsin_core_open_incidents", "Incidents that are open.")),
      deliveries(GaugeFamily(registry, "tocsin_core_deliveries",
                             "Deliveries that are pending, or dead while their channel exists.")),
      newest_dead(GaugeFamily(registry, "tocsin_core_newest_dead_delivery_timestamp_seconds",
                              "When the last of the dead deliveries was given up, in Unix time; "
                              "0: there is none.")),
      overdue(GaugeFamily(registry, "tocsin_core_overdue_deliveries",
                          "Deliveries that are pending and due.")),
      oldest_due(GaugeFamily(registry, "tocsin_core_oldest_due_delivery_seconds",
                             "How long the oldest of the overdue deliveries has been due.")),
      channels(GaugeFamily(registry, "tocsin_core_troubled_channels",
                           "Channels that are failing or disabled.")),
      sweep_lag(GaugeFamily(registry, "tocsin_core_oldest_due_sweep_seconds",
                            "For how long the monitor that waits longest to be looked at has been "
                            "due.")),
      rollup_lag(GaugeFamily(registry, "tocsin_core_rollup_lag_seconds",
                             "For how long hours have been over that are not rolled up. Until they "
                             "are, old heartbeats are not dropped.")) {}

void CensusMetrics::Publish(const Census* census) {
  const auto show = [this, census](Gauges& family, const char* label, const std::string& word,
                                   double value) {
    const std::string key = std::to_string(reinterpret_cast<uintptr_t>(&family)) + "/" + word;
    const auto found = shown.find(key);
    if (census == nullptr) {
      if (found == shown.end()) return;
      family.Remove(found->second);
      shown.erase(found);
      return;
    }
    if (found != shown.end()) {
      found->second->Set(value);
      return;
    }
    const prometheus::Labels labels =
        *label == '\0' ? prometheus::Labels{} : prometheus::Labels{{label, word}};
    prometheus::Gauge& gauge = family.Add(labels);
    gauge.Set(value);
    shown[key] = &gauge;
  };
  static const Census kNone;
  const Census& facts = census == nullptr ? kNone : *census;
  for (const State state : kStates) {
    const auto found = facts.monitors.find(state);
    const int64_t count = found == facts.monitors.end() ? 0 : found->second;
    show(monitors, "state", std::string(StateName(state)), static_cast<double>(count));
  }
  for (const auto& [state, word] :
       {std::pair(DeliveryState::kPending, "pending"), std::pair(DeliveryState::kDead, "dead")}) {
    const auto found = facts.deliveries.find(state);
    const int64_t count = found == facts.deliveries.end() ? 0 : found->second;
    show(deliveries, "state", word, static_cast<double>(count));
  }
  const bool any_dead = facts.newest_dead != absl::InfinitePast();
  show(newest_dead, "", "",
       any_dead ? absl::ToDoubleSeconds(facts.newest_dead - absl::UnixEpoch()) : 0);
  show(incidents, "", "", static_cast<double>(facts.open_incidents));
  show(overdue, "", "", static_cast<double>(facts.overdue_deliveries));
  show(oldest_due, "", "", absl::ToDoubleSeconds(facts.oldest_due));
  show(channels, "state", "failing", static_cast<double>(facts.failing_channels));
  show(channels, "state", "disabled", static_cast<double>(facts.disabled_channels));
  show(sweep_lag, "", "", absl::ToDoubleSeconds(facts.sweep_lag));
  show(rollup_lag, "", "", absl::ToDoubleSeconds(facts.rollup_lag));
}

}  // namespace tocsin::core
