// Tells people of own outages.
#include "services/core/engine/gap_teller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/touches.h"
#include "services/core/store/new_delivery.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {
namespace {

// A gap is told this long before the hold after it ends: once deadlines are judged, whom it excused
// can no longer be seen. Most pushes that waited are in by then.
constexpr absl::Duration kTellAhead = absl::Seconds(3);
// Shedding may go on for hours in pieces of half a second: they are told together, and not before.
constexpr absl::Duration kTellShedAfter = absl::Minutes(5);
// A replica may have heard a gateway a little later than the others knew.
constexpr absl::Duration kHeardLater = absl::Seconds(2);
constexpr int kTellPage = 1000;    // monitors in one transaction
constexpr int kTellPages = 50;     // transactions in one call
constexpr size_t kTellNames = 20;  // unverified monitors told by name

// The first of the untold gaps with all that overlap it, or, when there is nothing else, all that
// was shed: the interval, the keys, and the gaps in order of end.
struct GapGroup {
  Gap whole;
  // When judging was last held by one of them. Nobody's judgement waits for what was shed, so that
  // never keeps the others from being told in time.
  absl::Time held_from;
  std::vector<int64_t> keys;
  GapList gaps;
};

GapGroup FirstGroup(std::vector<StoredGap> untold) {
  std::sort(untold.begin(), untold.end(),
            [](const StoredGap& a, const StoredGap& b) { return a.gap.end < b.gap.end; });
  const auto first = std::find_if(untold.begin(), untold.end(), [](const StoredGap& stored) {
    return stored.gap.kind != GapKind::kShed;
  });
  const bool only_shed = first == untold.end();
  const Gap& seed = only_shed ? untold.front().gap : first->gap;
  GapGroup group{.whole = seed, .held_from = seed.end, .keys = {}, .gaps = {}};
  // What was shed belongs to what it overlaps, and does not tie it to what follows.
  Gap held = seed;
  for (const StoredGap& stored : untold) {
    const Gap& gap = stored.gap;
    const bool apart = gap.start > held.end || gap.end < held.start;
    if (apart && !only_shed) continue;
    if (gap.kind != GapKind::kShed) {
      held.start = std::min(held.start, gap.start);
      held.end = std::max(held.end, gap.end);
      group.held_from = held.end;
    }
    group.keys.push_back(stored.key);
    group.gaps.push_back(gap);
    group.whole.start = std::min(group.whole.start, gap.start);
    group.whole.end = std::max(group.whole.end, gap.end);
    if (gap.kind == GapKind::kCore) group.whole.kind = GapKind::kCore;
  }
  return group;
}

// Whether it is time: see kTellAhead and kTellShedAfter.
bool IsToBeTold(const GapGroup& group, absl::Duration retry_time, absl::Time now) {
  if (group.whole.kind == GapKind::kShed) return group.whole.start <= now - kTellShedAfter;
  return group.held_from <= now - (retry_time - kTellAhead);
}

void CountUnverified(const Monitor& monitor, const GapGroup& group,
                     std::map<ProjectKey, BlindNotice>& notices) {
  const MonitorDefinition& definition = monitor.definition;
  if (monitor.state.last_at >= group.whole.end) {
    if (IsOutlastedBy(definition, monitor.state, group.gaps)) {
      notices.try_emplace(definition.project);
    }
    return;
  }
  if (!DeadlineOf(definition, monitor.state, group.gaps).swallowed) return;
  BlindNotice& notice = notices[definition.project];
  ++notice.unverified_count;
  if (notice.unverified_monitors.size() < kTellNames) {
    notice.unverified_monitors.push_back(
        absl::StrCat("projects/", definition.project_id, "/monitors/", definition.id));
  }
}

// To the default channels of the project.
absl::StatusOr<std::vector<Delivery>> BlindDeliveries(Transaction& transaction, ProjectKey project,
                                                      const BlindNotice& notice, absl::Time now) {
  ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(project));
  std::vector<Delivery> deliveries;
  for (const Channel& channel : *channels) {
    if (!channel.is_default || channel.disabled_at.has_value()) continue;
    Delivery delivery = NewDelivery(project, DeliveryType::kSystemBlind, now);
    delivery.channel = channel.key;
    delivery.blind = notice;
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

}  // namespace

GapTeller::GapTeller(Store& store, const Clock& clock, absl::Duration retry_time)
    : store_(store), clock_(clock), retry_time_(retry_time) {}

absl::Status GapTeller::TellPage(Transaction& transaction, absl::Time now, Telling& telling) {
  ASSIGN_OR_RETURN(std::vector<StoredGap> untold, transaction.LockUntoldGaps(now));
  if (untold.empty()) {
    telling = {};
    return absl::OkStatus();
  }
  const GapGroup group = FirstGroup(std::move(untold));
  if (!IsToBeTold(group, retry_time_, now)) {
    telling = {};
    return absl::OkStatus();
  }
  // Others may have told, or another gap may belong to it now: it is counted anew then.
  if (telling.gaps != group.keys) telling = {.gaps = group.keys, .after = 0, .notices = {}};
  ASSIGN_OR_RETURN(const std::vector<Monitor> monitors,
                   transaction.MonitorsAround(group.whole, telling.after, kTellPage));
  for (const Monitor& monitor : monitors) CountUnverified(monitor, group, telling.notices);
  if (static_cast<int>(monitors.size()) == kTellPage) {
    telling.after = monitors.back().definition.key;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<ProjectKey> told,
                   transaction.EndSilence(group.whole.start - kHeardLater, group.whole.end, now));
  for (const ProjectKey project : told) telling.notices.try_emplace(project);
  for (auto& [project, notice] : telling.notices) {
    notice.start = group.whole.start;
    notice.end = group.whole.end;
    ASSIGN_OR_RETURN(const std::vector<Delivery> deliveries,
                     BlindDeliveries(transaction, project, notice, now));
    RETURN_IF_ERROR(transaction.AddDeliveries(deliveries));
  }
  // The next page begins another group.
  telling.after = 0;
  telling.notices.clear();
  return transaction.MarkGapsTold(group.keys);
}

absl::Status GapTeller::TellSilence(absl::Time since) {
  absl::MutexLock lock(&mutex_);
  if (since <= silence_told_) return absl::OkStatus();
  const absl::Time now = clock_.Now();
  const auto body = [&](Transaction& transaction) -> absl::Status {
    ToldSilence told;
    std::vector<Delivery> deliveries;
    ASSIGN_OR_RETURN(told.projects, transaction.ProjectsOverHttp());
    const BlindNotice notice = {.start = since,
                                .end = absl::InfiniteFuture(),
                                .unverified_count = 0,
                                .unverified_monitors = {}};
    for (const ProjectKey project : told.projects) {
      ASSIGN_OR_RETURN(std::vector<Delivery> some,
                       BlindDeliveries(transaction, project, notice, now));
      for (Delivery& delivery : some) {
        told.deliveries.push_back(delivery.id);
        deliveries.push_back(std::move(delivery));
      }
    }
    // One may have been heard since that was found. Last of all, so that no other replica can tell
    // of the gap in between, which comes three seconds later.
    ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
    if (GatewaySeen(touches) != since) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool mine, transaction.ClaimSilence(since, told));
    return mine ? transaction.AddDeliveries(deliveries) : absl::OkStatus();
  };
  RETURN_IF_ERROR(store_.Transact(TransactionClass::kSweeper, body));
  silence_told_ = since;
  return absl::OkStatus();
}

absl::Status GapTeller::Tell() {
  absl::MutexLock lock(&mutex_);
  for (int page = 0; page < kTellPages; ++page) {
    const absl::Time now = clock_.Now();
    const Telling before = telling_;
    Telling next;
    const auto body = [&](Transaction& transaction) -> absl::Status {
      next = before;
      return TellPage(transaction, now, next);
    };
    RETURN_IF_ERROR(store_.Transact(TransactionClass::kSweeper, body));
    telling_ = std::move(next);
    if (telling_.gaps.empty()) break;
  }
  return absl::OkStatus();
}

}  // namespace tocsin::core
