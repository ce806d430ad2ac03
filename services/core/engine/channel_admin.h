// What people do with channels: create, read, change, delete, test.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/names.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/sealer.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Changes with every change that people make; opaque to users. Empty for a channel that was not
// made, and for one from before channels had etags until its first change.
std::string EtagOf(const Channel& channel);

struct CreatedChannel {
  Channel channel;
  // What signs messages, shown this once; the store keeps it sealed. Empty for formats that do not
  // sign, with validate_only, and when a repeated request cannot be given it again.
  std::string webhook_secret;
};

struct RotatedSecret {
  Channel channel;
  std::string webhook_secret;  // what signs from now on, shown this once
};

struct ChannelCreationOptions {
  bool validate_only = false;
  RequestIdentity request{};
};

struct ChannelUpdateOptions {
  std::string etag{};  // empty: any
  bool validate_only = false;
  const Channel* if_missing = nullptr;  // what is made when there is no such channel
};

struct ChannelDeletionOptions {
  std::string etag{};  // empty: any
  bool validate_only = false;
};

// Thread-safe. Audit, errors and validate_only as MonitorAdmin. Channels are returned with URL and
// secrets in plain: it is for the API to mask them.
class ChannelAdmin {
 public:
  // Draws `n` random bytes; a test may draw known ones.
  using RandomSource = std::function<std::string(size_t n)>;

  // `store` and `clock` must outlive it, and so must `sealer`, as with MonitorAdmin.
  ChannelAdmin(Store& store, const Clock& clock, const Sealer* sealer = nullptr);
  ChannelAdmin(Store& store, const Clock& clock, RandomSource random,
               const Sealer* sealer = nullptr);

  // Of `channel`, project_id and id say where; key, project, secrets, version and times are
  // ignored. An empty `webhook_secret` means a new one, where the format signs. Faults name fields
  // below "channel", "channel_id" and "webhook_secret". ChannelAlreadyExists when the id is taken.
  // Repeated requests as with MonitorAdmin::Create.
  absl::StatusOr<CreatedChannel> Create(const Caller& caller, Channel channel,
                                        const std::string& webhook_secret,
                                        const ChannelCreationOptions& options = {});
  absl::StatusOr<Channel> Get(const ResourceName& name);
  // In order of id, after `after_id`; at most `limit`.
  absl::StatusOr<std::vector<Channel>> List(const std::string& project_id,
                                            const std::string& after_id, int limit);
  // Applies `edit` to the channel; it may be called several times, must not touch identity,
  // secrets, version or times, and its error is returned. StaleEtag. Another URL enables a disabled
  // channel and forgets its failures. Another format is refused: the secret would not fit.
  absl::StatusOr<Channel> Update(const Caller& caller, const ResourceName& name,
                                 absl::FunctionRef<absl::Status(Channel&)> edit,
                                 const ChannelUpdateOptions& options = {});
  // Gives the channel another secret, `webhook_secret` or, when that is empty, a new one. For
  // `overlap`, 0 to 30 days, messages are signed with those that sign now, too, up to four, so that
  // the receiver can be told meanwhile. Only where the format signs. UNAVAILABLE when this core
  // cannot open what the channel has.
  absl::StatusOr<RotatedSecret> RotateSecret(const Caller& caller, const ResourceName& name,
                                             const std::string& webhook_secret,
                                             absl::Duration overlap);
  // StaleEtag.
  absl::Status Delete(const Caller& caller, const ResourceName& name,
                      const ChannelDeletionOptions& options = {});
  // Writes a `channel.test` delivery that is due now. ChannelIsDisabled for a disabled channel.
  absl::StatusOr<DeliveryView> Test(const Caller& caller, const ResourceName& name);

 private:
  absl::StatusOr<Channel> UpdateExisting(const Caller& caller, const ResourceName& name,
                                         absl::FunctionRef<absl::Status(Channel&)> edit,
                                         const ChannelUpdateOptions& options);
  std::string NewSecret() const;

  Store& store_;
  const Clock& clock_;
  RandomSource random_;
  const Sealer* const sealer_;
};

}  // namespace tocsin::core
