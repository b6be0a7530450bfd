#include "dnsd/serve/listen_socket.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "tests/dnsd/serve/serve_testing.h"

namespace dnsd {
namespace {

using testing::Client;
using testing::FreeEndpoint;

int Option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

std::string ErrorOf(const absl::Status& status) {
  return std::string(status.message());
}

TEST(ListenSocket, EndpointTextPutsIpv6InBrackets) {
  EXPECT_EQ(EndpointText({"127.0.0.1", 53}), "127.0.0.1:53");
  EXPECT_EQ(EndpointText({"::1", 8600}), "[::1]:8600");
}

TEST(ListenSocket, AddressesAreIpLiteralsOnly) {
  for (const char* good : {"0.0.0.0", "127.0.0.1", "::", "::1", "fe80::1%lo"}) {
    EXPECT_TRUE(ToSocketAddress({good, 53}).ok()) << good;
  }
  for (const char* bad : {"", "localhost", "1.2.3", "1.2.3.4.5", "[::1]",
                          "127.0.0.1%lo", "fe80::1%no-such-if", ":::"}) {
    EXPECT_FALSE(ToSocketAddress({bad, 53}).ok()) << bad;
  }
  EXPECT_EQ(ToSocketAddress({"fe80::1%lo", 53})->port(), 53);
}

TEST(ListenSocket, WorkersShareAPort) {
  const Endpoint endpoint = FreeEndpoint("127.0.0.1");
  ASSERT_NE(endpoint.port, 0);
  const auto udp1 = ListenUdp(endpoint);
  const auto udp2 = ListenUdp(endpoint);
  const auto tcp1 = ListenTcp(endpoint);
  const auto tcp2 = ListenTcp(endpoint);
  EXPECT_TRUE(udp1.ok()) << udp1.status();
  EXPECT_TRUE(udp2.ok()) << udp2.status();
  EXPECT_TRUE(tcp1.ok()) << tcp1.status();
  EXPECT_TRUE(tcp2.ok()) << tcp2.status();
}

// SO_REUSEPORT on both sides would let the second bind succeed.
TEST(ListenSocket, ProbeFindsAnotherUdpServer) {
  const Endpoint endpoint = FreeEndpoint("127.0.0.1");
  const auto other = ListenUdp(endpoint);
  ASSERT_TRUE(other.ok());
  const auto port = ProbePort(endpoint);
  ASSERT_EQ(port.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorOf(port.status()),
            "cannot listen on " + EndpointText(endpoint) +
                " udp: address already in use (is another DNS server running "
                "on it?)");
}

TEST(ListenSocket, ProbeFindsAnotherTcpServer) {
  const Endpoint endpoint = FreeEndpoint("::1");
  const auto other = ListenTcp(endpoint);
  ASSERT_TRUE(other.ok());
  const auto port = ProbePort(endpoint);
  ASSERT_EQ(port.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(ErrorOf(port.status()).find("]:"), std::string::npos);
  EXPECT_NE(ErrorOf(port.status()).find(" tcp: "), std::string::npos);
}

TEST(ListenSocket, ProbeFindsAServerOnTheWildcardAddress) {
  const Endpoint endpoint = FreeEndpoint("0.0.0.0");
  const auto other = ListenUdp(endpoint);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(ProbePort({"127.0.0.1", endpoint.port}).ok());
}

// A port that was free over IPv6 may be somebody's over IPv4: look for one that
// is free over both, a few times.
TEST(ListenSocket, BothWildcardsStandSideBySide) {
  Endpoint v6;
  Endpoint v4;
  for (int tries = 0; tries < 20; ++tries) {
    v6 = FreeEndpoint("::");
    v4 = {"0.0.0.0", v6.port};
    if (ProbePort(v4).ok()) break;
  }
  const auto v6_udp = ListenUdp(v6);
  const auto v6_tcp = ListenTcp(v6);
  const auto v4_udp = ListenUdp(v4);
  const auto v4_tcp = ListenTcp(v4);
  EXPECT_TRUE(v6_udp.ok()) << v6_udp.status();
  EXPECT_TRUE(v6_tcp.ok()) << v6_tcp.status();
  EXPECT_TRUE(v4_udp.ok()) << v4_udp.status();
  EXPECT_TRUE(v4_tcp.ok()) << v4_tcp.status();
}

TEST(ListenSocket, SaysWhenTheAddressIsNotHere) {
  // 192.0.2.0/24 is for documentation (RFC 5737).
  const auto socket = ListenUdp({"192.0.2.1", 5300});
  ASSERT_EQ(socket.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorOf(socket.status()),
            "cannot listen on 192.0.2.1:5300 udp: no such address on this "
            "machine");
}

// Capabilities belong to threads, so one thread can give up the one that
// opens ports below 1024, even if the tests run as root.
TEST(ListenSocket, SaysHowToGrantThePermission) {
  int first_free_port = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >>
      first_free_port;
  if (first_free_port <= 953) GTEST_SKIP() << "all ports are open to all";
  absl::Status status;
  std::thread([&status] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
    status = ProbePort({"127.0.0.1", 953}).status();
  }).join();
  ASSERT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  for (const char* part :
       {"cannot listen on 127.0.0.1:953 udp: permission denied",
        "setcap cap_net_bind_service=+ep",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE"}) {
    EXPECT_NE(ErrorOf(status).find(part), std::string::npos) << part;
  }
}

TEST(ListenSocket, UdpBuffersAreEnlarged) {
  const UniqueFd plain(socket(AF_INET, SOCK_DGRAM, 0));
  const auto socket = ListenUdp(FreeEndpoint("127.0.0.1"));
  ASSERT_TRUE(socket.ok());
  EXPECT_GE(Option(socket->fd.get(), SOL_SOCKET, SO_RCVBUF),
            Option(plain.get(), SOL_SOCKET, SO_RCVBUF));
  int limit = 0;
  std::ifstream("/proc/sys/net/core/rmem_max") >> limit;
  EXPECT_GE(Option(socket->fd.get(), SOL_SOCKET, SO_RCVBUF), limit);
}

// Linux hands TCP_NODELAY of a listening socket on to accepted ones; without
// it pipelined answers wait 40 ms.
TEST(ListenSocket, AcceptedSocketsInheritNoDelay) {
  const Endpoint endpoint = FreeEndpoint("127.0.0.1");
  const auto listening = ListenTcp(endpoint);
  ASSERT_TRUE(listening.ok());
  Client client(endpoint, SOCK_STREAM);
  pollfd ready{listening->fd.get(), POLLIN, 0};
  ASSERT_EQ(poll(&ready, 1, 5000), 1);
  const UniqueFd accepted(accept(listening->fd.get(), nullptr, nullptr));
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(Option(accepted.get(), IPPROTO_TCP, TCP_NODELAY), 1);
}

}  // namespace
}  // namespace dnsd
