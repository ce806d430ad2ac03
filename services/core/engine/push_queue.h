// What waits to be recorded, and what of it a committer may take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "services/core/engine/push_group.h"
#include "services/core/engine/push_recorder.h"

namespace tocsin::core {

// One queue for all committers: whoever is free takes what waits, so that groups are large when
// there is much to do and nothing waits for a busy committer while another is idle. The pushes of
// one token keep their order: while some are with a committer, the others of it take none.
//
// Not thread-safe: the recorder's mutex guards it.
class PushQueue {
 public:
  // A barrier: it runs when everything that was added before it has been recorded or given up.
  struct Touch {
    std::function<absl::Status(Transaction&)> body;
    PushRecorder::TouchDone done;
    uint64_t sequence = 0;
  };
  // Items, oldest first, or one touch; empty when there is nothing that the committer may take.
  struct Group {
    std::vector<QueuedPush> entries;
    std::vector<Touch> touch;
  };

  void Add(QueuedPush push);
  void AddTouch(Touch touch);

  // Whether Take may find something: cheap, and asked often.
  bool HasWork(int committer) const;
  // At most `limit` items. They are with `committer` until Finish.
  Group Take(int committer, size_t limit);
  // What the committer took is done, save for `again` (pointers into its group, oldest first),
  // which wait once more, in their old place.
  void Finish(int committer, const std::vector<QueuedPush*>& again);

  bool empty() const { return items_.empty() && touches_.empty(); }
  bool has_touches() const { return !touches_.empty(); }
  size_t size() const { return items_.size(); }

 private:
  struct Committer {
    absl::flat_hash_set<TokenHash> tokens;  // of its group
    uint64_t oldest = UINT64_MAX;           // of its group
    bool idle_until_news = false;           // all that it looked at is with others
  };

  bool WithAnother(int committer, const TokenHash& token) const;
  bool TouchMayRun() const;
  void NoteNews();

  std::deque<QueuedPush> items_;  // by sequence
  std::deque<Touch> touches_;     // by sequence
  uint64_t last_sequence_ = 0;
  std::array<Committer, kPushCommitters> committers_;
};

}  // namespace tocsin::core
