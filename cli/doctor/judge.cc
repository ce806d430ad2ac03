// What the facts that `tocsin doctor` gathers say of the health of a Tocsin.
#include "cli/doctor/judge.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/doctor/metrics_text.h"
#include "cli/duration.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

// Receivers refuse signatures of webhooks that are 5 minutes off; long before that, times that
// people compare do not fit together.
constexpr absl::Duration kClockLimit = absl::Seconds(5);
constexpr absl::Duration kRecent = absl::Hours(24);
constexpr absl::Duration kTakenWithin = absl::Minutes(1);
// Of table and index, as docs/sizing.md has measured it; the message comes on top.
constexpr double kHeartbeatBytes = 105;

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string Bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"bytes", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return absl::StrFormat(unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
}

std::string Rate(double per_second) {
  return per_second > 0 && per_second < 1 ? absl::StrFormat("%.1f pushes a minute", per_second * 60)
                                          : absl::StrFormat("%.1f pushes a second", per_second);
}

// "a, b and 3 more".
std::string Some(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  const size_t shown = std::min(kShown, names.size());
  return absl::StrCat(
      absl::StrJoin(names.begin(), names.begin() + shown, ", "),
      names.size() > shown ? absl::StrCat(" and ", names.size() - shown, " more") : "");
}

// A figure that is good from `least` to `most`.
struct Figure {
  const char* family;
  double least, most;
  Verdict verdict;
  const char* what;
  const char* advice;
};
constexpr double kAny = std::numeric_limits<double>::infinity();
// Rollups are made an hour after the other; a few that fail may be made yet.
constexpr double kRollupsLate = 6 * 3600;
constexpr std::array<Figure, 7> kFigures = {{
    {"tocsin_core_connected_gateways", 1, kAny, Verdict::kProblem, "no gateway is connected to it",
     "start tocsin-gateway with this core in --core_addresses; until then no push over HTTP comes "
     "in"},
    {"tocsin_core_connected_notifiers", 1, kAny, Verdict::kProblem,
     "no notifier is connected to it",
     "start tocsin-notifier with this core in --core_addresses; until then nobody is told"},
    {"tocsin_gateway_core_streams", 1, kAny, Verdict::kProblem, "it is connected to no core",
     "see its log: --core_addresses and --core_key_file decide whether core takes it"},
    {"tocsin_notifier_connected_streams", 1, kAny, Verdict::kProblem, "it is connected to no core",
     "see its log: --core_addresses and --core_key_file decide whether core takes it"},
    {"tocsin_core_own_outage_seconds_total", 0, 0, Verdict::kNote,
     "it found an outage of Tocsin since it started",
     "its log says when (own_outage); monitors that it concerned are shown as unverified"},
    {"tocsin_gateway_shed_seconds_total", 0, 0, Verdict::kNote,
     "it had to refuse pushes since it started",
     "core or PostgreSQL was too slow for what came in: see docs/operations.md"},
    {"tocsin_core_rollup_lag_seconds", 0, kRollupsLate, Verdict::kNote,
     "heartbeats of more than 6 hours wait to be rolled up, and old ones are not dropped meanwhile",
     "after an upgrade that passes by itself; otherwise its log says why (maintain), and the disk "
     "fills slowly"},
}};

}  // namespace

Finding JudgeClock(const ClockReading& reading) {
  // The least by which the two must differ.
  const absl::Duration behind = reading.before - reading.most;  // theirs
  const absl::Duration ahead = reading.least - reading.after;
  const absl::Duration off = std::max(behind, ahead);
  const absl::Duration precision = reading.most - reading.least;
  if (off <= kClockLimit) {
    return {
        .check = "clock",
        .verdict = Verdict::kFine,
        .what = absl::StrCat(
            "that of ", reading.whose, " and that here agree",
            precision > absl::ZeroDuration() ? absl::StrCat(", to ", ShowDuration(precision)) : ""),
        .advice = ""};
  }
  return {.check = "clock",
          .verdict = Verdict::kProblem,
          .what = absl::StrCat("that of ", reading.whose, " is ",
                               ShowDuration(absl::Trunc(off, absl::Seconds(1))), " or more ",
                               ahead > behind ? "ahead of" : "behind", " that here"),
          .advice =
              "set whichever is wrong by NTP: receivers refuse webhooks that are signed 5 "
              "minutes off, and --for and --at are meant in the time here"};
}

Finding JudgeVersion(absl::string_view whose, absl::string_view theirs, absl::string_view ours) {
  if (theirs == ours) {
    return {"version", Verdict::kFine, absl::StrCat(whose, " and tocsin are ", ours), ""};
  }
  return {"version", Verdict::kNote, absl::StrCat(whose, " is ", theirs, ", tocsin is ", ours),
          "use the tocsin of the version that runs: an older one does not know every field"};
}

Findings JudgeChannels(const std::vector<v1::Channel>& channels) {
  Findings findings;
  bool has_default = false;
  for (const v1::Channel& channel : channels) {
    const std::string id = IdOf(channel.name());
    if (channel.has_disable_time()) {
      findings.push_back({"channel", Verdict::kProblem,
                          absl::StrCat(id, " is disabled since ", Show(channel.disable_time()),
                                       ": ", channel.disable_reason()),
                          absl::StrCat("it works again with another URL: tocsin channel update ",
                                       id, " --url URL")});
      continue;
    }
    has_default = has_default || channel.is_default();
    if (channel.has_failing_since()) {
      findings.push_back({"channel", Verdict::kProblem,
                          absl::StrCat(id, " fails since ", Show(channel.failing_since()), ": ",
                                       channel.last_error()),
                          absl::StrCat("see what it answers: tocsin channel test ", id)});
    }
  }
  if (channels.empty()) {
    findings.push_back({"channel", Verdict::kProblem, "there is none: nobody is told of anything",
                        "make one: tocsin channel create ID --url URL --default"});
  } else if (!has_default) {
    findings.push_back(
        {"channel", Verdict::kNote,
         "no default channel is enabled: what no selector and no name covers is told "
         "to nobody",
         "tocsin channel update ID --default"});
  }
  if (findings.empty()) {
    findings.push_back({"channel", Verdict::kFine,
                        channels.size() == 1 ? "the one that there is works"
                                             : absl::StrCat("all ", channels.size(), " work"),
                        ""});
  }
  return findings;
}

Findings JudgeDeliveries(const DeliveryFacts& facts, absl::Time now) {
  Findings findings;
  std::vector<std::string> dead, waiting;
  const v1::Delivery* newest = nullptr;
  size_t gone = 0;
  for (const v1::Delivery& delivery : facts.dead) {
    if (now - TimeOf(delivery.finish_time()) > kRecent) continue;
    // Whoever deleted the channel gave up what it was owed, and nothing mends that.
    if (delivery.last_outcome() == "channel_deleted") {
      ++gone;
      continue;
    }
    if (dead.empty()) newest = &delivery;
    dead.push_back(IdOf(delivery.name()));
  }
  for (const v1::Delivery& delivery : facts.pending) {
    if (delivery.attempts() == 0 && delivery.has_next_attempt_time() &&
        now - TimeOf(delivery.next_attempt_time()) > kTakenWithin) {
      waiting.push_back(IdOf(delivery.name()));
    }
  }
  if (!dead.empty()) {
    findings.push_back(
        {"delivery", Verdict::kProblem,
         absl::StrCat(dead.size(), facts.more_dead ? " or more" : "",
                      " given up within a day; the newest to ", IdOf(newest->channel()), ": ",
                      newest->last_outcome()),
         absl::StrCat(
             "tocsin delivery list --state dead shows them; mend the receiver, then: tocsin "
             "delivery redeliver ",
             IdOf(newest->name()))});
  }
  if (!waiting.empty()) {
    findings.push_back({"delivery", Verdict::kProblem,
                        absl::StrCat(waiting.size(),
                                     " wait for more than a minute and nobody has "
                                     "taken them: ",
                                     Some(waiting)),
                        "does tocsin-notifier run, and is it connected to core? See its log"});
  }
  if (findings.empty()) {
    // They may hide others, which are older.
    const bool hides = facts.more_dead && gone > 0 && gone == facts.dead.size();
    findings.push_back(
        {"delivery", hides ? Verdict::kNote : Verdict::kFine,
         absl::StrCat("none was given up within a day",
                      gone == 0 ? ""
                                : absl::StrCat(" but ", gone, hides ? " or more" : "",
                                               " that went with a channel"),
                      ", and none is left lying"),
         hides ? "tocsin delivery list --state dead --limit 0 shows whether others are among them"
               : ""});
  }
  return findings;
}

double RateOfSchedules(const std::vector<v1::Monitor>& monitors) {
  double rate = 0;
  for (const v1::Monitor& monitor : monitors) {
    const v1::HeartbeatSchedule& schedule = monitor.schedule().heartbeat();
    // What is new or down today has its place when it pushes.
    const bool pushes = monitor.state() != v1::Monitor::STATE_PAUSED;
    const absl::Duration interval = schedule.has_recommended_interval()
                                        ? DurationOf(schedule.recommended_interval())
                                        : DurationOf(schedule.timeout());
    if (pushes && interval > absl::ZeroDuration()) rate += 1 / absl::ToDoubleSeconds(interval);
  }
  return rate;
}

Finding JudgeDisk(const PushRate& rate, absl::Duration retention) {
  const double bytes = rate.per_second * absl::ToDoubleSeconds(retention) * kHeartbeatBytes;
  return {"disk", Verdict::kFine,
          absl::StrCat(Rate(rate.per_second), " (", rate.how, ") are ", Bytes(bytes),
                       " of heartbeats in ", ShowDuration(retention),
                       ", and their messages and outputs on top"),
          bytes < 1e9
              ? ""
              : "have at least twice that free for PostgreSQL; longer intervals or a shorter "
                "--heartbeat_retention of tocsin-core take less (docs/sizing.md)"};
}

Findings JudgeMetrics(absl::string_view where, absl::string_view metrics) {
  std::string service = LabelOf(metrics, "tocsin_build_info", "service");
  if (service.empty()) {
    return {{"admin", Verdict::kProblem, absl::StrCat("what ", where, " says is not of Tocsin"),
             "--admin takes the admin port of a service: core 9091, gateway 8081, notifier 9092"}};
  }
  service = std::string(absl::StripPrefix(service, "tocsin-"));
  Findings findings;
  for (const Figure& figure : kFigures) {
    const std::optional<double> value = SumOf(metrics, figure.family);
    if (!value.has_value() || (*value >= figure.least && *value <= figure.most)) continue;
    findings.push_back(
        {service, figure.verdict, absl::StrCat(where, ": ", figure.what), figure.advice});
  }
  return findings;
}

}  // namespace tocsin::cli
