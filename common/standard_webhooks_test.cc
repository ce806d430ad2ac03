// Holds the signing of webhooks to the vector of the specification.
#include "common/standard_webhooks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin {
namespace {

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr int64_t kTimestamp = 1614265330;
constexpr char kBody[] = R"({"test": 2432232314})";
constexpr char kSignature[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

WebhookSecret Secret(absl::string_view text = kSecret) { return *WebhookSecret::Parse(text); }

WebhookHeaders Headers() { return {kId, "1614265330", kSignature}; }

absl::Time Now() { return absl::FromUnixSeconds(kTimestamp + 10); }

TEST(StandardWebhooksTest, SignsTheVectorOfTheSpecification) {
  EXPECT_EQ(SignWebhook({Secret()}, kId, kTimestamp, kBody), kSignature);
}

TEST(StandardWebhooksTest, SignsOnceForEachSecretInTheirOrder) {
  const std::string other = WebhookSecret::Format(std::string(32, 'k'));
  const std::string both = SignWebhook({Secret(other), Secret()}, kId, kTimestamp, kBody);
  EXPECT_EQ(both, SignWebhook({Secret(other)}, kId, kTimestamp, kBody) + " " + kSignature);
}

TEST(StandardWebhooksTest, VerifiesWhatItSigned) {
  EXPECT_TRUE(VerifyWebhook({Secret()}, Headers(), kBody, Now()).ok());
}

TEST(StandardWebhooksTest, VerifiesWhenAnySignatureMatchesAnySecret) {
  WebhookHeaders headers = Headers();
  headers.signature = std::string("v2,abcd v1,AAAA v1,!! ") + kSignature;
  const WebhookSecret other = Secret(WebhookSecret::Format(std::string(24, 'x')));
  EXPECT_TRUE(VerifyWebhook({other, Secret()}, headers, kBody, Now()).ok());
  EXPECT_EQ(VerifyWebhook({other}, headers, kBody, Now()).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(StandardWebhooksTest, RefusesAChangedBodyIdOrTimestamp) {
  EXPECT_EQ(VerifyWebhook({Secret()}, Headers(), "{}", Now()).code(),
            absl::StatusCode::kUnauthenticated);
  WebhookHeaders headers = Headers();
  headers.id += "x";
  EXPECT_EQ(VerifyWebhook({Secret()}, headers, kBody, Now()).code(),
            absl::StatusCode::kUnauthenticated);
  headers = Headers();
  headers.timestamp = "1614265331";
  EXPECT_EQ(VerifyWebhook({Secret()}, headers, kBody, Now()).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(StandardWebhooksTest, RefusesATimestampTooFarOffEitherWay) {
  const absl::Time sent = absl::FromUnixSeconds(kTimestamp);
  EXPECT_TRUE(VerifyWebhook({Secret()}, Headers(), kBody, sent + kWebhookTolerance).ok());
  EXPECT_EQ(VerifyWebhook({Secret()}, Headers(), kBody, sent + kWebhookTolerance + absl::Seconds(1))
                .code(),
            absl::StatusCode::kOutOfRange);
  EXPECT_EQ(VerifyWebhook({Secret()}, Headers(), kBody, sent - kWebhookTolerance - absl::Seconds(1))
                .code(),
            absl::StatusCode::kOutOfRange);
}

TEST(StandardWebhooksTest, RefusesAbsentOrMalformedHeaders) {
  EXPECT_EQ(VerifyWebhook({Secret()}, {}, kBody, Now()).code(), absl::StatusCode::kInvalidArgument);
  WebhookHeaders headers = Headers();
  headers.timestamp = "noon";
  EXPECT_EQ(VerifyWebhook({Secret()}, headers, kBody, Now()).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(StandardWebhooksTest, ParsesOnlySecretsOfTheRightFormAndSize) {
  EXPECT_TRUE(WebhookSecret::Parse(WebhookSecret::Format(std::string(24, 'a'))).ok());
  EXPECT_TRUE(WebhookSecret::Parse(WebhookSecret::Format(std::string(64, 'a'))).ok());
  const std::vector<std::string> bad = {"",
                                        "whsec_",
                                        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                        "whsec_!!!!",
                                        WebhookSecret::Format(std::string(23, 'a')),
                                        WebhookSecret::Format(std::string(65, 'a'))};
  for (const std::string& text : bad) {
    const auto parsed = WebhookSecret::Parse(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    if (text.size() > 8) {
      EXPECT_EQ(std::string(parsed.status().message()).find(text), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace tocsin
