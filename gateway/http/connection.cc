// Reading requests, writing responses in order, and every way in which a connection can end.
#include "gateway/http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "gateway/http/worker.h"

namespace tocsin::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// Responses that a client does not take: beyond this, nothing more is read from it.
constexpr size_t kMaxOutput = 64 * 1024;
// What a refused client may still send before the connection is closed on it. Most clients send the
// whole of a body before they look at the response.
constexpr size_t kMaxLinger = 16 * 1024 * 1024;
// An idle connection keeps no more memory than this.
constexpr size_t kKeptCapacity = 1024;

void Clear(std::string& s) {
  if (s.capacity() > kKeptCapacity) {
    std::string().swap(s);
  } else {
    s.clear();
  }
}

void Add(std::atomic<int64_t>& counter, int64_t n) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

}  // namespace

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

void Connection::Open(int fd, const IpAddress& peer) {
  fd_ = fd;
  peer_ = peer;
  watched_ = 0;
  registered_ = dirty_ = paused_ = no_more_input_ = close_when_written_ = false;
  lingering_ = linger_on_close_ = refused_body_ = writing_ = served_ = reading_body_ = false;
  reset_on_close_ = left_ = false;
  lingered_bytes_ = 0;
  first_slot_ = 0;
  worker_.Arm(*this, Worker::Wait::kHead);
  // The request is usually there already: a connection that carries only this one need not be
  // registered with the loop at all.
  ReadSome();
  if (fd_ >= 0 && !no_more_input_ && !paused_) Watch(watched_ | EPOLLIN);
}

void Connection::OpenRefused(int fd, const IpAddress& peer) {
  fd_ = fd;
  peer_ = peer;
  watched_ = 0;
  registered_ = dirty_ = paused_ = close_when_written_ = false;
  lingering_ = refused_body_ = writing_ = served_ = reading_body_ = reset_on_close_ = false;
  left_ = false;
  lingered_bytes_ = 0;
  first_slot_ = 0;
  Refuse(503, "too many connections");
}

void Connection::OnEvents(uint32_t events) {
  if (fd_ < 0) return;
  if ((events & EPOLLOUT) != 0 && writing_) {
    const ssize_t sent = send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return Close();
    if (sent > 0) {
      output_.erase(0, static_cast<size_t>(sent));
      NoteUnsent(-sent);
      // A stream may be behind for long, as long as it gets on.
      if (Streaming()) worker_.Arm(*this, Worker::Wait::kWrite);
    }
    if (output_.empty()) {
      writing_ = false;
      Unlink();
      Watch(watched_ & ~static_cast<uint32_t>(EPOLLOUT));
      Clear(output_);
      AfterWrite();
      if (fd_ >= 0) MarkDirty();
    }
    if (fd_ < 0) return;
  }
  // Who has left a stream without an end waits for nothing.
  if ((events & EPOLLRDHUP) != 0) {
    if (Streaming() && !writing_) return Close();
    // It is reported again and again; what is answered before the stream may still be wanted.
    left_ = true;
    Watch(watched_ & ~static_cast<uint32_t>(EPOLLRDHUP));
  }
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if ((watched_ & EPOLLIN) == 0) {
    // Nothing is read now, so a connection that broke would be reported again and again.
    if (broken) Close();
    return;
  }
  if (broken || (events & EPOLLIN) != 0) ReadSome();
}

void Connection::ReadSome() {
  char* const scratch = worker_.scratch();
  const size_t held = input_.size();
  std::memcpy(scratch, input_.data(), held);
  const ssize_t got = recv(fd_, scratch + held, worker_.scratch_size() - held, 0);
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) Close();
    return;
  }
  if (got == 0) {
    if (lingering_ || Streaming() || (slots_.empty() && !writing_)) return Close();
    // A client that closed its side may still wait for its answers.
    no_more_input_ = true;
    if (reader_) worker_.ReturnReader(std::move(reader_));
    Clear(input_);
    Watch(watched_ & ~static_cast<uint32_t>(EPOLLIN));
    return;
  }
  if (lingering_) {
    lingered_bytes_ += static_cast<size_t>(got);
    if (lingered_bytes_ > kMaxLinger) Close();
    return;
  }
  Consume({scratch, held + static_cast<size_t>(got)});
}

void Connection::Consume(std::string_view input) {
  while (!input.empty() && ReadRequest(input)) {
  }
  if (no_more_input_) input = {};
  if (input.empty()) {
    if (!input_.empty()) Clear(input_);
  } else {
    input_.assign(input);
  }
  if ((paused_ || no_more_input_) && registered_) {
    Watch(watched_ & ~static_cast<uint32_t>(EPOLLIN));
  }
}

bool Connection::MustPause() const {
  return slots_.size() >= static_cast<size_t>(worker_.options().max_pipelined) ||
         output_.size() > kMaxOutput;
}

bool Connection::ReadRequest(std::string_view& input) {
  if (no_more_input_) return false;
  if (MustPause()) {
    paused_ = true;
    Add(worker_.stats().pipeline_pauses, 1);
    return false;
  }
  bool first_bytes = false;
  if (!reader_) {
    // RFC 9112, 2.2: an empty line before a request is ignored.
    while (!input.empty() && (input.front() == '\r' || input.front() == '\n')) {
      input.remove_prefix(1);
    }
    if (input.empty()) return false;
    reader_ = worker_.TakeReader();
    first_bytes = true;
    reading_body_ = false;
  }
  size_t consumed = 0;
  const RequestReader::State state = reader_->Feed(input, consumed);
  input.remove_prefix(consumed);
  switch (state) {
    case RequestReader::State::kHead:
      // The first request of a connection has its time from the connect on.
      if (first_bytes && served_ && !writing_) worker_.Arm(*this, Worker::Wait::kHead);
      return false;
    case RequestReader::State::kBody:
      if (reading_body_) return false;
      reading_body_ = true;
      if (!writing_) worker_.Arm(*this, Worker::Wait::kBody);
      if (reader_->wants_continue()) {
        Slot& slot = slots_.emplace_back();
        slot.interim = slot.keep_alive = true;
        MarkDirty();
      }
      return false;
    case RequestReader::State::kComplete:
      OnComplete();
      return true;
    case RequestReader::State::kRefused:
      if (reader_->error().status == 413) worker_.TellTooLarge(*this, *reader_);
      Refuse(reader_->error().status, reader_->error().reason);
      return false;
  }
  return false;
}

void Connection::OnComplete() {
  std::unique_ptr<RequestReader> reader = std::move(reader_);
  const uint32_t number = first_slot_ + static_cast<uint32_t>(slots_.size());
  Slot& slot = slots_.emplace_back();
  slot.head_only = reader->is_head();
  slot.http10 = reader->is_http10();
  slot.keep_alive = reader->keep_alive();
  if (!slot.keep_alive) no_more_input_ = true;
  served_ = true;
  // While the handler works, the wait is its own to bound.
  if (!writing_) Unlink();
  Add(worker_.stats().requests, 1);
  Add(worker_.stats().in_flight, 1);
  worker_.Dispatch(*this, *reader, number);
  worker_.ReturnReader(std::move(reader));
}

void Connection::Refuse(int status, std::string_view reason) {
  ServerStats& stats = worker_.stats();
  Add(status == 503   ? stats.refused_connections
      : status == 431 ? stats.refused_head
      : status == 413 ? stats.refused_body
      : status == 408 ? stats.timed_out
                      : stats.refused_malformed,
      1);
  Slot& slot = slots_.emplace_back();
  slot.owned = worker_.MakeRefusal(status, reason);
  slot.response = slot.owned.get();
  slot.refusal = true;
  no_more_input_ = linger_on_close_ = true;
  refused_body_ = status == 413;
  if (reader_) worker_.ReturnReader(std::move(reader_));
  if (!writing_) Unlink();
  MarkDirty();
}

void Connection::Complete(uint32_t slot, const CannedResponse* canned,
                          std::unique_ptr<CannedResponse> owned) {
  const uint32_t index = slot - first_slot_;
  if (fd_ < 0 || index >= slots_.size() || slots_[index].response != nullptr) return;
  slots_[index].response = canned;
  slots_[index].owned = std::move(owned);
  Add(worker_.stats().in_flight, -1);
  MarkDirty();
}

bool Connection::BeginStream(uint32_t slot, const Response& head,
                             std::weak_ptr<StreamListener> listener) {
  const uint32_t index = slot - first_slot_;
  if (fd_ < 0 || index >= slots_.size() || slots_[index].response != nullptr) return false;
  Slot& begun = slots_[index];
  begun.owned =
      std::make_unique<CannedResponse>(head, begun.http10 ? Framing::kClose : Framing::kChunked);
  begun.response = begun.owned.get();
  Add(worker_.stats().in_flight, -1);
  MarkDirty();
  if (begun.head_only) return false;
  begun.stream = std::make_unique<Stream>();
  begun.stream->listener = std::move(listener);
  // A client that vanishes is noticed by what it does not acknowledge, one that leaves at once.
  const auto patience =
      static_cast<unsigned>(absl::ToInt64Milliseconds(worker_.options().write_timeout));
  setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
  if (!left_) Watch(watched_ | EPOLLRDHUP);
  return true;
}

Connection::Slot* Connection::StreamSlot(uint32_t slot) {
  const uint32_t index = slot - first_slot_;
  if (fd_ < 0 || index >= slots_.size() || slots_[index].stream == nullptr) return nullptr;
  return slots_[index].stream->ended ? nullptr : &slots_[index];
}

void Connection::WriteStream(uint32_t slot, std::string_view piece) {
  Slot* const to = StreamSlot(slot);
  if (to == nullptr || piece.empty()) return;
  std::string& pending = to->stream->pending;
  if (to->http10) {
    pending.append(piece);
  } else {
    char size[20];
    pending.append(size,
                   static_cast<size_t>(std::snprintf(size, sizeof(size), "%zx\r\n", piece.size())));
    pending.append(piece).append("\r\n");
  }
  MarkDirty();
}

size_t Connection::PendingStream(uint32_t slot) const {
  const uint32_t index = slot - first_slot_;
  if (fd_ < 0 || index >= slots_.size() || slots_[index].stream == nullptr) return 0;
  return slots_[index].stream->pending.size() + output_.size();
}

void Connection::EndStream(uint32_t slot) {
  Slot* const to = StreamSlot(slot);
  if (to == nullptr) return;
  if (!to->http10) to->stream->pending.append("0\r\n\r\n");
  to->stream->ended = true;
  MarkDirty();
}

void Connection::BreakStream(uint32_t slot) {
  Slot* const to = StreamSlot(slot);
  if (to == nullptr) return;
  to->stream->ended = to->stream->broken = true;
  MarkDirty();
}

void Connection::MarkDirty() {
  if (dirty_) return;
  dirty_ = true;
  worker_.MarkDirty(*this);
}

void Connection::Flush() {
  dirty_ = false;
  if (fd_ < 0) return;
  WriteReady();
  if (fd_ >= 0 && left_ && Streaming() && !writing_) return Close();
  if (fd_ < 0 || !paused_ || no_more_input_ || MustPause()) return;
  paused_ = false;
  const std::string held = std::exchange(input_, std::string());
  Consume(held);
  worker_.ReadMore();
  if (fd_ >= 0 && !paused_ && !no_more_input_) Watch(watched_ | EPOLLIN);
}

void Connection::WriteReady() {
  while (WriteSome()) {
  }
}

bool Connection::WriteSome() {
  std::string& out = worker_.out();
  out.clear();
  size_t count = 0;
  bool full = output_.size() >= kMaxOutput;
  while (count < slots_.size() && !close_when_written_ && !full) {
    const bool last = count + 1 == slots_.size() && !reader_ && input_.empty();
    if (!WriteSlot(slots_[count], last, out)) break;
    ++count;
    full = out.size() + output_.size() >= kMaxOutput;
  }
  if (count == 0 && out.empty()) return false;
  slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(count));
  first_slot_ += static_cast<uint32_t>(count);
  Send(out);
  return full && fd_ >= 0 && !writing_;
}

bool Connection::WriteSlot(Slot& slot, bool last, std::string& out) {
  using Field = CannedResponse::ConnectionField;
  if (slot.interim) {
    out.append(kContinue);
    return true;
  }
  if (slot.response == nullptr) return false;
  Stream* const stream = slot.stream.get();
  const bool ends = stream == nullptr || stream->ended;
  // Closing on our own wish waits for the last of the requests that are being answered.
  const bool wish = (worker_.closing() || slot.response->close()) && last;
  const bool by_close = stream != nullptr && slot.http10;
  const bool close = slot.refusal || !slot.keep_alive || by_close || wish;
  if (close && ends) {
    close_when_written_ = no_more_input_ = true;
    if (wish) linger_on_close_ = true;  // the client may have sent another one
  }
  if (stream == nullptr || !stream->head_written) {
    const Field field = close                            ? Field::kClose
                        : slot.http10 && slot.keep_alive ? Field::kKeepAlive
                                                         : Field::kNone;
    slot.response->AppendTo(out, worker_.date_line(), field, slot.head_only || stream != nullptr);
  }
  if (stream == nullptr) return true;
  stream->head_written = true;
  if (stream->broken) {
    // A body in chunks is whole only with its last chunk, one of HTTP/1.0 by any orderly end.
    close_when_written_ = no_more_input_ = true;
    linger_on_close_ = false;
    reset_on_close_ = slot.http10;
  }
  out.append(stream->pending);
  Clear(stream->pending);
  return ends;
}

void Connection::Send(std::string_view bytes) {
  if (writing_) {
    output_.append(bytes);
    NoteUnsent(static_cast<std::ptrdiff_t>(bytes.size()));
    return;
  }
  const ssize_t result = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (result < 0 && errno != EAGAIN && errno != EINTR) return Close();
  const size_t sent = result < 0 ? 0 : static_cast<size_t>(result);
  if (sent == bytes.size()) return AfterWrite();
  output_.assign(bytes.substr(sent));
  NoteUnsent(static_cast<std::ptrdiff_t>(output_.size()));
  writing_ = true;
  worker_.Arm(*this, Worker::Wait::kWrite);
  Watch(watched_ | EPOLLOUT);
}

void Connection::NoteUnsent(std::ptrdiff_t bytes) {
  if (bytes != 0) Add(worker_.stats().unsent_bytes, bytes);
}

void Connection::AfterWrite() {
  if (close_when_written_) return linger_on_close_ ? Linger() : Close();
  if (Streaming()) {
    if (const auto listener = slots_.front().stream->listener.lock()) listener->OnRoom();
  }
  if (!slots_.empty()) return;
  if (no_more_input_) return Close();
  if (!reader_) {
    worker_.Arm(*this, Worker::Wait::kIdle);
  } else if (!linked()) {
    worker_.Arm(*this, reading_body_ ? Worker::Wait::kBody : Worker::Wait::kHead);
  }
}

// Closing with unread input would reset the connection and take the response from the client.
void Connection::Linger() {
  shutdown(fd_, SHUT_WR);
  lingering_ = true;
  Clear(input_);
  worker_.Arm(*this, refused_body_ ? Worker::Wait::kBody : Worker::Wait::kLinger);
  Watch(EPOLLIN);
}

void Connection::OnTimeout() {
  if (lingering_) return Close();
  if (writing_) {
    Add(worker_.stats().timed_out, 1);
    return Close();
  }
  // A request, or what was missing of it, may have arrived that this turn has not read.
  if (!paused_) ReadSome();
  if (fd_ < 0 || linked()) return;
  if (reader_) return Refuse(408, "the request took too long to arrive");
  // What is to be answered closes the connection afterwards, if it was the last.
  if (slots_.empty()) Close();
}

void Connection::CloseIfIdle() {
  const auto idle = [this] {
    return fd_ >= 0 && slots_.empty() && !writing_ && !reader_ && !lingering_;
  };
  if (!idle()) return;
  // A request may have arrived that this turn has not read.
  ReadSome();
  if (!idle()) return;
  if (served_) return Close();
  // One that was accepted just now has its request on the way.
  worker_.Arm(*this, Worker::Wait::kLinger);
}

void Connection::Close() {
  if (fd_ < 0) return;
  if (reset_on_close_) {
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  close(fd_);
  fd_ = -1;
  ++generation_;
  Unlink();
  if (reader_) worker_.ReturnReader(std::move(reader_));
  int64_t unanswered = 0;
  for (const Slot& slot : slots_) unanswered += !slot.interim && slot.response == nullptr ? 1 : 0;
  if (unanswered > 0) Add(worker_.stats().in_flight, -unanswered);
  const auto ended = std::move(slots_);
  slots_.clear();
  for (const Slot& slot : ended) {
    if (slot.stream == nullptr || slot.stream->ended) continue;
    if (const auto listener = slot.stream->listener.lock()) listener->OnGone();
  }
  Clear(input_);
  NoteUnsent(-static_cast<std::ptrdiff_t>(output_.size()));
  Clear(output_);
  worker_.Released(*this);
}

void Connection::Watch(uint32_t events) {
  if (registered_ ? events == watched_ : events == 0) return;
  if (registered_) {
    worker_.loop().Modify(fd_, events, this);
  } else {
    worker_.loop().Add(fd_, events, this);
  }
  registered_ = true;
  watched_ = events;
}

}  // namespace tocsin::http
