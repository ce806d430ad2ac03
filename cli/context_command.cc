// `tocsin context …`: names for the places where Tocsin runs, and which of them is used.
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/config/config_file.h"
#include "cli/context.h"
#include "cli/table.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

constexpr char kFooter[] =
    "\nThe file is ~/.config/tocsin/config.yaml, or what TOCSIN_CONFIG names. It never has a key, "
    "but\n"
    "the name of the file with it. A flag wins over the environment (TOCSIN_CORE_ADDRESS,\n"
    "TOCSIN_PROJECT, TOCSIN_KEY, TOCSIN_KEY_FILE), that over the context, and that over the "
    "default.\n"
    "  tocsin context set prod --core core.example.org:9090 -p payments --key-file "
    "~/.tocsin-prod.key\n"
    "  tocsin context use prod\n"
    "  tocsin --context staging status";

absl::Status CheckName(const std::string& name) {
  if (IsContextName(name)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", OneLine(name), "\" is no name: 1 to 63 of [A-Za-z0-9._-]"));
}

absl::StatusOr<std::string> PathOf() {
  const std::string path = FindConfigPath();
  if (!path.empty()) return path;
  return absl::FailedPreconditionError("neither TOCSIN_CONFIG nor HOME says where the file is");
}

// As seen from everywhere.
std::string Absolute(const std::string& path) {
  if (path.empty() || absl::StartsWith(path, "/")) return path;
  std::error_code none;
  const std::filesystem::path whole = std::filesystem::absolute(path, none).lexically_normal();
  return none ? path : whole.string();
}

absl::Status ListContexts(const Context& context) {
  ASSIGN_OR_RETURN(const std::string path, PathOf());
  ASSIGN_OR_RETURN(const Config config, ReadConfigFile(path));
  if (context.json()) {
    for (const auto& [name, one] : config.contexts) {
      context.PrintNextJson({{"name", name},
                             {"current", name == config.current},
                             {"core", one.core},
                             {"project", one.project},
                             {"keyFile", one.key_file}});
    }
    return absl::OkStatus();
  }
  Table table({"CURRENT", "NAME", "CORE", "PROJECT", "KEY FILE"});
  for (const auto& [name, one] : config.contexts) {
    table.AddRow({name == config.current ? "*" : " ", name, one.core, one.project, one.key_file});
  }
  Print(table.ToString());
  return absl::OkStatus();
}

absl::Status ShowSettings(const Context& context) {
  ASSIGN_OR_RETURN(const Settings settings, FindSettings(context.flags));
  const std::string path = FindConfigPath();
  if (context.json()) {
    const auto both = [](const Setting& setting) {
      return nlohmann::ordered_json{{"value", setting.value}, {"from", setting.from}};
    };
    context.PrintJsonText(nlohmann::ordered_json{{"config", path},
                                                 {"context", both(settings.context)},
                                                 {"core", both(settings.core)},
                                                 {"project", both(settings.project)},
                                                 {"keyFile", both(settings.key_file)}}
                              .dump(context.json_lines() ? -1 : 1));
    return absl::OkStatus();
  }
  Table table({"SETTING", "VALUE", "FROM"});
  table.AddRow({"context", settings.context.value, settings.context.from});
  table.AddRow({"core", settings.core.value, settings.core.from});
  table.AddRow({"project", settings.project.value, settings.project.from});
  const bool held = settings.key_file.value.empty() && settings.key_file.from == "TOCSIN_KEY";
  table.AddRow(
      {"key file", held ? "(the key itself)" : settings.key_file.value, settings.key_file.from});
  Print(absl::StrCat(table.ToString(), "\nThe file of contexts: ", path, "\n"));
  return absl::OkStatus();
}

absl::Status Use(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string path, PathOf());
  ASSIGN_OR_RETURN(Config config, ReadConfigFile(path));
  config.current = name;
  RETURN_IF_ERROR(Resolve({.context = name}, {}, config).status());
  RETURN_IF_ERROR(WriteConfigFile(path, config));
  Print(absl::StrCat("Context ", name, " is used from now on\n"));
  return absl::OkStatus();
}

absl::Status Set(const Context& context, const std::string& name) {
  RETURN_IF_ERROR(CheckName(name));
  ASSIGN_OR_RETURN(const std::string path, PathOf());
  ASSIGN_OR_RETURN(Config config, ReadConfigFile(path));
  const FlagSettings& flags = context.flags;
  if (flags.core.empty() && flags.project.empty() && flags.key_file.empty()) {
    return absl::InvalidArgumentError(
        "nothing to set: give at least one of --core, --project and --key-file");
  }
  NamedContext& named = config.contexts[name];
  if (!flags.core.empty()) named.core = flags.core;
  if (!flags.project.empty()) named.project = flags.project;
  if (!flags.key_file.empty()) named.key_file = Absolute(flags.key_file);
  RETURN_IF_ERROR(WriteConfigFile(path, config));
  Print(absl::StrCat("Context ", name, " is set",
                     config.current == name ? "" : "; to use it: tocsin context use ",
                     config.current == name ? "" : name, "\n"));
  return absl::OkStatus();
}

absl::Status Delete(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string path, PathOf());
  ASSIGN_OR_RETURN(Config config, ReadConfigFile(path));
  if (config.contexts.erase(name) == 0) {
    return absl::NotFoundError(absl::StrCat("there is no context \"", OneLine(name), "\""));
  }
  if (config.current == name) config.current.clear();
  RETURN_IF_ERROR(WriteConfigFile(path, config));
  Print(absl::StrCat("Deleted context ", name, "\n"));
  return absl::OkStatus();
}

// A command that is about a context by its name.
template <typename Act>
void AddNamed(CLI::App& parent, Context& context, const char* command, const char* help, Act act) {
  CLI::App* app = parent.add_subcommand(command, help);
  auto name = std::make_shared<std::string>();
  app->add_option("NAME", *name, "Name of the context")->required();
  app->callback([name, act, &context] {
    context.action = [name, act](const Context& context) { return act(context, *name); };
  });
}

}  // namespace

void AddContextCommands(CLI::App& app, Context& context) {
  CLI::App* contexts =
      app.add_subcommand("context", "Name the places where Tocsin runs, and choose one");
  contexts->require_subcommand(1);
  contexts->footer(kFooter);
  contexts->add_subcommand("list", "Every context")->callback([&context] {
    context.action = ListContexts;
  });
  contexts->add_subcommand("show", "What commands use now, and who said so")->callback([&context] {
    context.action = ShowSettings;
  });
  AddNamed(*contexts, context, "use", "Use this context from now on",
           [](const Context&, const std::string& name) { return Use(name); });
  AddNamed(*contexts, context, "set", "Make or change one: what --core, --project, --key-file say",
           Set);
  AddNamed(*contexts, context, "delete", "Forget one; no key file is touched",
           [](const Context&, const std::string& name) { return Delete(name); });
}

}  // namespace tocsin::cli
