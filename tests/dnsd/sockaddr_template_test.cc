#include "dnsd/sockaddr_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dnsd {
namespace {

TEST(SockaddrTemplate, ExpandsTheCommonTemplates) {
  const std::vector<InterfaceAddress> addresses = {
      {"lo", "127.0.0.1", true},      {"lo", "::1", true},
      {"eth0", "2001:db8::1", false}, {"eth0", "198.51.100.4", false},
      {"eth1", "fd00::1", false},     {"eth1", "192.168.1.2", false},
      {"eth2", "100.64.0.9", false},
  };
  struct Case {
    const char* text;
    const char* expanded;  // nullptr: an error
  };
  const Case cases[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"{{ GetPrivateIP }}", "192.168.1.2"},
      {"{{GetPublicIP}}", "198.51.100.4"},
      {"{{ GetInterfaceIP \"eth2\" }}", "100.64.0.9"},
      {"a {{ GetPrivateIP }} b{{GetPublicIP}}", "a 192.168.1.2 b198.51.100.4"},
      {"{{ GetInterfaceIP eth2 }}", nullptr},
      {"{{ GetInterfaceIP \"eth9\" }}", nullptr},
      {"{{ GetAllInterfaces | attr \"address\" }}", nullptr},
      {"{{ }}", nullptr},
      {"{{", nullptr},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<std::string> expanded =
        ExpandAddressTemplate(c.text, addresses);
    EXPECT_EQ(expanded.ok(), c.expanded != nullptr) << c.text;
    if (expanded.ok() && c.expanded != nullptr) {
      EXPECT_EQ(*expanded, c.expanded);
    }
  }
  EXPECT_EQ(DefaultNodeIp(addresses), "192.168.1.2");
  EXPECT_EQ(DefaultNodeIp({{"eth0", "198.51.100.4", false}}), "198.51.100.4");
  EXPECT_EQ(DefaultNodeIp({{"lo", "127.0.0.1", true}}), "127.0.0.1");
  EXPECT_FALSE(IsPrivateIp("172.32.0.1"));
  EXPECT_TRUE(IsPrivateIp("172.31.0.1"));
}

TEST(SockaddrTemplate, ListsTheLoopbackInterface) {
  bool found = false;
  for (const InterfaceAddress& address : ListInterfaceAddresses()) {
    if (address.ip == "127.0.0.1") found = address.loopback;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace dnsd
