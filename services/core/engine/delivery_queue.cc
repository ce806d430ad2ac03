// Hands leased deliveries to notifiers and takes their reports.
#include "services/core/engine/delivery_queue.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "common/random.h"
#include "common/status_macros.h"
#include "services/core/engine/metrics.h"

namespace tocsin::core {
namespace {

constexpr int kSlices = 20;  // transactions of reports in one tick
// So many must do after one that took too long, before more are tried at a time again.
constexpr int kSlicesUntilMore = 100;
constexpr int kLeaseRounds = 16;
constexpr absl::Duration kShortestRest = absl::Milliseconds(5);
// While all that is due waits for channels whose leases are all in use: reports end it. Nor is it
// worth the cost to ask what is due next while deliveries flow.
constexpr absl::Duration kCrowdedRest = absl::Milliseconds(50);

const char* ResultName(DeliveryResult result) {
  switch (result) {
    case DeliveryResult::kDelivered:
      return "delivered";
    case DeliveryResult::kRetry:
      return "retry";
    case DeliveryResult::kDeferred:
      return "deferred";
    case DeliveryResult::kGone:
      return "gone";
    case DeliveryResult::kDead:
      return "dead";
  }
  return "unknown";
}

// Whether the same reports may be applied later. Those of which it is not known whether they were
// applied are: the second time changes nothing.
bool WorthRepeating(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsUnknown(status);
}

}  // namespace

DeliveryQueue::DeliveryQueue(Store& store, const Clock& clock, DeliveryQueueOptions options,
                             DeliveryMetrics& metrics)
    : store_(store),
      clock_(clock),
      options_(options),
      metrics_(metrics),
      allowances_(options.per_channel),
      news_(store, options.failing_after) {}

DeliveryQueue::StreamId DeliveryQueue::Attach(std::string notifier, Assign assign) {
  StreamId stream = 0;
  {
    absl::MutexLock lock(&mutex_);
    stream = next_stream_++;
    streams_[stream] = Stream{.notifier = std::move(notifier), .assign = std::move(assign)};
    metrics_.notifiers.Set(static_cast<double>(streams_.size()));
  }
  Wake(Task::kLeases);
  return stream;
}

void DeliveryQueue::Detach(StreamId stream) {
  {
    absl::MutexLock lock(&mutex_);
    streams_.erase(stream);
    metrics_.notifiers.Set(static_cast<double>(streams_.size()));
  }
  absl::MutexLock wait_for_assign(&assigning_);
}

void DeliveryQueue::GrantCredits(StreamId stream, uint32_t credits) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    found->second.credits += credits;
  }
  Wake(Task::kLeases);
}

bool DeliveryQueue::Report(std::vector<DeliveryReport> reports) {
  {
    absl::MutexLock lock(&mutex_);
    if (reports_.size() + reports.size() > options_.report_limit) return false;
    std::move(reports.begin(), reports.end(), std::back_inserter(reports_));
  }
  Wake(Task::kReports);
  return true;
}

void DeliveryQueue::OnUrgent(std::function<void()> wake_leases,
                             std::function<void()> wake_reports) {
  absl::MutexLock lock(&mutex_);
  wake_leases_ = std::move(wake_leases);
  wake_reports_ = std::move(wake_reports);
}

void DeliveryQueue::Wake(Task task) {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    wake = task == Task::kLeases ? wake_leases_ : wake_reports_;
  }
  if (wake) wake();
}

absl::Duration DeliveryQueue::TickReports() {
  const absl::Time now = clock_.Now();
  const absl::Status applied = ApplyReports(now);
  reports_log_.Report(applied);
  if (!applied.ok()) return options_.longest_rest;
  news_log_.Report(news_.Tell(now));
  absl::MutexLock lock(&mutex_);
  return reports_.empty() ? options_.longest_rest : absl::ZeroDuration();
}

absl::Duration DeliveryQueue::TickLeases() {
  const absl::Time now = clock_.Now();
  const bool held_back = options_.holds_back && options_.holds_back();
  if (held_back && now >= looked_at_ && now < looked_at_ + options_.held_back_rest) {
    return looked_at_ + options_.held_back_rest - now;
  }
  looked_at_ = now;
  absl::StatusOr<Leased> leased = Leased::kFull;
  for (int round = 0; round < kLeaseRounds && leased.ok() && *leased == Leased::kFull; ++round) {
    leased = LeaseOnce(now, held_back);
  }
  absl::StatusOr<absl::Duration> rest = options_.longest_rest;
  if (!leased.ok()) {
    rest = leased.status();
  } else if (held_back) {
    rest = options_.held_back_rest;
  } else if (*leased == Leased::kFull) {
    rest = absl::ZeroDuration();
  } else if (*leased == Leased::kSome) {
    rest = std::min(kCrowdedRest, options_.longest_rest);
  } else if (*leased == Leased::kNone) {
    rest = RestUntilDue();
  }
  leases_log_.Report(rest.status());
  return rest.ok() ? *rest : options_.longest_rest;
}

absl::Status DeliveryQueue::ApplyReports(absl::Time now) {
  for (int i = 0; i < kSlices; ++i) {
    std::vector<DeliveryReport> slice;
    {
      absl::MutexLock lock(&mutex_);
      const size_t count = std::min(slice_, reports_.size());
      slice.assign(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (slice.empty()) return absl::OkStatus();
    absl::Status status = ApplySlice(slice, now);
    if (!status.ok() && !WorthRepeating(status)) {
      // One of them is poisonous: alone it does not take the others with it.
      status = absl::OkStatus();
      for (size_t k = 0; k < slice.size() && status.ok(); ++k) {
        const absl::Status alone = ApplySlice(absl::MakeConstSpan(slice).subspan(k, 1), now);
        if (alone.ok()) continue;
        if (WorthRepeating(alone)) {
          status = alone;
        } else {
          LogError("delivery_report_refused",
                   {{"delivery", slice[k].delivery_id}, {"error", alone}});
        }
      }
    }
    // So many may have been more than the time allows.
    if (!status.ok()) {
      slice_ = std::max<size_t>(1, slice_ / 2);
      slices_until_more_ = kSlicesUntilMore;
    } else if (slice_ < kReportSlice && --slices_until_more_ <= 0) {
      slice_ = std::min(kReportSlice, slice_ * 2);
      slices_until_more_ = kSlicesUntilMore;
    }
    RETURN_IF_ERROR(status);
    // Only this thread takes from the front.
    absl::MutexLock lock(&mutex_);
    reports_.erase(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(slice.size()));
  }
  return absl::OkStatus();
}

absl::Status DeliveryQueue::ApplySlice(absl::Span<const DeliveryReport> slice, absl::Time now) {
  ASSIGN_OR_RETURN(const ReportEffects effects, store_.ApplyReports(slice, now));
  news_.Add(effects, now);
  allowances_.Reported(slice, now);
  // Their channels have leases to spare, and what waited for them may be due.
  Wake(Task::kLeases);
  for (const DeliveryReport& report : slice) {
    metrics_.reports.Add({{"result", ResultName(report.result)}}).Increment();
  }
  return absl::OkStatus();
}

absl::StatusOr<DeliveryQueue::Leased> DeliveryQueue::LeaseOnce(absl::Time now, bool held_back) {
  LeaseRequest request;
  StreamId stream = 0;
  {
    absl::MutexLock lock(&mutex_);
    const auto wants = [](const auto& entry) { return entry.second.credits > 0; };
    const auto after = streams_.upper_bound(last_served_);
    auto next = std::find_if(after, streams_.end(), wants);
    if (next == streams_.end()) {
      next = std::find_if(streams_.begin(), after, wants);
      if (next == after) return Leased::kNobodyWants;
    }
    stream = last_served_ = next->first;
    request.notifier = next->second.notifier;
    request.limit = static_cast<int>(
        std::min<uint64_t>(next->second.credits, static_cast<uint64_t>(options_.lease_limit)));
  }
  request.lease_id = RandomToken();
  request.now = now;
  request.lease = options_.lease;
  request.per_channel = allowances_.first();
  if (!held_back) request.allowances = allowances_.Get(now);
  request.per_failing_channel = options_.per_failing_channel;
  ASSIGN_OR_RETURN(std::vector<LeasedDelivery> leased, store_.LeaseDeliveries(request));
  if (leased.empty()) return Leased::kNone;
  const bool full = static_cast<int>(leased.size()) >= request.limit;
  HandOver(stream, std::move(leased));
  return full ? Leased::kFull : Leased::kSome;
}

void DeliveryQueue::HandOver(StreamId stream, std::vector<LeasedDelivery> leased) {
  allowances_.Leased(leased, clock_.Now());
  absl::MutexLock assigning(&assigning_);
  Assign assign;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = streams_.find(stream);
    if (found == streams_.end()) {
      // It left meanwhile: others need not wait for the leases to expire.
      for (const LeasedDelivery& each : leased) {
        reports_.push_back({.lease_id = each.delivery.lease_id,
                            .delivery_id = each.delivery.id,
                            .result = DeliveryResult::kDeferred,
                            .outcome = "the notifier left",
                            .http_status = 0,
                            .answer = "",
                            .retry_after = absl::ZeroDuration()});
      }
      return;
    }
    Stream& receiver = found->second;
    receiver.credits -= std::min<uint64_t>(receiver.credits, leased.size());
    assign = receiver.assign;
  }
  metrics_.leased.Increment(static_cast<double>(leased.size()));
  assign(std::move(leased));
}

absl::StatusOr<absl::Duration> DeliveryQueue::RestUntilDue() {
  ASSIGN_OR_RETURN(const absl::Time next, store_.NextDeliveryAt());
  const absl::Duration until = next - clock_.Now();
  if (until <= absl::ZeroDuration()) return std::min(kCrowdedRest, options_.longest_rest);
  return std::clamp(until, kShortestRest, std::max(kShortestRest, options_.longest_rest));
}

}  // namespace tocsin::core
