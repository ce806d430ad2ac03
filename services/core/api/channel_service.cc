// tocsin.v1.ChannelService.
#include "services/core/api/channel_service.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/api/serve.h"
#include "services/core/api/unary.h"
#include "services/core/api/update_mask.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {

ChannelServiceHandler::ChannelServiceHandler(Gate& gate, ChannelAdmin& admin)
    : gate_(gate), admin_(admin) {}

absl::Status ChannelServiceHandler::Create(const v1::CreateChannelRequest& request,
                                           v1::CreateChannelResponse& response) {
  ASSIGN_OR_RETURN(const std::string project, ParseParent(request.parent(), "parent"));
  FieldFaults faults;
  Channel channel = FromProto(request.channel(), project, request.channel_id(), "channel", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(channel.id, "channel_id", faults);
    FillDefaults(channel);
    ValidateChannel(channel, "channel", faults);
    return faults.ToStatus();
  }
  ASSIGN_OR_RETURN(const CreatedChannel created,
                   admin_.Create(std::move(channel), request.webhook_secret()));
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
  ASSIGN_OR_RETURN(const std::string after, PageKey(request.page_token()));
  // One more than shown says whether there is a next page.
  ASSIGN_OR_RETURN(std::vector<Channel> channels, admin_.List(project, after, size + 1));
  if (channels.size() > static_cast<size_t>(size)) {
    channels.resize(size);
    response.set_next_page_token(PageToken(channels.back().id));
  }
  for (const Channel& channel : channels) *response.add_channels() = ToProto(channel);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Update(const v1::UpdateChannelRequest& request,
                                           v1::Channel& response) {
  const v1::Channel& wanted = request.channel();
  ASSIGN_OR_RETURN(const ResourceName name, ParseChannelName(wanted.name(), "channel.name"));
  ASSIGN_OR_RETURN(const ChannelUpdate update,
                   ChannelUpdate::Make(wanted, request.update_mask(), name.project));
  ASSIGN_OR_RETURN(const Channel channel, admin_.Update(name, [&](Channel& current) {
    const std::string url = current.url;
    update.Apply(current);
    // A client that sends back what it read sends the masked URL: that is no change.
    if (current.url == MaskUrl(url)) current.url = url;
    return absl::OkStatus();
  }));
  response = ToProto(channel);
  return absl::OkStatus();
}

absl::Status ChannelServiceHandler::Delete(const v1::DeleteChannelRequest& request) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseChannelName(request.name(), "name"));
  return admin_.Delete(name);
}

absl::Status ChannelServiceHandler::Test(const v1::TestChannelRequest& request,
                                         v1::Delivery& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseChannelName(request.name(), "name"));
  ASSIGN_OR_RETURN(const DeliveryView delivery, admin_.Test(name));
  response = ToProto(delivery);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* ChannelServiceHandler::CreateChannel(
    grpc::CallbackServerContext* context, const v1::CreateChannelRequest* request,
    v1::CreateChannelResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access&) { return Create(*request, *response); });
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
               [&](const Access&) { return Update(*request, *response); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::DeleteChannel(
    grpc::CallbackServerContext* context, const v1::DeleteChannelRequest* request,
    google::protobuf::Empty* /*response*/) {
  return Serve(gate_, context, *request, [&](const Access&) { return Delete(*request); });
}

grpc::ServerUnaryReactor* ChannelServiceHandler::TestChannel(grpc::CallbackServerContext* context,
                                                             const v1::TestChannelRequest* request,
                                                             v1::Delivery* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Test(*request, *response); });
}

}  // namespace tocsin::core
