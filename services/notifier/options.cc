// The notifier's flags.
#include "services/notifier/options.h"

#include <unistd.h>

#include <cstdint>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

ABSL_FLAG(std::string, core_addresses, "127.0.0.1:9090",
          "Where core is: host:port or unix:path, several parted by commas. Every address of a "
          "name gets a stream; names are looked up again and again.");
ABSL_FLAG(
    std::string, core_key_file, "",
    "A file with the key that core knows this notifier by (role notifier); empty: none, for a "
    "core with --auth=disabled.");
ABSL_FLAG(std::string, admin_listen, "127.0.0.1:9092",
          "Address and port for /metrics, /healthz and /readyz.");
ABSL_FLAG(std::string, name, "",
          "This notifier's name for core; empty is host name and process id.");
ABSL_FLAG(int32_t, concurrency, 64,
          "Requests at a time to receivers that answer promptly. Slow and failing receivers have "
          "sixteen times as many slots of their own.");
ABSL_FLAG(int32_t, max_assigned, 4096, "Deliveries that this notifier holds at a time.");
ABSL_FLAG(absl::Duration, webhook_timeout, absl::Seconds(10),
          "For one request, from the look-up of the name to the answer. Never more than half of "
          "a delivery's lease.");
ABSL_FLAG(bool, allow_private_webhooks, false,
          "Also send to loopback, link-local, private and metadata addresses.");
ABSL_FLAG(std::string, allowed_webhook_networks, "",
          "Networks to which webhooks may be sent although they are not public, e.g. "
          "10.1.0.0/16,fd00:1::/32.");
ABSL_FLAG(std::string, webhook_proxy, "",
          "Proxy for webhooks, e.g. http://proxy:3128. The proxy variables of the environment "
          "are ignored. A proxy resolves names, so it must refuse private addresses itself.");
ABSL_FLAG(std::string, webhook_ca_file, "",
          "File of the certificate authorities (PEM) that receivers are verified with; empty is "
          "those of the system.");
ABSL_FLAG(absl::Duration, drain_timeout, absl::Seconds(15),
          "After SIGTERM, for requests under way to end.");
ABSL_FLAG(std::string, log_format, "logfmt", "logfmt or json.");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error.");

namespace tocsin::notifier {
namespace {

const ProgramInfo kProgram{
    "tocsin-notifier",
    "Takes deliveries from core and sends them to webhooks. Keeps nothing: any number of them "
    "may run."};

std::string DefaultName() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, "-", getpid());
}

std::vector<std::string> Items(const std::string& list) {
  std::vector<std::string> items;
  for (absl::string_view item : absl::StrSplit(list, ',')) {
    item = absl::StripAsciiWhitespace(item);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

std::vector<std::string> ReadCoreAddresses(OptionFaults& faults) {
  std::vector<std::string> addresses = Items(absl::GetFlag(FLAGS_core_addresses));
  faults.Require(!addresses.empty(), "core_addresses", "must name at least one core");
  for (const std::string& address : addresses) {
    if (absl::StartsWith(address, "unix:")) continue;
    const HostPort parsed = faults.Value("core_addresses", ParseHostPort(address));
    faults.Require(parsed.port != 0, "core_addresses", absl::StrCat(address, " names no port"));
  }
  return addresses;
}

AddressPolicy ReadAddressPolicy(OptionFaults& faults) {
  std::vector<IpNetwork> networks;
  for (const std::string& text : Items(absl::GetFlag(FLAGS_allowed_webhook_networks))) {
    networks.push_back(faults.Value("allowed_webhook_networks", IpNetwork::Parse(text)));
  }
  return AddressPolicy(absl::GetFlag(FLAGS_allow_private_webhooks), std::move(networks));
}

std::string ReadProxy(OptionFaults& faults) {
  std::string proxy = absl::GetFlag(FLAGS_webhook_proxy);
  faults.Require(
      proxy.empty() || absl::StartsWith(proxy, "http://") || absl::StartsWith(proxy, "https://"),
      "webhook_proxy", "must be an http or https URL");
  return proxy;
}

std::string ReadCaFile(OptionFaults& faults) {
  std::string file = absl::GetFlag(FLAGS_webhook_ca_file);
  faults.Require(file.empty() || access(file.c_str(), R_OK) == 0, "webhook_ca_file",
                 "cannot be read");
  return file;
}

}  // namespace

Options ReadOptions(int argc, char** argv, OptionFaults& faults) {
  const ParsedCommandLine parsed = ParseFlags(kProgram, argc, argv, faults);
  Options options;
  options.validate_only = parsed.validate_only;
  options.admin_listen =
      faults.Value("admin_listen", ParseHostPort(absl::GetFlag(FLAGS_admin_listen)));
  options.core_addresses = ReadCoreAddresses(faults);
  if (const std::string file = absl::GetFlag(FLAGS_core_key_file); !file.empty()) {
    options.core_key = faults.Value("core_key_file", ReadSecretFile(file));
  }
  options.name = absl::GetFlag(FLAGS_name);
  if (options.name.empty()) options.name = DefaultName();
  options.concurrency = absl::GetFlag(FLAGS_concurrency);
  faults.Require(options.concurrency >= 1 && options.concurrency <= 10'000, "concurrency",
                 "must be 1 to 10000");
  options.max_assigned = absl::GetFlag(FLAGS_max_assigned);
  faults.Require(options.max_assigned >= 1 && options.max_assigned <= 100'000, "max_assigned",
                 "must be 1 to 100000");
  options.request_timeout = absl::GetFlag(FLAGS_webhook_timeout);
  faults.Require(options.request_timeout >= absl::Milliseconds(100) &&
                     options.request_timeout <= absl::Minutes(1),
                 "webhook_timeout", "must be 100ms to 1m");
  options.addresses = ReadAddressPolicy(faults);
  options.proxy = ReadProxy(faults);
  options.ca_file = ReadCaFile(faults);
  options.drain_timeout = absl::GetFlag(FLAGS_drain_timeout);
  faults.Require(
      options.drain_timeout >= absl::ZeroDuration() && options.drain_timeout <= absl::Minutes(10),
      "drain_timeout", "must be 0 to 10m");
  options.log.service = kProgram.name;
  options.log.format = faults.Value("log_format", ParseLogFormat(absl::GetFlag(FLAGS_log_format)));
  options.log.level = faults.Value("log_level", ParseLogLevel(absl::GetFlag(FLAGS_log_level)));
  return options;
}

}  // namespace tocsin::notifier
