// Divides a group of pushes between the fast path and the full path.
#include "services/core/engine/push_group.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "services/core/engine/push_access.h"

namespace tocsin::core {
namespace {

// Whether all of one monitor's items may take the fast path together, if those that `begun` before
// `doubtful` may have been recorded elsewhere.
bool AllEligible(absl::Span<const SteadyCandidate> of_monitor, absl::Duration doubtful) {
  absl::flat_hash_set<uint64_t> push_ids;
  for (const SteadyCandidate& candidate : of_monitor) {
    if (!candidate.eligible) return false;
    if (candidate.token.version != of_monitor.front().token.version) return false;
    if (of_monitor.size() == 1) return true;
    // The fast path knows the last recorded push of a monitor, and so whether a lone one is it.
    // Those that fold into a later one only the full path looks for,
    if (candidate.entry->begun < doubtful) return false;
    // and so for the same push twice.
    const uint64_t push_id = candidate.entry->item.heartbeat.push_id;
    if (push_id != 0 && !push_ids.insert(push_id).second) return false;
  }
  return true;
}

}  // namespace

bool MayBeSteady(const QueuedPush& entry) {
  return entry.item.heartbeat.kind == HeartbeatKind::kUp && entry.item.heartbeat.run_id.empty() &&
         entry.item.heartbeat.output.empty() && !entry.item.retried && !entry.tried;
}

SteadyUp SteadyUpOf(const SteadyCandidate& candidate) {
  const Heartbeat& heartbeat = candidate.entry->item.heartbeat;
  SteadyUp up;
  up.monitor = candidate.token.monitor;
  up.version = candidate.token.version;
  up.at = heartbeat.at;
  up.push_id = heartbeat.push_id;
  up.source = heartbeat.source;
  up.message = heartbeat.message;
  up.value = heartbeat.value;
  up.exit_status = heartbeat.exit_status;
  return up;
}

void DivideGroup(std::vector<QueuedPush>& entries, const TokenCache& cache, absl::Time now,
                 absl::Duration monotonic, std::vector<SteadyCandidate>& steady,
                 std::vector<QueuedPush*>& full) {
  std::vector<SteadyCandidate> known;
  known.reserve(entries.size());
  for (QueuedPush& entry : entries) {
    std::optional<CachedToken> token = FindAccess(cache, entry.item, now);
    if (token.has_value()) {
      const bool in_bounds = !token->has_value_bounds || !entry.item.heartbeat.value.has_value();
      known.push_back(SteadyCandidate{&entry, *std::move(token), in_bounds && MayBeSteady(entry)});
    } else {
      full.push_back(&entry);
    }
  }
  std::sort(known.begin(), known.end(), [](const SteadyCandidate& a, const SteadyCandidate& b) {
    if (a.token.monitor != b.token.monitor) return a.token.monitor < b.token.monitor;
    const absl::Time at_a = a.entry->item.heartbeat.at, at_b = b.entry->item.heartbeat.at;
    return at_a != at_b ? at_a < at_b : a.entry < b.entry;
  });
  for (auto first = known.begin(); first != known.end();) {
    const auto last = std::find_if(first, known.end(), [first](const SteadyCandidate& candidate) {
      return candidate.token.monitor != first->token.monitor;
    });
    if (AllEligible(absl::MakeConstSpan(&*first, static_cast<size_t>(last - first)),
                    monotonic - kMayBeElsewhere)) {
      std::move(first, last, std::back_inserter(steady));
    } else {
      for (auto it = first; it != last; ++it) full.push_back(it->entry);
    }
    first = last;
  }
}

}  // namespace tocsin::core
