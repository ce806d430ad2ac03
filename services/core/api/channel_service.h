// tocsin.v1.ChannelService: manages channels.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/channel_admin.h"
#include "tocsin/v1/channel_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. Calls block gRPC's threads for as long as the store takes.
class ChannelServiceHandler : public v1::ChannelService::CallbackService {
 public:
  // `admin` must outlive it.
  ChannelServiceHandler(Gate& gate, ChannelAdmin& admin);

  grpc::ServerUnaryReactor* CreateChannel(grpc::CallbackServerContext* context,
                                          const v1::CreateChannelRequest* request,
                                          v1::CreateChannelResponse* response) override;
  grpc::ServerUnaryReactor* GetChannel(grpc::CallbackServerContext* context,
                                       const v1::GetChannelRequest* request,
                                       v1::Channel* response) override;
  grpc::ServerUnaryReactor* ListChannels(grpc::CallbackServerContext* context,
                                         const v1::ListChannelsRequest* request,
                                         v1::ListChannelsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateChannel(grpc::CallbackServerContext* context,
                                          const v1::UpdateChannelRequest* request,
                                          v1::Channel* response) override;
  grpc::ServerUnaryReactor* RotateChannelSecret(grpc::CallbackServerContext* context,
                                                const v1::RotateChannelSecretRequest* request,
                                                v1::RotateChannelSecretResponse* response) override;
  grpc::ServerUnaryReactor* DeleteChannel(grpc::CallbackServerContext* context,
                                          const v1::DeleteChannelRequest* request,
                                          google::protobuf::Empty* response) override;
  grpc::ServerUnaryReactor* TestChannel(grpc::CallbackServerContext* context,
                                        const v1::TestChannelRequest* request,
                                        v1::Delivery* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateChannelRequest& request,
                      v1::CreateChannelResponse& response);
  absl::Status Get(const v1::GetChannelRequest& request, v1::Channel& response);
  absl::Status List(const v1::ListChannelsRequest& request, v1::ListChannelsResponse& response);
  absl::Status Update(const Caller& caller, const v1::UpdateChannelRequest& request,
                      v1::Channel& response);
  absl::Status Rotate(const Caller& caller, const v1::RotateChannelSecretRequest& request,
                      v1::RotateChannelSecretResponse& response);
  absl::Status Delete(const Caller& caller, const v1::DeleteChannelRequest& request);
  absl::Status Test(const Caller& caller, const v1::TestChannelRequest& request,
                    v1::Delivery& response);

  Gate& gate_;
  ChannelAdmin& admin_;
};

}  // namespace tocsin::core
