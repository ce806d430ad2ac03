// What people do with channels: create, read, change, delete, test.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/names.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct CreatedChannel {
  Channel channel;
  std::string webhook_secret;  // shown this once; the store keeps it sealed
};

// Thread-safe. Errors as MonitorAdmin. Channels are returned with URL and secrets in plain: it is
// for the API to mask them.
class ChannelAdmin {
 public:
  // Draws `n` random bytes; a test may draw known ones.
  using RandomSource = std::function<std::string(size_t n)>;

  // `store` and `clock` must outlive it.
  ChannelAdmin(Store& store, const Clock& clock);
  ChannelAdmin(Store& store, const Clock& clock, RandomSource random);

  // Of `channel`, project_id and id say where; key, project, secrets and times are ignored. An
  // empty `webhook_secret` means a new one. Faults name fields below "channel", "channel_id" and
  // "webhook_secret". ChannelAlreadyExists when the id is taken.
  absl::StatusOr<CreatedChannel> Create(Channel channel, const std::string& webhook_secret);
  absl::StatusOr<Channel> Get(const ResourceName& name);
  // In order of id, after `after_id`; at most `limit`.
  absl::StatusOr<std::vector<Channel>> List(const std::string& project_id,
                                            const std::string& after_id, int limit);
  // Applies `edit` to the channel; it may be called several times, must not touch identity,
  // secrets or times, and its error is returned. Another URL enables a disabled channel and
  // forgets its failures.
  absl::StatusOr<Channel> Update(const ResourceName& name,
                                 absl::FunctionRef<absl::Status(Channel&)> edit);
  absl::Status Delete(const ResourceName& name);
  // Writes a `channel.test` delivery that is due now. ChannelIsDisabled for a disabled channel.
  absl::StatusOr<DeliveryView> Test(const ResourceName& name);

 private:
  Store& store_;
  const Clock& clock_;
  RandomSource random_;
};

}  // namespace tocsin::core
