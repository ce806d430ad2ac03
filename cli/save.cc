// Where commands write files that people keep.
#include "cli/save.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tocsin::cli {

namespace {

bool Write(const std::string& path, absl::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

// /dev/null, a pipe and the like: to be written to, and never replaced.
bool IsNoFile(const std::string& path) {
  if (absl::StartsWith(path, "/dev/")) return true;  // also /dev/stdout that leads to a file
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

// What a link leads to, so that the link stays.
std::string BehindLinks(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  return error ? path : file.string();
}

// Gives what `descriptor` is of the owner and the rights of the file that it replaces; what is new
// is as new files are.
void LikeBefore(const std::string& file, int descriptor) {
  struct stat before = {};
  if (stat(file.c_str(), &before) == 0) {
    // Where that is not allowed it is its writer's, as any new file.
    if (fchown(descriptor, before.st_uid, before.st_gid) == 0) {
      fchmod(descriptor, before.st_mode & 07777);
      return;
    }
    fchmod(descriptor, before.st_mode & 0777);
    return;
  }
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor, 0666 & ~mask);
}

absl::Status Unwritable(const std::string& path, int error) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, " cannot be written: ", std::strerror(error)));
}

}  // namespace

void AddSave(CLI::App& app, std::string& path) {
  app.add_option("--to", path, "The file to write; - is standard output")->capture_default_str();
}

absl::Status Save(const std::string& path, absl::string_view text) {
  if (path == "-") {
    std::cout << text << std::flush;
    return absl::OkStatus();
  }
  errno = 0;
  if (IsNoFile(path)) return Write(path, text) ? absl::OkStatus() : Unwritable(path, errno);
  const std::string file = BehindLinks(path);
  std::string half = file + ".XXXXXX";
  const int descriptor = mkstemp(half.data());
  if (descriptor < 0) return Unwritable(path, errno);
  LikeBefore(file, descriptor);
  close(descriptor);
  if (Write(half, text) && std::rename(half.c_str(), file.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  std::remove(half.c_str());
  return Unwritable(path, error);
}

}  // namespace tocsin::cli
