// Reads the timelines of this folder.
#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

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
    } else if (word == "gives") {
      push.gives = words.Next();
    } else {
      return Unknown(word, "saying, received, over, gives");
    }
  }
  return push;
}

absl::StatusOr<Action> ParseChange(Words& words) {
  Change change;
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    if (word == "timeout") {
      ASSIGN_OR_RETURN(change.timeout, words.Length());
    } else if (word == "interval") {
      ASSIGN_OR_RETURN(change.interval, words.Length());
    } else if (word == "grace") {
      ASSIGN_OR_RETURN(change.grace, words.Length());
    } else if (word == "arm_on_create") {
      change.arm_on_create = words.Next() == "on";
    } else if (word == "owner") {
      change.owner = words.Next();
    } else {
      return Unknown(word, "timeout, interval, grace, arm_on_create, owner");
    }
  }
  return change;
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
    } else if (word == "unverified" || word == "verified") {
      expect.unverified = word == "unverified";
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
                 "push, change, expect, pause, resume, delete, undelete, restart, own outage of, "
                 "gateway outage of");
}

absl::Status ParseMonitor(Words& words, MonitorDefinition& monitor) {
  while (!words.AtEnd()) {
    const std::string word = words.Next();
    if (word == "timeout") {
      ASSIGN_OR_RETURN(monitor.schedule.timeout, words.Length());
    } else if (word == "interval") {
      ASSIGN_OR_RETURN(monitor.schedule.recommended_interval, words.Length());
    } else if (word == "grace") {
      ASSIGN_OR_RETURN(monitor.schedule.grace, words.Length());
    } else if (word == "arm_on_create") {
      monitor.arm_on_create = true;
    } else if (word == "resume_on_heartbeat") {
      monitor.resume_on_heartbeat = true;
    } else {
      return Unknown(word, "timeout, interval, grace, arm_on_create, resume_on_heartbeat");
    }
  }
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
