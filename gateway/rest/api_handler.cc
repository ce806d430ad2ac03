// From a request to a call, and from the call's end to an answer.
#include "gateway/rest/api_handler.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/grpc_status.h"
#include "common/log.h"
#include "common/random.h"
#include "common/status_details.h"
#include "gateway/client_address.h"
#include "gateway/limit_key.h"
#include "gateway/push_answers.h"
#include "gateway/request_id.h"
#include "gateway/rest/event_text.h"
#include "gateway/rest/field_path.h"
#include "gateway/rest/pages.h"
#include "gateway/rest/problem.h"
#include "gateway/rest/reference.h"
#include "gateway/rest/refusals.h"
#include "gateway/route.h"
#include "tocsin/v1/push_service.pb.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;

constexpr std::string_view kApi = "/api";
constexpr std::string_view kVersion = "/api/v1/";
constexpr int kMaxLogLinesPerSecond = 10;

std::unique_ptr<Message> ParseResponse(const MethodDescriptor& method, const std::string& bytes) {
  std::unique_ptr<Message> message(
      MessageFactory::generated_factory()->GetPrototype(method.output_type())->New());
  return message->ParseFromString(bytes) ? std::move(message) : nullptr;
}

// What core answered, as JSON: fields with default values are left out, as `tocsin -o json` does.
http::Response JsonAnswer(const MethodDescriptor& method, const std::string& bytes,
                          const std::string& request_id) {
  http::Response response{.content_type = "application/json",
                          .headers = {{"Cache-Control", "no-store"}, {"X-Request-Id", request_id}}};
  const auto message = ParseResponse(method, bytes);
  if (message == nullptr ||
      !google::protobuf::util::MessageToJsonString(*message, &response.body).ok()) {
    return ProblemAnswer(absl::InternalError("core's answer cannot be read"), request_id);
  }
  response.body += '\n';
  return response;
}

// Core's error in the words of REST.
absl::Status FromCore(const grpc::Status& status, const MethodDescriptor& method) {
  return InJsonNames(FromGrpcStatus(status), *method.input_type());
}

constexpr char kTooManyUnknown[] = "Too many pushes with unknown tokens from this address.";

absl::Status TooOften(const char* what, absl::Duration wait) {
  absl::Status status = absl::ResourceExhaustedError(what);
  SetReason(status, "TOO_MANY_PUSHES");
  SetRetryDelay(status, wait);
  return status;
}

// A stream that is taken up where it broke: EventSource repeats the URL and adds the header.
void Resume(std::string_view last_event_id, Message& request) {
  const auto* cursor = request.GetDescriptor()->FindFieldByName("cursor");
  if (last_event_id.empty() || cursor == nullptr) return;
  request.GetReflection()->SetString(&request, cursor, std::string(last_event_id));
}

}  // namespace

ApiHandler::ApiHandler(CoreLink& core, http::EventLoop& loop, ApiShared& shared,
                       GatewayShared& pushes)
    : core_(core), loop_(loop), shared_(shared), pushes_(pushes) {}

ApiHandler::~ApiHandler() {
  for (const auto& [id, exchange] : exchanges_) {
    if (exchange.call) exchange.call->Cancel();
  }
  for (const auto& [id, stream] : streams_) stream.stream->Cancel();
  calls_.AwaitNone();
}

http::Response ApiHandler::OnRefusal(int status, std::string_view reason) {
  return ErrorAnswer(status, reason, FittingRequestId(""));
}

void ApiHandler::OnRequest(const http::Request& request, http::Responder responder) {
  const Target target = SplitTarget(request.target);
  Exchange exchange;
  exchange.responder = responder;
  exchange.request_id = FittingRequestId(request.Header("X-Request-Id"));
  exchange.received = loop_.now();
  if (target.path.substr(0, kVersion.size()) == kVersion) {
    const RestInput input{.path = RequestPath::Split(target.path.substr(kApi.size())),
                          .query = target.query,
                          .content_type = request.Header("Content-Type"),
                          .body = request.body};
    return OnApiRequest(request, input, std::move(exchange));
  }
  if (const http::CannedResponse* page = FindPage(target.path)) {
    exchange.kind = ApiKind::kPage;
    if (request.method == "GET" || request.method == "HEAD") {
      shared_.metrics.Count(exchange.kind, page->status());
      return responder.Send(*page);
    }
    return Finish(exchange, NotAllowedAnswer("GET, HEAD", exchange.request_id));
  }
  // Somebody who pushes, most likely: in the words of a push.
  const bool is_push = http::EqualsIgnoreCase(target.path.substr(0, kApi.size() + 1), "/api/");
  Finish(exchange,
         is_push ? NoRouteAnswer(exchange.request_id) : NoResourceAnswer(exchange.request_id));
}

void ApiHandler::OnApiRequest(const http::Request& request, const RestInput& input,
                              Exchange exchange) {
  const std::string_view http_method = request.method == "HEAD" ? "GET" : request.method;
  exchange.binding = shared_.routes().Find(http_method, input.path);
  if (exchange.binding == nullptr) {
    const std::string allowed = shared_.routes().Allowed(input.path);
    if (allowed.empty()) return Finish(exchange, NoResourceAnswer(exchange.request_id));
    if (request.method != "OPTIONS") {
      return Finish(exchange, NotAllowedAnswer(allowed, exchange.request_id));
    }
    // No CORS: a page of another origin has no business with keys of management.
    return Finish(exchange, {.status = 204, .headers = {{"Allow", allowed}}});
  }
  const bool streams = exchange.binding->method->server_streaming();
  exchange.kind = streams                ? ApiKind::kWatch
                  : http_method == "GET" ? ApiKind::kRead
                                         : ApiKind::kWrite;
  if (!input.body.empty() && !exchange.binding->body.empty() && !IsJsonType(input.content_type)) {
    return Finish(exchange, NoJsonAnswer(exchange.request_id));
  }
  exchange.metadata = {.authorization = std::string(request.Header("Authorization")),
                       .request_id = exchange.request_id,
                       .client = ClientOf(request, shared_.trusted_proxies).ToString(),
                       .gateway = shared_.options.gateway_credential};
  if (!CallMetadata::Fits(exchange.metadata.authorization)) {
    return Fail(exchange, NoSuchKey());
  }
  auto message = MapRequest(*exchange.binding, input, IsOutputOnly);
  if (!message.ok()) return Fail(exchange, message.status());
  if (!AdmitPush(**message, request, exchange)) return;
  if (streams) Resume(request.Header("Last-Event-ID"), **message);
  exchange.message = (*message)->SerializeAsString();
  if (streams) return StartStream(std::move(exchange));
  StartUnary(std::move(exchange));
}

bool ApiHandler::AdmitPush(Message& message, const http::Request& request, Exchange& exchange) {
  auto* const push = google::protobuf::DynamicCastToGenerated<v1::PushRequest>(&message);
  if (push == nullptr) return true;
  // So that it may be tried again. Core looks for such a push in the history, which costs it the
  // fast path; programs that push much have another door.
  if (push->push_id() == 0) push->set_push_id(RandomId() | 1);
  exchange.push = LimitKey(Sha256(push->push_token()), push->monitor_id());
  exchange.client = ClientOf(request, shared_.trusted_proxies);
  const bool important = push->kind() == v1::Heartbeat::KIND_DOWN ||
                         push->kind() == v1::Heartbeat::KIND_START || push->has_exit_status();
  const TokenLimiter::Verdict verdict =
      pushes_.tokens.Check(*exchange.push, important, loop_.now());
  if (verdict.wait) {
    Fail(exchange, TooOften("This monitor is pushed to too often.", *verdict.wait));
    return false;
  }
  if (verdict.known) return true;
  const auto wait = pushes_.unknown.Check(exchange.client, *exchange.push, loop_.now());
  if (wait) Fail(exchange, TooOften(kTooManyUnknown, *wait));
  return !wait;
}

void ApiHandler::StartUnary(Exchange exchange) {
  const int most = exchange.push ? shared_.options.max_pushes : shared_.options.max_calls;
  if (CallsOf(exchange).fetch_add(1) >= most) {
    CallsOf(exchange).fetch_sub(1);
    if (exchange.push) core_.dispatcher().NoteRefusal(loop_.now());
    return Fail(exchange, Busy("requests are under way"));
  }
  shared_.metrics.SetCalls(shared_.calls.load() + shared_.pushes.load());
  const uint64_t id = ++next_id_;
  exchanges_.emplace(id, std::move(exchange));
  Call(id, nullptr);
}

std::atomic<int>& ApiHandler::CallsOf(const Exchange& exchange) {
  return exchange.push ? shared_.pushes : shared_.calls;
}

void ApiHandler::EndCall(const Exchange& exchange) {
  CallsOf(exchange).fetch_sub(1);
  shared_.metrics.SetCalls(shared_.calls.load() + shared_.pushes.load());
}

void ApiHandler::Call(uint64_t id, const grpc::Channel* except) {
  Exchange& exchange = exchanges_.at(id);
  const absl::Duration left = exchange.received + shared_.options.timeout - loop_.now();
  std::shared_ptr<grpc::Channel> channel = core_.NextChannel(except);
  if (channel == nullptr) return OnFailure(id, NoCore());
  auto done = [this, id, &method = *exchange.binding->method, request_id = exchange.request_id](
                  const grpc::Status& status, std::string bytes, EndedCall call) {
    if (!status.ok()) {
      return loop_.Post([this, id, status = FromCore(status, method), call = std::move(call)] {
        OnFailure(id, status);
      });
    }
    calls_.Add();
    shared_.translator.Post([this, id, &method, request_id, bytes = std::move(bytes),
                             call = std::move(call)]() mutable {
      loop_.Post([this, id, response = JsonAnswer(method, bytes, request_id),
                  call = std::move(call)] { OnAnswer(id, response); });
      calls_.Done();
    });
  };
  exchange.call =
      UnaryCall::Start(std::move(channel), exchange.binding->FullMethod(), exchange.message,
                       exchange.metadata, left, calls_, std::move(done));
}

void ApiHandler::OnAnswer(uint64_t id, const http::Response& response) {
  const auto node = exchanges_.extract(id);
  if (node.empty()) return;
  EndCall(node.mapped());
  if (node.mapped().push && response.status == 200) pushes_.tokens.Accepted(*node.mapped().push);
  Finish(node.mapped(), response);
}

void ApiHandler::OnFailure(uint64_t id, const absl::Status& status) {
  const auto found = exchanges_.find(id);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  // Only reads, and pushes, which have an id: whether another change was made before the connection
  // broke is not known.
  const bool repeatable = exchange.kind == ApiKind::kRead || exchange.push.has_value();
  if (absl::IsUnavailable(status) && repeatable && exchange.call && !exchange.tried_again &&
      core_.NextChannel(exchange.call->channel()) != nullptr) {
    exchange.tried_again = true;
    shared_.metrics.CountRetry();
    const std::shared_ptr<UnaryCall> before = exchange.call;
    return Call(id, before->channel());
  }
  const auto node = exchanges_.extract(found);
  EndCall(node.mapped());
  const Exchange& ended = node.mapped();
  // A monitor is not to blame for a heartbeat that we could not take.
  if (ended.push && (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))) {
    core_.dispatcher().NoteFailure(ended.received, loop_.now());
    core_.dispatcher().NoteRefusal(loop_.now());
  }
  if (ended.push && absl::IsNotFound(status)) {
    const auto wait = pushes_.unknown.Refused(ended.client, *ended.push, loop_.now());
    if (wait) return Fail(ended, TooOften(kTooManyUnknown, *wait));
  }
  Fail(ended, status);
}

void ApiHandler::StartStream(Exchange exchange) {
  if (ending_) return Fail(exchange, Busy("gateways are stopping"));
  if (shared_.streams.fetch_add(1) >= shared_.options.max_streams) {
    shared_.streams.fetch_sub(1);
    return Fail(exchange, Busy("streams are open"));
  }
  std::shared_ptr<grpc::Channel> channel = core_.NextChannel(nullptr);
  if (channel == nullptr) {
    shared_.streams.fetch_sub(1);
    return Fail(exchange, NoCore());
  }
  shared_.metrics.SetStreams(shared_.streams.load());
  const uint64_t id = ++next_id_;
  const MethodDescriptor& method = *exchange.binding->method;
  ApiStream::Owner& owner = *this;
  auto stream = std::make_shared<ApiStream>(id, exchange.responder, exchange.request_id,
                                            loop_.now(), shared_.options.timeout, owner);
  const std::weak_ptr<ApiStream> weak = stream;
  ServerStreamCall::Listener listener{
      .on_message =
          [this, weak, &method](const std::string& bytes) {
            const auto message = ParseResponse(method, bytes);
            loop_.Post([this, weak, text = message ? EventText(*message) : std::string()] {
              if (const auto to = weak.lock()) to->OnMessage(text, loop_.now());
            });
          },
      .on_end =
          [this, weak, &method](const grpc::Status& status, EndedCall call) {
            loop_.Post([weak, status = FromCore(status, method), call = std::move(call)] {
              if (const auto to = weak.lock()) to->OnEnd(status);
            });
          }};
  stream->SetCall(ServerStreamCall::Start(std::move(channel), exchange.binding->FullMethod(),
                                          exchange.message, exchange.metadata, calls_,
                                          std::move(listener)));
  streams_.emplace(id, Stream{std::move(stream), std::move(exchange)});
}

void ApiHandler::OnStreamDone(uint64_t id, int http_status, const absl::Status& status) {
  auto node = streams_.extract(id);
  if (node.empty()) return;
  shared_.metrics.SetStreams(shared_.streams.fetch_sub(1) - 1);
  shared_.metrics.Count(ApiKind::kWatch, http_status);
  Log(node.mapped().exchange, http_status, status);
  // The stream is what calls this: it goes at the next turn.
  loop_.Post([stream = std::move(node.mapped().stream)] {});
}

void ApiHandler::EndStreams() {
  ending_ = true;
  std::vector<std::shared_ptr<ApiStream>> all;
  for (const auto& [id, stream] : streams_) all.push_back(stream.stream);
  for (const auto& stream : all) stream->Stop();
}

absl::Duration ApiHandler::OnTurn(absl::Duration now) {
  if (streams_.empty() || now < next_turn_)
    return streams_.empty() ? absl::InfiniteDuration() : next_turn_;
  std::vector<std::shared_ptr<ApiStream>> all;
  for (const auto& [id, stream] : streams_) all.push_back(stream.stream);
  next_turn_ = now + absl::Seconds(1);
  for (const auto& stream : all) stream->OnTurn(now);
  return next_turn_;
}

void ApiHandler::Finish(const Exchange& exchange, const http::Response& response) {
  shared_.metrics.Count(exchange.kind, response.status, loop_.now() - exchange.received);
  Log(exchange, response.status, absl::OkStatus());
  exchange.responder.Send(response);
}

void ApiHandler::Fail(const Exchange& exchange, const absl::Status& status) {
  const http::Response response = ProblemAnswer(status, exchange.request_id);
  shared_.metrics.Count(exchange.kind, response.status, loop_.now() - exchange.received);
  Log(exchange, response.status, status);
  exchange.responder.Send(response);
}

// The route, never the path: a path may hold what is nobody's business. In an outage every request
// fails: a few lines a second say so, and the metrics how many there were.
void ApiHandler::Log(const Exchange& exchange, int http_status, const absl::Status& status) {
  if (http_status < 500) {
    if (!LogEnabled(LogLevel::kDebug)) return;
  } else {
    if (loop_.now() - log_window_ >= absl::Seconds(1)) {
      log_window_ = loop_.now();
      logged_ = 0;
    }
    if (++logged_ > kMaxLogLinesPerSecond) return;
  }
  const std::string route =
      exchange.binding == nullptr
          ? "none"
          : absl::StrCat(exchange.binding->http_method, " /api", exchange.binding->path.text());
  const absl::Duration took = loop_.now() - exchange.received;
  if (http_status < 500) {
    LogDebug("api_request", {{"request_id", exchange.request_id},
                             {"route", route},
                             {"status", http_status},
                             {"took", took}});
  } else {
    LogWarning("api_request_failed", {{"request_id", exchange.request_id},
                                      {"route", route},
                                      {"status", http_status},
                                      {"took", took},
                                      {"error", status}});
  }
}

}  // namespace tocsin::gateway
