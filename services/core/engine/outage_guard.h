// Knows when Tocsin could receive heartbeats: touches, gaps, and what may be judged.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/gap.h"
#include "services/core/engine/gap_teller.h"
#include "services/core/engine/gateway_holdings.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/touches.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct GuardMetrics;

struct GuardOptions {
  std::string instance;  // this replica's name, new with each start
  absl::Duration touch_every = absl::Milliseconds(500);
  absl::Duration blind_after = absl::Seconds(2);   // without a touch: an own outage
  absl::Duration settle = absl::Milliseconds(20);  // no younger deadline is judged
  absl::Duration retry_time = absl::Seconds(6);    // the gateways' retry time + 1 s
};

// Thread-safe.
class OutageGuard {
 public:
  OutageGuard(Store& store, PushRecorder& recorder, const Clock& clock, GuardOptions options,
              GuardMetrics& metrics);

  // Touches, once at a time: through the recorder's queue, stamped before it is queued. Records
  // the gaps that it finds in the same transaction. Blocks until it is committed or failed.
  absl::Status TouchNow();

  // A gateway's stream came or went; the count is of this replica. Coming from none, the next
  // TouchNow records the gap, and OnUrgent's callback asks for it at once.
  void GatewayConnected();
  void GatewayDisconnected();
  // A gateway was alive at `at`: it sent a batch, or a sign of life. Only this proves that
  // heartbeats could come over HTTP; a connection that is open does not.
  void GatewayHeard(absl::Time at);
  // On one stream of a gateway was said that pushes wait in it which came no earlier than `since`;
  // InfiniteFuture: none. It holds until the stream says otherwise, but, lest a gateway that froze
  // hide everything, no longer than `blind_after`.
  void GatewayHolds(const void* stream, absl::Time since);
  // Gateways had to refuse pushes for this long until now: a kShed gap with the next touch.
  void ReportShed(absl::Duration shed);
  // Called (on any thread, quickly) when a touch should happen at once.
  void OnUrgent(std::function<void()> wake);
  // Called (on the caller's thread of AskGateways, quickly) to have silent gateways speak.
  void OnAsk(std::function<void()> ask);
  // There is a deadline to judge, and gateways that have nothing to send speak rarely by
  // themselves.
  void AskGateways();

  struct Judgement {
    // Deadlines at or before this may be judged; InfinitePast: none.
    absl::Time up_to = absl::InfinitePast();
    // The same for monitors that are heard over HTTP: nothing later than when a gateway was last
    // heard by any core, where one ever was, and nothing that a push which waits in a gateway may
    // have met.
    absl::Time http_up_to = absl::InfinitePast();
    // The end of the wait after a gap, while there is one; InfinitePast otherwise.
    absl::Time wait_until = absl::InfinitePast();
    std::shared_ptr<const GapList> gaps;
  };
  // Refreshes the gaps and says what may be judged now: no later than the newest committed touch,
  // and settled. Until retry_time after the end of a gap, so that pushes that were waiting are in,
  // nothing that they may be about: a push that waits is no older than retry_time before the gap,
  // and while no gateway was there it is about a monitor that is heard over HTTP. So gaps that
  // repeat without end do not keep a dead job from being found. Pushes that were shed do not wait.
  // UNAVAILABLE with the database.
  absl::StatusOr<Judgement> Judge();

  // The gaps as of the newest own touch or judgement; for readers. Never null.
  std::shared_ptr<const GapList> Gaps() const;
  // When the newest own touch was committed; InfinitePast when none was.
  absl::Time NewestTouch() const;

  // GapTeller::Tell, and that no gateway is heard when that lasts (see LongSilence); called from
  // upkeep.
  absl::Status TellGaps();

 private:
  Touch NextTouch(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddShed(const Gap& gap) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const GapList>> RefreshGaps(absl::Time now);
  absl::Status TellSilence();

  Store& store_;
  PushRecorder& recorder_;
  const Clock& clock_;
  const GuardOptions options_;
  GuardMetrics& metrics_;
  absl::Mutex touching_;  // one touch at a time
  mutable absl::Mutex mutex_;
  int32_t gateways_ ABSL_GUARDED_BY(mutex_) = 0;
  GatewayHoldings holdings_ ABSL_GUARDED_BY(mutex_);
  absl::Time gateway_heard_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::optional<GatewayReturn> returned_ ABSL_GUARDED_BY(mutex_);  // since the last touch
  std::optional<Gap> shed_ ABSL_GUARDED_BY(mutex_);                // reported, not recorded yet
  absl::Time first_touch_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Time newest_touch_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::shared_ptr<const GapList> gaps_ ABSL_GUARDED_BY(mutex_);
  bool gaps_read_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> ask_ ABSL_GUARDED_BY(mutex_);
  GapTeller teller_;
};

}  // namespace tocsin::core
