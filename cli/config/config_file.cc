// The file in which people name the places where Tocsin runs for them.
#include "cli/config/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/apply/writer.h"
#include "cli/apply/yaml.h"

namespace tocsin::cli {
namespace {

constexpr char kFields[] = "accepted: core, project, keyFile";

// Reads one node; faults are told with their places.
class Reader {
 public:
  Reader(const YamlNode& root, Faults& faults) : faults_(faults) { Root(root); }

  Config Take() { return std::move(config_); }

 private:
  void Fault(const YamlNode& node, absl::string_view field, absl::string_view what) {
    faults_.Add(node.place, field, what);
  }

  std::string Text(const YamlNode& node, const std::string& field) {
    if (node.kind == YamlNode::Kind::kNull) return "";
    if (node.kind != YamlNode::Kind::kScalar) {
      Fault(node, field, absl::StrCat("it is ", KindOf(node), "; accepted: text"));
    }
    return node.text;
  }

  bool IsMap(const YamlNode& node, absl::string_view field) {
    if (node.kind == YamlNode::Kind::kMap) return true;
    Fault(node, field, absl::StrCat("it is ", KindOf(node), "; accepted: a mapping"));
    return false;
  }

  void Root(const YamlNode& root) {
    if (root.kind == YamlNode::Kind::kNull || !IsMap(root, "")) return;
    for (const auto& [key, value] : root.entries) {
      if (key.text == "current") {
        config_.current = Text(value, key.text);
      } else if (key.text == "contexts") {
        Contexts(value);
      } else {
        Fault(key, key.text, "there is no such field; accepted: current, contexts");
      }
    }
  }

  void Contexts(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull || !IsMap(node, "contexts")) return;
    for (const auto& [key, value] : node.entries) {
      const std::string field = absl::StrCat("contexts.", key.text);
      if (!IsContextName(key.text)) {
        Fault(key, "contexts",
              absl::StrCat("\"", key.text, "\" is no name: 1 to 63 of [A-Za-z0-9._-]"));
      }
      NamedContext& context = config_.contexts[key.text];
      if (IsMap(value, field)) Fields(value, field, context);
    }
  }

  void Fields(const YamlNode& node, const std::string& above, NamedContext& context) {
    for (const auto& [key, value] : node.entries) {
      const std::string field = absl::StrCat(above, ".", key.text);
      if (key.text == "core") {
        context.core = Text(value, field);
      } else if (key.text == "project") {
        context.project = Text(value, field);
      } else if (key.text == "keyFile") {
        context.key_file = Text(value, field);
      } else if (key.text == "key") {
        Fault(key, field, "the key itself does not belong here: keyFile names the file with it");
      } else {
        Fault(key, field, absl::StrCat("there is no such field; ", kFields));
      }
    }
  }

  Faults& faults_;
  Config config_;
};

absl::Status Unusable(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("the configuration ", path, " ", what));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

bool IsContextName(absl::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& path) {
  Faults faults;
  const std::vector<YamlNode> documents = ParseYaml(text, path, faults);
  Config config;
  if (faults.empty() && !documents.empty()) config = Reader(documents.front(), faults).Take();
  if (documents.size() > 1) faults.Add(documents[1].place, "", "accepted: one document");
  if (faults.empty()) return config;
  const std::string lines = faults.ToString();
  return absl::InvalidArgumentError(absl::StripSuffix(lines, "\n"));
}

std::string WriteConfig(const Config& config) {
  std::string text =
      "# Where Tocsin runs; made by \"tocsin context\". Keys are in files of their own.\n";
  if (!config.current.empty())
    absl::StrAppend(&text, "current: ", YamlScalar(config.current), "\n");
  absl::StrAppend(&text, config.contexts.empty() ? "contexts: {}\n" : "contexts:\n");
  for (const auto& [name, context] : config.contexts) {
    const bool empty = context == NamedContext();
    absl::StrAppend(&text, "  ", YamlScalar(name), empty ? ": {}\n" : ":\n");
    const auto line = [&](const char* field, const std::string& value) {
      if (!value.empty()) absl::StrAppend(&text, "    ", field, ": ", YamlScalar(value), "\n");
    };
    line("core", context.core);
    line("project", context.project);
    line("keyFile", context.key_file);
  }
  return text;
}

absl::StatusOr<Config> ReadConfigFile(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Config();
    return Unusable(path, absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  if (!S_ISREG(facts.st_mode)) return Unusable(path, "is no file");
  if ((facts.st_mode & 022) != 0) {
    return Unusable(path, absl::StrCat("can be written by others, who could have your key sent to "
                                       "them; do: chmod go-w ",
                                       path));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Unusable(path, "cannot be read");
  return ParseConfig(text.str(), path);
}

absl::Status WriteConfigFile(const std::string& path, const Config& config) {
  const std::string folder = FolderOf(path);
  const auto fault = [&path] {
    return Unusable(path, absl::StrCat("cannot be written: ", std::strerror(errno)));
  };
  std::error_code error;
  const std::filesystem::path above = std::filesystem::path(folder).parent_path();
  if (!above.empty()) std::filesystem::create_directories(above, error);
  if (!folder.empty() && mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fault();
  const std::string half = path + ".part";
  const int descriptor = open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return fault();
  const std::string text = WriteConfig(config);
  const bool whole =
      write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = close(descriptor) == 0;
  if (whole && closed && std::rename(half.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const absl::Status status = fault();
  std::remove(half.c_str());
  return status;
}

}  // namespace tocsin::cli
