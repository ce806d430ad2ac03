// Core's flags.
#include "services/core/options.h"

#include "absl/flags/flag.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:9090",
          "Address and port for gRPC. It knows no passwords and does not encrypt.");
ABSL_FLAG(bool, insecure_listen_anywhere, false,
          "Allows --listen to be an address that others can reach: whoever reaches it may do "
          "everything. For networks that are private.");
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
ABSL_FLAG(std::string, log_format, "logfmt", "logfmt or json.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error.");

namespace tocsin::core {
namespace {

const ProgramInfo kProgram{
    "tocsin-core",
    "Records heartbeats, decides what is down, and keeps incidents and deliveries in PostgreSQL. "
    "Several may run on one database."};

constexpr absl::Duration kLongestRetention = absl::Hours(24 * 365 * 20);

HostPort ReadListen(OptionFaults& faults) {
  HostPort listen = faults.Value("listen", ParseHostPort(absl::GetFlag(FLAGS_listen)));
  faults.Require(absl::GetFlag(FLAGS_insecure_listen_anywhere) || IsLoopback(listen.host), "listen",
                 "must be a loopback address, since everybody who reaches it may do everything; "
                 "on a private network --insecure_listen_anywhere allows others");
  return listen;
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
  options.listen = ReadListen(faults);
  options.admin_listen =
      faults.Value("admin_listen", ParseHostPort(absl::GetFlag(FLAGS_admin_listen)));
  options.database_url = ReadDatabaseUrl(faults);
  options.secret_key_file = absl::GetFlag(FLAGS_secret_key_file);
  faults.Require(options.migrate_only || !options.secret_key_file.empty(), "secret_key_file",
                 "is missing");
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
  options.log.service = kProgram.name;
  options.log.format = faults.Value("log_format", ParseLogFormat(absl::GetFlag(FLAGS_log_format)));
  options.log.level = faults.Value("log_level", ParseLogLevel(absl::GetFlag(FLAGS_log_level)));
  return options;
}

}  // namespace tocsin::core
