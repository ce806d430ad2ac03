// Why a monitor rang, or why it did not, in plain sentences.
#include "services/core/domain/verdict.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/outage_verdict.h"
#include "services/core/domain/past_state.h"
#include "services/core/domain/tell.h"

namespace tocsin::core {
namespace {

Verdict AtRest(const Evidence& evidence) {
  const bool deleted = evidence.definition.deleted_at.has_value();
  Verdict verdict = {.answer = VerdictAnswer::kNotWatched,
                     .reason = deleted ? "deleted" : "paused",
                     .sentences = {}};
  std::string text = deleted ? "It was deleted" : "It was paused";
  if (!deleted && evidence.rested.has_value() && IsDeletion(*evidence.rested)) {
    // A deletion rests it, and it stays so when it is brought back.
    text = "It was brought back and not resumed. It was deleted";
  }
  if (evidence.rested.has_value()) {
    absl::StrAppend(&text, ", since ", TellTime(evidence.rested->at), " by ",
                    evidence.rested->caller.actor);
  } else if (deleted) {
    absl::StrAppend(&text, ", since ", TellTime(*evidence.definition.deleted_at));
  } else if (evidence.state.armed_at != absl::InfinitePast()) {
    absl::StrAppend(&text, ", since ", TellTime(evidence.state.armed_at));
  }
  verdict.sentences.push_back(text + ": nothing is expected of it, and nothing rings.");
  return verdict;
}

Verdict NeverPushed(const Evidence& evidence) {
  return {.answer = VerdictAnswer::kNotWatched,
          .reason = "never_pushed",
          .sentences = {absl::StrCat(
              "It had never been pushed since it was made at ",
              TellTime(evidence.definition.created_at),
              ": a monitor rings only after its first heartbeat, or with arm_on_create.")}};
}

Verdict NotMade(const Evidence& evidence) {
  return {.answer = VerdictAnswer::kNotWatched,
          .reason = "not_made",
          .sentences = {absl::StrCat("It was not there yet: it was made at ",
                                     TellTime(evidence.definition.created_at), ".")}};
}

Verdict NotKept() {
  return {
      .answer = VerdictAnswer::kUnknown,
      .reason = "not_kept",
      .sentences = {"No heartbeat from before that time is kept: it had not been pushed yet, or "
                    "that is longer ago than heartbeats are kept."}};
}

// From the last heartbeat to the deadline.
std::string Chain(const Evidence& evidence, const Deadline& deadline) {
  std::string text =
      evidence.last.has_value()
          ? absl::StrCat("The last heartbeat was ", TellHeartbeat(evidence.last->heartbeat), " at ",
                         TellTime(evidence.last->heartbeat.at))
          : "It has had no heartbeat";
  if (evidence.state.armed_at > evidence.state.last_at) {
    absl::StrAppend(&text, "; it is watched since ", TellTime(evidence.state.armed_at));
  }
  absl::StrAppend(&text, ". By its settings (", SettingsText(evidence.definition), ") ");
  if (deadline.cause == Cause::kRunOverran) {
    absl::StrAppend(&text, "the open run", deadline.run_id.empty() ? "" : " ", deadline.run_id,
                    " is to end by ", TellTime(deadline.expected_at), ".");
    return text;
  }
  absl::StrAppend(&text, "the next is expected by ", TellTime(deadline.expected_at),
                  ", and its deadline is ", TellTime(deadline.plain), ".");
  return text;
}

// Which of the reasons for being quiet it is, and the sentences on it.
void AddPlace(const Evidence& evidence, const Deadline& deadline, Verdict& verdict) {
  const auto& [definition, state] = std::tie(evidence.definition, evidence.state);
  if (evidence.at <= deadline.expected_at) {
    verdict.reason = "in_time";
  } else if (evidence.at <= deadline.plain) {
    verdict.reason = "in_grace";
    verdict.sentences.push_back("It was late, and within its grace.");
  } else if (evidence.at <= deadline.at) {
    verdict.reason = "postponed";
    verdict.sentences.push_back(
        absl::StrCat("An own outage of Tocsin, or a maintenance, has moved that deadline to ",
                     TellTime(deadline.at), ": a heartbeat may have been lost in it."));
  } else {
    verdict.reason = "not_judged";
    verdict.sentences.push_back(absl::StrCat(
        "That deadline (", TellTime(deadline.at),
        ") has passed and is not judged yet: Tocsin judges only what it knows that it could have "
        "received."));
  }
  const PassedDeadline* newest = evidence.passed.empty() ? nullptr : &evidence.passed.front();
  if (newest != nullptr && newest->reason == Reason::kExcused) {
    verdict.reason = "excused";
    verdict.sentences.push_back(absl::StrCat(
        "The deadline of ", TellTime(newest->at),
        " passed and was excused: its heartbeat may have been lost in an own outage of Tocsin, or "
        "a maintenance was announced."));
  }
  if (state.failures > 0 && state.failures < definition.failure_threshold) {
    verdict.reason = "below_threshold";
    verdict.sentences.push_back(absl::StrCat(
        "It had failed ", state.failures, " of ", definition.failure_threshold, " times in a row",
        newest == nullptr ? "" : absl::StrCat(", last with the deadline of ", TellTime(newest->at)),
        ": below its failure threshold."));
  }
}

// What would keep a failure from being told.
void AddProspects(const Evidence& evidence, Verdict& verdict) {
  if (!evidence.rejected.empty()) {
    verdict.sentences.push_back(absl::StrCat("Pushes of it were refused since the last heartbeat: ",
                                             TellRejected(evidence.rejected), "."));
  }
  for (const KnownWindow& known : evidence.windows) {
    verdict.sentences.push_back(absl::StrCat("It was ", TellWindow(known),
                                             ". What fails in it is told at its end, if it is down "
                                             "then."));
  }
  std::string reason;
  const std::string nobody = WhyNobody(evidence.definition, evidence.channels, reason);
  if (!nobody.empty()) {
    verdict.sentences.push_back(absl::StrCat("Should it fail: ", nobody));
    return;
  }
  const std::vector<ChannelKey> route = Route(evidence.definition, evidence.channels);
  for (const Channel& channel : evidence.channels) {
    if (!channel.failing_since.has_value()) continue;
    if (std::find(route.begin(), route.end(), channel.key) == route.end()) continue;
    verdict.sentences.push_back(absl::StrCat("Channel ", channel.id, " fails since ",
                                             TellTime(*channel.failing_since), ": ",
                                             channel.last_error, "."));
  }
}

Verdict ExplainQuiet(const Evidence& evidence) {
  if (evidence.at < evidence.definition.created_at) return NotMade(evidence);
  const MonitorState& state = evidence.state;
  if (evidence.definition.deleted_at.has_value() || state.state == State::kPaused) {
    return AtRest(evidence);
  }
  if (evidence.heard_later) return NotKept();
  const Deadline deadline = DeadlineOf(evidence.definition, state, evidence.gaps);
  const bool running =
      std::any_of(state.runs.begin(), state.runs.end(), [](const Run& run) { return run.open(); });
  if (deadline.at == absl::InfiniteFuture() && !running) {
    Verdict verdict = NeverPushed(evidence);
    AddProspects(evidence, verdict);
    return verdict;
  }
  Verdict verdict = {.answer = VerdictAnswer::kQuiet, .reason = "running", .sentences = {}};
  if (deadline.at == absl::InfiniteFuture()) {
    verdict.sentences.push_back("A run is open, and nothing limits it.");
  } else {
    verdict.sentences.push_back(Chain(evidence, deadline));
    AddPlace(evidence, deadline, verdict);
  }
  AddProspects(evidence, verdict);
  return verdict;
}

}  // namespace

Verdict Explain(const Evidence& evidence) {
  const std::string at = TellTime(evidence.at);
  if (!evidence.outage.has_value()) {
    Verdict verdict = ExplainQuiet(evidence);
    verdict.sentences.front() =
        absl::StrCat("It did not ring at ", at, ". ", verdict.sentences.front());
    return verdict;
  }
  Verdict verdict = ExplainOutage(evidence);
  const absl::Time opened_at = evidence.outage->incident.opened_at;
  if (opened_at > evidence.at) {
    verdict.sentences.front() =
        absl::StrCat("At ", at, " it had not failed yet. This is ",
                     TellSpan(opened_at - evidence.at), " later: ", verdict.sentences.front());
  }
  const auto& closed_at = evidence.outage->incident.closed_at;
  if (!closed_at.has_value() || *closed_at > evidence.at) return verdict;
  Verdict after = ExplainQuiet(evidence);
  after.sentences.front() = absl::StrCat("At ", at, " it was quiet. ", after.sentences.front());
  for (std::string& sentence : after.sentences) verdict.sentences.push_back(std::move(sentence));
  return verdict;
}

}  // namespace tocsin::core
