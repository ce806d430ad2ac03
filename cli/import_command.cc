// `tocsin import …`: makes monitors from what other monitors export, with the credentials that
// their clients have.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/context.h"
#include "cli/import_files.h"
#include "cli/import_healthchecks.h"
#include "cli/import_json.h"
#include "cli/import_kuma.h"
#include "cli/import_report.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::MonitorService::Stub;
using Reader = absl::StatusOr<std::vector<ImportedMonitor>> (*)(const nlohmann::json&);

constexpr char kTokenInUse[] = "PUSH_TOKEN_IN_USE";

struct Flags {
  std::string file;
  bool dry_run = false;
  bool arm_on_create = false;
};

v1::CreateMonitorRequest RequestFor(const Context& context, const Flags& flags,
                                    const ImportedMonitor& entry) {
  v1::CreateMonitorRequest request;
  request.set_parent(context.Parent());
  request.set_monitor_id(entry.id);
  *request.mutable_monitor() = entry.monitor;
  request.mutable_monitor()->set_arm_on_create(flags.arm_on_create && entry.in_use);
  request.set_push_token_sha256(entry.push_token_sha256);
  request.set_validate_only(flags.dry_run);
  return request;
}

// Whether what is wrong is wrong with this monitor, so that the others may do better.
bool IsAboutTheMonitor(const absl::Status& status) {
  if (!absl::IsInvalidArgument(status)) return absl::IsAlreadyExists(status);
  const std::vector<FieldViolation> faults = FieldViolations(status);
  return std::none_of(faults.begin(), faults.end(),
                      [](const FieldViolation& fault) { return fault.field == "parent"; });
}

std::vector<std::string> ReasonsOf(const absl::Status& status) {
  std::vector<std::string> reasons;
  for (const FieldViolation& fault : FieldViolations(status)) {
    reasons.push_back(
        absl::StrCat(absl::StripPrefix(absl::StripPrefix(fault.field, "monitor."), "schedule."),
                     ": ", fault.description));
  }
  if (reasons.empty()) reasons.emplace_back(status.message());
  return reasons;
}

// Tells a monitor that was imported before from another one that has its id: only of the former
// core knows the push token. The id is one that no monitor has.
absl::StatusOr<bool> TokenIsKnown(const Context& context, v1::CreateMonitorRequest request) {
  request.set_monitor_id(NewRequestId());
  request.set_validate_only(true);
  absl::Status status = context.Call(&Stub::CreateMonitor, request).status();
  if (status.ok()) return false;
  if (Reason(status) == kTokenInUse) return true;
  return status;
}

// Fills in what core says. An error ends the import.
absl::Status Create(const Context& context, const Flags& flags, ImportOutcome& outcome) {
  const v1::CreateMonitorRequest request = RequestFor(context, flags, outcome.entry);
  const absl::Status status = context.Create(&Stub::CreateMonitor, request).status();
  if (status.ok()) {
    if (!outcome.entry.paused || flags.dry_run) return absl::OkStatus();
    v1::PauseMonitorRequest pause;
    pause.set_name(context.Name("monitors", outcome.entry.id));
    const absl::Status paused = context.Call(&Stub::PauseMonitor, pause).status();
    if (paused.ok()) return absl::OkStatus();
    // Importing again would leave it alone.
    return WithMessage(paused, absl::StrCat(outcome.entry.id,
                                            " is made, but not paused: pause it, and import again "
                                            "for the rest. ",
                                            paused.message()));
  }
  if (!IsAboutTheMonitor(status)) return status;
  outcome.result = ImportResult::kRefused;
  outcome.reasons = ReasonsOf(status);
  if (!absl::IsAlreadyExists(status)) return absl::OkStatus();
  if (Reason(status) == kTokenInUse) {
    outcome.result = ImportResult::kExists;
    outcome.reasons = {"its push URL is that of another monitor already"};
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool ours, TokenIsKnown(context, request));
  if (ours) {
    outcome.result = ImportResult::kExists;
  } else {
    outcome.reasons.emplace_back("and has another push URL: rename one of the two");
  }
  return absl::OkStatus();
}

absl::Status Import(const Context& context, const Flags& flags, Reader reader) {
  ASSIGN_OR_RETURN(const std::string text, ReadExportFile(flags.file));
  const auto in_file = [&flags](const absl::Status& status) {
    return WithMessage(status, absl::StrCat(flags.file, ": ", status.message()));
  };
  absl::StatusOr<nlohmann::json> exported = ParseExport(text);
  if (!exported.ok()) return in_file(exported.status());
  absl::StatusOr<std::vector<ImportedMonitor>> entries = reader(*exported);
  if (!entries.ok()) return in_file(entries.status());

  std::vector<ImportOutcome> outcomes;
  absl::Status end;
  size_t refused = 0;
  for (ImportedMonitor& entry : *entries) {
    ImportOutcome outcome = Judge(std::move(entry));
    if (!outcome.entry.id.empty()) end = Create(context, flags, outcome);
    if (!end.ok()) break;
    if (outcome.result == ImportResult::kRefused) ++refused;
    outcomes.push_back(std::move(outcome));
  }
  // Also of an import that ended early: what was made is there.
  if (end.ok() || !outcomes.empty()) {
    if (context.json()) {
      context.PrintJsonText(ImportJson(outcomes, flags.dry_run, context.json_lines()));
    } else {
      Print(ImportTable(outcomes, flags.dry_run));
    }
  }
  RETURN_IF_ERROR(end);
  if (refused == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(refused, " of ", outcomes.size(), " refused, for the reasons above"));
}

void AddSource(CLI::App& import, Context& context, const char* source, const char* help,
               const char* file_help, Reader reader) {
  CLI::App* app = import.add_subcommand(source, help);
  auto flags = std::make_shared<Flags>();
  app->add_option("FILE", flags->file, file_help)->required();
  app->add_flag("--dry-run,--validate-only", flags->dry_run,
                "Check everything, change nothing, show what would be");
  app->add_flag("--arm-on-create", flags->arm_on_create,
                "Alert even when no first heartbeat ever comes, of those that would alert there");
  app->callback([flags, reader, &context] {
    context.action = [flags, reader](const Context& context) {
      return Import(context, *flags, reader);
    };
  });
}

}  // namespace

void AddImportCommands(CLI::App& app, Context& context) {
  CLI::App* import = app.add_subcommand("import",
                                        "Make monitors from an export of another monitor, whose "
                                        "clients keep their URLs; or a file for "
                                        "tocsin apply from Kubernetes or cron");
  import->require_subcommand(1);
  AddSource(*import, context, "healthchecks", "From Healthchecks: checks and their ping URLs",
            "The JSON of GET /api/v3/checks/, asked for with a key that may write; - is standard "
            "input",
            FromHealthchecks);
  AddSource(*import, context, "uptime-kuma", "From Uptime Kuma: push monitors and their push URLs",
            "The JSON of a backup of version 1, or the monitorList of version 2; - is standard "
            "input",
            FromUptimeKuma);
  AddFileImports(*import, context);
}

}  // namespace tocsin::cli
