// Which targets are pushes.
#include "gateway/route.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/client_address.h"

namespace tocsin::gateway {
namespace {

TEST(RouteTest, FindsTokenAndQuery) {
  struct Case {
    std::string target, token, query;
  };
  for (const Case& c : {
           Case{"/api/push/abc", "abc", ""},
           Case{"/api/push/abc/", "abc", ""},
           Case{"/API/Push/AbC?status=up", "AbC", "status=up"},
           Case{"/api/push/abc/?a=/b?c", "abc", "a=/b?c"},
           Case{"/api/push", "", ""},
           Case{"/api/push/", "", ""},
           Case{"/api/push?msg=x", "", "msg=x"},
           Case{"http://tocsin.example.com/api/push/abc?x=1", "abc", "x=1"},
           Case{"/api/push/a%2Fb", "a%2Fb", ""},
           Case{"/api/push/abc?x=1#part", "abc", "x=1"},
       }) {
    const Route route = ParseRoute(c.target);
    EXPECT_EQ(route.endpoint, Route::Endpoint::kPush) << c.target;
    EXPECT_EQ(route.token, c.token) << c.target;
    EXPECT_EQ(route.query, c.query) << c.target;
    EXPECT_EQ(route.monitor, "") << c.target;
    EXPECT_EQ(route.action, "") << c.target;
  }
}

TEST(RouteTest, FindsMonitorAndActionBehindAPushKey) {
  struct Case {
    std::string target, token, monitor, action;
  };
  for (const Case& c : {
           Case{"/api/push/tk_Ab/backup", "tk_Ab", "backup", ""},
           Case{"/API/push/tk_Ab/backup/?create=1", "tk_Ab", "backup", ""},
           Case{"/api/push/tk_Ab/backup/fail", "tk_Ab", "backup", "fail"},
           Case{"/api/push/tk_Ab/backup/17/", "tk_Ab", "backup", "17"},
           Case{"/api/push/tk_Ab/ba%63kup/st%61rt", "tk_Ab", "ba%63kup", "st%61rt"},
           Case{"/api/push/tk_Ab", "tk_Ab", "", ""},
       }) {
    const Route route = ParseRoute(c.target);
    EXPECT_EQ(route.endpoint, Route::Endpoint::kPush) << c.target;
    EXPECT_EQ(route.token, c.token) << c.target;
    EXPECT_EQ(route.monitor, c.monitor) << c.target;
    EXPECT_EQ(route.action, c.action) << c.target;
  }
}

TEST(RouteTest, KnowsNothingElse) {
  for (const char* target :
       {"/", "", "*", "/api", "/api/pushed/abc", "/api/push/abc/def", "/api/push//",
        "/api/push/tk_Ab/backup/fail/more", "/api/push/tk_Ab//", "/api/push/tk_Ab/backup//",
        "/api/push/tk_Ab//fail", "/api/push/TK_Ab/backup", "/api/push//abc", "/apipush/abc",
        "/api/push\\abc", "http://host", "/metrics"}) {
    EXPECT_EQ(ParseRoute(target).endpoint, Route::Endpoint::kUnknown) << target;
  }
}

TEST(ClientAddressTest, BelievesOnlyTrustedProxies) {
  const auto ip = [](const char* text) { return *http::IpAddress::Parse(text); };
  const auto trusted = *http::IpNetwork::ParseList("10.0.0.0/8,2001:db8::/32");
  struct Case {
    const char *peer, *forwarded, *client;
  };
  for (const Case& c : {
           Case{"192.0.2.1", "198.51.100.7", "192.0.2.1"},  // not a proxy of ours
           Case{"10.0.0.1", "", "10.0.0.1"},
           Case{"10.0.0.1", "198.51.100.7", "198.51.100.7"},
           Case{"10.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"},  // the front is invented
           Case{"10.0.0.1", "198.51.100.7, 10.9.9.9", "198.51.100.7"},
           Case{"10.0.0.1", "10.9.9.9", "10.9.9.9"},
           Case{"10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"},
           Case{"2001:db8::1", "[2001:db9::2]:443", "2001:db9::2"},
       }) {
    EXPECT_EQ(ClientAddress(ip(c.peer), c.forwarded, trusted), ip(c.client)) << c.forwarded;
  }
  EXPECT_EQ(ClientAddress(ip("10.0.0.1"), "1.2.3.4", {}), ip("10.0.0.1"));
}

}  // namespace
}  // namespace tocsin::gateway
