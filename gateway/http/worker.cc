// Accepting, timeouts, and what happens at the end of each turn.
#include "gateway/http/worker.h"

#include <linux/filter.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "common/log.h"

namespace tocsin::http {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr size_t kMaxSpareReaders = 64;
// How coarse timeouts are.
constexpr absl::Duration kSweepEvery = absl::Milliseconds(100);
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);
constexpr absl::Duration kDateEvery = absl::Milliseconds(250);
// From when no connection can begin until the listener is closed: longer than a handshake.
constexpr absl::Duration kLastCall = absl::Milliseconds(100);
// A read takes this much beyond what an incomplete request may hold.
constexpr size_t kReadSize = 64 * 1024;

// Has the kernel drop SYNs for `fd` (and nothing else: handshakes that have begun are completed).
// The client tries again a second later, and is refused or comes to another replica. Without the
// right to do so the window stays as small as it is.
void RefuseNewConnections(int fd) {
  constexpr uint32_t kFlagsOffset = 13;  // in the TCP header, where the filter's view begins
  constexpr uint32_t kSyn = 0x02;
  sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlagsOffset},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, kSyn},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

}  // namespace

Worker::Worker(const ServerOptions& options, const Clock& clock, const MonotonicClock& monotonic,
               ServerStats& stats)
    : options_(options),
      clock_(clock),
      stats_(stats),
      loop_(monotonic),
      timeouts_{TimeoutList(options.head_timeout), TimeoutList(options.body_timeout),
                TimeoutList(options.idle_timeout), TimeoutList(options.write_timeout),
                TimeoutList(options.linger_timeout)},
      swept_at_(loop_.now()),
      scratch_size_(2 * options.limits.head_bytes + kReadSize),
      scratch_(new char[scratch_size_]) {}

Worker::~Worker() {
  handler_.reset();
  for (const auto& connection : connections_) connection->Close();
  CloseListener();
}

absl::Status Worker::Init(int listen_fd, const Server::HandlerFactory& make_handler) {
  listen_fd_ = listen_fd;
  if (absl::Status status = loop_.Init(); !status.ok()) return status;
  loop_.Add(listen_fd_, EPOLLIN, this);
  loop_.AddTurnHook(this);
  handler_ = make_handler(loop_);
  return absl::OkStatus();
}

void Worker::OnEvents(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn && listen_fd_ >= 0 && AcceptOne(); ++i) {
  }
}

bool Worker::AcceptOne() {
  sockaddr_storage address;
  socklen_t size = sizeof(address);
  const int fd = accept4(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == ECONNABORTED || errno == EINTR) return true;
    if (errno != EAGAIN) {
      LogWarning("accept_failed", {{"error", std::strerror(errno)}});
      // Somebody waits whom nobody hears.
      NoteUnheard();
      loop_.Modify(listen_fd_, 0, this);
      accept_again_ = loop_.now() + kAcceptPause;
    }
    return false;
  }
  const int64_t open = stats_.open_connections.load(std::memory_order_relaxed);
  const int64_t limit = options_.max_connections;
  // A few above the limit are told why; when even those are too many, they are just closed.
  if (open >= limit + 16 + limit / 16) {
    NoteUnheard();
    close(fd);
    return true;
  }
  if (free_.empty()) {
    connections_.push_back(
        std::make_unique<Connection>(*this, static_cast<uint32_t>(connections_.size())));
    free_.push_back(connections_.back().get());
  }
  Connection* const connection = free_.back();
  free_.pop_back();
  ++open_;
  stats_.open_connections.fetch_add(1, std::memory_order_relaxed);
  stats_.accepted.fetch_add(1, std::memory_order_relaxed);
  const IpAddress peer = IpAddress::FromSockaddr(address);
  if (open >= limit) {
    connection->OpenRefused(fd, peer);
  } else {
    connection->Open(fd, peer);
  }
  return true;
}

void Worker::NoteUnheard() {
  stats_.refused_connections.fetch_add(1, std::memory_order_relaxed);
  MakeRefusal(503, "too many connections");
}

void Worker::Released(Connection& connection) {
  released_.push_back(&connection);
  --open_;
  stats_.open_connections.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::CloseListener() {
  if (listen_fd_ < 0) return;
  close(listen_fd_);
  listen_fd_ = -1;
  accept_again_ = absl::InfiniteDuration();
}

// Closing the listener resets connections that the kernel has accepted and we have not. So first no
// new ones can begin, then those that had begun get time to end up in the queue, and idle clients
// to send what they were about to send.
void Worker::StopAccepting() {
  if (listen_fd_ < 0) return;
  closing_ = true;
  RefuseNewConnections(listen_fd_);
  last_call_ = loop_.now() + kLastCall;
}

void Worker::LastCall() {
  last_call_ = absl::InfiniteDuration();
  while (listen_fd_ >= 0 && AcceptOne()) {
  }
  CloseListener();
  draining_ = true;
  for (const auto& connection : connections_) connection->CloseIfIdle();
}

bool Worker::AwaitNoConnections(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&drained_), timeout);
}

std::unique_ptr<RequestReader> Worker::TakeReader() {
  if (readers_.empty()) return std::make_unique<RequestReader>(options_.limits);
  std::unique_ptr<RequestReader> reader = std::move(readers_.back());
  readers_.pop_back();
  return reader;
}

void Worker::ReturnReader(std::unique_ptr<RequestReader> reader) {
  if (readers_.size() >= kMaxSpareReaders) return;
  reader->Reset();
  readers_.push_back(std::move(reader));
}

void Worker::Dispatch(Connection& connection, RequestReader& reader, uint32_t slot) {
  Request request = reader.request();
  request.peer = connection.peer();
  handler_->OnRequest(request, Responder(this, connection.index(), connection.generation(), slot));
}

void Worker::TellTooLarge(Connection& connection, RequestReader& reader) {
  Request request = reader.request();
  request.peer = connection.peer();
  handler_->OnBodyTooLarge(request);
}

std::unique_ptr<CannedResponse> Worker::MakeRefusal(int status, std::string_view reason) {
  return std::make_unique<CannedResponse>(handler_->OnRefusal(status, reason));
}

Connection* Worker::ConnectionOf(const Responder& to) const {
  if (to.connection_ >= connections_.size()) return nullptr;
  Connection* const connection = connections_[to.connection_].get();
  return connection->generation() == to.generation_ ? connection : nullptr;
}

void Worker::Complete(const Responder& to, const CannedResponse* canned,
                      std::unique_ptr<CannedResponse> owned) {
  if (Connection* connection = ConnectionOf(to)) {
    connection->Complete(to.slot_, canned, std::move(owned));
  }
}

bool Worker::Begin(const Responder& to, const Response& head,
                   std::weak_ptr<StreamListener> listener) {
  Connection* const connection = ConnectionOf(to);
  return connection != nullptr && connection->BeginStream(to.slot_, head, std::move(listener));
}

void Worker::Write(const Responder& to, std::string_view piece) {
  if (Connection* connection = ConnectionOf(to)) connection->WriteStream(to.slot_, piece);
}

size_t Worker::Pending(const Responder& to) const {
  const Connection* const connection = ConnectionOf(to);
  return connection == nullptr ? 0 : connection->PendingStream(to.slot_);
}

void Worker::End(const Responder& to) {
  if (Connection* connection = ConnectionOf(to)) connection->EndStream(to.slot_);
}

void Worker::Break(const Responder& to) {
  if (Connection* connection = ConnectionOf(to)) connection->BreakStream(to.slot_);
}

std::string_view Worker::date_line() {
  if (loop_.now() - date_read_at_ >= kDateEvery) {
    date_read_at_ = loop_.now();
    const int64_t second = absl::ToUnixSeconds(clock_.Now());
    if (second != date_second_) {
      date_second_ = second;
      date_line_ = DateLine(second);
    }
  }
  return date_line_;
}

void Worker::SweepTimeouts(absl::Duration now) {
  if (now < swept_at_ + kSweepEvery) return;
  swept_at_ = now;
  for (TimeoutList& list : timeouts_) {
    for (TimeoutNode* node = list.Front(); node != nullptr && node->deadline <= now;
         node = list.Front()) {
      node->Unlink();
      static_cast<Connection*>(node)->OnTimeout();
    }
  }
}

absl::Duration Worker::NextSweep() const {
  absl::Duration next = absl::InfiniteDuration();
  for (const TimeoutList& list : timeouts_) next = std::min(next, list.NextDeadline());
  return std::max(next, swept_at_ + kSweepEvery);
}

void Worker::FlushDirty() {
  flushing_.swap(dirty_);
  for (Connection* connection : flushing_) connection->Flush();
  flushing_.clear();
}

absl::Duration Worker::OnTurn(absl::Duration now) {
  SweepTimeouts(now);
  if (now >= accept_again_) {
    accept_again_ = absl::InfiniteDuration();
    loop_.Modify(listen_fd_, EPOLLIN, this);
  }
  if (now >= last_call_) LastCall();
  read_more_ = false;
  absl::Duration wake_at = handler_->OnTurn(now);
  FlushDirty();
  // Connections that were read on have requests which the handler's turn has not seen.
  if (read_more_ || !dirty_.empty()) {
    wake_at = now;
  } else {
    free_.insert(free_.end(), released_.begin(), released_.end());
    released_.clear();
  }
  if (draining_ && open_ == 0) {
    absl::MutexLock lock(&mutex_);
    drained_ = true;
  }
  return std::min({wake_at, NextSweep(), accept_again_, last_call_});
}

void Responder::Send(const CannedResponse& response) const {
  if (worker_ != nullptr) worker_->Complete(*this, &response, nullptr);
}

void Responder::Send(const Response& response) const {
  if (worker_ == nullptr) return;
  auto owned = std::make_unique<CannedResponse>(response);
  const CannedResponse* const canned = owned.get();
  worker_->Complete(*this, canned, std::move(owned));
}

bool Responder::Begin(const Response& head, std::weak_ptr<StreamListener> listener) const {
  return worker_ != nullptr && worker_->Begin(*this, head, std::move(listener));
}

void Responder::Write(std::string_view piece) const {
  if (worker_ != nullptr) worker_->Write(*this, piece);
}

size_t Responder::Pending() const { return worker_ == nullptr ? 0 : worker_->Pending(*this); }

void Responder::End() const {
  if (worker_ != nullptr) worker_->End(*this);
}

void Responder::Break() const {
  if (worker_ != nullptr) worker_->Break(*this);
}

}  // namespace tocsin::http
