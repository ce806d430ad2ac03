// Tells people, over another channel, that a channel of theirs does not work.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
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
// What a channel was told before this process started, or by another replica, is looked up among
// the newest deliveries of those who would be told.
class ChannelNews {
 public:
  ChannelNews(Store& store, absl::Duration failing_after);

  // Remembers the effects until Tell could write what follows from them.
  void Add(const ReportEffects& effects);
  // Projects whose channels are looked at; "default" always is one.
  void AddProject(ProjectKey project);
  // Tells what was added and, at most every 30 s, looks for channels that fail for long. After an
  // error it goes on with the next call.
  absl::Status Tell(absl::Time now);

 private:
  struct Told {
    std::optional<absl::Time> failing_since;
    absl::Time at;
  };
  absl::Status TellProject(ProjectKey project, bool look, absl::Time now);
  std::string ReasonToTell(const Channel& channel, bool look, absl::Time now) const;
  absl::StatusOr<bool> WasTold(const Channel& channel, const std::vector<Channel>& targets);
  absl::Status Write(const Channel& channel, const std::vector<Channel>& targets,
                     const std::string& reason, absl::Time now);

  Store& store_;
  const absl::Duration failing_after_;
  std::set<ProjectKey> projects_;
  std::set<ChannelKey> disabled_;
  std::set<ChannelKey> with_dead_;
  std::map<ChannelKey, Told> told_;
  bool knows_default_ = false;
  absl::Time looked_at_ = absl::InfinitePast();
};

}  // namespace tocsin::core
