// Reports on their way to core: those that wait, and those that may have been lost with a stream.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/notifier/delivery/verdict.h"

namespace tocsin::notifier {

// The reports of one stream. The protocol acknowledges no report: what was written shortly before
// a stream broke may not have arrived, so it is kept for a while and told again by another stream.
// That is harmless: core ignores what it knows. Times are monotonic. Not thread safe.
class ReportOutbox {
 public:
  // Written reports are remembered this long, which is more than it takes to notice that a core has
  // vanished (see MakeChannel), and no more than this many.
  static constexpr absl::Duration kMemory = absl::Seconds(15);
  static constexpr size_t kMostRemembered = 32'768;

  void Add(Report report) { pending_.push_back(std::move(report)); }
  size_t pending() const { return pending_.size(); }
  // Takes up to `limit` reports to be written at `now`, and remembers them.
  std::vector<Report> TakeBatch(size_t limit, absl::Duration now);
  // The stream broke: takes everything that core may not know, oldest first. Deferrals that were
  // written are left out: their leases expire by themselves.
  std::vector<Report> TakeUncertain(absl::Duration now);

 private:
  void Forget(absl::Duration now);

  std::deque<Report> pending_;
  std::deque<std::pair<absl::Duration, Report>> written_;
};

}  // namespace tocsin::notifier
