// Monitors from a crontab.
#include "cli/import_crontab.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/cron_entry.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

constexpr size_t kMaxOwnerBytes = 128;
constexpr size_t kMaxDescriptionBytes = 4096;

template <size_t N>
bool IsOne(const std::array<absl::string_view, N>& words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// They run what follows them and their flags.
constexpr std::array<absl::string_view, 14> kWrappers = {
    "nice",  "ionice", "chronic", "time",  "exec",        "env",  "sudo",
    "nohup", "setsid", "timeout", "flock", "systemd-cat", "bash", "sh"};
// They run the script that follows them.
constexpr std::array<absl::string_view, 6> kInterpreters = {"python", "python3", "perl",
                                                            "php",    "ruby",    "node"};
// Their flags are followed by a value, as far as crontabs have them.
constexpr std::array<absl::string_view, 6> kFlagsWithValue = {"-n", "-u", "-t", "-c3", "-w", "-E"};
constexpr std::array<absl::string_view, 6> kEndings = {".sh", ".py", ".pl", ".php", ".rb", ".js"};
// What comes before the job itself, up to "&&".
constexpr std::array<absl::string_view, 5> kPreparations = {"cd", "test", "[", "source", "."};

// They are no job: what follows them is.
constexpr std::array<absl::string_view, 4> kEnds = {"exit", "return", "true", ":"};

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

bool IsAssignment(absl::string_view word) {
  const size_t equals = word.find('=');
  return equals != absl::string_view::npos && equals > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<ptrdiff_t>(equals),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

// "NAME = value" or "NAME=value" of a line of its own; the value without its quotes.
bool SplitVariable(absl::string_view line, std::string& name, std::string& value) {
  const size_t equals = line.find('=');
  if (equals == absl::string_view::npos) return false;
  const absl::string_view left = absl::StripAsciiWhitespace(line.substr(0, equals));
  if (left.empty() || absl::ascii_isdigit(static_cast<unsigned char>(left[0])) ||
      !std::all_of(left.begin(), left.end(),
                   [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; })) {
    return false;
  }
  absl::string_view right = absl::StripAsciiWhitespace(line.substr(equals + 1));
  if (right.size() >= 2 && right.front() == right.back() &&
      (right.front() == '"' || right.front() == '\'')) {
    right = right.substr(1, right.size() - 2);
  }
  name = std::string(left);
  value = std::string(right);
  return true;
}

// What cron gives to the shell: "%" ends it, unless it is "\%".
std::string CommandOf(absl::string_view text) {
  std::string command;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%') continue;
    if (text[i] == '%' && (i == 0 || text[i - 1] != '\\')) break;
    command += text[i];
  }
  return command;
}

// The first word; `line` goes on behind it and the blanks that follow.
absl::string_view TakeWord(absl::string_view& line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  const absl::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  line = absl::StripLeadingAsciiWhitespace(line);
  return word;
}

struct Job {
  std::string name;          // "" when there is none
  bool reported = false;     // under "tocsin exec"
  std::string monitor;       // that this one names
  bool tests_first = false;  // "[ condition ] && job"
  bool locks = false;        // under flock
};

// Of what follows "tocsin": the monitor that it reports to, or "" and `command` goes on behind
// "--".
std::string TakeReported(absl::string_view& command) {
  while (!command.empty()) {
    absl::string_view word = TakeWord(command);
    if (word == "--") break;
    if (word == "--monitor") return std::string(TakeWord(command));
    if (absl::ConsumePrefix(&word, "--monitor=")) return std::string(word);
  }
  return "";
}

Job ReadCommand(absl::string_view command) {
  Job job;
  // Of "cd /srv && job" the job.
  while (true) {
    absl::string_view rest = command;
    const absl::string_view first = TakeWord(rest);
    const size_t next = command.find("&&");
    if (!IsOne(kPreparations, first)) break;
    const bool tests = first == "test" || first == "[";
    const size_t otherwise = command.find("||");
    if (otherwise < std::min(next, command.find(';'))) {
      absl::string_view after = command.substr(otherwise + 2);
      rest = after;
      const absl::string_view word = TakeWord(rest);
      const size_t end = after.find(';');
      // "cd /srv || exit 1; job"
      if (IsOne(kEnds, word.substr(0, word.find(';'))) && end != absl::string_view::npos) {
        command = after.substr(end + 1);
        continue;
      }
      // "test … || job" ends well when the test holds.
      if (tests) {
        command = absl::StripLeadingAsciiWhitespace(after);
        if (!absl::ConsumePrefix(&command, "{ ")) absl::ConsumePrefix(&command, "(");
        continue;
      }
    }
    if (next == absl::string_view::npos) break;
    if (tests) job.tests_first = true;
    command.remove_prefix(next + 2);
  }
  bool wrapped = false;
  while (!command.empty()) {
    absl::string_view word = TakeWord(command);
    word = absl::StripPrefix(absl::StripPrefix(word, "\""), "'");
    word = absl::StripSuffix(absl::StripSuffix(word, "\""), "'");
    if (word.empty()) continue;
    const absl::string_view name = BaseName(word);
    if (IsAssignment(word)) continue;
    if (name == "tocsin" && absl::StartsWith(command, "exec ")) {
      job.reported = true;
      job.monitor = TakeReported(command);
      if (job.monitor.empty()) continue;
      job.name = job.monitor;
      return job;
    }
    if (IsOne(kWrappers, name) || IsOne(kInterpreters, name)) {
      wrapped = true;
      // It has an argument of its own.
      if (name == "flock") job.locks = true;
      if (name == "flock" || name == "timeout") {
        while (absl::StartsWith(command, "-")) TakeWord(command);
        TakeWord(command);
      }
      continue;
    }
    if (wrapped && absl::StartsWith(word, "-")) {
      if (IsOne(kFlagsWithValue, word)) TakeWord(command);
      continue;
    }
    job.name = std::string(name.substr(0, name.find_first_of(";|&<>")));
    for (const absl::string_view ending : kEndings) {
      if (absl::EndsWith(job.name, ending)) job.name.resize(job.name.size() - ending.size());
    }
    break;
  }
  return job;
}

class Crontab {
 public:
  explicit Crontab(const CrontabOptions& options) : options_(options) {}

  void Read(absl::string_view text) {
    size_t number = 0;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++number;
      line_ = line;
      line = absl::StripAsciiWhitespace(line);
      std::string name;
      std::string value;
      if (number > kMaxCrontabLines) {
        Refuse(number, absl::StrCat("there are more than ", kMaxCrontabLines, " lines"));
        return;
      }
      if (line.empty()) {
        comments_.clear();
      } else if (absl::ConsumePrefix(&line, "#")) {
        comments_.emplace_back(absl::StripAsciiWhitespace(line));
      } else if (SplitVariable(line, name, value)) {
        SetVariable(name, value);
        comments_.clear();
      } else {
        ReadJob(number, line);
        comments_.clear();
      }
    }
  }

  CrontabJobs Take() {
    return {batch_.Take(), std::move(places_), commands_ > 0 && users_ == commands_};
  }

 private:
  void SetVariable(const std::string& name, const std::string& value) {
    if (name == "CRON_TZ") cron_zone_ = value;
    if (name == "TZ") zone_ = value;
    if (name == "SHELL") above_.shell = value;
    if (name == "TOCSIN_PUSH_URL") above_.push_url = value;
    if (name == "TOCSIN_PUSH_URL_FILE") above_.push_url_file = value;
  }

  // Only cronie and its like follow CRON_TZ, and no cron of today schedules by TZ.
  void ReadZone(CronSource& source, ImportedMonitor& entry) const {
    source.zone_default = options_.time_zone;
    source.zone_assumed = options_.machine_zone;
    if (options_.time_zone.empty()) source.zone = cron_zone_;
    if (!source.zone.empty()) {
      entry.notes.emplace_back(
          "its zone is that of CRON_TZ, which cronie follows and the cron of Debian and Ubuntu "
          "does not; --time-zone says that of the machine");
    } else if (!cron_zone_.empty()) {
      entry.notes.push_back(
          absl::StrCat("CRON_TZ=", Shortened(OneLine(cron_zone_)), " gives way to --time-zone"));
    }
    if (!zone_.empty()) {
      entry.notes.push_back(absl::StrCat("TZ=", Shortened(OneLine(zone_)),
                                         " is for the job alone, and not for when it runs"));
    }
  }

  void Refuse(size_t number, std::string why) {
    ImportedMonitor entry;
    entry.place = entry.name = absl::StrCat("line ", number);
    entry.refusal = std::move(why);
    JobPlace place;
    place.line = number;
    places_.push_back(std::move(place));
    batch_.AddWithoutToken(std::move(entry), "", "");
  }

  void ReadJob(size_t number, absl::string_view line) {
    CronSource source;
    absl::ConsumePrefix(&line, "-");  // cronie's: it is not logged
    if (absl::StartsWith(line, "@")) {
      source.expression = std::string(TakeWord(line));
      if (source.expression == "@every") {
        absl::StrAppend(&source.expression, " ", TakeWord(line));
      }
    } else {
      std::vector<absl::string_view> fields;
      for (int i = 0; i < 5 && !line.empty(); ++i) fields.push_back(TakeWord(line));
      source.expression = absl::StrJoin(fields, " ");
    }
    const std::string user = options_.system ? std::string(TakeWord(line)) : "";
    const std::string command = CommandOf(line);
    absl::string_view rest = command;
    const absl::string_view first = TakeWord(rest);
    ++commands_;
    if (!options_.system && !rest.empty() && options_.is_user && options_.is_user(first)) ++users_;
    if (absl::StripAsciiWhitespace(command).empty()) {
      return Refuse(number,
                    options_.system
                        ? "it is no line of a crontab; accepted: five fields, or @daily and "
                          "the like, a user and a command"
                        : "it is no line of a crontab; accepted: five fields, or @daily and "
                          "the like, and a command");
    }
    ImportedMonitor entry;
    entry.place = entry.name = absl::StrCat("line ", number);
    ReadZone(source, entry);
    ReadCron(source, entry);
    LimitRuns(entry);
    if (entry.refusal.empty() && user.find_first_of("/*,;|&<>") != std::string::npos) {
      entry.refusal = absl::StrCat("\"", Shortened(OneLine(user)),
                                   "\" is no name of a user, which a crontab of the system has "
                                   "before the command");
    }
    const Job job = ReadCommand(command);
    if (job.reported && job.monitor.empty() && entry.skipped.empty()) {
      entry.skipped = "it runs under tocsin exec already, and reports to a URL of its own";
    }
    if (job.tests_first) {
      entry.notes.emplace_back(
          "when its test fails it ends with an error, which tocsin exec reports as down; write: if "
          "[ ... ]; then ...; fi");
    }
    if (job.locks) {
      entry.notes.emplace_back(
          "it holds a lock, so that a run may go on when the next one is due: see maxRunDuration");
    }
    entry.monitor.set_owner(Bounded(options_.owner.empty() ? user : options_.owner, kMaxOwnerBytes,
                                    "its owner", entry.notes));
    entry.monitor.set_description(
        Bounded(absl::StripAsciiWhitespace(absl::StrJoin(comments_, "\n")), kMaxDescriptionBytes,
                "its description", entry.notes));
    entry.monitor.set_arm_on_create(true);
    JobPlace place = above_;
    place.line = number;
    place.command = static_cast<size_t>(line.data() - line_.data());
    place.reported = job.reported;
    places_.push_back(std::move(place));
    batch_.AddWithoutToken(std::move(entry), job.name, absl::StrCat("line-", number));
  }

  const CrontabOptions& options_;
  std::string cron_zone_;
  std::string zone_;
  JobPlace above_;  // what the variables so far say
  std::vector<std::string> comments_;
  absl::string_view line_;  // that is being read
  std::vector<JobPlace> places_;
  size_t commands_ = 0, users_ = 0;  // that there are; that begin with the name of a user
  ImportBatch batch_;
};

}  // namespace

std::string JobName(absl::string_view command) { return ReadCommand(command).name; }

CrontabJobs FromCrontab(absl::string_view text, const CrontabOptions& options) {
  Crontab crontab(options);
  crontab.Read(text);
  return crontab.Take();
}

}  // namespace tocsin::cli
