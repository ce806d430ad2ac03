// tocsin.v1.KeyService.
#include "services/core/api/key_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
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
namespace {

// "PROJECT/ID/KEY" of the last key of a page.
std::string TokenOf(const ListScope& scope, const ApiKey& last) {
  return PageToken(scope, absl::StrCat(last.project_id, "/", last.id, "/", last.key));
}

absl::StatusOr<KeyPlace> ReadToken(const ListScope& scope, const std::string& token) {
  KeyPlace place;
  if (token.empty()) return place;
  ASSIGN_OR_RETURN(const std::string text, PageKey(scope, token));
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[2], &place.key)) {
    return BadPageToken();
  }
  place.project_id = parts[0];
  place.id = parts[1];
  return place;
}

// The role is immutable: who sends the whole of a key, or names the role, may send the one that it
// has.
absl::Status SameRole(const v1::UpdateKeyRequest& request, const ApiKey& key) {
  const auto& paths = request.update_mask().paths();
  const bool named = paths.empty() || std::any_of(paths.begin(), paths.end(), [](const auto& path) {
                       return path == "*" || path == "role";
                     });
  const v1::Role asked = request.key().role();
  if (!named || asked == v1::ROLE_UNSPECIFIED || asked == ToProto(key.role)) {
    return absl::OkStatus();
  }
  return InvalidField("key.role", "it cannot be changed", v1::Role_Name(ToProto(key.role)));
}

}  // namespace

KeyServiceHandler::KeyServiceHandler(Gate& gate, KeyAdmin& admin) : gate_(gate), admin_(admin) {}

absl::Status KeyServiceHandler::Create(const Caller& caller, const v1::CreateKeyRequest& request,
                                       v1::CreateKeyResponse& response) {
  ASSIGN_OR_RETURN(const std::string project,
                   ParseParent(request.parent(), "parent", /*any_allowed=*/true));
  FieldFaults faults;
  ApiKey key = FromProto(request.key(), project, request.key_id(), "key", faults);
  ValidateRequestId(request.request_id(), "request_id", faults);
  if (!faults.empty()) {
    // What the domain would say is told too, so that a user meets all faults at once.
    ValidateResourceId(key.id, "key_id", faults);
    FillDefaults(key);
    ValidateApiKey(key, "key", faults);
    return faults.ToStatus();
  }
  ASSIGN_OR_RETURN(
      const CreatedKey created,
      admin_.Create(caller, std::move(key), request.validate_only(), IdentityOf(request)));
  gate_.KeysChanged();  // that it is unknown may have been noticed before
  *response.mutable_key() = ToProto(created.key);
  response.set_secret(created.secret);
  return absl::OkStatus();
}

absl::Status KeyServiceHandler::Get(const v1::GetKeyRequest& request, v1::Key& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseKeyName(request.name(), "name"));
  ASSIGN_OR_RETURN(const ApiKey key, admin_.Get(name));
  response = ToProto(key);
  return absl::OkStatus();
}

absl::Status KeyServiceHandler::List(const v1::ListKeysRequest& request,
                                     v1::ListKeysResponse& response) {
  ASSIGN_OR_RETURN(const std::string project,
                   ParseParent(request.parent(), "parent", /*any_allowed=*/true));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  const ListScope scope = {"keys", project, request.show_revoked() ? "revoked" : ""};
  ASSIGN_OR_RETURN(const KeyPlace after, ReadToken(scope, request.page_token()));
  // One more than shown says whether there is a next page.
  ASSIGN_OR_RETURN(const std::vector<ApiKey> keys,
                   admin_.List(project, after, size + 1, request.show_revoked()));
  const size_t shown = AddFitting(keys, size, *response.mutable_keys(),
                                  [](const ApiKey& key) { return ToProto(key); });
  if (shown < keys.size()) response.set_next_page_token(TokenOf(scope, keys[shown - 1]));
  return absl::OkStatus();
}

absl::Status KeyServiceHandler::Update(const Caller& caller, const v1::UpdateKeyRequest& request,
                                       v1::Key& response) {
  const v1::Key& wanted = request.key();
  ASSIGN_OR_RETURN(const ResourceName name, ParseKeyName(wanted.name(), "key.name"));
  FieldFaults faults;
  const KeyUpdate update = KeyUpdate::Make(wanted, request.update_mask(), name.project, faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(const ApiKey key, admin_.Update(
                                         caller, name, wanted.etag(),
                                         [&](ApiKey& current) {
                                           RETURN_IF_ERROR(update.Apply(current));
                                           return SameRole(request, current);
                                         },
                                         request.validate_only()));
  gate_.KeysChanged();
  response = ToProto(key);
  return absl::OkStatus();
}

absl::Status KeyServiceHandler::Revoke(const Caller& caller, const v1::RevokeKeyRequest& request,
                                       v1::Key& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseKeyName(request.name(), "name"));
  ASSIGN_OR_RETURN(const ApiKey key, admin_.Revoke(caller, name, request.etag()));
  gate_.KeysChanged();
  response = ToProto(key);
  return absl::OkStatus();
}

absl::Status KeyServiceHandler::Rotate(const Caller& caller, const v1::RotateKeyRequest& request,
                                       v1::RotateKeyResponse& response) {
  ASSIGN_OR_RETURN(const ResourceName name, ParseKeyName(request.name(), "name"));
  const absl::Duration overlap =
      request.has_overlap() ? FromDuration(request.overlap()) : kDefaultTokenOverlap;
  ASSIGN_OR_RETURN(const RotatedKey rotated, admin_.Rotate(caller, name, overlap));
  gate_.KeysChanged();
  *response.mutable_key() = ToProto(rotated.key);
  response.set_secret(rotated.secret);
  *response.mutable_old_secret_expire_time() = ToTimestamp(rotated.old_secret_expires_at);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* KeyServiceHandler::CreateKey(grpc::CallbackServerContext* context,
                                                       const v1::CreateKeyRequest* request,
                                                       v1::CreateKeyResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Create(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* KeyServiceHandler::GetKey(grpc::CallbackServerContext* context,
                                                    const v1::GetKeyRequest* request,
                                                    v1::Key* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return Get(*request, *response); });
}

grpc::ServerUnaryReactor* KeyServiceHandler::ListKeys(grpc::CallbackServerContext* context,
                                                      const v1::ListKeysRequest* request,
                                                      v1::ListKeysResponse* response) {
  return Serve(gate_, context, *request, [&](const Access&) { return List(*request, *response); });
}

grpc::ServerUnaryReactor* KeyServiceHandler::UpdateKey(grpc::CallbackServerContext* context,
                                                       const v1::UpdateKeyRequest* request,
                                                       v1::Key* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Update(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* KeyServiceHandler::RevokeKey(grpc::CallbackServerContext* context,
                                                       const v1::RevokeKeyRequest* request,
                                                       v1::Key* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Revoke(access.caller, *request, *response); });
}

grpc::ServerUnaryReactor* KeyServiceHandler::RotateKey(grpc::CallbackServerContext* context,
                                                       const v1::RotateKeyRequest* request,
                                                       v1::RotateKeyResponse* response) {
  return Serve(gate_, context, *request,
               [&](const Access& access) { return Rotate(access.caller, *request, *response); });
}

}  // namespace tocsin::core
