// The HTTP client on libcurl's multi interface, driven by the event loop.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "services/notifier/channel/address_policy.h"
#include "services/notifier/channel/event_loop.h"
#include "services/notifier/channel/http_client.h"

namespace tocsin::notifier {

struct CurlHttpClientOptions {
  AddressPolicy addresses{false, {}};
  std::string user_agent = "Tocsin";
  // Through this proxy when not empty; the proxy variables of the environment are never read. A
  // proxy resolves names itself, so it must keep its own guard: of ours only literal addresses in
  // URLs remain.
  std::string proxy;
  std::string ca_file;  // instead of the system's certificates
  absl::Duration connect_timeout = absl::Seconds(5);
  size_t max_response_body = 64 << 10;     // more is not read: the connection is closed
  size_t max_response_headers = 64 << 10;  // likewise
  int idle_connections = 256;
};

// HTTP/1.1 with kept connections, HTTP/2 over TLS; http and https only; certificates are verified.
// Every address is checked right before the connection to it is made. Must be made, used and
// destroyed on the thread of `loop`; requests still under way are dropped without an answer.
class CurlHttpClient : public HttpClient {
 public:
  CurlHttpClient(const CurlHttpClientOptions& options, EventLoop& loop);
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  void Send(HttpRequest request, Done done) override;

 private:
  struct Transfer;

  std::unique_ptr<Transfer> TakeTransfer();
  // nullopt-like: an outcome other than kOk says why the URL is refused.
  Outcome CheckUrl(const std::string& url) const;
  void Fail(Done done, Outcome outcome, std::string detail);
  void CollectFinished();
  void Complete(std::unique_ptr<Transfer> transfer, CURLcode code);

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* client, void* socket_data);
  static int OnTimer(CURLM* multi, long timeout_ms, void* client);
  static curl_socket_t OnOpenSocket(void* transfer, curlsocktype purpose, curl_sockaddr* address);
  static size_t OnHeader(char* data, size_t size, size_t count, void* transfer);
  static size_t OnBody(char* data, size_t size, size_t count, void* transfer);

  const CurlHttpClientOptions options_;
  EventLoop& loop_;
  EventLoop::TimerId timer_;
  CURLM* multi_;
  absl::flat_hash_map<CURL*, std::unique_ptr<Transfer>> running_;
  std::vector<std::unique_ptr<Transfer>> spare_;  // handles to use again
};

}  // namespace tocsin::notifier
