// Conversion between deliveries and the notifier's protocol.
#include "services/core/api/deliver_convert.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/api/convert.h"
#include "services/core/domain/names.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

// The longest outcome that is kept; the closed set has none as long.
constexpr size_t kMaxOutcome = 64;
constexpr size_t kMaxAnswer = 200;
constexpr absl::Duration kMaxRetryAfter = absl::Hours(24 * 3);

void SetNotice(const ChannelNotice& from, internal::v1::ChannelNotice* notice) {
  notice->set_channel(from.channel);
  if (from.failing_since) *notice->mutable_failing_since() = ToTimestamp(*from.failing_since);
  notice->set_reason(from.reason);
}

void SetDigest(const DigestFacts& from, const std::string& project, const std::string& public_url,
               internal::v1::Digest* digest) {
  digest->set_project(ProjectName(project));
  if (!public_url.empty()) {
    digest->set_url(
        absl::StrCat(public_url, "/api/v1/", digest->project(), "/incidents?openOnly=true"));
  }
  for (const DigestFacts::Count& count : from.counts) {
    internal::v1::Digest::Count& added = *digest->add_counts();
    added.set_type(static_cast<v1::AlertEvent::Type>(count.type));
    added.set_cause(static_cast<v1::Incident::Cause>(count.cause));
    added.set_events(count.events);
  }
}

void SetDestination(const Channel& channel, internal::v1::Destination* destination) {
  destination->set_channel(ChannelName(channel.project_id, channel.id));
  destination->set_url(channel.url);
  for (const std::string& secret : channel.secrets) destination->add_secrets(secret);
  destination->mutable_headers()->insert(channel.headers.begin(), channel.headers.end());
  destination->set_format(static_cast<v1::Channel::Format>(channel.format));
}

}  // namespace

internal::v1::Assignment ToAssignment(const LeasedDelivery& leased, absl::Time now,
                                      const std::string& public_url) {
  const Delivery& delivery = leased.delivery;
  internal::v1::Assignment assignment;
  assignment.set_lease_id(delivery.lease_id);
  *assignment.mutable_lease() =
      ToDuration(std::max(delivery.leased_until - now, absl::ZeroDuration()));
  assignment.set_delivery_id(delivery.id);
  assignment.set_attempt(delivery.attempts);
  *assignment.mutable_create_time() = ToTimestamp(delivery.created_at);
  assignment.set_redelivery(delivery.redelivery);
  assignment.set_incident_open(leased.incident_open);
  SetDestination(leased.channel, assignment.mutable_destination());
  assignment.set_type(DeliveryTypeName(delivery.type));
  *assignment.mutable_occur_time() = ToTimestamp(delivery.occurred_at);
  for (const AlertEvent& event : leased.events) {
    v1::AlertEvent& told = *assignment.add_events();
    told = ToProto(event);
    if (leased.channel.omit_output && told.has_last_heartbeat()) {
      told.mutable_last_heartbeat()->clear_output();
    }
  }
  if (delivery.blind) *assignment.mutable_blind() = ToProto(*delivery.blind);
  if (delivery.notice) SetNotice(*delivery.notice, assignment.mutable_channel_notice());
  assignment.set_skipped(delivery.skipped);
  if (!public_url.empty() && !leased.events.empty() && !delivery.digest) {
    assignment.set_url(
        absl::StrCat(public_url, "/api/v1/", assignment.events().rbegin()->incident().name()));
  }
  if (delivery.digest) {
    SetDigest(*delivery.digest, leased.channel.project_id, public_url, assignment.mutable_digest());
  }
  return assignment;
}

std::optional<DeliveryReport> ToDeliveryReport(const internal::v1::DeliveryReport& from) {
  DeliveryReport report;
  switch (from.result()) {
    case internal::v1::DeliveryReport::RESULT_DELIVERED:
      report.result = DeliveryResult::kDelivered;
      break;
    case internal::v1::DeliveryReport::RESULT_RETRY:
      report.result = DeliveryResult::kRetry;
      break;
    case internal::v1::DeliveryReport::RESULT_DEFERRED:
      report.result = DeliveryResult::kDeferred;
      break;
    case internal::v1::DeliveryReport::RESULT_GONE:
      report.result = DeliveryResult::kGone;
      break;
    case internal::v1::DeliveryReport::RESULT_DEAD:
      report.result = DeliveryResult::kDead;
      break;
    default:
      return std::nullopt;
  }
  if (from.delivery_id().empty()) return std::nullopt;
  report.lease_id = CleanText(from.lease_id());
  report.delivery_id = CleanText(from.delivery_id());
  report.outcome = CleanText(from.outcome(), kMaxOutcome);
  report.http_status = from.http_status();
  report.answer = CleanText(from.answer(), kMaxAnswer);
  report.retry_after =
      std::clamp(FromDuration(from.retry_after()), absl::ZeroDuration(), kMaxRetryAfter);
  return report;
}

}  // namespace tocsin::core
