// Tells people, over another channel, that a channel of theirs does not work.
#include "services/core/engine/channel_news.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/names.h"
#include "services/core/engine/event_writer.h"

namespace tocsin::core {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(30);
constexpr int kNewest = 100;  // deliveries of one channel that are searched for what was told
constexpr size_t kToldLimit = 100'000;

// Why a channel is told of. Notifiers put "gone", and outcomes of attempts, into words.
constexpr char kGone[] = "gone";
constexpr char kDeadDelivery[] = "dead_delivery";
constexpr char kFailing[] = "failing";

// Whom to tell about `channel`; none when no other channel is enabled for it.
std::vector<Channel> Targets(const Channel& channel, const std::vector<Channel>& channels) {
  std::vector<Channel> defaults;
  for (const Channel& other : channels) {
    if (other.key == channel.key || other.disabled_at) continue;
    if (other.id == channel.fallback_channel) return {other};
    if (other.is_default) defaults.push_back(other);
  }
  return defaults;
}

}  // namespace

ChannelNews::ChannelNews(Store& store, absl::Duration failing_after)
    : store_(store), failing_after_(failing_after) {}

void ChannelNews::Add(const ReportEffects& effects) {
  disabled_.insert(effects.disabled.begin(), effects.disabled.end());
  with_dead_.insert(effects.with_dead.begin(), effects.with_dead.end());
}

void ChannelNews::AddProject(ProjectKey project) { projects_.insert(project); }

absl::Status ChannelNews::Tell(absl::Time now) {
  const bool look = now - looked_at_ >= kLookInterval || now < looked_at_;
  if (!look && disabled_.empty() && with_dead_.empty()) return absl::OkStatus();
  if (!knows_default_) {
    ASSIGN_OR_RETURN(const std::optional<ProjectKey> project,
                     store_.FindProject(std::string(kDefaultProject)));
    if (project.has_value()) projects_.insert(*project);
    knows_default_ = true;
  }
  if (told_.size() > kToldLimit) told_.clear();
  for (const ProjectKey project : projects_) RETURN_IF_ERROR(TellProject(project, look, now));
  // Channels that were deleted meanwhile are of no interest.
  disabled_.clear();
  with_dead_.clear();
  if (look) looked_at_ = now;
  return absl::OkStatus();
}

absl::Status ChannelNews::TellProject(ProjectKey project, bool look, absl::Time now) {
  std::vector<Channel> channels;
  RETURN_IF_ERROR(store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
    absl::StatusOr<std::vector<Channel>> read = transaction.Channels(project);
    if (read.ok()) channels = *std::move(read);
    return read.status();
  }));
  for (const Channel& channel : channels) {
    const std::string reason = ReasonToTell(channel, look, now);
    if (!reason.empty()) {
      const std::vector<Channel> targets = Targets(channel, channels);
      bool told = false;
      if (reason != kGone) {
        ASSIGN_OR_RETURN(told, WasTold(channel, targets));
      }
      if (!told) RETURN_IF_ERROR(Write(channel, targets, reason, now));
      told_[channel.key] = Told{.failing_since = channel.failing_since, .at = now};
    }
    disabled_.erase(channel.key);
    with_dead_.erase(channel.key);
  }
  return absl::OkStatus();
}

std::string ChannelNews::ReasonToTell(const Channel& channel, bool look, absl::Time now) const {
  if (disabled_.contains(channel.key)) return kGone;
  // Somebody disabled it, or was told that it is gone: no news.
  if (channel.disabled_at) return "";
  if (const auto found = told_.find(channel.key); found != told_.end()) {
    const Told& told = found->second;
    if (channel.failing_since && told.failing_since == channel.failing_since) return "";
    if (now - told.at < failing_after_) return "";
  }
  if (with_dead_.contains(channel.key)) return kDeadDelivery;
  const bool long_failing =
      channel.failing_since.has_value() && now - *channel.failing_since >= failing_after_;
  return look && long_failing ? kFailing : "";
}

absl::StatusOr<bool> ChannelNews::WasTold(const Channel& channel,
                                          const std::vector<Channel>& targets) {
  if (!channel.failing_since) return false;
  const std::string name = ChannelName(channel.project_id, channel.id);
  for (const Channel& target : targets) {
    ASSIGN_OR_RETURN(const std::vector<DeliveryView> newest,
                     store_.ListDeliveries({.project = channel.project,
                                            .channel = target.key,
                                            .monitor = std::nullopt,
                                            .state = std::nullopt,
                                            .before = 0,
                                            .limit = kNewest}));
    const bool told = std::any_of(newest.begin(), newest.end(), [&](const DeliveryView& view) {
      const Delivery& delivery = view.delivery;
      return delivery.type == DeliveryType::kChannelFailing && delivery.notice &&
             delivery.notice->channel == name &&
             delivery.notice->failing_since == channel.failing_since;
    });
    if (told) return true;
  }
  return false;
}

absl::Status ChannelNews::Write(const Channel& channel, const std::vector<Channel>& targets,
                                const std::string& reason, absl::Time now) {
  const std::string name = ChannelName(channel.project_id, channel.id);
  LogWarning("channel_failing",
             {{"channel", name}, {"reason", reason}, {"told_channels", targets.size()}});
  if (targets.empty()) return absl::OkStatus();
  return store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) {
    std::vector<Delivery> deliveries;
    for (const Channel& target : targets) {
      Delivery delivery = NewDelivery(channel.project, DeliveryType::kChannelFailing, now);
      delivery.channel = target.key;
      delivery.notice = ChannelNotice{.channel = name,
                                      .failing_since = channel.failing_since,
                                      .reason = reason == kGone ? reason : channel.last_error};
      deliveries.push_back(std::move(delivery));
    }
    return transaction.AddDeliveries(deliveries);
  });
}

}  // namespace tocsin::core
