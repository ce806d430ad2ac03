// Where secrets that are shown once are kept: a file that only its owner can read.
#include "cli/apply/tokens_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

absl::Status Fault(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("--tokens-file: ", path, " ", what));
}

}  // namespace

TokensFile::~TokensFile() {
  if (open()) close(descriptor_);
}

absl::Status TokensFile::Open(const std::string& path) {
  path_ = path;
  const int opened = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (opened < 0) return Fault(path, absl::StrCat("cannot be opened: ", std::strerror(errno)));
  struct stat facts = {};
  if (fstat(opened, &facts) != 0 || !S_ISREG(facts.st_mode) || (facts.st_mode & 077) != 0) {
    close(opened);
    return Fault(path, "can be read by others; accepted: a new file, or one with mode 0600");
  }
  descriptor_ = opened;
  return absl::OkStatus();
}

absl::Status TokensFile::Add(absl::string_view name, absl::string_view secret,
                             absl::string_view url) {
  const std::string line = absl::StrCat(name, "\t", secret, url.empty() ? "" : "\t", url, "\n");
  absl::MutexLock lock(&mutex_);
  absl::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Fault(path_, absl::StrCat("is not written: ", std::strerror(errno)));
    rest.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace tocsin::cli
