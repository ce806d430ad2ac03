// What people do with channels: create, read, change, delete, test.
#include "services/core/engine/channel_admin.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/known_transaction.h"

namespace tocsin::core {
namespace {

constexpr size_t kSecretBytes = 32;

absl::StatusOr<ProjectKey> FindProject(Store& store, const std::string& id) {
  ASSIGN_OR_RETURN(const std::optional<ProjectKey> key, store.FindProject(id));
  if (!key.has_value()) return ProjectNotFound(ProjectName(id));
  return *key;
}

absl::StatusOr<Channel> LockChannel(Transaction& transaction, ProjectKey project,
                                    const ResourceName& name) {
  ASSIGN_OR_RETURN(std::optional<Channel> channel, transaction.LockChannel(project, name.id));
  if (!channel.has_value()) return ChannelNotFound(ChannelName(name.project, name.id));
  return *std::move(channel);
}

absl::Status CheckFallback(Transaction& transaction, const Channel& channel) {
  if (channel.fallback_channel.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<Channel> fallback,
                   transaction.LockChannel(channel.project, channel.fallback_channel));
  if (fallback.has_value()) return absl::OkStatus();
  return InvalidField("channel.fallback_channel",
                      absl::StrCat("the channel \"", channel.fallback_channel, "\" does not exist"),
                      "a channel of the same project");
}

absl::Status Validate(const Channel& channel) {
  FieldFaults faults;
  ValidateChannel(channel, "channel", faults);
  return faults.ToStatus();
}

// Another URL is another receiver: what is known of the old one says nothing about it.
void ForgetFailures(Channel& channel) {
  channel.disabled_at.reset();
  channel.disable_reason.clear();
  channel.failing_since.reset();
  channel.last_error.clear();
  channel.told.reset();
}

}  // namespace

ChannelAdmin::ChannelAdmin(Store& store, const Clock& clock)
    : ChannelAdmin(store, clock, RandomBytes) {}

ChannelAdmin::ChannelAdmin(Store& store, const Clock& clock, RandomSource random)
    : store_(store), clock_(clock), random_(std::move(random)) {}

absl::StatusOr<CreatedChannel> ChannelAdmin::Create(Channel channel,
                                                    const std::string& webhook_secret) {
  FillDefaults(channel);
  FieldFaults faults;
  ValidateResourceId(channel.id, "channel_id", faults);
  ValidateChannel(channel, "channel", faults);
  if (!webhook_secret.empty()) ValidateWebhookSecret(webhook_secret, "webhook_secret", faults);
  RETURN_IF_ERROR(faults.ToStatus());

  ASSIGN_OR_RETURN(channel.project, FindProject(store_, channel.project_id));
  const std::string secret = webhook_secret.empty()
                                 ? absl::StrCat("whsec_", absl::Base64Escape(random_(kSecretBytes)))
                                 : webhook_secret;
  channel.key = 0;
  channel.secrets = {secret};
  channel.created_at = clock_.Now();
  channel.updated_at = channel.created_at;
  ForgetFailures(channel);

  CreatedChannel created;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        RETURN_IF_ERROR(HoldProject(transaction, channel.project, channel.project_id));
        ASSIGN_OR_RETURN(std::optional<Channel> existing,
                         transaction.LockChannel(channel.project, channel.id));
        if (existing.has_value()) {
          if (!again || existing->secrets != channel.secrets) {
            return ChannelAlreadyExists(ChannelName(channel.project_id, channel.id));
          }
          created = {.channel = *std::move(existing), .webhook_secret = secret};
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(CheckFallback(transaction, channel));
        Channel inserted = channel;
        ASSIGN_OR_RETURN(inserted.key, transaction.InsertChannel(channel));
        created = {.channel = std::move(inserted), .webhook_secret = secret};
        return absl::OkStatus();
      }));
  return created;
}

absl::StatusOr<Channel> ChannelAdmin::Get(const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  Channel found;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(found, LockChannel(transaction, project, name));
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<std::vector<Channel>> ChannelAdmin::List(const std::string& project_id,
                                                        const std::string& after_id, int limit) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, project_id));
  return store_.ListChannels({.project = project, .after_id = after_id, .limit = limit});
}

absl::StatusOr<Channel> ChannelAdmin::Update(const ResourceName& name,
                                             absl::FunctionRef<absl::Status(Channel&)> edit) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  const absl::Time now = clock_.Now();
  Channel result;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool) -> absl::Status {
        ASSIGN_OR_RETURN(const Channel before, LockChannel(transaction, project, name));
        Channel after = before;
        RETURN_IF_ERROR(edit(after));
        FillDefaults(after);
        RETURN_IF_ERROR(Validate(after));
        if (after.url != before.url) ForgetFailures(after);
        if (after.fallback_channel != before.fallback_channel) {
          RETURN_IF_ERROR(CheckFallback(transaction, after));
        }
        if (!(after == before)) {
          after.updated_at = now;
          RETURN_IF_ERROR(transaction.SaveChannel(after));
        }
        result = std::move(after);
        return absl::OkStatus();
      }));
  return result;
}

absl::Status ChannelAdmin::Delete(const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  const absl::Time now = clock_.Now();
  return TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        const absl::StatusOr<Channel> channel = LockChannel(transaction, project, name);
        if (again && absl::IsNotFound(channel.status())) return absl::OkStatus();
        RETURN_IF_ERROR(channel.status());
        return transaction.DeleteChannel(channel->key, now);
      });
}

absl::StatusOr<DeliveryView> ChannelAdmin::Test(const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  const absl::Time now = clock_.Now();
  Delivery delivery = NewDelivery(project, DeliveryType::kChannelTest, now);
  delivery.notice = ChannelNotice{
      .channel = ChannelName(name.project, name.id), .failing_since = std::nullopt, .reason = ""};
  DeliveryView view = {
      .delivery = {}, .project_id = name.project, .channel_id = name.id, .monitor_id = ""};
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        std::optional<Delivery> written;
        if (again) {
          ASSIGN_OR_RETURN(written, transaction.LockDelivery(project, delivery.id));
        }
        if (!written.has_value()) {
          ASSIGN_OR_RETURN(const Channel channel, LockChannel(transaction, project, name));
          if (channel.disabled_at.has_value()) {
            return ChannelIsDisabled(ChannelName(name.project, name.id));
          }
          delivery.channel = channel.key;
          RETURN_IF_ERROR(transaction.AddDeliveries({&delivery, 1}));
          ASSIGN_OR_RETURN(written, transaction.LockDelivery(project, delivery.id));
        }
        if (!written.has_value()) return absl::InternalError("a delivery is not what was written");
        view.delivery = *std::move(written);
        return absl::OkStatus();
      }));
  return view;
}

}  // namespace tocsin::core
