// Passes a stream of the command on, byte by byte, and keeps its end.
#include "cli/exec/relay.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace tocsin::cli {
namespace {

constexpr size_t kBlockBytes = 64 * 1024;
// Before other things get their turn.
constexpr int kBlocksAtOnce = 16;

}  // namespace

Relay::Relay(int from, int to, OutputTail& tail)
    : from_(from), to_(to), tail_(tail), room_(kBlockBytes) {
  fcntl(from_, F_SETFL, O_RDONLY | O_NONBLOCK);
}

Relay::~Relay() {
  if (from_ >= 0) close(from_);
}

void Relay::Watch(std::vector<pollfd>& fds) const {
  if (from_ >= 0 && HasRoom()) fds.push_back({from_, POLLIN, 0});
  // Also without something to write: that a reader has gone is to be seen at once.
  if (from_ >= 0 || !waiting_.empty()) {
    fds.push_back({to_.fd(), static_cast<short>(waiting_.empty() ? 0 : POLLOUT), 0});
  }
}

void Relay::Move() {
  if (from_ >= 0 && to_.IsGone()) {
    waiting_.clear();
    StopReading();
  }
  if (from_ >= 0 && to_.IsHungUp()) {
    lost_ = EIO;
    to_.Close();
  }
  Write();
  for (int blocks = 0; blocks < kBlocksAtOnce && from_ >= 0 && HasRoom(); ++blocks) {
    if (!Read()) break;
    Write();
  }
}

void Relay::CommandEnded() {
  if (from_ < 0) return;
  const int capacity = fcntl(from_, F_GETPIPE_SZ);
  // One more, so that the end is seen as well.
  room_ = waiting_.size() + (capacity > 0 ? static_cast<size_t>(capacity) : kBlockBytes) + 1;
}

// False when there is nothing to read now.
bool Relay::Read() {
  std::array<char, kBlockBytes> block;
  const ssize_t bytes = read(from_, block.data(), block.size());
  if (bytes < 0) return errno == EINTR;
  if (bytes == 0) {
    StopReading();
    return false;
  }
  const absl::string_view text(block.data(), static_cast<size_t>(bytes));
  tail_.Append(text);
  waiting_.append(text.data(), text.size());
  return true;
}

void Relay::Write() {
  size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t bytes = to_.Write(absl::string_view(waiting_).substr(written));
    if (bytes == 0) break;
    if (bytes < 0) {
      if (errno == EPIPE || errno == ECONNRESET) {
        StopReading();
      } else {
        lost_ = errno;
      }
      written = waiting_.size();
      break;
    }
    written += static_cast<size_t>(bytes);
  }
  waiting_.erase(0, written);
}

int Relay::TakeSource() { return std::exchange(from_, -1); }

void Relay::StopReading() {
  if (from_ >= 0) close(from_);
  from_ = -1;
}

}  // namespace tocsin::cli
