// Where commands write files that people keep.
#include "cli/save.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {

void AddSave(CLI::App& app, std::string& path) {
  app.add_option("--to", path, "The file to write; - is standard output")->capture_default_str();
}

absl::Status Save(const std::string& path, absl::string_view text) {
  if (path == "-") {
    std::cout << text << std::flush;
    return absl::OkStatus();
  }
  const std::string half = path + ".part";
  errno = 0;
  std::ofstream file(half, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file && std::rename(half.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  std::remove(half.c_str());
  return absl::FailedPreconditionError(
      absl::StrCat("--to: ", path, " cannot be written: ", std::strerror(error)));
}

}  // namespace tocsin::cli
