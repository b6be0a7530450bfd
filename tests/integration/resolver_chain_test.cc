// dnsd as the upstream of the resolvers people have: unbound, BIND, dnsmasq,
// dnsdist and PowerDNS Recursor, from Debian, each forwarding `consul` to a
// real dnsd and nothing else to anybody. Through each the answers are right,
// without a FORMERR, with TCP only where the answer needs it, and negative
// answers are kept for as long as the SOA says.
//
// Skipped without the resolvers, which `./dev` fetches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/resolvers.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Of "large": more than 1232 bytes hold, and no more than the 100 records of a
// type that BIND takes (max-records-per-type).
constexpr size_t kManyInstances = 95;

constexpr std::chrono::milliseconds kTry{500};

// How a resolver is told to forward. In `config` and `args`, DIR is its
// directory, DNSD the port of dnsd, PORT its own, CONFIG its configuration.
struct Resolver {
  const char* name;
  const char* program;  // below usr/
  const char* config;
  std::vector<std::string> args;
  bool keeps_negative = true;  // dnsdist has no cache unless told so
};

const Resolver kResolvers[] = {
    {"unbound",
     "sbin/unbound",
     R"(server:
  interface: 127.0.0.1@PORT
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "DIR"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  domain-insecure: "consul"
  module-config: "iterator"
remote-control:
  control-enable: no
stub-zone:
  name: "consul"
  stub-addr: 127.0.0.1@DNSD
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@1
)",
     {"-d", "-c", "CONFIG"}},
    {"bind",
     "sbin/named",
     R"(options {
  directory "DIR";
  listen-on port PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  empty-zones-enable no;
  forward only;
  forwarders { 127.0.0.1 port 1; };
};
controls {};
zone "consul" {
  type forward;
  forward only;
  forwarders { 127.0.0.1 port DNSD; };
};
)",
     {"-g", "-c", "CONFIG"}},
    {"dnsmasq",
     "sbin/dnsmasq",
     "",
     {"-k", "--port=PORT", "--listen-address=127.0.0.1", "--bind-interfaces",
      "--conf-file=CONFIG", "--no-resolv", "--no-hosts",
      "--pid-file=", "--log-facility=-", "--server=/consul/127.0.0.1#DNSD"}},
    {"dnsdist",
     "bin/dnsdist",
     R"(setLocal("127.0.0.1:PORT")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({address="127.0.0.1:DNSD", checkName="web.service.consul."})
)",
     {"--supervised", "--disable-syslog", "-C", "CONFIG"},
     /*keeps_negative=*/false},
    {"recursor",
     "sbin/pdns_recursor",
     "",
     {"--local-address=127.0.0.1", "--local-port=PORT", "--dont-query=",
      "--socket-dir=DIR", "--config-dir=DIR", "--disable-syslog", "--daemon=no",
      "--dnssec=off", "--security-poll-suffix=", "--hint-file=no",
      "--threads=1", "--forward-zones=consul=127.0.0.1:DNSD"}},
};

class ResolverChainTest : public ::testing::TestWithParam<Resolver> {
 protected:
  void SetUp() override {
    const std::string program = ResolverProgram(GetParam().program);
    if (program.empty()) {
      GTEST_SKIP() << "no " << GetParam().program << ": ./dev test fetches it";
    }
    dir_.Write("dnsd.hcl", Services());
    dnsd_.emplace(std::vector<std::string>{
        "-dev", "-node", "n1", "-config-file", dir_.Path("dnsd.hcl")});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    server_.port = PickConsulPorts(server_.ip).dns;
    dir_.Write("config", Filled(GetParam().config));
    std::vector<std::string> args;
    for (const std::string& arg : GetParam().args) args.push_back(Filled(arg));
    resolver_.emplace(ResolverCommand(program, args));
    // Before it listens, nobody says so.
    const auto is_up = [this] {
      return AskUdp(server_, {"web.service.consul."}, kTry).rcode == "NOERROR";
    };
    ASSERT_TRUE(WaitUntil(is_up)) << resolver_->output();
  }

  // "web" with two instances, "large" with very many.
  static std::string Services() {
    std::string text =
        "dns_config { soa { min_ttl = 60 } service_ttl { \"*\" = \"60s\" } }\n";
    for (const size_t i : {1, 2}) {
      absl::StrAppend(&text, "services { name = \"web\" id = \"web", i,
                      "\" port = ", 8000 + i, " address = \"192.0.2.", i,
                      "\" }\n");
    }
    for (size_t i = 1; i <= kManyInstances; ++i) {
      absl::StrAppend(&text, "services { name = \"large\" id = \"large", i,
                      "\" port = 80 address = \"198.51.100.", i, "\" }\n");
    }
    return text;
  }

  [[nodiscard]] std::string Filled(const std::string& text) const {
    return absl::StrReplaceAll(text, {{"DIR", dir_.Path("")},
                                      {"CONFIG", dir_.Path("config")},
                                      {"DNSD", absl::StrCat(dnsd_->dns().port)},
                                      {"PORT", absl::StrCat(server_.port)}});
  }

  [[nodiscard]] DnsReply Ask(const std::string& service,
                             const std::string& type = "A") const {
    return AskUdp(server_, {service + ".service.consul.", type, 1232},
                  kPatience);
  }

  // The sum of a family of counters, of those with `label`.
  [[nodiscard]] uint64_t Counted(const std::string& family,
                                 const std::string& label = "") const {
    const std::string text =
        ConsulApi("http://" + dnsd_->HttpAddress()).Get("/metrics");
    uint64_t sum = 0;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (!absl::StartsWith(line, family) || !absl::StrContains(line, label)) {
        continue;
      }
      uint64_t number = 0;
      if (absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &number)) {
        sum += number;
      }
    }
    return sum;
  }

  TempDir dir_;
  std::optional<AgentProcess> dnsd_;
  DnsServer server_;
  std::optional<Process> resolver_;
};

TEST_P(ResolverChainTest, AnswersAreRight) {
  DnsReply reply = Ask("web");
  EXPECT_THAT(Data(reply.answer, "A"),
              UnorderedElementsAre("192.0.2.1", "192.0.2.2"));
  reply = Ask("web", "SRV");
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_THAT(Data(reply.answer, "SRV"),
              UnorderedElementsAre(HasSubstr(" 8001 "), HasSubstr(" 8002 ")));
  // No such type: not "no such name".
  reply = Ask("web", "MX");
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_THAT(reply.answer, SizeIs(0));
  reply = Ask("nope");
  EXPECT_EQ(reply.rcode, "NXDOMAIN");
  reply = AskUdp(server_, {"n1.node.consul.", "A", 1232}, kPatience);
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_EQ(Counted("dnsd_dns_outcomes_total", "formerr"), 0u);
  // Nothing of that needs TCP.
  EXPECT_EQ(Counted("dnsd_dns_received_total", "tcp"), 0u);
}

TEST_P(ResolverChainTest, LargeAnswersComeWhole) {
  const DnsReply reply =
      AskTcp(server_, {"large.service.consul.", "A", 1232}, kPatience);
  EXPECT_EQ(reply.rcode, "NOERROR") << reply.error;
  EXPECT_THAT(Data(reply.answer, "A"), SizeIs(kManyInstances));
  EXPECT_EQ(Counted("dnsd_dns_outcomes_total", "formerr"), 0u);
}

TEST_P(ResolverChainTest, NegativeAnswersAreKept) {
  if (!GetParam().keeps_negative) GTEST_SKIP() << "it keeps no answers";
  EXPECT_EQ(Ask("nope").rcode, "NXDOMAIN");
  const uint64_t before = Counted("dnsd_dns_outcomes_total", "nxdomain");
  EXPECT_GT(before, 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask("nope").rcode, "NXDOMAIN");
  EXPECT_EQ(Counted("dnsd_dns_outcomes_total", "nxdomain"), before);
}

INSTANTIATE_TEST_SUITE_P(All, ResolverChainTest,
                         ::testing::ValuesIn(kResolvers),
                         [](const auto& chain) {
                           return std::string(chain.param.name);
                         });

}  // namespace
}  // namespace dnsd::testing
