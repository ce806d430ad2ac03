// What a command is about that may be about many monitors.
#include "cli/bulk/targets.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cli/apply/parallel.h"
#include "cli/bulk/ask.h"
#include "cli/selector.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr int kPageSize = 1000;
constexpr int kMost = 100'000;

// Names, each once: those that were given, then those that are selected.
absl::StatusOr<std::vector<std::string>> NamesOf(const Context& context, const Targets& targets) {
  std::vector<std::string> names;
  for (const std::string& id : targets.ids) names.push_back(context.Name("monitors", id));
  ASSIGN_OR_RETURN(const std::string filter, FilterOf(targets.filter, targets.selectors));
  if (names.empty() && filter.empty()) {
    return absl::InvalidArgumentError(
        "say which: ids of monitors, -l SELECTOR, or --filter FILTER");
  }
  if (!filter.empty()) {
    v1::ListMonitorsRequest request;
    request.set_parent(context.Parent());
    request.set_page_size(kPageSize);
    request.set_filter(filter);
    ASSIGN_OR_RETURN(const auto found,
                     context.List(&v1::MonitorService::Stub::ListMonitors,
                                  &v1::ListMonitorsResponse::mutable_monitors, request, kMost + 1));
    if (found.monitors_size() > kMost) {
      return absl::InvalidArgumentError(
          absl::StrCat("more than ", kMost, " monitors are selected; select fewer at a time"));
    }
    for (const v1::Monitor& monitor : found.monitors()) names.push_back(monitor.name());
  }
  if (names.empty()) return absl::NotFoundError("no monitor is selected");
  std::set<std::string> seen;
  names.erase(std::remove_if(names.begin(), names.end(),
                             [&](const std::string& name) { return !seen.insert(name).second; }),
              names.end());
  return names;
}

// Prints outcomes as they come.
class Report {
 public:
  Report(const Context& context, const BulkVerb& verb) : context_(context), verb_(verb) {}

  // Whether to go on.
  bool Add(const std::string& name, const absl::StatusOr<Done>& done) {
    const std::string id = IdOf(name);
    absl::MutexLock lock(&mutex_);
    if (EndsAll(done.status())) {
      end_.Update(done.status());
      return false;
    }
    ++(done.ok() ? done_ : failed_);
    if (context_.json()) {
      nlohmann::ordered_json one = {{"monitor", name}, {"done", done.ok()}};
      if (!done.ok()) one["error"] = std::string(done.status().message());
      if (done.ok() && done->json.is_object()) one.update(done->json);
      context_.PrintNextJson(one);
    } else if (done.ok()) {
      Print(absl::StrCat(OneLine(id), ": ", verb_.past, done->text.empty() ? "" : ", ", done->text,
                         "\n"));
    }
    if (!std::cout.good()) {
      // What could not be shown, e.g. a new token, is lost: no more of it.
      end_.Update(absl::DataLossError("the output cannot be written"));
      return false;
    }
    if (done.ok()) return true;
    std::cerr << "tocsin: " << OneLine(id) << ": " << OneLine(done.status().message()) << "\n";
    return true;
  }

  size_t done() const { return done_; }
  size_t failed() const { return failed_; }
  // What would be said of every further one, too.
  const absl::Status& end() const { return end_; }

 private:
  static bool EndsAll(const absl::Status& status) {
    return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
           absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
  }

  const Context& context_;
  const BulkVerb& verb_;
  absl::Mutex mutex_;
  size_t done_ = 0, failed_ = 0;
  absl::Status end_;
};

std::string Plural(size_t count) {
  return count == 1 ? "1 monitor" : absl::StrCat(count, " monitors");
}

}  // namespace

void AddTargets(CLI::App& app, Targets& targets) {
  app.add_option("ID", targets.ids, "Ids of monitors");
  AddSelection(app, targets.filter, targets.selectors);
  app.add_flag("-y,--yes", targets.yes, "Do not ask before doing it to what is selected");
  app.add_flag("--dry-run", targets.dry_run, "Show which, and change nothing");
}

absl::Status ForEachTarget(const Context& context, const Targets& targets, const BulkVerb& verb,
                           const BulkAct& act) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesOf(context, targets));
  if (targets.dry_run) {
    for (const std::string& name : names) {
      if (context.json()) {
        context.PrintNextJson({{"monitor", name}, {"done", false}});
      } else {
        Print(absl::StrCat(OneLine(IdOf(name)), ": would be ", verb.past, "\n"));
      }
    }
    return absl::OkStatus();
  }
  if (targets.selects() && !targets.yes) {
    if (isatty(STDIN_FILENO) != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--yes is missing: ", MonitorWords(names),
                       names.size() == 1 ? " is selected" : " are selected",
                       ", and there is no terminal to ask on; --dry-run shows them all"));
    }
    std::cerr << Question(verb.imperative, names) << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (!IsYes(answer)) return absl::CancelledError("nothing was changed");
  }
  Report report(context, verb);
  ForEachAtOnce(names.size(), [&](size_t i) { return report.Add(names[i], act(names[i])); });
  if (!report.end().ok()) {
    std::cerr << "tocsin: ended after " << report.done() + report.failed() << " of "
              << Plural(names.size()) << "\n";
    return report.end();
  }
  if (report.failed() > 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(report.failed(), " of ", Plural(names.size()), " failed"));
  }
  if (!context.json()) Print(absl::StrCat(Plural(names.size()), " ", verb.past, "\n"));
  return absl::OkStatus();
}

}  // namespace tocsin::cli
