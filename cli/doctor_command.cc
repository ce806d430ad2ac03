// `tocsin doctor`: whether Tocsin is well, seen from here, and what to do if it is not.
#include <memory>
#include <string>

#include "cli/context.h"
#include "cli/doctor/finding.h"
#include "cli/doctor/visit.h"
#include "cli/duration.h"
#include "cli/message_json.h"
#include "cli/terminal.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

constexpr char kFooter[] =
    "\nLooks at core, the key and its role, the clocks, versions, channels and messages that "
    "failed,\n"
    "and what the pushes come to on disk; with --gateway at the way of pushes and REST, with "
    "--admin\n"
    "at each service behind it. It changes nothing, and waits no longer than --timeout-rpc for "
    "each.\n"
    "  tocsin doctor --gateway https://tocsin.example.org --admin core-0:9091 --admin "
    "gateway-0:8081\n"
    "Exit status: 0 no problem; 1 problems; 2 the command or a value in it is wrong.";

struct Flags {
  std::string gateway, retention = "14d";
  std::vector<std::string> admins;
};

absl::Status Examine(const Context& context, const Flags& flags) {
  DoctorQuestion question;
  if (!flags.gateway.empty()) {
    ASSIGN_OR_RETURN(question.gateway, GatewayUrl(flags.gateway));
  }
  question.admins = flags.admins;
  ASSIGN_OR_RETURN(question.retention, ParseDuration(flags.retention));
  const Findings findings = Visit(context, question, SystemClock());
  if (context.json()) {
    context.PrintJsonText(DumpJson(FindingsJson(findings), context.json_lines()));
  } else {
    Print(FindingsText(findings, OutputTerminal()));
  }
  if (HasProblem(findings)) *context.exit_status = kSomethingIsWrong;
  return absl::OkStatus();
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Context& context) {
  CLI::App* doctor =
      app.add_subcommand("doctor", "Is Tocsin well? What is wrong with it, and what to do");
  auto flags = std::make_shared<Flags>();
  doctor
      ->add_option("--gateway", flags->gateway,
                   "Address of a gateway, http(s)://HOST[:PORT]; no key is sent to it")
      ->envname("TOCSIN_GATEWAY_URL");
  doctor
      ->add_option(
          "--admin", flags->admins,
          "Admin port of a service, HOST:PORT; may be repeated. That of every core measures "
          "the rate of pushes")
      ->allow_extra_args(false);
  AddDuration(*doctor, "--retention", flags->retention,
              "--heartbeat_retention of core, for what is projected")
      ->capture_default_str();
  doctor->footer(kFooter);
  doctor->callback([flags, &context] {
    context.action = [flags](const Context& context) { return Examine(context, *flags); };
  });
}

}  // namespace tocsin::cli
