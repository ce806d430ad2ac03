// Pushes over real sockets: in their order, tried again where that helps, and given up in time.
#include "cli/exec/reporter.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/testing/fake_clock.h"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOk[] = "200 OK";
constexpr char kSilence[] = "";    // accepts, and never answers
constexpr char kHangUp[] = "---";  // ends the connection instead

// Answers one request after the other with what was scripted, then with 200.
class Gateway {
 public:
  explicit Gateway(std::vector<std::string> answers) : answers_(answers.begin(), answers.end()) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 16);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }

  ~Gateway() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (const int held : held_) close(held);
    close(listener_);
  }

  PushUrl url() const {
    return *PushUrl::Parse(absl::StrCat("http://127.0.0.1:", port_, "/api/push/T0KEN"));
  }

  // "query|body" of each.
  std::vector<std::string> requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

 private:
  void Serve() {
    for (int fd = 0; (fd = accept(listener_, nullptr, nullptr)) >= 0;) {
      const std::string request = ReadRequest(fd);
      absl::MutexLock lock(&mutex_);
      requests_.push_back(request);
      const std::string answer = answers_.empty() ? kOk : answers_.front();
      if (!answers_.empty()) answers_.pop_front();
      if (answer == kSilence) {
        held_.push_back(fd);
        continue;
      }
      if (answer == kHangUp) {
        close(fd);
        continue;
      }
      const bool whole = answer.find("Content-Length") != std::string::npos;
      const std::string text =
          absl::StrCat("HTTP/1.1 ", answer, whole ? "" : "\r\nContent-Length: 2\r\n\r\nok");
      send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      close(fd);
    }
  }

  static std::string ReadRequest(int fd) {
    std::string all, block(4096, '\0');
    size_t length = 0, head = std::string::npos;
    while (head == std::string::npos || all.size() < head + 4 + length) {
      const ssize_t bytes = recv(fd, block.data(), block.size(), 0);
      if (bytes <= 0) break;
      all.append(block, 0, static_cast<size_t>(bytes));
      head = all.find("\r\n\r\n");
      const size_t field = all.find("Content-Length: ");
      if (field == std::string::npos) continue;
      const size_t number = field + 16;
      if (!absl::SimpleAtoi(all.substr(number, all.find('\r', number) - number), &length)) break;
    }
    const size_t question = all.find('?');
    return absl::StrCat(all.substr(question + 1, all.find(' ', question) - question - 1), "|",
                        head == std::string::npos ? "" : all.substr(head + 4));
  }

  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
  absl::Mutex mutex_;
  std::deque<std::string> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> held_;
};

Reporter::EndQueryOf End() {
  return [](bool start_known) { return start_known ? "end&started" : "end"; };
}

class ReporterTest : public ::testing::Test {
 protected:
  // Until there is nothing to do; time goes by only as `step` says.
  void Finish(Reporter& reporter, absl::Duration step = absl::Milliseconds(50)) {
    while (!reporter.done()) {
      clock_.Advance(step);
      reporter.Wait({}, absl::Milliseconds(20));
    }
  }

  FakeMonotonicClock clock_;
};

TEST_F(ReporterTest, TheStartIsPushedBeforeTheEndAndTheEndWithItsOutput) {
  Gateway gateway({});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushStart("start");
  reporter.PushEnd(End(), std::string("out\0put", 7));
  Finish(reporter, absl::ZeroDuration());
  EXPECT_EQ(reporter.problem(), "");
  EXPECT_THAT(gateway.requests(), ElementsAre("start|", std::string("end&started|out\0put", 19)));
}

TEST_F(ReporterTest, ATransientFaultIsTriedAgain) {
  Gateway gateway({"503 Unavailable", "429 Too Many\r\nRetry-After: 1", "500 Oops"});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "output");
  Finish(reporter);
  EXPECT_EQ(reporter.problem(), "");
  EXPECT_THAT(gateway.requests(),
              ElementsAre("end|output", "end|output", "end|output", "end|output"));
}

TEST_F(ReporterTest, ARefusalIsNotTriedAgain) {
  Gateway gateway({"404 Not Found"});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter);
  EXPECT_EQ(reporter.problem(),
            "no monitor has this push URL, or it is a push key's and --monitor is missing or wrong "
            "(HTTP 404)");
  EXPECT_FALSE(reporter.in_doubt());
  EXPECT_EQ(gateway.requests().size(), 1u);
}

TEST_F(ReporterTest, WhatTheAnswerSaysIsWrongIsPassedOn) {
  const std::string body = R"({"ok":false,"error":"the monitor's id is too long"})";
  Gateway gateway(
      {absl::StrCat("400 Bad Request\r\nContent-Length: ", body.size(), "\r\n\r\n", body)});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter);
  EXPECT_EQ(reporter.problem(), "it was not accepted (HTTP 400): the monitor's id is too long");
}

TEST_F(ReporterTest, ARedirectIsNotFollowed) {
  Gateway gateway({"307 Elsewhere\r\nLocation: /api/push/other"});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter);
  EXPECT_THAT(reporter.problem(), HasSubstr("redirect"));
  EXPECT_EQ(gateway.requests().size(), 1u);
}

TEST_F(ReporterTest, APauseThatIsLongerThanTheTimeThatIsLeftIsNotWaitedFor) {
  Gateway gateway({"429 Too Many\r\nRetry-After: 60"});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter, absl::ZeroDuration());
  EXPECT_THAT(reporter.problem(), HasSubstr("HTTP 429"));
}

TEST_F(ReporterTest, AnEndThatIsNeverAnsweredIsGivenUp) {
  Gateway gateway({kSilence, kSilence, kSilence});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter, absl::Seconds(1));
  EXPECT_THAT(reporter.problem(), HasSubstr("no answer"));
  EXPECT_TRUE(reporter.in_doubt());
  EXPECT_EQ(clock_.Now(), absl::Seconds(10));
}

TEST_F(ReporterTest, AnAnswerThatWasLostLeavesItInDoubtUntilAnotherAttemptIsRecorded) {
  Gateway refuses({kHangUp, "503 Unavailable", "404 Not Found"});
  Reporter refused(refuses.url(), absl::Hours(1), clock_);
  refused.PushEnd(End(), "");
  Finish(refused);
  EXPECT_EQ(refuses.requests().size(), 3u);
  EXPECT_TRUE(refused.in_doubt());
  Gateway takes({kHangUp});
  Reporter taken(takes.url(), absl::Hours(1), clock_);
  taken.PushEnd(End(), "");
  Finish(taken);
  EXPECT_EQ(taken.problem(), "");
  EXPECT_FALSE(taken.in_doubt());
}

TEST_F(ReporterTest, AStartThatIsNotAnsweredIsNoDoubtAboutTheEnd) {
  Gateway gateway({kSilence});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushStart("start");
  while (gateway.requests().empty()) reporter.Wait({}, absl::Milliseconds(20));
  reporter.PushEnd(End(), "");
  EXPECT_FALSE(reporter.in_doubt());
}

TEST_F(ReporterTest, AStartThatIsNotAnsweredDoesNotKeepTheEndFromBeingPushed) {
  Gateway gateway({kSilence});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushStart("start");
  while (gateway.requests().empty()) reporter.Wait({}, absl::Milliseconds(20));
  reporter.PushEnd(End(), "");
  Finish(reporter, absl::Milliseconds(300));
  EXPECT_EQ(reporter.problem(), "");
  EXPECT_THAT(gateway.requests(), ElementsAre("start|", "end|"));
}

TEST_F(ReporterTest, AStartIsNotTriedAgainOnceTheCommandHasEnded) {
  Gateway gateway({"503 Unavailable"});
  Reporter reporter(gateway.url(), absl::Seconds(10), clock_);
  reporter.PushStart("start");
  reporter.PushEnd(End(), "");
  Finish(reporter);
  EXPECT_THAT(gateway.requests(), ElementsAre("start|", "end|"));
}

TEST_F(ReporterTest, WhereNobodyListensTheReasonNamesNoSecret) {
  const PushUrl url = *PushUrl::Parse("http://127.0.0.1:1/api/push/T0KEN");
  Reporter reporter(url, absl::Seconds(1), clock_);
  reporter.PushEnd(End(), "");
  Finish(reporter);
  EXPECT_FALSE(reporter.in_doubt());
  EXPECT_THAT(reporter.problem(), HasSubstr("127.0.0.1"));
  EXPECT_THAT(reporter.problem(), HasSubstr("times)"));
  EXPECT_THAT(reporter.problem(), Not(HasSubstr("T0KEN")));
}

TEST_F(ReporterTest, WithoutAUrlThereIsNothingToDo) {
  Reporter reporter(std::nullopt, absl::Seconds(10), clock_);
  reporter.PushStart("start");
  reporter.PushEnd(End(), "");
  EXPECT_TRUE(reporter.done());
}

}  // namespace
}  // namespace tocsin::cli
