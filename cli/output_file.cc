// What a job put out, to be sent with its heartbeat.
#include "cli/output_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

constexpr size_t kBlockBytes = 64 * 1024;

absl::Status Unreadable(const std::string& path) {
  const int error = errno;
  return absl::InvalidArgumentError(
      absl::StrCat("--output-file: ", path, " cannot be read: ", std::strerror(error)));
}

}  // namespace

std::string ReadTail(std::istream& in) {
  std::string tail;
  std::string block(kBlockBytes, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    tail.append(block, 0, static_cast<size_t>(in.gcount()));
    if (tail.size() > kMaxOutputBytes) tail.erase(0, tail.size() - kMaxOutputBytes);
  }
  return tail;
}

absl::StatusOr<std::string> ReadOutput(const std::string& path) {
  if (path == "-") return ReadTail(std::cin);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path);
  errno = 0;
  std::string tail = ReadTail(file);
  if (file.bad() || errno == EISDIR) return Unreadable(path);
  return tail;
}

}  // namespace tocsin::cli
