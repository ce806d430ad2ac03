// The test message of a channel, and what its receiver said.
#include "cli/test_message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "cli/table.h"
#include "common/status_macros.h"
#include "tocsin/v1/channel_service.grpc.pb.h"
#include "tocsin/v1/delivery_service.grpc.pb.h"

namespace tocsin::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
// Newer deliveries of the channel than the test may come meanwhile, but not many.
constexpr int kLookedAt = 100;

bool WasTried(const v1::Delivery& delivery) {
  return delivery.state() != v1::Delivery::STATE_PENDING || !delivery.last_outcome().empty();
}

// `delivery` as it is now; as it was when it is not among the newest any more.
absl::Status Refresh(const Context& context, v1::Delivery& delivery) {
  v1::ListDeliveriesRequest request;
  request.set_parent(delivery.name().substr(0, delivery.name().find("/deliveries/")));
  request.set_channel(delivery.channel());
  request.set_page_size(kLookedAt);
  ASSIGN_OR_RETURN(const auto page,
                   context.Call(&v1::DeliveryService::Stub::ListDeliveries, request));
  for (const v1::Delivery& found : page.deliveries()) {
    if (found.name() != delivery.name()) continue;
    delivery = found;
    break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Delivery> SendTestMessage(const Context& context, const std::string& channel,
                                             absl::Duration wait) {
  v1::TestChannelRequest request;
  request.set_name(channel);
  ASSIGN_OR_RETURN(v1::Delivery delivery,
                   context.Call(&v1::ChannelService::Stub::TestChannel, request));
  absl::Duration left = wait;
  absl::Duration pause = kFirstPause;
  absl::Notification never;
  while (!WasTried(delivery) && left > absl::ZeroDuration()) {
    never.WaitForNotificationWithTimeout(pause);
    left -= pause;
    pause = std::min({pause * 1.5, kLongestPause, std::max(left, kFirstPause)});
    RETURN_IF_ERROR(Refresh(context, delivery));
  }
  return delivery;
}

bool Arrived(const v1::Delivery& delivery) {
  return delivery.state() == v1::Delivery::STATE_DELIVERED;
}

std::string OutcomeLine(absl::string_view channel, const v1::Delivery& delivery) {
  const std::string who = absl::StrCat(OneLine(channel), ": ");
  if (!WasTried(delivery)) {
    return absl::StrCat(who, "not tried yet, delivery ", IdOf(delivery.name()),
                        " waits; is a notifier connected?\n");
  }
  const std::string answered =
      delivery.last_http_status() == 0
          ? ""
          : absl::StrCat(", its receiver answered ", delivery.last_http_status(),
                         delivery.last_answer().empty()
                             ? ""
                             : absl::StrCat(" \"", OneLine(delivery.last_answer()), "\""));
  if (Arrived(delivery)) return absl::StrCat(who, "delivered", answered, "\n");
  const std::string next = delivery.has_next_attempt_time()
                               ? absl::StrCat("tried again at ", Show(delivery.next_attempt_time()))
                               : "not tried again";
  return absl::StrCat(who, "not delivered", answered, " (", OneLine(delivery.last_outcome()), "); ",
                      next, "\n");
}

}  // namespace tocsin::cli
