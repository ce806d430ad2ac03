// tocsin.v1.IncidentService.
#include "services/core/api/incident_service.h"

#include <optional>
#include <string>
#include <vector>

#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"

namespace tocsin::core {

IncidentServiceHandler::IncidentServiceHandler(Gate& gate, Store& store)
    : gate_(gate), store_(store) {}

absl::Status IncidentServiceHandler::Get(const v1::GetIncidentRequest& request,
                                         v1::Incident& response) {
  ASSIGN_OR_RETURN(const NumberedName name, ParseIncidentName(request.name(), "name"));
  ASSIGN_OR_RETURN(const std::optional<IncidentView> view,
                   store_.ReadIncident(name.project, name.key));
  if (!view) return IncidentNotFound(request.name());
  response = ToProto(*view);
  return absl::OkStatus();
}

absl::Status IncidentServiceHandler::List(const v1::ListIncidentsRequest& request,
                                          v1::ListIncidentsResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  IncidentQuery query;
  const ListScope scope = {"ListIncidents", project, request.monitor(),
                           request.open_only() ? "open" : ""};
  ASSIGN_OR_RETURN(query.before, NumericPageKey(scope, request.page_token()));
  ASSIGN_OR_RETURN(query.project, RequireProject(store_, project));
  if (!request.monitor().empty()) {
    ASSIGN_OR_RETURN(query.monitor, MonitorKeyOf(store_, request.monitor(), project));
  }
  query.open_only = request.open_only();
  query.limit = size + 1;  // one more than shown says whether there is a next page
  ASSIGN_OR_RETURN(const std::vector<IncidentView> views, store_.ListIncidents(query));
  const size_t shown = AddFitting(views, size, *response.mutable_incidents(),
                                  [](const IncidentView& view) { return ToProto(view); });
  if (shown < views.size()) {
    response.set_next_page_token(NumericPageToken(scope, views[shown - 1].incident.key));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* IncidentServiceHandler::GetIncident(grpc::CallbackServerContext* context,
                                                              const v1::GetIncidentRequest* request,
                                                              v1::Incident* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* IncidentServiceHandler::ListIncidents(
    grpc::CallbackServerContext* context, const v1::ListIncidentsRequest* request,
    v1::ListIncidentsResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

}  // namespace tocsin::core
