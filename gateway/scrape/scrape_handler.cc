// From a request to a scrape.
#include "gateway/scrape/scrape_handler.h"

#include <string>
#include <utility>
#include <vector>

#include "common/log.h"
#include "gateway/client_address.h"
#include "gateway/request_id.h"
#include "gateway/rest/problem.h"
#include "gateway/rest/refusals.h"
#include "gateway/route.h"
#include "gateway/scrape/gzip.h"
#include "gateway/scrape/scrape_query.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPath = "/metrics/monitors";
constexpr absl::Duration kEvery = absl::Seconds(1);

}  // namespace

ScrapeHandler::ScrapeHandler(CoreLink& core, http::EventLoop& loop, ApiShared& shared,
                             http::Handler& others)
    : core_(core), loop_(loop), shared_(shared), others_(others) {}

ScrapeHandler::~ScrapeHandler() {
  for (const auto& [id, scrape] : scrapes_) scrape.scrape->Cancel();
  calls_.AwaitNone();
}

http::Response ScrapeHandler::OnRefusal(int status, std::string_view reason) {
  return others_.OnRefusal(status, reason);
}

void ScrapeHandler::OnRequest(const http::Request& request, http::Responder responder) {
  const Target target = SplitTarget(request.target);
  if (target.path != kPath) return others_.OnRequest(request, responder);
  if (request.method == "GET" || request.method == "HEAD") {
    return Start(request, target.query, responder);
  }
  shared_.metrics.Count(ApiKind::kScrape, 405);
  responder.Send(NotAllowedAnswer("GET, HEAD", FittingRequestId(request.Header("X-Request-Id"))));
}

void ScrapeHandler::Start(const http::Request& request, std::string_view query,
                          http::Responder responder) {
  const std::string request_id = FittingRequestId(request.Header("X-Request-Id"));
  const auto fail = [&](const absl::Status& status) {
    shared_.metrics.Count(ApiKind::kScrape, HttpStatusOf(status.code()));
    responder.Send(ProblemAnswer(status, request_id));
  };
  const CallMetadata metadata{.authorization = std::string(request.Header("Authorization")),
                              .request_id = request_id,
                              .client = ClientOf(request, shared_.trusted_proxies).ToString(),
                              .gateway = shared_.options.gateway_credential};
  if (!CallMetadata::Fits(metadata.authorization)) return fail(NoSuchKey());
  const auto asked = ReadScrapeQuery(query);
  if (!asked.ok()) return fail(asked.status());
  std::shared_ptr<grpc::Channel> channel = core_.NextChannel(nullptr);
  if (channel == nullptr) return fail(NoCore());
  if (shared_.scrapes.fetch_add(1) >= shared_.options.max_scrapes) {
    shared_.scrapes.fetch_sub(1);
    return fail(Busy("scrapes are under way"));
  }
  shared_.metrics.SetScrapes(shared_.scrapes.load());
  const uint64_t id = ++next_id_;
  MonitorScrape::Owner& owner = *this;
  auto scrape = std::make_shared<MonitorScrape>(
      MonitorScrape::Parts{.id = id,
                           .responder = responder,
                           .request_id = request_id,
                           .gzip = AcceptsGzip(request.Header("Accept-Encoding")),
                           .patience = shared_.options.timeout,
                           .loop = loop_,
                           .translator = shared_.translator,
                           .calls = calls_,
                           .owner = owner});
  scrape->Start(std::move(channel), asked->SerializeAsString(), metadata);
  scrapes_.emplace(
      id, Scrape{.scrape = std::move(scrape), .request_id = request_id, .received = loop_.now()});
}

void ScrapeHandler::OnScrapeDone(uint64_t id, bool begun, bool whole, const absl::Status& status) {
  auto node = scrapes_.extract(id);
  if (node.empty()) return;
  Scrape& ended = node.mapped();
  shared_.metrics.SetScrapes(shared_.scrapes.fetch_sub(1) - 1);
  shared_.metrics.Count(ApiKind::kScrape, begun ? 200 : HttpStatusOf(status.code()));
  if (begun) shared_.metrics.CountScrape(whole, loop_.now() - ended.received);
  Log(ended, begun, status);
  // The scrape is what calls this: it goes at the next turn.
  loop_.Post([scrape = std::move(ended.scrape)] {});
}

// What the client did wrong it was told; the rest at most once a second.
void ScrapeHandler::Log(const Scrape& ended, bool begun, const absl::Status& status) {
  if (status.ok() || (!begun && HttpStatusOf(status.code()) < 500)) return;
  if (loop_.now() - logged_at_ < kEvery) return;
  logged_at_ = loop_.now();
  LogWarning(begun ? "monitor_scrape_cut" : "monitor_scrape_failed",
             {{"request_id", ended.request_id},
              {"took", loop_.now() - ended.received},
              {"error", status}});
}

absl::Duration ScrapeHandler::OnTurn(absl::Duration now) {
  if (scrapes_.empty()) return absl::InfiniteDuration();
  if (now < next_turn_) return next_turn_;
  std::vector<std::shared_ptr<MonitorScrape>> all;
  for (const auto& [id, scrape] : scrapes_) all.push_back(scrape.scrape);
  next_turn_ = now + kEvery;
  for (const auto& scrape : all) scrape->OnTurn(now);
  return next_turn_;
}

}  // namespace tocsin::gateway
