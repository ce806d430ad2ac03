// The notifier put together: streams from core, courier, HTTP client.
#include "services/notifier/notifier.h"

#include <utility>

namespace tocsin::notifier {
namespace {

// For the last reports to reach core.
constexpr absl::Duration kLastReports = absl::Seconds(2);

}  // namespace

Notifier::Notifier(const NotifierOptions& options, const Clock& clock,
                   const MonotonicClock& monotonic, NotifierMetrics& metrics)
    : loop_(monotonic) {
  loop_.Run([&] {
    http_ = std::make_unique<CurlHttpClient>(options.http, loop_);
    courier_ =
        std::make_unique<Courier>(options.courier, clock, loop_, *http_, metrics,
                                  [this](Report report) { client_->Report(std::move(report)); });
  });
  // Deliveries that come before the assignment below wait for the loop, which waits for it.
  loop_.Run([&] {
    client_ = std::make_unique<DeliveryClient>(
        options.client, monotonic, metrics,
        [this](std::vector<Delivery> deliveries) { courier_->Take(std::move(deliveries)); });
  });
}

Notifier::~Notifier() {
  client_->Close(absl::ZeroDuration());
  courier_->Drain();  // begins nothing more, so the client is not needed any more
  loop_.Run([this] { http_.reset(); });
  // What the client had posted before is done by now.
  loop_.Run([this] { courier_.reset(); });
}

absl::Status Notifier::Ready() const {
  if (client_->connected() > 0) return absl::OkStatus();
  if (client_->refused()) {
    return absl::UnavailableError(
        "core refuses this notifier's key: --core_key_file needs a key of all projects with the "
        "role notifier");
  }
  return absl::UnavailableError("no core is connected");
}

bool Notifier::Drain(absl::Duration timeout) {
  client_->StopTaking();
  courier_->Drain();
  const bool idle = courier_->AwaitIdle(timeout);
  client_->Close(kLastReports);
  return idle;
}

}  // namespace tocsin::notifier
