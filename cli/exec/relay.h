// Passes a stream of the command on, byte by byte, and keeps its end.
#pragma once

#include <poll.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cli/exec/output_tail.h"
#include "cli/exec/sink.h"

namespace tocsin::cli {

// Never waits and holds a bounded number of bytes: while `to` takes none, the command is held up as
// it would be without us. A reader that has gone is passed on to the command (SIGPIPE, EPIPE);
// where bytes cannot be written for another reason, as on a full disk or a terminal that was hung
// up, they are lost as they would be without us, and the command goes on.
class Relay {
 public:
  // Takes `from`, the end of a pipe to read; `to` stays the caller's. Both streams of a command may
  // share `tail`, which must outlive this.
  Relay(int from, int to, OutputTail& tail);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Adds what to wait for before the next Move.
  void Watch(std::vector<pollfd>& fds) const;
  // Reads and writes what can be now, within bounds.
  void Move();
  // From now on what is in the pipe is read even if nobody takes it: it is all that the command
  // wrote.
  void CommandEnded();

  // Nothing is read from now on. The end to read from, which is the caller's from now on, where
  // somebody still has the other one open; -1 after the end.
  int TakeSource();

  // Nothing more comes.
  bool ended() const { return from_ < 0; }
  // After the end: who reads `to` sees the end as well.
  void CloseSink() { to_.Close(); }
  // Of our own streams, the one that it is for.
  int stream() const { return to_.stream(); }
  // Everything that was read has been passed on.
  bool passed_on() const { return waiting_.empty(); }
  // The errno of bytes that were lost; 0 when none were.
  int lost() const { return lost_; }

 private:
  bool HasRoom() const { return waiting_.size() < room_; }
  bool Read();
  void Write();
  void StopReading();

  int from_;
  Sink to_;
  OutputTail& tail_;
  size_t room_;
  std::string waiting_;  // read, and not yet written
  int lost_ = 0;
};

}  // namespace tocsin::cli
