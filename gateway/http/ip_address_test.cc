// Addresses and networks as people and proxies write them.
#include "gateway/http/ip_address.h"

#include <gtest/gtest.h>

namespace tocsin::http {
namespace {

TEST(IpAddressTest, ReadsWhatProxiesWrite) {
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->ToString(), "192.0.2.1");
  EXPECT_EQ(IpAddress::Parse(" 192.0.2.1:8080 ")->ToString(), "192.0.2.1");
  EXPECT_EQ(IpAddress::Parse("2001:DB8::1")->ToString(), "2001:db8::1");
  EXPECT_EQ(IpAddress::Parse("[2001:db8::1]:443")->ToString(), "2001:db8::1");
  EXPECT_EQ(IpAddress::Parse("::ffff:192.0.2.1"), IpAddress::Parse("192.0.2.1"));
  for (const char* bad : {"", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "[::1", "::1::2"}) {
    EXPECT_FALSE(IpAddress::Parse(bad)) << bad;
  }
}

TEST(IpNetworkTest, ContainsItsAddresses) {
  const auto contains = [](const char* network, const char* address) {
    return IpNetwork::Parse(network)->Contains(*IpAddress::Parse(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("10.1.2.3/12", "10.15.255.255"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(IpNetworkTest, ReadsListsAndSaysWhatIsWrong) {
  EXPECT_EQ(IpNetwork::ParseList("10.0.0.0/8, ::1,")->size(), 2u);
  EXPECT_TRUE(IpNetwork::ParseList("")->empty());
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "proxy", "1.2.3.4/8/9"}) {
    EXPECT_FALSE(IpNetwork::ParseList(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tocsin::http
