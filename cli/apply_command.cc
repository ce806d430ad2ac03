// `tocsin apply`: makes core have what files declare.

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/apply/core_collections.h"
#include "cli/apply/execute.h"
#include "cli/apply/plan.h"
#include "cli/apply/report.h"
#include "cli/apply/schema.h"
#include "cli/apply/sources.h"
#include "cli/apply/tokens_file.h"
#include "cli/context.h"
#include "cli/terminal.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

struct Flags {
  std::vector<std::string> files;
  std::string set;
  std::string tokens_file;
  bool dry_run = false;
  bool prune = false;
  bool yes = false;
  bool schema = false;
};

constexpr char kFooter[] =
    "\nExit status: 0 done, or nothing differs; 1 failed, or the command or a file is wrong; 2 "
    "with "
    "--dry-run:\n"
    "something differs; 3 and 4 as for other commands. Files: docs/gitops.md, and --schema.";

absl::Status CheckFlags(const Flags& flags) {
  if (flags.files.empty()) {
    return absl::FailedPreconditionError("-f is required: files or folders that declare monitors");
  }
  if (flags.prune && flags.set.empty()) {
    return absl::FailedPreconditionError(
        "--prune needs --set NAME: only what that set has made is deleted");
  }
  return absl::OkStatus();
}

absl::Status CheckPrunes(const Plan& plan, const Flags& flags) {
  std::vector<std::string> large;
  for (const PruneCount& prune : plan.prunes) {
    if (!IsLarge(prune)) continue;
    large.push_back(absl::StrCat(prune.deleted, " of the ", prune.members, " monitors of project ",
                                 prune.project));
  }
  if (large.empty() || flags.yes) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("--prune would delete ", absl::StrJoin(large, ", "),
                   ", which is more than a tenth; nothing was changed. --yes does it"));
}

void PrintUnseen(const Execution& done) {
  if (done.unseen_monitors > 0) {
    std::cerr
        << "tocsin: the monitors that were created have no push token that anybody knows: push "
           "to them with a push key, /api/push/<push key>/<monitor>. --tokens-file keeps the "
           "tokens of new ones; tocsin monitor rotate-token makes one\n";
  }
  if (!done.unseen_channels.empty()) {
    std::cerr << "tocsin: nobody knows the signing secret of "
              << absl::StrJoin(done.unseen_channels, ", ")
              << ": give webhookSecret or --tokens-file where receivers verify signatures\n";
  }
}

// A status of the whole: those that say where core is stay what they are.
absl::Status Summary(const Plan& plan, const Execution& done) {
  const size_t failed = Failures(done);
  if (failed == 0) return absl::OkStatus();
  for (const absl::Status& outcome : done.outcomes) {
    if (absl::IsUnavailable(outcome) || absl::IsDeadlineExceeded(outcome)) return outcome;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(failed, " of ", plan.steps.size(), " failed, for the reasons above"));
}

absl::Status Apply(const Context& context, const Flags& flags) {
  if (flags.schema) {
    Print(ApplySchema());
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckFlags(flags));
  Faults faults;
  const Declared declared = ReadSources(flags.files, context.project, faults);
  const auto refused = [&faults] {
    std::cerr << faults.ToString();
    return absl::FailedPreconditionError(absl::StrCat(
        faults.size(), faults.size() == 1 ? " fault" : " faults", "; nothing was changed"));
  };
  if (!faults.empty()) return refused();

  Collections collections;
  collections[&MonitorKind()] = MonitorsOf(context);
  collections[&ChannelKind()] = ChannelsOf(context);
  ASSIGN_OR_RETURN(const Plan plan,
                   MakePlan(declared, collections, flags.set, flags.prune, faults));
  if (!faults.empty()) return refused();

  const auto print = [&](const Execution* done) {
    if (context.json()) {
      context.PrintJsonText(PlanJson(plan, done, flags.dry_run, context.json_lines()));
    } else {
      Print(PlanText(plan, done, {.dry_run = flags.dry_run, .colour = OutputTerminal().colour}));
    }
  };
  const absl::Status prunes = CheckPrunes(plan, flags);
  if (flags.dry_run) {
    print(nullptr);
    if (!prunes.ok()) std::cerr << "tocsin: " << prunes.message() << "\n";
    if (plan.Differs()) *context.exit_status = kDiffers;
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(prunes);
  TokensFile tokens;
  if (!flags.tokens_file.empty()) RETURN_IF_ERROR(tokens.Open(flags.tokens_file));
  const Execution done = Execute(plan, collections, tokens);
  print(&done);
  PrintUnseen(done);
  return Summary(plan, done);
}

}  // namespace

void AddApplyCommand(CLI::App& app, Context& context) {
  CLI::App* apply = app.add_subcommand(
      kApply, "Make monitors and channels what files declare (YAML); says what differs");
  auto flags = std::make_shared<Flags>();
  apply
      ->add_option("-f,--file", flags->files,
                   "A file, a folder with *.yaml, or - for standard input; may be repeated")
      ->allow_extra_args(false);
  apply->add_flag("--dry-run,--validate-only", flags->dry_run,
                  "Check everything, change nothing, show what would be");
  apply
      ->add_option("--set", flags->set,
                   "Name of what the files declare together: monitors that it makes belong to it")
      ->check(CLI::Validator(
          [](const std::string& name) {
            const bool fit = !name.empty() && name.size() <= 63 &&
                             name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
                                 std::string::npos;
            return fit ? "" : absl::StrCat("\"", name, "\" is no name: 1 to 63 of [a-z0-9-]");
          },
          "NAME"));
  apply->add_flag(
      "--prune", flags->prune,
      "Delete monitors that this set has made and the files do not declare any more, in "
      "their projects");
  apply->add_flag("--yes", flags->yes, "Delete also more than a tenth of the set");
  apply->add_option("--tokens-file", flags->tokens_file,
                    "Add the push tokens of new monitors and the secrets of new channels to this "
                    "file, which only its owner may read; without it nobody knows them");
  apply->add_flag("--schema", flags->schema, "Print the JSON Schema of the files");
  apply->footer(kFooter);
  apply->callback([flags, &context] {
    context.action = [flags](const Context& context) {
      const absl::Status status = Apply(context, *flags);
      // 2 says that something differs, and nothing else.
      if (!absl::IsInvalidArgument(status)) return status;
      return absl::FailedPreconditionError(std::string(status.message()));
    };
  });
}

}  // namespace tocsin::cli
