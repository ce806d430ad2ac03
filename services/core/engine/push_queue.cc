// What waits to be recorded, and what of it a committer may take.
#include "services/core/engine/push_queue.h"

#include <algorithm>
#include <utility>

namespace tocsin::core {
namespace {

// How much of the queue Take looks at, in groups: a flood of one token must not make it long.
constexpr size_t kGroupsLookedAt = 4;

}  // namespace

void PushQueue::Add(QueuedPush push) {
  push.sequence = ++last_sequence_;
  items_.push_back(std::move(push));
  NoteNews();
}

void PushQueue::AddTouch(Touch touch) {
  touch.sequence = ++last_sequence_;
  touches_.push_back(std::move(touch));
}

void PushQueue::NoteNews() {
  for (Committer& committer : committers_) committer.idle_until_news = false;
}

bool PushQueue::TouchMayRun() const {
  if (touches_.empty()) return false;
  const uint64_t sequence = touches_.front().sequence;
  return (items_.empty() || items_.front().sequence > sequence) &&
         std::all_of(committers_.begin(), committers_.end(),
                     [sequence](const Committer& c) { return c.oldest > sequence; });
}

bool PushQueue::HasWork(int committer) const {
  return TouchMayRun() || (!items_.empty() && !committers_[committer].idle_until_news);
}

bool PushQueue::WithAnother(int committer, const TokenHash& token) const {
  for (int other = 0; other < kPushCommitters; ++other) {
    const absl::flat_hash_set<TokenHash>& tokens = committers_[other].tokens;
    if (other != committer && !tokens.empty() && tokens.contains(token)) return true;
  }
  return false;
}

PushQueue::Group PushQueue::Take(int committer, size_t limit) {
  Group group;
  if (TouchMayRun()) {
    group.touch.push_back(std::move(touches_.front()));
    touches_.pop_front();
    return group;
  }
  Committer& mine = committers_[committer];
  std::vector<QueuedPush> left;
  while (!items_.empty() && group.entries.size() < limit && left.size() < kGroupsLookedAt * limit) {
    QueuedPush& push = items_.front();
    if (WithAnother(committer, push.item.token)) {
      left.push_back(std::move(push));
    } else {
      mine.tokens.insert(push.item.token);
      group.entries.push_back(std::move(push));
    }
    items_.pop_front();
  }
  for (auto it = left.rbegin(); it != left.rend(); ++it) items_.push_front(std::move(*it));
  if (group.entries.empty()) {
    mine.idle_until_news = true;
  } else {
    mine.oldest = group.entries.front().sequence;
  }
  return group;
}

void PushQueue::Finish(int committer, const std::vector<QueuedPush*>& again) {
  committers_[committer].tokens.clear();
  committers_[committer].oldest = UINT64_MAX;
  NoteNews();
  if (again.empty()) return;
  // Another committer may have put back others meanwhile.
  std::vector<QueuedPush> first;
  while (!items_.empty() && items_.front().sequence < again.back()->sequence) {
    first.push_back(std::move(items_.front()));
    items_.pop_front();
  }
  for (QueuedPush* push : again) first.push_back(std::move(*push));
  std::sort(first.begin(), first.end(),
            [](const QueuedPush& a, const QueuedPush& b) { return a.sequence < b.sequence; });
  for (auto it = first.rbegin(); it != first.rend(); ++it) items_.push_front(std::move(*it));
}

}  // namespace tocsin::core
