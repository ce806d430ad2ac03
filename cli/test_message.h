// The test message of a channel, and what its receiver said.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "tocsin/v1/delivery.pb.h"

namespace tocsin::cli {

// Sends a test message to the channel (a full name) and waits until it was tried, at most `wait`.
absl::StatusOr<v1::Delivery> SendTestMessage(const Context& context, const std::string& channel,
                                             absl::Duration wait);

// Whether it has arrived.
bool Arrived(const v1::Delivery& delivery);

// How it went, in a line: "ops: delivered, its receiver answered 200".
std::string OutcomeLine(absl::string_view channel, const v1::Delivery& delivery);

}  // namespace tocsin::cli
