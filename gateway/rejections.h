// Pushes that were refused, counted until core is told of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/sha256.h"
#include "tocsin/internal/v1/rejection_service.pb.h"

namespace tocsin::gateway {

// One refusal. The views are not kept.
struct Rejection {
  Sha256Digest token_hash{};  // of the push token or push key
  std::string_view monitor_id;
  internal::v1::RejectionReason reason = internal::v1::REJECTION_REASON_UNSPECIFIED;
  std::string_view source;  // the client's address
  std::string_view detail;  // what it was told
  bool known = false;       // core has accepted pushes with it
};

// Loop thread only. Holds at most kMost entries, of which at most half may be of tokens of which it
// is not known that core knows them: whoever tries tokens does not push out what a job of ours was
// refused. What does not fit is not counted.
class Rejections {
 public:
  static constexpr size_t kMost = 1000;
  static constexpr size_t kMostUnknown = kMost / 2;
  static constexpr absl::Duration kFlushEvery = absl::Seconds(5);

  // `now` on the loop's clock.
  void Note(const Rejection& rejection, absl::Duration now);

  // When a report is to be sent; infinite: there is nothing to tell.
  absl::Duration due_at() const;
  // What was noted since the last one; empty when nothing was.
  internal::v1::ReportRejectionsRequest Take(absl::Duration now);

 private:
  using Key = std::tuple<std::string, std::string, int, std::string>;
  struct Entry {
    int64_t count = 0;
    std::string detail;
    absl::Duration newest;
  };

  absl::flat_hash_map<Key, Entry> entries_;
  size_t unknown_ = 0;
  absl::Duration oldest_;  // of those that wait
};

}  // namespace tocsin::gateway
