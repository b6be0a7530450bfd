#include "dnsd/forward/ip_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace dnsd {
namespace {

SocketAddress AddressOf(const std::string& ip) {
  SocketAddress address;
  const bool is_v6 = ip.find(':') != std::string::npos;
  address.sa.sa_family = is_v6 ? AF_INET6 : AF_INET;
  void* bytes =
      is_v6 ? static_cast<void*>(&address.v6.sin6_addr) : &address.v4.sin_addr;
  EXPECT_EQ(inet_pton(address.sa.sa_family, ip.c_str(), bytes), 1) << ip;
  return address;
}

TEST(IpNetwork, HasTheAddressesOfItsPrefix) {
  struct Case {
    const char* network;
    const char* ip;
    bool is_in;
  };
  constexpr Case kCases[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.9.9.9/8", "10.0.0.1", true},  // bits behind the prefix
      {"172.16.0.0/12", "172.31.255.255", true},
      {"172.16.0.0/12", "172.32.0.0", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.0/31", "192.0.2.1", true},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "127.0.0.1", false},
      {"fc00::/7", "fdff::1", true},
      {"fc00::/7", "fe00::1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1", "::1", true},
  };
  for (const Case& c : kCases) {
    const auto network = IpNetwork::Parse(c.network);
    ASSERT_TRUE(network.has_value()) << c.network;
    EXPECT_EQ(network->Contains(AddressOf(c.ip)), c.is_in)
        << c.network << " " << c.ip;
  }
}

TEST(IpNetwork, TakesNothingElse) {
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                           "10.0.0.0/8/8", "10.0.0/8", "::/129", "::1/x",
                           "localhost", " 10.0.0.0/8", "10.0.0.0/8 "}) {
    EXPECT_FALSE(IpNetwork::Parse(text).has_value()) << "'" << text << "'";
  }
}

TEST(IpNetwork, ByDefaultThisMachineAndPrivateNetworksMayAsk) {
  const std::vector<IpNetwork> allowed = DefaultRecursionAllow();
  const auto may = [&](const char* ip) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const IpNetwork& network) {
                         return network.Contains(AddressOf(ip));
                       });
  };
  for (const char* ip : {"127.0.0.1", "10.1.2.3", "172.20.0.1", "192.168.1.1",
                         "100.64.0.1", "::1", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(may(ip)) << ip;
  }
  for (const char* ip :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"}) {
    EXPECT_FALSE(may(ip)) << ip;
  }
}

}  // namespace
}  // namespace dnsd
