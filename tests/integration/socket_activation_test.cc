// The real binary with sockets that a service manager has bound for it
// (sd_listen_fds(3)): made here as systemd makes them, and kept between two
// runs of the agent as it keeps them.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PassedFds {
 public:
  ~PassedFds() {
    for (int fd : fds_) close(fd);
  }

  // A socket of 127.0.0.1; port 0: the kernel chooses. Returns the port.
  uint16_t Add(int type, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1;
    DNSD_CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0);
    auto* const sa = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    DNSD_CHECK(bind(fd, sa, size) == 0);
    if (type == SOCK_STREAM) DNSD_CHECK(listen(fd, 16) == 0);
    DNSD_CHECK(getsockname(fd, sa, &size) == 0);
    Keep(fd);
    return ntohs(address.sin_port);
  }

  // Of the first UDP socket of AddForWorkers(), in the kernel's count.
  [[nodiscard]] int ReceiveBuffer() const {
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    getsockopt(fds_.at(1), SOL_SOCKET, SO_RCVBUF, &bytes, &size);
    return bytes;
  }
  void SetReceiveBuffer(int bytes) const {
    setsockopt(fds_.at(1), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
  }

  // [::], of both families as systemd makes it unless it is told otherwise.
  void AddDualStack() {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    DNSD_CHECK(
        bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    Keep(fd);
  }

  // Both for each of `workers`. Returns the port.
  uint16_t AddForWorkers(int workers) {
    // What is free over TCP need not be over UDP; here nearly every port is.
    const uint16_t port = Add(SOCK_STREAM, 0);
    Add(SOCK_DGRAM, port);
    for (int i = 1; i < workers; ++i) {
      Add(SOCK_DGRAM, port);
      Add(SOCK_STREAM, port);
    }
    return port;
  }

  // Runs what follows with the sockets as descriptors 3 and up.
  [[nodiscard]] std::vector<std::string> Prefix() const {
    std::string script = "exec";
    for (size_t i = 0; i < fds_.size(); ++i) {
      absl::StrAppend(&script, " ", i + 3, "<&", fds_[i], " ", fds_[i], "<&-");
    }
    absl::StrAppend(&script, "; LISTEN_PID=$$ LISTEN_FDS=", fds_.size(),
                    " LISTEN_FDNAMES=dnsd.socket exec \"$@\"");
    return {"bash", "-c", script, "bash"};
  }

 private:
  // Far from where they are wanted, and for children to inherit.
  void Keep(int fd) {
    fds_.push_back(fcntl(fd, F_DUPFD, 100));
    DNSD_CHECK(fds_.back() >= 0);
    close(fd);
  }

  std::vector<int> fds_;
};

class SocketActivationTest : public ::testing::Test {
 protected:
  SocketActivationTest() {
    dir_.Write("web.hcl",
               "service { name = \"web\" address = \"192.0.2.1\" port = 80 }\n"
               "workers = 7\n");
  }
  std::vector<std::string> Args() const { return {"-config-dir", dir_.path()}; }
  // The agent has to refuse what it is passed.
  std::string Refusal() const {
    AgentProcess agent(Args(), passed_.Prefix());
    EXPECT_EQ(agent.process().Wait(), 1);
    return agent.process().output();
  }

  TempDir dir_;
  PassedFds passed_;
};

TEST_F(SocketActivationTest, EveryPassedSocketGetsAWorker) {
  const uint16_t port = passed_.AddForWorkers(3);
  AgentProcess agent(Args(), passed_.Prefix());
  ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
  EXPECT_EQ(agent.dns().port, port);
  // Other ports of the client lead to other sockets.
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(AskUdp(agent.dns(), {"web.service.consul."}).rcode, "NOERROR");
    EXPECT_EQ(AskTcp(agent.dns(), {"web.service.consul."}).rcode, "NOERROR");
  }
  ConsulApi api("http://" + agent.HttpAddress());
  const std::string health = api.Get("/health");
  EXPECT_THAT(health, HasSubstr("dnsd-w2"));
  EXPECT_THAT(health, Not(HasSubstr("dnsd-w3")));
  EXPECT_EQ(agent.Reload().exit_code, 0);
  EXPECT_THAT(agent.process().output(), Not(HasSubstr("needs a restart")));
  EXPECT_EQ(agent.Stop(), 0);
}

// The manager may set what we may not.
TEST_F(SocketActivationTest, ABufferIsNotMadeSmaller) {
  passed_.AddForWorkers(1);
  passed_.SetReceiveBuffer(16 << 20);
  const int before = passed_.ReceiveBuffer();
  AgentProcess agent(Args(), passed_.Prefix());
  ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
  EXPECT_GE(passed_.ReceiveBuffer(), before);
}

// The manager keeps the sockets, so a question waits for the next agent.
TEST_F(SocketActivationTest, NoQueryIsLostByARestart) {
  const uint16_t port = passed_.AddForWorkers(1);
  {
    AgentProcess agent(Args(), passed_.Prefix());
    ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
    ASSERT_EQ(agent.Stop(), 0);
  }
  const DnsServer server{"127.0.0.1", port};
  DnsSocket udp = DnsSocket::Udp(server);
  DnsSocket tcp = DnsSocket::Tcp(server);
  ASSERT_TRUE(udp.Send(MakeQuery({"web.service.consul."}, 1)));
  ASSERT_TRUE(tcp.SendFrame(MakeQuery({"web.service.consul."}, 2)));
  AgentProcess agent(Args(), passed_.Prefix());
  EXPECT_EQ(udp.Receive().rcode, "NOERROR");
  EXPECT_EQ(tcp.Receive().rcode, "NOERROR");
}

TEST_F(SocketActivationTest, WhatIsNoPairIsRefused) {
  const uint16_t port = passed_.AddForWorkers(1);
  passed_.Add(SOCK_DGRAM, port);
  EXPECT_THAT(Refusal(),
              HasSubstr(absl::StrCat(
                  "passes 2 sockets of UDP and 1 of TCP for 127.0.0.1:", port,
                  ": its unit has to list every address equally often")));
}

TEST_F(SocketActivationTest, ASocketOfBothFamiliesIsRefused) {
  if (!HasAddress("::1")) GTEST_SKIP() << "no IPv6";
  passed_.AddDualStack();
  EXPECT_THAT(Refusal(), HasSubstr("socket 1 of 1 from the service manager: "
                                   "[::] has to be of IPv6 only"));
}

// They are another process's: a parent's that forgot to take them away.
TEST_F(SocketActivationTest, SocketsOfAnotherProcessAreNotTaken) {
  AgentProcess agent(
      Args(), {"env", "LISTEN_FDS=2", absl::StrCat("LISTEN_PID=", getpid())});
  ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
  EXPECT_EQ(AskUdp(agent.dns(), {"web.service.consul."}).rcode, "NOERROR");
}

}  // namespace
}  // namespace dnsd::testing
