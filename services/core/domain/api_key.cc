// What a key must fulfil, and the form of its secrets.
#include "services/core/domain/api_key.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

constexpr std::string_view kSecretStart = "tk_";
constexpr size_t kSecretCharacters = 43;
constexpr size_t kPrefixCharacters = 6;

bool IsBase64Url(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

}  // namespace

bool Includes(Role held, Role needed) {
  if (held == needed) return true;
  if (held == Role::kEditor) return needed == Role::kViewer;
  return held == Role::kAdmin && (needed == Role::kViewer || needed == Role::kEditor);
}

std::string_view RoleWord(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kEditor:
      return "editor";
    case Role::kAdmin:
      return "admin";
    case Role::kPusher:
      return "pusher";
    case Role::kGateway:
      return "gateway";
    case Role::kNotifier:
      return "notifier";
  }
  return "unknown";
}

absl::Time KeyMatch::EndsAt() const {
  if (key.revoked_at.has_value()) return absl::InfinitePast();
  return std::min(secret_expires_at, key.expires_at.value_or(absl::InfiniteFuture()));
}

std::string FormatSecret(std::string_view bytes) {
  // The escape leaves out the padding.
  return absl::StrCat(AnyStringView(kSecretStart).absl(),
                      absl::WebSafeBase64Escape(AnyStringView(bytes).absl()));
}

bool IsKeySecret(std::string_view text) {
  return text.size() == kSecretStart.size() + kSecretCharacters &&
         text.substr(0, kSecretStart.size()) == kSecretStart &&
         std::all_of(text.begin() + kSecretStart.size(), text.end(), IsBase64Url);
}

std::string PrefixOf(std::string_view secret) {
  return std::string(secret.substr(0, kSecretStart.size() + kPrefixCharacters));
}

void FillDefaults(ApiKey& key) {
  if (key.display_name.empty()) key.display_name = key.id;
  if (key.expires_at.has_value()) {
    key.expires_at = absl::FromUnixMicros(absl::ToUnixMicros(*key.expires_at));
  }
  if (!key.push.has_value()) return;
  PushGrant& push = *key.push;
  Schedule& schedule = push.defaults.schedule;
  if (schedule.timeout == absl::ZeroDuration() && !schedule.cron.has_value()) {
    schedule.timeout = absl::Hours(24);
    if (schedule.grace == absl::ZeroDuration()) schedule.grace = absl::Hours(1);
  }
  FillDefaults(push.defaults);
  if (push.max_monitors == 0) push.max_monitors = kDefaultMaxMonitors;
}

void ValidateApiKey(const ApiKey& key, std::string_view prefix, FieldFaults& faults) {
  const std::string below = std::string(prefix) + ".";
  ValidateDisplayName(key.display_name, below + "display_name", faults);
  const bool of_all = key.project_id == kAnyProject;
  if ((key.role == Role::kGateway || key.role == Role::kNotifier) && !of_all) {
    faults.Add(below + "role", "a service's key is one of all projects",
               "ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN or ROLE_PUSHER; or the parent projects/-");
  }
  if (key.role == Role::kPusher && of_all) {
    faults.Add(below + "role", "a push key is one of a single project",
               "a parent projects/{project}, or another role");
  }
  if (!key.push.has_value()) return;
  if (key.role != Role::kPusher) {
    faults.Add(below + "push", "the key is no push key", "nothing, or the role ROLE_PUSHER");
    return;
  }
  if (key.push->max_monitors < 0 || key.push->max_monitors > kMaxMaxMonitors) {
    faults.Add(below + "push.max_monitors", absl::StrCat("it is ", key.push->max_monitors),
               "0 to 100000");
  }
  ValidateMonitor(key.push->defaults, below + "push.defaults", faults);
}

}  // namespace tocsin::core
