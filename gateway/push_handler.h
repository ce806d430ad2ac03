// Serves one io thread's requests: from HTTP to a push on its way to core, and back.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "gateway/adapters/adapter.h"
#include "gateway/core_link/core_link.h"
#include "gateway/dialect.h"
#include "gateway/http/handler.h"
#include "gateway/metrics.h"
#include "gateway/push_parameters.h"
#include "gateway/rate_limit.h"
#include "gateway/rejection_reporter.h"
#include "gateway/route.h"

namespace tocsin::gateway {

// What the io threads have in common. Thread safe; must outlive the handlers.
struct GatewayShared {
  GatewayShared(const RateLimit& per_token, size_t max_tokens, const RateLimit& per_address,
                size_t max_addresses, std::vector<http::IpNetwork> proxies)
      : tokens(per_token, max_tokens),
        unknown(per_address, max_addresses),
        trusted_proxies(std::move(proxies)) {}

  TokenLimiter tokens;
  UnknownTokenLimiter unknown;
  const std::vector<http::IpNetwork> trusted_proxies;
  GatewayMetrics metrics;
  // What core knows this gateway by; empty: nothing. Set before there are io threads.
  std::string core_key;
  // Io threads that have a stream to core which is not draining.
  std::atomic<int> connected_threads{0};
  // Io threads that a core refuses for want of a good key.
  std::atomic<int> refused_threads{0};
};

// Loop thread only.
class PushHandler final : public http::Handler, private OutcomeSink {
 public:
  // Requests that are no pushes go to `others`, which must outlive the requests.
  PushHandler(DispatcherOptions options, http::EventLoop& loop, GatewayShared& shared,
              http::Handler& others);
  ~PushHandler() override;

  void OnRequest(const http::Request& request, http::Responder responder) override;
  http::Response OnRefusal(int status, std::string_view reason) override;
  void OnBodyTooLarge(const http::Request& request) override;
  absl::Duration OnTurn(absl::Duration now) override;

  CoreLink& core() { return core_; }

 private:
  // What comes in our own form: /api/push.
  void OnPush(const http::Request& request, const Route& route, http::Responder responder);
  // What comes in the form of another monitor.
  void OnPeerPush(const http::Request& request, const Target& target, const Adapter& adapter,
                  http::Responder responder);
  // Sends a push that was read to core, or answers why not. Its dialect is set.
  void Forward(PendingPush& push, std::string_view secret, const http::Request& request,
               http::Responder responder);
  // What keeps the push from being sent: answered when it says so.
  bool Limited(PendingPush& push, const http::Request& request);
  // Counts and answers what never became a push.
  void Refuse(const Dialect& dialect, PushVerdict verdict, std::string_view text,
              const http::Request& request, http::Responder responder);
  void AnswerRecorded(PendingPush& push, PushVerdict verdict, absl::Duration took);
  // Reads the monitor and the action of the path into `push` and action_. INVALID_ARGUMENT when the
  // monitor cannot be an id.
  absl::Status ReadMonitor(const Route& route, PendingPush& push);
  std::string_view TokenOf(const http::Request& request, const Route& route);
  void OnOutcome(PendingPush& push, PushResult result, absl::Duration now) override;
  void AnswerUnknown(PendingPush& push, absl::Duration now);
  void AnswerNotCreated(PendingPush& push, PushResult result, absl::Duration now);
  // What there is not, or may not be: the address may not ask for such too often.
  void Refuse(PendingPush& push, PushOutcomeLabel label, PushReply reply, absl::Duration now);
  // Counts for core what was refused of a monitor.
  void NoteRejection(internal::v1::RejectionReason reason, const PendingPush& push,
                     std::string_view detail);
  // The same of what never became a push.
  void NoteRejection(std::string_view secret, const PendingPush& push, std::string_view detail,
                     const http::Request& request);
  // The id to answer an error with: the client's own, if it is fit to be repeated.
  std::string RequestId(const http::Request& request) const;
  void LogFailure(std::string_view event, std::string_view route, std::string_view request_id,
                  absl::Duration now);
  void Publish(absl::Duration now);

  http::EventLoop& loop_;
  GatewayShared& shared_;
  http::Handler& others_;
  PushParser parser_;
  std::string token_;    // decoded
  std::string action_;   // decoded
  PushAddress address_;  // of another monitor's form
  uint64_t next_push_id_;

  const Dialect& own_;
  const http::CannedResponse recorded_;  // in our own words, without a warning

  PushCounts counts_;
  bool counted_ = false;  // something in counts_ is not published
  DispatcherStats published_;
  absl::Duration published_shed_;
  absl::Duration published_at_;
  bool connected_ = false;
  bool refused_ = false;
  absl::Duration log_window_ = -absl::InfiniteDuration();
  int logged_ = 0;
  int64_t not_logged_ = 0;

  // Last: their ends wait for calls that report to this.
  CoreLink core_;
  RejectionReporter rejections_;
};

}  // namespace tocsin::gateway
