// Every form in which a push can say something, as tables.
#include "gateway/push_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

constexpr char kForm[] = "application/x-www-form-urlencoded";
constexpr char kJson[] = "application/json";

struct Parsed {
  absl::Status status;
  PushParameters p;
};

Parsed Parse(std::string_view query, std::string_view type = "", std::string_view body = "",
             std::string_view action = "") {
  PushParser parser;
  Parsed parsed;
  parsed.p.message = "left from the push before";
  parsed.p.value = 7;
  parsed.p.warning = "old";
  parsed.p.exit_status = 3;
  parsed.p.output = "old";
  parsed.p.create = true;
  parsed.status = parser.Parse(
      {.action = action, .query = query, .content_type = type, .body = body}, parsed.p);
  return parsed;
}

TEST(PushParametersTest, WithoutParametersAPushIsUp) {
  const Parsed parsed = Parse("");
  EXPECT_TRUE(parsed.status.ok());
  EXPECT_EQ(parsed.p.kind, PushKind::kUp);
  EXPECT_EQ(parsed.p.message, "");
  EXPECT_EQ(parsed.p.value, std::nullopt);
  EXPECT_EQ(parsed.p.warning, "");
}

TEST(PushParametersTest, ABodyThatCannotBeReadIsSaidNotToHaveBeen) {
  PushParser parser;
  PushParameters p;
  const auto parse = [&](std::string_view type, std::string_view encoding) {
    EXPECT_TRUE(
        parser.Parse({.content_type = type, .content_encoding = encoding, .body = "status=down"}, p)
            .ok());
  };
  for (const char* encoding : {"", "identity", "UTF-8", "none"}) {
    parse("application/x-www-form-urlencoded", encoding);
    EXPECT_EQ(p.kind, PushKind::kDown) << encoding;
    EXPECT_EQ(p.warning, "") << encoding;
  }
  for (const char* type : {"application/x-www-form-urlencoded", "application/json", "text/plain"}) {
    parse(type, "identity, GZip");
    EXPECT_THAT(p.warning, HasSubstr("compressed")) << type;
    EXPECT_EQ(p.output, "") << type;
  }
  parse("multipart/form-data; boundary=x", "");
  EXPECT_THAT(p.warning, HasSubstr("multipart"));
  EXPECT_EQ(p.output, "status=down");
}

TEST(PushParametersTest, AFailureUnderANameThatIsNoneIsSaidToCountAsUp) {
  for (const char* query : {"stauts=down", "state=FAILED", "msg=m&result=error", "success=false"}) {
    const Parsed parsed = Parse(query);
    EXPECT_EQ(parsed.p.kind, PushKind::kUp) << query;
    EXPECT_THAT(parsed.p.warning, HasSubstr("status=down tells a failure")) << query;
  }
  EXPECT_THAT(Parse("", kForm, "state=down").p.warning, HasSubstr("\"state\""));
  for (const char* query :
       {"state=up", "status=up&state=down", "note=it+went+down", "x=1", "error=false"}) {
    EXPECT_EQ(Parse(query).p.warning, "") << query;
  }
}

TEST(PushParametersTest, AJsonBodyMayAskForAMonitorToBeMade) {
  EXPECT_TRUE(Parse("", kJson, R"({"create": true})").p.create);
  EXPECT_TRUE(Parse("", kJson, R"({"create": 1})").p.create);
  EXPECT_FALSE(Parse("", kJson, R"({"status": "up"})").p.create);
}

TEST(PushParametersTest, TheActionInThePathDecides) {
  struct Case {
    const char* action;
    PushKind kind;
    std::optional<int> exit_status;
  };
  for (const Case& c : {
           Case{"start", PushKind::kStart, std::nullopt},
           Case{"Start", PushKind::kStart, std::nullopt},
           Case{"fail", PushKind::kDown, std::nullopt},
           Case{"log", PushKind::kLog, std::nullopt},
           Case{"0", PushKind::kUp, 0},
           Case{"1", PushKind::kDown, 1},
           Case{"255", PushKind::kDown, 255},
           Case{"007", PushKind::kDown, 7},
       }) {
    const Parsed parsed = Parse("status=up&msg=m", "", "", c.action);
    EXPECT_TRUE(parsed.status.ok()) << parsed.status;
    EXPECT_EQ(parsed.p.kind, c.kind) << c.action;
    EXPECT_EQ(parsed.p.exit_status, c.exit_status) << c.action;
    EXPECT_EQ(parsed.p.message, "m");
  }
  EXPECT_EQ(Parse("status=down").p.exit_status, std::nullopt);
}

TEST(PushParametersTest, AnExitStatusDecidesWhereNothingElseDoes) {
  struct Case {
    const char* query;
    PushKind kind;
    std::optional<int> exit_status;
    bool warned;
  };
  for (const Case& c : {
           Case{"exit_status=0", PushKind::kUp, 0, false},
           Case{"exit_status=3", PushKind::kDown, 3, false},
           Case{"exit_status=255&status=", PushKind::kDown, 255, false},
           Case{"exit_status=3&status=up", PushKind::kUp, 3, false},
           Case{"status=down&exit_status=0", PushKind::kDown, 0, false},
           Case{"exit_status=", PushKind::kUp, std::nullopt, false},
           Case{"exit_status=256", PushKind::kDown, std::nullopt, true},
           Case{"exit_status=-1", PushKind::kDown, std::nullopt, true},
           Case{"exit_status=killed&status=up", PushKind::kUp, std::nullopt, true},
       }) {
    const Parsed parsed = Parse(c.query);
    EXPECT_TRUE(parsed.status.ok()) << c.query;
    EXPECT_EQ(parsed.p.kind, c.kind) << c.query;
    EXPECT_EQ(parsed.p.exit_status, c.exit_status) << c.query;
    EXPECT_EQ(parsed.p.warning.find("exit_status") == 0, c.warned) << parsed.p.warning;
  }
  EXPECT_EQ(Parse("exit_status=4", "", "", "3").p.exit_status, 3);
  EXPECT_EQ(Parse("", kJson, R"({"exit_status":4})").p.exit_status, 4);
  EXPECT_EQ(Parse("", kForm, "exit_status=5").p.kind, PushKind::kDown);
}

TEST(PushParametersTest, RefusesAnotherActionAndListsTheAcceptedOnes) {
  for (const char* action :
       {"256", "-1", "+1", "1.0", "00000000000000000001", "stop", "up", "\xff"}) {
    const Parsed parsed = Parse("", "", "", action);
    EXPECT_EQ(parsed.status.code(), absl::StatusCode::kInvalidArgument) << action;
    EXPECT_THAT(std::string(parsed.status.message()),
                HasSubstr("start, fail, log or an exit status from 0 to 255"));
  }
}

TEST(PushParametersTest, AsksForAMonitorToBeCreated) {
  EXPECT_TRUE(Parse("create=1").p.create);
  EXPECT_TRUE(Parse("create=True").p.create);
  EXPECT_FALSE(Parse("create=0").p.create);
  EXPECT_FALSE(Parse("create=").p.create);
  EXPECT_FALSE(Parse("").p.create);
}

TEST(PushParametersTest, KnowsEveryStatusWordInAnyCase) {
  const std::vector<std::pair<std::string, PushKind>> cases = {
      {"", PushKind::kUp},          {"up", PushKind::kUp},      {"UP", PushKind::kUp},
      {"ok", PushKind::kUp},        {"success", PushKind::kUp}, {"true", PushKind::kUp},
      {"+up+", PushKind::kUp},      {"%20", PushKind::kUp},     {"down", PushKind::kDown},
      {"Down", PushKind::kDown},    {"fail", PushKind::kDown},  {"failed", PushKind::kDown},
      {"failure", PushKind::kDown}, {"error", PushKind::kDown}, {"FALSE", PushKind::kDown},
      {"start", PushKind::kStart},  {"log", PushKind::kLog},    {"%64own", PushKind::kDown},
  };
  for (const auto& [word, kind] : cases) {
    const Parsed parsed = Parse("status=" + word);
    EXPECT_TRUE(parsed.status.ok()) << word;
    EXPECT_EQ(parsed.p.kind, kind) << word;
  }
}

TEST(PushParametersTest, RefusesAnotherStatusAndListsTheAcceptedOnes) {
  const absl::Status status = Parse("status=dwon").status;
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      status.message(),
      "status must be one of up, ok, success, true, down, fail, failed, failure, error, false, "
      "start, log; it is \"dwon\"");
  EXPECT_LT(Parse("status=" + std::string(10'000, 'x')).status.message().size(), 300u);
}

TEST(PushParametersTest, ReadsWhatClientsOfThePeersSend) {
  const Parsed tianji = Parse("status=up&msg=ok&value=");
  EXPECT_EQ(tianji.p.message, "ok");
  EXPECT_EQ(tianji.p.value, std::nullopt);
  EXPECT_EQ(tianji.p.warning, "");
  const Parsed kuma = Parse("status=up&msg=OK&ping=");
  EXPECT_EQ(kuma.p.warning, "");
  EXPECT_EQ(Parse("ping=12").p.value, 12);
  EXPECT_EQ(Parse("", kForm, "").p.kind, PushKind::kUp);
}

TEST(PushParametersTest, DecodesTextAndIgnoresWhatItDoesNotKnow) {
  const Parsed parsed = Parse("cb=1&msg=backup+of%20%2Fvar%3A+50%+done%2&unknown&=x&&run=r%2D1");
  EXPECT_TRUE(parsed.status.ok());
  EXPECT_EQ(parsed.p.message, "backup of /var: 50% done%2");
  EXPECT_EQ(parsed.p.run_id, "r-1");
  EXPECT_EQ(Parse("m%73g=x").p.message, "x");
}

TEST(PushParametersTest, TheFirstOfARepeatedParameterWins) {
  EXPECT_EQ(Parse("msg=a&msg=b").p.message, "a");
  EXPECT_EQ(Parse("status=down&status=up").p.kind, PushKind::kDown);
  EXPECT_EQ(Parse("", kJson, R"({"msg":"a","msg":"b"})").p.message, "a");
  EXPECT_EQ(Parse("status=&status=down").p.kind, PushKind::kDown) << "empty is absent";
}

TEST(PushParametersTest, TheQueryWinsOverTheBody) {
  const Parsed form = Parse("msg=query&status=", kForm, "msg=body&value=3&status=down");
  EXPECT_EQ(form.p.message, "query");
  EXPECT_EQ(form.p.value, 3);
  EXPECT_EQ(form.p.kind, PushKind::kDown);
  const Parsed json = Parse("status=up", kJson, R"({"status":"down","run":"7"})");
  EXPECT_EQ(json.p.kind, PushKind::kUp);
  EXPECT_EQ(json.p.run_id, "7");
}

TEST(PushParametersTest, ContentTypeDecidesHowABodyIsRead) {
  const std::string form = "status=down";
  const std::string json = R"({"status":"down"})";
  for (const char* type : {kForm, "Application/X-WWW-Form-Urlencoded ; charset=utf-8"}) {
    EXPECT_EQ(Parse("", type, form).p.kind, PushKind::kDown) << type;
  }
  for (const char* type : {kJson, "application/json; charset=utf-8", "APPLICATION/JSON",
                           "application/problem+json", "text/json"}) {
    EXPECT_EQ(Parse("", type, json).p.kind, PushKind::kDown) << type;
  }
  for (const char* type :
       {"", "text/plain", "application/octet-stream", "multipart/form-data", "image/x+json"}) {
    EXPECT_EQ(Parse("", type, form).p.kind, PushKind::kUp) << type;
    EXPECT_EQ(Parse("", type, json).p.kind, PushKind::kUp) << type;
  }
  EXPECT_THAT(Parse("", kForm, json).p.warning, HasSubstr("looks like JSON"));
}

TEST(PushParametersTest, ADownInABodyOfTheWrongTypeIsNoUp) {
  // curl -d '{"status":"down"}' and curl -F status=down.
  const std::string json = R"({"status":"down","msg":"x"})";
  EXPECT_EQ(Parse("", kForm, json).p.kind, PushKind::kDown);
  EXPECT_EQ(Parse("status=up", kForm, json).p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", kForm, R"({"status":"bananas"})").p.kind, PushKind::kUp);
  for (const char* word : {"down ", "down\\n", " Failed", "failed: disk full"}) {
    EXPECT_EQ(Parse("", kForm, std::string(R"({"status":")") + word + "\"}").p.kind,
              PushKind::kDown)
        << word;
  }
  // Its own status counts, not that of a part.
  const std::string nested = R"({"checks":[{"status":"ok"}],"status":"down"})";
  EXPECT_EQ(Parse("", kForm, nested).p.kind, PushKind::kDown);
  EXPECT_EQ(Parse("", kForm, R"({"checks":[{"status":"down"}],"status":"ok"})").p.kind,
            PushKind::kUp);
  EXPECT_EQ(
      Parse("", kForm, R"({"checks":[{"status":"ok"}],"msg":"a "b"","status":"down"})").p.kind,
      PushKind::kDown);
  const std::string type = "multipart/form-data; boundary=------x";
  const auto part = [](const std::string& name, const std::string& value) {
    return "--------x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
           "\r\n--------x--\r\n";
  };
  const Parsed down = Parse("", type, part("status", "down"));
  EXPECT_EQ(down.p.kind, PushKind::kDown);
  EXPECT_THAT(down.p.warning, HasSubstr("multipart"));
  EXPECT_EQ(down.p.output, part("status", "down"));
  EXPECT_EQ(Parse("status=up", type, part("status", "down")).p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", type, part("status", "bananas")).p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", type, part("log", "down")).p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", type, "name=\"status\"").p.kind, PushKind::kUp);
}

TEST(PushParametersTest, WhatAFormIsSaidToBeAndIsNotChangesNothing) {
  // JSON in which URLs have the look of a form.
  for (const char* json : {R"({"msg":"see https://ci/run?id=7&status=passed"})",
                           R"({"url":"https://x/?a=1&status=down&b=2"})",
                           R"({"url":"https://ci/j?x=1&exit_status=0"})"}) {
    const Parsed parsed = Parse("", kForm, json);
    EXPECT_TRUE(parsed.status.ok()) << json;
    EXPECT_EQ(parsed.p.kind, PushKind::kUp) << json;
    EXPECT_FALSE(parsed.p.exit_status.has_value()) << json;
  }
  // A log: curl --data-binary @access.log.
  const Parsed log = Parse("", kForm, "10.0.0.1 \"GET /cb?id=7&status=down HTTP/1.1\" 200\n");
  EXPECT_TRUE(log.status.ok());
  EXPECT_EQ(log.p.kind, PushKind::kUp);
  EXPECT_THAT(log.p.warning, HasSubstr("is no form"));
  EXPECT_EQ(Parse("", kForm, "all done").p.warning, "");
  // Forms by hand, with blanks in them, are forms.
  EXPECT_EQ(Parse("", kForm, "status=down&msg=disk full on /srv").p.message, "disk full on /srv");
}

TEST(PushParametersTest, AByteOrderMarkIsNoPartOfABody) {
  for (const char* type : {kForm, kJson}) {
    EXPECT_EQ(Parse("", type, "\xEF\xBB\xBF{\"status\":\"down\"}").p.kind, PushKind::kDown) << type;
  }
  EXPECT_EQ(Parse("", kForm, "\xEF\xBB\xBFstatus=down").p.kind, PushKind::kDown);
}

TEST(PushParametersTest, OfAMultipartBodyTheFieldCountsAndNoFile) {
  const std::string type = "multipart/form-data; boundary=\"b\"";
  const auto part = [](const std::string& names, const std::string& value) {
    return "--b\r\nContent-Disposition: form-data; " + names + "\r\n\r\n" + value + "\r\n";
  };
  const std::string down = part("name=\"status\"", "down");
  const auto kind = [&](const std::string& parts) {
    return Parse("", type, parts + "--b--\r\n").p.kind;
  };
  const std::string file = "name=\"log\"; filename=\"status\"";
  EXPECT_EQ(kind(part(file, "all steps ok") + down), PushKind::kDown);
  EXPECT_EQ(kind(part(file, "Failed: 0 of 12")), PushKind::kUp);
  EXPECT_EQ(kind(part("name=\"log\"; filename=\"x\"", "<i name=\"status\">\r\n\r\nfail</i>")),
            PushKind::kUp);
  EXPECT_EQ(kind(part("name=\"status\"", "bananas") + down), PushKind::kDown);
  EXPECT_EQ(kind(part("name=\"status\"; filename=\"s\"", "down")), PushKind::kUp);
}

TEST(PushParametersTest, BlanksAroundARunAreNoPartOfIt) {
  EXPECT_EQ(Parse("", kForm, "status=start&run=42\n").p.run_id, "42");
}

TEST(PushParametersTest, ABodyOfAnotherTypeIsOutputAndItsEndIsKept) {
  const std::string bytes("line\n\0\xFF\x80 end", 12);
  for (const char* type : {"", "text/plain", "application/octet-stream", "multipart/form-data"}) {
    EXPECT_EQ(Parse("", type, bytes).p.output, bytes) << type;
    EXPECT_EQ(Parse("msg=x", type, bytes).p.output, bytes) << type;
  }
  const std::string end = std::string(9'996, 'b') + "end.";
  EXPECT_EQ(Parse("", "text/plain", std::string(60'000, 'a') + end).p.output, end);
  EXPECT_EQ(Parse("", "text/plain", end).p.output, end);
  EXPECT_EQ(Parse("", kForm, "msg=x").p.output, "");
  EXPECT_EQ(Parse("", kJson, "{}").p.output, "");
  EXPECT_EQ(Parse("", kJson, "broken").p.output, "");
  EXPECT_EQ(Parse("msg=x", "", "").p.output, "");
}

TEST(PushParametersTest, ReadsJsonValuesOfEveryType) {
  const Parsed parsed =
      Parse("", kJson, R"({"status":true,"msg":42,"value":1.5e3,"run":17,"x":{"msg":"no"}})");
  EXPECT_TRUE(parsed.status.ok());
  EXPECT_EQ(parsed.p.kind, PushKind::kUp);
  EXPECT_EQ(parsed.p.message, "42");
  EXPECT_EQ(parsed.p.value, 1500);
  EXPECT_EQ(parsed.p.run_id, "17");
  EXPECT_EQ(Parse("", kJson, R"({"status":false})").p.kind, PushKind::kDown);
  EXPECT_EQ(Parse("", kJson, R"({"status":null,"msg":null})").p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", kJson, R"({"a":[{"status":"down"}]})").p.kind, PushKind::kUp);
  EXPECT_EQ(Parse("", kJson, "  ").p.warning, "");
}

TEST(PushParametersTest, ABodyThatIsNoJsonDoesNotLoseTheHeartbeat) {
  const std::vector<std::pair<std::string, PushKind>> cases = {
      {R"({"status":"down","msg":"disk "sda" died"})", PushKind::kDown},
      {R"({"msg":"disk "sda" died","status" : "Failed"})", PushKind::kDown},
      {R"({"msg":"a "b"","status": false})", PushKind::kDown},
      {R"({"checks":[{"status":"ok"}],"msg":"a "b"","status":"down"})", PushKind::kDown},
      {R"({"checks":[{"status":"down"}],"msg":"a "b"","status":"ok"})", PushKind::kDown},
      {R"({"status":"sideways", oops)", PushKind::kUp},
      {R"({"msg":"x")", PushKind::kUp},
      {"not json at all", PushKind::kUp},
      {R"(["status","down"])", PushKind::kUp},
      {R"("down")", PushKind::kUp},
      {R"({"value":1e999,"status":"down"})", PushKind::kDown},
  };
  for (const auto& [body, kind] : cases) {
    const Parsed parsed = Parse("", kJson, body);
    EXPECT_TRUE(parsed.status.ok()) << body;
    EXPECT_EQ(parsed.p.kind, kind) << body;
    EXPECT_THAT(parsed.p.warning, HasSubstr("not a valid JSON object")) << body;
  }
  EXPECT_EQ(Parse("", kJson, R"({"msg":"kept", oops)").p.message, "kept");
  EXPECT_FALSE(Parse("", kJson, R"({"status":"sideways"})").status.ok());
}

TEST(PushParametersTest, ReadsAlertmanagersBody) {
  const std::string rest = R"(","msg":"no","receiver":"tocsin","alerts":[{"status":"firing",)"
                           R"("labels":{"alertname":"Watchdog"}}],"version":"4"})";
  const Parsed firing = Parse("", kJson, R"({"status":"firing)" + rest);
  EXPECT_TRUE(firing.status.ok());
  EXPECT_EQ(firing.p.kind, PushKind::kUp);
  EXPECT_EQ(firing.p.message, "");
  EXPECT_EQ(firing.p.warning, "");
  EXPECT_EQ(Parse("", kJson, R"({"status":"resolved)" + rest).p.kind, PushKind::kLog);
  EXPECT_EQ(Parse("status=down", kJson, R"({"status":"resolved)" + rest).p.kind, PushKind::kDown);
  EXPECT_EQ(Parse("", kJson, R"({"status":"firing","alerts":[{"a)").p.kind, PushKind::kUp);
  EXPECT_FALSE(Parse("", kJson, R"({"status":"firing"})").status.ok());
}

TEST(PushParametersTest, CutsAndRepairsTheMessage) {
  EXPECT_EQ(Parse("msg=" + std::string(5000, 'a')).p.message, std::string(4096, 'a'));
  // U+00E9 in two bytes does not fit into the last one.
  EXPECT_EQ(Parse("msg=" + std::string(4095, 'a') + "%C3%A9").p.message, std::string(4095, 'a'));
  EXPECT_EQ(Parse("msg=" + std::string(4094, 'a') + "%C3%A9").p.message,
            std::string(4094, 'a') + "\xC3\xA9");
  EXPECT_EQ(Parse("msg=a%00b").p.message, "ab");
  EXPECT_EQ(Parse("msg=a%FFb").p.message,
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(Parse("msg=caf\xE9").p.message, "caf\xEF\xBF\xBD") << "Latin-1";
  EXPECT_EQ(Parse("", kJson, R"({"msg":"a\u0000\u00e9"})").p.message, "a\xC3\xA9");
}

TEST(PushParametersTest, ReadsValuesAndWarnsOfOthers) {
  const std::vector<std::pair<std::string, double>> good = {
      {"1", 1}, {"-0.5", -0.5}, {"1e3", 1000}, {"+7", 7}, {"%2B7", 7}, {"%201%20", 1}, {".5", 0.5}};
  for (const auto& [text, value] : good) {
    const Parsed parsed = Parse("value=" + text);
    EXPECT_EQ(parsed.p.value, value) << text;
    EXPECT_EQ(parsed.p.warning, "") << text;
  }
  for (const char* text : {"nan", "inf", "-Infinity", "1e999", "12ms", "1,5", "x"}) {
    for (const char* name : {"value", "ping"}) {
      const Parsed parsed = Parse(std::string(name) + "=" + text + "&status=down");
      EXPECT_TRUE(parsed.status.ok()) << text;
      EXPECT_EQ(parsed.p.kind, PushKind::kDown);
      EXPECT_EQ(parsed.p.value, std::nullopt) << text;
      EXPECT_THAT(parsed.p.warning, HasSubstr(name)) << text;
    }
  }
  EXPECT_EQ(Parse("ping=1&value=2").p.value, 2);
  EXPECT_EQ(Parse("ping=1&value=%20").p.value, 1);
}

TEST(PushParametersTest, ARunIdHasABound) {
  EXPECT_EQ(Parse("run=" + std::string(64, 'r')).p.run_id, std::string(64, 'r'));
  const absl::Status status = Parse("run=" + std::string(65, 'r')).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("run"));
  EXPECT_FALSE(Parse("run=" + std::string(60, 'r') + "%FF%FF").status.ok()) << "repaired: 66 bytes";
}

}  // namespace
}  // namespace tocsin::gateway
