// Projects, keys and roles.
#include "absl/strings/str_cat.h"
#include "services/core/api/convert.h"
#include "services/core/domain/names.h"
#include "services/core/engine/key_admin.h"
#include "services/core/engine/project_admin.h"

namespace tocsin::core {
namespace {

Role FromProto(v1::Role role, std::string_view prefix, FieldFaults& faults) {
  switch (role) {
    case v1::ROLE_VIEWER:
      return Role::kViewer;
    case v1::ROLE_EDITOR:
      return Role::kEditor;
    case v1::ROLE_ADMIN:
      return Role::kAdmin;
    case v1::ROLE_PUSHER:
      return Role::kPusher;
    case v1::ROLE_GATEWAY:
      return Role::kGateway;
    case v1::ROLE_NOTIFIER:
      return Role::kNotifier;
    default:
      faults.Add(std::string(prefix) + ".role",
                 role == v1::ROLE_UNSPECIFIED ? "missing" : "it is no such role",
                 "ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN, ROLE_PUSHER, ROLE_GATEWAY or "
                 "ROLE_NOTIFIER");
      return Role::kViewer;
  }
}

}  // namespace

v1::Role ToProto(Role role) {
  switch (role) {
    case Role::kViewer:
      return v1::ROLE_VIEWER;
    case Role::kEditor:
      return v1::ROLE_EDITOR;
    case Role::kAdmin:
      return v1::ROLE_ADMIN;
    case Role::kPusher:
      return v1::ROLE_PUSHER;
    case Role::kGateway:
      return v1::ROLE_GATEWAY;
    case Role::kNotifier:
      return v1::ROLE_NOTIFIER;
  }
  return v1::ROLE_UNSPECIFIED;
}

v1::Project ToProto(const Project& project) {
  v1::Project out;
  out.set_name(ProjectName(project.id));
  out.set_display_name(project.display_name);
  if (project.created_at) *out.mutable_create_time() = ToTimestamp(*project.created_at);
  if (project.updated_at) *out.mutable_update_time() = ToTimestamp(*project.updated_at);
  out.set_etag(EtagOf(project));
  return out;
}

v1::Key ToProto(const ApiKey& key) {
  v1::Key out;
  out.set_name(KeyName(key.project_id, key.id));
  out.set_display_name(key.display_name);
  out.set_role(ToProto(key.role));
  if (key.expires_at) *out.mutable_expire_time() = ToTimestamp(*key.expires_at);
  if (key.push) {
    v1::PushGrant& push = *out.mutable_push();
    push.set_may_create(key.push->may_create);
    *push.mutable_defaults() = ToProto(key.push->defaults);
    push.set_max_monitors(key.push->max_monitors);
  }
  out.set_prefix(key.prefix);
  *out.mutable_create_time() = ToTimestamp(key.created_at);
  *out.mutable_update_time() = ToTimestamp(key.updated_at);
  if (key.used_at) *out.mutable_last_use_time() = ToTimestamp(*key.used_at);
  if (key.revoked_at) *out.mutable_revoke_time() = ToTimestamp(*key.revoked_at);
  out.set_etag(EtagOf(key));
  return out;
}

Project FromProto(const v1::Project& project, const std::string& id) {
  Project out;
  out.id = id;
  out.display_name = project.display_name();
  return out;
}

ApiKey FromProto(const v1::Key& key, const std::string& project_id, const std::string& id,
                 std::string_view prefix, FieldFaults& faults) {
  ApiKey out;
  out.project_id = project_id;
  out.id = id;
  out.display_name = key.display_name();
  out.role = FromProto(key.role(), prefix, faults);
  if (key.has_expire_time()) out.expires_at = FromTimestamp(key.expire_time());
  if (key.has_push()) {
    PushGrant& push = out.push.emplace();
    push.may_create = key.push().may_create();
    push.max_monitors = key.push().max_monitors();
    push.defaults = FromProto(key.push().defaults(), project_id, "",
                              std::string(prefix) + ".push.defaults", faults);
  }
  return out;
}

}  // namespace tocsin::core
