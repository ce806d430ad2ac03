// Core's settings, from flags and environment.
#pragma once

#include <string>
#include <vector>

#include "common/flags.h"
#include "common/log.h"
#include "services/core/domain/api_key.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/records.h"

namespace tocsin::core {

// A key that core makes or renews at its start, from a file.
struct BootstrapKey {
  std::string id;  // of projects/-/keys/
  Role role = Role::kAdmin;
  std::string secret;  // never logged
};

struct Options {
  HostPort listen;
  HostPort admin_listen;
  std::string database_url;     // holds the password: never logged
  std::string secret_key_file;  // see Sealer::FromText
  bool auth = true;             // whether callers need keys
  std::vector<BootstrapKey> bootstrap_keys;
  std::string public_url;  // without a slash at its end; empty: none
  RecorderOptions recorder;
  RetentionPolicy retention;
  bool migrate_only = false;
  bool validate_only = false;
  LogOptions log;
};

// Everything that is wrong goes to `faults`; the result counts only if there are none.
Options ReadOptions(int argc, char** argv, OptionFaults& faults);

}  // namespace tocsin::core
