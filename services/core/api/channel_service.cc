// tocsin.v1.ChannelService.
#include "services/core/api/channel_service.h"

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
ChannelServiceHandler::ChannelServiceHandler(Gate& gate, ChannelAdmin& admin)
    : gate_(gate), admin_(admin) {}

absl::Status ChannelServiceHandler::Create(const Caller& caller,
                                           const v1::CreateChannelRequest& request,
                                           v1::CreateChannelResponse& response) {
  FieldFaults faults;
  const std::string project = faults.Take(ParseParent(request.parent(), "parent"));
  Channel channel = FromProto(request.channel(), project, request.channel_id(), "channel", faults);
  ValidateRequestId(request.request_id(), "request_id", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(channel.id, "channel_id", faults);
    FillDefaults(channel);
    ValidateChannel(channel, "channel", faults);
    ValidateWebhookSecret(channel.format, request.webhook_secret(), "webhook_secret", faults);
    return faults.ToStatus();
  }
  // The fingerprint is stored, and a value of a header may be guessed.
  v1::CreateChannelRequest identified = request;
  for (auto& [name, value] : *identified.mutable_channel()->mutable_headers()) value.clear();
  ASSIGN_OR_RETURN(
      const CreatedChannel created,
      admin_.Create(caller, std::move(channel), request.webhook_secret(),
                    {.validate_only = request.validate_only(), .request = IdentityOf(identified)}));
  *response.mutable_channel() = ToProto(created.channel);
  response.set_webhook_secret(created.webhook_secret);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Get(const v1::GetChannelRequest& request,
                                        v1::Channel& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseChannelName(request.name(), "name"));
  ASSIGN_OR_RETURN(const Channel channel, admin_.Get(name));
  response = ToProto(channel);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::List(const v1::ListChannelsRequest& request,
                                         v1::ListChannelsResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const ListScope scope = {"ListChannels", project};
  ASSIGN_OR_RETURN(const std::string after, PageKey(scope, request.page_token()));
  // One more than shown says whether there is a next page.
  ASSIGN_OR_RETURN(const std::vector<Channel> channels, admin_.List(project, after, size + 1));
  const size_t shown = AddFitting(channels, size, *response.mutable_channels(),
                                  [](const Channel& channel) { return ToProto(channel); });
  if (shown < channels.size()) {
    response.set_next_page_token(PageToken(scope, channels[shown - 1].id));
  }
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Update(const Caller& caller,
                                           const v1::UpdateChannelRequest& request,
                                           v1::Channel& response) {
  const v1::Channel& wanted = request.channel();
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseChannelName(wanted.name(), "channel.name"));
  const ChannelUpdate update =
      ChannelUpdate::Make(wanted, request.update_mask(), name.project, faults);
  ValidateEtag(wanted.etag(), "channel.etag", faults);
  ChannelUpdateOptions options = {.etag = wanted.etag(), .validate_only = request.validate_only()};
  Channel complete;
  if (request.allow_missing()) {
    if (!name.id.empty()) ValidateResourceId(name.id, "channel.name", faults);
    complete = update.Complete(name.id);
    options.if_missing = &complete;
  }
  if (!faults.empty()) {
    update.Check(faults);
    return faults.ToStatus();
  }
  const auto edit = [&](Channel& current) { return update.Apply(current); };
  ASSIGN_OR_RETURN(const Channel channel, admin_.Update(caller, name, edit, options));
  response = ToProto(channel);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Delete(const Caller& caller,
                                           const v1::DeleteChannelRequest& request) {
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseChannelName(request.name(), "name"));
  ValidateEtag(request.etag(), "etag", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  const absl::Status status = admin_.Delete(
      caller, name, {.etag = request.etag(), .validate_only = request.validate_only()});
  const bool missing = tocsin::Reason(status) == kChannelNotFound;
  return request.allow_missing() && missing ? absl::OkStatus() : status;
}

absl::Status ChannelServiceHandler::Rotate(const Caller& caller,
                                           const v1::RotateChannelSecretRequest& request,
                                           v1::RotateChannelSecretResponse& response) {
  const absl::Duration overlap =
      request.has_overlap() ? FromDuration(request.overlap()) : kDefaultTokenOverlap;
  FieldFaults faults;
  const ResourceName name = faults.Take(ParseChannelName(request.name(), "name"));
  ValidateTokenOverlap(overlap, "overlap", faults);
  ValidateWebhookSecret(ChannelFormat::kStandardWebhook, request.webhook_secret(), "webhook_secret",
                        faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(const RotatedSecret rotated,
                   admin_.RotateSecret(caller, name, request.webhook_secret(), overlap));
  *response.mutable_channel() = ToProto(rotated.channel);
  response.set_webhook_secret(rotated.webhook_secret);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Test(const Caller& caller,
                                         const v1::TestChannelRequest& request,
                                         v1::Delivery& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseChannelName(request.name(), "name"));
  ASSIGN_OR_RETURN(const DeliveryView delivery, admin_.Test(caller, name));
  response = ToProto(delivery);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ChannelServiceHandler::CreateChannel(
    grpc::CallbackServerContext* context, const v1::CreateChannelRequest* request,
    v1::CreateChannelResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::GetChannel(grpc::CallbackServerContext* context,
                                                            const v1::GetChannelRequest* request,
                                                            v1::Channel* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::ListChannels(
    grpc::CallbackServerContext* context, const v1::ListChannelsRequest* request,
    v1::ListChannelsResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::UpdateChannel(
    grpc::CallbackServerContext* context, const v1::UpdateChannelRequest* request,
    v1::Channel* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Update(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::RotateChannelSecret(
    grpc::CallbackServerContext* context, const v1::RotateChannelSecretRequest* request,
    v1::RotateChannelSecretResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Rotate(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::DeleteChannel(
    grpc::CallbackServerContext* context, const v1::DeleteChannelRequest* request,
    google::protobuf::Empty* /*response*/) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Delete(access.caller, *request); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::TestChannel(grpc::CallbackServerContext* context,
                                                             const v1::TestChannelRequest* request,
                                                             v1::Delivery* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Test(access.caller, *request, *response); });
}

}  // namespace tocsin::core
