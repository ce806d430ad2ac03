// Serves /metrics/monitors: every monitor that a key may see, as Prometheus reads it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"
#include "gateway/core_link/core_link.h"
#include "gateway/http/handler.h"
#include "gateway/rest/api_shared.h"
#include "gateway/rest/core_call.h"
#include "gateway/scrape/monitor_scrape.h"

namespace tocsin::gateway {

// Loop thread only.
class ScrapeHandler final : public http::Handler, private MonitorScrape::Owner {
 public:
  // Other requests go to `others`. All must outlive the handler.
  ScrapeHandler(CoreLink& core, http::EventLoop& loop, ApiShared& shared, http::Handler& others);
  // Ends every call and waits until gRPC and the translator have let go of them.
  ~ScrapeHandler() override;

  void OnRequest(const http::Request& request, http::Responder responder) override;
  http::Response OnRefusal(int status, std::string_view reason) override;
  absl::Duration OnTurn(absl::Duration now) override;

 private:
  struct Scrape {
    std::shared_ptr<MonitorScrape> scrape;
    std::string request_id;
    absl::Duration received;
  };

  void Start(const http::Request& request, std::string_view query, http::Responder responder);
  void OnScrapeDone(uint64_t id, bool begun, bool whole, const absl::Status& status) override;
  void Log(const Scrape& ended, bool begun, const absl::Status& status);

  CoreLink& core_;
  http::EventLoop& loop_;
  ApiShared& shared_;
  http::Handler& others_;
  CallCounter calls_;
  uint64_t next_id_ = 0;
  std::unordered_map<uint64_t, Scrape> scrapes_;
  absl::Duration next_turn_;
  absl::Duration logged_at_ = -absl::InfiniteDuration();
};

}  // namespace tocsin::gateway
