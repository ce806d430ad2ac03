// Streamed responses over real sockets: framing, order, a client that is slow or leaves, the drain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/testing/fake_clock.h"
#include "gateway/http/server.h"
#include "gateway/testing/http_client.h"

namespace tocsin::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// One stream, driven by the test from its own thread.
class Tap : public StreamListener, public std::enable_shared_from_this<Tap> {
 public:
  void OnRoom() override { Note(rooms_); }
  void OnGone() override { Note(gone_); }

  bool AwaitGone() { return Await(gone_, 1); }
  bool AwaitRoom(int n) { return Await(rooms_, n); }
  int gone() {
    absl::MutexLock lock(&mutex_);
    return gone_;
  }

 private:
  void Note(int& counter) {
    absl::MutexLock lock(&mutex_);
    ++counter;
  }
  bool Await(int& counter, int n) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&counter, n] { return counter >= n; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }

  absl::Mutex mutex_;
  int rooms_ = 0;
  int gone_ = 0;
};

// "/stream" is kept for the test, all else is answered at once.
class Streams : public Handler {
 public:
  struct Shared {
    absl::Mutex mutex;
    std::vector<Responder> kept ABSL_GUARDED_BY(mutex);
    EventLoop* loop = nullptr;
  };
  explicit Streams(Shared& shared) : shared_(shared) {}
  void OnRequest(const Request& request, Responder responder) override {
    if (request.target != "/stream") {
      return responder.Send(Response{.content_type = "text/plain", .body = "now"});
    }
    absl::MutexLock lock(&shared_.mutex);
    shared_.kept.push_back(responder);
  }
  Response OnRefusal(int status, std::string_view /*reason*/) override {
    return {.status = status};
  }

 private:
  Shared& shared_;
};

class StreamTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    auto server = Server::Start(options, clock_, monotonic_, [this](EventLoop& loop) {
      shared_.loop = &loop;
      return std::make_unique<Streams>(shared_);
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  testing::HttpClient Connect() { return testing::HttpClient(server_->port()); }

  // Runs `task` with the n-th kept responder on the loop's thread, and waits for it.
  template <typename Task>
  void OnLoop(size_t n, Task task) {
    {
      absl::MutexLock lock(&shared_.mutex);
      const auto there = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return shared_.kept.size() > n; };
      ASSERT_TRUE(shared_.mutex.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
    }
    absl::Notification done;
    shared_.loop->Post([&] {
      Responder responder;
      {
        absl::MutexLock lock(&shared_.mutex);
        responder = shared_.kept[n];
      }
      task(responder);
      done.Notify();
    });
    done.WaitForNotification();
  }
  bool Begin(size_t n = 0) {
    bool wanted = false;
    OnLoop(n, [&](Responder& r) { wanted = r.Begin({.content_type = "text/plain"}, tap_); });
    return wanted;
  }
  void Write(const std::string& piece, size_t n = 0) {
    OnLoop(n, [&](Responder& r) { r.Write(piece); });
  }
  void End(size_t n = 0) {
    OnLoop(n, [&](Responder& r) { r.End(); });
  }

  Streams::Shared shared_;
  std::shared_ptr<Tap> tap_ = std::make_shared<Tap>();
  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  std::unique_ptr<Server> server_;
};

constexpr char kStream[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr char kNow[] = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(StreamTest, SendsPiecesAsChunksAndGoesOnWithTheConnection) {
  Start();
  auto client = Connect();
  client.Send(kStream);
  ASSERT_TRUE(Begin());
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, Not(HasSubstr("Connection")));
  Write("first piece, 21 bytes");
  EXPECT_EQ(client.ReceiveUntil("bytes\r\n"), "15\r\nfirst piece, 21 bytes\r\n");
  Write("");  // nothing, and not the end
  Write("x");
  EXPECT_EQ(client.ReceiveUntil("x\r\n"), "1\r\nx\r\n");
  End();
  EXPECT_EQ(client.ReceiveUntil("0\r\n\r\n"), "0\r\n\r\n");
  Write("too late");
  client.Send(kNow);
  EXPECT_EQ(client.Receive().body, "now");
  EXPECT_EQ(tap_->gone(), 0);
}

TEST_F(StreamTest, SendsHttp10ClientsTheBareBodyAndCloses) {
  Start();
  auto client = Connect();
  client.Send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(Begin());
  const std::string head = client.ReceiveUntil("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Transfer-Encoding")));
  Write("a");
  Write("b");
  EXPECT_EQ(client.ReceiveUntil("ab"), "ab");
  End();
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(StreamTest, ClosesAfterTheEndWhenTheClientAskedForIt) {
  Start();
  auto client = Connect();
  client.Send("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(Begin());
  EXPECT_THAT(client.ReceiveUntil("\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  Write("a");
  EXPECT_EQ(client.ReceiveUntil("a\r\n"), "1\r\na\r\n");
  End();
  EXPECT_EQ(client.ReceiveUntil("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(StreamTest, CutsOffWhatCannotBeCompletedSoThatNobodyTakesItForTheWhole) {
  Start();
  auto client = Connect();
  client.Send(std::string(kStream) + kNow);
  ASSERT_TRUE(Begin());
  client.ReceiveUntil("\r\n\r\n");
  Write("half");
  OnLoop(0, [](Responder& r) { r.Break(); });
  Write("too late");
  // What was written arrives, the last chunk does not, and nothing follows on the connection.
  EXPECT_EQ(client.ReceiveUntil("0\r\n\r\n"), "4\r\nhalf\r\n");
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(tap_->gone(), 0);
}

TEST_F(StreamTest, ResetsAClientOfHttp10WhoseBodyCannotBeCompleted) {
  Start();
  auto client = Connect();
  client.Send("GET /stream HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(Begin());
  client.ReceiveUntil("\r\n\r\n");
  OnLoop(0, [](Responder& r) { r.Break(); });
  // To it any orderly end is the end of the body.
  EXPECT_FALSE(client.AtEnd());
  EXPECT_EQ(client.ReceiveUntil("x"), "");
}

TEST_F(StreamTest, AnswersHeadWithTheHeadAndWantsNothingMore) {
  Start();
  auto client = Connect();
  client.Send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(Begin());
  EXPECT_EQ(client.Receive(/*head=*/true).status, 200);
  client.Send(kNow);
  EXPECT_EQ(client.Receive().body, "now");
}

TEST_F(StreamTest, KeepsWhatFollowsWaitingUntilTheEnd) {
  Start();
  auto client = Connect();
  client.Send(std::string(kStream) + kNow);
  ASSERT_TRUE(Begin());
  EXPECT_FALSE(Begin());  // once only
  Write("a");
  End();
  EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), EndsWith("1\r\na\r\n0\r\n\r\n"));
  EXPECT_EQ(client.Receive().body, "now");
}

TEST_F(StreamTest, HearsAtOnceOfAClientThatLeaves) {
  Start();
  for (const char* request :
       {kStream, "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    tap_ = std::make_shared<Tap>();
    const size_t n = request == kStream ? 0 : 1;
    auto client = Connect();
    client.Send(request);
    ASSERT_TRUE(Begin(n));
    client.ReceiveUntil("\r\n\r\n");
    client.Close();
    EXPECT_TRUE(tap_->AwaitGone());
    Write("into the void", n);
    End(n);
  }
}

TEST_F(StreamTest, LetsGoOfAClientThatLeftBeforeItsStreamWasTheNext) {
  Start();
  auto client = Connect();
  client.Send(std::string(kStream) + kStream);
  ASSERT_TRUE(Begin(1));
  client.ShutdownWrite();
  // It is noticed in one of these turns, and waits for its first answer all the same.
  for (int turn = 0; turn < 3; ++turn) OnLoop(0, [](Responder&) {});
  EXPECT_EQ(tap_->gone(), 0);
  // More than the kernel takes at once.
  OnLoop(0, [](Responder& r) {
    r.Send(Response{.content_type = "text/plain", .body = std::string(8 << 20, 'f') + "end"});
  });
  EXPECT_THAT(client.ReceiveUntil("end"), HasSubstr("200 OK"));
  EXPECT_TRUE(tap_->AwaitGone());
}

TEST_F(StreamTest, HoldsWhatASlowClientDoesNotTakeAndGivesItUpInTime) {
  Start({.write_timeout = absl::Seconds(30)});
  auto client = Connect();
  client.Send(kStream);
  ASSERT_TRUE(Begin());
  client.ReceiveUntil("\r\n\r\n");
  const std::string piece(1 << 20, 'p');
  size_t pending = 0;
  for (int i = 0; i < 64 && pending == 0; ++i) {
    Write(piece);
    OnLoop(0, [](Responder&) {});  // a turn has passed
    OnLoop(0, [&](Responder& r) { pending = r.Pending(); });
  }
  EXPECT_GT(pending, 0u);
  EXPECT_EQ(tap_->gone(), 0);
  monotonic_.Advance(absl::Seconds(31));
  server_->Wake();
  EXPECT_TRUE(tap_->AwaitGone());
}

TEST_F(StreamTest, SaysWhenThereIsRoomAgain) {
  Start();
  auto client = Connect();
  client.Send(kStream);
  ASSERT_TRUE(Begin());
  Write("a");
  EXPECT_TRUE(tap_->AwaitRoom(1));
  size_t pending = 1;
  OnLoop(0, [&](Responder& r) { pending = r.Pending(); });
  EXPECT_EQ(pending, 0u);
}

TEST_F(StreamTest, ADrainWaitsForTheEndOfAStream) {
  Start();
  auto client = Connect();
  client.Send(kStream);
  ASSERT_TRUE(Begin());
  client.ReceiveUntil("\r\n\r\n");
  server_->BeginDrain();
  server_->StopAccepting();
  OnLoop(0, [](Responder&) {});  // it has begun to
  monotonic_.Advance(absl::Seconds(1));
  server_->Wake();
  EXPECT_FALSE(server_->AwaitNoConnections(absl::Milliseconds(50)));
  Write("last words");
  End();
  EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), HasSubstr("last words"));
  EXPECT_TRUE(client.AtEnd());
  client.Close();
  EXPECT_TRUE(server_->AwaitNoConnections(absl::Seconds(20)));
}

}  // namespace
}  // namespace tocsin::http
