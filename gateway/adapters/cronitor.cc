// Cronitor's telemetry: /p/<key>/<monitor>[/<state>] and /ping/<key>/<monitor>, with the parameters
// state, message, metric, duration, series and status_code; host, env and stamp are not kept.
//
// A state is run, complete, fail, ok, tick or logs; without one it is a plain heartbeat. The series
// is the run. Of the metrics the duration is kept as the value, or the first one when there is no
// duration. As there, a monitor that is missing is made, if the push key may.
#include <algorithm>
#include <array>

#include "gateway/adapters/adapter.h"
#include "gateway/adapters/plain_text.h"
#include "gateway/adapters/reading.h"
#include "gateway/monitor_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kOwnPrefix = "/p/";
constexpr std::string_view kSharedPrefix = "/ping/";

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Of no other client than Cronitor's.
bool IsOwnState(std::string_view state) {
  constexpr std::array<std::string_view, 5> kStates = {"run", "complete", "ok", "tick", "logs"};
  return std::any_of(kStates.begin(), kStates.end(),
                     [&](std::string_view known) { return http::EqualsIgnoreCase(state, known); });
}

bool ReadState(std::string_view state, PushParameters& out) {
  if (http::EqualsIgnoreCase(state, "run")) {
    out.kind = PushKind::kStart;
  } else if (http::EqualsIgnoreCase(state, "fail")) {
    out.kind = PushKind::kDown;
  } else if (http::EqualsIgnoreCase(state, "logs")) {
    out.kind = PushKind::kLog;  // the agent for Kubernetes, of the output of a job
  } else if (!state.empty() && !http::EqualsIgnoreCase(state, "complete") &&
             !http::EqualsIgnoreCase(state, "ok") && !http::EqualsIgnoreCase(state, "tick")) {
    return false;
  }
  return true;
}

struct Parameters {
  std::string state, message, series, exit_status;
  std::optional<double> duration, own_duration, first_metric;
};

// "duration:1.5"
void ReadMetric(std::string_view metric, Parameters& out) {
  const size_t colon = metric.find(':');
  if (colon == std::string_view::npos) return;
  const auto number = ReadNumber(metric.substr(colon + 1));
  if (!number) return;
  if (!out.first_metric) out.first_metric = number;
  if (!out.duration && metric.substr(0, colon) == "duration") out.duration = number;
}

Parameters ReadParameters(std::string_view query) {
  Parameters out;
  ForEachParameter(query, [&](const std::string& name, const std::string& value) {
    const auto offer = [&](std::string& to) {
      if (to.empty()) to = value;
    };
    if (name == "state") return offer(out.state);
    if (name == "message" || name == "msg") return offer(out.message);
    if (name == "series") return offer(out.series);
    if (name == "status_code") return offer(out.exit_status);
    if (name == "metric") ReadMetric(value, out);
    if (name == "duration" && !out.own_duration) out.own_duration = ReadNumber(value);
  });
  return out;
}

class Cronitor final : public Adapter {
 public:
  std::string_view route() const override { return "/p"; }
  std::string_view methods() const override { return "GET, HEAD, POST, OPTIONS"; }

  bool Wants(const Target& target) const override {
    if (StartsWith(target.path, kOwnPrefix)) return target.path.size() > kOwnPrefix.size();
    // Its clients send a stamp, people who write it by hand a state; older ones have the state in
    // the path alone. Healthchecks knows none of these, and Cronitor's keys are no UUIDs.
    if (!StartsWith(target.path, kSharedPrefix)) return false;
    const auto parts = PathParts(target.path);
    if (parts.size() < 2 || ReadUuid(parts[1])) return false;
    const bool has_state = parts.size() == 4;
    bool wanted = has_state && IsOwnState(parts[3]);
    ForEachParameter(target.query, [&](const std::string& name, const std::string&) {
      wanted = wanted || name == "state" || name == "stamp" || name == "metric" ||
               (has_state && (name == "series" || name == "message"));
    });
    return wanted;
  }

  absl::Status Read(const Target& target, const http::Request&, PushAddress& to,
                    PushParameters& out) const override {
    std::vector<std::string> parts = PathParts(target.path);
    if (parts.size() < 3 || parts.size() > 4 || parts[1].empty() || parts.back().empty()) {
      return absl::InvalidArgumentError(
          "the path must be /p/<push key>/<monitor> or /p/<push key>/<monitor>/<state>");
    }
    const auto monitor = MonitorIdOf(parts[2]);
    if (!monitor) {
      return absl::InvalidArgumentError(
          "the monitor in the path must be 1 to 63 of a-z, 0-9, -, _ and .");
    }
    to.secret = parts[1];
    to.monitor_id = *monitor;
    out.create = true;
    const Parameters said = ReadParameters(target.query);
    if (!ReadState(parts.size() == 4 ? parts[3] : said.state, out)) {
      return absl::InvalidArgumentError("state must be run, complete, fail, ok, tick or logs");
    }
    CleanUtf8(said.message, kMaxMessageBytes, out.message);
    CleanUtf8(said.series, 3 * kMaxRunIdBytes, out.run_id);
    if (said.series.size() > kMaxRunIdBytes || out.run_id.size() > kMaxRunIdBytes) {
      return absl::InvalidArgumentError("series must be at most 64 bytes long");
    }
    // The metric, or the parameter by which its command line says it, or another metric.
    out.value = said.duration ? said.duration : said.own_duration;
    if (!out.value) out.value = said.first_metric;
    out.exit_status = ReadExitStatus(said.exit_status);
    return absl::OkStatus();
  }

 private:
  void Say(const PushReply& reply, http::Response& out) const override {
    if (IsRecorded(reply.verdict)) {
      out.status = 200;
      return SayPlainText("OK", out);
    }
    SayPlainText(reply.verdict == PushVerdict::kUnknown ? "not found" : reply.text, out);
  }
};

}  // namespace

const Adapter& CronitorAdapter() {
  static const Cronitor* const adapter = new Cronitor;
  return *adapter;
}

}  // namespace tocsin::gateway
