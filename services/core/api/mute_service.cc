// tocsin.v1.MuteService.
#include "services/core/api/mute_service.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/api/answer_size.h"
#include "services/core/api/convert.h"
#include "services/core/api/fingerprint.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

constexpr size_t kDrawn = 13;  // twelve digits of a UUID

// A repeated request draws the same.
std::string IdOf(const v1::CreateMuteRequest& request) {
  if (!request.mute_id().empty()) return request.mute_id();
  if (!request.request_id().empty())
    return absl::AsciiStrToLower(request.request_id().substr(0, kDrawn));
  return absl::StrCat(absl::Hex(RandomId(), absl::kZeroPad16)).substr(0, kDrawn);
}

}  // namespace

absl::Status MuteServiceHandler::Create(const Caller& caller, const v1::CreateMuteRequest& request,
                                        v1::Mute& response) {
  const absl::Time now = clock_.Now();
  FieldFaults faults;
  const std::string project = faults.Take(ParseParent(request.parent(), "parent"));
  ValidateRequestId(request.request_id(), "request_id", faults);
  Maintenance mute = FromProto(request.mute(), project, IdOf(request), now, "mute", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    if (!request.mute_id().empty()) ValidateResourceId(mute.id, "mute_id", faults);
    FillDefaults(mute);
    ValidateMaintenance(mute, "mute", faults);
    return faults.ToStatus();
  }
  ASSIGN_OR_RETURN(const Maintenance made, admin_.Create(caller, std::move(mute),
                                                         {.validate_only = request.validate_only(),
                                                          .request = IdentityOf(request),
                                                          .starts_now = true}));
  response = ToMute(made, clock_.Now());
  return absl::OkStatus();
}

absl::Status MuteServiceHandler::Get(const v1::GetMuteRequest& request, v1::Mute& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMuteName(request.name(), "name"));
  ASSIGN_OR_RETURN(const Maintenance mute, admin_.Get(MaintenanceKind::kMute, name));
  response = ToMute(mute, clock_.Now());
  return absl::OkStatus();
}

absl::Status MuteServiceHandler::List(const v1::ListMutesRequest& request,
                                      v1::ListMutesResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const ListScope scope = {"ListMutes",
                           absl::StrCat(project, request.active_only() ? " active" : "")};
  ASSIGN_OR_RETURN(const std::string after, PageKey(scope, request.page_token()));
  const absl::Time now = clock_.Now();
  // One more than shown says whether there is a next page.
  MaintenanceQuery query = {.after_id = after, .limit = size + 1, .kind = MaintenanceKind::kMute};
  if (request.active_only()) query.mutes_open_after = now;
  ASSIGN_OR_RETURN(const std::vector<Maintenance> found, admin_.List(project, query));
  const size_t shown = AddFitting(found, size, *response.mutable_mutes(),
                                  [&](const Maintenance& mute) { return ToMute(mute, now); });
  if (shown < found.size()) response.set_next_page_token(PageToken(scope, found[shown - 1].id));
  return absl::OkStatus();
}

absl::Status MuteServiceHandler::Delete(const Caller& caller,
                                        const v1::DeleteMuteRequest& request) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseMuteName(request.name(), "name"));
  const absl::Status status = admin_.Delete(caller, MaintenanceKind::kMute, name,
                                            {.validate_only = request.validate_only()});
  const bool missing = tocsin::Reason(status) == kMuteNotFound;
  return request.allow_missing() && missing ? absl::OkStatus() : status;
}

grpc::ServerUnaryReactor* MuteServiceHandler::CreateMute(grpc::CallbackServerContext* context,
                                                         const v1::CreateMuteRequest* request,
                                                         v1::Mute* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* MuteServiceHandler::GetMute(grpc::CallbackServerContext* context,
                                                      const v1::GetMuteRequest* request,
                                                      v1::Mute* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* MuteServiceHandler::ListMutes(grpc::CallbackServerContext* context,
                                                        const v1::ListMutesRequest* request,
                                                        v1::ListMutesResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* MuteServiceHandler::DeleteMute(grpc::CallbackServerContext* context,
                                                         const v1::DeleteMuteRequest* request,
                                                         google::protobuf::Empty* /*response*/) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Delete(access.caller, *request); });
}

}  // namespace tocsin::core
