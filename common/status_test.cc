// Status macros and details.
#include <gtest/gtest.h>

#include <memory>

#include "common/status_details.h"
#include "common/status_macros.h"

namespace tocsin {
namespace {

absl::StatusOr<std::unique_ptr<int>> Make(int value) {
  if (value < 0) return absl::OutOfRangeError("negative");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int a, int b) {
  ASSIGN_OR_RETURN(auto first, Make(a));
  ASSIGN_OR_RETURN(const std::unique_ptr<int> second, Make(b));
  RETURN_IF_ERROR(*first + *second > 100 ? absl::ResourceExhaustedError("too much")
                                         : absl::OkStatus());
  RETURN_IF_ERROR(Make(*first));
  return *first + *second;
}

TEST(StatusMacrosTest, PassValuesOnAndErrorsUp) {
  EXPECT_EQ(Sum(1, 2).value(), 3);
  EXPECT_EQ(Sum(-1, 2).status(), absl::OutOfRangeError("negative"));
  EXPECT_EQ(Sum(1, -2).status(), absl::OutOfRangeError("negative"));
  EXPECT_EQ(Sum(99, 2).status(), absl::ResourceExhaustedError("too much"));
}

TEST(StatusDetailsTest, AreReadBackAsTheyWereSet) {
  absl::Status status = absl::InvalidArgumentError("bad request");
  AddFieldViolation(status, "monitor.timeout", "must be positive");
  AddFieldViolation(status, "monitor.grace", "");
  SetReason(status, "BAD_SCHEDULE");
  SetRetryDelay(status, absl::Milliseconds(1500));
  EXPECT_EQ(FieldViolations(status),
            (std::vector<FieldViolation>{{"monitor.timeout", "must be positive"},
                                         {"monitor.grace", ""}}));
  EXPECT_EQ(Reason(status), "BAD_SCHEDULE");
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(1500));
}

TEST(StatusDetailsTest, AreEmptyUnlessSet) {
  const absl::Status status = absl::InternalError("x");
  EXPECT_TRUE(FieldViolations(status).empty());
  EXPECT_EQ(Reason(status), "");
  EXPECT_EQ(RetryDelay(status), std::nullopt);
}

TEST(StatusDetailsTest, StayOffAnOkStatus) {
  absl::Status status;
  SetReason(status, "NOTHING");
  AddFieldViolation(status, "a", "b");
  EXPECT_EQ(Reason(status), "");
  EXPECT_TRUE(FieldViolations(status).empty());
}

TEST(StatusDetailsTest, SurviveAnotherMessage) {
  absl::Status status = absl::NotFoundError("row 7");
  SetReason(status, "MONITOR_NOT_FOUND");
  const absl::Status renamed = WithMessage(status, "Monitor not found.");
  EXPECT_EQ(renamed.message(), "Monitor not found.");
  EXPECT_EQ(renamed.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Reason(renamed), "MONITOR_NOT_FOUND");
}

TEST(StatusDetailsTest, MetadataIsKeptByItsKey) {
  absl::Status status = absl::NotFoundError("x");
  SetMetadata(status, "resource", "projects/default");
  SetMetadata(status, "more", "2");
  EXPECT_EQ(Metadata(status)["resource"], "projects/default");
  EXPECT_EQ(Metadata(status)["more"], "2");
  EXPECT_TRUE(Metadata(absl::NotFoundError("y")).empty());
}

}  // namespace
}  // namespace tocsin
