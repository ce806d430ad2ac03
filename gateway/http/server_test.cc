// The server over real sockets: framing, order, limits, timeouts (on a clock that the test moves)
// and the drain.
#include "gateway/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/testing/fake_clock.h"
#include "gateway/testing/http_client.h"

namespace tocsin::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Answers "/now…" at once with method, target and body, and keeps "/later…" until told.
struct Desk {
  absl::Mutex mutex;
  std::vector<std::pair<std::string, Responder>> kept ABSL_GUARDED_BY(mutex);
  EventLoop* loop = nullptr;

  void AwaitKept(size_t n) {
    absl::MutexLock lock(&mutex);
    const auto enough = [this, n]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return kept.size() >= n; };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20)));
  }
  void Answer(size_t index, const std::string& body) {
    loop->Post([this, index, body] {
      Responder responder;
      {
        absl::MutexLock lock(&mutex);
        responder = kept[index].second;
      }
      responder.Send(Response{.content_type = "text/plain", .body = body});
    });
  }
};

class DeskHandler : public Handler {
 public:
  explicit DeskHandler(Desk& desk) : desk_(desk) {}
  void OnRequest(const Request& request, Responder responder) override {
    if (request.target.substr(0, 6) == "/later") {
      absl::MutexLock lock(&desk_.mutex);
      desk_.kept.emplace_back(request.target, responder);
      return;
    }
    Response response{.content_type = "text/plain"};
    response.body = std::string(request.method) + " " + std::string(request.target) + " " +
                    std::string(request.body);
    if (request.target == "/big") response.body.assign(1'000'000, 'b');
    responder.Send(response);
    responder.Send(response);  // the second one does nothing
  }
  Response OnRefusal(int status, std::string_view reason) override {
    return {.status = status, .content_type = "text/plain", .body = std::string(reason)};
  }

 private:
  Desk& desk_;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    auto server = Server::Start(options, clock_, monotonic_, [this](EventLoop& loop) {
      desk_.loop = &loop;
      return std::make_unique<DeskHandler>(desk_);
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  testing::HttpClient Connect() { return testing::HttpClient(server_->port()); }
  void Advance(absl::Duration d) {
    monotonic_.Advance(d);
    server_->Wake();
  }

  Desk desk_;
  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  std::unique_ptr<Server> server_;
};

constexpr char kGet[] = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, AnswersOverAndOverOnOneConnection) {
  Start();
  auto client = Connect();
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    const auto response = client.Receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "GET /now ");
    EXPECT_EQ(response.Header("Date"), "Mon, 05 Jan 2026 12:00:00 GMT");
    EXPECT_EQ(response.Header("Connection"), "");
  }
  EXPECT_EQ(server_->stats().requests.load(), 3);
  EXPECT_EQ(server_->stats().accepted.load(), 1);
}

TEST_F(ServerTest, AnswersARequestThatArrivesByteByByte) {
  Start();
  auto client = Connect();
  const std::string request = "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
  for (char c : request) client.Send(std::string(1, c));
  EXPECT_EQ(client.Receive().body, "POST /now abc");
}

TEST_F(ServerTest, KeepsTheOrderOfPipelinedRequests) {
  Start();
  auto client = Connect();
  client.Send(
      "GET /later/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /later/2 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /now HTTP/1.1\r\nHost: x\r\n\r\n");
  desk_.AwaitKept(2);
  desk_.Answer(1, "second");
  desk_.Answer(0, "first");
  EXPECT_EQ(client.Receive().body, "first");
  EXPECT_EQ(client.Receive().body, "GET /now ");
  EXPECT_EQ(client.Receive().body, "second");
  const auto head = client.Receive(/*head=*/true);
  EXPECT_EQ(head.Header("Content-Length"), "10");
}

TEST_F(ServerTest, PausesAClientThatPipelinesTooDeepAndLosesNothing) {
  Start({.max_pipelined = 4});
  auto client = Connect();
  std::string requests;
  for (int i = 0; i < 4; ++i) requests += "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 2000; ++i) requests += kGet;
  client.Send(requests);
  desk_.AwaitKept(4);
  for (size_t i = 0; i < 4; ++i) desk_.Answer(i, std::to_string(i));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.Receive().body, std::to_string(i));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.Receive().body, "GET /now ") << i;
  EXPECT_GT(server_->stats().pipeline_pauses.load(), 0);
}

TEST_F(ServerTest, ServesAClientThatIsSlowToRead) {
  Start();
  auto client = Connect();
  for (int i = 0; i < 20; ++i) client.Send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 20; ++i) ASSERT_EQ(client.Receive().body.size(), 1'000'000u) << i;
}

TEST_F(ServerTest, ForAClientThatReadsNothingLittleMoreThanOneAnswerIsCopied) {
  Start();
  auto client = Connect();
  std::string requests;
  for (int i = 0; i < 64; ++i) requests += "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
  client.Send(requests);
  // The first answers fill what the kernel takes; from then on there is something unsent.
  const SystemMonotonicClock monotonic;
  const absl::Duration until = monotonic.Now() + absl::Seconds(20);
  int64_t most = 0;
  while (most == 0 && monotonic.Now() < until) most = server_->stats().unsent_bytes.load();
  ASSERT_GT(most, 0);
  // Others are served meanwhile, so that turns go by.
  auto other = Connect();
  for (int i = 0; i < 10; ++i) {
    other.Send(kGet);
    EXPECT_EQ(other.Receive().status, 200);
    most = std::max(most, server_->stats().unsent_bytes.load());
  }
  EXPECT_LT(most, 1'000'000 + 128 * 1024);
  for (int i = 0; i < 64; ++i) ASSERT_EQ(client.Receive().body.size(), 1'000'000u) << i;
  while (server_->stats().unsent_bytes.load() != 0 && monotonic.Now() < until) {
  }
  EXPECT_EQ(server_->stats().unsent_bytes.load(), 0);
}

TEST_F(ServerTest, ClosesWhenAskedAndSpeaksHttp10) {
  Start();
  auto closing = Connect();
  closing.Send("GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(closing.Receive().Header("Connection"), "close");
  EXPECT_TRUE(closing.AtEnd());
  auto old = Connect();
  old.Send("GET /now HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Receive().body, "GET /now ");
  EXPECT_TRUE(old.AtEnd());
  auto kept = Connect();
  kept.Send("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.Receive().Header("Connection"), "keep-alive");
  kept.Send(kGet);
  EXPECT_EQ(kept.Receive().status, 200);
}

TEST_F(ServerTest, AnswersAClientThatClosedItsSide) {
  Start();
  auto client = Connect();
  client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  client.ShutdownWrite();
  desk_.AwaitKept(1);
  desk_.Answer(0, "still here");
  EXPECT_EQ(client.Receive().body, "still here");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, AnAnswerToAClientThatHasGoneDoesNothing) {
  Start();
  {
    auto client = Connect();
    client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    desk_.AwaitKept(1);
  }
  auto other = Connect();
  desk_.Answer(0, "nobody");
  other.Send(kGet);
  EXPECT_EQ(other.Receive().body, "GET /now ");
}

TEST_F(ServerTest, SendsContinueBeforeTheBody) {
  Start();
  auto client = Connect();
  client.Send("POST /now HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 100);
  client.Send("ok");
  EXPECT_EQ(client.Receive().body, "POST /now ok");
}

TEST_F(ServerTest, RefusesWithAnAnswerThatArrives) {
  Start();
  const std::vector<std::pair<std::string, int>> cases = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(200'000, 'a'), 431},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'b'),
       413},
  };
  for (const auto& [request, status] : cases) {
    auto client = Connect();
    client.Send(request);
    const auto response = client.Receive();
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.Header("Connection"), "close");
    client.ShutdownWrite();
    EXPECT_TRUE(client.AtEnd());
  }
  EXPECT_EQ(server_->stats().refused_malformed.load(), 1);
  EXPECT_EQ(server_->stats().refused_head.load(), 1);
  EXPECT_EQ(server_->stats().refused_body.load(), 1);
}

TEST_F(ServerTest, AClientThatSendsAllOfALargeBodyBeforeItReadsStillSeesTheRefusal) {
  Start();
  auto client = Connect();
  constexpr int kBytes = 12'000'000;
  client.Send(absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", kBytes, "\r\n\r\n"));
  EXPECT_TRUE(client.Send(std::string(kBytes, 'b')));
  EXPECT_EQ(client.Receive().status, 413);
  client.ShutdownWrite();
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ServerTest, ARefusalWaitsForTheAnswersBeforeIt) {
  Start();
  auto client = Connect();
  client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nrubbish\r\n\r\n");
  desk_.AwaitKept(1);
  desk_.Answer(0, "first");
  EXPECT_EQ(client.Receive().body, "first");
  EXPECT_EQ(client.Receive().status, 400);
}

TEST_F(ServerTest, TimesOutHeadsBodiesAndIdleConnections) {
  Start();
  auto silent = Connect();
  auto head = Connect();
  head.Send("GET / HT");
  auto body = Connect();
  body.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  auto idle = Connect();
  idle.Send(kGet);
  idle.Receive();
  // All are read before the clock moves: a later connection was answered.
  auto last = Connect();
  last.Send(kGet);
  last.Receive();
  Advance(absl::Seconds(11));
  EXPECT_TRUE(silent.AtEnd());
  EXPECT_EQ(head.Receive().status, 408);
  EXPECT_EQ(server_->stats().timed_out.load(), 1);
  Advance(absl::Seconds(20));
  EXPECT_EQ(body.Receive().status, 408);
  idle.Send(kGet);
  EXPECT_EQ(idle.Receive().status, 200);
  Advance(absl::Seconds(76));
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_TRUE(last.AtEnd());
}

TEST_F(ServerTest, ARequestThatArrivesAsItsConnectionTimesOutIsAnswered) {
  Start();
  auto idle = Connect();
  idle.Send(kGet);
  idle.Receive();
  auto fresh = Connect();
  auto half = Connect();
  half.Send("POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
  // All are read before the clock moves: a later connection was answered.
  auto last = Connect();
  last.Send(kGet);
  last.Receive();
  // The turn that finds them expired has looked at their sockets before they sent.
  monotonic_.Advance(absl::Seconds(76));
  desk_.loop->Post([&] {
    idle.Send(kGet);
    fresh.Send(kGet);
    half.Send("b");
  });
  EXPECT_EQ(idle.Receive().status, 200);
  EXPECT_EQ(fresh.Receive().status, 200);
  EXPECT_EQ(half.Receive().body, "POST /now ab");
  EXPECT_TRUE(last.AtEnd());
}

TEST_F(ServerTest, AnAnswerThatIsOwedOutlivesTheTimeoutOfAClientThatSendsNoMore) {
  Start();
  for (const bool at_once : {true, false}) {
    auto client = Connect();
    client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HT");
    const size_t number = at_once ? 0 : 1;
    desk_.AwaitKept(number + 1);
    if (at_once) {
      // The turn that finds it expired has not seen the end of what the client sends.
      monotonic_.Advance(absl::Seconds(11));
      desk_.loop->Post([&] { client.ShutdownWrite(); });
    } else {
      client.ShutdownWrite();
    }
    // Their turns are over when a later connection was answered.
    for (int turn = 0; turn < 2; ++turn) {
      auto other = Connect();
      other.Send(kGet);
      other.Receive();
      if (!at_once && turn == 0) Advance(absl::Seconds(11));
    }
    desk_.Answer(number, "owed");
    EXPECT_EQ(client.Receive().body, "owed");
    EXPECT_TRUE(client.AtEnd());
  }
}

TEST_F(ServerTest, AHeadThatDripsDoesNotGainTime) {
  Start();
  auto client = Connect();
  client.Send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 5; ++i) {
    client.Send("A: b\r\n");
    auto other = Connect();
    other.Send(kGet);
    other.Receive();
    Advance(absl::Seconds(2.5));
  }
  EXPECT_EQ(client.Receive().status, 408);
}

TEST_F(ServerTest, TellsWhoComesWhenItIsFull) {
  Start({.max_connections = 2});
  auto a = Connect();
  auto b = Connect();
  a.Send(kGet);
  b.Send(kGet);
  a.Receive();
  b.Receive();
  auto c = Connect();
  EXPECT_EQ(c.Receive().status, 503);
  EXPECT_EQ(server_->stats().refused_connections.load(), 1);
  a.Send(kGet);
  EXPECT_EQ(a.Receive().status, 200);
}

TEST_F(ServerTest, DrainsWithoutLosingARequest) {
  Start();
  auto busy = Connect();
  busy.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  desk_.AwaitKept(1);
  auto idle = Connect();
  idle.Send(kGet);
  idle.Receive();
  auto idle2 = Connect();
  idle2.Send(kGet);
  idle2.Receive();
  auto half = Connect();
  half.Send("POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");

  server_->BeginDrain();
  auto early = Connect();
  early.Send(kGet);
  EXPECT_EQ(early.Receive().Header("Connection"), "close");

  server_->StopAccepting();
  EXPECT_FALSE(server_->AwaitNoConnections(absl::Milliseconds(1)));
  // The last call has begun by the time that a request is answered, and ends with the clock.
  auto about_to_send = std::move(idle);
  about_to_send.Send(kGet);
  EXPECT_EQ(about_to_send.Receive().Header("Connection"), "close");
  Advance(absl::Milliseconds(100));
  EXPECT_TRUE(idle2.AtEnd());
  EXPECT_EQ(Connect().Receive().status, 0) << "nobody listens";
  half.Send("b");
  const auto last = half.Receive();
  EXPECT_EQ(last.body, "POST /now ab");
  EXPECT_EQ(last.Header("Connection"), "close");
  desk_.Answer(0, "answered");
  EXPECT_EQ(busy.Receive().body, "answered");
  early.Close();
  half.Close();
  busy.Close();
  about_to_send.Close();
  EXPECT_TRUE(server_->AwaitNoConnections(absl::Seconds(20)));
}

TEST_F(ServerTest, SaysWhenThePortIsTaken) {
  Start();
  const auto second =
      Server::Start({.port = server_->port(), .threads = 2}, clock_, monotonic_,
                    [this](EventLoop&) { return std::make_unique<DeskHandler>(desk_); });
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().ToString(), HasSubstr("in use"));
}

TEST_F(ServerTest, ServesOnSeveralThreads) {
  Start({.threads = 3});
  for (int i = 0; i < 30; ++i) {
    auto client = Connect();
    client.Send(kGet);
    EXPECT_EQ(client.Receive().status, 200);
  }
}

}  // namespace
}  // namespace tocsin::http
