// `tocsin maintenance …`: announces work, so that what happens in it is not told.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/chosen_monitors.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/event_view.h"
#include "cli/moment.h"
#include "cli/table.h"
#include "cli/values.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/maintenance_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::MaintenanceService::Stub;

struct Fields {
  std::string id, reason, display_name, selector, start, until, span, cron, zone, window;
  std::vector<std::string> monitors;
  bool all = false;
};

absl::StatusOr<absl::Time> Instant(const std::string& text) {
  ASSIGN_OR_RETURN(const Moment moment, ParseMoment(text));
  return moment.begin;
}

std::string MomentFault(const std::string& text) {
  return std::string(ParseMoment(text).status().message());
}

std::string NameOf(const Context& context, const std::string& id) {
  return context.Name("maintenances", id);
}

std::string When(const v1::Maintenance& maintenance) {
  if (!maintenance.has_recurring()) {
    return absl::StrCat(Show(maintenance.one_off().start_time()), " to ",
                        Show(maintenance.one_off().end_time()));
  }
  const v1::RecurringWindow& recurring = maintenance.recurring();
  return absl::StrCat(recurring.cron(), " ", recurring.time_zone(), ", for ",
                      Show(recurring.duration()));
}

absl::Status PrintMaintenance(const Context& context, const v1::Maintenance& maintenance) {
  if (context.json()) {
    context.PrintOne(maintenance);
    return absl::OkStatus();
  }
  Table table;
  table.AddRow({"Maintenance", IdOf(maintenance.name())});
  table.AddRow({"Display name", maintenance.display_name()});
  table.AddRow({"Reason", maintenance.reason()});
  table.AddRow({"Monitors", Whom(maintenance)});
  table.AddRow({"When", When(maintenance)});
  table.AddRow({"Now", WindowWords(maintenance)});
  table.AddRow({"By", IdOf(maintenance.author())});
  Print(table.ToString());
  return absl::OkStatus();
}

void AddFlags(CLI::App& app, Fields& fields, const std::string& otherwise) {
  app.add_option("--reason", fields.reason, "Why; whoever looks for an alert reads it");
  app.add_option("--display-name", fields.display_name, "Name for people");
  app.add_option("-l,--selector", fields.selector,
                 "Monitors with these labels: team=payments,severity=critical");
  app.add_option("--monitor", fields.monitors, "A monitor that it is about; may be repeated");
  app.add_flag("--all-monitors", fields.all, "It is about every monitor of the project");
  const CLI::Validator moment(MomentFault, "TIME");
  app.add_option("--start", fields.start,
                 "When it begins: a moment in UTC; " + otherwise + " unless given")
      ->check(moment);
  CLI::Option* until = app.add_option("--until", fields.until, "When it ends: a moment in UTC");
  until->check(moment);
  CLI::Option* span =
      AddDuration(app, "--for", fields.span, "How long it lasts from its beginning");
  CLI::Option* cron =
      app.add_option("--cron", fields.cron, "A window opens whenever this fires: '0 2 * * sun'");
  app.add_option("--time-zone", fields.zone, "Zone of --cron, e.g. Europe/Paris; UTC unless given")
      ->needs(cron);
  AddDuration(app, "--window", fields.window, "How long each window of --cron is open")
      ->needs(cron);
  until->excludes(span)->excludes(cron);
  span->excludes(cron);
}

// `known`: when it begins unless that is given.
absl::Status ReadWindow(const Fields& fields, absl::Time known, v1::Maintenance& maintenance) {
  if (!fields.cron.empty()) {
    v1::RecurringWindow& recurring = *maintenance.mutable_recurring();
    recurring.set_cron(fields.cron);
    recurring.set_time_zone(fields.zone);
    if (!fields.window.empty()) *recurring.mutable_duration() = ToProto(fields.window);
    return absl::OkStatus();
  }
  if (fields.start.empty() && fields.until.empty() && fields.span.empty()) return absl::OkStatus();
  absl::Time start = known;
  v1::OneOffWindow& once = *maintenance.mutable_one_off();
  if (!fields.start.empty()) {
    ASSIGN_OR_RETURN(start, Instant(fields.start));
    *once.mutable_start_time() = ToProtoTime(start);
  }
  if (!fields.span.empty()) {
    ASSIGN_OR_RETURN(const absl::Duration span, ParseDuration(fields.span));
    *once.mutable_end_time() = ToProtoTime(start + span);
  } else if (!fields.until.empty()) {
    ASSIGN_OR_RETURN(const absl::Time until, Instant(fields.until));
    *once.mutable_end_time() = ToProtoTime(until);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Maintenance> ReadFields(const Context& context, const Fields& fields,
                                           absl::Time known) {
  v1::Maintenance maintenance;
  maintenance.set_reason(fields.reason);
  maintenance.set_display_name(fields.display_name);
  maintenance.set_selector(fields.selector);
  for (const std::string& id : fields.monitors) {
    maintenance.add_monitors(context.Name("monitors", id));
  }
  maintenance.set_all_monitors(fields.all);
  RETURN_IF_ERROR(ReadWindow(fields, known, maintenance));
  return maintenance;
}

// What of the window is not given stays as it is, where there is one that comes once.
absl::StatusOr<v1::Maintenance> ReadChanges(const Context& context, const Fields& fields) {
  const bool moves = !fields.start.empty() || !fields.until.empty() || !fields.span.empty();
  if (!moves) return ReadFields(context, fields, absl::InfinitePast());
  v1::GetMaintenanceRequest request;
  request.set_name(NameOf(context, fields.id));
  ASSIGN_OR_RETURN(const v1::Maintenance now, context.Call(&Stub::GetMaintenance, request));
  if (!now.has_one_off() && fields.start.empty()) {
    return absl::InvalidArgumentError(
        "it recurs: --cron and --window say when; give --start as well, to make it one that comes "
        "once");
  }
  ASSIGN_OR_RETURN(v1::Maintenance changes,
                   ReadFields(context, fields, TimeOf(now.one_off().start_time())));
  v1::OneOffWindow& once = *changes.mutable_one_off();
  if (!once.has_start_time()) *once.mutable_start_time() = now.one_off().start_time();
  if (!once.has_end_time() && now.has_one_off()) {
    *once.mutable_end_time() = now.one_off().end_time();
  }
  return changes;
}

bool ChangesNothing(const Fields& fields) {
  return fields.reason.empty() && fields.display_name.empty() && fields.selector.empty() &&
         fields.monitors.empty() && !fields.all && fields.start.empty() && fields.until.empty() &&
         fields.span.empty() && fields.cron.empty();
}

std::shared_ptr<Fields> AddId(CLI::App& app) {
  auto fields = std::make_shared<Fields>();
  app.add_option("ID", fields->id, "Id of the maintenance")->required();
  return fields;
}

void AddCreate(CLI::App& maintenance, Context& context) {
  CLI::App* app = maintenance.add_subcommand(
      "create", "Announce work: what happens in its window is recorded and not told");
  auto fields = AddId(*app);
  AddFlags(*app, *fields, "now");
  auto flags = std::make_shared<ChangeFlags>();
  AddRequestId(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([fields, flags, &context] {
    context.action = [fields, flags](const Context& context) -> absl::Status {
      v1::CreateMaintenanceRequest request;
      request.set_parent(context.Parent());
      request.set_maintenance_id(fields->id);
      ASSIGN_OR_RETURN(*request.mutable_maintenance(),
                       ReadFields(context, *fields, SystemClock().Now()));
      request.set_request_id(flags->request_id);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto made, context.Create(&Stub::CreateMaintenance, request));
      // It may be announced before its monitors are made.
      WarnOfNone(context, fields->monitors, fields->selector);
      if (!context.json()) Print(Trial(flags->validate_only));
      return PrintMaintenance(context, made);
    };
  });
}

void AddGet(CLI::App& maintenance, Context& context) {
  CLI::App* app = maintenance.add_subcommand("get", "Show one maintenance");
  auto fields = AddId(*app);
  app->callback([fields, &context] {
    context.action = [fields](const Context& context) -> absl::Status {
      v1::GetMaintenanceRequest request;
      request.set_name(NameOf(context, fields->id));
      ASSIGN_OR_RETURN(const auto found, context.Call(&Stub::GetMaintenance, request));
      return PrintMaintenance(context, found);
    };
  });
}

void AddList(CLI::App& maintenance, Context& context) {
  maintenance.add_subcommand("list", "Every maintenance of the project; those that are over, too")
      ->callback([&context] {
        context.action = [](const Context& context) -> absl::Status {
          v1::ListMaintenancesRequest request;
          request.set_parent(context.Parent());
          ASSIGN_OR_RETURN(
              const auto all,
              context.List(&Stub::ListMaintenances,
                           &v1::ListMaintenancesResponse::mutable_maintenances, request));
          if (context.json()) {
            context.PrintAll(all);
            return absl::OkStatus();
          }
          Table table({"ID", "NOW", "MONITORS", "WHEN", "REASON", "BY"});
          for (const v1::Maintenance& m : all.maintenances()) {
            table.AddRow({IdOf(m.name()), WindowWords(m), context.Cell(Whom(m)), When(m),
                          context.Cell(m.reason()), IdOf(m.author())});
          }
          Print(table.ToString());
          return absl::OkStatus();
        };
      });
}

void AddUpdate(CLI::App& maintenance, Context& context) {
  CLI::App* app = maintenance.add_subcommand("update", "Change what is given");
  auto fields = AddId(*app);
  AddFlags(*app, *fields, "as it is");
  auto flags = std::make_shared<ChangeFlags>();
  AddEtag(*app, *flags);
  AddValidateOnly(*app, *flags);
  app->callback([fields, flags, &context] {
    context.action = [fields, flags](const Context& context) -> absl::Status {
      if (ChangesNothing(*fields)) {
        return absl::InvalidArgumentError(
            "nothing to change: give at least one flag, e.g. --until");
      }
      v1::UpdateMaintenanceRequest request;
      ASSIGN_OR_RETURN(*request.mutable_maintenance(), ReadChanges(context, *fields));
      request.mutable_maintenance()->set_name(NameOf(context, fields->id));
      request.mutable_maintenance()->set_etag(flags->etag);
      request.set_validate_only(flags->validate_only);
      ASSIGN_OR_RETURN(const auto after, context.Call(&Stub::UpdateMaintenance, request));
      if (!context.json()) Print(Trial(flags->validate_only));
      return PrintMaintenance(context, after);
    };
  });
}

void AddDelete(CLI::App& maintenance, Context& context) {
  CLI::App* app = maintenance.add_subcommand(
      "delete", "Take it back: a window that is open ends now, and what is down is told");
  auto fields = AddId(*app);
  auto flags = std::make_shared<ChangeFlags>();
  AddEtag(*app, *flags);
  AddValidateOnly(*app, *flags);
  AddAllowMissing(*app, *flags, "A maintenance that does not exist is no error");
  app->callback([fields, flags, &context] {
    context.action = [fields, flags](const Context& context) -> absl::Status {
      v1::DeleteMaintenanceRequest request;
      request.set_name(NameOf(context, fields->id));
      request.set_etag(flags->etag);
      request.set_allow_missing(flags->allow_missing);
      request.set_validate_only(flags->validate_only);
      RETURN_IF_ERROR(context.Call(&Stub::DeleteMaintenance, request).status());
      if (context.json()) {
        context.PrintJsonText("{}");
        return absl::OkStatus();
      }
      Print(Trial(flags->validate_only));
      Print(absl::StrCat("Deleted maintenance ", OneLine(fields->id), "\n"));
      return absl::OkStatus();
    };
  });
}

}  // namespace

void AddMaintenanceCommands(CLI::App& app, Context& context) {
  CLI::App* maintenance =
      app.add_subcommand("maintenance", "Announce work, in which nothing is told");
  maintenance->require_subcommand(1);
  AddCreate(*maintenance, context);
  AddGet(*maintenance, context);
  AddList(*maintenance, context);
  AddUpdate(*maintenance, context);
  AddDelete(*maintenance, context);
}

}  // namespace tocsin::cli
