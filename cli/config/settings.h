// Which core, project and key a command uses, and who said so. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/config/config_file.h"

namespace tocsin::cli {

// What the flags say; empty: not given.
struct FlagSettings {
  std::string context = "", core = "", project = "", key_file = "";
};

// What the environment says: TOCSIN_CONTEXT, TOCSIN_CORE_ADDRESS, TOCSIN_PROJECT, TOCSIN_KEY_FILE;
// and whether TOCSIN_KEY holds a key. Empty is as if not set.
struct EnvironmentSettings {
  std::string context = "", core = "", project = "", key_file = "";
  bool key = false;
};

struct Setting {
  std::string value;
  std::string from;  // "--core", "TOCSIN_CORE_ADDRESS", "context prod", "default"
};

struct Settings {
  Setting context;  // its name; empty when none is used
  Setting core, project;
  Setting key_file;  // empty when TOCSIN_KEY holds the key, or there is none: then see `from`
};

// A flag wins over the environment, that over the context, that over the default; but a context
// that a flag names wins over the environment, with its key and no other. INVALID_ARGUMENT
// when a context is named that there is not.
absl::StatusOr<Settings> Resolve(const FlagSettings& flags, const EnvironmentSettings& environment,
                                 const Config& config);

// Where the configuration is: of TOCSIN_CONFIG, else below XDG_CONFIG_HOME, else below HOME; empty
// when none of them is set.
std::string ConfigPath(const std::string& tocsin_config, const std::string& xdg_config_home,
                       const std::string& home);

}  // namespace tocsin::cli
