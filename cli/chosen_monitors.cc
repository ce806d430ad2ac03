// Looks for monitors by the API that lists them.
#include "cli/chosen_monitors.h"

#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/selector.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

using Stub = v1::MonitorService::Stub;

// A page may be empty and not the last; after as many nothing is said.
constexpr int kMostPages = 20;

absl::StatusOr<bool> Exists(const Context& context, const std::string& id) {
  v1::GetMonitorRequest request;
  request.set_name(context.Name("monitors", id));
  const auto found = context.Call(&Stub::GetMonitor, request);
  if (absl::IsNotFound(found.status())) return false;
  RETURN_IF_ERROR(found.status());
  return !found->has_delete_time();
}

absl::StatusOr<bool> SelectsSome(const Context& context, const std::string& selector) {
  v1::ListMonitorsRequest request;
  request.set_parent(context.Parent());
  request.set_page_size(1);
  ASSIGN_OR_RETURN(*request.mutable_filter(), FilterOf("", {selector}));
  for (int page = 0; page < kMostPages; ++page) {
    ASSIGN_OR_RETURN(const auto found, context.Call(&Stub::ListMonitors, request));
    if (found.monitors_size() > 0) return true;
    if (found.next_page_token().empty()) return false;
    request.set_page_token(found.next_page_token());
  }
  return true;
}

void Warn(const std::string& text) { std::cerr << "tocsin: " << text << std::endl; }

}  // namespace

absl::Status MonitorsExist(const Context& context, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(const bool exists, Exists(context, id));
    if (exists) continue;
    return absl::NotFoundError(
        absl::StrCat(context.Name("monitors", OneLine(id)), " does not exist, or is deleted"));
  }
  return absl::OkStatus();
}

void WarnOfNone(const Context& context, const std::vector<std::string>& ids,
                const std::string& selector) {
  for (const std::string& id : ids) {
    if (!Exists(context, id).value_or(true)) {
      Warn(absl::StrCat("there is no monitor ", OneLine(id), " now"));
    }
  }
  // A label that is called as a field is cannot be looked for beside it.
  if (absl::StrContains(selector, "severity") || absl::StrContains(selector, "owner")) return;
  if (selector.empty() || SelectsSome(context, selector).value_or(true)) return;
  Warn(absl::StrCat("no monitor matches ", OneLine(selector), " now"));
}

}  // namespace tocsin::cli
