// What may be a push URL, and that nothing of it is told.
#include "cli/exec/push_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "Zr3vQ8nLxT0bWc5y";

std::string With(const std::string& url) {
  const auto parsed = PushUrl::Parse(url);
  return parsed.ok() ? parsed->With("status=up") : std::string(parsed.status().message());
}

TEST(PushUrlTest, ParametersGoInFrontOfItsOwn) {
  EXPECT_EQ(With("http://h:8080/api/push/T"), "http://h:8080/api/push/T?status=up");
  EXPECT_EQ(With(" https://h/api/push/T/\n"), "https://h/api/push/T?status=up");
  EXPECT_EQ(With("https://h/api/push/tk_K/nightly?create=1#x"),
            "https://h/api/push/tk_K/nightly?status=up&create=1");
  EXPECT_EQ(With("HTTPS://h/below/API/Push/T"), "HTTPS://h/below/API/Push/T?status=up");
  EXPECT_EQ(With("http://u:p@[::1]:1/api/push/T?"), "http://u:p@[::1]:1/api/push/T?status=up");
}

TEST(PushUrlTest, OnePushKeyReachesEveryMonitorByName) {
  const auto key = PushUrl::Parse("https://h/api/push/tk_K?create=1");
  EXPECT_EQ(key->Of("nightly")->With("status=up"),
            "https://h/api/push/tk_K/nightly?status=up&create=1");
  EXPECT_EQ(key->Of("a/b?c")->With("x"), "https://h/api/push/tk_K/a%2Fb%3Fc?x&create=1");
  const auto twice = PushUrl::Parse("https://h/api/push/tk_K/nightly")->Of("hourly");
  EXPECT_EQ(twice.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(twice.status().message()),
              HasSubstr("accepted: http(s)://HOST/api/push/PUSH-KEY"));
}

TEST(PushUrlTest, AnotherUrlIsRefusedWithoutBeingQuoted) {
  const std::string token = kToken;
  for (const std::string& url : std::vector<std::string>{
           token,
           "ftp://h/api/push/" + token,
           "/api/push/" + token,
           "http:///api/push/" + token,
           "http://h/ping/" + token,
           "http://h?" + token + "/api/push/x",
           "http://h/api/push/",
           "http://h/api/push//" + token,
           "http://h/api/push/" + token + "/m/start",
           "http://h/api/push/" + token + " x",
           "http://h/api/push/" + token + std::string(9000, 'x'),
       }) {
    const auto parsed = PushUrl::Parse(url);
    ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("accepted: http(s)://HOST"));
    EXPECT_THAT(std::string(parsed.status().message()), Not(HasSubstr(token)));
  }
}

TEST(PushUrlTest, WhatMustNotBeShownIsFound) {
  const auto url = PushUrl::Parse(std::string("http://h/api/push/") + kToken);
  EXPECT_TRUE(url->IsIn(std::string("could not fetch /") + kToken));
  EXPECT_FALSE(url->IsIn("could not connect to h"));
}

TEST(PushUrlTest, TheFlagIsBeforeTheVariableAndTheVariableBeforeItsFile) {
  const std::string file = testing::TempDir() + "/exec-push-url";
  std::ofstream(file) << "http://file/api/push/T\n";
  unsetenv("TOCSIN_PUSH_URL");
  unsetenv("TOCSIN_PUSH_URL_FILE");
  EXPECT_THAT(std::string(FindPushUrl("", "").status().message()),
              HasSubstr("set TOCSIN_PUSH_URL"));
  setenv("TOCSIN_PUSH_URL_FILE", file.c_str(), 1);
  EXPECT_EQ(FindPushUrl("", "")->With("x"), "http://file/api/push/T?x");
  setenv("TOCSIN_PUSH_URL", "http://variable/api/push/T", 1);
  EXPECT_EQ(FindPushUrl("", "")->With("x"), "http://variable/api/push/T?x");
  EXPECT_EQ(FindPushUrl(file, "")->With("x"), "http://file/api/push/T?x");
  EXPECT_THAT(std::string(FindPushUrl("/no/such/file", "").status().message()),
              HasSubstr("/no/such/file"));
  setenv("TOCSIN_PUSH_URL", kToken, 1);
  EXPECT_THAT(std::string(FindPushUrl("", "").status().message()),
              HasSubstr("what is in TOCSIN_PUSH_URL is no push URL"));
  unsetenv("TOCSIN_PUSH_URL");
  unsetenv("TOCSIN_PUSH_URL_FILE");
}

TEST(PushUrlTest, TextIsEncodedForAQuery) {
  EXPECT_EQ(PercentEncoded("a-b.c_d~9"), "a-b.c_d~9");
  EXPECT_EQ(PercentEncoded("x y&z=\xff"), "x%20y%26z%3D%FF");
}

}  // namespace
}  // namespace tocsin::cli
