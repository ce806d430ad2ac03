// The table of addresses to which webhooks may and may not be sent.
#include "services/notifier/channel/address_policy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <vector>

namespace tocsin::notifier {
namespace {

IpAddress Ip(const char* text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress{});
}

AddressPolicy Open(std::vector<const char*> networks) {
  std::vector<IpNetwork> allowed;
  for (const char* text : networks) allowed.push_back(*IpNetwork::Parse(text));
  return AddressPolicy(false, std::move(allowed));
}

TEST(AddressPolicyTest, AllowsPublicAddresses) {
  const AddressPolicy policy(false, {});
  for (const char* text :
       {"1.1.1.1",         "8.8.8.8",           "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",       "126.255.255.255", "128.0.0.1",
        "172.15.255.255",  "172.32.0.0",        "192.167.255.255", "192.169.0.0",
        "198.17.255.255",  "198.20.0.0",        "223.255.255.255", "168.63.129.17",
        "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",  "64:ff9b::808:808",
        "2002:808:808::1"}) {
    EXPECT_TRUE(policy.Allows(Ip(text))) << text;
  }
}

// Opened by --allow_private_webhooks.
const char* const kPrivate[] = {"127.0.0.1",
                                "127.255.255.254",
                                "10.0.0.1",
                                "10.255.255.255",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.0.1",
                                "192.168.255.255",
                                "169.254.169.254",
                                "169.254.0.1",
                                "100.64.0.1",
                                "100.127.255.255",
                                "100.100.100.200",
                                "168.63.129.16",
                                "192.0.0.192",
                                "198.18.0.1",
                                "198.19.255.255",
                                "::1",
                                "fe80::1",
                                "febf::1",
                                "fec0::1",
                                "fc00::1",
                                "fd00:ec2::254",
                                "fdff::1",
                                "64:ff9b:1::1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "::ffff:169.254.169.254",
                                "64:ff9b::7f00:1",
                                "64:ff9b::a00:1",
                                "64:ff9b::a9fe:a9fe",
                                "2002:7f00:1::1",
                                "2002:a00:1::1",
                                "2002:c0a8:101::"};

// Opened only by name.
const char* const kUnusable[] = {"0.0.0.0",
                                 "0.1.2.3",
                                 "192.0.2.1",
                                 "192.88.99.1",
                                 "198.51.100.1",
                                 "203.0.113.1",
                                 "224.0.0.1",
                                 "239.255.255.255",
                                 "240.0.0.1",
                                 "255.255.255.255",
                                 "::",
                                 "::7f00:1",
                                 "::10.0.0.1",
                                 "::ffff:0:7f00:1",
                                 "100::1",
                                 "2001::1",
                                 "2001:0:4136:e378::1",
                                 "2001:20::1",
                                 "2001:db8::1",
                                 "3fff::1",
                                 "5f00::1",
                                 "ff02::1",
                                 "::ffff:0.0.0.0",
                                 "::ffff:224.0.0.1",
                                 "64:ff9b::"};

TEST(AddressPolicyTest, RefusesWhatIsNotPublicUnlessPrivateIsAllowed) {
  for (const char* text : kPrivate) {
    EXPECT_FALSE(AddressPolicy(false, {}).Allows(Ip(text))) << text;
    EXPECT_TRUE(AddressPolicy(true, {}).Allows(Ip(text))) << text;
  }
}

TEST(AddressPolicyTest, RefusesWhatIsNoReceiverAtAll) {
  for (const char* text : kUnusable) {
    EXPECT_FALSE(AddressPolicy(false, {}).Allows(Ip(text))) << text;
    EXPECT_FALSE(AddressPolicy(true, {}).Allows(Ip(text))) << text;
  }
}

TEST(AddressPolicyTest, OpensExactlyTheNetworksOfTheAllowList) {
  const AddressPolicy policy = Open({"10.1.0.0/16", "fd00:1::/32", "192.168.7.7"});
  EXPECT_TRUE(policy.Allows(Ip("10.1.255.255")));
  EXPECT_FALSE(policy.Allows(Ip("10.2.0.0")));
  EXPECT_TRUE(policy.Allows(Ip("fd00:1::9")));
  EXPECT_FALSE(policy.Allows(Ip("fd00:2::9")));
  EXPECT_TRUE(policy.Allows(Ip("192.168.7.7")));
  EXPECT_FALSE(policy.Allows(Ip("192.168.7.8")));
  EXPECT_TRUE(policy.Allows(Ip("::ffff:10.1.0.1")));
  EXPECT_FALSE(policy.Allows(Ip("::ffff:10.2.0.1")));
  EXPECT_TRUE(Open({"0.0.0.0/0"}).Allows(Ip("127.0.0.1")));
}

TEST(AddressPolicyTest, ParsesNetworksAndSaysWhatIsWrong) {
  for (const char* good : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/127", "1.2.3.4"}) {
    EXPECT_TRUE(IpNetwork::Parse(good).ok()) << good;
  }
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fd00::/129", "example",
                          "10.0.0/8", "[::1]/128", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(IpNetwork::Parse(bad).ok()) << bad;
  }
}

TEST(AddressPolicyTest, ReadsSocketAddresses) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "2001:db8::5", &v6.sin6_addr);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&v6))->ToString(), "2001:db8::5");
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "192.0.2.9", &v4.sin_addr);
  EXPECT_EQ(IpAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&v4))->ToString(), "192.0.2.9");
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::FromSockaddr(&other).has_value());
}

}  // namespace
}  // namespace tocsin::notifier
