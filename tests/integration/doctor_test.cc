// `dnsd doctor` of the machine and the agent: a full disk, a port that is
// taken, another user.
#include "dnsd/cli/doctor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/cli/dns_probe.h"
#include "dnsd/limits.h"
#include "tests/integration/doctor_fixture.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;

TEST_F(DoctorTest, AMachineWithoutAnAgent) {
  config_ = Write("");
  const Finished said = Doctor();
  EXPECT_EQ(said.exit_code, 0) << said.output;
  EXPECT_THAT(Lines(said, "config"), StartsWith("ok "));
  EXPECT_THAT(Lines(said, "agent"),
              AllOf(StartsWith("warn"), HasSubstr("connection refused")));
  EXPECT_THAT(Lines(said, "port"),
              StartsWith("ok    port: 127.0.0.1:5300 is free"));
  EXPECT_THAT(Lines(said, "clock"), HasSubstr("synchronised"));
  EXPECT_THAT(said.output, Not(HasSubstr("answers:")));
}

TEST_F(DoctorTest, ARunningAgentAnswers) {
  Start("");
  const Finished said = Doctor();
  EXPECT_EQ(said.exit_code, 0) << said.output;
  EXPECT_THAT(Lines(said, "agent"), StartsWith("ok "));
  EXPECT_THAT(Lines(said, "port"),
              HasSubstr(absl::StrCat("dnsd (process ", agent_->process().pid(),
                                     ") has")));
  EXPECT_THAT(Lines(said, "answers"),
              AllOf(HasSubstr("over UDP answers"),
                    HasSubstr("over TCP answers"), Not(HasSubstr("fail"))));
  EXPECT_THAT(Lines(said, "drops"), StartsWith("ok "));
  // Without its configuration, by its address.
  const Finished by_address =
      RunDnsd({"doctor", "-http-addr", agent_->HttpAddress(), "-format=json"});
  EXPECT_EQ(by_address.exit_code, 0) << by_address.output;
  EXPECT_THAT(by_address.output, HasSubstr("\"Check\": \"answers\""));
}

TEST_F(DoctorTest, WhatIsWrongWithTheConfigurationIsAllThatIsSaid) {
  config_ = Write("nonsense = 1\n");
  const Finished said = Doctor();
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.output,
              AllOf(StartsWith("fail  config: "), HasSubstr("nonsense"),
                    Not(HasSubstr("port:"))));
}

TEST_F(DoctorTest, WrongFlagsAreNoFinding) {
  EXPECT_EQ(RunDnsd({"doctor", "-nonsense"}).exit_code, 2);
  EXPECT_EQ(RunDnsd({"doctor", "word"}).exit_code, 2);
  EXPECT_EQ(RunDnsd({"doctor", "-h"}).exit_code, 0);
}

TEST_F(DoctorTest, APortThatAnotherHas) {
  config_ = Write("");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDns);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  const Finished said = Doctor();
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(Lines(said, "port"),
              AllOf(StartsWith("fail"), HasSubstr("taken by"),
                    HasSubstr(absl::StrCat("process ", getpid())),
                    HasSubstr("UDP"), HasSubstr("resolvers.md")));
  close(fd);
  EXPECT_THAT(Lines(Doctor(), "port"), StartsWith("ok "));
}

TEST_F(DoctorTest, ALowPortNeedsACapability) {
  config_ = dir_.Write("dnsd.hcl",
                       absl::StrCat("ports { dns = 53 http = ", kHttp, " }\n"));
  EXPECT_THAT(Lines(Doctor(), "capability"), StartsWith("ok "));
  WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
  const Finished said = Doctor(Nobody());
  if (!absl::StrContains(said.output, "clock:")) {
    GTEST_SKIP() << "no other user: " << said.output;
  }
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(Lines(said, "capability"),
              AllOf(StartsWith("fail"), HasSubstr("setcap")));
  WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "53\n");
  EXPECT_THAT(Lines(Doctor(Nobody()), "capability"), StartsWith("ok "));
  // Whoever asks, a running agent has it.
  WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
  agent_.emplace(std::vector<std::string>{"-config-file", config_, "-dns-port",
                                          "53", "-http-port",
                                          absl::StrCat(kHttp)});
  ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  EXPECT_THAT(Lines(Doctor(Nobody()), "capability"), StartsWith("ok "));
  const Finished other = Doctor(Nobody());
  EXPECT_THAT(Lines(other, "port"), StartsWith("ok "));
  EXPECT_THAT(Lines(other, "descriptors"),
              AllOf(StartsWith("warn"), HasSubstr("does not see")));
}

// Secrets stand in files that dnsd's user alone may read.
TEST_F(DoctorTest, AConfigurationThatThisUserMayNotReadIsNoMistake) {
  config_ = Write("");
  fs::permissions(config_, fs::perms::owner_all);
  const Finished said = Doctor(Nobody());
  if (!absl::StrContains(said.output, "config:")) {
    GTEST_SKIP() << "no other user: " << said.output;
  }
  EXPECT_THAT(Lines(said, "config"),
              AllOf(StartsWith("warn"), HasSubstr("Permission denied"),
                    HasSubstr("may not read it")));
  EXPECT_THAT(said.output, HasSubstr("clock:"));
}

// Who made the sockets keeps them, as systemd does.
TEST_F(DoctorTest, APassedSocketIsDnsds) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDns);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> fds;
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const int fd = socket(AF_INET, type, 0);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
              0);
    if (type == SOCK_STREAM) {
      ASSERT_EQ(listen(fd, 16), 0);
    }
    fds.push_back(fcntl(fd, F_DUPFD, 100));
    close(fd);
  }
  config_ = Write("");
  const std::string script =
      absl::StrCat("exec 3<&", fds[0], " 4<&", fds[1], " ", fds[0], "<&- ",
                   fds[1], "<&-; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"");
  agent_.emplace(std::vector<std::string>{"-config-file", config_, "-http-port",
                                          absl::StrCat(kHttp)},
                 std::vector<std::string>{"bash", "-c", script, "bash"});
  ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  EXPECT_THAT(Lines(Doctor(), "port"),
              AllOf(StartsWith("ok "), HasSubstr("dnsd (process ")));
  for (const int fd : fds) close(fd);
}

TEST_F(DoctorTest, BuffersAndWhatWasDropped) {
  config_ = Write("");
  int bytes = kUdpReceiveBufferBytes;
  socklen_t size = sizeof(bytes);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, size);
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  const bool is_small = bytes / 2 < kUdpReceiveBufferBytes;
  EXPECT_THAT(Lines(Doctor(), "buffers"),
              StartsWith(is_small ? "warn" : "ok "));
  // Root passes the limit.
  Start("workers = 1\n");
  EXPECT_THAT(Lines(Doctor(), "buffers"), StartsWith("ok "));
  agent_->process().Pause();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDns);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string junk(1000, 'x');
  for (int i = 0; i < 20'000; ++i) {
    sendto(fd, junk.data(), junk.size(), 0,
           reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  close(fd);
  agent_->process().Signal(SIGCONT);
  EXPECT_THAT(Lines(Doctor(), "drops"),
              AllOf(StartsWith("warn"), HasSubstr("-workers")));
}

TEST_F(DoctorTest, FilesThatMayBeOpen) {
  config_ = Write("workers = 1\ndns_config { tcp { max_conns = 100 } }\n");
  EXPECT_THAT(Lines(Doctor({"prlimit", "--nofile=4096:4096"}), "descriptors"),
              StartsWith("ok "));
  EXPECT_THAT(Lines(Doctor({"prlimit", "--nofile=1024:1024"}), "descriptors"),
              AllOf(StartsWith("warn"), HasSubstr("LimitNOFILE")));
}

TEST_F(DoctorTest, WhoAsksDnsd) {
  fs::remove("/etc/resolv.conf");
  WriteFile("/etc/resolv.conf", "nameserver 192.0.2.53\n");
  config_ = dir_.Write("dnsd.hcl",
                       absl::StrCat("ports { dns = 53 http = ", kHttp, " }\n"));
  EXPECT_THAT(Lines(Doctor(), "resolver"),
              AllOf(HasSubstr("do not ask dnsd, but 192.0.2.53"),
                    HasSubstr("setup-resolver")));
  ASSERT_EQ(RunDnsd({"setup-resolver"}).exit_code, 0);
  EXPECT_THAT(Lines(Doctor(), "resolver"),
              StartsWith("ok    resolver: /etc/resolv.conf names dnsd"));
  ASSERT_EQ(RunDnsd({"setup-resolver", "-undo"}).exit_code, 0);
  config_ = Write("");
  ASSERT_EQ(RunDnsd({"setup-resolver", "-mode=resolved"}).exit_code, 0);
  EXPECT_THAT(Lines(Doctor(), "resolver"), HasSubstr("do not ask dnsd"));
  ASSERT_EQ(RunDnsd({"setup-resolver", "-undo"}).exit_code, 0);
  ASSERT_EQ(RunDnsd({"setup-resolver", "-mode=resolved", "-address",
                     absl::StrCat("127.0.0.1:", kDns)})
                .exit_code,
            0);
  config_ = Write("recursors = [\"127.0.0.53\"]\n");
  EXPECT_THAT(Lines(Doctor(), "resolver"),
              HasSubstr("setup-resolver was here"));
  EXPECT_THAT(Lines(Doctor(), "loop"),
              AllOf(StartsWith("fail"), HasSubstr("systemd-resolved")));
  ASSERT_EQ(RunDnsd({"setup-resolver", "-undo"}).exit_code, 0);
  EXPECT_THAT(Lines(Doctor(), "loop"), StartsWith("ok "));
}

TEST_F(DoctorTest, ACircleOfForwardersIsSeen) {
  AgentProcess other({"-client", "127.0.0.2", "-dns-port", "53", "-recursor",
                      absl::StrCat("127.0.0.1:", kDns), "-http-port", "5381"});
  ASSERT_TRUE(other.WaitUntilServing()) << other.process().output();
  Start("recursors = [\"127.0.0.2\"]\n");
  EXPECT_TRUE(WaitUntil([this] {
    static_cast<void>(AskUdp(agent_->dns(), {"www.example.com"},
                             std::chrono::milliseconds(500)));
    return absl::StrContains(Lines(Doctor(), "loop"), "fail");
  })) << Doctor().output;
}

TEST_F(DoctorTest, WhoMayAskForNamesOfOthers) {
  const std::string asks = "recursors = [\"127.0.0.2\"]\n";
  config_ = Write(asks);
  EXPECT_THAT(Lines(Doctor(), "recursion"),
              AllOf(StartsWith("ok "), HasSubstr("only this machine")));
  const std::string outside = asks + "client_addr = \"0.0.0.0\"\n";
  config_ = Write(outside);
  EXPECT_THAT(Lines(Doctor(), "recursion"),
              AllOf(StartsWith("ok "), HasSubstr("not the Internet")));
  for (const char* open : {"0.0.0.0/0", "::/0", "128.0.0.0/1"}) {
    config_ = Write(absl::StrCat(outside, "dns_config { recursion_allow = [\"",
                                 open, "\"] }\n"));
    const Finished said = Doctor();
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(Lines(said, "recursion"),
                AllOf(StartsWith("fail"), HasSubstr("recursion_allow")))
        << open;
  }
  config_ = Write(absl::StrCat(
      outside, "dns_config { recursion_allow = [\"203.0.113.0/24\"] }\n"));
  EXPECT_THAT(Lines(Doctor(), "recursion"), StartsWith("ok "));
}

TEST_F(DoctorTest, ADirectoryForData) {
  const std::string dir = dir_.Path("data");
  fs::create_directory(dir);
  config_ = Write(absl::StrCat("data_dir = \"", dir, "\"\n"));
  EXPECT_THAT(Lines(Doctor(), "data_dir"), HasSubstr("MiB left"));
  const Finished nobody = Doctor(Nobody());
  if (absl::StrContains(nobody.output, "clock:")) {
    // The agent need not be this user's.
    EXPECT_THAT(Lines(nobody, "data_dir"),
                AllOf(StartsWith("warn"), HasSubstr("cannot be written"),
                      HasSubstr("as the user that runs dnsd")));
    fs::permissions(dir, fs::perms::owner_all);
    config_ = Write(absl::StrCat("data_dir = \"", dir, "/deep\"\n"));
    EXPECT_THAT(Lines(Doctor(Nobody()), "data_dir"),
                AllOf(StartsWith("warn"), HasSubstr("cannot look at")));
    config_ = Write(absl::StrCat("data_dir = \"", dir, "\"\n"));
  }
  for (const auto& [options, verdict] :
       {std::pair{"size=4m", "fail"}, std::pair{"size=50m", "warn"},
        std::pair{"size=400m", "ok "}}) {
    ASSERT_EQ(mount("none", dir.c_str(), "tmpfs", 0, options), 0);
    EXPECT_THAT(Lines(Doctor(), "data_dir"), StartsWith(verdict));
    ASSERT_EQ(umount(dir.c_str()), 0);
  }
  // What is not there will be made, here.
  config_ = Write("data_dir = \"nothing-of-this-name/deep\"\n");
  EXPECT_THAT(Lines(Doctor(), "data_dir"), HasSubstr("MiB left"));
  dir_.Write("file", "");
  config_ = Write(absl::StrCat("data_dir = \"", dir_.Path("file"), "/x\"\n"));
  EXPECT_THAT(Lines(Doctor(), "data_dir"), HasSubstr("is no directory"));
}

TEST_F(DoctorTest, ACertificateThatEnds) {
  const Authority authority;
  config_ = dir_.Write(
      "dnsd.hcl", absl::StrCat("ports { dns = ", kDns, " http = ", kHttp,
                               " https = 5443 }\ntls { https { cert_file = \"",
                               authority.certificate("a"), "\" key_file = \"",
                               authority.key("a"), "\" } }\n"));
  for (const auto& [days, verdict] :
       {std::pair{100, "ok "}, std::pair{3, "warn"}, std::pair{-1, "fail"}}) {
    authority.Issue("a", "DNS:localhost", days);
    EXPECT_THAT(Lines(Doctor(), "certificate"), StartsWith(verdict)) << days;
  }
}

TEST_F(DoctorTest, DnsThatDoesNotAnswerIsTold) {
  const Endpoint nobody{"127.0.0.1", 5999};
  EXPECT_THAT(SoaProbe(nobody, SocketProtocol::kUdp, "consul.").message(),
              HasSubstr("connection refused"));
  EXPECT_THAT(SoaProbe(nobody, SocketProtocol::kTcp, "consul.").message(),
              HasSubstr("connection refused"));
  Start("");
  const Endpoint here{"127.0.0.1", kDns};
  for (const auto protocol : {SocketProtocol::kUdp, SocketProtocol::kTcp}) {
    EXPECT_TRUE(SoaProbe(here, protocol, "consul.").ok());
    EXPECT_THAT(SoaProbe(here, protocol, "example.com.").message(),
                HasSubstr("REFUSED"));
  }
  agent_->process().Pause();
  EXPECT_THAT(SoaProbe(here, SocketProtocol::kUdp, "consul.").message(),
              HasSubstr("no answer in 2000 ms"));
  agent_->process().Signal(SIGCONT);
}

}  // namespace
}  // namespace dnsd::testing
