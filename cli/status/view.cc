// What a person reads of how monitors stand, and what a program does.
#include "cli/status/view.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/duration.h"
#include "cli/message_json.h"
#include "cli/monitor_view.h"
#include "cli/table.h"
#include "cli/values.h"
#include "cli/wrap.h"
#include "common/number.h"

namespace tocsin::cli {
namespace {

struct Look {
  const char* title;
  const char* count;  // in the line of counts
  Tone tone;
  const char* all;  // how to see all of them
};

Look LookOf(Trouble trouble) {
  switch (trouble) {
    case Trouble::kDown:
      return {"DOWN", "down", Tone::kBad, "tocsin monitor list --filter 'state = DOWN'"};
    case Trouble::kLate:
      return {"LATE, not down yet", "late", Tone::kWarning, "tocsin status --limit 0"};
    case Trouble::kNeverReported:
      return {"NEVER REPORTED", "never reported", Tone::kBad,
              "tocsin monitor list --filter 'state = NEW'"};
    case Trouble::kFlapping:
      return {"FLAPPING, and up now", "flapping", Tone::kWarning, "tocsin status --limit 0"};
    case Trouble::kUnverified:
      return {"UNVERIFIED, a heartbeat may be lost", "unverified", Tone::kWarning,
              "tocsin status --limit 0"};
    case Trouble::kSilenced:
      break;
  }
  return {"SILENCED, and up", "silenced", Tone::kQuiet,
          "tocsin mute list; tocsin maintenance list"};
}

// The time of day alone, today.
std::string Clock(const google::protobuf::Timestamp& time, absl::Time now) {
  const absl::CivilDay day = absl::ToCivilDay(TimeOf(time), absl::UTCTimeZone());
  if (day != absl::ToCivilDay(now, absl::UTCTimeZone())) return Show(time);
  return absl::FormatTime("%H:%M:%SZ", TimeOf(time), absl::UTCTimeZone());
}

std::string Quoted(absl::string_view said) {
  return said.empty() ? "" : absl::StrCat("\"", Shortened(OneLine(said), 200), "\"");
}

// What came last: "last down 02:20:01Z \"disk full\" (exit status 3)"; "OK" is no message.
std::string LastOf(const v1::Monitor& monitor, absl::Time now) {
  const v1::Heartbeat& last = monitor.last_heartbeat();
  if (!last.has_receive_time()) return "no heartbeat ever";
  std::vector<std::string> words = {"last",
                                    ShowEnum(v1::Heartbeat::Kind_Name(last.kind()), "KIND_"),
                                    Clock(last.receive_time(), now)};
  if (last.has_exit_status() && last.exit_status() != 0) {
    words.push_back(absl::StrCat("(exit status ", last.exit_status(), ")"));
  }
  if (last.message() != "OK" && !last.message().empty()) words.push_back(Quoted(last.message()));
  return absl::StrJoin(words, " ");
}

std::string WhyDown(const Problem& problem, absl::Time now) {
  const v1::Monitor& monitor = problem.monitor;
  if (!problem.incident.has_value()) return LastOf(monitor, now);
  const v1::Incident& incident = *problem.incident;
  const auto with_last = [&](const std::string& why) {
    return absl::StrCat(why, "; ", LastOf(monitor, now));
  };
  switch (incident.cause()) {
    case v1::Incident::CAUSE_MISSED_DEADLINE:
      return with_last(absl::StrCat("nothing came by ", Clock(incident.open_time(), now)));
    case v1::Incident::CAUSE_RUN_OVERRAN:
      return with_last(
          monitor.has_max_run_duration()
              ? absl::StrCat("a run took longer than ", Show(monitor.max_run_duration()))
              : "a run took too long");
    case v1::Incident::CAUSE_VALUE_OUT_OF_RANGE: {
      const v1::Heartbeat& last = monitor.last_heartbeat();
      const std::string value =
          last.has_value() ? absl::StrCat("value ", NumberText(last.value())) : "a value";
      const std::string bounds = BoundWords(monitor);
      return with_last(bounds.empty() ? absl::StrCat(value, " was out of range")
                                      : absl::StrCat(value, ", accepted: ", bounds));
    }
    default:
      break;
  }
  const v1::Heartbeat& last = monitor.last_heartbeat();
  const bool coded = last.has_exit_status() && last.exit_status() != 0;
  return absl::StrCat("the job said at ", Clock(incident.open_time(), now), " that it failed",
                      coded ? absl::StrCat(" (exit status ", last.exit_status(), ")") : "",
                      incident.message().empty() || incident.message() == "OK" ? "" : ": ",
                      incident.message() == "OK" ? "" : Quoted(incident.message()));
}

// "flapping", "muted until 04:00:00Z", …: besides what the group says.
std::vector<std::string> MarksOf(const Problem& problem, absl::Time now) {
  const v1::Monitor& monitor = problem.monitor;
  std::vector<std::string> marks;
  if (monitor.flapping() && problem.trouble != Trouble::kFlapping) marks.emplace_back("flapping");
  if (monitor.unverified() && problem.trouble != Trouble::kUnverified) {
    marks.emplace_back("unverified");
  }
  if (monitor.has_mute_expire_time()) {
    marks.push_back(absl::StrCat("muted until ", Clock(monitor.mute_expire_time(), now)));
  }
  if (monitor.in_maintenance()) marks.emplace_back("in maintenance");
  return marks;
}

std::string Fit(const std::string& line, const StatusView& view) {
  return view.terminal.width == 0 ? line : Shortened(line, view.terminal.width);
}

// The lines below the first one of a problem, as they are printed.
std::vector<std::string> Below(const Problem& problem, const StatusView& view) {
  constexpr size_t kMostLines = 2;  // of what a job said
  constexpr absl::string_view kMargin = "      ";
  const v1::Monitor& monitor = problem.monitor;
  std::vector<std::string> lines;
  const size_t width =
      view.terminal.width > kMargin.size() ? view.terminal.width - kMargin.size() : 0;
  for (const std::string& line : Wrapped(WhyOf(problem, view.now), width, kMostLines)) {
    lines.push_back(Fit(absl::StrCat(kMargin, line), view));
  }
  const auto add = [&](absl::string_view name, absl::string_view value) {
    lines.push_back(absl::StrCat(kMargin, name, ": ", OneLine(value)));
  };
  // Whole, however wide the terminal is: half an address is of no use.
  if (problem.trouble == Trouble::kDown && !monitor.runbook_url().empty()) {
    add("runbook", monitor.runbook_url());
  }
  if (!view.wide) return lines;
  if (monitor.display_name() != IdOf(monitor.name())) {
    add("name", monitor.display_name());
  }
  if (const std::string labels = LabelWords(monitor); !labels.empty()) {
    add("labels", labels);
  }
  if (problem.incident.has_value()) {
    add("incident", IdOf(problem.incident->name()));
  }
  return lines;
}

void AddGroup(const std::vector<const Problem*>& problems, const Count& count,
              const StatusView& view, std::string& text) {
  const Look look = LookOf(problems.front()->trouble);
  absl::StrAppend(&text, "\n",
                  Toned(absl::StrCat(look.title, " (", count.number, count.more ? "+" : "", ")"),
                        look.tone, view.terminal.colour),
                  "\n");
  Table table;
  for (const Problem* problem : problems) {
    const std::optional<absl::Time> since = problem->Since();
    const v1::Monitor& monitor = problem->monitor;
    std::vector<std::string> row = {
        IdOf(monitor.name()), ShowEnum(v1::Monitor::Severity_Name(monitor.severity()), "SEVERITY_"),
        since.has_value() ? absl::StrCat("for ", ShowAge(view.now - *since)) : "", monitor.owner(),
        absl::StrJoin(MarksOf(*problem, view.now), ", ")};
    if (row.back().empty()) row.pop_back();
    table.AddRow(std::move(row));
    if (monitor.severity() == v1::Monitor::SEVERITY_CRITICAL) table.Tint(1, Tone::kBad);
  }
  // A line with colours cannot be cut where the terminal ends: one that is too long has none.
  const std::vector<std::string> plain = table.Lines(), toned = table.Lines(view.terminal.colour);
  for (size_t i = 0; i < problems.size(); ++i) {
    const std::string line = absl::StrCat("  ", plain[i]);
    const std::string fit = Fit(line, view);
    absl::StrAppend(&text, fit == line ? absl::StrCat("  ", toned[i]) : fit, "\n");
    for (const std::string& below : Below(*problems[i], view)) {
      absl::StrAppend(&text, below, "\n");
    }
  }
  const int64_t left = count.number - static_cast<int64_t>(problems.size());
  if (left > 0) {
    absl::StrAppend(
        &text,
        Fit(absl::StrCat("  … and ", left, count.more ? " or more" : "", ": ", look.all), view),
        "\n");
  }
}

std::string CountWords(const Count& count, const char* of) {
  return absl::StrCat(count.number, count.more ? "+ " : " ", of);
}

std::string Counts(const Standing& standing, bool colour) {
  std::vector<std::string> bad, good;
  for (const Trouble trouble : kTroubles) {
    const Count& count = standing.Of(trouble);
    const Look look = LookOf(trouble);
    if (count.number > 0) bad.push_back(Toned(CountWords(count, look.count), look.tone, colour));
  }
  if (standing.up().number > 0) {
    good.push_back(Toned(CountWords(standing.up(), "up"), Tone::kGood, colour));
  }
  if (standing.fresh().number > 0) good.push_back(CountWords(standing.fresh(), "new"));
  if (standing.paused().number > 0) good.push_back(CountWords(standing.paused(), "paused"));
  return absl::StrJoin({absl::StrJoin(bad, ", "), absl::StrJoin(good, ", ")},
                       bad.empty() || good.empty() ? "" : "; ");
}

// The first ones of each kind, in their order.
std::map<Trouble, std::vector<const Problem*>> Shown(const Standing& standing, size_t limit) {
  std::map<Trouble, std::vector<const Problem*>> groups;
  for (const Problem& problem : standing.problems()) {
    std::vector<const Problem*>& group = groups[problem.trouble];
    if (limit == 0 || group.size() < limit) group.push_back(&problem);
  }
  return groups;
}

}  // namespace

std::string WhyOf(const Problem& problem, absl::Time now) {
  const v1::Monitor& monitor = problem.monitor;
  const std::string deadline = monitor.has_deadline_time()
                                   ? absl::StrCat(", down at ", Clock(monitor.deadline_time(), now))
                                   : "";
  switch (problem.trouble) {
    case Trouble::kDown:
      return WhyDown(problem, now);
    case Trouble::kLate:
      return absl::StrCat("expected at ", Clock(monitor.expect_time(), now), deadline, "; ",
                          LastOf(monitor, now));
    case Trouble::kNeverReported:
      return absl::StrCat("no heartbeat since it was made, ", Clock(monitor.create_time(), now),
                          deadline.empty() ? "; no alert: made without --arm-on-create" : deadline);
    case Trouble::kFlapping:
      return absl::StrCat("nothing is told until it is steady; ", LastOf(monitor, now));
    case Trouble::kUnverified:
    case Trouble::kSilenced:
      break;
  }
  return LastOf(monitor, now);
}

std::string StatusText(const Standing& standing, const StatusView& view) {
  const bool colour = view.terminal.colour;
  const std::string head = absl::StrCat(
      view.where, ", ", absl::FormatTime("%Y-%m-%d %H:%M:%SZ", view.now, absl::UTCTimeZone()));
  if (standing.empty()) return absl::StrCat(head, "\nNo monitors.\n");
  std::string text =
      absl::StrCat(Toned(Fit(head, view), Tone::kTitle, colour), "\n",
                   standing.problems().empty() ? Toned("All well: ", Tone::kGood, colour) : "",
                   Counts(standing, colour), "\n");
  for (const auto& [trouble, problems] : Shown(standing, view.limit)) {
    AddGroup(problems, standing.Of(trouble), view, text);
  }
  if (standing.up().more) {
    absl::StrAppend(&text, "\nOnly the first ", standing.up().number,
                    " monitors or so that are up were looked at: of those behind them nobody "
                    "knows here\nwhether they are late. Narrow it with -l, or see --look-at.\n");
  }
  return text;
}

nlohmann::ordered_json StatusJson(const Standing& standing, const StatusView& view) {
  nlohmann::ordered_json counts, problems = nlohmann::ordered_json::array();
  nlohmann::ordered_json at_least = nlohmann::ordered_json::array();
  const auto count = [&](absl::string_view name, const Count& of) {
    counts[std::string(name)] = of.number;
    if (of.more) at_least.push_back(std::string(name));
  };
  for (const Trouble trouble : kTroubles) count(WordOf(trouble), standing.Of(trouble));
  count("up", standing.up());
  count("new", standing.fresh());
  count("paused", standing.paused());
  for (const auto& [trouble, group] : Shown(standing, view.limit)) {
    for (const Problem* problem : group) {
      nlohmann::ordered_json one = {{"trouble", std::string(WordOf(trouble))},
                                    {"why", WhyOf(*problem, view.now)},
                                    {"monitor", JsonOf(problem->monitor)}};
      if (problem->incident.has_value()) one["incident"] = JsonOf(*problem->incident);
      problems.push_back(std::move(one));
    }
  }
  return {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", view.now, absl::UTCTimeZone())},
          {"wrong", standing.Wrong()},
          {"counts", std::move(counts)},
          {"atLeast", std::move(at_least)},
          {"problems", std::move(problems)}};
}

}  // namespace tocsin::cli
