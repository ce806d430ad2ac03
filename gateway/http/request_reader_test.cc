// The request reader, fed whole, byte by byte, and with what must be refused.
#include "gateway/http/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::http {
namespace {

using State = RequestReader::State;

struct Outcome {
  State state = State::kHead;
  std::string method{}, target{}, body{}, agent{}, rest{};
  int status = 0;
  bool keep_alive = false;
};

// Feeds `input` in pieces of at most `step` bytes, as a connection does.
Outcome Read(std::string_view input, size_t step, const RequestLimits& limits = {}) {
  RequestReader reader(limits);
  std::string held;
  State state = State::kHead;
  while (!input.empty() && (state == State::kHead || state == State::kBody)) {
    const std::string_view piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    // A buffer of its own, gone after the call, so that stale views are found by sanitizers.
    const std::string given = held + std::string(piece);
    size_t consumed = 0;
    state = reader.Feed(given, consumed);
    held = given.substr(consumed);
    if (state != State::kComplete) continue;
    const Request& r = reader.request();
    return {state,
            std::string(r.method),
            std::string(r.target),
            std::string(r.body),
            std::string(r.Header("user-AGENT")),
            held + std::string(input),
            0,
            reader.keep_alive()};
  }
  Outcome outcome{.state = state};
  outcome.status = reader.error().status;
  return outcome;
}

constexpr size_t kSteps[] = {1, 2, 3, 7, 64, 100'000};

TEST(RequestReaderTest, ReadsARequestHoweverItIsCut) {
  for (size_t step : kSteps) {
    const Outcome o = Read(
        "POST /api/push/abc?status=up HTTP/1.1\r\nHost: x\r\nUser-Agent:  curl/8 \r\nEmpty:\r\n"
        "Content-Length: 5\r\n\r\nhello",
        step);
    EXPECT_EQ(o.state, State::kComplete) << step;
    EXPECT_EQ(o.method, "POST");
    EXPECT_EQ(o.target, "/api/push/abc?status=up");
    EXPECT_EQ(o.agent, "curl/8");
    EXPECT_EQ(o.body, "hello");
    EXPECT_TRUE(o.keep_alive);
  }
}

TEST(RequestReaderTest, LeavesTheNextRequestInTheInput) {
  const Outcome o = Read("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n", 100'000);
  EXPECT_EQ(o.state, State::kComplete);
  EXPECT_EQ(o.target, "/1");
  EXPECT_EQ(o.rest, "GET /2 HTTP/1.1\r\n");
}

TEST(RequestReaderTest, ReadsChunksExtensionsAndTrailers) {
  for (size_t step : kSteps) {
    const Outcome o = Read(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5;name=value\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\nUser-Agent: late\r\n\r\n",
        step);
    EXPECT_EQ(o.state, State::kComplete) << step;
    EXPECT_EQ(o.body, "hello 0123456789");
    EXPECT_EQ(o.agent, "") << "a trailer is no header";
    EXPECT_EQ(o.rest, "");
  }
}

TEST(RequestReaderTest, APostWithoutLengthHasNoBody) {
  const Outcome o = Read("POST /x HTTP/1.1\r\nHost: x\r\n\r\n", 9);
  EXPECT_EQ(o.state, State::kComplete);
  EXPECT_EQ(o.body, "");
}

TEST(RequestReaderTest, KnowsWhenTheConnectionIsToBeClosed) {
  EXPECT_FALSE(Read("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 50).keep_alive);
  EXPECT_FALSE(Read("GET / HTTP/1.0\r\n\r\n", 50).keep_alive);
  EXPECT_TRUE(Read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 50).keep_alive);
}

TEST(RequestReaderTest, TellsWhoWaitsForContinue) {
  RequestReader reader({});
  size_t consumed = 0;
  EXPECT_EQ(reader.Feed("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n"
                        "\r\n",
                        consumed),
            State::kBody);
  EXPECT_TRUE(reader.wants_continue());
  EXPECT_EQ(reader.Feed("ok", consumed), State::kComplete);
  EXPECT_EQ(reader.request().method, "PUT");
  EXPECT_EQ(reader.request().Header("Host"), "x");
  reader.Reset();
  EXPECT_EQ(reader.Feed("GET / HTTP/1.1\r\nHost: y\r\n\r\n", consumed), State::kComplete);
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(reader.request().body, "");
}

struct Refusal {
  std::string input;
  int status;
};

TEST(RequestReaderTest, RefusesWhatItMust) {
  const RequestLimits limits{.head_bytes = 200, .body_bytes = 10};
  const std::string host = "Host: x\r\n";
  const std::vector<Refusal> cases = {
      {"\x16\x03\x01", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "No colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "A: " + std::string(200, 'a') + "\r\n\r\n", 431},
      {"GET /" + std::string(300, 'a'), 431},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 11\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 11\r\nA: b\r\n c\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host +
           "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nB\r\n", 413},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n",
       413},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
           std::string(5000, 'e'),
       400},
      {"POST / HTTP/1.1\r\n" + host + "Expect: cake\r\n\r\n", 417},
  };
  for (const Refusal& c : cases) {
    for (size_t step : {size_t{1}, size_t{100'000}}) {
      const Outcome o = Read(c.input, step, limits);
      EXPECT_EQ(o.state, State::kRefused) << c.input.substr(0, 100) << " step " << step;
      EXPECT_EQ(o.status, c.status) << c.input.substr(0, 100) << " step " << step;
    }
  }
}

}  // namespace
}  // namespace tocsin::http
