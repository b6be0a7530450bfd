// Kinds of checks that Consul 1.8.7 has not, and what it does not show: real
// servers answer, or ones that do it wrong. checks_diff_test.cc has the rest.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "tests/catalog/registry/checks/probe_targets.h"
#include "tests/catalog/registry/checks/runner_fixture.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

class ProbesTest : public RunnerTest {
 protected:
  ProbesTest() { MakeRunner(Quick()); }
};

// A UDP socket that answers everything, or nothing.
class UdpServer {
 public:
  explicit UdpServer(bool answers)
      : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    DNSD_CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), bytes) ==
               0);
    DNSD_CHECK(
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
    port_ = ntohs(address.sin_port);
    if (answers) thread_ = std::thread([this] { Serve(); });
  }
  ~UdpServer() {
    shutdown(fd_, SHUT_RDWR);  // wakes recvfrom()
    if (thread_.joinable()) thread_.join();
    close(fd_);
  }
  [[nodiscard]] std::string Address() const {
    return absl::StrCat("127.0.0.1:", port_);
  }

 private:
  void Serve() {
    while (true) {
      sockaddr_in from{};
      socklen_t bytes = sizeof(from);
      char byte = 0;
      const ssize_t count = recvfrom(
          fd_, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &bytes);
      if (count < 0 || from.sin_port == 0) return;
      sendto(fd_, "x", 1, 0, reinterpret_cast<const sockaddr*>(&from), bytes);
    }
  }

  const int fd_;
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(ProbesTest, UdpPassesUnlessItIsRefused) {
  const UdpServer answering(true);
  const UdpServer silent(false);
  CheckDefinition check;
  check.timeout = milliseconds(200);
  for (const UdpServer* server : {&answering, &silent}) {
    check.udp = server->Address();
    const CheckFinding report = Run(check);
    EXPECT_EQ(report.status, HealthStatus::kPassing) << report.output;
    EXPECT_EQ(report.output,
              absl::StrCat("UDP connect ", check.udp, ": Success"));
  }
  EXPECT_EQ(runner_->stats().timeouts, 1u);
  check.udp = absl::StrCat("127.0.0.1:", UnusedPort());
  check.timeout = std::chrono::seconds(20);
  const CheckFinding report = Run(check);
  EXPECT_EQ(report.status, HealthStatus::kCritical);
  EXPECT_TRUE(absl::StartsWith(report.output, "read udp 127.0.0.1:"))
      << report.output;
  EXPECT_TRUE(absl::EndsWith(report.output, absl::StrCat("->", check.udp,
                                                         ": read: connection "
                                                         "refused")))
      << report.output;
}

TEST_F(ProbesTest, H2PingIsAnsweredByNghttpd) {
  const TestCertificate certificate;
  Nghttpd plain(nullptr);
  Nghttpd tls(&certificate);
  ASSERT_TRUE(plain.WaitUntilListening());
  ASSERT_TRUE(tls.WaitUntilListening());
  CheckDefinition check;
  check.h2ping = plain.Address();
  check.h2ping_use_tls = false;
  EXPECT_EQ(Run(check).output, "HTTP2 ping was successful");
  check.h2ping = tls.Address();
  check.h2ping_use_tls = true;
  check.tls_skip_verify = true;
  CheckFinding report = Run(check);
  EXPECT_EQ(report.output, "HTTP2 ping was successful");
  EXPECT_EQ(report.status, HealthStatus::kPassing);
  check.tls_skip_verify = false;
  check.tls_server_name = "test.local";
  report = Run(check);
  EXPECT_EQ(report.status, HealthStatus::kCritical);
  EXPECT_EQ(report.output,
            absl::StrCat("Failed to dial to ", check.h2ping,
                         ": x509: certificate signed by unknown authority"));
  // No TLS where the server wants it, and the other way round.
  check.h2ping_use_tls = false;
  EXPECT_EQ(Run(check).status, HealthStatus::kCritical);
  check.h2ping_use_tls = true;
  check.h2ping = plain.Address();
  EXPECT_EQ(Run(check).status, HealthStatus::kCritical);
}

TEST_F(ProbesTest, H2PingNeedsAnHttp2Server) {
  const ScriptedServer http1([](ScriptedServer::Connection* connection) {
    connection->Write("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection->WaitForClose();
  });
  const ScriptedServer mute([](ScriptedServer::Connection* connection) {
    connection->WaitForClose();
  });
  const ScriptedServer closing([](ScriptedServer::Connection*) {});
  CheckDefinition check;
  check.h2ping_use_tls = false;
  check.timeout = milliseconds(300);
  for (const ScriptedServer* server : {&http1, &mute, &closing}) {
    check.h2ping = absl::StrCat("127.0.0.1:", server->port());
    const CheckFinding report = Run(check);
    EXPECT_EQ(report.status, HealthStatus::kCritical);
    EXPECT_TRUE(absl::StartsWith(report.output, "HTTP2 ping failed: "))
        << report.output;
  }
  check.h2ping = absl::StrCat("127.0.0.1:", UnusedPort());
  EXPECT_EQ(Run(check).output,
            absl::StrCat("Failed to dial to ", check.h2ping, ": dial tcp ",
                         check.h2ping, ": connect: connection refused"));
}

TEST_F(ProbesTest, GrpcOverTlsVerifiesTheCertificate) {
  const TestCertificate certificate;
  CheckRunnerOptions options = Quick();
  options.probes.tls.ca_file = certificate.certificate();
  MakeRunner(options);
  const auto server = StartGrpcServer(&certificate);
  CheckDefinition check;
  check.grpc = absl::StrCat(server->Address(), "/up");
  check.grpc_use_tls = true;
  check.tls_server_name = "test.local";
  const CheckFinding report = Run(check);
  EXPECT_EQ(report.output,
            absl::StrCat("gRPC check ", check.grpc, ": success"));
  check.tls_server_name = "other.local";
  EXPECT_TRUE(absl::StrContains(
      Run(check).output,
      "x509: certificate is valid for test.local, not other.local"))
      << last_.rbegin()->second.output;
}

TEST_F(ProbesTest, TcpWithTls) {
  const TestCertificate certificate;
  CheckRunnerOptions options = Quick();
  options.probes.tls.ca_file = certificate.certificate();
  MakeRunner(options);
  const auto server = StartHttpsServer(certificate);
  CheckDefinition check;
  check.tcp = server->Address();
  check.tcp_use_tls = true;
  check.tls_server_name = "test.local";
  EXPECT_EQ(Run(check).output,
            absl::StrCat("TCP+TLS connect ", check.tcp, ": Success"));
  check.tls_server_name.clear();
  EXPECT_EQ(Run(check).output,
            "x509: cannot validate certificate for 127.0.0.1 because it "
            "doesn't contain any IP SANs");
}

TEST_F(ProbesTest, HttpsKnowsAServerByAnotherName) {
  const TestCertificate certificate;
  CheckRunnerOptions options = Quick();
  options.probes.tls.ca_file = certificate.certificate();
  MakeRunner(options);
  const auto server = StartHttpsServer(certificate);
  CheckDefinition check;
  check.http = absl::StrCat("https://", server->Address(), "/");
  check.tls_server_name = "test.local";
  const CheckFinding report = Run(check);
  EXPECT_EQ(report.status, HealthStatus::kPassing) << report.output;
  EXPECT_TRUE(absl::StartsWith(
      report.output, absl::StrCat("HTTP GET ", check.http, ": 200 ok")))
      << report.output.substr(0, 200);
}

TEST_F(ProbesTest, RedirectsAreFollowedUnlessTheCheckSaysNo) {
  const ScriptedServer server(HttpTargets());
  CheckDefinition check;
  check.http = server.Url("/to/302");
  check.disable_redirects = true;
  EXPECT_EQ(Run(check).output,
            absl::StrCat("HTTP GET ", check.http, ": 302 Moved Output: moved"));
  check.disable_redirects = false;
  EXPECT_EQ(Run(check).status, HealthStatus::kPassing);
}

TEST_F(ProbesTest, AnEndlessBodyIsCutOff) {
  const ScriptedServer server([](ScriptedServer::Connection* connection) {
    if (connection->ReadRequest().empty()) return;
    connection->Write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(64u << 10, 'x');
    while (connection->Write(block)) {
    }
  });
  CheckDefinition check;
  check.http = server.Url("/");
  const CheckFinding report = Run(check);
  EXPECT_EQ(report.status, HealthStatus::kPassing);
  EXPECT_LT(report.output.size(), 4300u);
}

// A daemon that knows the three calls, as its API describes them.
ScriptedServer::Script Docker(int exit_code, const std::string& start_type,
                              const std::string& output) {
  return [=](ScriptedServer::Connection* connection) {
    while (true) {
      const std::string request = connection->ReadRequest();
      if (request.empty()) return;
      const auto say = [&](const std::string& status, const std::string& body) {
        connection->Write(absl::StrCat(
            "HTTP/1.1 ", status, "\r\nContent-Type: application/json\r\n",
            "Content-Length: ", body.size(), "\r\n\r\n", body));
      };
      if (absl::StartsWith(request, "POST /containers/gone/exec ")) {
        say("404 Not Found", R"({"message":"No such container: gone"})");
      } else if (absl::StartsWith(request, "POST /containers/paused/exec ")) {
        say("409 Conflict", R"({"message":"paused"})");
      } else if (absl::StartsWith(request, "POST /containers/c%2F1/exec ")) {
        EXPECT_TRUE(absl::StrContains(request, R"("Cmd":["check","-v"])"))
            << request;
        say("201 Created", R"({"Id":"e1"})");
      } else if (absl::StartsWith(request, "POST /exec/e1/start ")) {
        connection->Write(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: ",
                                       start_type, "\r\n\r\n", output));
        return;  // its end is the output's end
      } else if (absl::StartsWith(request, "GET /exec/e1/json ")) {
        say("200 OK", absl::StrCat(R"({"ID":"e1","Running":false,"ExitCode":)",
                                   exit_code, "}"));
      } else {
        say("400 Bad Request", request);
      }
    }
  };
}

TEST_F(ProbesTest, DockerRunsAProgramInAContainer) {
  const std::string raw = "application/vnd.docker.raw-stream";
  const std::string framed = "application/vnd.docker.multiplexed-stream";
  const struct {
    int exit_code;
    std::string type;
    std::string output;
    HealthStatus status;
    std::string expected;
  } cases[] = {
      {0, raw, "fine\n", HealthStatus::kPassing, "fine\n"},
      {1, raw, "so so", HealthStatus::kWarning, "so so"},
      {2, raw, "", HealthStatus::kCritical, ""},
      {0, framed, std::string("\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err", 22),
       HealthStatus::kPassing, "outerr"},
      {0, raw, std::string(5000, 'x'), HealthStatus::kPassing,
       absl::StrCat("Captured 4096 of 5000 bytes\n...\n",
                    std::string(4096, 'x'))},
  };
  TempDir dir;
  int number = 0;
  for (const auto& one : cases) {
    const std::string path = dir.Path(absl::StrCat("docker", ++number));
    const ScriptedServer daemon(path,
                                Docker(one.exit_code, one.type, one.output));
    CheckRunnerOptions options = Quick();
    options.probes.docker_host = "unix://" + path;
    MakeRunner(options);
    CheckDefinition check;
    check.docker_container_id = "c/1";
    check.args = {"check", "-v"};
    const CheckFinding report = Run(check);
    EXPECT_EQ(report.status, one.status);
    EXPECT_EQ(report.output, one.expected);
    check.docker_container_id = "gone";
    EXPECT_EQ(Run(check).output,
              "create exec failed for unknown container gone");
    check.docker_container_id = "paused";
    EXPECT_EQ(Run(check).output,
              "create exec failed since container paused is paused or stopped");
    runner_.reset();
  }
}

TEST_F(ProbesTest, DockerWithoutADaemonSaysSo) {
  TempDir dir;
  CheckRunnerOptions options = Quick();
  options.probes.docker_host = absl::StrCat("unix://", dir.Path("none"));
  MakeRunner(options);
  CheckDefinition check;
  check.docker_container_id = "c";
  check.args = {"true"};
  const CheckFinding report = Run(check);
  EXPECT_EQ(report.status, HealthStatus::kCritical);
  EXPECT_TRUE(
      absl::StartsWith(report.output, "create exec failed for container c: "))
      << report.output;
  // A daemon that hangs: the check's timeout counts.
  const ScriptedServer mute(dir.Path("mute"),
                            [](ScriptedServer::Connection* connection) {
                              connection->WaitForClose();
                            });
  options.probes.docker_host = absl::StrCat("unix://", dir.Path("mute"));
  MakeRunner(options);
  check.timeout = milliseconds(50);
  EXPECT_EQ(Run(check).output, "Timed out running check in container c");
  runner_.reset();
}

}  // namespace
}  // namespace dnsd::testing
