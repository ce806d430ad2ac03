// Tells people, over another channel, that a channel of theirs does not work.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/channel.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Writes `channel.failing` deliveries: to the channel's fallback or, when that cannot be used, to
// the default channels. Not thread-safe. Told are
//   a channel that said 410, once, with the reason "gone";
//   a channel with a newly dead delivery and one whose every attempt has failed for
//   `failing_after`, with its last error as the reason: once while it goes on failing, and not
//   again within `failing_after`.
// What was told is kept with the channel (Channel::told), by the transaction that tells it: any
// number of replicas tell it once between them.
class ChannelNews {
 public:
  ChannelNews(Store& store, absl::Duration failing_after);

  // Remembers the effects, of `now`, until Tell could write what follows from them.
  void Add(const ReportEffects& effects, absl::Time now);
  // Tells what was added and, at most every 30 s, looks in all projects for channels that fail and
  // were not told, whoever heard of it. After an error it goes on with the next call.
  absl::Status Tell(absl::Time now);

 private:
  enum class Reason { kNone, kGone, kDeadDelivery, kFailing };
  static const char* ReasonName(Reason reason);

  absl::Status TellProject(ProjectKey project, absl::Time now);
  Reason ReasonToTell(const Channel& channel, absl::Time now) const;
  // Whether what there is to tell waits for the time that lies between two notices.
  bool IsTooSoon(const Channel& channel, absl::Time now) const;
  // Tells it if it still is to be told once the channel is locked.
  absl::Status TellChannel(const Channel& channel, absl::Time now);
  absl::Status Write(Transaction& transaction, const Channel& channel, Reason reason,
                     const std::vector<Channel>& targets, absl::Time now);

  Store& store_;
  const absl::Duration failing_after_;
  std::set<ProjectKey> added_;  // where something happened
  struct Death {
    absl::Time at;           // of the newest dead delivery
    ProjectKey project = 0;  // where it waits to be told; 0: it was not looked at yet
  };
  std::map<ChannelKey, Death> with_dead_;
  absl::Time looked_at_ = absl::InfinitePast();
};

}  // namespace tocsin::core
