// What people do with channels: create, read, change, delete, test.
#include "services/core/engine/channel_admin.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/any_string_view.h"
#include "common/random.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/monitor_lookup.h"
#include "services/core/engine/repeatable_request.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kMostSecrets = 5;  // that sign a message

// "FORMAT_SLACK".
std::string FormatWord(ChannelFormat format) {
  return absl::StrCat("FORMAT_", absl::AsciiStrToUpper(AnyStringView(FormatName(format)).absl()));
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

absl::Status CheckFormat(const Channel& before, const Channel& after) {
  if (after.format == before.format) return absl::OkStatus();
  return InvalidField("channel.format",
                      absl::StrCat("a channel keeps its format, ", FormatWord(before.format)),
                      "that, or another channel");
}

absl::Status Validate(const Channel& channel) {
  FieldFaults faults;
  ValidateChannel(channel, "channel", faults);
  return faults.ToStatus();
}

// A routing key is sent as it is: whoever may change a URL is not to learn it.
absl::Status CheckReceiver(const Channel& before, const Channel& after) {
  if (after.format != ChannelFormat::kPagerDuty || MaskUrl(before.url) == MaskUrl(after.url)) {
    return absl::OkStatus();
  }
  return InvalidField("channel.url",
                      absl::StrCat("the routing key was given for ", MaskUrl(before.url),
                                   " and would be sent to ", MaskUrl(after.url)),
                      "the same host; or another channel, with its key");
}

// Whether the channel can be given a secret in place of the one that it has.
absl::Status CheckSigns(const Channel& channel) {
  if (channel.format != ChannelFormat::kStandardWebhook) {
    return InvalidField("name",
                        absl::StrCat("messages of ", FormatWord(channel.format), " are not signed"),
                        "a channel of FORMAT_STANDARD_WEBHOOK; of another one the URL can be "
                        "changed, or another channel made");
  }
  if (channel.url.empty() || channel.secrets.empty()) {
    return absl::UnavailableError(
        "this core lacks the key that the channel's secrets are sealed with; another may have it");
  }
  return absl::OkStatus();
}

AuditedResource ResourceOf(const Channel& channel) {
  return {.project = channel.project,
          .project_id = channel.project_id,
          .name = ChannelName(channel.project_id, channel.id)};
}

// More than an update may take until it is committed.
constexpr absl::Duration kLongestUpdate = absl::Seconds(5);

// Positive, so that it is never that of a channel without one.
int64_t NewVersion() { return static_cast<int64_t>(RandomId() >> 1 | 1); }

// Another URL is another receiver, and so may be one that other headers lead to: what is known of
// the old one says nothing about it.
void ForgetFailures(Channel& channel) {
  channel.disabled_at.reset();
  channel.disable_reason.clear();
  channel.failing_since.reset();
  channel.last_error.clear();
  channel.told.reset();
}

}  // namespace

std::string EtagOf(const Channel& channel) {
  return channel.version == 0 ? "" : absl::StrCat(absl::Hex(channel.version));
}

ChannelAdmin::ChannelAdmin(Store& store, const Clock& clock, const Sealer* sealer)
    : ChannelAdmin(store, clock, RandomBytes, sealer) {}

ChannelAdmin::ChannelAdmin(Store& store, const Clock& clock, RandomSource random,
                           const Sealer* sealer)
    : store_(store), clock_(clock), random_(std::move(random)), sealer_(sealer) {}

std::string ChannelAdmin::NewSecret() const {
  return absl::StrCat("whsec_", absl::Base64Escape(random_(kSecretBytes)));
}

absl::StatusOr<CreatedChannel> ChannelAdmin::Create(const Caller& caller, Channel channel,
                                                    const std::string& webhook_secret,
                                                    const ChannelCreationOptions& options) {
  FillDefaults(channel);
  FieldFaults faults;
  ValidateResourceId(channel.id, "channel_id", faults);
  ValidateChannel(channel, "channel", faults);
  ValidateWebhookSecret(channel.format, webhook_secret, "webhook_secret", faults);
  RETURN_IF_ERROR(faults.ToStatus());

  ASSIGN_OR_RETURN(channel.project, FindProjectKey(store_, channel.project_id));
  channel.key = 0;
  channel.created_at = clock_.Now();
  channel.updated_at = channel.created_at;
  channel.version = NewVersion();
  ForgetFailures(channel);
  const AuditedResource resource = ResourceOf(channel);
  const RepeatableRequest request(caller,
                                  options.validate_only ? RequestIdentity() : options.request,
                                  resource.name, sealer_, channel.created_at);
  const bool signs = channel.format == ChannelFormat::kStandardWebhook;
  const std::string secret = !webhook_secret.empty() || !signs ? webhook_secret
                             : request.derives()               ? request.WebhookSecret()
                                                               : NewSecret();
  channel.secrets.clear();
  if (!secret.empty()) channel.secrets.push_back(secret);

  CreatedChannel created;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        created = {.channel = channel, .webhook_secret = signs ? secret : ""};
        Channel& made = created.channel;
        ASSIGN_OR_RETURN(const std::optional<RequestRecord> earlier, request.Claim(transaction));
        if (earlier.has_value()) {
          made.created_at = made.updated_at = earlier->at;
          made.version = earlier->version;
          if (made.version != channel.version && signs && webhook_secret.empty()) {
            created.webhook_secret = request.WebhookSecretOf(*earlier).value_or("");
          }
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(HoldProject(transaction, channel.project, channel.project_id));
        ASSIGN_OR_RETURN(std::optional<Channel> existing,
                         transaction.LockChannel(channel.project, channel.id));
        if (existing.has_value()) {
          if (!again || existing->version != channel.version) {
            return ChannelAlreadyExists(resource.name);
          }
          made = *std::move(existing);
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(CheckFallback(transaction, channel));
        const absl::StatusOr<ChannelKey> key = transaction.InsertChannel(channel);
        // Somebody else was quicker.
        if (absl::IsAlreadyExists(key.status())) return ChannelAlreadyExists(resource.name);
        RETURN_IF_ERROR(key.status());
        made.key = *key;
        RETURN_IF_ERROR(request.Made(transaction, made.version));
        return WriteAudit(transaction, caller, resource, ChangesOf(nullptr, &made),
                          made.created_at);
      }));
  if (options.validate_only) {
    created.channel.version = 0;
    created.webhook_secret.clear();
  }
  return created;
}

absl::StatusOr<Channel> ChannelAdmin::Get(const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  Channel found;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(found, LockChannel(transaction, project, name));
        return absl::OkStatus();
      }));
  DropOldSecrets(found, clock_.Now());
  return found;
}

absl::StatusOr<std::vector<Channel>> ChannelAdmin::List(const std::string& project_id,
                                                        const std::string& after_id, int limit) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, project_id));
  ASSIGN_OR_RETURN(std::vector<Channel> channels,
                   store_.ListChannels({.project = project, .after_id = after_id, .limit = limit}));
  for (Channel& channel : channels) DropOldSecrets(channel, clock_.Now());
  return channels;
}

absl::StatusOr<Channel> ChannelAdmin::Update(const Caller& caller, const ResourceName& name,
                                             absl::FunctionRef<absl::Status(Channel&)> edit,
                                             const ChannelUpdateOptions& options) {
  if (options.if_missing == nullptr) return UpdateExisting(caller, name, edit, options);
  absl::Status status;
  // Somebody else may make it, or delete it, between the two.
  for (int tries = 0; tries < 3; ++tries) {
    absl::StatusOr<Channel> updated = UpdateExisting(caller, name, edit, options);
    if (updated.ok() || tocsin::Reason(updated.status()) != kChannelNotFound) return updated;
    if (!options.etag.empty()) return EtagOfNothing(ChannelName(name.project, name.id));
    if (options.if_missing->format == ChannelFormat::kPagerDuty) {
      return InvalidField("allow_missing",
                          "the channel does not exist, and PagerDuty needs a routing key, which an "
                          "update cannot give",
                          "CreateChannel, with the key as webhook_secret");
    }
    absl::StatusOr<CreatedChannel> created =
        Create(caller, *options.if_missing, "", {.validate_only = options.validate_only});
    if (created.ok()) return std::move(created->channel);
    status = created.status();
    if (tocsin::Reason(status) != kChannelAlreadyExists) return status;
  }
  return status;
}

absl::StatusOr<Channel> ChannelAdmin::UpdateExisting(const Caller& caller, const ResourceName& name,
                                                     absl::FunctionRef<absl::Status(Channel&)> edit,
                                                     const ChannelUpdateOptions& options) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  const int64_t version = NewVersion();
  Channel result;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(const Channel before, LockChannel(transaction, project, name));
        result = before;
        if (again && before.version == version) return absl::OkStatus();
        Channel after = before;
        RETURN_IF_ERROR(edit(after));
        FillDefaults(after);
        RETURN_IF_ERROR(Validate(after));
        RETURN_IF_ERROR(CheckFormat(before, after));
        RETURN_IF_ERROR(CheckReceiver(before, after));
        if (!options.etag.empty() && options.etag != EtagOf(before)) {
          return StaleEtag(ResourceOf(before).name);
        }
        // What waits is tried again at once, too: the headers may be what was refused.
        if (after.url != before.url || after.headers != before.headers) {
          ForgetFailures(after);
          after.url_set_at = now + kLongestUpdate;
        }
        if (after.fallback_channel != before.fallback_channel) {
          RETURN_IF_ERROR(CheckFallback(transaction, after));
        }
        if (after == before) return absl::OkStatus();
        after.updated_at = now;
        after.version = version;
        RETURN_IF_ERROR(transaction.SaveChannel(after));
        RETURN_IF_ERROR(
            WriteAudit(transaction, caller, ResourceOf(before), ChangesOf(&before, &after), now));
        result = std::move(after);
        return absl::OkStatus();
      }));
  if (options.validate_only) result.version = 0;
  return result;
}

absl::StatusOr<RotatedSecret> ChannelAdmin::RotateSecret(const Caller& caller,
                                                         const ResourceName& name,
                                                         const std::string& webhook_secret,
                                                         absl::Duration overlap) {
  FieldFaults faults;
  ValidateTokenOverlap(overlap, "overlap", faults);
  ValidateWebhookSecret(ChannelFormat::kStandardWebhook, webhook_secret, "webhook_secret", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  const int64_t version = NewVersion();
  RotatedSecret rotated;
  rotated.webhook_secret = webhook_secret.empty() ? NewSecret() : webhook_secret;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(const Channel before, LockChannel(transaction, project, name));
        rotated.channel = before;
        RETURN_IF_ERROR(CheckSigns(before));
        // Somebody else may have changed it since.
        const bool ours = webhook_secret.empty() ? before.secrets.front() == rotated.webhook_secret
                                                 : before.version == version;
        if (again && ours) return absl::OkStatus();
        Channel after = before;
        after.secrets = {rotated.webhook_secret};
        after.old_secrets_until.reset();
        if (overlap > absl::ZeroDuration()) {
          Channel old = before;
          DropOldSecrets(old, now);
          for (const std::string& secret : old.secrets) {
            if (secret != rotated.webhook_secret) after.secrets.push_back(secret);
          }
          // The oldest may be the only one that the receiver was told.
          if (after.secrets.size() > kMostSecrets) after.secrets.erase(after.secrets.end() - 2);
        }
        if (after.secrets.size() > 1) {
          after.old_secrets_until = now + absl::Trunc(overlap, absl::Microseconds(1));
        }
        after.updated_at = now;
        after.version = version;
        RETURN_IF_ERROR(transaction.SaveChannel(after));
        RETURN_IF_ERROR(
            WriteAudit(transaction, caller, ResourceOf(before),
                       std::move(FieldChanges()
                                     .Secret("webhook_secret")
                                     .Time("old_secret_expire_time", before.old_secrets_until,
                                           after.old_secrets_until))
                           .Take(),
                       now));
        rotated.channel = std::move(after);
        return absl::OkStatus();
      }));
  return rotated;
}

absl::Status ChannelAdmin::Delete(const Caller& caller, const ResourceName& name,
                                  const ChannelDeletionOptions& options) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  return TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        const absl::StatusOr<Channel> channel = LockChannel(transaction, project, name);
        if (again && absl::IsNotFound(channel.status())) return absl::OkStatus();
        RETURN_IF_ERROR(channel.status());
        if (!options.etag.empty() && options.etag != EtagOf(*channel)) {
          return StaleEtag(ResourceOf(*channel).name);
        }
        RETURN_IF_ERROR(transaction.DeleteChannel(channel->key, now));
        return WriteAudit(transaction, caller, ResourceOf(*channel), ChangesOf(&*channel, nullptr),
                          now);
      });
}

absl::StatusOr<DeliveryView> ChannelAdmin::Test(const Caller& caller, const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
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
          RETURN_IF_ERROR(WriteAudit(
              transaction, caller, ResourceOf(channel),
              std::move(FieldChanges(FieldChanges::Kind::kCreation)
                            .Text("delivery", "", DeliveryName(name.project, delivery.id)))
                  .Take(),
              now));
          ASSIGN_OR_RETURN(written, transaction.LockDelivery(project, delivery.id));
        }
        if (!written.has_value()) return absl::InternalError("a delivery is not what was written");
        view.delivery = *std::move(written);
        return absl::OkStatus();
      }));
  return view;
}

}  // namespace tocsin::core
