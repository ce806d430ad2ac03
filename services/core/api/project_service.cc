// tocsin.v1.ProjectService.
#include "services/core/api/project_service.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/fingerprint.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/api/update_mask.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {

ProjectServiceHandler::ProjectServiceHandler(Gate& gate, ProjectAdmin& admin)
    : gate_(gate), admin_(admin) {}

absl::Status ProjectServiceHandler::Create(const Caller& caller,
                                           const v1::CreateProjectRequest& request,
                                           v1::Project& response) {
  FieldFaults faults;
  ValidateRequestId(request.request_id(), "request_id", faults);
  Project wanted = FromProto(request.project(), request.project_id());
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(wanted.id, "project_id", faults);
    FillDefaults(wanted);
    ValidateProject(wanted, "project", faults);
    return faults.ToStatus();
  }
  ASSIGN_OR_RETURN(
      const Project project,
      admin_.Create(caller, std::move(wanted), request.validate_only(), IdentityOf(request)));
  response = ToProto(project);
  return absl::OkStatus();
}

absl::Status ProjectServiceHandler::Get(const v1::GetProjectRequest& request,
                                        v1::Project& response) {
  ASSIGN_OR_RETURN(const std::string id, ParseProjectName(request.name(), "name"));
  ASSIGN_OR_RETURN(const Project project, admin_.Get(id));
  response = ToProto(project);
  return absl::OkStatus();
}

absl::Status ProjectServiceHandler::List(const Access& access,
                                         const v1::ListProjectsRequest& request,
                                         v1::ListProjectsResponse& response) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const ListScope scope = {"projects", access.project_id};
  ASSIGN_OR_RETURN(const std::string after, PageKey(scope, request.page_token()));
  if (!access.of_all()) {
    if (after >= access.project_id) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Project own, admin_.Get(access.project_id));
    *response.add_projects() = ToProto(own);
    return absl::OkStatus();
  }
  // One more than shown says whether there is a next page.
  ASSIGN_OR_RETURN(const std::vector<Project> projects, admin_.List(after, size + 1));
  const size_t shown = AddFitting(projects, size, *response.mutable_projects(),
                                  [](const Project& project) { return ToProto(project); });
  if (shown < projects.size()) {
    response.set_next_page_token(PageToken(scope, projects[shown - 1].id));
  }
  return absl::OkStatus();
}

absl::Status ProjectServiceHandler::Update(const Caller& caller,
                                           const v1::UpdateProjectRequest& request,
                                           v1::Project& response) {
  ASSIGN_OR_RETURN(const std::string id,
                   ParseProjectName(request.project().name(), "project.name"));
  FieldFaults faults;
  const ProjectUpdate update =
      ProjectUpdate::Make(request.project(), request.update_mask(), faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(const Project project, admin_.Update(
                                              caller, id, request.project().etag(),
                                              [&](Project& current) {
                                                update.Apply(current);
                                                return absl::OkStatus();
                                              },
                                              request.validate_only()));
  response = ToProto(project);
  return absl::OkStatus();
}

absl::Status ProjectServiceHandler::Delete(const Caller& caller,
                                           const v1::DeleteProjectRequest& request) {
  ASSIGN_OR_RETURN(const std::string id, ParseProjectName(request.name(), "name"));
  RETURN_IF_ERROR(admin_.Delete(caller, id, request.etag(), request.allow_missing()));
  gate_.KeysChanged();  // they ended with it
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ProjectServiceHandler::CreateProject(
    grpc::CallbackServerContext* context, const v1::CreateProjectRequest* request,
    v1::Project* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* ProjectServiceHandler::GetProject(grpc::CallbackServerContext* context,
                                                            const v1::GetProjectRequest* request,
                                                            v1::Project* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* ProjectServiceHandler::ListProjects(
    grpc::CallbackServerContext* context, const v1::ListProjectsRequest* request,
    v1::ListProjectsResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return List(access, *request, *response); });
}

grpc::ServerUnaryReactor* ProjectServiceHandler::UpdateProject(
    grpc::CallbackServerContext* context, const v1::UpdateProjectRequest* request,
    v1::Project* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Update(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* ProjectServiceHandler::DeleteProject(
    grpc::CallbackServerContext* context, const v1::DeleteProjectRequest* request,
    google::protobuf::Empty* /*response*/) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Delete(access.caller, *request); });
}

}  // namespace tocsin::core
