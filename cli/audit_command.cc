// `tocsin audit list`: who changed what.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/context.h"
#include "cli/duration.h"
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

// "2h" is so long ago; "2026-11-25T10:00:00Z" is itself.
absl::StatusOr<absl::Time> ReadMoment(const std::string& text) {
  absl::Time at;
  if (absl::ParseTime(absl::RFC3339_full, text, &at, nullptr)) return at;
  const absl::StatusOr<absl::Duration> ago = ParseDuration(text);
  if (ago.ok()) return SystemClock().Now() - *ago;
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is no moment; accepted: 2h for two hours ago, or 2026-11-25T10:00:00Z"));
}

std::string MomentFault(const std::string& text) {
  return std::string(ReadMoment(text).status().message());
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
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  list->callback([filter, &context] {
    context.action = [filter](const Context& context) -> absl::Status {
      v1::ListAuditEntriesRequest request;
      request.set_parent(filter->everywhere ? "projects/-" : context.Parent());
      request.set_resource(filter->resource);
      request.set_actor(filter->actor);
      if (!filter->since.empty()) {
        ASSIGN_OR_RETURN(const absl::Time since, ReadMoment(filter->since));
        *request.mutable_start_time() = ToProtoTime(since);
      }
      if (!filter->until.empty()) {
        ASSIGN_OR_RETURN(const absl::Time until, ReadMoment(filter->until));
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
                      Shortened(Changes(entry))});
      }
      Print(table.ToString());
      return absl::OkStatus();
    };
  });
}

}  // namespace tocsin::cli
