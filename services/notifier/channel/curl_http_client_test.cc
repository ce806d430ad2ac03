// Holds the HTTP client to its contract against a real server on loopback.
#include "services/notifier/channel/curl_http_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "services/notifier/testing/local_receiver.h"

namespace tocsin::notifier {
namespace {

using Response = LocalReceiver::Response;

class CurlHttpClientTest : public testing::Test {
 protected:
  ~CurlHttpClientTest() override {
    loop_.Run([this] { client_.reset(); });
  }

  // The client that the next Post uses.
  void Make(CurlHttpClientOptions options) {
    loop_.Run([this, &options] {
      client_.reset();
      client_ = std::make_unique<CurlHttpClient>(options, loop_);
    });
  }
  static CurlHttpClientOptions Open() {
    CurlHttpClientOptions options;
    options.addresses = AddressPolicy(/*allow_private=*/true, {});
    options.user_agent = "Tocsin/test";
    return options;
  }
  HttpResult Post(const std::string& url, absl::Duration timeout = absl::Seconds(10),
                  std::string body = "{\"a\":1}", bool connects_anew = false) {
    if (client_ == nullptr) Make(Open());
    absl::Notification done;
    HttpResult result;
    loop_.Post([&] {
      HttpRequest request{
          url, {"content-type: application/json", "x-a: b"}, body, timeout, connects_anew};
      client_->Send(std::move(request), [&](HttpResult r) {
        result = std::move(r);
        done.Notify();
      });
    });
    done.WaitForNotification();
    return result;
  }

  SystemMonotonicClock clock_;
  EventLoop loop_{clock_};
  std::unique_ptr<CurlHttpClient> client_;
};

LocalReceiver::Handler Always(Response response) {
  return [response](const LocalReceiver::Request&) { return response; };
}

// A port on which nobody listens.
std::string DeadUrl() {
  int port;
  {
    LocalReceiver receiver(Always({}));
    port = receiver.port();
  }
  return absl::StrCat("http://127.0.0.1:", port, "/");
}

TEST_F(CurlHttpClientTest, PostsTheBodyAndTheHeadersAndKeepsTheConnection) {
  LocalReceiver receiver(Always({}));
  for (int i = 0; i < 3; ++i) {
    const HttpResult result = Post(receiver.Url("/a?b=c"));
    EXPECT_EQ(result.outcome, Outcome::kOk);
    EXPECT_EQ(result.status, 200);
  }
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].path, "/a?b=c");
  EXPECT_EQ(requests[0].body, "{\"a\":1}");
  EXPECT_EQ(requests[0].headers.at("content-type"), "application/json");
  EXPECT_EQ(requests[0].headers.at("x-a"), "b");
  EXPECT_EQ(requests[0].headers.at("user-agent"), "Tocsin/test");
  EXPECT_EQ(requests[0].headers.count("expect"), 0u);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(CurlHttpClientTest, WhatIsToConnectAnewUsesNoConnectionThatIsOpen) {
  LocalReceiver receiver(Always({}));
  for (const bool anew : {false, true, true}) {
    EXPECT_EQ(Post(receiver.Url("/"), absl::Seconds(10), "{}", anew).status, 200);
  }
  EXPECT_EQ(receiver.connections(), 3);
}

TEST_F(CurlHttpClientTest, SaysWhichClassTheStatusIsIn) {
  for (const auto& [status, outcome] :
       std::vector<std::pair<int, Outcome>>{{204, Outcome::kOk},
                                            {404, Outcome::kStatus4xx},
                                            {410, Outcome::kGone},
                                            {500, Outcome::kStatus5xx}}) {
    Response response;
    response.status = status;
    LocalReceiver receiver(Always(response));
    const HttpResult result = Post(receiver.Url());
    EXPECT_EQ(result.outcome, outcome) << status;
    EXPECT_EQ(result.status, status);
  }
}

TEST_F(CurlHttpClientTest, FollowsNoRedirect) {
  LocalReceiver elsewhere(Always({}));
  for (int status : {301, 302, 307, 308}) {
    Response redirect;
    redirect.status = status;
    redirect.headers = absl::StrCat("Location: ", elsewhere.Url(), "\r\n");
    LocalReceiver receiver(Always(redirect));
    EXPECT_EQ(Post(receiver.Url()).outcome, Outcome::kStatus3xx) << status;
  }
  EXPECT_EQ(elsewhere.requests().size(), 0u);
}

TEST_F(CurlHttpClientTest, HandsOnRetryAfter) {
  Response limited;
  limited.status = 429;
  limited.headers = "retry-AFTER:  17 \r\n";
  LocalReceiver receiver(Always(limited));
  EXPECT_EQ(Post(receiver.Url()).retry_after, "17");
}

TEST_F(CurlHttpClientTest, HandsOnHowTheAnswerBegins) {
  Response words;
  words.status = 404;
  words.body = "no_service";
  LocalReceiver receiver(Always(words));
  EXPECT_EQ(Post(receiver.Url()).answer, "no_service");
  words.body = std::string(10'000, 'x');
  LocalReceiver talker(Always(words));
  EXPECT_EQ(Post(talker.Url()).answer, std::string(kAnswerBytes, 'x'));
  LocalReceiver silent(Always({}));
  EXPECT_EQ(Post(silent.Url()).answer, "");
}

TEST_F(CurlHttpClientTest, AReceiverThatDoesNotAnswerTimesOut) {
  Response hang;
  hang.hang = true;
  LocalReceiver receiver(Always(hang));
  EXPECT_EQ(Post(receiver.Url(), absl::Milliseconds(50)).outcome, Outcome::kTimeout);
}

TEST_F(CurlHttpClientTest, ARefusedConnectionABrokenOneAndGarbageAreConnectFailed) {
  EXPECT_EQ(Post(DeadUrl()).outcome, Outcome::kConnectFailed);
  Response cut;
  cut.raw = "HTTP/1.1 ";
  cut.close = true;
  LocalReceiver breaking(Always(cut));
  EXPECT_EQ(Post(breaking.Url()).outcome, Outcome::kConnectFailed);
  Response garbage;
  garbage.raw = "220 smtp.example.com ESMTP\r\n";
  garbage.close = true;
  LocalReceiver mail(Always(garbage));
  EXPECT_EQ(Post(mail.Url()).outcome, Outcome::kConnectFailed);
}

TEST_F(CurlHttpClientTest, PlainHttpBehindAnHttpsUrlIsTlsFailed) {
  LocalReceiver receiver(Always({}));
  const std::string url = absl::StrCat("https://127.0.0.1:", receiver.port(), "/");
  EXPECT_EQ(Post(url).outcome, Outcome::kTlsFailed);
}

TEST_F(CurlHttpClientTest, ANameWithoutAddressIsDnsFailed) {
  EXPECT_EQ(Post("http://no-such-host.invalid/").outcome, Outcome::kDnsFailed);
}

TEST_F(CurlHttpClientTest, AnswersThatAreTooLongAreCutOffAndTheStatusCounts) {
  Response endless;
  endless.raw = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + std::string(200'000, 'x');
  LocalReceiver receiver(Always(endless));
  EXPECT_EQ(Post(receiver.Url()).outcome, Outcome::kOk);
  Response long_head;
  long_head.raw = "HTTP/1.1 500 No\r\n";
  for (int i = 0; i < 3000; ++i)
    absl::StrAppend(&long_head.raw, "x: ", std::string(60, 'x'), "\r\n");
  long_head.raw += "\r\n";
  LocalReceiver heads(Always(long_head));
  EXPECT_EQ(Post(heads.Url()).outcome, Outcome::kStatus5xx);
}

TEST_F(CurlHttpClientTest, AnAnswerThatStopsInItsBodyCountsByItsStatus) {
  Response slow_body;
  slow_body.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
  LocalReceiver receiver(Always(slow_body));
  EXPECT_EQ(Post(receiver.Url(), absl::Milliseconds(100)).outcome, Outcome::kOk);
}

TEST_F(CurlHttpClientTest, RefusesAddressesThatThePolicyForbids) {
  LocalReceiver receiver(Always({}));
  CurlHttpClientOptions options = Open();
  options.addresses = AddressPolicy(false, {});
  Make(options);
  const std::string port = absl::StrCat(receiver.port());
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]",
                           "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"}) {
    const HttpResult result = Post(absl::StrCat("http://", host, ":", port, "/"));
    EXPECT_EQ(result.outcome, Outcome::kAddressRefused) << host << ": " << result.detail;
  }
  EXPECT_EQ(receiver.connections(), 0);
  options.addresses = AddressPolicy(false, {*IpNetwork::Parse("127.0.0.0/8")});
  Make(options);
  EXPECT_EQ(Post(receiver.Url()).outcome, Outcome::kOk);
}

TEST_F(CurlHttpClientTest, OnlyHttpUrlsAreUsable) {
  for (const char* url : {"", "nonsense", "ftp://127.0.0.1/", "file:///etc/passwd",
                          "gopher://127.0.0.1/", "http://", "http://a b/"}) {
    EXPECT_EQ(Post(url).outcome, Outcome::kBadChannel) << url;
  }
}

TEST_F(CurlHttpClientTest, IgnoresTheProxyOfTheEnvironmentAndUsesThatOfTheOption) {
  LocalReceiver proxy(Always({}));
  LocalReceiver receiver(Always({}));
  setenv("http_proxy", proxy.Url("").c_str(), 1);
  setenv("all_proxy", proxy.Url("").c_str(), 1);
  EXPECT_EQ(Post(receiver.Url()).outcome, Outcome::kOk);
  EXPECT_EQ(proxy.requests().size(), 0u);
  EXPECT_EQ(receiver.requests().size(), 1u);
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  CurlHttpClientOptions options = Open();
  options.proxy = proxy.Url("");
  options.addresses = AddressPolicy(false, {});
  Make(options);
  EXPECT_EQ(Post("http://receiver.example/hook").outcome, Outcome::kOk);
  ASSERT_EQ(proxy.requests().size(), 1u);
  EXPECT_EQ(proxy.requests()[0].path, "http://receiver.example/hook");
  EXPECT_EQ(Post("http://169.254.169.254/latest").outcome, Outcome::kAddressRefused);
}

TEST_F(CurlHttpClientTest, DropsRequestsThatAreUnderWayWhenDestroyed) {
  Response hang;
  hang.hang = true;
  LocalReceiver receiver(Always(hang));
  Make(Open());
  loop_.Post([&] {
    client_->Send({receiver.Url(), {}, "{}", absl::Seconds(60)},
                  [](HttpResult) { ADD_FAILURE() << "answered"; });
  });
  ASSERT_TRUE(receiver.WaitForRequests(1));
  loop_.Run([this] { client_.reset(); });
}

}  // namespace
}  // namespace tocsin::notifier
