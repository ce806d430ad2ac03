// Output of processes that outlive the command: what a job starts in the background, and leaves
// there with its output open, must not die of it (SIGPIPE) when we end.
#pragma once

#include <vector>

namespace tocsin::cli {

// A pipe that somebody may still write to, and the stream that its output goes to.
struct Leftover {
  int from = -1;
  int to = -1;
};

// Starts a process that passes it all on until nobody has the pipes open any more, and returns. It
// ends of itself alone: signals that can be blocked are blocked in it, as they are here. Who reads
// the streams sees their end when they would have without us. What cannot be written is dropped, as
// on a full disk or a terminal that was hung up; a reader that has gone ends it, and with it
// whoever writes. Nothing to do without leftovers.
void DrainInBackground(const std::vector<Leftover>& leftovers);

}  // namespace tocsin::cli
