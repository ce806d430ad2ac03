// `tocsin import kubernetes` and `tocsin import crontab`: write files that `tocsin apply` reads.
#include <pwd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/apply/writer.h"
#include "cli/context.h"
#include "cli/import_crontab.h"
#include "cli/import_files.h"
#include "cli/import_json.h"
#include "cli/import_kubernetes.h"
#include "cli/import_report.h"
#include "cli/rewrite_crontab.h"
#include "cli/save.h"
#include "common/status_details.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

struct Flags {
  std::string file;
  std::string to = "-";
  std::string owner;
  std::string time_zone;
  std::string rewrite;
  std::string tocsin;
  std::string push_url_file = "/etc/tocsin/push-url";
  bool project_per_namespace = false;
  bool system = false;
};

// A document for each project, in which notes are comments.
std::string Documents(const std::vector<ProjectMonitor>& monitors, const std::string& source) {
  std::map<std::string, std::vector<Declaration>> projects;
  for (const ProjectMonitor& one : monitors) {
    if (one.entry.id.empty()) continue;
    std::vector<std::string> comments = {one.entry.name};
    comments.insert(comments.end(), one.entry.notes.begin(), one.entry.notes.end());
    projects[one.project].push_back(
        {.id = one.entry.id, .message = &one.entry.monitor, .comments = std::move(comments)});
  }
  std::string text = YamlComment(
      absl::StrCat("Made by tocsin import ", source, "; apply it with tocsin apply -f."));
  text += YamlComment(
      "A run that takes longer than maxRunDuration is an alert. What stands here goes by how often "
      "the job comes, where nothing else said it: a shorter one finds a job that hangs sooner.");
  bool first = true;
  for (const auto& [project, declarations] : projects) {
    absl::StrAppend(&text, first ? "" : "---\n", "project: ", YamlScalar(project), "\n\n",
                    WriteCollection(MonitorKind(), declarations));
    first = false;
  }
  return text;
}

absl::Status Finish(const Flags& flags, const std::string& source,
                    std::vector<ProjectMonitor> monitors) {
  const std::string text = Documents(monitors, source);
  std::vector<ImportOutcome> outcomes;
  size_t refused = 0;
  for (ProjectMonitor& one : monitors) {
    outcomes.push_back(Judge(std::move(one.entry)));
    if (outcomes.back().result == ImportResult::kRefused) ++refused;
  }
  RETURN_IF_ERROR(Save(flags.to, text));
  std::cerr << ImportTable(outcomes, /*dry_run=*/false, /*with_kept=*/false);
  if (refused == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(refused, " of ", outcomes.size(), " refused, for the reasons above"));
}

absl::Status ImportKubernetes(const Context& context, const Flags& flags) {
  ASSIGN_OR_RETURN(const std::string text, ReadExportFile(flags.file));
  const auto in_file = [&flags](const absl::Status& status) {
    return WithMessage(status, absl::StrCat(flags.file, ": ", status.message()));
  };
  const absl::StatusOr<nlohmann::json> exported = ParseExport(text);
  if (!exported.ok()) return in_file(exported.status());
  absl::StatusOr<std::vector<ProjectMonitor>> monitors =
      FromKubernetes(*exported, {.project = context.project,
                                 .project_per_namespace = flags.project_per_namespace,
                                 .owner = flags.owner,
                                 .time_zone = flags.time_zone});
  if (!monitors.ok()) return in_file(monitors.status());
  return Finish(flags, "kubernetes", *std::move(monitors));
}

// The path of this program, which is most likely that of the jobs.
std::string ThisProgram() {
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "/usr/local/bin/tocsin" : path;
}

// The zone that cron of this machine goes by; UTC when that cannot be told.
std::string MachineZone() {
  constexpr absl::string_view kZones = "/zoneinfo/";
  std::error_code error;
  const std::string file = std::filesystem::read_symlink("/etc/localtime", error);
  const size_t zones = file.rfind(std::string(kZones));
  if (error || zones == std::string::npos) return "UTC";
  const std::string zone = file.substr(zones + kZones.size());
  return zone == "Etc/UTC" ? "UTC" : zone;
}

absl::Status Rewrite(const Flags& flags, absl::string_view text, const CrontabJobs& jobs) {
  if (flags.rewrite == "-" && flags.to == "-") {
    return absl::InvalidArgumentError(
        "--rewrite and --to both write to standard output; name a file for one of them");
  }
  if (flags.rewrite == flags.to) {
    return absl::InvalidArgumentError(
        "--rewrite and --to are the same file; name another for one of them");
  }
  const RewrittenCrontab rewritten =
      RewriteCrontab(text, jobs,
                     {.tocsin = flags.tocsin.empty() ? ThisProgram() : flags.tocsin,
                      .push_url_file = flags.push_url_file});
  RETURN_IF_ERROR(Save(flags.rewrite, rewritten.text));
  for (const std::string& note : rewritten.notes) std::cerr << note << "\n";
  if (flags.rewrite != "-") {
    std::cerr << "The jobs of " << flags.rewrite << " read their push URL from "
              << flags.push_url_file << ": .../api/push/PUSH-KEY, of tocsin key create ID --role "
              << "pusher.\n\n";
  }
  return absl::OkStatus();
}

// What is read is not written over, so that both can be compared.
absl::Status CheckOther(absl::string_view flag, const std::string& file, const Flags& flags) {
  std::error_code error;
  if (!std::filesystem::equivalent(flags.file, file, error) || error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, ": ", file, " is the file that is read; accepted: another one"));
}

// Their sixth column is a user, whoever says so or not.
bool IsSystemCrontab(const std::string& file) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::weakly_canonical(file, error);
  return !error && (path == "/etc/crontab" || path.parent_path() == "/etc/cron.d");
}

bool IsUser(absl::string_view name) { return getpwnam(std::string(name).c_str()) != nullptr; }

absl::Status ImportCrontab(const Context& context, const Flags& flags) {
  ASSIGN_OR_RETURN(const std::string text, ReadExportFile(flags.file));
  const bool system = flags.system || IsSystemCrontab(flags.file);
  CrontabJobs jobs = FromCrontab(text, {.system = system,
                                        .owner = flags.owner,
                                        .time_zone = flags.time_zone,
                                        .machine_zone = MachineZone(),
                                        .is_user = &IsUser});
  if (jobs.has_users) {
    std::cerr << "Every command begins with the name of a user: if it is a crontab of the system, "
                 "as /etc/crontab is, --system is missing.\n\n";
  }
  RETURN_IF_ERROR(CheckOther("--to", flags.to, flags));
  RETURN_IF_ERROR(CheckOther("--rewrite", flags.rewrite, flags));
  if (!flags.rewrite.empty()) RETURN_IF_ERROR(Rewrite(flags, text, jobs));
  std::vector<ProjectMonitor> monitors;
  for (ImportedMonitor& entry : jobs.monitors) {
    monitors.push_back({context.project, std::move(entry)});
  }
  return Finish(flags, "crontab", std::move(monitors));
}

CLI::App& AddSource(CLI::App& import, const char* name, const char* help, const char* file_help,
                    const char* zone_help, Flags& flags) {
  CLI::App& app = *import.add_subcommand(name, help);
  app.add_option("FILE", flags.file, file_help)->required();
  AddSave(app, flags.to);
  app.add_option("--time-zone", flags.time_zone, zone_help);
  return app;
}

}  // namespace

void AddFileImports(CLI::App& import, Context& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App& kubernetes =
      AddSource(import, "kubernetes", "A file for tocsin apply, from the CronJobs of a cluster",
                "What kubectl get cronjobs -A -o json prints; - is standard input",
                "The zone of jobs that say none; without it UTC", *flags);
  kubernetes.add_option("--owner", flags->owner,
                        "Who answers for all of them; without it their label or annotation owner, "
                        "team or app.kubernetes.io/part-of, or their namespace");
  kubernetes.add_flag("--project-per-namespace", flags->project_per_namespace,
                      "Each namespace is a project of its name; without it all are in --project, "
                      "with ids that begin with the namespace");
  kubernetes.callback([flags, &context] {
    context.action = [flags](const Context& c) { return ImportKubernetes(c, *flags); };
  });
  auto crontab_flags = std::make_shared<Flags>();
  CLI::App& crontab =
      AddSource(import, "crontab", "A file for tocsin apply, from the lines of a crontab",
                "What crontab -l prints, or a file of cron; - is standard input",
                "The zone that its cron runs in; without it that of CRON_TZ, or of this machine",
                *crontab_flags);
  crontab.add_option("--owner", crontab_flags->owner,
                     "Who answers for all of them; without it the user, with --system");
  CLI::Option* rewrite = crontab.add_option("--rewrite", crontab_flags->rewrite,
                                            "Also write the crontab itself, with its jobs under "
                                            "tocsin exec --monitor; crontab FILE takes it");
  crontab
      .add_option("--push-url-file", crontab_flags->push_url_file,
                  "With --rewrite: the file with .../api/push/PUSH-KEY that the jobs will read")
      ->needs(rewrite)
      ->capture_default_str();
  crontab
      .add_option("--tocsin", crontab_flags->tocsin,
                  "With --rewrite: where the jobs find tocsin; without it where this one is")
      ->needs(rewrite)
      ->check([](const std::string& path) {
        return path.rfind('/', 0) == 0
                   ? std::string()
                   : "it is no absolute path; accepted: e.g. /usr/local/bin/tocsin";
      });
  crontab.add_flag("--system", crontab_flags->system,
                   "The sixth column is a user, as in /etc/crontab and /etc/cron.d");
  crontab.callback([crontab_flags, &context] {
    context.action = [crontab_flags](const Context& c) { return ImportCrontab(c, *crontab_flags); };
  });
}

}  // namespace tocsin::cli
