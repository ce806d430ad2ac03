// `tocsin status`: what is wrong, first.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/message_json.h"
#include "cli/selector.h"
#include "cli/status/look.h"
#include "cli/status/view.h"
#include "cli/values.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

constexpr char kFooter[] =
    "\nWhat is wrong comes first: down, late (expected, and not down yet), never reported, "
    "flapping,\n"
    "unverified (a heartbeat may be lost in an outage of Tocsin), silenced (muted, or a "
    "maintenance\n"
    "is open). Those that are up are looked at up to --look-at, in the order of their ids; \"+\" "
    "means\n"
    "that there may be more.\n"
    "Exit status: 0 nothing is down and everything has reported; 1 something is down or has never\n"
    "reported, or core refused to answer (standard error says why); 4 core cannot be reached.";

struct Flags {
  std::string filter;
  std::vector<std::string> selectors;
  int limit = 20;
  int look_at = 10000;
};

absl::Status ShowStatus(const Context& context, const Flags& flags) {
  ASSIGN_OR_RETURN(const std::string filter, FilterOf(flags.filter, flags.selectors));
  ASSIGN_OR_RETURN(
      const Standing standing,
      LookAtMonitors(context, {.filter = filter, .look_at = flags.look_at, .limit = flags.limit}));
  const StatusView view = {
      .now = SystemClock().Now(),
      .where = absl::StrCat("Project ", context.project, filter.empty() ? "" : ", those asked for"),
      .limit = static_cast<size_t>(flags.limit),
      .wide = context.wide(),
      .terminal = OutputTerminal()};
  if (context.json()) {
    context.PrintJsonText(DumpJson(StatusJson(standing, view), context.json_lines()));
  } else {
    Print(StatusText(standing, view));
  }
  if (standing.Wrong()) *context.exit_status = kSomethingIsWrong;
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommand(CLI::App& app, Context& context) {
  CLI::App* status =
      app.add_subcommand("status", "What is wrong now: down, late, never reported, muted");
  auto flags = std::make_shared<Flags>();
  AddSelection(*status, flags->filter, flags->selectors);
  status->add_option("--limit", flags->limit, "Monitors to show of each kind; 0: all")
      ->check(CountFromZero())
      ->capture_default_str();
  status->add_option("--look-at", flags->look_at, "Monitors to look at of each state, at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  status->footer(kFooter);
  status->callback([flags, &context] {
    context.action = [flags](const Context& context) { return ShowStatus(context, *flags); };
  });
}

}  // namespace tocsin::cli
