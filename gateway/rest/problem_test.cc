// Errors as problems, and messages as events: what people and programs read.
#include "gateway/rest/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/time.h"
#include "common/status_details.h"
#include "gateway/rest/event_text.h"
#include "tocsin/v1/alert_service.pb.h"

namespace tocsin::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Header(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(ProblemTest, GivesEachCodeItsStatus) {
  const struct {
    absl::StatusCode code;
    int status;
    const char* name;
  } kCases[] = {
      {absl::StatusCode::kCancelled, 499, "CANCELLED"},
      {absl::StatusCode::kUnknown, 500, "UNKNOWN"},
      {absl::StatusCode::kInvalidArgument, 400, "INVALID_ARGUMENT"},
      {absl::StatusCode::kDeadlineExceeded, 504, "DEADLINE_EXCEEDED"},
      {absl::StatusCode::kNotFound, 404, "NOT_FOUND"},
      {absl::StatusCode::kAlreadyExists, 409, "ALREADY_EXISTS"},
      {absl::StatusCode::kPermissionDenied, 403, "PERMISSION_DENIED"},
      {absl::StatusCode::kResourceExhausted, 429, "RESOURCE_EXHAUSTED"},
      {absl::StatusCode::kFailedPrecondition, 400, "FAILED_PRECONDITION"},
      {absl::StatusCode::kAborted, 409, "ABORTED"},
      {absl::StatusCode::kOutOfRange, 400, "OUT_OF_RANGE"},
      {absl::StatusCode::kUnimplemented, 501, "UNIMPLEMENTED"},
      {absl::StatusCode::kInternal, 500, "INTERNAL"},
      {absl::StatusCode::kUnavailable, 503, "UNAVAILABLE"},
      {absl::StatusCode::kDataLoss, 500, "DATA_LOSS"},
      {absl::StatusCode::kUnauthenticated, 401, "UNAUTHENTICATED"},
  };
  for (const auto& c : kCases) {
    const http::Response response = ProblemAnswer(absl::Status(c.code, "why"), "r1");
    const json problem = json::parse(response.body);
    EXPECT_EQ(response.status, c.status);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(problem["status"], c.status);
    EXPECT_EQ(problem["code"], c.name);
    EXPECT_EQ(problem["domain"], "tocsin");
    EXPECT_NE(problem["reason"], "");
    EXPECT_EQ(problem["title"], http::ReasonPhrase(c.status));
    EXPECT_EQ(problem["requestId"], "r1");
    EXPECT_NE(problem["detail"], "");
    EXPECT_EQ(Header(response, "Cache-Control"), "no-store");
    EXPECT_EQ(Header(response, "X-Request-Id"), "r1");
  }
}

TEST(ProblemTest, TellsReasonAndEveryViolation) {
  absl::Status status = absl::InvalidArgumentError("bad \"words\"\n");
  SetReason(status, "INVALID_FIELD");
  AddFieldViolation(status, "monitor.owner", "must be <short>");
  AddFieldViolation(status, "page_size", "must be at most 1,000");
  const json problem = json::parse(ProblemJson(status, "r2"));
  EXPECT_EQ(problem["detail"], "bad \"words\"\n");
  EXPECT_EQ(problem["reason"], "INVALID_FIELD");
  EXPECT_EQ(problem["violations"],
            json::parse(R"([{"field": "monitor.owner", "description": "must be <short>"},
                            {"field": "page_size", "description": "must be at most 1,000"}])"));
  EXPECT_FALSE(json::parse(ProblemJson(absl::NotFoundError("x"), "r")).contains("violations"));
}

TEST(ProblemTest, GivesAReasonToWhatComesFromNoCodeOfOurs) {
  EXPECT_EQ(ProblemReason(absl::InternalError("x")), "INTERNAL");
  EXPECT_EQ(ProblemReason(absl::UnknownError("x")), "INTERNAL");
  EXPECT_EQ(ProblemReason(absl::UnavailableError("connect failed")), "CORE_UNREACHABLE");
  EXPECT_EQ(ProblemReason(absl::DeadlineExceededError("x")), "CORE_TOO_SLOW");
  EXPECT_EQ(ProblemReason(absl::UnimplementedError("")), "METHOD_UNKNOWN");
  EXPECT_EQ(ProblemReason(absl::ResourceExhaustedError("message too large")), "RESOURCE_EXHAUSTED");
  for (const http::Response& answer :
       {NoResourceAnswer("r"), NotAllowedAnswer("GET", "r"), NoJsonAnswer("r")}) {
    EXPECT_NE(json::parse(answer.body)["reason"], "") << answer.body;
  }
}

TEST(ProblemTest, SaysWhenToTryAgainAndHowToAuthenticate) {
  absl::Status busy = absl::UnavailableError("busy");
  SetRetryDelay(busy, absl::Milliseconds(2500));
  EXPECT_EQ(Header(ProblemAnswer(busy, "r"), "Retry-After"), "3");
  EXPECT_EQ(Header(ProblemAnswer(absl::UnavailableError("gone"), "r"), "Retry-After"), "1");
  EXPECT_EQ(Header(ProblemAnswer(absl::NotFoundError("x"), "r"), "Retry-After"), "");
  EXPECT_EQ(Header(ProblemAnswer(absl::UnauthenticatedError("key"), "r"), "WWW-Authenticate"),
            "Bearer");
}

TEST(ProblemTest, SaysThatACoreIsTooOld) {
  EXPECT_THAT(ProblemJson(absl::UnimplementedError(""), "r"), HasSubstr("older than its gateway"));
}

TEST(ProblemTest, HidesWhatWasNotWrittenForUsers) {
  EXPECT_THAT(ProblemJson(absl::InternalError("SELECT secret"), "r"), Not(HasSubstr("secret")));
  EXPECT_THAT(ProblemJson(absl::UnknownError("0xdead"), "r"), Not(HasSubstr("0xdead")));
  EXPECT_THAT(ProblemJson(absl::UnavailableError("ipv4:10.0.0.1:9090: connect failed"), "r"),
              Not(HasSubstr("10.0.0.1")));
}

TEST(EventTextTest, MakesAnEventOfAMessage) {
  v1::WatchAlertsResponse message;
  message.set_cursor("e-12");
  message.mutable_event()->set_name("a\nb");
  message.mutable_event()->set_type(v1::AlertEvent::TYPE_FIRING);
  EXPECT_EQ(
      EventText(message),
      "id: e-12\nevent: alertEvent\n"
      "data: {\"event\":{\"name\":\"a\\nb\",\"type\":\"TYPE_FIRING\"},\"cursor\":\"e-12\"}\n\n");
}

TEST(EventTextTest, ACursorAloneMovesTheIdAndIsNoEvent) {
  v1::WatchAlertsResponse message;
  message.set_cursor("e-13");
  EXPECT_EQ(EventText(message), "id: e-13\n\n");
  message.set_cursor("a\nevent: forged");
  EXPECT_THAT(EventText(message), Not(HasSubstr("forged")));
}

TEST(EventTextTest, AnErrorIsAnEventOfItsOwn) {
  EXPECT_EQ(ErrorEvent("{}"), "event: error\ndata: {}\n\n");
  EXPECT_EQ(KeepAlive().front(), ':');
}

}  // namespace
}  // namespace tocsin::gateway
