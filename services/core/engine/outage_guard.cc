// Knows when Tocsin could receive heartbeats: touches, gaps, and what may be judged.
#include "services/core/engine/outage_guard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {
namespace {

constexpr absl::Duration kTouchesKept = absl::Hours(24);
constexpr absl::Duration kGapsKept = absl::Hours(24 * 400);  // longer than the longest timeout
// A gap ends with the stamp of a touch; no commit of a touch takes this long.
constexpr absl::Duration kLatestCommit = absl::Minutes(1);
// A gap is told this long before the hold after it ends: once deadlines are judged, whom it excused
// can no longer be seen. Most pushes that waited are in by then.
constexpr absl::Duration kTellAhead = absl::Seconds(3);
// Shedding may go on for hours in pieces of half a second: they are told together, and not before.
constexpr absl::Duration kTellShedAfter = absl::Minutes(5);
constexpr int kTellPage = 1000;    // monitors in one transaction
constexpr int kTellPages = 50;     // transactions in one call
constexpr size_t kTellNames = 20;  // unverified monitors told by name

const Touch* FindTouch(const std::vector<Touch>& touches, const std::string& instance) {
  const auto found = std::find_if(touches.begin(), touches.end(),
                                  [&](const Touch& touch) { return touch.instance == instance; });
  return found == touches.end() ? nullptr : &*found;
}

absl::Time Newest(const std::vector<Touch>& touches) {
  absl::Time newest = absl::InfinitePast();
  for (const Touch& touch : touches) newest = std::max(newest, touch.at);
  return newest;
}

// When a gateway was last heard by anybody; InfinitePast: never.
absl::Time GatewaySeen(const std::vector<Touch>& touches) {
  absl::Time seen = absl::InfinitePast();
  for (const Touch& touch : touches) seen = std::max(seen, touch.gateway_seen_at);
  return seen;
}

std::optional<Gap> JudgeGateways(const std::vector<Touch>& touches, const Touch& mine,
                                 const std::optional<GatewayReturn>& returned,
                                 absl::Duration blind_after) {
  const absl::Time seen = GatewaySeen(touches);
  if (seen == absl::InfinitePast()) return std::nullopt;
  if (mine.gateway_seen_at - seen > blind_after) {
    return Gap{.kind = GapKind::kGateway, .start = seen, .end = mine.gateway_seen_at};
  }
  if (!returned.has_value()) return std::nullopt;
  const bool others_had_one = std::any_of(touches.begin(), touches.end(), [&](const Touch& touch) {
    return touch.instance != mine.instance && touch.gateways > 0 &&
           mine.at - touch.at <= blind_after;
  });
  const absl::Time start = std::max(seen, returned->silent_from);
  if (others_had_one || start >= returned->at) return std::nullopt;
  return Gap{.kind = GapKind::kGateway, .start = start, .end = returned->at};
}

// The time whose transactions a failover may have lost: an own touch was committed at
// `committed`, and the database does not show it.
std::optional<Gap> JudgeFailover(const std::vector<Touch>& touches, const Touch& mine,
                                 absl::Time committed) {
  if (committed == absl::InfinitePast()) return std::nullopt;
  const Touch* own = FindTouch(touches, mine.instance);
  if (own != nullptr && own->at >= committed) return std::nullopt;
  absl::Time start = committed;
  if (own != nullptr) {
    start = own->at;
  } else if (!touches.empty()) {
    start = std::min(start, Newest(touches));
  }
  if (start >= mine.at) return std::nullopt;
  return Gap{.kind = GapKind::kCore, .start = start, .end = mine.at};
}

void LogGap(const Gap& gap) {
  const char* kind = gap.kind == GapKind::kCore      ? "core"
                     : gap.kind == GapKind::kGateway ? "gateway"
                                                     : "shed";
  LogWarning("own_outage", {{"kind", kind}, {"start", gap.start}, {"end", gap.end}});
}

// The first of the untold gaps with all that overlap it, or, when there is nothing else, all that
// was shed: the interval, the keys, and the gaps in order of end.
struct GapGroup {
  Gap whole;
  std::vector<int64_t> keys;
  GapList gaps;
};

GapGroup FirstGroup(std::vector<StoredGap> untold) {
  std::sort(untold.begin(), untold.end(),
            [](const StoredGap& a, const StoredGap& b) { return a.gap.end < b.gap.end; });
  // Nobody's judgement waits for what was shed, so it never keeps the others from being told in
  // time.
  const auto first = std::find_if(untold.begin(), untold.end(), [](const StoredGap& stored) {
    return stored.gap.kind != GapKind::kShed;
  });
  const bool only_shed = first == untold.end();
  GapGroup group{.whole = only_shed ? untold.front().gap : first->gap, .keys = {}, .gaps = {}};
  for (const StoredGap& stored : untold) {
    const Gap& gap = stored.gap;
    const bool apart = gap.start > group.whole.end || gap.end < group.whole.start;
    if (apart && !only_shed) continue;
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
  return group.whole.end <= now - (retry_time - kTellAhead);
}

void CountUnverified(const Monitor& monitor, const GapList& gaps,
                     std::map<ProjectKey, BlindNotice>& notices) {
  const MonitorDefinition& definition = monitor.definition;
  if (!DeadlineOf(definition, monitor.state, gaps).unverified) return;
  BlindNotice& notice = notices[definition.project];
  ++notice.unverified_count;
  if (notice.unverified_monitors.size() < kTellNames) {
    notice.unverified_monitors.push_back(
        absl::StrCat("projects/", definition.project_id, "/monitors/", definition.id));
  }
}

absl::Status AddBlindDeliveries(Transaction& transaction, ProjectKey project,
                                const BlindNotice& notice, absl::Time now) {
  ASSIGN_OR_RETURN(const std::vector<Channel> channels, transaction.Channels(project));
  std::vector<Delivery> deliveries;
  for (const Channel& channel : channels) {
    if (!channel.is_default || channel.disabled_at.has_value()) continue;
    Delivery delivery = NewDelivery(project, DeliveryType::kSystemBlind, now);
    delivery.channel = channel.key;
    delivery.blind = notice;
    deliveries.push_back(std::move(delivery));
  }
  return transaction.AddDeliveries(deliveries);
}

}  // namespace

std::vector<Gap> JudgeTouches(const std::vector<Touch>& touches, const Touch& mine,
                              const std::optional<GatewayReturn>& returned,
                              absl::Duration blind_after) {
  std::vector<Gap> gaps;
  if (touches.empty()) return gaps;
  const absl::Time newest = Newest(touches);
  if (mine.at - newest > blind_after) {
    gaps.push_back({.kind = GapKind::kCore, .start = newest, .end = mine.at});
  }
  const std::optional<Gap> silence = JudgeGateways(touches, mine, returned, blind_after);
  // Gateways that were heard until there was no core to hear them are no outage beside that one.
  const bool is_told = !gaps.empty() && silence.has_value() &&
                       silence->start >= gaps.front().start - blind_after &&
                       silence->end <= gaps.front().end;
  if (silence.has_value() && !is_told) gaps.push_back(*silence);
  return gaps;
}

OutageGuard::OutageGuard(Store& store, PushRecorder& recorder, const Clock& clock,
                         GuardOptions options, GuardMetrics& metrics)
    : store_(store),
      recorder_(recorder),
      clock_(clock),
      options_(std::move(options)),
      metrics_(metrics),
      gaps_(std::make_shared<const GapList>()) {}

Touch OutageGuard::NextTouch(absl::Time now) {
  return {.instance = options_.instance,
          .at = now,
          .gateways = gateways_,
          .gateway_seen_at = std::min(gateway_heard_at_, now)};
}

void OutageGuard::AddShed(const Gap& gap) {
  if (!shed_.has_value()) {
    shed_ = gap;
    return;
  }
  shed_->start = std::min(shed_->start, gap.start);
  shed_->end = std::max(shed_->end, gap.end);
}

absl::Status OutageGuard::TouchNow() {
  absl::MutexLock touching(&touching_);
  Touch mine;
  std::optional<Gap> shed;
  std::optional<GatewayReturn> returned;
  absl::Time committed;
  {
    absl::MutexLock lock(&mutex_);
    mine = NextTouch(clock_.Now());
    shed = std::exchange(shed_, std::nullopt);
    returned = std::exchange(returned_, std::nullopt);
    committed = newest_touch_;
  }
  std::vector<Gap> gaps;
  bool failed_over = false;
  const auto body = [&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
    gaps = JudgeTouches(touches, mine, returned, options_.blind_after);
    const std::optional<Gap> lost = JudgeFailover(touches, mine, committed);
    failed_over = lost.has_value();
    if (lost.has_value()) gaps.push_back(*lost);
    if (shed.has_value()) gaps.push_back(*shed);
    for (const Gap& gap : gaps) RETURN_IF_ERROR(transaction.AddGap(gap));
    // What is known of gateways outlives the instance that heard them.
    Touch saved = mine;
    saved.gateway_seen_at = std::max(mine.gateway_seen_at, GatewaySeen(touches));
    RETURN_IF_ERROR(transaction.SaveTouch(saved));
    return transaction.ForgetTouches(mine.at - kTouchesKept);
  };
  absl::Status status;
  absl::Notification done;
  recorder_.SubmitTouch(body, [&](absl::Status outcome) {
    status = std::move(outcome);
    done.Notify();
  });
  done.WaitForNotification();

  if (!status.ok()) {
    absl::MutexLock lock(&mutex_);
    if (shed.has_value()) AddShed(*shed);
    if (returned.has_value()) returned_ = returned;
    return status;
  }
  {
    absl::MutexLock lock(&mutex_);
    newest_touch_ = mine.at;
  }
  metrics_.touch_age.Set(absl::ToDoubleSeconds(mine.at - absl::UnixEpoch()));
  for (const Gap& gap : gaps) {
    LogGap(gap);
    if (gap.kind == GapKind::kCore) {
      metrics_.own_outage.Increment(absl::ToDoubleSeconds(gap.end - gap.start));
    }
  }
  if (failed_over) recorder_.FlushCache();
  // Nothing may be due for long: readers need not wait for a judgement. It was touched all the same
  // when they cannot be read.
  RefreshGaps(mine.at).status().IgnoreError();
  return absl::OkStatus();
}

void OutageGuard::GatewayConnected() {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    ++gateways_;
    metrics_.gateways.Set(gateways_);
    if (gateways_ == 1) {
      if (!returned_) returned_ = {.silent_from = gateway_heard_at_, .at = clock_.Now()};
      wake = wake_;
    }
  }
  if (wake) wake();
}

void OutageGuard::GatewayDisconnected() {
  absl::MutexLock lock(&mutex_);
  --gateways_;
  metrics_.gateways.Set(gateways_);
}

void OutageGuard::GatewayHeard(absl::Time at) {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    // The sooner the gap is recorded, the sooner judging goes on.
    if (at - gateway_heard_at_ > options_.blind_after) wake = wake_;
    gateway_heard_at_ = std::max(gateway_heard_at_, at);
  }
  if (wake) wake();
}

void OutageGuard::ReportShed(absl::Duration shed) {
  if (shed <= absl::ZeroDuration()) return;
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  AddShed({.kind = GapKind::kShed, .start = now - shed, .end = now});
}

void OutageGuard::OnUrgent(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  wake_ = std::move(wake);
}

absl::StatusOr<std::shared_ptr<const GapList>> OutageGuard::RefreshGaps(absl::Time now) {
  std::shared_ptr<const GapList> known;
  absl::Time since = now - kGapsKept;
  {
    absl::MutexLock lock(&mutex_);
    known = gaps_;
    if (gaps_read_ && !known->empty()) since = known->back().end - kLatestCommit;
  }
  ASSIGN_OR_RETURN(const GapList fresh, store_.ReadGaps(since));
  auto merged = std::make_shared<GapList>();
  for (const Gap& gap : *known) {
    if (gap.end < since && gap.end >= now - kGapsKept) merged->push_back(gap);
  }
  merged->insert(merged->end(), fresh.begin(), fresh.end());
  absl::MutexLock lock(&mutex_);
  gaps_read_ = true;
  if (*merged != *gaps_) gaps_ = std::move(merged);
  return gaps_;
}

absl::StatusOr<OutageGuard::Judgement> OutageGuard::Judge() {
  // Before the touches are read: what comes later may be younger than `now`.
  const absl::Time now = clock_.Now();
  const absl::Duration unsettled = std::max(options_.settle, recorder_.OldestAge());
  absl::Time newest = absl::InfinitePast();
  absl::Time heard = absl::InfinitePast();
  // Touches before gaps: a gap is committed with the touch that ends it.
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
        newest = Newest(touches);
        heard = GatewaySeen(touches);
        return absl::OkStatus();
      }));
  Judgement judgement;
  ASSIGN_OR_RETURN(judgement.gaps, RefreshGaps(now));
  judgement.up_to = std::min(newest, now - unsettled);
  judgement.http_up_to = judgement.up_to;
  // Where no gateway was ever heard nobody waits for one.
  if (heard != absl::InfinitePast()) judgement.http_up_to = std::min(judgement.up_to, heard);
  for (const Gap& gap : *judgement.gaps) {
    if (gap.kind == GapKind::kShed || now >= gap.end + options_.retry_time) continue;
    judgement.wait_until = std::max(judgement.wait_until, gap.end + options_.retry_time);
    const absl::Time undisturbed = gap.start - options_.retry_time;
    judgement.http_up_to = std::min(judgement.http_up_to, undisturbed);
    if (gap.kind == GapKind::kCore) judgement.up_to = std::min(judgement.up_to, undisturbed);
  }
  return judgement;
}

std::shared_ptr<const GapList> OutageGuard::Gaps() const {
  absl::MutexLock lock(&mutex_);
  return gaps_;
}

absl::Time OutageGuard::NewestTouch() const {
  absl::MutexLock lock(&mutex_);
  return newest_touch_;
}

absl::Status OutageGuard::TellPage(Transaction& transaction, absl::Time now, Telling& telling) {
  ASSIGN_OR_RETURN(std::vector<StoredGap> untold, transaction.LockUntoldGaps(now));
  if (untold.empty()) {
    telling = {};
    return absl::OkStatus();
  }
  const GapGroup group = FirstGroup(std::move(untold));
  if (!IsToBeTold(group, options_.retry_time, now)) {
    telling = {};
    return absl::OkStatus();
  }
  // Others may have told, or another gap may belong to it now: it is counted anew then.
  if (telling.gaps != group.keys) telling = {.gaps = group.keys, .after = 0, .notices = {}};
  ASSIGN_OR_RETURN(const std::vector<Monitor> monitors,
                   transaction.MonitorsAround(group.whole, telling.after, kTellPage));
  for (const Monitor& monitor : monitors) CountUnverified(monitor, group.gaps, telling.notices);
  if (static_cast<int>(monitors.size()) == kTellPage) {
    telling.after = monitors.back().definition.key;
    return absl::OkStatus();
  }
  for (auto& [project, notice] : telling.notices) {
    notice.start = group.whole.start;
    notice.end = group.whole.end;
    RETURN_IF_ERROR(AddBlindDeliveries(transaction, project, notice, now));
  }
  // The next page begins another group.
  telling.after = 0;
  telling.notices.clear();
  return transaction.MarkGapsTold(group.keys);
}

absl::Status OutageGuard::TellGaps() {
  absl::MutexLock lock(&tell_mutex_);
  for (int page = 0; page < kTellPages; ++page) {
    const absl::Time now = clock_.Now();
    Telling next;
    const auto body = [&](Transaction& transaction) -> absl::Status {
      next = telling_;
      return TellPage(transaction, now, next);
    };
    RETURN_IF_ERROR(store_.Transact(TransactionClass::kSweeper, body));
    telling_ = std::move(next);
    if (telling_.gaps.empty()) break;
  }
  return absl::OkStatus();
}

}  // namespace tocsin::core
