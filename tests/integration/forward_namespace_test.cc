// A machine whose /etc/resolv.conf names dnsd, with an unbound on a second
// machine as dnsd's recursor, which asks a Knot on a third: real programs in
// network namespaces, each on port 53. The link between the first two loses
// packets where a test says so.
//
// Skipped where namespaces cannot be made, and without what `./dev` fetches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/network_namespace.h"
#include "tests/testing/process.h"
#include "tests/testing/resolvers.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr char kMachine[] = "10.77.0.2";
constexpr char kResolver[] = "10.77.0.1";
constexpr char kResolverInside[] = "10.78.0.1";
constexpr char kAuthority[] = "10.78.0.2";
constexpr char kLink[] = "near";  // between machine and resolver
constexpr uint16_t kWebPort = 8080;
constexpr std::chrono::milliseconds kTry{500};

constexpr char kKnot[] = R"(server:
    rundir: "DIR"
    listen: AUTHORITY@53
database:
    storage: "DIR"
log:
  - target: stderr
    any: info
zone:
  - domain: example
    storage: "DIR"
    file: zone
)";

constexpr char kUnbound[] = R"(server:
  interface: RESOLVER
  access-control: 10.77.0.0/24 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "DIR"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
remote-control:
  control-enable: no
stub-zone:
  name: "example"
  stub-addr: AUTHORITY
)";

// Of the zone "example": n0, n1, ... have the address 198.51.100.0, .1, ...
constexpr int kNumbered = 200;
std::string Zone() {
  std::string text = R"($TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 10.78.0.2
www A 192.0.2.80
alias CNAME www
six AAAA 2001:db8::1
)";
  for (int i = 0; i < kNumbered; ++i) {
    absl::StrAppend(&text, "n", i, " A 198.51.100.", i, "\n");
  }
  return text;
}

class ForwardNamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = NetworkNamespace::WhyNot(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    for (const char* program : {"sbin/knotd", "sbin/unbound", "sbin/nft"}) {
      if (ResolverProgram(program).empty()) {
        GTEST_SKIP() << "no " << program << ": ./dev test fetches it";
      }
    }
    machine_.emplace();
    resolver_.emplace();
    authority_.emplace();
    machine_->Link(kLink, kMachine, *resolver_, kResolver);
    resolver_->Link("far", kResolverInside, *authority_, kAuthority);
    ASSERT_FALSE(HasFailure());

    dir_.Write("zone", Zone());
    knot_.emplace(authority_->Command(
        ResolverCommand(ResolverProgram("sbin/knotd"),
                        {"-c", dir_.Write("knot.conf", Filled(kKnot))})));
    unbound_.emplace(resolver_->Command(ResolverCommand(
        ResolverProgram("sbin/unbound"),
        {"-d", "-c", dir_.Write("unbound.conf", Filled(kUnbound))})));
    ASSERT_TRUE(WaitUntil([&] {
      DnsReply reply;
      machine_->Inside([&] {
        reply = AskUdp({kResolver, 53}, {"www.example."}, kTry);
      });
      return reply.rcode == "NOERROR";
    })) << knot_->output()
        << unbound_->output();

    machine_->Replace("/etc/resolv.conf",
                      dir_.Write("resolv.conf", "nameserver 127.0.0.1\n"));
    machine_->Replace("/etc/nsswitch.conf",
                      dir_.Write("nsswitch.conf", "hosts: files dns\n"));
    dir_.Write("dnsd.hcl",
               absl::StrCat("service { name = \"web\" address = \"", kResolver,
                            "\" port = ", kWebPort, " }\n"));
    dnsd_.emplace(
        std::vector<std::string>{"-dev", "-dns-port", "53", "-recursor",
                                 kResolver, "-config-file",
                                 dir_.Path("dnsd.hcl")},
        machine_->Prefix());
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }

  [[nodiscard]] std::string Filled(const std::string& config) const {
    return absl::StrReplaceAll(config, {{"DIR", dir_.path()},
                                        {"RESOLVER", kResolver},
                                        {"AUTHORITY", kAuthority}});
  }
  [[nodiscard]] uint64_t Metric(const std::string& name) const {
    std::optional<uint64_t> value;
    machine_->Inside([&] {
      value = ConsulApi("http://" + dnsd_->HttpAddress()).Metric(name);
    });
    EXPECT_TRUE(value.has_value()) << name;
    return value.value_or(0);
  }

  TempDir dir_;
  std::optional<NetworkNamespace> machine_;
  std::optional<NetworkNamespace> resolver_;
  std::optional<NetworkNamespace> authority_;
  std::optional<Process> knot_;
  std::optional<Process> unbound_;
  std::optional<AgentProcess> dnsd_;
};

TEST_F(ForwardNamespaceTest, ProgramsResolveThroughResolvConf) {
  const auto getent = [&](const std::string& database,
                          const std::string& name) {
    return machine_->Run({"getent", database, name});
  };
  EXPECT_THAT(getent("hosts", "web.service.consul").output,
              MatchesRegex("10\\.77\\.0\\.1 +web\\.service\\.consul\n"));
  EXPECT_THAT(getent("hosts", "www.example").output,
              MatchesRegex("192\\.0\\.2\\.80 +www\\.example\n"));
  EXPECT_THAT(
      getent("hosts", "alias.example").output,
      MatchesRegex("192\\.0\\.2\\.80 +www\\.example alias\\.example\n"));
  EXPECT_THAT(getent("hosts", "six.example").output,
              MatchesRegex("2001:db8::1 +six\\.example\n"));
  // IPv4 and IPv6 at once, as most programs ask.
  EXPECT_THAT(getent("ahosts", "www.example").output, HasSubstr("192.0.2.80"));
  for (const char* name : {"nope.service.consul", "nope.example"}) {
    EXPECT_EQ(getent("hosts", name).exit_code, 2) << name;  // not found
  }

  // Another machine's HTTP server, by the name of its service.
  AgentProcess web({"-dev", "-node", "far", "-client", kResolver, "-http-port",
                    absl::StrCat(kWebPort)},
                   resolver_->Prefix());
  ASSERT_TRUE(web.WaitUntilServing()) << web.process().output();
  const Finished curl =
      machine_->Run({"curl", "-sS", "--noproxy", "*",
                     absl::StrCat("http://web.service.consul:", kWebPort,
                                  "/v1/catalog/nodes")});
  EXPECT_EQ(curl.exit_code, 0) << curl.output;
  EXPECT_THAT(curl.output, HasSubstr("\"far\""));
}

// One datagram in five gets lost on the way back to dnsd. Its only recursor is
// asked twice, so one question in 25 has no answer: of 200 that are 8, and 24
// or more in less than one run of 100,000. Who asks again, as stub resolvers
// do, has it then.
TEST_F(ForwardNamespaceTest, NamesResolveThoughPacketsGetLost) {
  constexpr int kFailuresMax = 24;
  constexpr int kHedgedMin = 15;  // of 40; fewer are as rare
  constexpr int kRounds = 6;
  const Finished nft = machine_->Run(ResolverCommand(
      ResolverProgram("sbin/nft"),
      {"-f",
       dir_.Write(
           "loss",
           absl::StrCat(R"(table inet loss {
  chain in {
    type filter hook input priority 0;
    iifname ")",
                        kLink, R"(" udp sport 53 numgen random mod 100 < 20 drop
  }
}
)"))}));
  ASSERT_EQ(nft.exit_code, 0) << nft.output;

  std::set<uint16_t> left;  // the id is the number
  for (uint16_t i = 0; i < kNumbered; ++i) left.insert(i);
  std::unique_ptr<DnsSocket> client;
  machine_->Inside([&] {
    client = std::make_unique<DnsSocket>(DnsSocket::Udp(dnsd_->dns()));
  });
  for (int round = 0; round < kRounds && !left.empty(); ++round) {
    for (const uint16_t i : left) {
      ASSERT_TRUE(client->Send(
          MakeQuery({absl::StrCat("n", i, ".example."), "A", 1232}, i)));
    }
    size_t failures = 0;
    for (size_t count = left.size(); count > 0; --count) {
      const DnsReply reply = client->Receive();
      ASSERT_EQ(reply.error, "");
      if (reply.rcode == "SERVFAIL") {
        ++failures;
        continue;
      }
      EXPECT_EQ(Data(reply.answer, "A"), std::vector<std::string>{absl::StrCat(
                                             "198.51.100.", reply.id)});
      EXPECT_EQ(left.erase(reply.id), 1u) << reply.question;
    }
    EXPECT_EQ(failures, left.size());
    EXPECT_LT(failures, kFailuresMax);
    if (round == 0) {
      EXPECT_GT(Metric("dnsd_forward_hedged_total"), kHedgedMin);
      EXPECT_EQ(Metric("dnsd_forward_failed_total"), failures);
    }
  }
  EXPECT_TRUE(left.empty()) << left.size();
  EXPECT_EQ(Metric("dnsd_forward_wrong_replies_total"), 0u);
}

}  // namespace
}  // namespace dnsd::testing
