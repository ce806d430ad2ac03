// What all adapters have in common, and that they and the REST API keep out of each other's way.
#include "gateway/adapters/adapter.h"

#include <gtest/gtest.h>

#include "gateway/adapters/testing/reading_fixture.h"
#include "gateway/monitor_id.h"

namespace tocsin::gateway {
namespace {

const Adapter* const kAll[] = {&CronitorAdapter(), &GatusAdapter(), &HealthchecksAdapter(),
                               &OpsgenieAdapter(), &SentryAdapter()};

TEST(AdapterTest, OwnPathsAreNoneOfTheirs) {
  for (const char* target :
       {"/", "", "*", "/api/push/t", "/api/push", "/api/v1/push", "/api/v1/projects", "/docs",
        "/openapi.json", "/ping", "/ping/", "/PING/t", "/pingx/t", "/p", "/metrics", "/v2/"}) {
    EXPECT_EQ(FindAdapter(SplitTarget(target)), nullptr) << target;
  }
}

TEST(AdapterTest, WhatARetryCuresSaysWhenInEveryDialect) {
  for (const Adapter* adapter : kAll) {
    for (const PushVerdict verdict : {PushVerdict::kTooOften, PushVerdict::kTryLater}) {
      const http::Response response = AnswerOf(*adapter, verdict);
      EXPECT_EQ(response.status, verdict == PushVerdict::kTooOften ? 429 : 503);
      EXPECT_EQ(HeaderOf(response, "Retry-After"), "2");
      EXPECT_EQ(HeaderOf(response, "X-Request-Id"), "id-1");
    }
  }
}

TEST(AdapterTest, APreflightIsAnsweredAndAWrongMethodIsToldTheRightOnes) {
  for (const Adapter* adapter : kAll) {
    EXPECT_FALSE(adapter->Takes("OPTIONS"));
    EXPECT_FALSE(adapter->Takes("DELETE"));
    EXPECT_TRUE(adapter->Takes("POST"));
    EXPECT_EQ(adapter->Preflight().status, 204);
    const http::Response refused = AnswerOf(*adapter, PushVerdict::kWrongMethod);
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(HeaderOf(refused, "Allow"), adapter->methods());
  }
}

TEST(MonitorIdTest, NamesOfOtherMonitorsBecomeIds) {
  EXPECT_EQ(MonitorIdOf("backup-1"), "backup-1");
  EXPECT_EQ(MonitorIdOf("Group_My.Job 2"), "group-my-job-2");
  EXPECT_EQ(MonitorIdOf("_name"), "name");
  EXPECT_EQ(MonitorIdOf("-_-a"), "a");
  EXPECT_EQ(MonitorIdOf("a_"), "a-");
  EXPECT_EQ(MonitorIdOf(std::string(63, 'a')), std::string(63, 'a'));
  for (const std::string& name :
       {std::string(), std::string("_"), std::string(64, 'a'), std::string("a/b"),
        std::string("\xC3\xA9"), std::string(1, '\0'), std::string("a+b"), std::string("a\n")}) {
    EXPECT_EQ(MonitorIdOf(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace tocsin::gateway
