// The HTTP client on libcurl's multi interface, driven by the event loop.
#include "services/notifier/channel/curl_http_client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tocsin::notifier {
namespace {

// Handles kept for reuse; each costs a few kilobytes.
constexpr size_t kSpareHandles = 256;

// What a failed transfer amounts to, when no status came back.
Outcome OutcomeOfCode(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Outcome::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Outcome::kDnsFailed;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
      return Outcome::kTlsFailed;
    case CURLE_URL_MALFORMAT:
      return Outcome::kBadChannel;
    default:
      return Outcome::kConnectFailed;
  }
}

// One part of a parsed URL; empty when absent.
std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string value(text);
  curl_free(text);
  return value;
}

}  // namespace

// One request and everything libcurl points into while it runs.
struct CurlHttpClient::Transfer {
  Transfer() : easy(curl_easy_init()) {}
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void Reset() {
    curl_slist_free_all(headers);
    headers = nullptr;
    request = {};
    done = nullptr;
    retry_after.clear();
    answer.clear();
    refused_address.clear();
    header_bytes = body_bytes = 0;
    tried_to_connect = false;
  }

  CURL* easy;
  const CurlHttpClientOptions* options = nullptr;
  HttpRequest request;
  Done done;
  curl_slist* headers = nullptr;
  std::string retry_after;
  std::string answer;
  std::string refused_address;  // one that the policy forbids
  bool tried_to_connect = false;
  size_t header_bytes = 0;
  size_t body_bytes = 0;
};

CurlHttpClient::CurlHttpClient(const CurlHttpClientOptions& options, EventLoop& loop)
    : options_(options), loop_(loop) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  multi_ = curl_multi_init();
  timer_ = loop_.AddTimer([this] {
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    CollectFinished();
  });
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlHttpClient::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlHttpClient::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.idle_connections));
}

CurlHttpClient::~CurlHttpClient() {
  loop_.Arm(timer_, absl::InfiniteDuration());
  for (const auto& [easy, transfer] : running_) curl_multi_remove_handle(multi_, easy);
  running_.clear();
  spare_.clear();
  curl_multi_cleanup(multi_);
}

std::unique_ptr<CurlHttpClient::Transfer> CurlHttpClient::TakeTransfer() {
  if (!spare_.empty()) {
    std::unique_ptr<Transfer> transfer = std::move(spare_.back());
    spare_.pop_back();
    return transfer;
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->options = &options_;
  CURL* easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer.get());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A look-up that hangs is left to its thread. Without, its end would be waited for: by all.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());  // "" ignores the environment
  curl_easy_setopt(easy, CURLOPT_NOPROXY, options_.proxy.empty() ? "*" : "");
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 300L);  // a changed address is followed
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlHttpClient::OnOpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlHttpClient::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlHttpClient::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  return transfer;
}

Outcome CurlHttpClient::CheckUrl(const std::string& url) const {
  CURLU* parsed = curl_url();
  Outcome outcome = Outcome::kBadChannel;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    const std::string scheme = UrlPart(parsed, CURLUPART_SCHEME);
    const std::string host = UrlPart(parsed, CURLUPART_HOST);
    if ((scheme == "http" || scheme == "https") && !host.empty()) outcome = Outcome::kOk;
    const auto literal = IpAddress::Parse(absl::StripSuffix(absl::StripPrefix(host, "["), "]"));
    if (literal.has_value() && !options_.addresses.Allows(*literal)) {
      outcome = Outcome::kAddressRefused;
    }
  }
  curl_url_cleanup(parsed);
  return outcome;
}

void CurlHttpClient::Fail(Done done, Outcome outcome, std::string detail) {
  HttpResult result;
  result.outcome = outcome;
  result.detail = std::move(detail);
  loop_.Post([done = std::move(done), result = std::move(result)] { done(result); });
}

void CurlHttpClient::Send(HttpRequest request, Done done) {
  const Outcome checked = CheckUrl(request.url);
  if (checked == Outcome::kAddressRefused) {
    return Fail(std::move(done), checked, "the address in the URL is not allowed");
  }
  if (checked != Outcome::kOk) {
    return Fail(std::move(done), checked, "the URL is not a usable http or https URL");
  }
  std::unique_ptr<Transfer> transfer = TakeTransfer();
  CURL* easy = transfer->easy;
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  const HttpRequest& kept = transfer->request;
  // No `Expect: 100-continue`: it costs a round trip, and a second where it is not understood.
  transfer->headers = curl_slist_append(nullptr, "Expect:");
  for (const std::string& header : kept.headers) {
    transfer->headers = curl_slist_append(transfer->headers, header.c_str());
  }
  const long timeout_ms = std::max<long>(1, absl::ToInt64Milliseconds(kept.timeout));
  const long connect_ms = absl::ToInt64Milliseconds(options_.connect_timeout);
  curl_easy_setopt(easy, CURLOPT_URL, kept.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, kept.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(kept.body.size()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min(connect_ms, timeout_ms));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, kept.connects_anew ? 1L : 0L);
  running_.emplace(easy, std::move(transfer));
  curl_multi_add_handle(multi_, easy);
}

void CurlHttpClient::CollectFinished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;  // gone after the handle is removed
    curl_multi_remove_handle(multi_, easy);
    auto found = running_.find(easy);
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    running_.erase(found);
    Complete(std::move(transfer), code);
  }
}

void CurlHttpClient::Complete(std::unique_ptr<Transfer> transfer, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  HttpResult result;
  if (status >= 200) {
    // The receiver has judged, even if the rest of its answer was too long, late or cut off.
    result.status = static_cast<int>(status);
    result.outcome = OutcomeOfStatus(result.status);
    result.retry_after = std::move(transfer->retry_after);
    result.answer = std::move(transfer->answer);
  } else if (!transfer->refused_address.empty() && !transfer->tried_to_connect) {
    result.outcome = Outcome::kAddressRefused;
    result.detail = absl::StrCat("address ", transfer->refused_address, " is not allowed");
  } else {
    result.outcome = code == CURLE_OK ? Outcome::kConnectFailed : OutcomeOfCode(code);
    result.detail = curl_easy_strerror(code);
  }
  const Done done = std::move(transfer->done);
  transfer->Reset();
  if (spare_.size() < kSpareHandles) spare_.push_back(std::move(transfer));
  done(std::move(result));
}

int CurlHttpClient::OnSocket(CURL*, curl_socket_t fd, int what, void* client, void*) {
  auto* self = static_cast<CurlHttpClient*>(client);
  if (what == CURL_POLL_REMOVE) {
    self->loop_.Watch(fd, 0, nullptr);
    return 0;
  }
  uint32_t events = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
  self->loop_.Watch(fd, events, [self, fd](uint32_t ready) {
    int bits = 0;
    if ((ready & (EPOLLIN | EPOLLHUP)) != 0) bits |= CURL_CSELECT_IN;
    if ((ready & EPOLLOUT) != 0) bits |= CURL_CSELECT_OUT;
    if ((ready & EPOLLERR) != 0) bits |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(self->multi_, fd, bits, &running);
    self->CollectFinished();
  });
  return 0;
}

int CurlHttpClient::OnTimer(CURLM*, long timeout_ms, void* client) {
  auto* self = static_cast<CurlHttpClient*>(client);
  self->loop_.Arm(self->timer_, timeout_ms < 0
                                    ? absl::InfiniteDuration()
                                    : self->loop_.Now() + absl::Milliseconds(timeout_ms));
  return 0;
}

curl_socket_t CurlHttpClient::OnOpenSocket(void* client, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(client);
  // The address of a proxy is the operator's choice.
  if (transfer->options->proxy.empty()) {
    const std::optional<IpAddress> ip = IpAddress::FromSockaddr(&address->addr);
    if (!ip.has_value() || !transfer->options->addresses.Allows(*ip)) {
      transfer->refused_address = ip.has_value() ? ip->ToString() : "of another family";
      return CURL_SOCKET_BAD;
    }
  }
  transfer->tried_to_connect = true;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t CurlHttpClient::OnHeader(char* data, size_t size, size_t count, void* client) {
  auto* transfer = static_cast<Transfer*>(client);
  const size_t bytes = size * count;
  transfer->header_bytes += bytes;
  if (transfer->header_bytes > transfer->options->max_response_headers) return 0;
  const absl::string_view line(data, bytes);
  constexpr absl::string_view kRetryAfter = "retry-after:";
  if (absl::StartsWithIgnoreCase(line, kRetryAfter)) {
    transfer->retry_after =
        std::string(absl::StripAsciiWhitespace(line.substr(kRetryAfter.size())));
  }
  return bytes;
}

size_t CurlHttpClient::OnBody(char* data, size_t size, size_t count, void* client) {
  auto* transfer = static_cast<Transfer*>(client);
  const size_t bytes = size * count;
  transfer->answer.append(data, std::min(bytes, kAnswerBytes - transfer->answer.size()));
  transfer->body_bytes += bytes;
  return transfer->body_bytes > transfer->options->max_response_body ? 0 : bytes;
}

}  // namespace tocsin::notifier
