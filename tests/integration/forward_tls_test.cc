// Recursors over TLS in the real binary, with a real unbound as the recursor:
// whose certificate is good, whose is not, an unbound that closes connections
// or is started again, many questions at once, and reloads.
//
// Skipped without unbound, which `./dev` fetches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/authority.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/resolvers.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kTry{500};

constexpr char kUnboundConfig[] = R"(server:
  interface: 127.0.0.1@PORT
  tls-port: PORT
  tls-service-pem: "CERT"
  tls-service-key: "KEY"
  tcp-idle-timeout: IDLE
  incoming-num-tcp: 100
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "DIR"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  local-zone: "." static
  local-zone: "example." redirect
  local-data: "example. 300 IN A 192.0.2.80"
remote-control:
  control-enable: no
)";

class ForwardTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>();
    authority_->Issue("good", "DNS:dns.test,IP:127.0.0.1");
    authority_->Issue("expired", "DNS:dns.test,IP:127.0.0.1", -1);
    stranger_ = std::make_unique<Authority>("Another CA");
  }
  static void TearDownTestSuite() {
    authority_.reset();
    stranger_.reset();
  }

  void SetUp() override {
    unbound_path_ = ResolverProgram("sbin/unbound");
    if (unbound_path_.empty()) {
      GTEST_SKIP() << "no unbound: ./dev test fetches it";
    }
    port_ = PickConsulPorts("127.0.0.1").dns;
  }

  void StartUnbound(const std::string& certificate, int idle_ms = 30'000) {
    dir_.Write(
        "unbound.conf",
        absl::StrReplaceAll(kUnboundConfig,
                            {{"DIR", dir_.path()},
                             {"CERT", authority_->certificate(certificate)},
                             {"KEY", authority_->key(certificate)},
                             {"IDLE", absl::StrCat(idle_ms)},
                             {"PORT", absl::StrCat(port_)}}));
    unbound_.emplace(ResolverCommand(unbound_path_,
                                     {"-d", "-c", dir_.Path("unbound.conf")}));
    ASSERT_TRUE(unbound_->WaitForOutput("start of service"))
        << unbound_->output();
  }
  void StopUnbound() {
    unbound_->Signal(SIGTERM);
    ASSERT_TRUE(unbound_->Wait().has_value());
  }

  // `name`: "#dns.test", or nothing.
  [[nodiscard]] std::string Config(const std::string& name,
                                   const Authority& authority) const {
    return absl::StrCat("recursors = [\"tls://127.0.0.1:", port_, name,
                        "\"]\ndns_config { recursor_ca_file = \"",
                        authority.ca_file(), "\" }\n");
  }
  void Start(const std::string& config) {
    dir_.Write("dnsd.hcl", config);
    dnsd_.emplace(std::vector<std::string>{
        "-dev", "-workers", "1", "-config-file", dir_.Path("dnsd.hcl")});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }
  void Reload(const std::string& config) {
    dir_.Write("dnsd.hcl", config);
    const Finished reload = dnsd_->Reload();
    ASSERT_EQ(reload.exit_code, 0) << reload.output;
  }
  [[nodiscard]] DnsReply Ask(const std::string& name) const {
    return AskUdp(dnsd_->dns(), {name, "A", 1232});
  }
  // Of "dnsd_forward_NAME"; -1: there is none.
  [[nodiscard]] int Metric(const std::string& name) const {
    ConsulApi api("http://" + dnsd_->HttpAddress());
    const std::string text = api.Get("/metrics");
    const std::string key = absl::StrCat("\ndnsd_forward_", name, " ");
    const size_t at = text.find(key);
    if (at == std::string::npos) return -1;
    const size_t from = at + key.size();
    int value = -1;
    return absl::SimpleAtoi(text.substr(from, text.find('\n', from) - from),
                            &value)
               ? value
               : -1;
  }

  static std::unique_ptr<Authority> authority_;
  static std::unique_ptr<Authority> stranger_;
  TempDir dir_;
  std::string unbound_path_;
  uint16_t port_ = 0;
  std::optional<Process> unbound_;
  std::optional<AgentProcess> dnsd_;
};

std::unique_ptr<Authority> ForwardTlsTest::authority_;
std::unique_ptr<Authority> ForwardTlsTest::stranger_;

TEST_F(ForwardTlsTest, ManyQuestionsGoOverOneConnection) {
  ASSERT_NO_FATAL_FAILURE(StartUnbound("good"));
  ASSERT_NO_FATAL_FAILURE(Start(Config("#dns.test", *authority_)));
  const DnsReply reply = Ask("www.example.");
  EXPECT_EQ(reply.rcode, "NOERROR") << dnsd_->process().output();
  EXPECT_THAT(Data(reply.answer, "A"), ElementsAre("192.0.2.80"));
  EXPECT_EQ(Ask("nowhere.test.").rcode, "NXDOMAIN");

  // All at once.
  constexpr uint16_t kCount = 200;
  DnsSocket socket = DnsSocket::Udp(dnsd_->dns());
  for (uint16_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(socket.Send(
        MakeQuery({absl::StrCat("n", i, ".example."), "A", 1232}, i)));
  }
  for (uint16_t i = 0; i < kCount; ++i) {
    const DnsReply answer = socket.Receive();
    ASSERT_EQ(answer.error, "") << i;
    EXPECT_EQ(answer.rcode, "NOERROR");
    EXPECT_EQ(answer.question, absl::StrCat("n", answer.id, ".example. IN A"));
  }
  EXPECT_EQ(Metric("sent_tls_total"), kCount + 2);
  EXPECT_EQ(Metric("sent_total"), kCount + 2);
  EXPECT_EQ(Metric("tls_connections_total"), 1);
  EXPECT_EQ(Metric("tls_handshakes_total"), 1);
  EXPECT_EQ(Metric("tls_handshake_failures_total"), 0);
}

TEST_F(ForwardTlsTest, OnlyAGoodCertificateIsAsked) {
  ASSERT_NO_FATAL_FAILURE(StartUnbound("good"));
  ASSERT_NO_FATAL_FAILURE(Start(Config("#other.test", *authority_)));
  const Process& process = dnsd_->process();
  EXPECT_EQ(Ask("www.example.").rcode, "SERVFAIL");
  EXPECT_EQ(Ask("www.example.").rcode, "SERVFAIL");
  const std::string name = absl::StrCat("tls://127.0.0.1:", port_);
  EXPECT_TRUE(dnsd_->process().WaitForOutput("hostname mismatch"));
  EXPECT_THAT(process.output(), HasSubstr(name + "#other.test"));
  EXPECT_GE(Metric("tls_handshake_failures_total"), 1);
  EXPECT_EQ(Metric("tls_handshakes_total"), 0);

  // With its address for a name it is the right one.
  ASSERT_NO_FATAL_FAILURE(Reload(Config("", *authority_)));
  EXPECT_EQ(Ask("www.example.").rcode, "NOERROR") << process.output();

  // Of another authority. What is cached is not asked for again.
  size_t before = process.OutputBytes();
  ASSERT_NO_FATAL_FAILURE(Reload(Config("", *stranger_)));
  EXPECT_EQ(Ask("new.example.").rcode, "SERVFAIL");
  EXPECT_TRUE(
      dnsd_->process().WaitForOutput("unable to get local issuer", before));

  // One that has expired.
  ASSERT_NO_FATAL_FAILURE(StopUnbound());
  ASSERT_NO_FATAL_FAILURE(StartUnbound("expired"));
  before = process.OutputBytes();
  ASSERT_NO_FATAL_FAILURE(Reload(Config("#dns.test", *authority_)));
  EXPECT_EQ(Ask("www.example.").rcode, "SERVFAIL");
  EXPECT_TRUE(
      dnsd_->process().WaitForOutput("certificate has expired", before));
  EXPECT_EQ(Metric("sent_tcp_total"), 0);
  EXPECT_EQ(Metric("sent_total"), Metric("sent_tls_total"));
}

TEST_F(ForwardTlsTest, UnboundMayCloseAndStartAgain) {
  ASSERT_NO_FATAL_FAILURE(StartUnbound("good", 200));
  ASSERT_NO_FATAL_FAILURE(Start(Config("#dns.test", *authority_)));
  EXPECT_EQ(Ask("a.example.").rcode, "NOERROR");
  // An idle connection goes after 200 ms, and nobody notices.
  int i = 0;
  EXPECT_TRUE(WaitUntil([&] {
    EXPECT_EQ(Ask(absl::StrCat("b", ++i, ".example.")).rcode, "NOERROR");
    usleep(400'000);
    return Metric("tls_connections_total") >= 3;
  }));
  EXPECT_EQ(Metric("upstream_failures_total"), 0);
  EXPECT_GE(Metric("tls_resumed_total"), 1);

  ASSERT_NO_FATAL_FAILURE(StopUnbound());
  EXPECT_EQ(Ask("gone.example.").rcode, "SERVFAIL");
  ASSERT_NO_FATAL_FAILURE(StartUnbound("good"));
  EXPECT_TRUE(WaitUntil([&] {
    return AskUdp(dnsd_->dns(), {absl::StrCat("c", ++i, ".example.")}, kTry)
               .rcode == "NOERROR";
  })) << dnsd_->process().output();
}

TEST_F(ForwardTlsTest, AReloadThatCannotReadItsAuthoritiesChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(StartUnbound("good"));
  ASSERT_NO_FATAL_FAILURE(Start(Config("#dns.test", *authority_)));
  EXPECT_EQ(Ask("a.example.").rcode, "NOERROR");
  dir_.Write("dnsd.hcl",
             absl::StrCat("recursors = [\"tls://127.0.0.1:", port_,
                          "#dns.test\"]\ndns_config { recursor_ca_file = \"",
                          dir_.Path("none.pem"), "\" }\n"));
  const Finished reload = dnsd_->Reload();
  EXPECT_NE(reload.exit_code, 0);
  EXPECT_THAT(reload.output, HasSubstr("dns_config.recursor_ca_file"));
  EXPECT_THAT(reload.output, HasSubstr("none.pem"));
  EXPECT_EQ(Ask("b.example.").rcode, "NOERROR");
  EXPECT_EQ(Metric("tls_connections_total"), 1);
}

}  // namespace
}  // namespace dnsd::testing
