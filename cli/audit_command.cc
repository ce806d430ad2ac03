// `tocsin audit list`: who changed what.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/duration.h"
#include "cli/past_moment.h"
#include "cli/table.h"
#include "cli/values.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "tocsin/v1/audit_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

struct Filter {
  std::string resource, actor, since, until;
  bool everywhere = false;
  int limit = 100;
};

std::string MomentFault(const std::string& text) {
  return std::string(ParsePast(text, SystemClock().Now()).status().message());
}

// "owner: a → b, labels.team: → x".
std::string Changes(const v1::AuditEntry& entry) {
  std::string text;
  for (const v1::FieldChange& change : entry.changes()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", change.field(), ": ", change.before(),
                    change.before().empty() ? "→ " : " → ", change.after());
  }
  return text;
}

}  // namespace

void AddAuditCommand(CLI::App& app, Context& context) {
  CLI::App* audit = app.add_subcommand("audit", "Show who changed what");
  audit->require_subcommand(1);
  CLI::App* list = audit->add_subcommand("list", "Changes, newest first");
  auto filter = std::make_shared<Filter>();
  list->add_option("--resource", filter->resource,
                   "Only those of this one, by its full name: projects/default/monitors/backup");
  list->add_option("--actor", filter->actor, "Only those by this one, as the list names it");
  const CLI::Validator moment(MomentFault, "TIME");
  list->add_option("--since", filter->since, "Only those since then: 2h ago, or a moment in UTC")
      ->check(moment);
  list->add_option("--until", filter->until, "Only those before then")->check(moment);
  list->add_flag("--all-projects", filter->everywhere, "Of every project, and of none");
  list->add_option("--limit", filter->limit, "Newest to show; 0: all")
      ->check(CountFromZero())
      ->capture_default_str();
  list->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      v1::ListAuditEntriesRequest request;
      request.set_parent(filter->everywhere ? "projects/-" : context.Parent());
      request.set_resource(filter->resource);
      request.set_actor(filter->actor);
      if (!filter->since.empty()) {
        ASSIGN_OR_RETURN(const absl::Time since, ParsePast(filter->since, SystemClock().Now()));
        *request.mutable_start_time() = ToProtoTime(since);
      }
      if (!filter->until.empty()) {
        ASSIGN_OR_RETURN(const absl::Time until, ParsePast(filter->until, SystemClock().Now()));
        *request.mutable_end_time() = ToProtoTime(until);
      }
      ASSIGN_OR_RETURN(const auto all,
                       context.List(&v1::AuditService::Stub::ListAuditEntries,
                                    &v1::ListAuditEntriesResponse::mutable_audit_entries, request,
                                    filter->limit));
      if (context.json()) {
        context.PrintAll(all);
        return absl::OkStatus();
      }
      Table table({"TIME", "ACTOR", "METHOD", "RESOURCE", "CHANGES"});
      for (const v1::AuditEntry& entry : all.audit_entries()) {
        table.AddRow({Show(entry.time()), entry.actor(), IdOf(entry.method()), entry.resource(),
                      context.Cell(Changes(entry))});
      }
      Print(table.ToString());
      return absl::OkStatus();
    };
  });
}

}  // namespace tocsin::cli
