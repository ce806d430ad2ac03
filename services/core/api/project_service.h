// tocsin.v1.ProjectService: manages projects.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/project_admin.h"
#include "tocsin/v1/project_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. What it is given must outlive it.
class ProjectServiceHandler : public v1::ProjectService::CallbackService {
 public:
  ProjectServiceHandler(Gate& gate, ProjectAdmin& admin);

  grpc::ServerUnaryReactor* CreateProject(grpc::CallbackServerContext* context,
                                          const v1::CreateProjectRequest* request,
                                          v1::Project* response) override;
  grpc::ServerUnaryReactor* GetProject(grpc::CallbackServerContext* context,
                                       const v1::GetProjectRequest* request,
                                       v1::Project* response) override;
  grpc::ServerUnaryReactor* ListProjects(grpc::CallbackServerContext* context,
                                         const v1::ListProjectsRequest* request,
                                         v1::ListProjectsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateProject(grpc::CallbackServerContext* context,
                                          const v1::UpdateProjectRequest* request,
                                          v1::Project* response) override;
  grpc::ServerUnaryReactor* DeleteProject(grpc::CallbackServerContext* context,
                                          const v1::DeleteProjectRequest* request,
                                          google::protobuf::Empty* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateProjectRequest& request,
                      v1::Project& response);
  absl::Status Get(const v1::GetProjectRequest& request, v1::Project& response);
  // Of a key of one project: that one.
  absl::Status List(const Access& access, const v1::ListProjectsRequest& request,
                    v1::ListProjectsResponse& response);
  absl::Status Update(const Caller& caller, const v1::UpdateProjectRequest& request,
                      v1::Project& response);
  absl::Status Delete(const Caller& caller, const v1::DeleteProjectRequest& request);

  Gate& gate_;
  ProjectAdmin& admin_;
};

}  // namespace tocsin::core
