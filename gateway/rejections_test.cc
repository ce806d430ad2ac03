// What is counted of refused pushes, and what is not.
#include "gateway/rejections.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace tocsin::gateway {
namespace {

using internal::v1::REJECTION_REASON_BAD_PARAMETER;
using internal::v1::REJECTION_REASON_TOO_OFTEN;
using internal::v1::REJECTION_REASON_UNKNOWN_TOKEN;

Rejection Of(const std::string& token, internal::v1::RejectionReason reason, bool known = true) {
  return {.token_hash = Sha256(token),
          .monitor_id = "",
          .reason = reason,
          .source = "192.0.2.7",
          .detail = "no",
          .known = known};
}

TEST(Rejections, TheSameIsCountedTogetherAndTheNewestSaysWhy) {
  Rejections rejections;
  EXPECT_EQ(rejections.due_at(), absl::InfiniteDuration());
  rejections.Note(Of("a", REJECTION_REASON_BAD_PARAMETER), absl::Seconds(10));
  Rejection newer = Of("a", REJECTION_REASON_BAD_PARAMETER);
  newer.detail = "still no";
  rejections.Note(newer, absl::Seconds(12));
  rejections.Note(Of("a", REJECTION_REASON_TOO_OFTEN), absl::Seconds(12));
  EXPECT_EQ(rejections.due_at(), absl::Seconds(15));
  const auto request = rejections.Take(absl::Seconds(15));
  ASSERT_EQ(request.rejections_size(), 2);
  for (const internal::v1::Rejections& each : request.rejections()) {
    EXPECT_EQ(each.token_hash(), Sha256Bytes("a"));
    EXPECT_EQ(each.source(), "192.0.2.7");
    EXPECT_EQ(each.age_micros(), 3'000'000);
    const bool often = each.reason() == REJECTION_REASON_TOO_OFTEN;
    EXPECT_EQ(each.count(), often ? 1 : 2);
    EXPECT_EQ(each.detail(), often ? "no" : "still no");
  }
  EXPECT_EQ(rejections.Take(absl::Seconds(16)).rejections_size(), 0);
  EXPECT_EQ(rejections.due_at(), absl::InfiniteDuration());
}

TEST(Rejections, WhoTriesTokensDoesNotPushOutOthers) {
  Rejections rejections;
  for (int i = 0; i < 5000; ++i) {
    const auto reason =
        i % 2 == 0 ? REJECTION_REASON_UNKNOWN_TOKEN : REJECTION_REASON_BAD_PARAMETER;
    rejections.Note(Of(absl::StrCat("guess", i), reason, /*known=*/false), absl::Seconds(1));
  }
  for (int i = 0; i < 100; ++i) {
    rejections.Note(Of(absl::StrCat("job", i), REJECTION_REASON_BAD_PARAMETER), absl::Seconds(1));
  }
  EXPECT_EQ(rejections.Take(absl::Seconds(2)).rejections_size(),
            static_cast<int>(Rejections::kMostUnknown) + 100);
}

TEST(Rejections, ThereIsAMost) {
  Rejections rejections;
  for (int i = 0; i < 5000; ++i) {
    rejections.Note(Of(absl::StrCat("job", i), REJECTION_REASON_TOO_OFTEN), absl::Seconds(1));
  }
  // What is known goes on being counted.
  rejections.Note(Of("job0", REJECTION_REASON_TOO_OFTEN), absl::Seconds(1));
  EXPECT_EQ(rejections.Take(absl::Seconds(2)).rejections_size(),
            static_cast<int>(Rejections::kMost));
}

TEST(Rejections, ALongDetailIsCutBetweenTwoCharacters) {
  Rejections rejections;
  std::string detail(199, 'x');
  detail += "ü and more";
  Rejection rejection = Of("a", REJECTION_REASON_BAD_PARAMETER);
  rejection.detail = detail;
  rejections.Note(rejection, absl::Seconds(1));
  EXPECT_EQ(rejections.Take(absl::Seconds(2)).rejections(0).detail(), std::string(199, 'x'));
}

}  // namespace
}  // namespace tocsin::gateway
