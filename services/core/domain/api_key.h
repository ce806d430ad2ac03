// What gives access to the API, or to pushing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// What a holder may do. The numbers are stored: never change one.
enum class Role : int16_t {
  kViewer = 1,
  kEditor = 2,
  kAdmin = 3,
  kPusher = 4,
  kGateway = 5,
  kNotifier = 6,
};

// Whether `held` includes `needed`: an editor is a viewer, an admin both; the others are
// themselves.
bool Includes(Role held, Role needed);
// "viewer", as people write it.
std::string_view RoleWord(Role role);

inline constexpr int32_t kDefaultMaxMonitors = 1000;
inline constexpr int32_t kMaxMaxMonitors = 100'000;

// Lets a push key make the monitors that it names.
struct PushGrant {
  bool may_create = false;
  // What such a monitor is like; identity, version and times are not looked at.
  MonitorDefinition defaults;
  // How many monitors the project may have for the key to make one more.
  int32_t max_monitors = 0;

  friend bool operator==(const PushGrant&, const PushGrant&) = default;
};

struct ApiKey {
  ApiKeyKey key = 0;
  ProjectKey project = 0;  // 0: all projects
  std::string project_id;  // kAnyProject for all
  std::string id;          // 1 to 63 of [a-z0-9-]
  std::string display_name;
  Role role = Role::kViewer;
  std::optional<absl::Time> expires_at;
  std::optional<PushGrant> push;  // of a pusher only
  std::string prefix;             // of the newest secret
  absl::Time created_at;
  absl::Time updated_at;
  std::optional<absl::Time> used_at;
  std::optional<absl::Time> revoked_at;
  int64_t version = 0;  // drawn anew with every change

  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

// SHA-256 of a key's secret.
using SecretHash = TokenHash;

// One of the secrets of a key: it has several while it is rotated.
struct KeySecret {
  SecretHash hash{};
  std::string prefix;
  absl::Time created_at;
  absl::Time expires_at = absl::InfiniteFuture();

  friend bool operator==(const KeySecret&, const KeySecret&) = default;
};

// What a secret gives access to, with the time from which it does not any more.
struct KeyMatch {
  ApiKey key;
  absl::Time secret_expires_at = absl::InfiniteFuture();

  // The earliest end of secret and key; InfinitePast when it was revoked.
  absl::Time EndsAt() const;
};

// `tk_` and 43 characters: the base64url of `bytes`, which are 32.
std::string FormatSecret(std::string_view bytes);
// Whether it has that form.
bool IsKeySecret(std::string_view text);
// How a secret begins: enough to recognize it by, and nothing that helps to guess the rest.
std::string PrefixOf(std::string_view secret);

// Gives what was left out its default. Call it before validating.
void FillDefaults(ApiKey& key);
// All but the id; whether the channels named exist is not looked at. `prefix` as in validate.h.
void ValidateApiKey(const ApiKey& key, std::string_view prefix, FieldFaults& faults);

}  // namespace tocsin::core
