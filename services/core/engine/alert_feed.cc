// Gives alert events their place in the feed, and tells watchers that there is more of it.
#include "services/core/engine/alert_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {
namespace {

constexpr int kSequenceLimit = 1000;  // events in one call
constexpr int kRounds = 10;           // calls in one tick
constexpr absl::Duration kRest = absl::Seconds(1);
// Events of all projects, in one read for a watcher of one of them.
constexpr int64_t kMostLookedAt = 20'000;

absl::Status NotOurs() {
  return InvalidField("cursor", "is not one that Tocsin gave",
                      "the cursor of an earlier response, or nothing to start at the end");
}

}  // namespace

std::string FormatCursor(const FeedEnd& place) {
  return absl::StrCat(place.epoch, ".", place.position);
}

absl::StatusOr<FeedEnd> ParseCursor(const std::string& cursor) {
  const size_t dot = cursor.rfind('.');
  if (dot == std::string::npos || dot == 0) return NotOurs();
  FeedEnd place;
  place.epoch = cursor.substr(0, dot);
  if (!absl::SimpleAtoi(cursor.substr(dot + 1), &place.position) || place.position < 0 ||
      FormatCursor(place) != cursor) {
    return NotOurs();
  }
  return place;
}

AlertFeed::AlertFeed(Store& store) : store_(store) {}

absl::Duration AlertFeed::Tick() {
  absl::StatusOr<int> given = kSequenceLimit;
  for (int round = 0; round < kRounds && given.ok() && *given >= kSequenceLimit; ++round) {
    given = store_.SequenceFeed(kSequenceLimit);
  }
  // Another replica may have given positions even when this one could not.
  const absl::StatusOr<FeedEnd> end = store_.ReadFeedEnd();
  log_.Report(given.ok() ? end.status() : given.status());
  if (end.ok()) {
    bool moved = false;
    {
      absl::MutexLock lock(&mutex_);
      moved = end->position != seen_;
      seen_ = end->position;
    }
    if (moved) WakeWatchers();
  }
  return given.ok() && *given >= kSequenceLimit ? absl::ZeroDuration() : kRest;
}

void AlertFeed::WakeWatchers() {
  absl::MutexLock waking(&waking_);
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mutex_);
    wakes.reserve(watchers_.size());
    for (const auto& [watcher, wake] : watchers_) wakes.push_back(wake);
  }
  for (const std::function<void()>& wake : wakes) wake();
}

absl::StatusOr<FeedEnd> AlertFeed::Begin(const std::string& cursor) {
  FeedEnd place;
  if (!cursor.empty()) {
    ASSIGN_OR_RETURN(place, ParseCursor(cursor));
  }
  ASSIGN_OR_RETURN(FeedEnd end, store_.ReadFeedEnd());
  if (cursor.empty()) return end;
  // A place beyond the end was given by a database that knew more than this one.
  if (place.epoch != end.epoch || place.position > end.position) return UnknownCursor();
  return place;
}

absl::StatusOr<FeedBatch> AlertFeed::Read(ProjectKey project, const FeedEnd& place, int limit) {
  const int64_t from = place.position;
  int64_t end = from;
  {
    absl::MutexLock lock(&mutex_);
    end = std::max(from, seen_);
  }
  FeedBatch batch;
  batch.read_to = std::min(end, from + kMostLookedAt);
  if (batch.read_to == from) return batch;
  ASSIGN_OR_RETURN(batch.entries, store_.ReadFeed(project, from, batch.read_to, limit));
  if (batch.entries.size() == static_cast<size_t>(limit)) {
    batch.read_to = batch.entries.back().position;
  }
  batch.more = batch.read_to < end;
  return batch;
}

uint64_t AlertFeed::AddWatcher(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  const uint64_t watcher = next_++;
  watchers_.emplace(watcher, std::move(wake));
  return watcher;
}

void AlertFeed::RemoveWatcher(uint64_t watcher) {
  absl::MutexLock waking(&waking_);
  absl::MutexLock lock(&mutex_);
  watchers_.erase(watcher);
}

}  // namespace tocsin::core
