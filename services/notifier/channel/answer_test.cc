// Tells which answers end a delivery, which end a channel, and which are tried again.
#include "services/notifier/channel/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace tocsin::notifier {
namespace {

Outcome Judge(Format format, int status, std::string answer = "") {
  HttpResult result;
  result.outcome = OutcomeOfStatus(status);
  result.status = status;
  result.answer = std::move(answer);
  return JudgeAnswer(format, result);
}

constexpr char kMattermost[] =
    R"({"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook.",)";

TEST(AnswerTest, EverySuccessIsOne) {
  EXPECT_EQ(Judge(Format::kSlack, 200, "ok"), Outcome::kOk);
  EXPECT_EQ(Judge(Format::kPagerDuty, 202, R"({"status":"success"})"), Outcome::kOk);
  EXPECT_EQ(Judge(Format::kStandardWebhook, 204), Outcome::kOk);
}

TEST(AnswerTest, AWebhookThatSlackOrDiscordHasForgottenIsGone) {
  EXPECT_EQ(Judge(Format::kSlack, 404, "no_service"), Outcome::kGone);
  EXPECT_EQ(Judge(Format::kSlack, 404, "channel_not_found\n"), Outcome::kGone);
  EXPECT_EQ(Judge(Format::kSlack, 403, "invalid_token"), Outcome::kGone);
  EXPECT_EQ(Judge(Format::kSlack, 410, "channel_is_archived"), Outcome::kGone);
  EXPECT_EQ(Judge(Format::kSlack, 404, R"({"message": "Unknown Webhook", "code": 10015})"),
            Outcome::kGone);
  EXPECT_EQ(Judge(Format::kSlack, 401, R"({"code":50027,"message":"Invalid Webhook Token"})"),
            Outcome::kGone);
}

TEST(AnswerTest, A404OfSomebodyElseIsTriedAgain) {
  EXPECT_EQ(Judge(Format::kSlack, 404, "<html>default backend - 404</html>"), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kSlack, 404), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kSlack, 403, "action_prohibited"), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kSlack, 404, R"({"code": 100155})"), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kSlack, 404, R"({"code")"), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kPagerDuty, 404), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kPagerDuty, 403), Outcome::kStatus4xx);
}

TEST(AnswerTest, AMessageThatIsRefusedIsNotTriedAgain) {
  EXPECT_EQ(Judge(Format::kSlack, 400, "invalid_payload"), Outcome::kRejected);
  EXPECT_EQ(Judge(Format::kSlack, 413), Outcome::kRejected);
  EXPECT_EQ(Judge(Format::kPagerDuty, 400, R"({"status":"invalid event"})"), Outcome::kRejected);
}

TEST(AnswerTest, Mattermosts400IsTriedAgainSinceItMayBeItsDatabase) {
  EXPECT_EQ(Judge(Format::kSlack, 400, kMattermost), Outcome::kStatus4xx);
}

TEST(AnswerTest, TooManyAndServerErrorsAreTriedAgain) {
  for (const Format format : {Format::kSlack, Format::kPagerDuty}) {
    EXPECT_EQ(Judge(format, 429), Outcome::kStatus4xx);
    EXPECT_EQ(Judge(format, 500, "rollup_error"), Outcome::kStatus5xx);
    EXPECT_EQ(Judge(format, 302), Outcome::kStatus3xx);
  }
}

TEST(AnswerTest, AStandardWebhookIsJudgedByItsStatusAlone) {
  EXPECT_EQ(Judge(Format::kStandardWebhook, 400, "no_service"), Outcome::kStatus4xx);
  EXPECT_EQ(Judge(Format::kStandardWebhook, 410), Outcome::kGone);
}

TEST(AnswerTest, NoAnswerIsNoneOfThese) {
  HttpResult result;
  result.outcome = Outcome::kTimeout;
  EXPECT_EQ(JudgeAnswer(Format::kSlack, result), Outcome::kTimeout);
}

std::string Shown(const std::string& answer, Outcome outcome = Outcome::kStatus4xx,
                  absl::string_view type = kIncidentOpened) {
  Delivery delivery;
  delivery.destination.url =
      "https://user:hunter2hunter2@hooks.example/services/T012/b-secret?key=abcdefghij";
  delivery.destination.secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  delivery.message.type = std::string(type);
  HttpResult result;
  result.outcome = outcome;
  result.answer = answer;
  return AnswerToShow(delivery, result);
}

TEST(AnswerTest, PeopleAreShownTheBeginningOfAnAnswerInOneLine) {
  EXPECT_EQ(Shown(" no_service\n"), "no_service");
  EXPECT_EQ(Shown("a\nb"), "a\\nb");
  EXPECT_LE(Shown(std::string(256, '\x01')).size(), 200u);
  EXPECT_EQ(Shown("Event processed", Outcome::kOk, kChannelTest), "Event processed");
}

TEST(AnswerTest, OfWhatArrivedTheAnswerIsNotKept) { EXPECT_EQ(Shown("ok", Outcome::kOk), ""); }

TEST(AnswerTest, AnAnswerThatRepeatsASecretIsNotShown) {
  for (const char* answer :
       {"Cannot POST /services/T012/b-secret", "Cannot POST b-secret", "key abcdefgh",
        "user:hunter2 is unknown", "wrong password hunter2hunter2",
        "Authorization: Basic dXNlcjpodW50ZXIyaHVudGVyMg==",
        "bad signature of MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    EXPECT_EQ(Shown(answer), "") << answer;
  }
  EXPECT_EQ(Shown("hooks.example is away"), "hooks.example is away");
  Delivery brief;
  brief.destination.url = "https://chat.example/hooks/ab12cd";
  HttpResult result;
  result.outcome = Outcome::kStatus4xx;
  result.answer = "Cannot POST /hooks/ab12cd";
  EXPECT_EQ(AnswerToShow(brief, result), "");
}

TEST(AnswerTest, AnAnswerThatRepeatsAHeaderIsNotShown) {
  Delivery delivery;
  delivery.destination.url = "https://chat.example/";
  delivery.destination.headers = {{"Authorization", "Bearer tok-12345"},
                                  {"Cookie", "sid=ab12; lang=eo"},
                                  {"X-Basic", "Basic dXNlcjpodW50ZXIy"},
                                  {"X-Long", "Basic YWRtaW46Y29ycmVjdGhvcnNlYmF0dGVyeQ=="},
                                  {"X-Quoted", "Token token=\"s3cr3tvalue99\""},
                                  {"X-User", "admin:passw0rd9"},
                                  {"X-Key", "ab/cd+efgh"},
                                  {"X-Env", "prod"},
                                  {"X-Pad", "session=c2VjcmV0czE=; lang=eo"},
                                  {"X-Quoted-Pad", "Token token=\"b3RoZXIxMjM=\""},
                                  {"X-Signs", "k3y!p4$$w0r"},
                                  {"X-Auth-Type", "Bearer"}};
  HttpResult result;
  result.outcome = Outcome::kStatus4xx;
  for (const char* answer :
       {"no such token: tok-12345", "tok-1234", "bad sid ab12", "hunter2?",
        "Basic dXNlcjpodW50ZXIy", "s3cr3tvalue99 is not valid", "wrong password passw0rd9",
        "{\"key\":\"ab\\/cd+efgh\"}", "no prod here", "bad session c2VjcmV0czE=",
        "not b3RoZXIxMjM=", "wrong password correcthorsebatt", "key k3y!p4$$w0r is old"}) {
    result.answer = answer;
    EXPECT_EQ(AnswerToShow(delivery, result), "") << answer;
  }
  result.answer = "a Bearer token is needed";
  EXPECT_EQ(AnswerToShow(delivery, result), "a Bearer token is needed");
  result.answer = "no such product";
  EXPECT_EQ(AnswerToShow(delivery, result), "no such product");
}

}  // namespace
}  // namespace tocsin::notifier
