// Tells people, over another channel, that a channel of theirs does not work.
#include "services/core/engine/channel_news.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/names.h"
#include "services/core/engine/event_writer.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(30);

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

// Notifiers put "gone", and outcomes of attempts, into words.
const char* ChannelNews::ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kGone:
      return "gone";
    case Reason::kDeadDelivery:
      return "dead_delivery";
    case Reason::kFailing:
      return "failing";
  }
  return "unknown";
}

void ChannelNews::Add(const ReportEffects& effects, absl::Time now) {
  added_.insert(effects.projects.begin(), effects.projects.end());
  for (const ChannelKey channel : effects.with_dead) with_dead_[channel].at = now;
}

absl::Status ChannelNews::Tell(absl::Time now) {
  const bool look = now - looked_at_ >= kLookInterval || now < looked_at_;
  if (!look && added_.empty()) return absl::OkStatus();
  std::set<ProjectKey> projects = added_;
  if (look) {
    ASSIGN_OR_RETURN(const std::vector<ProjectKey> troubled, store_.TroubledProjects());
    projects.insert(troubled.begin(), troubled.end());
    for (const auto& [channel, death] : with_dead_) projects.insert(death.project);
    projects.erase(0);
  }
  for (const ProjectKey project : projects) RETURN_IF_ERROR(TellProject(project, now));
  // Channels that were deleted meanwhile are of no interest.
  std::erase_if(with_dead_, [](const auto& waiting) { return waiting.second.project == 0; });
  added_.clear();
  if (look) looked_at_ = now;
  return absl::OkStatus();
}

absl::Status ChannelNews::TellProject(ProjectKey project, absl::Time now) {
  ChannelList channels;
  RETURN_IF_ERROR(store_.Transact(TransactionClass::kDelivery, [&](Transaction& transaction) {
    absl::StatusOr<ChannelList> read = transaction.Channels(project);
    if (read.ok()) channels = *std::move(read);
    return read.status();
  }));
  std::set<ChannelKey> waiting;
  const auto listed = [&channels](ChannelKey key) {
    return std::any_of(channels->begin(), channels->end(),
                       [key](const Channel& channel) { return channel.key == key; });
  };
  for (const Channel& channel : *channels) {
    if (ReasonToTell(channel, now) != Reason::kNone) RETURN_IF_ERROR(TellChannel(channel, now));
    const auto dead = with_dead_.find(channel.key);
    if (dead == with_dead_.end()) continue;
    // Another replica may have told it since.
    const bool told = channel.told.has_value() && channel.told->at >= dead->second.at;
    if (told || !IsTooSoon(channel, now)) continue;
    dead->second.project = project;
    waiting.insert(channel.key);
  }
  // What is told, or of a channel that was deleted.
  std::erase_if(with_dead_, [&](const auto& death) {
    const bool here = death.second.project == project || listed(death.first);
    return here && !waiting.contains(death.first);
  });
  return absl::OkStatus();
}

ChannelNews::Reason ChannelNews::ReasonToTell(const Channel& channel, absl::Time now) const {
  const std::optional<ChannelTold>& told = channel.told;
  if (channel.disabled_at) {
    return told && told->disabled_at == channel.disabled_at ? Reason::kNone : Reason::kGone;
  }
  if (told) {
    if (channel.failing_since && told->failing_since == channel.failing_since) return Reason::kNone;
    if (IsTooSoon(channel, now)) return Reason::kNone;
  }
  const auto dead = with_dead_.find(channel.key);
  if (dead != with_dead_.end() && !(told && told->at >= dead->second.at)) {
    return Reason::kDeadDelivery;
  }
  const bool long_failing =
      channel.failing_since.has_value() && now - *channel.failing_since >= failing_after_;
  return long_failing ? Reason::kFailing : Reason::kNone;
}

bool ChannelNews::IsTooSoon(const Channel& channel, absl::Time now) const {
  const std::optional<ChannelTold>& told = channel.told;
  if (!told || channel.disabled_at) return false;
  if (channel.failing_since && told->failing_since == channel.failing_since) return false;
  return now - told->at < failing_after_;
}

absl::Status ChannelNews::TellChannel(const Channel& channel, absl::Time now) {
  std::optional<Reason> told;
  size_t targets_told = 0;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kDelivery, [&](Transaction& transaction) -> absl::Status {
        told.reset();
        ASSIGN_OR_RETURN(std::optional<Channel> locked,
                         transaction.LockChannel(channel.project, channel.id));
        if (!locked.has_value() || locked->key != channel.key) return absl::OkStatus();
        const Reason reason = ReasonToTell(*locked, now);
        if (reason == Reason::kNone) return absl::OkStatus();
        ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(channel.project));
        const std::vector<Channel> targets = Targets(*locked, *channels);
        RETURN_IF_ERROR(Write(transaction, *locked, reason, targets, now));
        locked->told = ChannelTold{
            .at = now, .failing_since = locked->failing_since, .disabled_at = locked->disabled_at};
        told = reason;
        targets_told = targets.size();
        return transaction.SaveChannel(*locked);
      }));
  if (!told.has_value()) return absl::OkStatus();
  LogWarning("channel_failing", {{"channel", ChannelName(channel.project_id, channel.id)},
                                 {"reason", ReasonName(*told)},
                                 {"told_channels", targets_told}});
  return absl::OkStatus();
}

absl::Status ChannelNews::Write(Transaction& transaction, const Channel& channel, Reason reason,
                                const std::vector<Channel>& targets, absl::Time now) {
  std::vector<Delivery> deliveries;
  for (const Channel& target : targets) {
    Delivery delivery = NewDelivery(channel.project, DeliveryType::kChannelFailing, now);
    delivery.channel = target.key;
    delivery.notice =
        ChannelNotice{.channel = ChannelName(channel.project_id, channel.id),
                      .failing_since = channel.failing_since,
                      .reason = reason == Reason::kGone ? ReasonName(reason) : channel.last_error};
    deliveries.push_back(std::move(delivery));
  }
  return transaction.AddDeliveries(deliveries);
}

}  // namespace tocsin::core
