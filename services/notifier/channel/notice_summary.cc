// Summaries of what is not about one monitor: own outages and news about channels.
#include "services/notifier/channel/notice_summary.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

constexpr size_t kListed = 5;  // monitors
constexpr size_t kReasonBytes = 128;

// What an outcome word means to a person.
std::string ReasonWords(const std::string& reason) {
  if (reason == "status_3xx") return "its receiver answers with a redirect, which is not followed";
  if (reason == "status_4xx") return "its receiver refuses the messages (4xx)";
  if (reason == "rejected") return "its receiver refused a message for good";
  if (reason == "status_5xx") return "its receiver answers with a server error (5xx)";
  if (reason == "timeout") return "its receiver does not answer in time";
  if (reason == "connect_failed") return "its receiver cannot be reached";
  if (reason == "tls_failed") return "its receiver has no valid TLS certificate";
  if (reason == "dns_failed") return "the host name of its receiver has no address";
  if (reason == "address_refused") {
    return "its receiver is in a network to which webhooks are not allowed";
  }
  if (reason == "bad_channel") return "its URL or secret is not usable";
  if (reason.empty()) return "its deliveries fail";
  return absl::StrCat("its deliveries fail with ", PlainText(reason, kReasonBytes));
}

// Of what no further attempt would change.
bool IsFinal(const std::string& reason) { return reason == "rejected" || reason == "bad_channel"; }

// So that the duration that is said is that between the times that are said.
absl::Time NearestSecond(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time + absl::Milliseconds(500)));
}

}  // namespace

std::string BlindSummary(const BlindFacts& blind, absl::Time occurred_at) {
  const absl::Time from = NearestSecond(blind.started_at);
  if (!blind.ended_at.has_value()) {
    const absl::Time to = NearestSecond(occurred_at);
    return absl::StrCat(
        "BLIND Tocsin's core has heard no gateway for ", DurationWords(to - from), ", ",
        SpanWords(from, to, Precision::kSeconds),
        ", and goes on hearing none: no heartbeat comes in over HTTP. Until one is "
        "heard no monitor that pushes over HTTP is judged, and none of them alerts.");
  }
  const absl::Time to = NearestSecond(*blind.ended_at);
  std::string summary =
      absl::StrCat("BLIND Tocsin could not receive heartbeats for ", DurationWords(to - from), ", ",
                   SpanWords(from, to, Precision::kSeconds), ". ");
  if (blind.unverified_count == 0) return absl::StrCat(summary, "No monitor is unverified.");
  absl::StrAppend(&summary, Count(blind.unverified_count, "monitor"),
                  blind.unverified_count == 1 ? " is" : " are",
                  " unverified until the next heartbeat");
  std::vector<std::string> names;
  for (const std::string& name : blind.unverified_monitors) {
    if (names.size() < kListed) names.push_back(ShortName(name));
  }
  if (names.empty()) return absl::StrCat(summary, ".");
  absl::StrAppend(&summary, ": ", absl::StrJoin(names, ", "));
  const int64_t hidden = blind.unverified_count - static_cast<int64_t>(names.size());
  if (hidden > 0) absl::StrAppend(&summary, " and ", hidden, " more");
  return absl::StrCat(summary, ".");
}

std::string ChannelFailingSummary(const ChannelNoticeFacts& notice, absl::Time occurred_at) {
  const std::string channel = ShortName(notice.channel);
  if (notice.reason == "gone") {
    return absl::StrCat("CHANNEL DISABLED ", channel,
                        ": its receiver said that it is gone for good. Nothing is sent to it until "
                        "its URL is changed.");
  }
  std::string summary = absl::StrCat("CHANNEL FAILING ", channel, ": ", ReasonWords(notice.reason));
  if (IsFinal(notice.reason)) {
    return absl::StrCat(summary,
                        ". What could not be sent so is given up and not tried again: `tocsin "
                        "delivery list --state dead` shows it, `tocsin delivery redeliver` sends "
                        "it again.");
  }
  if (notice.failing_since.has_value()) {
    absl::StrAppend(&summary, ", for ", DurationWords(occurred_at - *notice.failing_since),
                    ", since ", TimeWords(*notice.failing_since, Precision::kMinutes));
  }
  return absl::StrCat(summary, ". Its alerts do not arrive; they are kept and tried again.");
}

std::string ChannelTestSummary(const ChannelNoticeFacts& notice) {
  return absl::StrCat("TEST ", ShortName(notice.channel), ": alerts of this channel arrive here.");
}

}  // namespace tocsin::notifier
