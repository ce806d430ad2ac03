// What serves one io thread's requests: pushes first, all else after them.
#pragma once

#include "gateway/push_handler.h"
#include "gateway/rest/api_handler.h"
#include "gateway/scrape/scrape_handler.h"

namespace tocsin::gateway {

// Loop thread only.
class GatewayHandler final : public http::Handler {
 public:
  GatewayHandler(const DispatcherOptions& dispatcher, http::EventLoop& loop, GatewayShared& pushes,
                 ApiShared& api)
      : push_(dispatcher, loop, pushes, scrapes_),
        api_(push_.core(), loop, api, pushes),
        scrapes_(push_.core(), loop, api, api_) {}

  void OnRequest(const http::Request& request, http::Responder responder) override {
    push_.OnRequest(request, responder);
  }
  http::Response OnRefusal(int status, std::string_view reason) override {
    return push_.OnRefusal(status, reason);
  }
  void OnBodyTooLarge(const http::Request& request) override { push_.OnBodyTooLarge(request); }
  absl::Duration OnTurn(absl::Duration now) override {
    return std::min({push_.OnTurn(now), api_.OnTurn(now), scrapes_.OnTurn(now)});
  }

  CoreLink& core() { return push_.core(); }
  ApiHandler& api() { return api_; }

 private:
  PushHandler push_;
  ApiHandler api_;         // uses the links of push_
  ScrapeHandler scrapes_;  // the same
};

}  // namespace tocsin::gateway
