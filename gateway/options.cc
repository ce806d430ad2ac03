// The gateway's flags.
#include "gateway/options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, listen, ":8080",
          "Address and port for HTTP; without an address, every one.");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:8081",
          "Address and port of /metrics, /healthz and /readyz.");
ABSL_FLAG(
    std::string, core_addresses, "127.0.0.1:9090",
    "Where core is: host:port, several with commas. A name may have several addresses, each of "
    "which is a replica; names are looked up again and again.");
ABSL_FLAG(std::string, core_key_file, "",
          "A file with the key that core knows this gateway by (role gateway); empty: none, for a "
          "core with --auth=disabled.");
ABSL_FLAG(absl::Duration, core_resolve_interval, absl::Seconds(5), "How often they are looked up.");
ABSL_FLAG(int, threads, 0, "Threads for HTTP; 0 is half the processors.");
ABSL_FLAG(std::string, name, "",
          "This gateway's name for core; empty is host name and process id.");

ABSL_FLAG(absl::Duration, push_timeout, absl::Seconds(5),
          "How long a push may take, retries and all, before it is answered with 503.");
ABSL_FLAG(absl::Duration, attempt_timeout, absl::Seconds(1),
          "How long one replica of core may take before another is asked.");
ABSL_FLAG(int32_t, max_pending, 20000, "Pushes that wait for core, per thread; beyond it, 503.");
ABSL_FLAG(int32_t, batch_size, 1000, "Pushes in one batch to core, at most 1,000.");
ABSL_FLAG(int32_t, batches_in_flight, 3, "Batches on one stream that core has not answered yet.");

ABSL_FLAG(absl::Duration, api_timeout, absl::Seconds(10),
          "How long a request below /api/v1 may take before it is answered with 504.");
ABSL_FLAG(int32_t, max_api_calls, 64,
          "Requests below /api/v1 that wait for core; beyond it, 503 with Retry-After.");
ABSL_FLAG(int32_t, max_api_streams, 100,
          "Streams of events to clients; beyond it, 503 with Retry-After.");
ABSL_FLAG(int32_t, max_monitor_scrapes, 2,
          "Scrapes of /metrics/monitors at the same time; beyond it, 503 with Retry-After.");

ABSL_FLAG(int32_t, max_connections, 20000, "Open connections; beyond it, 503.");
ABSL_FLAG(int32_t, max_pipelined, 64, "Unanswered requests of one connection.");
ABSL_FLAG(int32_t, max_head_bytes, 16384, "Request line and headers; beyond it, 431.");
// Above the 100,000 bytes of log that borgmatic sends unless it is told less.
ABSL_FLAG(int32_t, max_body_bytes, 131072, "Body; beyond it, 413.");
ABSL_FLAG(absl::Duration, head_timeout, absl::Seconds(10),
          "For a request's head to arrive; also for the first request of a connection.");
ABSL_FLAG(absl::Duration, body_timeout, absl::Seconds(30), "For a request's body to arrive.");
ABSL_FLAG(absl::Duration, idle_timeout, absl::Seconds(75), "Between requests of a connection.");
ABSL_FLAG(absl::Duration, write_timeout, absl::Seconds(30), "For a client to take its answer.");

ABSL_FLAG(double, token_rate, 10,
          "Pushes per second and token, sustained; failures and starts count apart. 0: no limit.");
ABSL_FLAG(double, token_burst, 60, "Pushes per token at once.");
ABSL_FLAG(int32_t, token_limit_entries, 200000, "Tokens whose rate is remembered.");
ABSL_FLAG(double, unknown_token_rate, 1,
          "Unknown tokens per second and address that are answered with 404; beyond it, 429. "
          "0: no limit.");
ABSL_FLAG(double, unknown_token_burst, 30, "Unknown tokens per address at once.");
ABSL_FLAG(int32_t, unknown_token_entries, 50000, "Addresses that are remembered.");
ABSL_FLAG(std::string, trusted_proxies, "",
          "Networks (10.0.0.0/8,2001:db8::/32) whose X-Forwarded-For is believed.");

ABSL_FLAG(absl::Duration, drain_delay, absl::Seconds(5),
          "After SIGTERM: how long connections are still accepted, until load balancers know.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(20),
          "After that: how long requests may take before the process exits all the same.");

ABSL_FLAG(std::string, log_format, "logfmt", "logfmt or json.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error.");

namespace tocsin::gateway {
namespace {

const ProgramInfo kProgram{
    "tocsin-gateway",
    "Takes heartbeats over HTTP (/api/push/<token>) and hands them to core, and management over "
    "REST "
    "(/api/v1/…, described at /docs); shows every monitor to Prometheus (/metrics/monitors). Keeps "
    "nothing: any number of them may run."};

int Positive(OptionFaults& faults, const char* name, int32_t value) {
  faults.Require(value > 0, name, "must be above 0");
  return value;
}

absl::Duration Positive(OptionFaults& faults, const char* name, absl::Duration value) {
  faults.Require(value > absl::ZeroDuration() && value < absl::Hours(24), name,
                 "must be above 0 and under 24h");
  return value;
}

RateLimit Rate(OptionFaults& faults, const char* rate_name, double rate, const char* burst_name,
               double burst) {
  faults.Require(rate >= 0, rate_name, "must be 0 (no limit) or above");
  faults.Require(burst >= 1, burst_name, "must be at least 1");
  return {.per_second = rate, .burst = burst};
}

ApiOptions ReadApi(OptionFaults& faults) {
  return {.timeout = Positive(faults, "api_timeout", absl::GetFlag(FLAGS_api_timeout)),
          .max_calls = Positive(faults, "max_api_calls", absl::GetFlag(FLAGS_max_api_calls)),
          .max_streams = Positive(faults, "max_api_streams", absl::GetFlag(FLAGS_max_api_streams)),
          .max_scrapes =
              Positive(faults, "max_monitor_scrapes", absl::GetFlag(FLAGS_max_monitor_scrapes)),
          .gateway_credential = {}};
}

std::string DefaultName() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  return std::string(host) + "-" + std::to_string(getpid());
}

http::ServerOptions ReadHttp(OptionFaults& faults) {
  http::ServerOptions http;
  const HostPort listen = faults.Value("listen", ParseHostPort(absl::GetFlag(FLAGS_listen)));
  http.address = listen.host;
  http.port = listen.port;
  http.threads = absl::GetFlag(FLAGS_threads);
  faults.Require(http.threads >= 0 && http.threads <= 64, "threads", "must be 0 to 64");
  if (http.threads == 0) {
    http.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency() / 2));
  }
  http.max_connections = Positive(faults, "max_connections", absl::GetFlag(FLAGS_max_connections));
  http.max_pipelined = Positive(faults, "max_pipelined", absl::GetFlag(FLAGS_max_pipelined));
  http.limits.head_bytes =
      static_cast<size_t>(Positive(faults, "max_head_bytes", absl::GetFlag(FLAGS_max_head_bytes)));
  http.limits.body_bytes =
      static_cast<size_t>(Positive(faults, "max_body_bytes", absl::GetFlag(FLAGS_max_body_bytes)));
  http.head_timeout = Positive(faults, "head_timeout", absl::GetFlag(FLAGS_head_timeout));
  http.body_timeout = Positive(faults, "body_timeout", absl::GetFlag(FLAGS_body_timeout));
  http.idle_timeout = Positive(faults, "idle_timeout", absl::GetFlag(FLAGS_idle_timeout));
  http.write_timeout = Positive(faults, "write_timeout", absl::GetFlag(FLAGS_write_timeout));
  return http;
}

DispatcherOptions ReadDispatcher(OptionFaults& faults) {
  DispatcherOptions dispatcher;
  dispatcher.gateway_name = absl::GetFlag(FLAGS_name);
  if (dispatcher.gateway_name.empty()) dispatcher.gateway_name = DefaultName();
  dispatcher.push_timeout = Positive(faults, "push_timeout", absl::GetFlag(FLAGS_push_timeout));
  // Core refuses a push that is older, and waits for retries no longer.
  faults.Require(dispatcher.push_timeout <= absl::Seconds(5), "push_timeout", "must be at most 5s");
  dispatcher.attempt_timeout =
      Positive(faults, "attempt_timeout", absl::GetFlag(FLAGS_attempt_timeout));
  dispatcher.max_pending =
      static_cast<size_t>(Positive(faults, "max_pending", absl::GetFlag(FLAGS_max_pending)));
  dispatcher.max_batch =
      static_cast<size_t>(Positive(faults, "batch_size", absl::GetFlag(FLAGS_batch_size)));
  faults.Require(dispatcher.max_batch <= 1000, "batch_size", "must be at most 1000");
  dispatcher.max_batches_in_flight = static_cast<size_t>(
      Positive(faults, "batches_in_flight", absl::GetFlag(FLAGS_batches_in_flight)));
  return dispatcher;
}

std::vector<HostPort> ReadCoreAddresses(OptionFaults& faults) {
  std::vector<HostPort> addresses;
  const std::vector<std::string> items =
      absl::StrSplit(absl::GetFlag(FLAGS_core_addresses), ',', absl::SkipWhitespace());
  for (const std::string& listed : items) {
    const std::string item(absl::StripAsciiWhitespace(listed));
    const absl::StatusOr<HostPort> address = ParseHostPort(item);
    faults.Check("core_addresses", address.status());
    if (!address.ok()) continue;
    faults.Require(!address->host.empty() && address->port > 0, "core_addresses",
                   "needs a host and a port: \"" + item + "\"");
    addresses.push_back(*address);
  }
  faults.Require(!items.empty(), "core_addresses", "must name at least one");
  return addresses;
}

}  // namespace

Options ReadOptions(int argc, char** argv, OptionFaults& faults) {
  Options options;
  options.validate_only = ParseFlags(kProgram, argc, argv, faults).validate_only;
  options.http = ReadHttp(faults);
  options.admin_listen =
      faults.Value("admin_listen", ParseHostPort(absl::GetFlag(FLAGS_admin_listen)));
  options.core_addresses = ReadCoreAddresses(faults);
  if (const std::string file = absl::GetFlag(FLAGS_core_key_file); !file.empty()) {
    options.core_key = faults.Value("core_key_file", ReadSecretFile(file));
  }
  options.core_resolve_interval =
      Positive(faults, "core_resolve_interval", absl::GetFlag(FLAGS_core_resolve_interval));
  options.dispatcher = ReadDispatcher(faults);
  options.api = ReadApi(faults);
  options.api.gateway_credential = options.core_key;
  options.token_limit = Rate(faults, "token_rate", absl::GetFlag(FLAGS_token_rate), "token_burst",
                             absl::GetFlag(FLAGS_token_burst));
  options.max_tokens = static_cast<size_t>(
      Positive(faults, "token_limit_entries", absl::GetFlag(FLAGS_token_limit_entries)));
  options.unknown_token_limit =
      Rate(faults, "unknown_token_rate", absl::GetFlag(FLAGS_unknown_token_rate),
           "unknown_token_burst", absl::GetFlag(FLAGS_unknown_token_burst));
  options.max_addresses = static_cast<size_t>(
      Positive(faults, "unknown_token_entries", absl::GetFlag(FLAGS_unknown_token_entries)));
  options.trusted_proxies = faults.Value(
      "trusted_proxies", http::IpNetwork::ParseList(absl::GetFlag(FLAGS_trusted_proxies)));
  options.drain_delay = absl::GetFlag(FLAGS_drain_delay);
  faults.Require(options.drain_delay >= absl::ZeroDuration(), "drain_delay",
                 "must not be negative");
  options.drain_timeout = Positive(faults, "drain_timeout", absl::GetFlag(FLAGS_drain_timeout));
  options.log.service = kProgram.name;
  options.log.format = faults.Value("log_format", ParseLogFormat(absl::GetFlag(FLAGS_log_format)));
  options.log.level = faults.Value("log_level", ParseLogLevel(absl::GetFlag(FLAGS_log_level)));
  return options;
}

}  // namespace tocsin::gateway
