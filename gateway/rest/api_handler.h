// Serves what is no push: management over REST, its description, and what there is no route for.
//
// Nothing here waits: a request becomes a message by reflection, goes to core as bytes, and what
// core says becomes JSON on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/sha256.h"
#include "gateway/core_link/core_link.h"
#include "gateway/http/handler.h"
#include "gateway/push_handler.h"
#include "gateway/rest/api_shared.h"
#include "gateway/rest/api_stream.h"
#include "gateway/rest/core_call.h"
#include "gateway/rest/request_mapping.h"

namespace tocsin::gateway {

// Loop thread only.
class ApiHandler final : public http::Handler, private ApiStream::Owner {
 public:
  // All must outlive the handler. Of `pushes` it uses the rate limits: a push is one by whatever
  // door it comes.
  ApiHandler(CoreLink& core, http::EventLoop& loop, ApiShared& shared, GatewayShared& pushes);
  // Ends every call and waits until gRPC has let go of them.
  ~ApiHandler() override;

  void OnRequest(const http::Request& request, http::Responder responder) override;
  // Refusals are the push handler's.
  http::Response OnRefusal(int status, std::string_view reason) override;
  absl::Duration OnTurn(absl::Duration now) override;

  // The drain: streams end, so that their clients connect to another gateway, and none begins.
  void EndStreams();

 private:
  // One request between its arrival and its answer.
  struct Exchange {
    http::Responder responder;
    const RestBinding* binding = nullptr;
    std::string request_id;
    ApiKind kind = ApiKind::kOther;
    absl::Duration received;
    std::string message;
    CallMetadata metadata;
    bool tried_again = false;
    std::optional<Sha256Digest> push{};  // of a push: what its limits count by
    http::IpAddress client{};
    std::shared_ptr<UnaryCall> call;
  };
  struct Stream {
    std::shared_ptr<ApiStream> stream;
    Exchange exchange;
  };

  void OnApiRequest(const http::Request& request, const RestInput& input, Exchange exchange);
  // Whether a push may be sent; answered when it may not.
  bool AdmitPush(google::protobuf::Message& message, const http::Request& request,
                 Exchange& exchange);
  // Of what counts towards the same limit, how much is under way.
  std::atomic<int>& CallsOf(const Exchange& exchange);
  void EndCall(const Exchange& exchange);
  void StartUnary(Exchange exchange);
  void StartStream(Exchange exchange);
  // Begins the call of an exchange on a replica, another one than `except` if there is any.
  void Call(uint64_t id, const grpc::Channel* except);
  void OnAnswer(uint64_t id, const http::Response& response);
  void OnFailure(uint64_t id, const absl::Status& status);
  void Finish(const Exchange& exchange, const http::Response& response);
  void Fail(const Exchange& exchange, const absl::Status& status);
  void Log(const Exchange& exchange, int http_status, const absl::Status& status);
  void OnStreamDone(uint64_t id, int http_status, const absl::Status& status) override;

  CoreLink& core_;
  http::EventLoop& loop_;
  ApiShared& shared_;
  GatewayShared& pushes_;
  CallCounter calls_;
  uint64_t next_id_ = 0;
  std::unordered_map<uint64_t, Exchange> exchanges_;
  std::unordered_map<uint64_t, Stream> streams_;
  bool ending_ = false;
  absl::Duration next_turn_;
  absl::Duration log_window_ = -absl::InfiniteDuration();
  int logged_ = 0;
};

}  // namespace tocsin::gateway
