// Core's flags.
#include "services/core/options.h"

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/core/store/sealer.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:9090",
          "Address and port for gRPC. It does not encrypt: let only a private network or a mesh "
          "reach it.");
ABSL_FLAG(std::string, auth, "keys",
          "keys: every call needs a key (authorization: Bearer tk_…). disabled: whoever reaches "
          "--listen may do everything; only where that is a loopback address.");
ABSL_FLAG(std::string, bootstrap_admin_key_file, "",
          "A file with a key (tk_ and 43 characters) that becomes projects/-/keys/bootstrap-admin "
          "at the start, or its new secret: the first key, with which others are made.");
ABSL_FLAG(std::string, bootstrap_gateway_key_file, "",
          "The same for projects/-/keys/bootstrap-gateway, the key of gateways.");
ABSL_FLAG(std::string, bootstrap_notifier_key_file, "",
          "The same for projects/-/keys/bootstrap-notifier, the key of notifiers.");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:9091",
          "Address and port of /metrics, /healthz and /readyz.");
ABSL_FLAG(std::string, database_url, "",
          "PostgreSQL: postgresql://user@host/database or key=value pairs. Others on this machine "
          "can read a command line: put a password into a file or the environment.");
ABSL_FLAG(std::string, database_url_file, "", "A file with the same, instead of --database_url.");
ABSL_FLAG(std::string, secret_key_file, "",
          "A file with the keys that webhook URLs and secrets are encrypted with: 32 bytes in "
          "base64 on each line; the first encrypts, all of them decrypt.");
ABSL_FLAG(std::string, public_url, "",
          "Where jobs reach the gateway: https://tocsin.example.com. Begins the push URLs that are "
          "shown when a monitor is made; empty: they have no host.");
ABSL_FLAG(int32_t, group_limit, 500, "Heartbeats in one transaction.");
ABSL_FLAG(bool, migrate_only, false, "Bring the database's schema up to date and exit.");
ABSL_FLAG(absl::Duration, heartbeat_retention, absl::Hours(24 * 14),
          "How long heartbeats are kept; the newest of each monitor always is.");
ABSL_FLAG(absl::Duration, incident_retention, absl::Hours(24 * 400),
          "How long incidents, alert events and finished deliveries are kept.");
ABSL_FLAG(absl::Duration, deleted_monitor_retention, absl::Hours(24 * 30),
          "How long a deleted monitor can be brought back.");
ABSL_FLAG(absl::Duration, audit_retention, absl::Hours(24 * 400),
          "How long the audit log says who changed what.");
ABSL_FLAG(std::string, log_format, "logfmt", "logfmt or json.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error.");

namespace tocsin::core {
namespace {

const ProgramInfo kProgram{
    "tocsin-core",
    "Records heartbeats, decides what is down, and keeps incidents and deliveries in PostgreSQL. "
    "Several may run on one database."};

constexpr absl::Duration kLongestRetention = absl::Hours(24 * 365 * 20);

bool ReadAuth(const HostPort& listen, OptionFaults& faults) {
  const std::string auth = absl::GetFlag(FLAGS_auth);
  faults.Require(auth == "keys" || auth == "disabled", "auth", "must be keys or disabled");
  const bool disabled = auth == "disabled";
  faults.Require(!disabled || IsLoopback(listen.host), "auth",
                 "can be disabled only where --listen is a loopback address, since everybody who "
                 "reaches it may do everything then");
  return !disabled;
}

std::vector<BootstrapKey> ReadBootstrapKeys(OptionFaults& faults) {
  std::vector<BootstrapKey> keys;
  const struct {
    const char* flag;
    std::string file;
    const char* id;
    Role role;
  } given[] = {
      {"bootstrap_admin_key_file", absl::GetFlag(FLAGS_bootstrap_admin_key_file), "bootstrap-admin",
       Role::kAdmin},
      {"bootstrap_gateway_key_file", absl::GetFlag(FLAGS_bootstrap_gateway_key_file),
       "bootstrap-gateway", Role::kGateway},
      {"bootstrap_notifier_key_file", absl::GetFlag(FLAGS_bootstrap_notifier_key_file),
       "bootstrap-notifier", Role::kNotifier},
  };
  for (const auto& key : given) {
    if (key.file.empty()) continue;
    const std::string secret = faults.Value(key.flag, ReadSecretFile(key.file));
    faults.Require(secret.empty() || IsKeySecret(secret), key.flag,
                   "must hold tk_ and 43 characters of [A-Za-z0-9_-]; for a new one: "
                   "printf 'tk_%s\\n' \"$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | "
                   "tr -d =)\"");
    for (const BootstrapKey& other : keys) {
      faults.Require(other.secret != secret, key.flag,
                     "holds the same key as another file; each needs its own");
    }
    keys.push_back({.id = key.id, .role = key.role, .secret = secret});
  }
  return keys;
}

std::string ReadDatabaseUrl(OptionFaults& faults) {
  const std::string url = absl::GetFlag(FLAGS_database_url);
  const std::string file = absl::GetFlag(FLAGS_database_url_file);
  faults.Require(url.empty() || file.empty(), "database_url_file",
                 "cannot be given together with --database_url");
  if (!file.empty()) return faults.Value("database_url_file", ReadSecretFile(file));
  faults.Require(!url.empty(), "database_url", "is missing");
  return url;
}

std::string ReadPublicUrl(OptionFaults& faults) {
  const std::string url(absl::StripSuffix(absl::GetFlag(FLAGS_public_url), "/"));
  faults.Require(
      url.empty() || absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://"),
      "public_url", "must begin with https:// or http://");
  return url;
}

absl::Duration Retention(OptionFaults& faults, const char* name, absl::Duration value) {
  faults.Require(value >= absl::Hours(24) && value <= kLongestRetention, name,
                 "must be at least 24h and at most 20 years");
  return value;
}

}  // namespace

Options ReadOptions(int argc, char** argv, OptionFaults& faults) {
  Options options;
  options.validate_only = ParseFlags(kProgram, argc, argv, faults).validate_only;
  options.migrate_only = absl::GetFlag(FLAGS_migrate_only);
  options.listen = faults.Value("listen", ParseHostPort(absl::GetFlag(FLAGS_listen)));
  options.auth = ReadAuth(options.listen, faults);
  options.bootstrap_keys = ReadBootstrapKeys(faults);
  options.admin_listen =
      faults.Value("admin_listen", ParseHostPort(absl::GetFlag(FLAGS_admin_listen)));
  options.database_url = ReadDatabaseUrl(faults);
  options.secret_key_file = absl::GetFlag(FLAGS_secret_key_file);
  faults.Require(options.migrate_only || !options.secret_key_file.empty(), "secret_key_file",
                 "is missing");
  if (!options.migrate_only && !options.secret_key_file.empty()) {
    const absl::Status readable = Sealer::FromFile(options.secret_key_file).status();
    faults.Require(readable.ok(), "secret_key_file", readable.message());
  }
  options.public_url = ReadPublicUrl(faults);
  const int32_t group_limit = absl::GetFlag(FLAGS_group_limit);
  faults.Require(group_limit >= 1 && group_limit <= 5000, "group_limit", "must be 1 to 5000");
  options.recorder.group_limit = static_cast<size_t>(group_limit);
  options.retention.heartbeats =
      Retention(faults, "heartbeat_retention", absl::GetFlag(FLAGS_heartbeat_retention));
  options.retention.incidents =
      Retention(faults, "incident_retention", absl::GetFlag(FLAGS_incident_retention));
  options.retention.deleted_monitors = Retention(faults, "deleted_monitor_retention",
                                                 absl::GetFlag(FLAGS_deleted_monitor_retention));
  options.retention.audit =
      Retention(faults, "audit_retention", absl::GetFlag(FLAGS_audit_retention));
  options.log.service = kProgram.name;
  options.log.format = faults.Value("log_format", ParseLogFormat(absl::GetFlag(FLAGS_log_format)));
  options.log.level = faults.Value("log_level", ParseLogLevel(absl::GetFlag(FLAGS_log_level)));
  return options;
}

}  // namespace tocsin::core
