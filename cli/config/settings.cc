// Which core, project and key a command uses, and who said so.
#include "cli/config/settings.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

constexpr char kDefaultCore[] = "127.0.0.1:9090";
constexpr char kDefaultProject[] = "default";
constexpr char kDefault[] = "default";

// The first that says something.
Setting FirstOf(const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (!setting.value.empty()) return setting;
  }
  return settings.back();
}

}  // namespace

absl::StatusOr<Settings> Resolve(const FlagSettings& flags, const EnvironmentSettings& environment,
                                 const Config& config) {
  Settings settings;
  settings.context = FirstOf({{flags.context, "--context"},
                              {environment.context, "TOCSIN_CONTEXT"},
                              {config.current, "the configuration"},
                              {"", kDefault}});
  NamedContext context;
  if (!settings.context.value.empty()) {
    const auto found = config.contexts.find(settings.context.value);
    if (found == config.contexts.end()) {
      std::vector<std::string> names;
      for (const auto& [name, other] : config.contexts) names.push_back(name);
      return absl::InvalidArgumentError(
          absl::StrCat(settings.context.from, ": there is no context \"",
                       OneLine(settings.context.value), "\"; ",
                       names.empty() ? "there is none, see: tocsin help context set"
                                     : absl::StrCat("accepted: ", absl::StrJoin(names, ", "))));
    }
    context = found->second;
  }
  const std::string from = absl::StrCat("context ", settings.context.value);
  // A context that is named on the command line is meant, whatever was exported before.
  if (!flags.context.empty()) {
    settings.core =
        FirstOf({{flags.core, "--core"}, {context.core, from}, {kDefaultCore, kDefault}});
    settings.project = FirstOf(
        {{flags.project, "--project"}, {context.project, from}, {kDefaultProject, kDefault}});
    settings.key_file =
        FirstOf({{flags.key_file, "--key-file"}, {context.key_file, from}, {"", kDefault}});
    return settings;
  }
  settings.core = FirstOf({{flags.core, "--core"},
                           {environment.core, "TOCSIN_CORE_ADDRESS"},
                           {context.core, from},
                           {kDefaultCore, kDefault}});
  settings.project = FirstOf({{flags.project, "--project"},
                              {environment.project, "TOCSIN_PROJECT"},
                              {context.project, from},
                              {kDefaultProject, kDefault}});
  settings.key_file = FirstOf({{flags.key_file, "--key-file"}});
  if (!settings.key_file.value.empty()) return settings;
  if (environment.key) {
    settings.key_file = {"", "TOCSIN_KEY"};
  } else {
    settings.key_file = FirstOf(
        {{environment.key_file, "TOCSIN_KEY_FILE"}, {context.key_file, from}, {"", kDefault}});
  }
  return settings;
}

std::string ConfigPath(const std::string& tocsin_config, const std::string& xdg_config_home,
                       const std::string& home) {
  if (!tocsin_config.empty()) return tocsin_config;
  if (!xdg_config_home.empty()) return absl::StrCat(xdg_config_home, "/tocsin/config.yaml");
  return home.empty() ? "" : absl::StrCat(home, "/.config/tocsin/config.yaml");
}

}  // namespace tocsin::cli
