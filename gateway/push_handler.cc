// The push endpoint.
#include "gateway/push_handler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/any_string_view.h"
#include "common/log.h"
#include "common/random.h"
#include "gateway/client_address.h"
#include "gateway/credential.h"
#include "gateway/limit_key.h"
#include "gateway/monitor_id.h"
#include "gateway/push_answers.h"
#include "gateway/request_id.h"
#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr absl::Duration kPublishEvery = absl::Milliseconds(100);
constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr int kMaxLogLinesPerSecond = 10;
constexpr char kTooManyUnknown[] = "Too many pushes with unknown tokens from this address.";
constexpr char kInvalid[] = "The push cannot be stored as it is.";
constexpr char kLoneKey[] =
    "Monitor not found: a push key is followed by its monitor, /api/push/<push key>/<monitor>.";
constexpr char kMayNotCreate[] =
    "There is no such monitor, and this push key may not create it: it is not one that may, or "
    "what "
    "it would create names a channel that does not exist any more.";
constexpr char kTooManyMonitors[] =
    "There is no such monitor, and it is not created: the project has as many monitors as this "
    "push "
    "key allows (max_monitors).";
constexpr char kDeleted[] =
    "The monitor is deleted, and its id is not free: undelete it, or push to another id.";

// Spreads consecutive numbers over all 64 bits; a bijection, so that they stay distinct
// (SplitMix64's finalizer).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

bool HasOwnBudget(const PushParameters& push) {
  return push.kind == PushKind::kDown || push.kind == PushKind::kStart || push.exit_status;
}

}  // namespace

PushHandler::PushHandler(DispatcherOptions options, http::EventLoop& loop, GatewayShared& shared,
                         http::Handler& others)
    : loop_(loop),
      shared_(shared),
      others_(others),
      next_push_id_(RandomId()),
      own_(OwnDialect()),
      recorded_(own_.Answer({.verdict = PushVerdict::kRecorded})),
      published_at_(loop.now()),
      core_(std::move(options), shared.core_key, loop, *this),
      rejections_(shared.core_key, loop, core_) {}

PushHandler::~PushHandler() = default;

void PushHandler::OnRequest(const http::Request& request, http::Responder responder) {
  const Route route = ParseRoute(request.target);
  const bool own = route.endpoint == Route::Endpoint::kPush;
  const Target target = own ? Target() : SplitTarget(request.target);
  const Adapter* const adapter = own ? nullptr : FindAdapter(target);
  if (!own && adapter == nullptr) return others_.OnRequest(request, responder);
  const Dialect& dialect = own ? own_ : *adapter;
  if (request.method == "OPTIONS") return responder.Send(dialect.Preflight());
  counted_ = true;
  if (!dialect.Takes(request.method)) {
    // Which asks, and is no way to push.
    const absl::string_view methods =
        absl::StripSuffix(AnyStringView(dialect.methods()).absl(), ", OPTIONS");
    const std::string text = absl::StrCat("Push with one of ", methods, ".");
    return Refuse(dialect, PushVerdict::kWrongMethod, text, request, responder);
  }
  if (own) return OnPush(request, route, responder);
  OnPeerPush(request, target, *adapter, responder);
}

void PushHandler::OnPush(const http::Request& request, const Route& route,
                         http::Responder responder) {
  const std::string_view token = TokenOf(request, route);
  if (token.empty()) {
    return Refuse(
        own_, PushVerdict::kNoSecret,
        "The push token is missing: push to /api/push/<token> or send Authorization: Bearer.",
        request, responder);
  }
  PendingPush& push = *core_.dispatcher().Take();
  push.dialect = &own_;
  absl::Status status = ReadMonitor(route, push);
  const PushInput input{
      .action = action_,
      .query = route.query,
      .content_type = request.body.empty() ? std::string_view() : request.Header("Content-Type"),
      .content_encoding =
          request.body.empty() ? std::string_view() : request.Header("Content-Encoding"),
      .body = request.body};
  if (status.ok()) status = parser_.Parse(input, push.parameters);
  if (!status.ok()) {
    const std::string text(status.message());
    NoteRejection(token, push, text, request);
    core_.dispatcher().Discard(&push);
    return Refuse(own_, PushVerdict::kBadRequest, text, request, responder);
  }
  Forward(push, token, request, responder);
}

void PushHandler::OnPeerPush(const http::Request& request, const Target& target,
                             const Adapter& adapter, http::Responder responder) {
  PendingPush& push = *core_.dispatcher().Take();
  push.dialect = &adapter;
  push.parameters.Clear();
  address_ = {};
  const absl::Status status = adapter.Read(target, request, address_, push.parameters);
  if (!status.ok()) {
    const PushVerdict verdict =
        absl::IsUnauthenticated(status) ? PushVerdict::kNoSecret : PushVerdict::kBadRequest;
    const std::string text(status.message());
    push.monitor_id.swap(address_.monitor_id);
    NoteRejection(address_.secret, push, text, request);
    core_.dispatcher().Discard(&push);
    return Refuse(adapter, verdict, text, request, responder);
  }
  push.monitor_id.swap(address_.monitor_id);
  Forward(push, address_.secret, request, responder);
}

void PushHandler::Forward(PendingPush& push, std::string_view secret, const http::Request& request,
                          http::Responder responder) {
  push.token_hash = Sha256(secret);
  push.limit_key = LimitKey(push.token_hash, push.monitor_id);
  push.lone_key = push.monitor_id.empty() && LooksLikeKey(secret);
  push.responder = responder;
  push.received = loop_.now();
  // Core takes text for text only: bytes that are none would end the stream, for all that wait.
  const std::string_view request_id = request.Header("X-Request-Id");
  push.request_id.assign(IsFittingRequestId(request_id) ? request_id : std::string_view());
  if (Limited(push, request)) return core_.dispatcher().Discard(&push);
  do {
    push.push_id = Mix(next_push_id_++);
  } while (push.push_id == 0);
  const Dialect& dialect = *push.dialect;
  if (core_.dispatcher().Submit(&push, loop_.now())) return;
  counts_.Count(PushOutcomeLabel::kShed);
  const std::string id = RequestId(request);
  LogFailure("push_shed", dialect.route(), id, loop_.now());
  responder.Send(dialect.Answer({.verdict = PushVerdict::kTryLater,
                                 .text = "Too many pushes are waiting; try again.",
                                 .request_id = id,
                                 .retry_after = kRetryAfter}));
}

void PushHandler::Refuse(const Dialect& dialect, PushVerdict verdict, std::string_view text,
                         const http::Request& request, http::Responder responder) {
  counts_.Count(PushOutcomeLabel::kBadRequest);
  const std::string id = RequestId(request);
  responder.Send(dialect.Answer({.verdict = verdict, .text = text, .request_id = id}));
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
  return CredentialOf(request, "Bearer");
}

bool PushHandler::Limited(PendingPush& push, const http::Request& request) {
  const absl::Duration now = loop_.now();
  const TokenLimiter::Verdict verdict =
      shared_.tokens.Check(push.limit_key, HasOwnBudget(push.parameters), now);
  push.token_known = verdict.known;
  push.client = ClientOf(request, shared_.trusted_proxies);
  const auto too_often = [&](PushOutcomeLabel label, const char* text, absl::Duration wait) {
    counts_.Count(label);
    // Of a stranger's guess there is nothing to keep.
    if (verdict.known) NoteRejection(internal::v1::REJECTION_REASON_TOO_OFTEN, push, text);
    const std::string id = RequestId(request);
    push.responder.Send(push.dialect->Answer(
        {.verdict = PushVerdict::kTooOften, .text = text, .request_id = id, .retry_after = wait}));
    return true;
  };
  if (verdict.wait) {
    return too_often(PushOutcomeLabel::kRateLimited, "This monitor is pushed to too often.",
                     *verdict.wait);
  }
  if (verdict.known) return false;
  const auto wait = shared_.unknown.Check(push.client, push.limit_key, now);
  return wait && too_often(PushOutcomeLabel::kUnknownLimited, kTooManyUnknown, *wait);
}

void PushHandler::OnOutcome(PendingPush& push, PushResult result, absl::Duration now) {
  const absl::Duration took = now - push.received;
  counted_ = true;
  if ((result == PushResult::kRecorded || result == PushResult::kRecordedPaused ||
       result == PushResult::kCreated) &&
      !push.token_known) {
    shared_.tokens.Accepted(push.limit_key);
  }
  const auto refuse = [&](PushOutcomeLabel label, PushVerdict verdict, std::string_view text) {
    counts_.Count(label, took);
    const std::string id = FittingRequestId(push.request_id);
    push.responder.Send(
        push.dialect->Answer({.verdict = verdict, .text = text, .request_id = id, .took = took}));
  };
  switch (result) {
    case PushResult::kRecorded:
      counts_.Count(PushOutcomeLabel::kRecorded, took);
      return AnswerRecorded(push, PushVerdict::kRecorded, took);
    case PushResult::kRecordedPaused:
      counts_.Count(PushOutcomeLabel::kPaused, took);
      return AnswerRecorded(push, PushVerdict::kPaused, took);
    case PushResult::kCreated:
      counts_.Count(PushOutcomeLabel::kCreated, took);
      return AnswerRecorded(push, PushVerdict::kCreated, took);
    case PushResult::kUnknownToken:
      return AnswerUnknown(push, now);
    case PushResult::kMayNotCreate:
    case PushResult::kTooManyMonitors:
    case PushResult::kDeleted:
      return AnswerNotCreated(push, result, now);
    case PushResult::kInvalid:
      NoteRejection(internal::v1::REJECTION_REASON_BAD_PARAMETER, push, kInvalid);
      return refuse(PushOutcomeLabel::kInvalid, PushVerdict::kBadRequest, kInvalid);
    case PushResult::kUnavailable:
      break;
  }
  counts_.Count(PushOutcomeLabel::kUnavailable, took);
  const std::string id = FittingRequestId(push.request_id);
  LogFailure("push_unavailable", push.dialect->route(), id, now);
  push.responder.Send(
      push.dialect->Answer({.verdict = PushVerdict::kTryLater,
                            .text = "The push could not be recorded in time; try again.",
                            .request_id = id,
                            .retry_after = kRetryAfter,
                            .took = took}));
}

void PushHandler::AnswerRecorded(PendingPush& push, PushVerdict verdict, absl::Duration took) {
  const std::string& warning = push.parameters.warning;
  if (push.dialect != &own_) {
    // Opsgenie's names the request of a success, too.
    const std::string id = FittingRequestId(push.request_id);
    return push.responder.Send(push.dialect->Answer(
        {.verdict = verdict, .text = warning, .request_id = id, .took = took}));
  }
  if (verdict == PushVerdict::kRecorded && warning.empty()) return push.responder.Send(recorded_);
  push.responder.Send(own_.Answer({.verdict = verdict, .text = warning}));
}

void PushHandler::AnswerUnknown(PendingPush& push, absl::Duration now) {
  NoteRejection(internal::v1::REJECTION_REASON_UNKNOWN_TOKEN, push, "");
  PushReply reply = {.verdict = PushVerdict::kUnknown};
  if (push.lone_key && push.dialect == &own_) reply.text = kLoneKey;
  Refuse(push, PushOutcomeLabel::kUnknownToken, reply, now);
}

void PushHandler::AnswerNotCreated(PendingPush& push, PushResult result, absl::Duration now) {
  PushReply reply = {.verdict = PushVerdict::kMayNotCreate, .text = kMayNotCreate};
  if (result == PushResult::kTooManyMonitors) reply.text = kTooManyMonitors;
  if (result == PushResult::kDeleted) reply = {.verdict = PushVerdict::kUnknown, .text = kDeleted};
  Refuse(push, PushOutcomeLabel::kMayNotCreate, reply, now);
}

void PushHandler::Refuse(PendingPush& push, PushOutcomeLabel label, PushReply reply,
                         absl::Duration now) {
  const std::string id = FittingRequestId(push.request_id);
  const auto wait = shared_.unknown.Refused(push.client, push.limit_key, now);
  const absl::Duration took = now - push.received;
  if (!wait) {
    counts_.Count(label, took);
    reply.request_id = id;
    reply.took = took;
    return push.responder.Send(push.dialect->Answer(reply));
  }
  counts_.Count(PushOutcomeLabel::kUnknownLimited, took);
  // A new connection for each further guess makes guessing slower.
  http::Response response = push.dialect->Answer({.verdict = PushVerdict::kTooOften,
                                                  .text = kTooManyUnknown,
                                                  .request_id = id,
                                                  .retry_after = *wait,
                                                  .took = took});
  response.close = true;
  push.responder.Send(response);
}

void PushHandler::NoteRejection(internal::v1::RejectionReason reason, const PendingPush& push,
                                std::string_view detail) {
  const std::string source = push.client.ToString();
  rejections_.Note({.token_hash = push.token_hash,
                    .monitor_id = push.monitor_id,
                    .reason = reason,
                    .source = source,
                    .detail = detail,
                    .known = push.token_known},
                   loop_.now());
}

void PushHandler::NoteRejection(std::string_view secret, const PendingPush& push,
                                std::string_view detail, const http::Request& request) {
  if (secret.empty()) return;
  const std::string source = ClientOf(request, shared_.trusted_proxies).ToString();
  const Sha256Digest token_hash = Sha256(secret);
  rejections_.Note({.token_hash = token_hash,
                    .monitor_id = push.monitor_id,
                    .reason = internal::v1::REJECTION_REASON_BAD_PARAMETER,
                    .source = source,
                    .detail = detail,
                    .known = shared_.tokens.IsKnown(LimitKey(token_hash, push.monitor_id))},
                   loop_.now());
}

void PushHandler::OnBodyTooLarge(const http::Request& request) {
  const Route route = ParseRoute(request.target);
  std::string_view secret;
  std::string monitor_id;
  if (route.endpoint == Route::Endpoint::kPush) {
    secret = TokenOf(request, route);
    DecodePath(route.monitor, monitor_id);
    if (!monitor_id.empty() && !IsMonitorId(monitor_id)) return;
  } else {
    const Target target = SplitTarget(request.target);
    const Adapter* const adapter = FindAdapter(target);
    if (adapter == nullptr) return;
    PendingPush& push = *core_.dispatcher().Take();
    push.parameters.Clear();
    address_ = {};
    // What it says of the missing body does not matter: whose it is it knows.
    const absl::Status ignored = adapter->Read(target, request, address_, push.parameters);
    core_.dispatcher().Discard(&push);
    secret = address_.secret;
    monitor_id = address_.monitor_id;
  }
  if (secret.empty()) return;
  const Sha256Digest token_hash = Sha256(secret);
  const std::string source = ClientOf(request, shared_.trusted_proxies).ToString();
  rejections_.Note({.token_hash = token_hash,
                    .monitor_id = monitor_id,
                    .reason = internal::v1::REJECTION_REASON_TOO_LARGE,
                    .source = source,
                    .detail = "The body is too large.",
                    .known = shared_.tokens.IsKnown(LimitKey(token_hash, monitor_id))},
                   loop_.now());
}

http::Response PushHandler::OnRefusal(int status, std::string_view reason) {
  const std::string id = FittingRequestId("");
  if (status != 503) return ErrorAnswer(status, reason, id);
  core_.dispatcher().NoteRefusal(loop_.now());
  counted_ = true;  // so that the time of it is published though no push comes
  LogFailure("connection_refused", own_.route(), id, loop_.now());
  return RetryAnswer(reason, kRetryAfter, id);
}

std::string PushHandler::RequestId(const http::Request& request) const {
  return FittingRequestId(request.Header("X-Request-Id"));
}

// In an outage every push fails: a few lines a second say so, a number says how many there were.
void PushHandler::LogFailure(std::string_view event, std::string_view route,
                             std::string_view request_id, absl::Duration now) {
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
  LogWarning(event, {{"request_id", request_id}, {"route", route}});
}

absl::Duration PushHandler::OnTurn(absl::Duration now) {
  absl::Duration next = std::min(core_.OnTurn(now), rejections_.OnTurn(now));
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
