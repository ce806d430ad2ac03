// `tocsin monitor …`: makes, shows and changes monitors.
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/bulk/targets.h"
#include "cli/context.h"
#include "cli/expectation_flags.h"
#include "cli/labels.h"
#include "cli/monitor_view.h"
#include "cli/selector.h"
#include "cli/statistics_command.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr char kCreateFooter[] =
    "\nA flag that is not given means: --grace 0s, with --cron 5m; --early-tolerance 1m, or a "
    "tenth of\n"
    "the period if that is less; --recommended-interval as the timeout; runs of any length; "
    "thresholds\n"
    "of 1; --severity error; no reminders; the ID as name. Channels whose selector fits are "
    "alerted in\n"
    "any case; where none fits or is named, the default ones.\n";

using Stub = v1::MonitorService::Stub;

// The flags that say what a monitor is like.
struct Fields {
  std::string id, display_name, description, owner, severity, runbook;
  ExpectationFlags expectations;
  std::vector<std::string> labels, channels;
  bool arm_on_create = false;
  bool resume_on_heartbeat = false;
};

void AddFields(CLI::App& app, Fields& fields, bool creating) {
  app.add_option("ID", fields.id, "Id of the monitor")->required();
  AddExpectationFlags(app, fields.expectations);
  app.add_option("--display-name", fields.display_name, "Name for people");
  app.add_option("--description", fields.description, "What the job does");
  app.add_option("--owner", fields.owner, "Who answers for it");
  app.add_option("--severity", fields.severity, "How bad its silence is")
      ->check(CLI::IsMember({"critical", "error", "warning", "info"}, CLI::ignore_case));
  app.add_option("--runbook-url", fields.runbook, "What to do");
  AddLabels(
      app, "--label", fields.labels,
      creating ? "A label; may be repeated" : "A label; may be repeated; replaces all of them");
  app.add_option("--channel", fields.channels,
                 creating ? "Id of a channel to alert; may be repeated"
                          : "Id of a channel to alert; may be repeated; replaces all of them")
      ->allow_extra_args(false);
  app.add_flag(creating ? "--arm-on-create" : "--arm-on-create,!--no-arm-on-create",
               fields.arm_on_create, "Alert even when no first heartbeat ever comes");
  app.add_flag(
      creating ? "--resume-on-heartbeat" : "--resume-on-heartbeat,!--no-resume-on-heartbeat",
      fields.resume_on_heartbeat, "A heartbeat ends a pause");
}

// Writes what was given to `monitor`; the paths of the fields that it wrote. `kind` is that of its
// schedule.
std::vector<std::string> Apply(const Context& context, const CLI::App& app, const Fields& fields,
                               ScheduleKind kind, v1::Monitor& monitor) {
  std::vector<std::string> paths = ApplyExpectations(app, fields.expectations, kind, monitor);
  const auto given = [&](const char* flag, const char* path) {
    if (app.count(flag) == 0) return false;
    paths.emplace_back(path);
    return true;
  };
  if (given("--display-name", "display_name")) monitor.set_display_name(fields.display_name);
  if (given("--description", "description")) monitor.set_description(fields.description);
  if (given("--owner", "owner")) monitor.set_owner(fields.owner);
  if (given("--severity", "severity")) {
    v1::Monitor::Severity severity = v1::Monitor::SEVERITY_UNSPECIFIED;
    v1::Monitor::Severity_Parse("SEVERITY_" + absl::AsciiStrToUpper(fields.severity), &severity);
    monitor.set_severity(severity);
  }
  if (given("--runbook-url", "runbook_url")) monitor.set_runbook_url(fields.runbook);
  if (given("--label", "labels")) {
    monitor.clear_labels();
    for (const std::string& label : fields.labels) {
      const auto [key, value] = SplitLabel(label);
      (*monitor.mutable_labels())[key] = value;
    }
  }
  if (given("--channel", "channels")) {
    monitor.clear_channels();
    for (const std::string& id : fields.channels) {
      monitor.add_channels(context.Name("channels", id));
    }
  }
  if (given("--arm-on-create", "arm_on_create")) {
    monitor.set_arm_on_create(fields.arm_on_create);
  }
  if (given("--resume-on-heartbeat", "resume_on_heartbeat")) {
    monitor.set_resume_on_heartbeat(fields.resume_on_heartbeat);
  }
  return paths;
}

absl::Status PrintMonitor(const Context& context, const v1::Monitor& monitor) {
  if (context.json()) {
    context.PrintOne(monitor);
  } else {
    Print(MonitorTable(monitor).ToString());
  }
  return absl::OkStatus();
}

// Of the schedule that the flags speak of. A grace alone is that of the schedule which the monitor
// has; one that is missing is taken for one with a timeout, and core says the rest.
absl::StatusOr<ScheduleKind> KindOf(const Context& context, const CLI::App& app,
                                    const Fields& fields) {
  switch (GivenOf(app, fields.expectations)) {
    case ScheduleFlags::kOfCron:
      return ScheduleKind::kCron;
    case ScheduleFlags::kOfEither: {
      v1::GetMonitorRequest request;
      request.set_name(context.Name("monitors", fields.id));
      const auto found = context.Call(&Stub::GetMonitor, request);
      if (absl::IsNotFound(found.status())) return ScheduleKind::kHeartbeat;
      RETURN_IF_ERROR(found.status());
      return found->schedule().has_cron() ? ScheduleKind::kCron : ScheduleKind::kHeartbeat;
    }
    case ScheduleFlags::kNone:
    case ScheduleFlags::kOfHeartbeat:
      break;
  }
  return ScheduleKind::kHeartbeat;
}

constexpr char kNoToken[] =
    "\nIts push token cannot be shown again; \"tocsin monitor rotate-token\" makes another one.\n";

// `Response` brings a new token, unless there is one that nobody needs to be shown.
constexpr char kUnarmed[] =
    "\nIt is watched from its first heartbeat on; with --arm-on-create it also rings when none "
    "ever comes.\n";

// Until when another token works besides, after a change of it.
std::string OldToken(const v1::CreateMonitorResponse&) { return ""; }
std::string OldToken(const v1::RotatePushTokenResponse& response) {
  if (!response.has_old_token_expire_time()) return "";
  return absl::StrCat("The old token works until ", Show(response.old_token_expire_time()),
                      "; --overlap 0s would have ended it at once.\n");
}

template <typename Response>
absl::Status PrintToken(const Context& context, const Response& response, bool own_token) {
  if (context.json()) {
    context.PrintOne(response);
    return absl::OkStatus();
  }
  // Its own, or one that cannot be shown again.
  if (response.push_token().empty()) {
    RETURN_IF_ERROR(PrintMonitor(context, response.monitor()));
    if (!own_token) Print(kNoToken);
    return absl::OkStatus();
  }
  Table table;
  table.AddRow({"Monitor", IdOf(response.monitor().name())});
  table.AddRow({"Push URL", response.push_url()});
  table.AddRow({"Push token", response.push_token()});
  Print(absl::StrCat(table.ToString(),
                     "\nThe token is shown this once: keep it. Push with\n  curl -X POST '",
                     response.push_url(), "'\n", OldToken(response)));
  return absl::OkStatus();
}

void AddCreate(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand("create", "Make a monitor and show its push URL");
  app->footer(kCreateFooter + monitor.get_footer());
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddFields(*app, *fields, true);
  AddTokenSha256(*app, *flags);
  AddRequestId(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([app, fields, flags, &context] {
    context.action = [app, fields, flags](const Context& context) -> absl::Status {
      RETURN_IF_ERROR(CheckScheduleFlags(*app, fields->expectations, /*required=*/true));
      v1::CreateMonitorRequest request;
      request.set_parent(context.Parent());
      request.set_monitor_id(fields->id);
      ASSIGN_OR_RETURN(const ScheduleKind kind, KindOf(context, *app, *fields));
      Apply(context, *app, *fields, kind, *request.mutable_monitor());
      RETURN_IF_ERROR(CheckGrace(fields->expectations, request.monitor().schedule()));
      request.set_push_token_sha256(flags->token_sha256);
      request.set_request_id(flags->request_id);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto response, context.Create(&Stub::CreateMonitor, request));
      if (!context.json()) Print(Trial(flags->validate_only));
      RETURN_IF_ERROR(
          PrintToken(context, response, flags->validate_only || !flags->token_sha256.empty()));
      if (!context.json() && !fields->arm_on_create) Print(kUnarmed);
      return absl::OkStatus();
    };
  });
}

void AddUpdate(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand("update", "Change what is named, and only that");
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddFields(*app, *fields, false);
  AddEtag(*app, *flags);
  AddAllowMissing(*app, *flags, "Make it if it does not exist, without a push token");
  AddTokenSha256(*app, *flags);
  AddValidateOnly(*app, *flags);
  auto dry_run = std::make_shared<bool>(false);
  app->add_flag(
      "--dry-run", *dry_run,
      "As --validate-only; says how many false alarms the timeout or grace would have raised");
  app->callback([app, fields, flags, dry_run, &context] {
    context.action = [app, fields, flags, dry_run](const Context& context) -> absl::Status {
      RETURN_IF_ERROR(CheckScheduleFlags(*app, fields->expectations, /*required=*/false));
      v1::UpdateMonitorRequest request;
      request.mutable_monitor()->set_name(context.Name("monitors", fields->id));
      ASSIGN_OR_RETURN(const ScheduleKind kind, KindOf(context, *app, *fields));
      for (std::string& path : Apply(context, *app, *fields, kind, *request.mutable_monitor())) {
        request.mutable_update_mask()->add_paths(std::move(path));
      }
      RETURN_IF_ERROR(CheckGrace(fields->expectations, request.monitor().schedule()));
      if (request.update_mask().paths().empty()) {
        return absl::InvalidArgumentError(
            "nothing to change: give at least one flag, e.g. --timeout");
      }
      request.mutable_monitor()->set_etag(flags->etag);
      request.set_allow_missing(flags->allow_missing);
      request.set_push_token_sha256(flags->token_sha256);
      request.set_validate_only(flags->validate_only || *dry_run);
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::UpdateMonitor, request));
      if (*dry_run) return TrySchedule(context, request.monitor());
      if (!context.json()) Print(Trial(flags->validate_only));
      return PrintMonitor(context, after);
    };
  });
}

// The token is in the one line or object of each.
Done NewToken(const v1::RotatePushTokenResponse& response) {
  return {.text = absl::StrCat("push URL ", response.push_url()),
          .json = {{"pushToken", response.push_token()}, {"pushUrl", response.push_url()}}};
}

void AddRotate(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand("rotate-token", "Replace push tokens and show them");
  auto targets = std::make_shared<Targets>();
  auto overlap = std::make_shared<std::string>();
  AddTargets(*app, *targets);
  AddDuration(*app, "--overlap", *overlap,
              "How long the old token stays good: 24h without it; 0s ends it at once");
  auto flags = std::make_shared<ChangeFlags>();
  AddTokenSha256(*app, *flags);
  app->callback([targets, overlap, flags, &context] {
    context.action = [targets, overlap, flags](const Context& context) -> absl::Status {
      v1::RotatePushTokenRequest request;
      if (!overlap->empty()) *request.mutable_overlap() = ToProto(*overlap);
      request.set_push_token_sha256(flags->token_sha256);
      if (!targets->one() || targets->dry_run) {
        if (!flags->token_sha256.empty()) {
          return absl::InvalidArgumentError(
              "--push-token-sha256: it is for one monitor, by its ID");
        }
        return ForEachTarget(context, *targets, {"Rotate the push tokens of", "rotated"},
                             [&](const std::string& name) -> absl::StatusOr<Done> {
                               v1::RotatePushTokenRequest one = request;
                               one.set_name(name);
                               ASSIGN_OR_RETURN(const auto response,
                                                context.Call(&Stub::RotatePushToken, one));
                               return NewToken(response);
                             });
      }
      request.set_name(context.Name("monitors", targets->ids.front()));
      ASSIGN_OR_RETURN(const auto response, context.Call(&Stub::RotatePushToken, request));
      return PrintToken(context, response, !flags->token_sha256.empty());
    };
  });
}

// A command about one monitor or many, which answers with the one.
template <typename Request>
void AddBulkVerb(CLI::App& monitor, Context& context, const char* command, const char* help,
                 BulkVerb verb,
                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, v1::Monitor*)) {
  CLI::App* app = monitor.add_subcommand(command, help);
  auto targets = std::make_shared<Targets>();
  AddTargets(*app, *targets);
  app->callback([targets, method, verb, &context] {
    context.action = [targets, method, verb](const Context& context) -> absl::Status {
      const auto call = [&](const std::string& name) {
        Request request;
        request.set_name(name);
        return context.Call(method, request);
      };
      if (targets->one() && !targets->dry_run) {
        ASSIGN_OR_RETURN(const v1::Monitor after,
                         call(context.Name("monitors", targets->ids.front())));
        return PrintMonitor(context, after);
      }
      return ForEachTarget(context, *targets, verb,
                           [&](const std::string& name) -> absl::StatusOr<Done> {
                             RETURN_IF_ERROR(call(name).status());
                             return Done();
                           });
    };
  });
}

void AddList(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand("list", "Every monitor and its state");
  auto deleted = std::make_shared<bool>(false);
  auto filter = std::make_shared<std::string>();
  auto order = std::make_shared<std::string>();
  auto selectors = std::make_shared<std::vector<std::string>>();
  AddSelection(*app, *filter, *selectors);
  app->add_option("--order-by", *order,
                  "id, state_change_time or create_time, each also with \" desc\"");
  app->add_flag("--show-deleted", *deleted, "Deleted monitors, too");
  app->callback([deleted, filter, order, selectors, &context] {
    context.action = [deleted, filter, order, selectors](const Context& context) -> absl::Status {
      v1::ListMonitorsRequest request;
      request.set_parent(context.Parent());
      request.set_show_deleted(*deleted);
      ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOf(*filter, *selectors));
      request.set_order_by(*order);
      ASSIGN_OR_RETURN(
          const auto all,
          context.List(&Stub::ListMonitors, &v1::ListMonitorsResponse::mutable_monitors, request));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Print(MonitorsTable(all, context.wide()).ToString(OutputTerminal().colour));
      return absl::OkStatus();
    };
  });
}

absl::Status PrintDeleted(const Context& context, const v1::Monitor& monitor) {
  if (context.json()) {
    context.PrintOne(monitor);
    return absl::OkStatus();
  }
  const std::string id = OneLine(IdOf(monitor.name()));
  if (id.empty()) {
    Print("There is no such monitor; nothing was deleted\n");
    return absl::OkStatus();
  }
  Print(absl::StrCat("Deleted monitor ", id, "; \"tocsin monitor undelete ", id,
                     "\" brings it back\n"));
  return absl::OkStatus();
}

void AddDelete(CLI::App& monitor, Context& context) {
  CLI::App* app = monitor.add_subcommand("delete", "Delete; undelete brings it back");
  auto id = std::make_shared<std::string>();
  auto flags = std::make_shared<ChangeFlags>();
  app->add_option("ID", *id, "Id of the monitor")->required();
  AddEtag(*app, *flags);
  AddAllowMissing(*app, *flags, "That it does not exist is no error");
  AddValidateOnly(*app, *flags);
  app->callback([id, flags, &context] {
    context.action = [id, flags](const Context& context) -> absl::Status {
      v1::DeleteMonitorRequest request;
      request.set_name(context.Name("monitors", *id));
      request.set_etag(flags->etag);
      request.set_allow_missing(flags->allow_missing);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto response, context.Call(&Stub::DeleteMonitor, request));
      if (!flags->validate_only || context.json()) return PrintDeleted(context, response);
      Print(Trial(true));
      return PrintMonitor(context, response);
    };
  });
}

// A command that takes a name and answers with the monitor.
template <typename Request>
void AddVerb(CLI::App& monitor, Context& context, const char* verb, const char* help,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, v1::Monitor*)) {
  CLI::App* app = monitor.add_subcommand(verb, help);
  auto id = std::make_shared<std::string>();
  app->add_option("ID", *id, "Id of the monitor")->required();
  app->callback([id, method, &context] {
    context.action = [id, method](const Context& context) -> absl::Status {
      Request request;
      request.set_name(context.Name("monitors", *id));
      ASSIGN_OR_RETURN(const auto response, context.Call(method, request));
      RETURN_IF_ERROR(PrintMonitor(context, response));
      const bool back = std::is_same_v<Request, v1::UndeleteMonitorRequest> &&
                        response.state() == v1::Monitor::STATE_PAUSED;
      if (back && !context.json()) {
        Print(absl::StrCat("\nIt is back, and paused: \"tocsin monitor resume ", *id,
                           "\" has it watched again.\n"));
      }
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddMonitorCommands(CLI::App& app, Context& context) {
  CLI::App* monitor = app.add_subcommand("monitor", "Make, show and change monitors");
  monitor->require_subcommand(1);
  AddCreate(*monitor, context);
  AddVerb(*monitor, context, "get", "Show one monitor", &Stub::GetMonitor);
  AddDescribeCommand(*monitor, context);
  AddList(*monitor, context);
  AddMonitorStats(*monitor, context);
  AddUpdate(*monitor, context);
  AddBulkVerb(*monitor, context, "pause", "Expect nothing until resumed", {"Pause", "paused"},
              &Stub::PauseMonitor);
  AddBulkVerb(*monitor, context, "resume", "Expect heartbeats again", {"Resume", "resumed"},
              &Stub::ResumeMonitor);
  AddRotate(*monitor, context);
  AddDelete(*monitor, context);
  AddVerb(*monitor, context, "undelete", "Bring a deleted monitor back", &Stub::UndeleteMonitor);
}

}  // namespace tocsin::cli
