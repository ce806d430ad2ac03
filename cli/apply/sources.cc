// Files, folders and standard input, read as what they declare.
#include "cli/apply/sources.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/apply/yaml.h"

namespace tocsin::cli {
namespace {

namespace fs = std::filesystem;

// Of a folder, in order. A link counts as what it leads to, so that mounted ConfigMaps work.
std::vector<std::string> FilesIn(const std::string& folder, Faults& faults) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    if (absl::StartsWith(name, ".") || !entries->is_regular_file(ignored)) continue;
    if (absl::EndsWith(name, ".yaml") || absl::EndsWith(name, ".yml")) {
      files.push_back(entries->path().string());
    }
    if (files.size() > kMaxFiles) {
      faults.Add({.file = folder}, "", absl::StrCat("it has more than ", kMaxFiles, " files"));
      return {};
    }
  }
  if (error) faults.Add({.file = folder}, "", absl::StrCat("it cannot be read: ", error.message()));
  if (!error && files.empty()) {
    faults.Add({.file = folder}, "", "there is no *.yaml or *.yml in it");
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A little more than ParseYaml takes, at most.
std::string ReadBounded(std::istream& stream) {
  std::string text;
  char chunk[1 << 16];
  while (text.size() <= kMaxYamlBytes &&
         (stream.read(chunk, sizeof chunk) || stream.gcount() > 0)) {
    text.append(chunk, static_cast<size_t>(stream.gcount()));
  }
  return text;
}

void ReadFile(const std::string& path, const std::string& default_project, Declared& declared,
              Faults& faults) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  std::string text;
  if (standard_input) {
    text = ReadBounded(std::cin);
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      faults.Add({.file = name}, "", absl::StrCat("it cannot be opened: ", std::strerror(errno)));
      return;
    }
    text = ReadBounded(file);
  }
  const std::string folder = standard_input ? "." : fs::path(path).parent_path().string();
  for (const YamlNode& document : ParseYaml(text, name, faults)) {
    ReadDocument(document, folder, default_project, declared, faults);
  }
}

void RefuseDuplicates(const Declared& declared, Faults& faults) {
  std::map<std::string, const Resource*> first;
  for (const Resource& resource : declared.resources) {
    const auto [found, is_new] = first.emplace(resource.Name(), &resource);
    if (is_new) continue;
    faults.Add(resource.place, "",
               absl::StrCat(resource.Title(), " is declared twice, first in ",
                            Show(found->second->place)));
  }
}

}  // namespace

Declared ReadSources(const std::vector<std::string>& paths, const std::string& default_project,
                     Faults& faults) {
  Declared declared;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (path != "-" && fs::is_directory(path, ignored)) {
      for (const std::string& file : FilesIn(path, faults)) {
        ReadFile(file, default_project, declared, faults);
      }
    } else {
      ReadFile(path, default_project, declared, faults);
    }
  }
  RefuseDuplicates(declared, faults);
  return declared;
}

}  // namespace tocsin::cli
