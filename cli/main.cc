// The command line of Tocsin: parses, runs one command and turns its outcome into an exit status.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/completion/scripts.h"
#include "cli/context.h"
#include "cli/error_text.h"
#include "cli/usage.h"
#include "common/build_info.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

enum ExitStatus { kOk = 0, kFailure = 1, kUsage = 2, kNotFound = 3, kUnavailable = 4 };

constexpr char kFooter[] =
    "\nKeys: core asks for one. TOCSIN_KEY holds it, or TOCSIN_KEY_FILE or --key_file name a file "
    "that\n"
    "does; eval \"$(./dev env)\" sets that of ./dev run.\n"
    "Durations: 90s, 5m, 36h, 2d, 1h30m.\n"
    "Exit status: 0 done; 1 failed; 2 the command or a value in it is wrong; 3 not found;\n"
    "4 core cannot be reached or did not answer in time (try again).";

void AddHelpCommand(CLI::App& app, Context& context) {
  CLI::App* help = app.add_subcommand("help", "Explain a command, e.g. tocsin help monitor create");
  auto words = std::make_shared<std::vector<std::string>>();
  help->add_option("COMMAND", *words, "The command; all of them without");
  help->callback([&app, words, &context] {
    context.action = [&app, words](const Context&) -> absl::Status {
      ASSIGN_OR_RETURN(const std::string text, HelpText(app, *words));
      Print(text);
      return absl::OkStatus();
    };
  });
}

void Describe(CLI::App& app, Context& context) {
  app.description("Tocsin, a push monitor: makes monitors, channels and keys, shows what happens.");
  app.footer(kFooter);
  app.fallthrough();
  app.require_subcommand(1);
  app.failure_message(
      [](const CLI::App* root, const CLI::Error& error) { return UsageText(*root, error); });
  app.set_version_flag("--version", absl::StrCat("tocsin ", Version()));
  // Not the variables of the environment: contexts stand between them and the defaults.
  app.add_option("--context", context.flags.context,
                 "Which of the places that \"tocsin context\" has named (Env:TOCSIN_CONTEXT)");
  app.add_option("--core", context.flags.core,
                 "Address of core's gRPC port, 127.0.0.1:9090 if nothing says another one "
                 "(Env:TOCSIN_CORE_ADDRESS)");
  app.add_option("-p,--project", context.flags.project,
                 "Project of the names that follow, \"default\" if nothing says another one "
                 "(Env:TOCSIN_PROJECT)");
  // Never the key itself: others on the machine can read a command line.
  app.add_option("--key_file,--key-file", context.flags.key_file,
                 "File with the key to call core with (Env:TOCSIN_KEY_FILE; TOCSIN_KEY holds the "
                 "key itself)");
  app.add_option("-o,--output", context.output,
                 "table or, with more columns, wide for people; json, yaml, or json by lines for "
                 "programs")
      ->check(CLI::IsMember({"table", "wide", "json", "jsonl", "yaml"}))
      ->capture_default_str();
  AddDuration(app, "--timeout-rpc", context.rpc_timeout, "Longest wait for an answer of core")
      ->capture_default_str();
  AddStatusCommand(app, context);
  AddDoctorCommand(app, context);
  AddMonitorCommands(app, context);
  AddChannelCommands(app, context);
  AddScheduleCommands(app, context);
  AddHeartbeatCommands(app, context);
  AddReadCommands(app, context);
  AddExplainCommand(app, context);
  AddProjectCommands(app, context);
  AddKeyCommands(app, context);
  AddMaintenanceCommands(app, context);
  AddMuteCommands(app, context);
  AddApplyCommand(app, context);
  AddExportCommand(app, context);
  AddImportCommands(app, context);
  AddAuditCommand(app, context);
  AddPushCommand(app, context);
  AddExecCommand(app, context);
  AddWatchCommand(app, context);
  AddListenCommand(app, context);
  AddContextCommands(app, context);
  AddCompletionCommand(app, context);
  AddHelpCommand(app, context);
  app.add_subcommand("version", "Print the version")->callback([&context] {
    context.action = [](const Context&) {
      Print(absl::StrCat("tocsin ", Version(), "\n"));
      return absl::OkStatus();
    };
  });
}

// `tocsin exec` leaves what comes after "--" to the command, word by word: the parser, which reads
// lists and flags of ours into words, never sees it. The number of words that are ours.
int TakeCommand(int argc, char** argv, Context& context) {
  if (argc < 2 || absl::string_view(argv[1]) != "exec") return argc;
  int ours = 2;
  while (ours < argc && absl::string_view(argv[ours]) != "--") ++ours;
  for (int i = ours + 1; i < argc; ++i) context.command.emplace_back(argv[i]);
  return ours;
}

// 0 also after --help and --version, which leave no action.
int Parse(CLI::App& app, int argc, char** argv) {
  CLI11_PARSE(app, argc, argv);
  return 0;
}

// Of a command line that cannot be understood.
int UsageStatus(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return !commands.empty() && commands.front()->get_name() == kApply ? kFailure : kUsage;
}

// Commands that are to work whatever the configuration says: a backup is made all the same, and a
// broken file can be mended.
bool NeedsSettings(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  if (commands.empty()) return false;
  const std::string& name = commands.front()->get_name();
  return name != "exec" && name != "context" && name != "completion" && name != "help" &&
         name != "version";
}

int Report(const Context& context, const absl::Status& status) {
  if (status.ok()) return *context.exit_status;
  std::cerr << ErrorText(
      status,
      {.core = context.core, .timeout = context.rpc_timeout, .key_source = context.KeySource()});
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return kUnavailable;
  if (absl::IsNotFound(status)) return kNotFound;
  return absl::IsInvalidArgument(status) ? kUsage : kFailure;
}

int Run(int argc, char** argv) {
  Context context;
  CLI::App app("", "tocsin");
  Describe(app, context);
  if (argc > 1 && absl::string_view(argv[1]) == kComplete) {
    PrintCompletions(app, context, {argv + 2, argv + argc});
    return kOk;
  }
  if (Parse(app, TakeCommand(argc, argv, context), argv) != 0) return UsageStatus(app);
  if (!context.action) return kOk;
  if (NeedsSettings(app)) {
    if (const absl::Status status = context.Settle(); !status.ok()) return Report(context, status);
  }
  const int result = Report(context, context.action(context));
  if (!std::cout.good() && result == kOk) return kFailure;  // e.g. a full disk
  return result;
}

}  // namespace
}  // namespace tocsin::cli

int main(int argc, char** argv) { return tocsin::cli::Run(argc, argv); }
