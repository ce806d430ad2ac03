// Pushes that were refused, counted until core is told of them.
#include "gateway/rejections.h"

#include <algorithm>
#include <utility>

namespace tocsin::gateway {
namespace {

constexpr size_t kMaxDetailBytes = 200;

// Cut between two characters of UTF-8.
std::string Cut(std::string_view text) {
  size_t end = std::min(text.size(), kMaxDetailBytes);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end));
}

}  // namespace

void Rejections::Note(const Rejection& rejection, absl::Duration now) {
  const auto* hash = reinterpret_cast<const char*>(rejection.token_hash.data());
  Key key(std::string(hash, rejection.token_hash.size()), std::string(rejection.monitor_id),
          static_cast<int>(rejection.reason), std::string(rejection.source));
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= kMost || (!rejection.known && unknown_ >= kMostUnknown)) return;
    if (entries_.empty()) oldest_ = now;
    if (!rejection.known) ++unknown_;
    found = entries_.emplace(std::move(key), Entry()).first;
  }
  found->second.count += 1;
  found->second.detail = Cut(rejection.detail);
  found->second.newest = now;
}

absl::Duration Rejections::due_at() const {
  return entries_.empty() ? absl::InfiniteDuration() : oldest_ + kFlushEvery;
}

internal::v1::ReportRejectionsRequest Rejections::Take(absl::Duration now) {
  internal::v1::ReportRejectionsRequest request;
  for (auto& [key, entry] : entries_) {
    internal::v1::Rejections& out = *request.add_rejections();
    out.set_token_hash(std::get<0>(key));
    out.set_monitor_id(std::get<1>(key));
    out.set_reason(static_cast<internal::v1::RejectionReason>(std::get<2>(key)));
    out.set_source(std::get<3>(key));
    out.set_count(entry.count);
    out.set_detail(std::move(entry.detail));
    out.set_age_micros(std::max<int64_t>(0, absl::ToInt64Microseconds(now - entry.newest)));
  }
  entries_.clear();
  unknown_ = 0;
  return request;
}

}  // namespace tocsin::gateway
