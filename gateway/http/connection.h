// One connection: requests in, responses out in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "gateway/http/event_loop.h"
#include "gateway/http/handler.h"
#include "gateway/http/message.h"
#include "gateway/http/request_reader.h"
#include "gateway/http/timeout_list.h"

namespace tocsin::http {

class Worker;

// Belongs to a worker and is used for one client after another. Loop thread only.
class Connection final : public EventLoop::Source, public TimeoutNode {
 public:
  Connection(Worker& worker, uint32_t index) : worker_(worker), index_(index) {}
  ~Connection() override;

  // Begins to serve `fd`, which becomes the connection's.
  void Open(int fd, const IpAddress& peer);
  // Begins with an answer and a goodbye: there are too many connections.
  void OpenRefused(int fd, const IpAddress& peer);

  void OnEvents(uint32_t events) override;
  void OnTimeout();

  // The response of slot `slot`.
  void Complete(uint32_t slot, const CannedResponse* canned, std::unique_ptr<CannedResponse> owned);
  // A response that comes in pieces: see Responder.
  bool BeginStream(uint32_t slot, const Response& head, std::weak_ptr<StreamListener> listener);
  void WriteStream(uint32_t slot, std::string_view piece);
  size_t PendingStream(uint32_t slot) const;
  void EndStream(uint32_t slot);
  void BreakStream(uint32_t slot);
  // End of turn: writes what is ready, reads on if it had paused, closes if it is done.
  void Flush();
  // The drain has come: closes unless a request is being read or answered.
  void CloseIfIdle();
  void Close();

  uint32_t index() const { return index_; }
  uint32_t generation() const { return generation_; }
  bool open() const { return fd_ >= 0; }
  const IpAddress& peer() const { return peer_; }

 private:
  // What a streamed response has besides its head.
  struct Stream {
    std::weak_ptr<StreamListener> listener;
    std::string pending;  // framed, and not given to Send yet
    bool head_written = false;
    bool ended = false;
    bool broken = false;  // ended, but not whole
  };

  // A request that has no response yet, or one whose response waits for those before it.
  struct Slot {
    const CannedResponse* response = nullptr;  // set: it is there
    std::unique_ptr<CannedResponse> owned;
    std::unique_ptr<Stream> stream;  // set: `response` is only its head
    bool interim = false;            // "100 Continue"
    bool refusal = false;            // by the server; the last one
    bool head_only = false;
    bool http10 = false;
    bool keep_alive = false;
  };

  void ReadSome();
  void Consume(std::string_view input);
  // Returns whether reading goes on.
  bool ReadRequest(std::string_view& input);
  void OnComplete();
  void Refuse(int status, std::string_view reason);
  bool MustPause() const;
  // The slot, if a stream is under way there.
  Slot* StreamSlot(uint32_t slot);
  // Whether the client is being sent one.
  bool Streaming() const { return !slots_.empty() && slots_.front().stream != nullptr; }
  void WriteReady();
  // Sends some of what is ready: what waits for a slow client is bounded. Whether there may be more
  // that it would take at once.
  bool WriteSome();
  // Appends what there is of a response to `out`; false when the rest is still to come.
  bool WriteSlot(Slot& slot, bool last, std::string& out);
  void Send(std::string_view bytes);
  // For `bytes` more, or less, in output_.
  void NoteUnsent(std::ptrdiff_t bytes);
  void AfterWrite();
  void Linger();
  void Watch(uint32_t events);
  void MarkDirty();

  Worker& worker_;
  const uint32_t index_;
  uint32_t generation_ = 0;
  int fd_ = -1;
  uint32_t watched_ = 0;  // events asked of the loop
  bool registered_ = false;
  bool dirty_ = false;
  bool paused_ = false;         // reads nothing until there is room
  bool no_more_input_ = false;  // the client, or a refusal, ended it
  bool close_when_written_ = false;
  bool lingering_ = false;
  // What the client still sends must be read before closing: unread input would make it a reset.
  bool linger_on_close_ = false;
  bool reset_on_close_ = false;
  bool refused_body_ = false;  // lingers for as long as the body may take
  bool left_ = false;          // the client sends no more, and a stream is under way or waits
  bool writing_ = false;       // output_ waits for the client
  bool served_ = false;        // at least one request was read
  bool reading_body_ = false;
  size_t lingered_bytes_ = 0;
  IpAddress peer_;
  std::unique_ptr<RequestReader> reader_;  // while a request is being read
  std::string input_;                      // received and not consumed
  std::string output_;                     // not taken by the kernel yet
  absl::InlinedVector<Slot, 1> slots_;
  uint32_t first_slot_ = 0;  // the number of slots_[0]
};

}  // namespace tocsin::http
