// `tocsin push`: one heartbeat over gRPC.
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/output_file.h"
#include "cli/table.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "tocsin/v1/push_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

struct Flags {
  std::string token, monitor, status, message, run, output_file;
  double value = 0;
  int32_t exit_status = 0;
  bool create = false;
};

absl::StatusOr<v1::PushRequest> MakeRequest(const CLI::App& app, const Flags& flags) {
  v1::PushRequest request;
  request.set_push_token(flags.token);
  request.set_push_id(RandomId());
  request.set_message(flags.message);
  request.set_run_id(flags.run);
  request.set_monitor_id(flags.monitor);
  request.set_create(flags.create);
  if (app.count("--value") > 0) request.set_value(flags.value);
  v1::Heartbeat::Kind kind = v1::Heartbeat::KIND_UP;
  if (app.count("--exit-status") > 0) {
    request.set_exit_status(flags.exit_status);
    if (flags.exit_status != 0) kind = v1::Heartbeat::KIND_DOWN;
  }
  if (!flags.status.empty()) {
    v1::Heartbeat::Kind_Parse("KIND_" + absl::AsciiStrToUpper(flags.status), &kind);
  }
  request.set_kind(kind);
  if (!flags.output_file.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_output(), ReadOutput(flags.output_file));
  }
  return request;
}

}  // namespace

void AddPushCommand(CLI::App& app, Context& context) {
  CLI::App* push = app.add_subcommand("push", "Send a heartbeat to core; done once it is durable");
  push->footer(
      "\nThis speaks gRPC to core. Jobs elsewhere push to the gateway, with any HTTP client:\n"
      "  curl -X POST \"$TOCSIN_GATEWAY_URL/api/push/$TOCSIN_PUSH_TOKEN\"");
  auto flags = std::make_shared<Flags>();
  push->add_option("TOKEN", flags->token,
                   "Push token of the monitor, or a push key. Others on this machine can read a "
                   "command line: better "
                   "leave it in the environment")
      ->envname("TOCSIN_PUSH_TOKEN")
      ->required();
  CLI::Option* const monitor = push->add_option(
      "--monitor", flags->monitor, "With a push key: the id of the monitor, in the key's project");
  push->add_flag("--create", flags->create,
                 "With a push key that may: make the monitor if it is missing")
      ->needs(monitor);
  push->add_option("--status", flags->status, "up (default), down, start or log")
      ->check(CLI::IsMember({"up", "down", "start", "log"}, CLI::ignore_case));
  push->add_option("--message", flags->message, "What a person should read");
  push->add_option("--value", flags->value, "A number to keep");
  push->add_option("--exit-status", flags->exit_status,
                   "Exit status of the job; without --status, other than 0 means down")
      ->check(CLI::Range(0, 255));
  push->add_option("--run", flags->run, "Pairs a start with its end");
  push->add_option("--output-file", flags->output_file,
                   "What the job put out, of which the last 10,000 bytes are kept; -: standard "
                   "input");
  push->callback([push, flags, &context] {
    context.action = [push, flags](const Context& context) -> absl::Status {
      ASSIGN_OR_RETURN(const v1::PushRequest request, MakeRequest(*push, *flags));
      ASSIGN_OR_RETURN(const auto response, context.Call(&v1::PushService::Stub::Push, request));
      if (context.json()) {
        context.PrintOne(response);
      } else {
        Print(absl::StrCat(IdOf(response.monitor()), ": ", OneLine(response.message()), "\n"));
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace tocsin::cli
