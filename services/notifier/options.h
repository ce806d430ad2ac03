// The notifier's settings, from flags and environment.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/flags.h"
#include "common/log.h"
#include "services/notifier/channel/address_policy.h"

namespace tocsin::notifier {

struct Options {
  HostPort admin_listen;
  std::vector<std::string> core_addresses;
  std::string core_key;  // empty: none; never logged
  std::string name;
  int concurrency = 0;
  int max_assigned = 0;
  absl::Duration request_timeout;
  AddressPolicy addresses{false, {}};
  std::string proxy;
  std::string ca_file;
  absl::Duration drain_timeout;
  LogOptions log;
  bool validate_only = false;
};

// Everything that is wrong goes to `faults`; the result counts only if there are none.
Options ReadOptions(int argc, char** argv, OptionFaults& faults);

}  // namespace tocsin::notifier
