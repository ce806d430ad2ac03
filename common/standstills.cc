// Since when what this process reads may have waited unseen.
#include "common/standstills.h"

#include <algorithm>
#include <cstddef>

namespace tocsin {
namespace {

// Of more, the newest count as one.
constexpr size_t kMostKept = 16;

}  // namespace

void Standstills::MarkAwake(absl::Duration now) {
  const absl::Duration apart = now - awake_at_;
  if (apart > limits_.standstill) {
    if (standstills_.size() < kMostKept) {
      standstills_.push_back({.since = awake_at_, .awake_before = awake_for_});
    } else {
      standstills_.back().awake_before = awake_for_;
    }
  } else if (apart > absl::ZeroDuration()) {
    awake_for_ += std::min(apart, limits_.mark_every);
  }
  while (!standstills_.empty() &&
         awake_for_ - standstills_.front().awake_before >= limits_.all_read) {
    standstills_.pop_front();
  }
  awake_at_ = now;
}

std::optional<absl::Duration> Standstills::UnseenSince() const {
  if (standstills_.empty()) return std::nullopt;
  return standstills_.front().since;
}

}  // namespace tocsin
