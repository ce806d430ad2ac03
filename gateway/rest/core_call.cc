// Generic calls by gRPC's callback API.
#include "gateway/rest/core_call.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace tocsin::gateway {
namespace {

// What core takes of metadata in all is 8 KiB.
constexpr size_t kMaxMetadata = 4096;

void SetMetadata(grpc::ClientContext& context, const CallMetadata& metadata) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty() && CallMetadata::Fits(value)) context.AddMetadata(name, value);
  };
  add("authorization", metadata.authorization);
  add("x-request-id", metadata.request_id);
  add("x-forwarded-for", metadata.client);
  add("x-tocsin-gateway", metadata.gateway);
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

bool CallMetadata::Fits(std::string_view value) {
  return value.size() <= kMaxMetadata &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::shared_ptr<UnaryCall> UnaryCall::Start(std::shared_ptr<grpc::Channel> channel,
                                            const std::string& method, const std::string& request,
                                            const CallMetadata& metadata, absl::Duration timeout,
                                            CallCounter& calls, Done done) {
  std::shared_ptr<UnaryCall> call(new UnaryCall());
  call->channel_ = std::move(channel);
  call->request_ = ToBuffer(request);
  SetMetadata(call->context_, metadata);
  // gRPC takes a deadline by the clock of the machine, and keeps it by the monotonic one.
  call->context_.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN)));
  call->self_ = call;
  calls.Add();
  grpc::GenericStub stub(call->channel_);
  stub.UnaryCall(&call->context_, method, {}, &call->request_, &call->response_,
                 [raw = call.get(), done = std::move(done), &calls](const grpc::Status& status) {
                   std::string response = ToString(raw->response_);
                   done(status, std::move(response), std::move(raw->self_));
                   calls.Done();
                 });
  return call;
}

std::shared_ptr<ServerStreamCall> ServerStreamCall::Start(std::shared_ptr<grpc::Channel> channel,
                                                          const std::string& method,
                                                          const std::string& request,
                                                          const CallMetadata& metadata,
                                                          CallCounter& calls, Listener listener) {
  std::shared_ptr<ServerStreamCall> call(new ServerStreamCall(calls, std::move(listener)));
  call->self_ = call;
  call->channel_ = std::move(channel);
  call->request_ = ToBuffer(request);
  SetMetadata(call->context_, metadata);
  calls.Add();
  grpc::GenericStub stub(call->channel_);
  stub.PrepareBidiStreamingCall(&call->context_, method, {}, call.get());
  // ReadOn() comes from outside of callbacks.
  call->AddHold();
  call->StartWriteLast(&call->request_, grpc::WriteOptions());
  call->StartRead(&call->response_);
  call->StartCall();
  return call;
}

bool ServerStreamCall::TakeHold() {
  if (!ended_ || reading_ || !held_) return false;
  held_ = false;
  return true;
}

void ServerStreamCall::ReadOn() {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || reading_) return;
    reading_ = true;
  }
  StartRead(&response_);
}

void ServerStreamCall::Cancel() {
  context_.TryCancel();
  bool release;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    release = TakeHold();
  }
  if (release) RemoveHold();
}

void ServerStreamCall::OnReadDone(bool ok) {
  std::string message = ok ? ToString(response_) : std::string();
  response_.Clear();
  bool release;
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (!ok) ended_ = true;
    release = TakeHold();
  }
  // Before the hold goes: the end is the last thing that is heard.
  if (ok) listener_.on_message(std::move(message));
  if (release) RemoveHold();
}

void ServerStreamCall::OnDone(const grpc::Status& status) {
  CallCounter& calls = calls_;
  // The listener outlives its own call in `self_`, which the loop drops.
  const Listener listener = listener_;
  listener.on_end(status, std::move(self_));
  calls.Done();
}

}  // namespace tocsin::gateway
