// Knows when Tocsin could receive heartbeats: touches, gaps, and what may be judged.
#include "services/core/engine/outage_guard.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {
namespace {

const absl::Duration kGapsKept = kMaxTimeout + kMaxGrace;  // a deadline is no further away
// A gap ends with the stamp of a touch; no commit of a touch takes this long.
constexpr absl::Duration kLatestCommit = absl::Minutes(1);

void LogGap(const Gap& gap) {
  const char* kind = gap.kind == GapKind::kCore      ? "core"
                     : gap.kind == GapKind::kGateway ? "gateway"
                                                     : "shed";
  LogWarning("own_outage", {{"kind", kind}, {"start", gap.start}, {"end", gap.end}});
}

}  // namespace

OutageGuard::OutageGuard(Store& store, PushRecorder& recorder, const Clock& clock,
                         GuardOptions options, GuardMetrics& metrics)
    : store_(store),
      recorder_(recorder),
      clock_(clock),
      options_(std::move(options)),
      metrics_(metrics),
      gaps_(std::make_shared<const GapList>()),
      teller_(store, clock, options_.retry_time) {}

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
    // The gap that it ended is not to be told again when it is heard.
    if (returned.has_value()) {
      saved.gateway_seen_at = std::max(saved.gateway_seen_at, returned->at);
    }
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
    first_touch_ = std::min(first_touch_, mine.at);
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

void OutageGuard::GatewayHolds(const void* stream, absl::Time since) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  holdings_.Say(stream, since, now);
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

void OutageGuard::OnAsk(std::function<void()> ask) {
  absl::MutexLock lock(&mutex_);
  ask_ = std::move(ask);
}

void OutageGuard::AskGateways() {
  std::function<void()> ask;
  {
    absl::MutexLock lock(&mutex_);
    ask = ask_;
  }
  if (ask) ask();
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
  const auto newest = std::find_if(merged->rbegin(), merged->rend(),
                                   [](const Gap& gap) { return gap.kind == GapKind::kCore; });
  if (newest != merged->rend()) {
    metrics_.newest_outage.Set(absl::ToDoubleSeconds(newest->end - absl::UnixEpoch()));
  }
  absl::MutexLock lock(&mutex_);
  gaps_read_ = true;
  if (*merged != *gaps_) gaps_ = std::move(merged);
  return gaps_;
}

absl::StatusOr<OutageGuard::Judgement> OutageGuard::Judge() {
  const absl::Time now = clock_.Now();
  absl::Time newest = absl::InfinitePast();
  absl::Time heard = absl::InfinitePast();
  // Touches before gaps: a gap is committed with the touch that ends it.
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
        newest = core::NewestTouch(touches);
        heard = GatewaySeen(touches);
        return absl::OkStatus();
      }));
  // After the touches, and gateways first: a push that came before the newest of them waits in a
  // gateway that said so, or here, or is committed, and moves in this direction only. One that
  // comes from now on is younger than what is settled.
  absl::Time held_since;
  {
    absl::MutexLock lock(&mutex_);
    held_since = holdings_.OldestSince(now - options_.blind_after);
  }
  const absl::Duration oldest_age = recorder_.OldestAge();
  const absl::Time settled = std::min(now - options_.settle, clock_.Now() - oldest_age);
  Judgement judgement;
  ASSIGN_OR_RETURN(judgement.gaps, RefreshGaps(now));
  judgement.up_to = std::min(newest, settled);
  judgement.http_up_to = judgement.up_to;
  // Where no gateway was ever heard nobody waits for one.
  if (heard != absl::InfinitePast()) judgement.http_up_to = std::min(judgement.up_to, heard);
  judgement.http_up_to = std::min(judgement.http_up_to, held_since);
  for (const Gap& gap : *judgement.gaps) {
    if (gap.kind == GapKind::kShed || now >= gap.end + options_.retry_time) continue;
    judgement.wait_until = std::max(judgement.wait_until, gap.end + options_.retry_time);
    const absl::Time undisturbed = gap.start - options_.retry_time;
    judgement.http_up_to = std::min(judgement.http_up_to, undisturbed);
    if (gap.kind == GapKind::kCore) judgement.up_to = std::min(judgement.up_to, undisturbed);
  }
  return judgement;
}

absl::Status OutageGuard::TellGaps() {
  RETURN_IF_ERROR(teller_.Tell());
  return TellSilence();
}

absl::Status OutageGuard::TellSilence() {
  const absl::Time now = clock_.Now();
  absl::Time touching_since;
  {
    absl::MutexLock lock(&mutex_);
    if (now - gateway_heard_at_ < kSilenceToldAfter) return absl::OkStatus();
    touching_since = first_touch_;
  }
  std::vector<Touch> touches;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kSweeper, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(touches, transaction.ReadTouches());
        return absl::OkStatus();
      }));
  // After the touches: a gap is committed with the touch that ends it, and a core that was away
  // itself knows nothing of gateways.
  ASSIGN_OR_RETURN(const std::shared_ptr<const GapList> gaps, RefreshGaps(now));
  const std::optional<absl::Time> since =
      LongSilence(touches, *gaps, touching_since, now, options_.blind_after);
  return since.has_value() ? teller_.TellSilence(*since) : absl::OkStatus();
}

std::shared_ptr<const GapList> OutageGuard::Gaps() const {
  absl::MutexLock lock(&mutex_);
  return gaps_;
}

absl::Time OutageGuard::NewestTouch() const {
  absl::MutexLock lock(&mutex_);
  return newest_touch_;
}

}  // namespace tocsin::core
