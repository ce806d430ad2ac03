// Asks core how the monitors of a project stand.
#include "cli/status/look.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "tocsin/v1/incident_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr int kPageSize = 1000;
// Beyond those that full pages need: where few monitors are what is asked for, pages are not full.
constexpr int kMorePages = 10;

absl::Status ReadState(const Context& context, const StatusQuestion& question,
                       v1::Monitor::State state, Standing& standing) {
  v1::ListMonitorsRequest request;
  request.set_parent(context.Parent());
  request.set_page_size(std::min(kPageSize, question.look_at));
  request.set_filter(absl::StrCat(question.filter, question.filter.empty() ? "" : " AND ",
                                  "state = ", v1::Monitor::State_Name(state)));
  if (state != v1::Monitor::STATE_UP) request.set_order_by("state_change_time desc");
  int read = 0;
  for (int pages = question.look_at / kPageSize + kMorePages; pages > 0; --pages) {
    ASSIGN_OR_RETURN(const v1::ListMonitorsResponse page,
                     context.Call(&v1::MonitorService::Stub::ListMonitors, request));
    for (const v1::Monitor& monitor : page.monitors()) standing.Add(monitor);
    read += page.monitors_size();
    request.set_page_token(page.next_page_token());
    if (request.page_token().empty()) return absl::OkStatus();
    if (read >= question.look_at) break;
  }
  standing.AddUnread(state);
  return absl::OkStatus();
}

// The open incidents of those that are down and will be shown.
absl::Status AddIncidents(const Context& context, const StatusQuestion& question,
                          Standing& standing) {
  std::map<std::string, Problem*> awaited;  // by the name of the incident
  for (Problem& problem : standing.problems()) {
    if (problem.trouble != Trouble::kDown) break;
    if (question.limit > 0 && awaited.size() >= static_cast<size_t>(question.limit)) break;
    awaited[problem.monitor.open_incident()] = &problem;
  }
  awaited.erase("");
  v1::ListIncidentsRequest request;
  request.set_parent(context.Parent());
  request.set_open_only(true);
  request.set_page_size(kPageSize);
  for (int pages = question.look_at / kPageSize + kMorePages; !awaited.empty() && pages > 0;
       --pages) {
    ASSIGN_OR_RETURN(const v1::ListIncidentsResponse page,
                     context.Call(&v1::IncidentService::Stub::ListIncidents, request));
    for (const v1::Incident& incident : page.incidents()) {
      const auto found = awaited.find(incident.name());
      if (found == awaited.end()) continue;
      found->second->incident = incident;
      awaited.erase(found);
    }
    request.set_page_token(page.next_page_token());
    if (request.page_token().empty()) break;  // it has closed meanwhile
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Standing> LookAtMonitors(const Context& context, const StatusQuestion& question) {
  Standing standing;
  for (const v1::Monitor::State state : {v1::Monitor::STATE_DOWN, v1::Monitor::STATE_NEW,
                                         v1::Monitor::STATE_PAUSED, v1::Monitor::STATE_UP}) {
    RETURN_IF_ERROR(ReadState(context, question, state, standing));
  }
  standing.Sort();
  RETURN_IF_ERROR(AddIncidents(context, question, standing));
  return standing;
}

}  // namespace tocsin::cli
