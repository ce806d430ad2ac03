// tocsin.v1.KeyService: manages keys.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/engine/key_admin.h"
#include "tocsin/v1/key_service.grpc.pb.h"

namespace tocsin::core {

// Thread-safe. What it is given must outlive it.
class KeyServiceHandler : public v1::KeyService::CallbackService {
 public:
  KeyServiceHandler(Gate& gate, KeyAdmin& admin);

  grpc::ServerUnaryReactor* CreateKey(grpc::CallbackServerContext* context,
                                      const v1::CreateKeyRequest* request,
                                      v1::CreateKeyResponse* response) override;
  grpc::ServerUnaryReactor* GetKey(grpc::CallbackServerContext* context,
                                   const v1::GetKeyRequest* request, v1::Key* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context,
                                     const v1::ListKeysRequest* request,
                                     v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* UpdateKey(grpc::CallbackServerContext* context,
                                      const v1::UpdateKeyRequest* request,
                                      v1::Key* response) override;
  grpc::ServerUnaryReactor* RevokeKey(grpc::CallbackServerContext* context,
                                      const v1::RevokeKeyRequest* request,
                                      v1::Key* response) override;
  grpc::ServerUnaryReactor* RotateKey(grpc::CallbackServerContext* context,
                                      const v1::RotateKeyRequest* request,
                                      v1::RotateKeyResponse* response) override;

 private:
  absl::Status Create(const Caller& caller, const v1::CreateKeyRequest& request,
                      v1::CreateKeyResponse& response);
  absl::Status Get(const v1::GetKeyRequest& request, v1::Key& response);
  absl::Status List(const v1::ListKeysRequest& request, v1::ListKeysResponse& response);
  absl::Status Update(const Caller& caller, const v1::UpdateKeyRequest& request, v1::Key& response);
  absl::Status Revoke(const Caller& caller, const v1::RevokeKeyRequest& request, v1::Key& response);
  absl::Status Rotate(const Caller& caller, const v1::RotateKeyRequest& request,
                      v1::RotateKeyResponse& response);

  Gate& gate_;
  KeyAdmin& admin_;
};

}  // namespace tocsin::core
