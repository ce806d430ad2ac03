// What core hears of refused pushes, over real sockets.
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/sha256.h"
#include "gateway/rejections.h"
#include "gateway/testing/gateway_fixture.h"
#include "tocsin/internal/v1/rejection_service.grpc.pb.h"

namespace tocsin::gateway {
namespace {

class Reports final : public internal::v1::RejectionService::CallbackService {
 public:
  explicit Reports(grpc::Status answer = grpc::Status::OK) : answer_(std::move(answer)) {}

  grpc::ServerUnaryReactor* ReportRejections(
      grpc::CallbackServerContext* context, const internal::v1::ReportRejectionsRequest* request,
      internal::v1::ReportRejectionsResponse* /*response*/) override {
    absl::MutexLock lock(&mutex_);
    const auto sent = context->client_metadata().find("authorization");
    if (sent != context->client_metadata().end()) {
      key_.assign(sent->second.data(), sent->second.size());
    }
    for (const auto& each : request->rejections()) heard_.push_back(each);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(answer_);
    return reactor;
  }

  std::vector<internal::v1::Rejections> heard() const {
    absl::MutexLock lock(&mutex_);
    return heard_;
  }
  std::string key() const {
    absl::MutexLock lock(&mutex_);
    return key_;
  }

 private:
  const grpc::Status answer_;
  mutable absl::Mutex mutex_;
  std::vector<internal::v1::Rejections> heard_;
  std::string key_;
};

TEST_F(GatewayTest, TellsCoreWhatItRefusedOfWhom) {
  Reports reports;
  FakeCore core(0, true, {&reports});
  core.Allow("good");
  core.RequireKey("tk_gateway");
  options_.core_key = "tk_gateway";
  options_.token_limit = {.per_second = 0.001, .burst = 1};
  Start({&core});
  // The first makes the token known; what is known has its own budget.
  EXPECT_EQ(Push("/api/push/good").status, 200);
  EXPECT_EQ(Push("/api/push/good").status, 200);
  EXPECT_EQ(Push("/api/push/good").status, 429);
  EXPECT_EQ(Push("/api/push/good?status=okk").status, 400);
  EXPECT_EQ(Push("/api/push/good?status=okk").status, 400);
  EXPECT_EQ(Push("/api/push/old").status, 404);
  ASSERT_TRUE(Eventually([&] { return reports.heard().size() >= 3; }));
  EXPECT_EQ(reports.key(), "Bearer tk_gateway");
  int64_t wrong = 0;
  for (const internal::v1::Rejections& each : reports.heard()) {
    EXPECT_EQ(each.source(), "127.0.0.1");
    const bool unknown = each.reason() == internal::v1::REJECTION_REASON_UNKNOWN_TOKEN;
    EXPECT_EQ(each.token_hash(), Sha256Bytes(unknown ? "old" : "good"));
    if (each.reason() != internal::v1::REJECTION_REASON_BAD_PARAMETER) continue;
    wrong += each.count();
    EXPECT_THAT(each.detail(), ::testing::HasSubstr("okk"));
  }
  EXPECT_EQ(wrong, 2);
}

TEST_F(GatewayTest, ABodyThatIsTooLargeIsToldOfItsMonitor) {
  Reports reports;
  FakeCore core(0, true, {&reports});
  core.Allow("good");
  Start({&core});
  EXPECT_EQ(Push("/api/push/good", "POST", "", std::string(1 << 20, 'x')).status, 413);
  ASSERT_TRUE(Eventually([&] { return !reports.heard().empty(); }));
  EXPECT_EQ(reports.heard()[0].reason(), internal::v1::REJECTION_REASON_TOO_LARGE);
  EXPECT_EQ(reports.heard()[0].token_hash(), Sha256Bytes("good"));
}

TEST_F(GatewayTest, ACoreThatKnowsNoReportsCostsNothing) {
  Reports reports(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "unknown service"));
  FakeCore core(0, true, {&reports});
  core.Allow("good");
  Start({&core});
  EXPECT_EQ(Push("/api/push/good?status=okk").status, 400);
  ASSERT_TRUE(Eventually([&] { return !reports.heard().empty(); }));
  EXPECT_EQ(Push("/api/push/good").status, 200);
  EXPECT_EQ(Push("/api/push/good?status=okk").status, 400);
  ASSERT_TRUE(Eventually([&] { return reports.heard().size() == 2; }));
}

}  // namespace
}  // namespace tocsin::gateway
