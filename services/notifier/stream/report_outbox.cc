// Reports on their way to core: those that wait, and those that may have been lost with a stream.
#include "services/notifier/stream/report_outbox.h"

#include <algorithm>

namespace tocsin::notifier {

std::vector<Report> ReportOutbox::TakeBatch(size_t limit, absl::Duration now) {
  std::vector<Report> batch;
  const size_t n = std::min(limit, pending_.size());
  batch.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    batch.push_back(std::move(pending_.front()));
    pending_.pop_front();
    if (batch.back().result != Result::kDeferred) written_.emplace_back(now, batch.back());
  }
  Forget(now);
  return batch;
}

std::vector<Report> ReportOutbox::TakeUncertain(absl::Duration now) {
  Forget(now);
  std::vector<Report> uncertain;
  for (auto& [at, report] : written_) uncertain.push_back(std::move(report));
  for (Report& report : pending_) uncertain.push_back(std::move(report));
  written_.clear();
  pending_.clear();
  return uncertain;
}

void ReportOutbox::Forget(absl::Duration now) {
  while (!written_.empty() &&
         (written_.front().first + kMemory < now || written_.size() > kMostRemembered)) {
    written_.pop_front();
  }
}

}  // namespace tocsin::notifier
