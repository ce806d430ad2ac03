// tocsin.v1.AlertService.
#include "services/core/api/alert_service.h"

#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "services/core/api/convert.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"

namespace tocsin::core {
namespace {

// So many events of a slow client are held at once.
constexpr int kBatch = 100;
// How often it is looked whether the key still gives access; with what the gate may remember, a
// stream ends within twice that.
constexpr absl::Duration kRest = absl::Seconds(5);
// A client to whom nothing was written for so long hears where it is.
constexpr absl::Duration kKeepAlive = absl::Seconds(15);

}  // namespace

// One stream. Its worker reads and writes in turn, so nothing is buffered beyond one batch.
class AlertWatch final : public grpc::ServerWriteReactor<v1::WatchAlertsResponse> {
 public:
  AlertWatch(AlertServiceHandler& service, v1::WatchAlertsRequest request, Access access)
      : service_(service), request_(std::move(request)), access_(std::move(access)) {}

  // The worker's whole life.
  void Run() {
    const uint64_t watcher = service_.feed_.AddWatcher([this] { Wake(); });
    const absl::Status status = Serve();
    service_.feed_.RemoveWatcher(watcher);
    Finish(Answer(access_.caller, status));
  }

  void Stop() {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) cancelled_ = true;
  }
  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  void OnDone() override { service_.Forget(this); }

 private:
  absl::Status Serve() {
    RETURN_IF_ERROR(Ended());
    ASSIGN_OR_RETURN(const std::string project,
                     ParseParent(request_.parent(), "parent", /*any_allowed=*/true));
    ProjectKey key = 0;  // all
    if (project != kAnyProject) {
      ASSIGN_OR_RETURN(key, RequireProject(service_.store_, project));
    }
    ASSIGN_OR_RETURN(FeedEnd place, service_.feed_.Begin(request_.cursor()));
    RETURN_IF_ERROR(Write(place, nullptr));
    while (true) {
      RETURN_IF_ERROR(service_.gate_.Recheck(access_));
      ASSIGN_OR_RETURN(const FeedBatch batch, service_.feed_.Read(key, place, kBatch));
      for (const FeedEntry& entry : batch.entries) {
        place.position = entry.position;
        RETURN_IF_ERROR(Write(place, &entry.event));
      }
      // What others wrote is behind it, too: a client that resumes need not pass over it again.
      place.position = batch.read_to;
      if (!batch.more) Rest();
      if (clock_.Now() - written_at_ >= kKeepAlive) RETURN_IF_ERROR(Write(place, nullptr));
      RETURN_IF_ERROR(Ended());
    }
  }

  // Sends one message and waits until gRPC took it, so that a slow client slows its reader only.
  absl::Status Write(const FeedEnd& place, const AlertEvent* event) {
    message_.Clear();
    message_.set_cursor(FormatCursor(place));
    if (event != nullptr) *message_.mutable_event() = ToProto(*event);
    {
      absl::MutexLock lock(&mutex_);
      if (stopped_ || cancelled_) return EndedLocked();
      writing_ = true;
    }
    written_at_ = clock_.Now();
    StartWrite(&message_);
    absl::MutexLock lock(&mutex_);
    // `message_` is gRPC's until then. A cancelled or dead stream ends its writes, and Finish
    // waits for a write in progress: a stop need not wait for a slow client here.
    mutex_.Await(absl::Condition(
        +[](AlertWatch* self)
             ABSL_NO_THREAD_SAFETY_ANALYSIS { return !self->writing_ || self->stopped_; },
        this));
    return EndedLocked();
  }

  // Waits for news, but not for long.
  void Rest() {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](AlertWatch* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                  return self->woken_ || self->stopped_ || self->cancelled_;
                                },
                                this),
                            kRest);
    woken_ = false;
  }

  absl::Status Ended() {
    absl::MutexLock lock(&mutex_);
    return EndedLocked();
  }
  absl::Status EndedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (stopped_) return TryAgain("the server stops");
    if (cancelled_) return absl::CancelledError("the client went");
    return absl::OkStatus();
  }

  void Wake() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
  }

  AlertServiceHandler& service_;
  const v1::WatchAlertsRequest request_;
  const Access access_;
  const SystemMonotonicClock clock_;
  absl::Duration written_at_ = absl::ZeroDuration();
  v1::WatchAlertsResponse message_;  // the worker's, but gRPC's while writing
  absl::Mutex mutex_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// A stream that ends before it began.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchAlertsResponse> {
 public:
  RefusedWatch(const Caller& caller, const absl::Status& status) { Finish(Answer(caller, status)); }
  void OnDone() override { delete this; }
};

AlertServiceHandler::AlertServiceHandler(Gate& gate, AlertFeed& feed, Store& store)
    : gate_(gate), feed_(feed), store_(store) {}

AlertServiceHandler::~AlertServiceHandler() {
  Stop();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](AlertServiceHandler* self)
           ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->watches_.empty() && self->workers_ == 0; },
      this));
}

grpc::ServerWriteReactor<v1::WatchAlertsResponse>* AlertServiceHandler::WatchAlerts(
    grpc::CallbackServerContext* context, const v1::WatchAlertsRequest* request) {
  Access access;
  const absl::Status admitted = gate_.Admit(*context, *request->descriptor(), request, access);
  if (!admitted.ok()) return new RefusedWatch(access.caller, admitted);
  auto watch = std::make_shared<AlertWatch>(*this, *request, access);
  AlertWatch* const reactor = watch.get();
  {
    absl::MutexLock lock(&mutex_);
    if (workers_ >= kMaxWatches) {
      return new RefusedWatch(access.caller, TooManyWatches(kMaxWatches));
    }
    watches_.emplace(reactor, watch);
    ++workers_;
    if (stopped_) reactor->Stop();
  }
  // Detached: the destructor waits for it by the count.
  std::thread([this, watch = std::move(watch)]() mutable {
    watch->Run();
    watch.reset();
    absl::MutexLock lock(&mutex_);
    --workers_;
  }).detach();
  return reactor;
}

void AlertServiceHandler::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (auto& [reactor, watch] : watches_) reactor->Stop();
}

void AlertServiceHandler::Forget(AlertWatch* watch) {
  std::shared_ptr<AlertWatch> last;  // destroyed after the lock is released
  absl::MutexLock lock(&mutex_);
  auto found = watches_.find(watch);
  last = std::move(found->second);
  watches_.erase(found);
}

}  // namespace tocsin::core
