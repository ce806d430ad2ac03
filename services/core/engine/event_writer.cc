// Writes what a decision leads to, within the transaction that holds the monitor's lock.
#include "services/core/engine/event_writer.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/flapping.h"
#include "services/core/domain/gathering.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {
namespace {

// Whether the end of the incident that it closes is told later.
bool EndsUntold(const Decision& decision) {
  return decision.closed.has_value() && decision.next.untold_end == decision.closed->key;
}

// What a decision tells beside the end of an incident that closed before.
bool TellsMore(const Decision& decision) {
  const auto is_told = [](const std::optional<Incident>& incident) {
    return incident.has_value() && !incident->held_until.has_value();
  };
  const bool ends = is_told(decision.closed) && !EndsUntold(decision);
  return ends || is_told(decision.opened) || decision.told || decision.reminded;
}

// To the FIRING of an incident that was held back: what its deadline was about.
absl::Status AddWhatPassed(Transaction& transaction, const Decision& decision, AlertEvent& event) {
  ASSIGN_OR_RETURN(const std::optional<PassedDeadline> passed,
                   transaction.FindPassedDeadline(event.monitor, event.incident.opened_at));
  if (!passed.has_value()) return absl::OkStatus();
  event.expected_at = passed->expected_at;
  if (event.incident.cause != Cause::kRunOverran) return absl::OkStatus();
  for (const Run& run : decision.next.runs) {
    if (run.id == passed->run_id) event.run = run;
  }
  return absl::OkStatus();
}

// The open run that began for what was expected; a limit for it would have let it go on.
std::optional<Run> RunForIt(const MonitorDefinition& definition, const MonitorState& state,
                            const AlertEvent& event) {
  const std::optional<absl::Time> expected_at = event.expected_at;
  if (state.runs.empty() || !state.runs.back().open() || !expected_at.has_value()) {
    return std::nullopt;
  }
  const Run& newest = state.runs.back();
  const bool in_time = newest.started_at <= event.incident.opened_at;
  if (newest.started_at < state.last_at || !in_time) return std::nullopt;
  const std::optional<CronRule>& cron = definition.schedule.cron;
  const bool of_before =
      cron.has_value() && newest.started_at < *expected_at - EarlyTolerance(*cron, *expected_at);
  return of_before ? std::nullopt : std::optional(newest);
}

absl::StatusOr<AlertEvent> MakeEvent(Transaction& transaction, const MonitorDefinition& definition,
                                     const Decision& decision, const Incident& incident,
                                     absl::Time now) {
  AlertEvent event;
  event.type = incident.closed_at  ? EventType::kResolved
               : decision.reminded ? EventType::kReminder
                                   : EventType::kFiring;
  event.project = definition.project;
  event.monitor = definition.key;
  event.sequence = decision.next.sequence;
  event.occurred_at =
      decision.reminded ? *incident.reminded_at : incident.closed_at.value_or(incident.opened_at);
  event.detected_at = std::max(now, event.occurred_at);
  event.incident = incident;
  event.definition = definition;
  event.state = decision.next.state;
  event.expected_at = decision.expected_at;
  if (decision.opened.has_value() && event.type == EventType::kFiring) event.run = decision.overran;
  const bool of_deadline =
      incident.cause == Cause::kMissedDeadline || incident.cause == Cause::kRunOverran;
  if (decision.told && of_deadline) {
    RETURN_IF_ERROR(AddWhatPassed(transaction, decision, event));
  }
  if (event.type == EventType::kFiring && incident.cause == Cause::kMissedDeadline) {
    event.run = RunForIt(definition, decision.next, event);
  }
  event.flapping = SteadyAt(decision.next, now).has_value();
  ASSIGN_OR_RETURN(event.last_heartbeat, transaction.NewestHeartbeat(definition.key, now));
  return event;
}

DeliveryType TypeOf(EventType type) {
  switch (type) {
    case EventType::kFiring:
      return DeliveryType::kIncidentOpened;
    case EventType::kResolved:
      return DeliveryType::kIncidentResolved;
    case EventType::kReminder:
      break;
  }
  return DeliveryType::kIncidentReminder;
}

Delivery DeliveryOf(const AlertEvent& event, ChannelKey channel, std::vector<EventKey> events,
                    absl::Time now) {
  Delivery delivery = NewDelivery(event.project, TypeOf(event.type), now);
  delivery.channel = channel;
  delivery.monitor = event.monitor;
  delivery.sequence = event.sequence;
  delivery.events = std::move(events);
  delivery.occurred_at = event.occurred_at;
  return delivery;
}

// Whether a channel gathers them is as it is set now.
absl::Status Add(Transaction& transaction, const MonitorDefinition& definition,
                 std::vector<Delivery> deliveries) {
  ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(definition.project));
  for (Delivery& delivery : deliveries) {
    delivery.may_gather =
        std::any_of(channels->begin(), channels->end(), [&](const Channel& channel) {
          return channel.key == delivery.channel && MayBeGathered(channel, definition.severity);
        });
  }
  return transaction.AddDeliveries(deliveries);
}

absl::Status Fire(Transaction& transaction, const MonitorDefinition& definition,
                  const Decision& decision, const Incident& incident, absl::Time now) {
  ASSIGN_OR_RETURN(AlertEvent event, MakeEvent(transaction, definition, decision, incident, now));
  ASSIGN_OR_RETURN(event.key, transaction.AddEvent(event));
  ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(definition.project));
  std::vector<Delivery> deliveries;
  for (const ChannelKey channel : Route(definition, *channels)) {
    deliveries.push_back(DeliveryOf(event, channel, {event.key}, now));
  }
  return Add(transaction, definition, std::move(deliveries));
}

// The deliveries of a FIRING, one for each channel that still exists.
absl::StatusOr<std::vector<FiringDelivery>> FindFirings(Transaction& transaction,
                                                        const MonitorDefinition& definition,
                                                        IncidentKey incident) {
  ASSIGN_OR_RETURN(std::vector<FiringDelivery> firings, transaction.FindFirings(incident));
  ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(definition.project));
  std::set<ChannelKey> existing;
  for (const Channel& channel : *channels) existing.insert(channel.key);
  std::erase_if(firings,
                [&](const FiringDelivery& firing) { return existing.erase(firing.channel) == 0; });
  return firings;
}

// Withdraws what could not be delivered yet, unless somebody is at it.
absl::StatusOr<std::set<DeliveryKey>> Withdraw(Transaction& transaction,
                                               const std::vector<FiringDelivery>& firings,
                                               absl::Time now) {
  std::vector<DeliveryKey> waiting;
  for (const FiringDelivery& firing : firings) {
    if (firing.state == DeliveryState::kPending && !firing.held) {
      waiting.push_back(firing.delivery);
    }
  }
  std::set<DeliveryKey> withdrawn;
  if (waiting.empty()) return withdrawn;
  std::sort(waiting.begin(), waiting.end());
  ASSIGN_OR_RETURN(const std::vector<DeliveryKey> keys, transaction.Withdraw(waiting, now));
  withdrawn.insert(keys.begin(), keys.end());
  return withdrawn;
}

// Tells those of the end that were told of the beginning.
absl::Status TellEnd(Transaction& transaction, const MonitorDefinition& definition,
                     const Decision& decision, AlertEvent event, absl::Time now) {
  ASSIGN_OR_RETURN(event.key, transaction.AddEvent(event));
  ASSIGN_OR_RETURN(const std::vector<FiringDelivery> firings,
                   FindFirings(transaction, definition, event.incident.key));
  ASSIGN_OR_RETURN(const std::set<DeliveryKey> withdrawn, Withdraw(transaction, firings, now));
  std::vector<Delivery> deliveries;
  for (const FiringDelivery& firing : firings) {
    if (!withdrawn.contains(firing.delivery)) {
      deliveries.push_back(DeliveryOf(event, firing.channel, {event.key}, now));
    } else if (!decision.withdraw_unsent_firing || firing.tried || firing.skipped > 0) {
      deliveries.push_back(DeliveryOf(event, firing.channel, {firing.event, event.key}, now));
      deliveries.back().skipped = firing.skipped;
    }
  }
  return Add(transaction, definition, std::move(deliveries));
}

absl::Status Resolve(Transaction& transaction, const MonitorDefinition& definition,
                     const Decision& decision, absl::Time now) {
  RETURN_IF_ERROR(transaction.SaveIncident(*decision.closed));
  ASSIGN_OR_RETURN(AlertEvent event,
                   MakeEvent(transaction, definition, decision, *decision.closed, now));
  return TellEnd(transaction, definition, decision, std::move(event), now);
}

// The end of an incident that closed while the monitor flapped. Retention may have forgotten it.
absl::Status ResolveLate(Transaction& transaction, const MonitorDefinition& definition,
                         const Decision& decision, absl::Time now) {
  ASSIGN_OR_RETURN(std::optional<Incident> incident, transaction.FindIncident(*decision.told_end));
  if (!incident.has_value()) return absl::OkStatus();
  // Whoever was told of this one knows of no other that came since: it did not end well.
  const std::optional<Incident>& untold = decision.closed;
  if (untold.has_value() && untold->held_until.has_value() &&
      untold->resolution != Resolution::kRecovered) {
    incident->closed_at = untold->closed_at;
    incident->resolution = untold->resolution;
  }
  ASSIGN_OR_RETURN(AlertEvent event, MakeEvent(transaction, definition, decision, *incident, now));
  if (incident->resolution == Resolution::kRecovered) event.state = State::kUp;
  event.expected_at.reset();  // of what the decision opens
  event.sequence -= TellsMore(decision) ? 1 : 0;
  return TellEnd(transaction, definition, decision, std::move(event), now);
}

// Tells those again that were told of the incident.
absl::Status Remind(Transaction& transaction, const MonitorDefinition& definition,
                    const Decision& decision, absl::Time now) {
  const Incident& incident = *decision.next.incident;
  RETURN_IF_ERROR(transaction.SaveIncident(incident));
  ASSIGN_OR_RETURN(AlertEvent event, MakeEvent(transaction, definition, decision, incident, now));
  ASSIGN_OR_RETURN(event.key, transaction.AddEvent(event));
  ASSIGN_OR_RETURN(const std::vector<FiringDelivery> firings,
                   FindFirings(transaction, definition, incident.key));
  std::vector<Delivery> deliveries;
  for (const FiringDelivery& firing : firings) {
    deliveries.push_back(DeliveryOf(event, firing.channel, {event.key}, now));
  }
  return Add(transaction, definition, std::move(deliveries));
}

}  // namespace

absl::StatusOr<MonitorState> WriteEvents(Transaction& transaction,
                                         const MonitorDefinition& definition,
                                         const Decision& decision, absl::Time now) {
  MonitorState state = decision.next;
  if (decision.told_end.has_value()) {
    RETURN_IF_ERROR(ResolveLate(transaction, definition, decision, now));
  }
  if (decision.closed.has_value() &&
      (decision.closed->held_until.has_value() || EndsUntold(decision))) {
    // What nobody was told of ends without a word; the end of what flaps is told when it is steady.
    RETURN_IF_ERROR(transaction.SaveIncident(*decision.closed));
  } else if (decision.closed.has_value()) {
    RETURN_IF_ERROR(Resolve(transaction, definition, decision, now));
  }
  if (decision.opened.has_value()) {
    Incident incident = *decision.opened;
    ASSIGN_OR_RETURN(incident.key, transaction.AddIncident(incident));
    if (!incident.held_until.has_value()) {
      RETURN_IF_ERROR(Fire(transaction, definition, decision, incident, now));
    }
    state.incident = std::move(incident);
  }
  if (decision.told) {
    RETURN_IF_ERROR(transaction.SaveIncident(*state.incident));
    RETURN_IF_ERROR(Fire(transaction, definition, decision, *state.incident, now));
  }
  if (decision.reminded) RETURN_IF_ERROR(Remind(transaction, definition, decision, now));
  if (decision.message_changed || decision.incident_changed) {
    RETURN_IF_ERROR(transaction.SaveIncident(*state.incident));
  }
  return state;
}

absl::Status WriteDecision(Transaction& transaction, Monitor& monitor, const Decision& decision,
                           absl::Time now) {
  ASSIGN_OR_RETURN(MonitorState state, WriteEvents(transaction, monitor.definition, decision, now));
  const StateChange change = {.monitor = monitor.definition.key,
                              .state = state,
                              .last_push_id = 0,
                              .sweep_at = SweepAt(monitor.definition, state)};
  RETURN_IF_ERROR(transaction.SaveStates({&change, 1}));
  monitor.state = std::move(state);
  return absl::OkStatus();
}

}  // namespace tocsin::core
