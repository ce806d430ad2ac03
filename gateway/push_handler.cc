// The push endpoint.
#include "gateway/push_handler.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/random.h"
#include "gateway/client_address.h"
#include "gateway/limit_key.h"
#include "gateway/push_answers.h"
#include "gateway/request_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr absl::Duration kPublishEvery = absl::Milliseconds(100);
constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr int kMaxLogLinesPerSecond = 10;

// Spreads consecutive numbers over all 64 bits; a bijection, so that they stay distinct
// (SplitMix64's finalizer).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

bool IsPushMethod(std::string_view method) {
  return method == "POST" || method == "GET" || method == "HEAD" || method == "PUT" ||
         method == "PATCH";
}

bool HasOwnBudget(const PushParameters& push) {
  return push.kind == PushKind::kDown || push.kind == PushKind::kStart || push.exit_status;
}

// As core has it for ids.
bool IsMonitorId(std::string_view id) {
  const auto fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !id.empty() && id.size() <= 63 && id.front() != '-' &&
         std::all_of(id.begin(), id.end(), fit);
}

}  // namespace

PushHandler::PushHandler(DispatcherOptions options, http::EventLoop& loop, GatewayShared& shared,
                         http::Handler& others)
    : loop_(loop),
      shared_(shared),
      others_(others),
      next_push_id_(RandomId()),
      recorded_(RecordedAnswer("")),
      paused_(PausedAnswer("")),
      created_(CreatedAnswer("")),
      preflight_(PreflightAnswer()),
      published_at_(loop.now()),
      core_(std::move(options), shared.core_key, loop, *this) {}

PushHandler::~PushHandler() = default;

void PushHandler::OnRequest(const http::Request& request, http::Responder responder) {
  const Route route = ParseRoute(request.target);
  if (route.endpoint == Route::Endpoint::kUnknown) return others_.OnRequest(request, responder);
  if (request.method == "OPTIONS") return responder.Send(preflight_);
  if (!IsPushMethod(request.method)) {
    counted_ = true;
    counts_.Count(PushOutcomeLabel::kBadRequest);
    return responder.Send(MethodNotAllowedAnswer(RequestId(request)));
  }
  OnPush(request, route, responder);
}

void PushHandler::OnPush(const http::Request& request, const Route& route,
                         http::Responder responder) {
  counted_ = true;
  const std::string_view token = TokenOf(request, route);
  if (token.empty()) {
    counts_.Count(PushOutcomeLabel::kBadRequest);
    return responder.Send(MissingTokenAnswer(RequestId(request)));
  }
  PendingPush& push = *core_.dispatcher().Take();
  absl::Status status = ReadMonitor(route, push);
  const PushInput input{
      .action = action_,
      .query = route.query,
      .content_type = request.body.empty() ? std::string_view() : request.Header("Content-Type"),
      .body = request.body};
  if (status.ok()) status = parser_.Parse(input, push.parameters);
  if (!status.ok()) {
    core_.dispatcher().Discard(&push);
    counts_.Count(PushOutcomeLabel::kBadRequest);
    const std::string message(status.message());
    return responder.Send(ErrorAnswer(400, message, RequestId(request)));
  }
  push.token_hash = Sha256(token);
  push.limit_key = LimitKey(push.token_hash, push.monitor_id);
  push.responder = responder;
  push.received = loop_.now();
  push.request_id.assign(request.Header("X-Request-Id").substr(0, kMaxRequestId));
  if (Limited(push, request)) return core_.dispatcher().Discard(&push);
  do {
    push.push_id = Mix(next_push_id_++);
  } while (push.push_id == 0);
  if (core_.dispatcher().Submit(&push, loop_.now())) return;
  counts_.Count(PushOutcomeLabel::kShed);
  const std::string id = RequestId(request);
  LogFailure("push_shed", id, loop_.now());
  responder.Send(RetryAnswer(503, "Too many pushes are waiting; try again.", kRetryAfter, id));
}

absl::Status PushHandler::ReadMonitor(const Route& route, PendingPush& push) {
  action_.clear();
  if (route.monitor.empty()) return absl::OkStatus();
  DecodePath(route.action, action_);
  DecodePath(route.monitor, push.monitor_id);
  if (IsMonitorId(push.monitor_id)) return absl::OkStatus();
  push.monitor_id.clear();
  return absl::InvalidArgumentError(
      "the monitor's id in the path must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or "
      "digit");
}

std::string_view PushHandler::TokenOf(const http::Request& request, const Route& route) {
  if (!route.token.empty()) {
    if (route.token.find('%') == std::string_view::npos) return route.token;
    DecodePath(route.token, token_);
    return token_;
  }
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view value = request.Header("Authorization");
  if (!http::EqualsIgnoreCase(value.substr(0, kBearer.size()), kBearer)) return {};
  return TrimSpace(value.substr(kBearer.size()));
}

bool PushHandler::Limited(PendingPush& push, const http::Request& request) {
  const absl::Duration now = loop_.now();
  const TokenLimiter::Verdict verdict =
      shared_.tokens.Check(push.limit_key, HasOwnBudget(push.parameters), now);
  push.token_known = verdict.known;
  if (verdict.wait) {
    counts_.Count(PushOutcomeLabel::kRateLimited);
    push.responder.Send(RetryAnswer(429, "This monitor is pushed to too often.", *verdict.wait,
                                    RequestId(request)));
    return true;
  }
  push.client = ClientOf(request, shared_.trusted_proxies);
  if (verdict.known) return false;
  const auto wait = shared_.unknown.Check(push.client, push.limit_key, now);
  if (!wait) return false;
  counts_.Count(PushOutcomeLabel::kUnknownLimited);
  push.responder.Send(RetryAnswer(429, "Too many pushes with unknown tokens from this address.",
                                  *wait, RequestId(request)));
  return true;
}

void PushHandler::OnOutcome(PendingPush& push, PushResult result, absl::Duration now) {
  const absl::Duration took = now - push.received;
  const std::string& warning = push.parameters.warning;
  counted_ = true;
  if ((result == PushResult::kRecorded || result == PushResult::kRecordedPaused ||
       result == PushResult::kCreated) &&
      !push.token_known) {
    shared_.tokens.Accepted(push.limit_key);
  }
  switch (result) {
    case PushResult::kRecorded:
      counts_.Count(PushOutcomeLabel::kRecorded, took);
      if (warning.empty()) return push.responder.Send(recorded_);
      return push.responder.Send(RecordedAnswer(warning));
    case PushResult::kRecordedPaused:
      counts_.Count(PushOutcomeLabel::kPaused, took);
      if (warning.empty()) return push.responder.Send(paused_);
      return push.responder.Send(PausedAnswer(warning));
    case PushResult::kCreated:
      counts_.Count(PushOutcomeLabel::kCreated, took);
      if (warning.empty()) return push.responder.Send(created_);
      return push.responder.Send(CreatedAnswer(warning));
    case PushResult::kUnknownToken:
      return AnswerUnknown(push, now);
    case PushResult::kMayNotCreate:
    case PushResult::kTooManyMonitors:
    case PushResult::kDeleted:
      return AnswerNotCreated(push, result, now);
    case PushResult::kInvalid:
      counts_.Count(PushOutcomeLabel::kInvalid, took);
      return push.responder.Send(ErrorAnswer(400, "The push cannot be stored as it is.",
                                             FittingRequestId(push.request_id)));
    case PushResult::kUnavailable:
      break;
  }
  counts_.Count(PushOutcomeLabel::kUnavailable, took);
  const std::string id = FittingRequestId(push.request_id);
  LogFailure("push_unavailable", id, now);
  push.responder.Send(
      RetryAnswer(503, "The push could not be recorded in time; try again.", kRetryAfter, id));
}

void PushHandler::AnswerUnknown(PendingPush& push, absl::Duration now) {
  if (RefusedTooOften(push, now)) return;
  counts_.Count(PushOutcomeLabel::kUnknownToken, now - push.received);
  push.responder.Send(UnknownTokenAnswer(FittingRequestId(push.request_id)));
}

void PushHandler::AnswerNotCreated(PendingPush& push, PushResult result, absl::Duration now) {
  if (RefusedTooOften(push, now)) return;
  counts_.Count(PushOutcomeLabel::kMayNotCreate, now - push.received);
  const std::string id = FittingRequestId(push.request_id);
  switch (result) {
    case PushResult::kTooManyMonitors:
      return push.responder.Send(TooManyMonitorsAnswer(id));
    case PushResult::kDeleted:
      return push.responder.Send(DeletedAnswer(id));
    default:
      return push.responder.Send(MayNotCreateAnswer(id));
  }
}

bool PushHandler::RefusedTooOften(PendingPush& push, absl::Duration now) {
  const auto wait = shared_.unknown.Refused(push.client, push.limit_key, now);
  if (!wait) return false;
  const std::string id = FittingRequestId(push.request_id);
  counts_.Count(PushOutcomeLabel::kUnknownLimited, now - push.received);
  // A new connection for each further guess makes guessing slower.
  http::Response response =
      RetryAnswer(429, "Too many pushes with unknown tokens from this address.", *wait, id);
  response.close = true;
  push.responder.Send(response);
  return true;
}

http::Response PushHandler::OnRefusal(int status, std::string_view reason) {
  const std::string id = FittingRequestId("");
  if (status != 503) return ErrorAnswer(status, reason, id);
  core_.dispatcher().NoteRefusal(loop_.now());
  LogFailure("connection_refused", id, loop_.now());
  return RetryAnswer(503, reason, kRetryAfter, id);
}

std::string PushHandler::RequestId(const http::Request& request) const {
  return FittingRequestId(request.Header("X-Request-Id").substr(0, kMaxRequestId));
}

// In an outage every push fails: a few lines a second say so, a number says how many there were.
void PushHandler::LogFailure(std::string_view event, std::string_view request_id,
                             absl::Duration now) {
  if (now - log_window_ >= absl::Seconds(1)) {
    if (not_logged_ > 0) LogWarning("push_failures_not_logged", {{"count", not_logged_}});
    log_window_ = now;
    logged_ = 0;
    not_logged_ = 0;
  }
  if (++logged_ > kMaxLogLinesPerSecond) {
    ++not_logged_;
    return;
  }
  LogWarning(event, {{"request_id", request_id}, {"route", "/api/push"}});
}

absl::Duration PushHandler::OnTurn(absl::Duration now) {
  absl::Duration next = core_.OnTurn(now);
  const bool connected = core_.dispatcher().connected();
  if (connected != connected_) {
    connected_ = connected;
    shared_.connected_threads.fetch_add(connected ? 1 : -1);
  }
  if (core_.refused() != refused_) {
    refused_ = !refused_;
    shared_.refused_threads.fetch_add(refused_ ? 1 : -1);
  }
  if (counted_ || published_ != core_.dispatcher().stats()) {
    if (now - published_at_ >= kPublishEvery) {
      Publish(now);
    } else {
      next = std::min(next, published_at_ + kPublishEvery);
    }
  }
  return next;
}

void PushHandler::Publish(absl::Duration now) {
  Dispatcher& dispatcher = core_.dispatcher();
  shared_.metrics.Publish(counts_);
  shared_.metrics.Publish(published_, dispatcher.stats());
  double sum = 0;
  const std::vector<double> sizes = dispatcher.TakeBatchSizes(sum);
  shared_.metrics.PublishBatchSizes(sizes, sum);
  shared_.metrics.PublishShed(dispatcher.shed_total() - published_shed_);
  published_ = dispatcher.stats();
  published_shed_ = dispatcher.shed_total();
  published_at_ = now;
  counted_ = false;
}

}  // namespace tocsin::gateway
