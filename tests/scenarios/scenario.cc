// Reads the timelines of this folder.
#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/domain/time_zone.h"
#include "services/core/domain/validate.h"

namespace tocsin::core::scenarios {
namespace {

// The words of one line, read from left to right. A quoted text is one word.
class Words {
 public:
  static absl::StatusOr<Words> Of(absl::string_view line) {
    Words words;
    while (true) {
      line = absl::StripLeadingAsciiWhitespace(line);
      if (line.empty() || line.front() == '#') return words;
      size_t end = 0;
      if (line.front() == '"') {
        end = line.find('"', 1);
        if (end == absl::string_view::npos) {
          return absl::InvalidArgumentError("a text does not end");
        }
        words.words_.emplace_back(line.substr(1, end - 1));
        ++end;
      } else {
        end = std::min(line.find_first_of(" \t"), line.size());
        words.words_.emplace_back(line.substr(0, end));
      }
      line.remove_prefix(end);
    }
  }

  bool AtEnd() const { return next_ == words_.size(); }
  const std::string& Peek() const { return AtEnd() ? none_ : words_[next_]; }
  std::string Next() { return AtEnd() ? none_ : words_[next_++]; }
  // Takes the words if they come next.
  bool Take(const std::string& word) {
    if (Peek() != word) return false;
    ++next_;
    return true;
  }
  absl::StatusOr<absl::Duration> Length() { return ParseLength(Next()); }

 private:
  std::vector<std::string> words_;
  size_t next_ = 0;
  std::string none_;
};

absl::Status Unknown(const std::string& word, absl::string_view accepted) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", word, "\" is not understood; accepted: ", accepted));
}

absl::StatusOr<HeartbeatKind> ParseKind(const std::string& word) {
  if (word == "up") return HeartbeatKind::kUp;
  if (word == "down") return HeartbeatKind::kDown;
  if (word == "start") return HeartbeatKind::kStart;
  if (word == "log") return HeartbeatKind::kLog;
  return Unknown(word, "up, down, start, log");
}

absl::StatusOr<State> ParseState(const std::string& word) {
  if (word == "NEW") return State::kNew;
  if (word == "UP") return State::kUp;
  if (word == "DOWN") return State::kDown;
  if (word == "PAUSED") return State::kPaused;
  return Unknown(word, "NEW, UP, DOWN, PAUSED");
}

absl::StatusOr<double> ParseNumber(const std::string& word) {
  double number = 0;
  if (!absl::SimpleAtod(word, &number)) return Unknown(word, "a number");
  return number;
}

absl::StatusOr<Action> ParsePush(Words& words) {
  Push push;
  ASSIGN_OR_RETURN(push.kind, ParseKind(words.Next()));
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    if (word == "saying") {
      push.message = words.Next();
    } else if (word == "received") {
      ASSIGN_OR_RETURN(push.received, words.Length());
    } else if (word == "over") {
      push.source = words.Next() == "grpc" ? Source::kGrpc : Source::kHttp;
    } else if (word == "run") {
      push.run_id = words.Next();
    } else if (word == "value") {
      ASSIGN_OR_RETURN(push.value, ParseNumber(words.Next()));
    } else if (word == "gives") {
      push.gives = words.Next();
    } else {
      return Unknown(word, "saying, received, over, run, value, gives");
    }
  }
  return push;
}

// A monitor has one kind of schedule: what belongs to the other makes it that.
CronRule& Cron(MonitorDefinition& monitor) {
  Schedule& schedule = monitor.schedule;
  if (!schedule.cron.has_value()) {
    schedule = Schedule();
    schedule.grace = kDefaultCronGrace;
    schedule.cron =
        CronRule{.expression = *CronExpression::Parse("@hourly"), .zone = absl::UTCTimeZone()};
  }
  return *schedule.cron;
}
Schedule& HeartbeatSchedule(MonitorDefinition& monitor) {
  if (monitor.schedule.cron.has_value()) monitor.schedule = {};
  return monitor.schedule;
}

using SettingParser = absl::StatusOr<Edit> (*)(Words&);

template <absl::Duration& (*field)(MonitorDefinition&)>
absl::StatusOr<Edit> LengthSetting(Words& words) {
  ASSIGN_OR_RETURN(const absl::Duration length, words.Length());
  return [length](MonitorDefinition& monitor) { field(monitor) = length; };
}

template <std::optional<double> MonitorDefinition::*field>
absl::StatusOr<Edit> BoundSetting(Words& words) {
  if (words.Take("none")) return [](MonitorDefinition& monitor) { (monitor.*field).reset(); };
  ASSIGN_OR_RETURN(const double number, ParseNumber(words.Next()));
  return [number](MonitorDefinition& monitor) { monitor.*field = number; };
}

template <int32_t MonitorDefinition::*field>
absl::StatusOr<Edit> CountSetting(Words& words) {
  ASSIGN_OR_RETURN(const double number, ParseNumber(words.Next()));
  return [number](MonitorDefinition& monitor) { monitor.*field = static_cast<int32_t>(number); };
}

template <bool MonitorDefinition::*field>
absl::StatusOr<Edit> FlagSetting(Words& words) {
  const bool on = !words.Take("off");
  if (on) words.Take("on");
  return [on](MonitorDefinition& monitor) { monitor.*field = on; };
}

absl::StatusOr<Edit> CronSetting(Words& words) {
  ASSIGN_OR_RETURN(const CronExpression expression, CronExpression::Parse(words.Next()));
  return [expression](MonitorDefinition& monitor) { Cron(monitor).expression = expression; };
}

absl::StatusOr<Edit> ZoneSetting(Words& words) {
  ASSIGN_OR_RETURN(const absl::TimeZone zone, FindTimeZone(words.Next()));
  return [zone](MonitorDefinition& monitor) { Cron(monitor).zone = zone; };
}

absl::StatusOr<Edit> EarlySetting(Words& words) {
  ASSIGN_OR_RETURN(const absl::Duration early, words.Length());
  return [early](MonitorDefinition& monitor) { Cron(monitor).early_tolerance = early; };
}

absl::StatusOr<Edit> OwnerSetting(Words& words) {
  return [owner = words.Next()](MonitorDefinition& monitor) { monitor.owner = owner; };
}

// A label, or none.
absl::StatusOr<Edit> LabelSetting(Words& words) {
  if (words.Take("none")) return [](MonitorDefinition& monitor) { monitor.labels.clear(); };
  const std::pair<std::string, std::string> label =
      absl::StrSplit(words.Next(), absl::MaxSplits('=', 1));
  return [label](MonitorDefinition& monitor) { monitor.labels[label.first] = label.second; };
}

absl::Duration& Timeout(MonitorDefinition& monitor) { return HeartbeatSchedule(monitor).timeout; }
absl::Duration& Interval(MonitorDefinition& monitor) {
  return HeartbeatSchedule(monitor).recommended_interval;
}
absl::Duration& Grace(MonitorDefinition& monitor) { return monitor.schedule.grace; }
absl::Duration& MaxRun(MonitorDefinition& monitor) { return monitor.max_run_duration; }
absl::Duration& Remind(MonitorDefinition& monitor) { return monitor.reminder_interval; }

// In the order of the lines of README.md.
constexpr std::pair<absl::string_view, SettingParser> kSettings[] = {
    {"timeout", LengthSetting<Timeout>},
    {"interval", LengthSetting<Interval>},
    {"grace", LengthSetting<Grace>},
    {"cron", CronSetting},
    {"zone", ZoneSetting},
    {"early", EarlySetting},
    {"max_run", LengthSetting<MaxRun>},
    {"failures", CountSetting<&MonitorDefinition::failure_threshold>},
    {"recoveries", CountSetting<&MonitorDefinition::recovery_threshold>},
    {"value_min", BoundSetting<&MonitorDefinition::value_min>},
    {"value_max", BoundSetting<&MonitorDefinition::value_max>},
    {"remind", LengthSetting<Remind>},
    {"arm_on_create", FlagSetting<&MonitorDefinition::arm_on_create>},
    {"resume_on_heartbeat", FlagSetting<&MonitorDefinition::resume_on_heartbeat>},
    {"owner", OwnerSetting},
    {"label", LabelSetting},
};

absl::StatusOr<std::vector<Edit>> ParseSettings(Words& words) {
  std::vector<Edit> edits;
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    const auto* setting = std::find_if(std::begin(kSettings), std::end(kSettings),
                                       [&](const auto& each) { return each.first == word; });
    if (setting == std::end(kSettings)) {
      std::vector<absl::string_view> names;
      for (const auto& each : kSettings) names.push_back(each.first);
      return Unknown(word, absl::StrJoin(names, ", "));
    }
    ASSIGN_OR_RETURN(Edit edit, setting->second(words));
    edits.push_back(std::move(edit));
  }
  return edits;
}

absl::StatusOr<Action> ParseChange(Words& words) {
  ASSIGN_OR_RETURN(std::vector<Edit> edits, ParseSettings(words));
  return Change{.edits = std::move(edits)};
}

RecurringWindow& Recurring(Maintenance& maintenance) {
  if (!maintenance.recurring.has_value()) {
    maintenance.recurring = RecurringWindow{.expression = *CronExpression::Parse("@daily"),
                                            .zone = absl::UTCTimeZone(),
                                            .duration = absl::Hours(1)};
  }
  return *maintenance.recurring;
}

// "all", the id of a monitor, or a selector.
void SetAbout(Maintenance& maintenance, const std::string& about) {
  maintenance.all_monitors = about == "all";
  maintenance.monitors.clear();
  maintenance.selector.clear();
  if (maintenance.all_monitors) return;
  if (about.find('=') != std::string::npos) {
    maintenance.selector = about;
  } else {
    maintenance.monitors = {about};
  }
}

absl::StatusOr<Action> ParseMaintenance(Words& words) {
  SetMaintenance set{.id = words.Next(), .edits = {}};
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    if (word == "from") {
      ASSIGN_OR_RETURN(const Instant at, words.Length());
      set.edits.emplace_back([at](Maintenance& work) { work.start = Beginning() + at; });
    } else if (word == "to") {
      ASSIGN_OR_RETURN(const Instant at, words.Length());
      set.edits.emplace_back([at](Maintenance& work) { work.end = Beginning() + at; });
    } else if (word == "cron") {
      ASSIGN_OR_RETURN(const CronExpression expression, CronExpression::Parse(words.Next()));
      set.edits.emplace_back(
          [expression](Maintenance& work) { Recurring(work).expression = expression; });
    } else if (word == "zone") {
      ASSIGN_OR_RETURN(const absl::TimeZone zone, FindTimeZone(words.Next()));
      set.edits.emplace_back([zone](Maintenance& work) { Recurring(work).zone = zone; });
    } else if (word == "for") {
      ASSIGN_OR_RETURN(const absl::Duration length, words.Length());
      set.edits.emplace_back([length](Maintenance& work) { Recurring(work).duration = length; });
    } else if (word == "about") {
      set.edits.emplace_back([about = words.Next()](Maintenance& work) { SetAbout(work, about); });
    } else {
      return Unknown(word, "from, to, cron, zone, for, about");
    }
  }
  return set;
}

absl::StatusOr<Action> ParseExpect(Words& words) {
  Expect expect;
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    if (word == "cause") {
      expect.cause = words.Next();
    } else if (word == "opened_at") {
      ASSIGN_OR_RETURN(expect.opened_at, words.Length());
    } else if (word == "noticed_within") {
      ASSIGN_OR_RETURN(expect.noticed_within, words.Length());
    } else if (word == "message") {
      expect.message = words.Next();
    } else if (word == "condition") {
      expect.condition = words.Next();
    } else if (word == "deadline") {
      if (words.Take("none")) {
        expect.deadline = absl::InfiniteDuration();
      } else {
        ASSIGN_OR_RETURN(expect.deadline, words.Length());
      }
    } else if (word == "failures") {
      ASSIGN_OR_RETURN(const double failures, ParseNumber(words.Next()));
      expect.failures = static_cast<int32_t>(failures);
    } else if (word == "unverified" || word == "verified") {
      expect.unverified = word == "unverified";
    } else if (word == "maintained" || word == "unmaintained") {
      expect.maintained = word == "maintained";
    } else if (word == "occurred_at") {
      ASSIGN_OR_RETURN(expect.occurred_at, words.Length());
    } else if (word == "events") {
      expect.events.emplace();
      while (!words.AtEnd()) {
        if (std::string event = words.Next(); event != "none") {
          expect.events->push_back(std::move(event));
        }
      }
    } else {
      ASSIGN_OR_RETURN(expect.state, ParseState(word));
    }
  }
  return expect;
}

absl::StatusOr<Action> ParseAction(Words& words) {
  const std::string word = words.Next();
  if (word == "push") return ParsePush(words);
  if (word == "change") return ParseChange(words);
  if (word == "expect") return ParseExpect(words);
  if (word == "pause") return Admin{Admin::What::kPause};
  if (word == "resume") return Admin{Admin::What::kResume};
  if (word == "maintenance") return ParseMaintenance(words);
  if (word == "delete" && words.Take("maintenance")) return DeleteMaintenance{words.Next()};
  if (word == "delete") return Admin{Admin::What::kDelete};
  if (word == "undelete") return Admin{Admin::What::kUndelete};
  if (word == "restart") return Restart{};
  if ((word == "own" || word == "gateway") && words.Take("outage") && words.Take("of")) {
    Outage outage;
    outage.kind = word == "own" ? GapKind::kCore : GapKind::kGateway;
    ASSIGN_OR_RETURN(outage.length, words.Length());
    return outage;
  }
  return Unknown(word,
                 "push, change, expect, pause, resume, delete, undelete, maintenance, "
                 "delete maintenance, restart, own outage of, gateway outage of");
}

absl::Status ParseMonitor(Words& words, MonitorDefinition& monitor) {
  ASSIGN_OR_RETURN(const std::vector<Edit> edits, ParseSettings(words));
  for (const Edit& edit : edits) edit(monitor);
  return absl::OkStatus();
}

absl::Status ParseSteps(Words& words, int line, Scenario& scenario) {
  if (words.Take("at")) {
    ASSIGN_OR_RETURN(const Instant at, words.Length());
    ASSIGN_OR_RETURN(Action action, ParseAction(words));
    scenario.steps.push_back({.at = at, .action = std::move(action), .line = line});
    return absl::OkStatus();
  }
  if (words.Take("every")) {
    ASSIGN_OR_RETURN(const absl::Duration period, words.Length());
    if (period <= absl::ZeroDuration()) return absl::InvalidArgumentError("the period is 0");
    if (!words.Take("from")) return Unknown(words.Peek(), "from");
    ASSIGN_OR_RETURN(const Instant from, words.Length());
    if (!words.Take("to")) return Unknown(words.Peek(), "to");
    ASSIGN_OR_RETURN(const Instant to, words.Length());
    ASSIGN_OR_RETURN(const Action action, ParseAction(words));
    for (Instant at = from; at <= to; at += period) {
      scenario.steps.push_back({.at = at, .action = action, .line = line});
    }
    return absl::OkStatus();
  }
  if (words.Take("never") && words.Take("DOWN")) {
    scenario.never_down = true;
    return absl::OkStatus();
  }
  return Unknown(words.Peek(), "monitor, at, every, never DOWN");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseLength(const std::string& text) {
  absl::Duration days;
  std::string rest = text;
  if (const size_t d = text.find('d'); d != std::string::npos) {
    double count = 0;
    if (!absl::SimpleAtod(text.substr(0, d), &count)) return Unknown(text, "e.g. 1d2h3m4.5s");
    days = count * absl::Hours(24);
    rest = text.substr(d + 1);
  }
  absl::Duration length;
  if (!rest.empty() || text.empty()) {
    if (!absl::ParseDuration(rest, &length)) return Unknown(text, "e.g. 1d2h3m4.5s");
  }
  return days + length;
}

absl::StatusOr<Scenario> ParseScenario(const std::string& name, const std::string& text) {
  Scenario scenario;
  scenario.name = name;
  scenario.monitor.schedule.timeout = absl::Seconds(60);
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::StatusOr<Words> words = Words::Of(line);
    absl::Status status = words.status();
    if (status.ok() && !words->AtEnd()) {
      status = words->Take("monitor") ? ParseMonitor(*words, scenario.monitor)
                                      : ParseSteps(*words, number, scenario);
      if (status.ok() && !words->AtEnd()) status = Unknown(words->Peek(), "the end of the line");
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", status.message()));
    }
  }
  std::stable_sort(scenario.steps.begin(), scenario.steps.end(),
                   [](const Step& a, const Step& b) { return a.at < b.at; });
  return scenario;
}

}  // namespace tocsin::core::scenarios
