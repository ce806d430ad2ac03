// `tocsin exec`: runs a command and reports its start and its end to a push URL.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "cli/change_flags.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/exec/push_url.h"
#include "cli/exec/report.h"
#include "cli/exec/supervisor.h"
#include "cli/output_file.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

constexpr char kFooter[] =
    "\nNeeds neither core nor a key: it pushes over HTTP, to the URL that tocsin monitor create\n"
    "shows, or to a push key's, .../api/push/PUSH-KEY, with --monitor. In a crontab:\n"
    "  TOCSIN_PUSH_URL_FILE=/etc/tocsin/push-url\n"
    "  */5 * * * * tocsin exec --monitor backup -- backup.sh --all\n"
    "The command has our standard input, its output passes unchanged, signals reach it, and the\n"
    "exit status is its own, whatever becomes of the reports: 127 if it is not found, 126 if it\n"
    "cannot be run.";
constexpr char kNoPlaceForSecrets[] =
    "a push URL does not belong on the command line, where everybody on this machine can read it: "
    "set TOCSIN_PUSH_URL, or name a file that has it with --push-url-file";
constexpr char kUsage[] = "tocsin exec [OPTIONS] -- COMMAND [ARGUMENT...]";
constexpr absl::Duration kLongestTimeout = absl::Seconds(10);
constexpr absl::Duration kShortestTimeout = absl::Seconds(1);

// Says where the command goes, which CLI11 never sees.
class UsageFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string) const override {
    return absl::StrCat("Usage: ", kUsage, "\n");
  }
};

struct Flags {
  std::string push_url_file, monitor, run_id, refused;
  std::string report_timeout = "10s";
  int output_bytes = kMaxOutputBytes;
  bool no_start = false;
  bool quiet = false;
};

// Each is empty for what may be, or says what is wrong; never with the word itself.
std::string CheckFile(const std::string& word) {
  return LooksLikeUrl(word) ? kNoPlaceForSecrets : "";
}

std::string CheckWord(const std::string& word) {
  if (LooksLikeUrl(word)) return kNoPlaceForSecrets;
  return absl::StrCat("the command comes after \"--\": ", kUsage);
}

std::string CheckRunId(const std::string& word) {
  if (!word.empty() && word.size() <= kMaxRunIdBytes) return "";
  return absl::StrCat("it has ", word.size(), " bytes; accepted: 1 to ", kMaxRunIdBytes);
}

std::string CheckMonitor(const std::string& word) {
  if (LooksLikeUrl(word)) return kNoPlaceForSecrets;
  return word.empty() ? "it is empty; accepted: the id of a monitor" : "";
}

std::string CheckTimeout(const std::string& word) {
  const auto timeout = ParseDuration(word);
  if (!timeout.ok()) return std::string(timeout.status().message());
  if (*timeout >= kShortestTimeout && *timeout <= kLongestTimeout) return "";
  return absl::StrCat("it is ", ShowDuration(*timeout), "; accepted: 1s to 10s");
}

absl::Status Exec(const Context& context, const Flags& flags) {
  if (context.command.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the command is missing: ", kUsage));
  }
  ExecOptions options = {.command = context.command,
                         .run_id = flags.run_id.empty() ? NewRequestId() : flags.run_id,
                         .push_start = !flags.no_start,
                         .output_bytes = static_cast<size_t>(flags.output_bytes),
                         .quiet = flags.quiet};
  ASSIGN_OR_RETURN(options.report_timeout, ParseDuration(flags.report_timeout));
  // A secret that is missing today is no reason not to make a backup: the monitor will tell.
  absl::StatusOr<PushUrl> url = FindPushUrl(flags.push_url_file, flags.monitor);
  if (url.ok()) {
    options.push_url = *std::move(url);
  } else if (!flags.quiet) {
    std::cerr << "tocsin: this run is not reported: " << url.status().message() << std::endl;
  }
  const SystemMonotonicClock clock;
  RunCommand(options, clock);
}

}  // namespace

void AddExecCommand(CLI::App& app, Context& context) {
  CLI::App* exec =
      app.add_subcommand("exec", "Run a command and report its start, its end and its output");
  exec->footer(kFooter);
  exec->formatter(std::make_shared<UsageFormatter>());
  auto flags = std::make_shared<Flags>();
  // What comes after "--" is not parsed; this takes what comes before it and does not belong there.
  exec->add_option("COMMAND", flags->refused,
                   "After \"--\": the command and its arguments, as they are")
      ->check(CheckWord);
  exec->add_option("--push-url,--url,--push-token,--token", flags->refused)
      ->check([](const std::string&) { return std::string(kNoPlaceForSecrets); })
      ->group("");
  exec->add_option(
          "--push-url-file", flags->push_url_file,
          "File with the push URL (Env:TOCSIN_PUSH_URL_FILE; TOCSIN_PUSH_URL holds the URL "
          "itself)")
      ->check(CheckFile);
  exec->add_option("--monitor", flags->monitor,
                   "Which monitor of a push key's project; then the push URL ends with "
                   "/api/push/PUSH-KEY, one secret for all jobs")
      ->check(CheckMonitor);
  exec->add_option("--run-id", flags->run_id,
                   "Pairs the start with the end, so that runs may overlap; drawn anew without")
      ->check(CheckRunId);
  exec->add_flag("--no-start", flags->no_start, "Report the end only");
  exec->add_option("--output-bytes", flags->output_bytes,
                   "How much of the end of the output is sent; 0: none, and the command has our "
                   "standard output and error themselves, e.g. a terminal")
      ->check(CLI::Range(0, static_cast<int>(kMaxOutputBytes)))
      ->capture_default_str();
  exec->add_option("--report-timeout", flags->report_timeout,
                   "Longest wait for Tocsin after the command has ended, up to 10s")
      ->check(CheckTimeout)
      ->capture_default_str();
  exec->add_flag("-q,--quiet", flags->quiet,
                 "Do not warn on standard error of what is not reported");
  exec->callback([flags, &context] {
    context.action = [flags](const Context& context) { return Exec(context, *flags); };
  });
}

}  // namespace tocsin::cli
