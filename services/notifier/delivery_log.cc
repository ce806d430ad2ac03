// Logs what becomes of attempts: one line when a channel begins to fail, fails otherwise, or works
// again.
#include "services/notifier/delivery_log.h"

#include "common/log.h"

namespace tocsin::notifier {
namespace {

// Channels whose failing is remembered; beyond, some lines are repeated.
constexpr size_t kMostFailing = 10'000;

}  // namespace

bool DeliveryLog::NoteAttempt(const Delivery& delivery, const HttpResult& result) {
  const std::string& channel = delivery.destination.channel;
  const auto found = failing_.find(channel);
  if (result.outcome == Outcome::kOk) {
    if (found == failing_.end()) return false;
    LogInfo("channel_recovered",
            {{"channel", channel}, {"failed_attempts", found->second.attempts}});
    failing_.erase(found);
    return true;
  }
  if (found != failing_.end()) {
    ++found->second.attempts;
    if (found->second.outcome == result.outcome && found->second.http_status == result.status) {
      return false;
    }
    found->second.outcome = result.outcome;
    found->second.http_status = result.status;
  } else {
    if (failing_.size() >= kMostFailing) failing_.clear();
    failing_[channel] = {result.outcome, result.status, 1};
  }
  LogWarning("delivery_failed", {{"channel", channel},
                                 {"outcome", OutcomeWord(result.outcome)},
                                 {"http_status", result.status},
                                 {"delivery", delivery.facts.delivery_id},
                                 {"attempt", delivery.facts.attempt},
                                 {"detail", result.detail}});
  return true;
}

void DeliveryLog::NoteUnusable(const Delivery& delivery, const std::string& why) {
  LogWarning("channel_unusable", {{"channel", delivery.destination.channel},
                                  {"delivery", delivery.facts.delivery_id},
                                  {"detail", why}});
}

}  // namespace tocsin::notifier
