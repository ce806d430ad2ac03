// `tocsin schedule preview`: when a cron schedule fires, before any monitor has it.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/monitor_view.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

struct Flags {
  std::string expression, time_zone, grace, early_tolerance;
  int count = 5;
};

void AddPreview(CLI::App& schedule, Context& context) {
  CLI::App* preview = schedule.add_subcommand(
      "preview", "When a cron expression fires, and until when a heartbeat is in time");
  auto flags = std::make_shared<Flags>();
  preview
      ->add_option("EXPRESSION", flags->expression,
                   "In quotes, e.g. \"30 2 * * mon-fri\", or @daily and the like")
      ->required();
  preview->add_option("--time-zone", flags->time_zone, "E.g. Europe/Paris; UTC without");
  AddDuration(*preview, "--grace", flags->grace, "How much later is in time; 5m without");
  AddDuration(*preview, "--early-tolerance", flags->early_tolerance,
              "How much earlier counts for it");
  preview->add_option("--count", flags->count, "How many times, at most 100")
      ->capture_default_str();
  preview->callback([flags, &context] {
    context.action = [flags](const Context& context) -> absl::Status {
      v1::PreviewScheduleRequest request;
      request.set_parent(context.Parent());
      request.set_count(flags->count);
      v1::CronSchedule& cron = *request.mutable_cron();
      cron.set_expression(flags->expression);
      cron.set_time_zone(flags->time_zone);
      if (!flags->grace.empty()) *cron.mutable_grace() = ToProto(flags->grace);
      if (!flags->early_tolerance.empty()) {
        *cron.mutable_early_tolerance() = ToProto(flags->early_tolerance);
      }
      ASSIGN_OR_RETURN(const auto found,
                       context.Call(&v1::MonitorService::Stub::PreviewSchedule, request));
      if (context.json()) {
        context.PrintOne(found);
      } else {
        Print(absl::StrCat(ScheduleWords(found.cron()), "\n\n", FireTimesTable(found).ToString()));
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddScheduleCommands(CLI::App& app, Context& context) {
  CLI::App* schedule = app.add_subcommand("schedule", "Try cron schedules");
  schedule->require_subcommand(1);
  AddPreview(*schedule, context);
}

}  // namespace tocsin::cli
