// Signs and verifies webhooks: HMAC-SHA256 over `id.timestamp.body`.
#include "common/standard_webhooks.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tocsin {
namespace {

constexpr absl::string_view kSecretPrefix = "whsec_";
constexpr absl::string_view kVersionPrefix = "v1,";

std::string Mac(const WebhookSecret& secret, absl::string_view content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.key().data(), static_cast<int>(secret.key().size()),
       reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string SignedContent(absl::string_view id, absl::string_view timestamp,
                          absl::string_view body) {
  return absl::StrCat(id, ".", timestamp, ".", body);
}

}  // namespace

absl::StatusOr<WebhookSecret> WebhookSecret::Parse(absl::string_view text) {
  std::string key;
  if (text.substr(0, kSecretPrefix.size()) != kSecretPrefix ||
      !absl::Base64Unescape(text.substr(kSecretPrefix.size()), &key)) {
    return absl::InvalidArgumentError("a webhook secret is `whsec_` followed by base64");
  }
  if (key.size() < kMinBytes || key.size() > kMaxBytes) {
    return absl::InvalidArgumentError("a webhook secret has 24 to 64 bytes after base64 decoding");
  }
  return WebhookSecret(std::move(key));
}

std::string WebhookSecret::Format(absl::string_view key) {
  return absl::StrCat(kSecretPrefix, absl::Base64Escape(key));
}

std::string SignWebhook(absl::Span<const WebhookSecret> secrets, absl::string_view id,
                        int64_t timestamp, absl::string_view body) {
  const std::string content = SignedContent(id, absl::StrCat(timestamp), body);
  std::string signatures;
  for (const WebhookSecret& secret : secrets) {
    absl::StrAppend(&signatures, signatures.empty() ? "" : " ", kVersionPrefix,
                    absl::Base64Escape(Mac(secret, content)));
  }
  return signatures;
}

absl::Status VerifyWebhook(absl::Span<const WebhookSecret> secrets, const WebhookHeaders& headers,
                           absl::string_view body, absl::Time now, absl::Duration tolerance) {
  if (headers.id.empty() || headers.timestamp.empty() || headers.signature.empty()) {
    return absl::InvalidArgumentError(
        "webhook-id, webhook-timestamp and webhook-signature must all be present");
  }
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(headers.timestamp, &seconds)) {
    return absl::InvalidArgumentError("webhook-timestamp is not a number of seconds");
  }
  if (absl::AbsDuration(now - absl::FromUnixSeconds(seconds)) > tolerance) {
    return absl::OutOfRangeError(
        absl::StrCat("webhook-timestamp is more than ", absl::FormatDuration(tolerance), " off"));
  }
  const std::string content = SignedContent(headers.id, headers.timestamp, body);
  bool matched = false;
  for (const WebhookSecret& secret : secrets) {
    const std::string expected = Mac(secret, content);
    for (absl::string_view signature : absl::StrSplit(headers.signature, ' ', absl::SkipEmpty())) {
      std::string given;
      if (signature.substr(0, kVersionPrefix.size()) != kVersionPrefix ||
          !absl::Base64Unescape(signature.substr(kVersionPrefix.size()), &given) ||
          given.size() != expected.size()) {
        continue;
      }
      matched |= CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
    }
  }
  if (!matched) return absl::UnauthenticatedError("no signature matches the body and the secret");
  return absl::OkStatus();
}

}  // namespace tocsin
