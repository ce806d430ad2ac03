// Tells core of the pushes that one io thread refused.
#include "gateway/rejection_reporter.h"

#include <memory>
#include <string>
#include <utility>

#include "gateway/rest/core_call.h"

namespace tocsin::gateway {
namespace {

constexpr char kMethod[] = "/tocsin.internal.v1.RejectionService/ReportRejections";
constexpr absl::Duration kTimeout = absl::Seconds(2);

}  // namespace

absl::Duration RejectionReporter::OnTurn(absl::Duration now) {
  if (now < rejections_.due_at()) return rejections_.due_at();
  const std::string request = rejections_.Take(now).SerializeAsString();
  std::shared_ptr<grpc::Channel> channel = core_.NextChannel(nullptr);
  if (channel == nullptr) return absl::InfiniteDuration();
  CallMetadata metadata;
  if (!core_key_.empty()) metadata.authorization = "Bearer " + core_key_;
  UnaryCall::Start(std::move(channel), kMethod, request, metadata, kTimeout, calls_,
                   [this](const grpc::Status&, const std::string&, EndedCall call) {
                     loop_.Post([call = std::move(call)] {});
                   });
  return absl::InfiniteDuration();
}

}  // namespace tocsin::gateway
