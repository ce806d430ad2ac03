// tocsin.v1.MaintenanceService.
#include "services/core/api/maintenance_service.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status_details.h"
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

absl::Status MaintenanceServiceHandler::Create(const Caller& caller,
                                               const v1::CreateMaintenanceRequest& request,
                                               v1::Maintenance& response) {
  const absl::Time now = clock_.Now();
  FieldFaults faults;
  const std::string project = faults.Take(ParseParent(request.parent(), "parent"));
  Maintenance maintenance = FromProto(request.maintenance(), project, request.maintenance_id(), now,
                                      "maintenance", faults);
  ValidateRequestId(request.request_id(), "request_id", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(maintenance.id, "maintenance_id", faults);
    FillDefaults(maintenance);
    ValidateMaintenance(maintenance, "maintenance", faults);
    return faults.ToStatus();
  }
  const bool starts_now =
      request.maintenance().has_one_off() && !request.maintenance().one_off().has_start_time();
  ASSIGN_OR_RETURN(const Maintenance made, admin_.Create(caller, std::move(maintenance),
                                                         {.validate_only = request.validate_only(),
                                                          .request = IdentityOf(request),
                                                          .starts_now = starts_now}));
  response = ToProto(made, clock_.Now());
  return absl::OkStatus();
}

absl::Status MaintenanceServiceHandler::Get(const v1::GetMaintenanceRequest& request,
                                            v1::Maintenance& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMaintenanceName(request.name(), "name"));
  ASSIGN_OR_RETURN(const Maintenance maintenance, admin_.Get(MaintenanceKind::kMaintenance, name));
  response = ToProto(maintenance, clock_.Now());
  return absl::OkStatus();
}

absl::Status MaintenanceServiceHandler::List(const v1::ListMaintenancesRequest& request,
                                             v1::ListMaintenancesResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const ListScope scope = {"ListMaintenances", project};
  ASSIGN_OR_RETURN(const std::string after, PageKey(scope, request.page_token()));
  // One more than shown says whether there is a next page.
  ASSIGN_OR_RETURN(
      const std::vector<Maintenance> found,
      admin_.List(project,
                  {.after_id = after, .limit = size + 1, .kind = MaintenanceKind::kMaintenance}));
  const absl::Time now = clock_.Now();
  const size_t shown =
      AddFitting(found, size, *response.mutable_maintenances(),
                 [&](const Maintenance& maintenance) { return ToProto(maintenance, now); });
  if (shown < found.size()) response.set_next_page_token(PageToken(scope, found[shown - 1].id));
  return absl::OkStatus();
}

absl::Status MaintenanceServiceHandler::Update(const Caller& caller,
                                               const v1::UpdateMaintenanceRequest& request,
                                               v1::Maintenance& response) {
  const absl::Time now = clock_.Now();
  const v1::Maintenance& wanted = request.maintenance();
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseMaintenanceName(wanted.name(), "maintenance.name"));
  const MaintenanceUpdate update =
      MaintenanceUpdate::Make(wanted, request.update_mask(), name.project, now, faults);
  ValidateEtag(wanted.etag(), "maintenance.etag", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(
      const Maintenance changed,
      admin_.Update(caller, name, [&](Maintenance& current) { return update.Apply(current); },
                    {.etag = wanted.etag(), .validate_only = request.validate_only()}));
  response = ToProto(changed, clock_.Now());
  return absl::OkStatus();
}

absl::Status MaintenanceServiceHandler::Delete(const Caller& caller,
                                               const v1::DeleteMaintenanceRequest& request) {
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseMaintenanceName(request.name(), "name"));
  ValidateEtag(request.etag(), "etag", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  const absl::Status status =
      admin_.Delete(caller, MaintenanceKind::kMaintenance, name,
                    {.etag = request.etag(), .validate_only = request.validate_only()});
  const bool missing = tocsin::Reason(status) == kMaintenanceNotFound;
  return request.allow_missing() && missing ? absl::OkStatus() : status;
}

grpc::ServerUnaryReactor* MaintenanceServiceHandler::CreateMaintenance(
    grpc::CallbackServerContext* context, const v1::CreateMaintenanceRequest* request,
    v1::Maintenance* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MaintenanceServiceHandler::GetMaintenance(
    grpc::CallbackServerContext* context, const v1::GetMaintenanceRequest* request,
    v1::Maintenance* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* MaintenanceServiceHandler::ListMaintenances(
    grpc::CallbackServerContext* context, const v1::ListMaintenancesRequest* request,
    v1::ListMaintenancesResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* MaintenanceServiceHandler::UpdateMaintenance(
    grpc::CallbackServerContext* context, const v1::UpdateMaintenanceRequest* request,
    v1::Maintenance* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Update(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MaintenanceServiceHandler::DeleteMaintenance(
    grpc::CallbackServerContext* context, const v1::DeleteMaintenanceRequest* request,
    google::protobuf::Empty* /*response*/) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Delete(access.caller, *request); });
}

}  // namespace tocsin::core
