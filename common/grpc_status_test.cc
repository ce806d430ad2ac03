// Statuses survive the way through gRPC.
#include "common/grpc_status.h"

#include <gtest/gtest.h>

#include "common/status_details.h"

namespace tocsin {
namespace {

TEST(GrpcStatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

TEST(GrpcStatusTest, EveryCodeKeepsItsMeaning) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "because");
    const grpc::Status on_the_wire = ToGrpcStatus(status);
    EXPECT_EQ(static_cast<int>(on_the_wire.error_code()), code);
    EXPECT_TRUE(on_the_wire.error_details().empty());
    EXPECT_EQ(FromGrpcStatus(on_the_wire), status);
  }
}

TEST(GrpcStatusTest, DetailsComeThrough) {
  absl::Status status = absl::InvalidArgumentError("bad");
  SetReason(status, "BAD_SCHEDULE");
  AddFieldViolation(status, "monitor.timeout", "must be positive");
  AddFieldViolation(status, "monitor.grace", "too long");
  SetRetryDelay(status, absl::Milliseconds(2500));
  EXPECT_EQ(FromGrpcStatus(ToGrpcStatus(status)), status);
}

TEST(GrpcStatusTest, ForeignDetailsAreDropped) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "x", "\x99"));
  EXPECT_EQ(status, absl::NotFoundError("x"));
}

TEST(GrpcStatusTest, MetadataTravelsWithTheReason) {
  absl::Status status = absl::NotFoundError("x");
  SetReason(status, "NONE");
  SetMetadata(status, "resource", "projects/default");
  EXPECT_EQ(Metadata(FromGrpcStatus(ToGrpcStatus(status)))["resource"], "projects/default");
}

}  // namespace
}  // namespace tocsin
