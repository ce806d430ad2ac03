// The part of a verdict that is about an incident.
#include "services/core/domain/outage_verdict.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/any_string_view.h"
#include "common/number.h"
#include "services/core/domain/tell.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

// What is noticed later than that is worth a sentence.
constexpr absl::Duration kAtOnce = absl::Seconds(1);

// What a deadline was made of, from the alert or from what is kept of those that are not told.
struct DeadlineFacts {
  absl::Time expected_at;
  absl::Time plain;
  std::string settings;
  int32_t failures = 1;
  int32_t threshold = 1;
};

std::optional<DeadlineFacts> FactsOf(const OutageEvidence& outage) {
  if (outage.passed.has_value()) {
    const PassedDeadline& passed = *outage.passed;
    return DeadlineFacts{.expected_at = passed.expected_at,
                         .plain = passed.plain,
                         .settings = passed.settings,
                         .failures = passed.failures,
                         .threshold = passed.threshold};
  }
  if (!outage.firing.has_value() || !outage.firing->expected_at.has_value()) return std::nullopt;
  const MonitorDefinition& definition = outage.firing->definition;
  const bool of_run = outage.incident.cause == Cause::kRunOverran;
  const absl::Time expected = *outage.firing->expected_at;
  return DeadlineFacts{.expected_at = expected,
                       .plain = of_run ? expected : expected + definition.schedule.grace,
                       .settings = SettingsText(definition),
                       .failures = definition.failure_threshold,
                       .threshold = definition.failure_threshold};
}

std::string CauseText(const OutageEvidence& outage) {
  switch (outage.incident.cause) {
    case Cause::kReportedDown:
      return "the job said that it failed";
    case Cause::kMissedDeadline:
      return "no heartbeat came in time";
    case Cause::kRunOverran:
      return "a run took too long";
    case Cause::kValueOutOfRange:
      return "its value was out of range";
  }
  return "it failed";
}

std::string LastHeard(const std::optional<KnownHeartbeat>& before) {
  if (!before.has_value()) return "No heartbeat is known from before it";
  return absl::StrCat("The last heartbeat before was ", TellHeartbeat(before->heartbeat), " at ",
                      TellTime(before->heartbeat.at));
}

// How the deadline came about: last heartbeat, settings, expected, grace, what moved it.
void AddDeadline(const OutageEvidence& outage, Verdict& verdict) {
  const Incident& incident = outage.incident;
  const std::optional<DeadlineFacts> facts = FactsOf(outage);
  if (!facts.has_value()) {
    verdict.sentences.push_back(absl::StrCat(LastHeard(outage.before), "."));
    return;
  }
  if (incident.cause == Cause::kRunOverran) {
    const auto& run = outage.firing.has_value() ? outage.firing->run : std::nullopt;
    const std::string id = run.has_value() ? run->id : "";
    verdict.sentences.push_back(absl::StrCat(
        id.empty() ? "The run" : absl::StrCat("Run ", id),
        run.has_value() ? absl::StrCat(" began at ", TellTime(run->started_at), " and") : "",
        " was to end by ", TellTime(facts->expected_at), " (", facts->settings, ")."));
  } else {
    verdict.sentences.push_back(
        absl::StrCat(LastHeard(outage.before), ". By the settings then (", facts->settings,
                     ") one was expected by ", TellTime(facts->expected_at),
                     ", and the deadline was ", TellTime(facts->plain), "."));
  }
  if (facts->threshold > 1) {
    verdict.sentences.push_back(absl::StrCat("It was failure ", facts->failures, " in a row, and ",
                                             facts->threshold, " make an incident."));
  }
  if (incident.opened_at <= facts->plain) return;
  std::string why;
  for (const Gap& gap : outage.gaps) {
    absl::StrAppend(&why, why.empty() ? ": " : ", ", TellTime(gap.start), " to ",
                    TellTime(gap.end));
  }
  verdict.sentences.push_back(absl::StrCat(why.empty() ? "A maintenance or an own outage of Tocsin"
                                                       : "A time in which Tocsin could not receive",
                                           " had postponed that deadline to ",
                                           TellTime(incident.opened_at), why, "."));
}

void AddReported(const OutageEvidence& outage, Verdict& verdict) {
  const Incident& incident = outage.incident;
  std::string text = "It sent ";
  if (outage.before.has_value() && outage.before->heartbeat.at == incident.opened_at) {
    const Heartbeat& heartbeat = outage.before->heartbeat;
    absl::StrAppend(&text, TellHeartbeat(heartbeat));
    if (heartbeat.value.has_value())
      absl::StrAppend(&text, " with value ", NumberText(*heartbeat.value));
  } else {
    absl::StrAppend(&text, "a failure");
  }
  absl::StrAppend(&text, " at ", TellTime(incident.opened_at));
  if (outage.firing.has_value() && incident.cause == Cause::kValueOutOfRange) {
    const MonitorDefinition& definition = outage.firing->definition;
    if (definition.value_min)
      absl::StrAppend(&text, "; at least ", NumberText(*definition.value_min));
    if (definition.value_max)
      absl::StrAppend(&text, "; at most ", NumberText(*definition.value_max));
    absl::StrAppend(&text, " is allowed");
  }
  verdict.sentences.push_back(text + ".");
  if (!outage.firing.has_value() || outage.firing->definition.failure_threshold <= 1) return;
  verdict.sentences.push_back(absl::StrCat("It was failure ",
                                           outage.firing->definition.failure_threshold,
                                           " in a row, which is what makes an incident."));
}

// The better of two that tell one channel the same.
int Rank(const Delivery& delivery) {
  switch (delivery.state) {
    case DeliveryState::kDelivered:
      return 0;
    case DeliveryState::kPending:
      return 1;
    case DeliveryState::kDead:
      return 2;
    case DeliveryState::kSuperseded:
      return 3;
  }
  return 4;
}

// Of each channel the delivery that says whether it was told of the beginning.
std::map<std::string, const Delivery*> Told(const OutageEvidence& outage) {
  std::map<std::string, const Delivery*> told;
  for (const KnownDelivery& known : outage.deliveries) {
    const auto& events = known.delivery.events;
    if (std::find(events.begin(), events.end(), outage.firing->key) == events.end()) continue;
    const Delivery*& best = told[known.channel];
    if (best == nullptr || Rank(known.delivery) < Rank(*best)) best = &known.delivery;
  }
  return told;
}

std::string TellDelivery(const std::string& channel, const Delivery& delivery) {
  const std::string tries = TellCount(delivery.attempts, "attempt");
  const std::string outcome =
      delivery.last_outcome.empty() ? "" : absl::StrCat(", the last: ", delivery.last_outcome);
  switch (delivery.state) {
    case DeliveryState::kDelivered:
      return absl::StrCat(
          "Channel ", channel, " was told at ",
          TellTime(delivery.finished_at.value_or(delivery.created_at)), " (", tries,
          delivery.told_by.empty() ? "" : absl::StrCat(", within digest ", delivery.told_by), ").");
    case DeliveryState::kPending:
      return absl::StrCat("Channel ", channel, " has not been told yet: ", tries, outcome,
                          "; the next is due at ", TellTime(delivery.next_attempt_at), ".");
    case DeliveryState::kDead:
      return absl::StrCat("Channel ", channel, " was never told: given up after ", tries, outcome,
                          ".");
    case DeliveryState::kSuperseded:
      break;
  }
  return absl::StrCat("The message to channel ", channel,
                      " was taken back before it was sent: it was over, or newer ones took its "
                      "place.");
}

// Who was told, and what the answer is.
void AddTold(const Evidence& evidence, Verdict& verdict) {
  const OutageEvidence& outage = *evidence.outage;
  const std::map<std::string, const Delivery*> told = Told(outage);
  if (told.empty()) {
    verdict.answer = VerdictAnswer::kNotDelivered;
    verdict.reason = "no_channel";
    const std::string why = WhyNobody(outage.firing->definition, evidence.channels, verdict.reason);
    verdict.sentences.push_back(
        why.empty() ? "Nobody was told: no channel was for it then; as they are now, one is."
                    : why);
    return;
  }
  const Delivery* best = told.begin()->second;
  for (const auto& [channel, delivery] : told) {
    verdict.sentences.push_back(TellDelivery(channel, *delivery));
    if (Rank(*delivery) < Rank(*best)) best = delivery;
    for (const Channel& known : evidence.channels) {
      if (known.id != channel || delivery->state == DeliveryState::kDelivered) continue;
      if (known.disabled_at.has_value()) {
        verdict.sentences.push_back(absl::StrCat("Channel ", channel, " is disabled since ",
                                                 TellTime(*known.disabled_at), ": ",
                                                 known.disable_reason, "."));
      } else if (known.failing_since.has_value()) {
        verdict.sentences.push_back(absl::StrCat("Channel ", channel, " fails since ",
                                                 TellTime(*known.failing_since), ": ",
                                                 known.last_error, "."));
      }
    }
  }
  if (best->state == DeliveryState::kDelivered) return;
  verdict.answer = VerdictAnswer::kNotDelivered;
  verdict.reason = best->state == DeliveryState::kPending ? "pending"
                   : best->state == DeliveryState::kDead  ? "dead"
                                                          : "withdrawn";
}

// What was open when it began: a maintenance before a mute before flapping.
void AddHeld(const OutageEvidence& outage, Verdict& verdict) {
  const bool told = outage.firing.has_value();
  if (!told) {
    verdict.answer = VerdictAnswer::kHeldBack;
    verdict.reason = "flapping";
  }
  std::string why;
  for (const KnownWindow& known : outage.windows) {
    absl::StrAppend(&why, why.empty() ? "it was " : "; ", TellWindow(known));
    const bool mute = known.maintenance.kind == MaintenanceKind::kMute;
    if (!told && (verdict.reason == "flapping" || !mute)) {
      verdict.reason = mute ? "muted" : "maintenance";
    }
  }
  if (why.empty()) {
    why =
        "the monitor was flapping (going down and coming back again and again), muted or in a "
        "maintenance that is deleted since";
  }
  if (told) {
    verdict.sentences.push_back(absl::StrCat("It was held back until ",
                                             TellTime(outage.firing->detected_at), ": ", why, "."));
    return;
  }
  const Incident& incident = outage.incident;
  verdict.sentences.push_back(absl::StrCat(
      "Nobody was told: ", why, ". ",
      incident.closed_at.has_value()
          ? "It was over before that ended."
          : absl::StrCat("If it is still down at ",
                         TellTime(incident.held_until.value_or(absl::InfiniteFuture())),
                         ", it is told then.")));
}

void AddEnd(const OutageEvidence& outage, Verdict& verdict) {
  const Incident& incident = outage.incident;
  if (!incident.closed_at.has_value()) return;
  const absl::Duration lasted = *incident.closed_at - incident.opened_at;
  const std::string by = outage.ended.has_value() ? TellHeartbeat(outage.ended->heartbeat) : "";
  switch (incident.resolution.value_or(Resolution::kRecovered)) {
    case Resolution::kRecovered:
      verdict.sentences.push_back(absl::StrCat("It ended at ", TellTime(*incident.closed_at),
                                               ", after ", TellSpan(lasted), ", with ",
                                               by.empty() ? "a heartbeat" : by, "."));
      break;
    case Resolution::kLateHeartbeat:
      verdict.sentences.push_back(
          "It was a false alarm: the heartbeat had been received in time, but was recorded late.");
      return;
    case Resolution::kPaused:
      verdict.sentences.push_back(
          absl::StrCat("It ended at ", TellTime(*incident.closed_at), ": the monitor was paused."));
      return;
    case Resolution::kDeleted:
      verdict.sentences.push_back(absl::StrCat("It ended at ", TellTime(*incident.closed_at),
                                               ": the monitor was deleted."));
      return;
  }
  // What would have spared it, where that is no more than the job was given anyway.
  if (incident.cause != Cause::kMissedDeadline || !outage.firing.has_value()) return;
  const Schedule& schedule = outage.firing->definition.schedule;
  if (lasted > std::max(schedule.timeout, absl::Hours(1))) return;
  verdict.sentences.push_back(
      absl::StrCat("That heartbeat came ", TellSpan(lasted), " late: with a grace above ",
                   TellSpan(schedule.grace + lasted), " it would not have rung."));
}

}  // namespace

std::string WhyNobody(const MonitorDefinition& definition, const std::vector<Channel>& channels,
                      std::string& reason) {
  if (!Route(definition, channels).empty()) return "";
  std::vector<std::string> disabled;
  std::vector<Channel> enabled = channels;
  for (Channel& channel : enabled) {
    if (channel.disabled_at.has_value()) disabled.push_back(channel.id);
    channel.disabled_at.reset();
  }
  reason = Route(definition, enabled).empty() ? "no_channel" : "channels_disabled";
  if (reason == "channels_disabled") {
    return absl::StrCat("Nobody is told of it: what is for it is disabled (",
                        absl::StrJoin(disabled, ", "), ").");
  }
  if (channels.empty()) return "Nobody is told of it: the project has no channel.";
  return "Nobody is told of it: no channel selects it, it names none, and none is a default one.";
}

Verdict ExplainOutage(const Evidence& evidence) {
  const OutageEvidence& outage = *evidence.outage;
  const Incident& incident = outage.incident;
  Verdict verdict = {.answer = VerdictAnswer::kRang,
                     .reason = std::string(CauseName(incident.cause)),
                     .sentences = {}};
  const bool over = incident.closed_at.has_value();
  verdict.sentences.push_back(
      absl::StrCat(!outage.firing.has_value() ? "It failed and did not ring. "
                   : Told(outage).empty()     ? "It failed and nobody was told. "
                                              : "It rang. ",
                   over ? "DOWN from " : "DOWN since ", TellTime(incident.opened_at),
                   over ? absl::StrCat(" to ", TellTime(*incident.closed_at)) : "", ": ",
                   CauseText(outage), "."));
  const bool by_time =
      incident.cause == Cause::kMissedDeadline || incident.cause == Cause::kRunOverran;
  by_time ? AddDeadline(outage, verdict) : AddReported(outage, verdict);
  if (!outage.rejected.empty()) {
    verdict.sentences.push_back(
        absl::StrCat("Pushes of it were refused meanwhile: ", TellRejected(outage.rejected), "."));
  }
  const absl::Duration unnoticed = incident.detected_at - incident.opened_at;
  if (by_time && unnoticed > kAtOnce) {
    verdict.sentences.push_back(absl::StrCat("Tocsin noticed at ", TellTime(incident.detected_at),
                                             ", ", TellSpan(unnoticed), " after."));
  }
  if (!outage.firing.has_value()) {
    AddHeld(outage, verdict);
  } else {
    // One decision notices and tells, unless it is held back.
    if (outage.firing->detected_at > incident.detected_at) AddHeld(outage, verdict);
    AddTold(evidence, verdict);
    if (outage.firing->flapping) {
      verdict.sentences.push_back(
          "It flaps: of what follows nothing is told until it has been steady for 15 minutes.");
    }
  }
  AddEnd(outage, verdict);
  return verdict;
}

}  // namespace tocsin::core
