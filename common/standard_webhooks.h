// Signs and verifies webhooks as https://www.standardwebhooks.com (specification 1.0) says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace tocsin {

// The names of the three headers, in lower case.
inline constexpr absl::string_view kWebhookIdHeader = "webhook-id";
inline constexpr absl::string_view kWebhookTimestampHeader = "webhook-timestamp";
inline constexpr absl::string_view kWebhookSignatureHeader = "webhook-signature";

// A symmetric signing key. Holds a secret: never logged. Immutable, so safe to share.
class WebhookSecret {
 public:
  // Fewest and most bytes of a key.
  static constexpr size_t kMinBytes = 24;
  static constexpr size_t kMaxBytes = 64;

  // Reads `whsec_` and the base64 of 24 to 64 bytes. INVALID_ARGUMENT, without the text,
  // otherwise.
  static absl::StatusOr<WebhookSecret> Parse(absl::string_view text);

  // The text form of a key of random bytes: `whsec_` and base64.
  static std::string Format(absl::string_view key);

  const std::string& key() const { return key_; }

 private:
  explicit WebhookSecret(std::string key) : key_(std::move(key)) {}

  std::string key_;
};

// The value of `webhook-signature`: one `v1,<base64>` for each secret, in their order, parted by
// spaces. `timestamp` is Unix seconds.
std::string SignWebhook(absl::Span<const WebhookSecret> secrets, absl::string_view id,
                        int64_t timestamp, absl::string_view body);

// What a receiver read from the headers, as it came.
struct WebhookHeaders {
  std::string id;
  std::string timestamp;
  std::string signature;
};

// How far a timestamp may be from the receiver's clock.
inline constexpr absl::Duration kWebhookTolerance = absl::Minutes(5);

// OK when any signature was made with any of the secrets and the timestamp is within
// `tolerance` of `now`. INVALID_ARGUMENT for headers that are absent or malformed,
// OUT_OF_RANGE for a timestamp too far off, UNAUTHENTICATED for a wrong signature. Compares in
// constant time.
absl::Status VerifyWebhook(absl::Span<const WebhookSecret> secrets, const WebhookHeaders& headers,
                           absl::string_view body, absl::Time now,
                           absl::Duration tolerance = kWebhookTolerance);

}  // namespace tocsin
