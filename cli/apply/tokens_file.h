// Where secrets that are shown once are kept: a file that only its owner can read.
#pragma once

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace tocsin::cli {

// Lines are added to what the file has; each is there when Add returns. Thread-safe.
class TokensFile {
 public:
  // None: nothing is kept.
  TokensFile() = default;
  ~TokensFile();
  TokensFile(const TokensFile&) = delete;
  TokensFile& operator=(const TokensFile&) = delete;

  // Makes the file with mode 0600 if there is none. FAILED_PRECONDITION when others can read it, or
  // it cannot be opened.
  absl::Status Open(const std::string& path);
  bool open() const { return descriptor_ >= 0; }

  // NAME<TAB>SECRET<TAB>URL; the URL of a channel is empty.
  absl::Status Add(absl::string_view name, absl::string_view secret, absl::string_view url);

 private:
  std::string path_;
  int descriptor_ = -1;
  absl::Mutex mutex_;
};

}  // namespace tocsin::cli
