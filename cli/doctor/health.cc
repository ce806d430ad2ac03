// The health service of gRPC, asked.
#include "cli/doctor/health.h"

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include <string>
#include <vector>

namespace tocsin::cli {

// Both messages are small enough to do without their generated code: a request about everything has
// no byte, and the answer is one enum, of which 1 means SERVING.
absl::StatusOr<bool> AskHealth(const Context& context) {
  constexpr absl::string_view kServing("\x08\x01", 2);
  grpc::GenericStub stub(context.Connect());
  grpc::ClientContext call;
  context.SetDeadline(call);
  grpc::CompletionQueue queue;
  const auto reader = stub.PrepareUnaryCall(&call, "/grpc.health.v1.Health/Check",
                                            grpc::ByteBuffer(nullptr, 0), &queue);
  reader->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  reader->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);  // bounded by the deadline of the call
  if (!status.ok()) return FromGrpcStatus(status);
  std::vector<grpc::Slice> slices;
  if (!answer.Dump(&slices).ok()) return absl::InternalError("core's health cannot be read");
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes == kServing;
}

}  // namespace tocsin::cli
