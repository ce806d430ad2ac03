// `tocsin mute`, `tocsin unmute`: silence for a time.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/chosen_monitors.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/event_view.h"
#include "cli/table.h"
#include "cli/values.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"
#include "tocsin/v1/mute_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::MuteService::Stub;

struct Fields {
  std::vector<std::string> ids;  // of monitors; for unmute also of mutes
  std::string selector, span, reason;
};

absl::Status Mute(const Context& context, const Fields& fields, const ChangeFlags& flags) {
  if (fields.ids.empty() && fields.selector.empty()) {
    return absl::InvalidArgumentError(
        "name monitors, or select them: tocsin mute ID… or -l SELECTOR");
  }
  if (fields.span.empty()) return absl::InvalidArgumentError("--for is missing: every mute ends");
  if (fields.reason.empty()) {
    return absl::InvalidArgumentError("--reason is missing: whoever looks for an alert reads it");
  }
  ASSIGN_OR_RETURN(const absl::Duration span, ParseDuration(fields.span));
  RETURN_IF_ERROR(MonitorsExist(context, fields.ids));
  v1::CreateMuteRequest request;
  request.set_parent(context.Parent());
  request.set_validate_only(flags.validate_only);
  v1::Mute& mute = *request.mutable_mute();
  mute.set_reason(fields.reason);
  mute.set_selector(fields.selector);
  for (const std::string& id : fields.ids) mute.add_monitors(context.Name("monitors", id));
  *mute.mutable_expire_time() = ToProtoTime(SystemClock().Now() + span);
  ASSIGN_OR_RETURN(const v1::Mute made, context.Create(&Stub::CreateMute, request));
  WarnOfNone(context, {}, fields.selector);
  if (context.json()) {
    context.PrintOne(made);
    return absl::OkStatus();
  }
  Print(Trial(flags.validate_only));
  Print(absl::StrCat("Muted ", Whom(made), " until ", Show(made.expire_time()),
                     ". What is down then is told then. Mute ", IdOf(made.name()), ".\n"));
  return absl::OkStatus();
}

// Those that have not ended.
absl::StatusOr<v1::ListMutesResponse> Active(const Context& context) {
  v1::ListMutesRequest request;
  request.set_parent(context.Parent());
  request.set_active_only(true);
  return context.List(&Stub::ListMutes, &v1::ListMutesResponse::mutable_mutes, request);
}

// Whether the mute is what `id` or the selector names: itself, or one of that monitor alone.
bool IsMeant(const v1::Mute& mute, const Fields& fields) {
  if (!fields.selector.empty() && mute.selector() == fields.selector) return true;
  for (const std::string& id : fields.ids) {
    if (IdOf(mute.name()) == IdOf(id)) return true;
    if (mute.selector().empty() && mute.monitors_size() == 1 &&
        IdOf(mute.monitors(0)) == IdOf(id)) {
      return true;
    }
  }
  return false;
}

// Those that other mutes hold, too.
absl::Status TellStillMuted(const Context& context, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    v1::GetMonitorRequest request;
    request.set_name(context.Name("monitors", id));
    const auto monitor = context.Call(&v1::MonitorService::Stub::GetMonitor, request);
    if (absl::IsNotFound(monitor.status())) continue;  // the id of a mute
    RETURN_IF_ERROR(monitor.status());
    if (!monitor->has_mute_expire_time()) continue;
    std::cerr << IdOf(monitor->name()) << " is muted until " << Show(monitor->mute_expire_time())
              << " all the same, by another mute; \"tocsin mute list\" shows it\n";
  }
  return absl::OkStatus();
}

absl::Status Unmute(const Context& context, const Fields& fields, const ChangeFlags& flags) {
  if (fields.ids.empty() && fields.selector.empty()) {
    return absl::InvalidArgumentError(
        "say what: tocsin unmute MONITOR, MUTE (see tocsin mute list) or -l SELECTOR");
  }
  ASSIGN_OR_RETURN(const v1::ListMutesResponse active, Active(context));
  int ended = 0;
  for (const v1::Mute& mute : active.mutes()) {
    if (!IsMeant(mute, fields)) continue;
    v1::DeleteMuteRequest request;
    request.set_name(mute.name());
    request.set_allow_missing(true);
    request.set_validate_only(flags.validate_only);
    RETURN_IF_ERROR(context.Call(&Stub::DeleteMute, request).status());
    ++ended;
    if (!context.json()) {
      Print(absl::StrCat(Trial(flags.validate_only), "Ended mute ", IdOf(mute.name()), " of ",
                         Whom(mute), ".\n"));
    }
  }
  if (ended > 0) {
    return flags.validate_only ? absl::OkStatus() : TellStillMuted(context, fields.ids);
  }
  return absl::NotFoundError(
      absl::StrCat("no active mute is of exactly ",
                   fields.selector.empty() ? absl::StrJoin(fields.ids, ", ") : fields.selector,
                   "; \"tocsin mute list\" shows those that there are"));
}

absl::Status List(const Context& context, bool all) {
  v1::ListMutesRequest request;
  request.set_parent(context.Parent());
  request.set_active_only(!all);
  ASSIGN_OR_RETURN(const auto found,
                   context.List(&Stub::ListMutes, &v1::ListMutesResponse::mutable_mutes, request));
  if (context.json()) {
    context.PrintAll(found);
    return absl::OkStatus();
  }
  Table table({"ID", "MONITORS", "UNTIL", "REASON", "BY"});
  for (const v1::Mute& mute : found.mutes()) {
    table.AddRow({IdOf(mute.name()), context.Cell(Whom(mute)),
                  absl::StrCat(Show(mute.expire_time()), mute.active() ? "" : " (ended)"),
                  context.Cell(mute.reason()), IdOf(mute.author())});
  }
  Print(table.ToString());
  return absl::OkStatus();
}

void AddTargets(CLI::App& app, Fields& fields, const char* what) {
  app.add_option("ID", fields.ids, what);
  app.add_option("-l,--selector", fields.selector,
                 "Monitors with these labels: team=payments,severity=critical");
}

void AddMute(CLI::App& app, Context& context) {
  CLI::App* mute = app.add_subcommand(
      "mute", "Tell nothing of monitors for a time; what is down when it ends is told then");
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddTargets(*mute, *fields, "Ids of monitors");
  AddDuration(*mute, "--for", fields->span, "How long, e.g. 2h");
  mute->add_option("--reason", fields->reason, "Why; whoever looks for an alert reads it");
  AddValidateOnly(*mute, *flags);
  mute->require_subcommand(0, 1);
  auto all = std::make_shared<bool>(false);
  CLI::App* list = mute->add_subcommand("list", "Mutes that have not ended");
  list->add_flag("--all", *all, "Those that ended, too");
  list->callback([all, &context] {
    context.action = [all](const Context& context) { return List(context, *all); };
  });
  mute->callback([list, fields, flags, &context] {
    if (list->parsed()) return;
    context.action = [fields, flags](const Context& context) {
      return Mute(context, *fields, *flags);
    };
  });
}

void AddUnmute(CLI::App& app, Context& context) {
  CLI::App* unmute = app.add_subcommand("unmute", "End mutes before their time");
  auto fields = std::make_shared<Fields>();
  auto flags = std::make_shared<ChangeFlags>();
  AddTargets(*unmute, *fields, "Ids of monitors that are muted alone, or of mutes");
  AddValidateOnly(*unmute, *flags);
  unmute->callback([fields, flags, &context] {
    context.action = [fields, flags](const Context& context) {
      return Unmute(context, *fields, *flags);
    };
  });
}

}  // namespace

void AddMuteCommands(CLI::App& app, Context& context) {
  AddMute(app, context);
  AddUnmute(app, context);
}

}  // namespace tocsin::cli
