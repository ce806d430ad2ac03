// Requests to messages, over the project's own contract: paths, queries, bodies, and what is
// refused.
#include "gateway/rest/request_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status_details.h"
#include "gateway/rest/reference.h"
#include "tocsin/v1/alert_service.pb.h"
#include "tocsin/v1/audit_service.pb.h"
#include "tocsin/v1/channel_service.pb.h"
#include "tocsin/v1/delivery_service.pb.h"
#include "tocsin/v1/key_service.pb.h"
#include "tocsin/v1/monitor_service.pb.h"
#include "tocsin/v1/push_service.pb.h"

namespace tocsin::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RequestMappingTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Map(const std::string& method,
                                                                 const std::string& target,
                                                                 const std::string& body = "") {
    const size_t question = target.find('?');
    const std::string path = target.substr(0, question);
    const std::string query = question == std::string::npos ? "" : target.substr(question + 1);
    const RestInput input{
        .path = RequestPath::Split(path), .query = query, .content_type = "", .body = body};
    const RestBinding* binding = table_.Find(method, input.path);
    if (binding == nullptr) return absl::NotFoundError("no route");
    return MapRequest(*binding, input, IsOutputOnly);
  }
  template <typename T>
  T Read(const std::string& method, const std::string& target, const std::string& body = "") {
    const auto mapped = Map(method, target, body);
    EXPECT_TRUE(mapped.ok()) << mapped.status();
    T message;
    if (mapped.ok()) {
      EXPECT_TRUE(message.ParseFromString((*mapped)->SerializeAsString()));
    }
    return message;
  }
  // The fields that are refused, in order.
  std::vector<std::string> Refused(const std::string& method, const std::string& target,
                                   const std::string& body = "") {
    const auto mapped = Map(method, target, body);
    EXPECT_EQ(mapped.status().code(), absl::StatusCode::kInvalidArgument) << mapped.status();
    std::vector<std::string> fields;
    for (const FieldViolation& violation : FieldViolations(mapped.status())) {
      EXPECT_NE(violation.description, "");
      fields.push_back(violation.field);
    }
    return fields;
  }
  std::string Message(const std::string& method, const std::string& target,
                      const std::string& body = "") {
    return std::string(Map(method, target, body).status().message());
  }

  const RouteTable table_ = *RouteTable::Make(PublicServices());
};

constexpr char kMonitors[] = "/v1/projects/p/monitors";
constexpr char kMonitor[] = "/v1/projects/p/monitors/m";

TEST_F(RequestMappingTest, EveryMethodOfThePublicServicesHasARoute) {
  size_t methods = 0;
  for (const auto* service : PublicServices())
    methods += static_cast<size_t>(service->method_count());
  EXPECT_GE(methods, 30u);
  EXPECT_GE(table_.bindings().size(), methods);
}

TEST_F(RequestMappingTest, FindsTheMoreSpecificRouteAndSaysWhatIsAllowed) {
  const auto path = RequestPath::Split(kMonitor);
  EXPECT_EQ(table_.Find("GET", path)->FullMethod(), "/tocsin.v1.MonitorService/GetMonitor");
  EXPECT_EQ(table_.Find("PUT", path), nullptr);
  EXPECT_EQ(table_.Allowed(path), "DELETE, GET, HEAD, PATCH");
  EXPECT_EQ(table_.Allowed(RequestPath::Split("/v1/projects/p/monitors/m:explode")), "");
}

TEST_F(RequestMappingTest, ReadsPathAndQuery) {
  const auto list = Read<v1::ListMonitorsRequest>(
      "GET", std::string(kMonitors) +
                 "?pageSize=20&page_token=a%2Bb&showDeleted=true&filter=state%3DDOWN+AND+x");
  EXPECT_EQ(list.parent(), "projects/p");
  EXPECT_EQ(list.page_size(), 20);
  EXPECT_EQ(list.page_token(), "a+b");
  EXPECT_TRUE(list.show_deleted());
  EXPECT_EQ(list.filter(), "state=DOWN AND x");
}

TEST_F(RequestMappingTest, ReadsEnumsByNameAndNumberAndTimes) {
  for (const char* state : {"STATE_DEAD", "3"}) {
    EXPECT_EQ(Read<v1::ListDeliveriesRequest>(
                  "GET", std::string("/v1/projects/p/deliveries?state=") + state)
                  .state(),
              v1::Delivery::STATE_DEAD);
  }
  const auto audit = Read<v1::ListAuditEntriesRequest>(
      "GET",
      "/v1/projects/-/"
      "auditEntries?startTime=2026-01-05T12:00:00Z&end_time=2026-01-05T13:00:00.5%2B01:00");
  EXPECT_EQ(audit.parent(), "projects/-");
  EXPECT_EQ(audit.start_time().seconds(), 1767614400);
  EXPECT_EQ(audit.end_time().nanos(), 500000000);
}

TEST_F(RequestMappingTest, ReadsABodyThatIsAFieldAndOneThatIsTheRequest) {
  const auto create = Read<v1::CreateMonitorRequest>(
      "POST", std::string(kMonitors) + "?monitorId=m&validateOnly=true",
      R"({"display_name": "M", "severity": "SEVERITY_CRITICAL", "labels": {"team": "a"},
          "schedule": {"heartbeat": {"timeout": "90s", "grace": "0.5s"}}, "failureThreshold": "1",
          "channels": ["projects/p/channels/c"], "armOnCreate": true, "owner": null})");
  EXPECT_EQ(create.monitor_id(), "m");
  EXPECT_TRUE(create.validate_only());
  EXPECT_EQ(create.monitor().display_name(), "M");
  EXPECT_EQ(create.monitor().severity(), v1::Monitor::SEVERITY_CRITICAL);
  EXPECT_EQ(create.monitor().labels().at("team"), "a");
  EXPECT_EQ(create.monitor().schedule().heartbeat().timeout().seconds(), 90);
  EXPECT_EQ(create.monitor().schedule().heartbeat().grace().nanos(), 500000000);
  EXPECT_EQ(create.monitor().failure_threshold(), 1);
  EXPECT_THAT(create.monitor().channels(), ElementsAre("projects/p/channels/c"));
  const auto rotate = Read<v1::RotatePushTokenRequest>(
      "POST", std::string(kMonitor) + ":rotatePushToken", R"({"overlap": "0s"})");
  EXPECT_EQ(rotate.name(), "projects/p/monitors/m");
  EXPECT_TRUE(rotate.has_overlap());
  const auto push = Read<v1::PushRequest>(
      "POST", "/v1/push",
      R"({"pushToken": "t", "value": 1e3, "exitStatus": 2.0, "pushId": "18446744073709551615"})");
  EXPECT_EQ(push.value(), 1000);
  EXPECT_EQ(push.exit_status(), 2);
  EXPECT_EQ(push.push_id(), 18446744073709551615u);
}

TEST_F(RequestMappingTest, AnEmptyBodyIsAnEmptyObject) {
  EXPECT_EQ(Read<v1::PauseMonitorRequest>("POST", std::string(kMonitor) + ":pause").name(),
            "projects/p/monitors/m");
  EXPECT_TRUE(Read<v1::CreateMonitorRequest>("POST", std::string(kMonitors) + "?monitorId=m", " \n")
                  .has_monitor());
}

TEST_F(RequestMappingTest, APatchWithoutAMaskChangesWhatItsBodyGives) {
  const auto update = Read<v1::UpdateMonitorRequest>(
      "PATCH", kMonitor,
      R"({"name": "projects/p/monitors/m", "owner": "", "schedule": {"heartbeat": {"grace": "60s"}},
          "labels": {"a": "b"}, "runbookUrl": null, "etag": "e", "state": "STATE_UP", "updateTime": null})");
  EXPECT_THAT(update.update_mask().paths(),
              UnorderedElementsAre("owner", "schedule.heartbeat.grace", "labels", "runbook_url"));
  EXPECT_EQ(update.monitor().name(), "projects/p/monitors/m");
  EXPECT_EQ(update.monitor().etag(), "e");
}

TEST_F(RequestMappingTest, AMaskThatIsGivenIsKept) {
  for (const char* mask : {"displayName,schedule.heartbeat.recommendedInterval",
                           "display_name,schedule.heartbeat.recommended_interval"}) {
    const auto update = Read<v1::UpdateMonitorRequest>(
        "PATCH", std::string(kMonitor) + "?updateMask=" + mask, R"({"owner": "x"})");
    EXPECT_THAT(update.update_mask().paths(),
                ElementsAre("display_name", "schedule.heartbeat.recommended_interval"));
  }
  EXPECT_THAT(Read<v1::UpdateMonitorRequest>("PATCH", std::string(kMonitor) + "?updateMask=*", "{}")
                  .update_mask()
                  .paths(),
              ElementsAre("*"));
}

TEST_F(RequestMappingTest, RefusesEveryParameterThatIsWrongAndNamesEach) {
  EXPECT_THAT(Refused("GET", std::string(kMonitors) +
                                 "?colour=red&pageSize=many&pageSize=2&showDeleted=maybe"),
              ElementsAre("colour", "pageSize", "pageSize", "showDeleted"));
  EXPECT_THAT(Refused("GET", std::string(kMonitors) + "?pageSize=1&page_size=2"),
              ElementsAre("pageSize"));
  EXPECT_THAT(Refused("GET", std::string(kMonitors) + "?parent=projects/q"), ElementsAre("parent"));
  EXPECT_THAT(Refused("GET", std::string(kMonitors) + "?pageSize.x=1&.=1"),
              ElementsAre("pageSize.x", "."));
  EXPECT_THAT(Refused("POST", std::string(kMonitors) + "?monitorId=m&monitor.owner=x", "{}"),
              ElementsAre("monitor.owner"));
  EXPECT_THAT(Refused("POST", std::string(kMonitor) + ":pause?name=x", "{}"), ElementsAre("name"));
  EXPECT_THAT(Refused("GET", std::string(kMonitors) + "?filter=%ff&pageToken=%00&orderBy=%4"),
              ElementsAre("filter", "pageToken", "orderBy"));
  EXPECT_THAT(Refused("GET", std::string(kMonitors) + "?%ff=1"), ElementsAre("query"));
  EXPECT_THAT(Refused("GET", "/v1/projects/p/deliveries?state=99"), ElementsAre("state"));
  EXPECT_THAT(Message("GET", "/v1/projects/p/deliveries?state=DEAD"), HasSubstr("STATE_DEAD"));
  for (const char* value : {"yes", "TRUE", "on", "2", ""}) {
    EXPECT_EQ(Message("GET", std::string(kMonitors) + "?showDeleted=" + value),
              "showDeleted: must be true or false");
  }
}

TEST_F(RequestMappingTest, RefusesAPathThatCanBeNoName) {
  for (const char* part : {"a%2Fb", "%4", "%zz", "%00", "%ff"}) {
    const absl::Status status = Map("GET", std::string(kMonitors) + "/" + part).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << part;
    EXPECT_EQ(Reason(status), "MALFORMED_PATH") << part;
  }
}

TEST_F(RequestMappingTest, ATextNamesFieldsAsTheViolationsDo) {
  EXPECT_EQ(Message("POST", std::string(kMonitors) + "?huh=1", R"({"failure_threshold": "x"})"),
            "monitor.failureThreshold: must be a whole number of 32 bits\n"
            "huh: is no parameter that is known here");
}

TEST_F(RequestMappingTest, RefusesEveryFieldOfABodyThatIsWrongAndNamesEach) {
  EXPECT_THAT(
      Refused(
          "POST", std::string(kMonitors) + "?monitorId=m&huh=1",
          R"({"colour": 1, "owner": 5, "labels": {"a": 1}, "failureThreshold": 1.5, "channels": ["a", null],
                  "schedule": {"heartbeat": {"timeout": 90, "grace": "soon"}}, "severity": "BAD", "armOnCreate": "yes"})"),
      UnorderedElementsAre("monitor.colour", "monitor.owner", "monitor.labels.a",
                           "monitor.failureThreshold", "monitor.channels[1]",
                           "monitor.schedule.heartbeat.timeout", "monitor.schedule.heartbeat.grace",
                           "monitor.severity", "monitor.armOnCreate", "huh"));
  EXPECT_THAT(Refused("POST", std::string(kMonitors),
                      R"({"owner": "a", "display_name": "b", "displayName": "c"})"),
              ElementsAre("monitor.displayName"));
  EXPECT_THAT(Refused("PATCH", kMonitor, R"({"name": "projects/q/monitors/m"})"),
              ElementsAre("monitor.name"));
  EXPECT_THAT(Refused("POST", std::string(kMonitors), R"({"schedule": []})"),
              ElementsAre("monitor.schedule"));
  EXPECT_THAT(Refused("POST", std::string(kMonitors), R"({"failureThreshold": 99999999999})"),
              ElementsAre("monitor.failureThreshold"));
}

TEST_F(RequestMappingTest, SaysWhereABodyIsNoJson) {
  const struct {
    std::string body;
    const char* says;
    const char* reason = "MALFORMED_JSON";
  } kCases[] = {
      {"{\"owner\": \"a\",\n  \"display_name\": }", "line 2, column 19"},
      {"{", "line 1"},
      {"{'a': 1}", "line 1, column 2"},
      {"{\"owner\": \"a\"} x", "line 1, column 16"},
      {"[]", "must be a JSON object", "BODY_NOT_AN_OBJECT"},
      {"\"text\"", "must be a JSON object", "BODY_NOT_AN_OBJECT"},
      {"null", "must be a JSON object", "BODY_NOT_AN_OBJECT"},
      {"{\"owner\": NaN}", "no JSON"},
      {"{\"owner\": \"a\", \"owner\": \"b\"}", "\"owner\" is given twice"},
      {"{\"owner\": \"\\u0000\"}", "has a NUL"},
      {"{\"owner\": \"\xff\"}", "no JSON"},
      {std::string(100000, '['), "nested deeper than 64", "JSON_TOO_DEEP"},
      {"{\"a\":" + std::string(100000, '{'), "no JSON"},
  };
  for (const auto& c : kCases) {
    const absl::Status status =
        Map("POST", std::string(kMonitors) + "?monitorId=m", c.body).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says)) << c.body.substr(0, 60);
    EXPECT_EQ(Reason(status), c.reason) << c.body.substr(0, 60);
  }
}

TEST_F(RequestMappingTest, RefusesABodyWhereNoneIsTaken) {
  EXPECT_THAT(Message("DELETE", kMonitor, R"({"etag": "x"})"), HasSubstr("takes no body"));
  for (const char* method : {"DELETE", "GET"}) {
    EXPECT_EQ(Reason(Map(method, kMonitor, "{}").status()), "BODY_NOT_TAKEN");
  }
  EXPECT_EQ(Read<v1::DeleteMonitorRequest>("DELETE", std::string(kMonitor) + "?etag=x").etag(),
            "x");
}

TEST_F(RequestMappingTest, KnowsWhatIsOutputOnly) {
  const auto& monitor = *v1::Monitor::descriptor();
  EXPECT_TRUE(IsOutputOnly(*monitor.FindFieldByName("state")));
  EXPECT_TRUE(IsOutputOnly(*monitor.FindFieldByName("etag")));
  EXPECT_FALSE(IsOutputOnly(*monitor.FindFieldByName("owner")));
}

TEST(JsonTypeTest, TakesJsonByEveryName) {
  for (const char* type : {"", "application/json", "Application/JSON; charset=utf-8",
                           "application/merge-patch+json"}) {
    EXPECT_TRUE(IsJsonType(type)) << type;
  }
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "+json", "json"}) {
    EXPECT_FALSE(IsJsonType(type)) << type;
  }
}

}  // namespace
}  // namespace tocsin::gateway
