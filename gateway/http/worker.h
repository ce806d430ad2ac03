// One io thread of the server: its loop, its listener, its connections and its handler.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/http/connection.h"
#include "gateway/http/event_loop.h"
#include "gateway/http/handler.h"
#include "gateway/http/server.h"
#include "gateway/http/timeout_list.h"

namespace tocsin::http {

// Loop thread only, except where said.
class Worker final : public EventLoop::TurnHook, public EventLoop::Source {
 public:
  Worker(const ServerOptions& options, const Clock& clock, const MonotonicClock& monotonic,
         ServerStats& stats);
  ~Worker() override;

  // Before Run. The listening descriptor becomes the worker's.
  absl::Status Init(int listen_fd, const Server::HandlerFactory& make_handler);
  void Run() { loop_.Run(); }
  EventLoop& loop() { return loop_; }

  // For the drain.
  void BeginDrain() { closing_ = true; }
  void StopAccepting();
  // Any thread. Whether StopAccepting ran and no connection is left within `timeout`.
  bool AwaitNoConnections(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mutex_);

  // A response for a slot of a connection; nothing when that connection has gone.
  void Complete(const Responder& to, const CannedResponse* canned,
                std::unique_ptr<CannedResponse> owned);

  // The same for streamed ones.
  bool Begin(const Responder& to, const Response& head, std::weak_ptr<StreamListener> listener);
  void Write(const Responder& to, std::string_view piece);
  size_t Pending(const Responder& to) const;
  void End(const Responder& to);
  void Break(const Responder& to);

  // What connections need of their worker.
  enum class Wait { kHead, kBody, kIdle, kWrite, kLinger };
  void Arm(Connection& connection, Wait wait) {
    timeouts_[static_cast<size_t>(wait)].Arm(connection, loop_.now());
  }
  std::unique_ptr<RequestReader> TakeReader();
  void ReturnReader(std::unique_ptr<RequestReader> reader);
  void MarkDirty(Connection& connection) { dirty_.push_back(&connection); }
  // Requests were read at the end of the turn: another turn is needed at once.
  void ReadMore() { read_more_ = true; }
  void Released(Connection& connection);
  void Dispatch(Connection& connection, RequestReader& reader, uint32_t slot);
  void TellTooLarge(Connection& connection, RequestReader& reader);
  std::unique_ptr<CannedResponse> MakeRefusal(int status, std::string_view reason);
  char* scratch() { return scratch_.get(); }
  size_t scratch_size() const { return scratch_size_; }
  std::string& out() { return out_; }
  std::string_view date_line();
  bool closing() const { return closing_; }
  ServerStats& stats() { return stats_; }
  const ServerOptions& options() const { return options_; }

  absl::Duration OnTurn(absl::Duration now) override;
  void OnEvents(uint32_t events) override;  // of the listener

 private:
  // nullptr when it has gone.
  Connection* ConnectionOf(const Responder& to) const;
  bool AcceptOne();
  // Counts, and tells the handler of, a client that cannot be told anything.
  void NoteUnheard();
  void LastCall();
  void CloseListener();
  void SweepTimeouts(absl::Duration now);
  absl::Duration NextSweep() const;
  void FlushDirty();

  const ServerOptions options_;
  const Clock& clock_;
  ServerStats& stats_;
  EventLoop loop_;
  int listen_fd_ = -1;
  bool closing_ = false;                                    // responses close their connections
  bool draining_ = false;                                   // nothing is accepted any more
  absl::Duration last_call_ = absl::InfiniteDuration();     // when the listener is closed
  absl::Duration accept_again_ = absl::InfiniteDuration();  // after descriptors ran out

  // Connections are made as needed and used again; a responder finds its by index and generation.
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> free_;
  std::vector<Connection*> released_;  // in this turn: free from its end on
  std::vector<Connection*> dirty_;     // have something to write or to read on
  std::vector<Connection*> flushing_;
  bool read_more_ = false;
  int open_ = 0;
  std::vector<std::unique_ptr<RequestReader>> readers_;

  TimeoutList timeouts_[5];
  absl::Duration swept_at_;

  // Shared by the connections, which hold memory of their own only for what is incomplete.
  const size_t scratch_size_;
  std::unique_ptr<char[]> scratch_;
  std::string out_;

  int64_t date_second_ = -1;
  absl::Duration date_read_at_ = -absl::InfiniteDuration();
  std::string date_line_;

  absl::Mutex mutex_;
  bool drained_ ABSL_GUARDED_BY(mutex_) = false;

  // Destroyed first: it may hold what posts to the loop.
  std::unique_ptr<Handler> handler_;
};

}  // namespace tocsin::http
