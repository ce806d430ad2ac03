// What somebody should do who was woken by an alert.
#include "services/notifier/channel/next_step.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

constexpr size_t kRunbookBytes = 2048;
constexpr size_t kNameBytes = 128;

// `tocsin --project payments explain nightly-backup`; the default project goes unsaid.
std::string ExplainCommand(const std::string& monitor) {
  const std::vector<absl::string_view> parts = absl::StrSplit(monitor, '/');
  const bool other_project = parts.size() == 4 && parts[1] != "default";
  return absl::StrCat(
      "tocsin ",
      other_project ? absl::StrCat("--project ", PlainText(parts[1], kNameBytes), " ") : "",
      "explain ", PlainText(LastPart(monitor), kNameBytes));
}

absl::string_view Check(const EventFacts& event) {
  switch (event.incident.cause) {
    case Cause::kMissedDeadline:
      if (event.run.has_value()) {
        return "Check whether the run hangs; if it may take so long, give the monitor a limit for "
               "its runs or a longer grace. ";
      }
      return "Check that the job runs and reaches Tocsin. ";
    case Cause::kRunOverran:
      return "Check whether the run hangs. ";
    default:
      return "";  // the job has said what is wrong
  }
}

}  // namespace

std::string NextStep(const EventFacts& event) {
  if (event.type == EventType::kResolved) return "";
  const MonitorFacts& monitor = event.monitor;
  if (!monitor.runbook_url.empty()) {
    return absl::StrCat(" Runbook: ", PlainText(monitor.runbook_url, kRunbookBytes));
  }
  return absl::StrCat(" ", Check(event), "Details: ", ExplainCommand(monitor.name));
}

}  // namespace tocsin::notifier
