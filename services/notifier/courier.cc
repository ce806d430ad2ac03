// Carries deliveries to their receivers and reports what became of them.
#include "services/notifier/courier.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "services/notifier/channel/answer.h"
#include "services/notifier/channel/webhook_request.h"

namespace tocsin::notifier {
namespace {

// Part of a lease that is left unused: core's began a little before ours.
constexpr double kLeaseMargin = 0.1;

}  // namespace

Courier::Courier(const CourierOptions& options, const Clock& clock, EventLoop& loop,
                 HttpClient& http, NotifierMetrics& metrics, std::function<void(Report)> report)
    : options_(options),
      clock_(clock),
      loop_(loop),
      http_(http),
      metrics_(metrics),
      report_(std::move(report)),
      timer_(loop.AddTimer([this] { Pump(); })),
      dispatcher_(options.dispatcher, absl::BitGen()) {}

Courier::~Courier() { loop_.Arm(timer_, absl::InfiniteDuration()); }

void Courier::Take(std::vector<Delivery> deliveries) {
  // Tasks must be copyable; the deliveries need not be copied for that.
  auto shared = std::make_shared<std::vector<Delivery>>(std::move(deliveries));
  loop_.Post([this, shared] { Accept(std::move(*shared)); });
}

void Courier::Drain() {
  loop_.Post([this] {
    draining_ = true;
    HandBack(dispatcher_.Drain());
    Pump();
  });
}

bool Courier::AwaitIdle(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&idle_), timeout);
}

void Courier::Accept(std::vector<Delivery> deliveries) {
  for (Delivery& delivery : deliveries) {
    if (draining_) {
      metrics_.CountDeferral(Outcome::kDraining);
      report_(Defer(delivery.facts, Outcome::kDraining, absl::ZeroDuration()));
      continue;
    }
    auto job = std::make_unique<Job>();
    job->timeout = std::min(options_.request_timeout, delivery.lease / 2);
    job->begin_by = delivery.leased_at + delivery.lease * (1 - kLeaseMargin) - job->timeout;
    const uint64_t ticket = ++last_ticket_;
    // Of a channel with another URL, or with other headers, which may be another receiver, nothing
    // is known.
    const Destination& destination = delivery.destination;
    dispatcher_.Add({ticket,
                     absl::StrCat(destination.channel, " ", destination.url, " ",
                                  absl::HashOf(destination.headers)),
                     job->begin_by});
    job->delivery = std::move(delivery);
    jobs_.emplace(ticket, std::move(job));
  }
  Pump();
}

void Courier::HandBack(const std::vector<Dispatcher::Deferral>& deferrals) {
  for (const Dispatcher::Deferral& deferral : deferrals) {
    const auto job = jobs_.find(deferral.ticket);
    metrics_.CountDeferral(deferral.outcome);
    report_(Defer(job->second->delivery.facts, deferral.outcome, deferral.retry_after));
    jobs_.erase(job);
  }
}

void Courier::Pump() {
  bool again = true;
  while (again) {
    again = false;
    const Dispatcher::Decisions decisions = dispatcher_.Poll(loop_.Now());
    HandBack(decisions.defer);
    for (uint64_t ticket : decisions.begin) again |= !Begin(ticket);
  }
  loop_.Arm(timer_, dispatcher_.NextWake());
  ShowLoad();
}

bool Courier::Begin(uint64_t ticket) {
  const auto found = jobs_.find(ticket);
  Job& job = *found->second;
  auto request = BuildWebhookRequest(job.delivery, clock_.Now(), job.timeout);
  if (!request.ok()) {
    log_.NoteUnusable(job.delivery, std::string(request.status().message()));
    metrics_.CountAttempt(job.delivery.destination.format, Outcome::kBadChannel, {});
    report_(Reject(job.delivery.facts));
    jobs_.erase(found);
    dispatcher_.Abandon(ticket);
    return false;
  }
  // The last look: the process may have been frozen since the lease was read.
  job.began = loop_.Now();
  if (job.began > job.begin_by) {
    dispatcher_.Abandon(ticket);
    HandBack({{ticket, Outcome::kExpiredLease, absl::ZeroDuration()}});
    return false;
  }
  std::optional<HttpRequest> before = RequestBefore(job.delivery, *request);
  if (!before.has_value()) {
    Send(ticket, *std::move(request));
    return true;
  }
  // Both within the time of one.
  before->timeout = request->timeout = job.timeout / 2;
  http_.Send(*std::move(before), [this, ticket, then = *std::move(request)](HttpResult result) {
    if (result.outcome != Outcome::kOk) return Finish(ticket, std::move(result));
    Send(ticket, then);
  });
  return true;
}

void Courier::Send(uint64_t ticket, HttpRequest request) {
  http_.Send(std::move(request),
             [this, ticket](HttpResult result) { Finish(ticket, std::move(result)); });
}

void Courier::Finish(uint64_t ticket, HttpResult result) {
  const auto found = jobs_.find(ticket);
  const std::unique_ptr<Job> job = std::move(found->second);
  jobs_.erase(found);
  const Delivery& delivery = job->delivery;
  result.outcome = JudgeAnswer(delivery.destination.format, result);
  const absl::Time now = clock_.Now();
  const absl::Duration mono_now = loop_.Now();
  metrics_.CountAttempt(delivery.destination.format, result.outcome, mono_now - job->began);
  if (delivery.facts.redelivery) metrics_.CountRedelivery();
  log_.NoteAttempt(delivery, result);
  if (result.outcome == Outcome::kBadChannel) {
    dispatcher_.Abandon(ticket);
    report_(Reject(delivery.facts));
    return Pump();
  }
  Attempt attempt{result.outcome, result.status, std::nullopt};
  if (result.outcome == Outcome::kOk) {
    if (!delivery.facts.redelivery) metrics_.ObserveDwell(now - delivery.message.occurred_at);
  } else {
    attempt.retry_after = ParseRetryAfter(result.retry_after, now);
  }
  dispatcher_.Finish(ticket, result.outcome, attempt.retry_after, mono_now);
  Report report =
      JudgeAttempt(options_.retry, delivery.facts, attempt, absl::Uniform(random_, 0.0, 1.0));
  report.answer = AnswerToShow(delivery, result);
  report_(std::move(report));
  Pump();
}

void Courier::ShowLoad() {
  metrics_.SetLoad(dispatcher_.in_flight(), dispatcher_.queued(), dispatcher_.breakers_open());
  absl::MutexLock lock(&mutex_);
  idle_ = draining_ && dispatcher_.in_flight() == 0;
}

}  // namespace tocsin::notifier
