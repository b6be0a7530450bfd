// dnsd as the upstream of the resolvers people have: unbound, BIND, Knot
// Resolver, dnsmasq, dnsdist and PowerDNS Recursor, from Debian, each set up by
// the snippets of dnsd/docs/resolvers.md to forward `consul` to a real dnsd,
// and nothing else to anybody. Those that validate have the root's key. Through
// each the answers are right, without a FORMERR, with TCP only where the answer
// needs it, and negative answers are kept for as long as the SOA says.
//
// Skipped without the resolvers, which `./dev` fetches; some need root, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
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
#include "tests/testing/document.h"
#include "tests/testing/own_namespaces.h"
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

// How long negative answers are good for, as configured.
constexpr int kNegativeSeconds = 60;

// How a resolver is told to forward. In `files`, <<NAME>> is a snippet; in what
// comes out of that, and in `args`, DIR is its directory,
// PORT its port and SHARE the directory of the root's key. 8600 is dnsd's port.
struct Resolver {
  friend void PrintTo(const Resolver& resolver, std::ostream* out) {
    *out << resolver.name;
  }

  const char* name;
  const char* program;  // below usr/
  std::vector<std::pair<const char*, const char*>> files;
  std::vector<std::string> args;
  bool installed = false;  // it wants to be in the place it is built for
  bool port_53 = false;    // dnsd has to have it
};

constexpr char kUnbound[] = R"(server:
  interface: 127.0.0.1@PORT
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "DIR"
  pidfile: ""
  use-syslog: no
  trust-anchor-file: "SHARE/root.key"
  module-config: "validator iterator"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@1
)";

constexpr char kBind[] = R"(options {
  directory "DIR";
  listen-on port PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation auto;
  empty-zones-enable no;
  forward only;
  forwarders { 127.0.0.1 port 1; };
  <<bind-options>>
};
controls {};
)";

const Resolver kResolvers[] = {
    {"unbound_stub",
     "sbin/unbound",
     {{"config", kUnbound}, {"config", "<<unbound-stub>>"}},
     {"-d", "-c", "DIR/config"}},
    {"unbound_forward",
     "sbin/unbound",
     {{"config", kUnbound}, {"config", "<<unbound-forward>>"}},
     {"-d", "-c", "DIR/config"}},
    {"bind_forward",
     "sbin/named",
     {{"config", kBind}, {"config", "<<bind-forward>>"}},
     {"-g", "-c", "DIR/config"}},
    {"bind_stub",
     "sbin/named",
     {{"config", kBind}, {"config", "<<bind-stub>>"}},
     {"-g", "-c", "DIR/config"},
     /*installed=*/false,
     /*port_53=*/true},
    {"knot_resolver",
     "sbin/kresd",
     {{"config", R"(net.listen('127.0.0.1', PORT, { kind = 'dns' })
cache.size = 10 * MB
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('detect_time_skew')
modules.unload('priming')
)"},
      {"config", "<<knot-resolver>>"},
      {"config", "policy.add(policy.all(policy.REFUSE))\n"}},
     {"-n", "-c", "DIR/config", "DIR"},
     /*installed=*/true},
    {"dnsmasq",
     "sbin/dnsmasq",
     {{"config", "<<dnsmasq>>"}},
     {"-k", "--port=PORT", "--listen-address=127.0.0.1", "--bind-interfaces",
      "--conf-file=DIR/config", "--no-resolv", "--no-hosts",
      "--pid-file=", "--log-facility=-"}},
    {"dnsdist",
     "bin/dnsdist",
     {{"config", R"(setLocal("127.0.0.1:PORT")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
)"},
      {"config", "<<dnsdist>>"}},
     {"--supervised", "--disable-syslog", "-C", "DIR/config"}},
    {"recursor",
     "sbin/pdns_recursor",
     {{"recursor.conf", "dnssec=validate\n"},
      {"recursor.conf", "<<pdns-recursor>>"},
      {"recursor.lua", "<<pdns-recursor-lua>>"}},
     {"--local-address=127.0.0.1", "--local-port=PORT", "--socket-dir=DIR",
      "--config-dir=DIR", "--disable-syslog", "--daemon=no",
      "--security-poll-suffix=", "--hint-file=no", "--threads=1"}},
};

// Snippets that are not a resolver's: of the probe below, and those of
// setup_resolver_test.
const char* const kOtherSnippets[] = {
    "health-probe", "networkmanager",   "networkmanager-dnsmasq",
    "resolv.conf",  "resolv.conf-dnsd", "systemd-resolved",
};

// "web" with two instances, "large" with very many. Negative answers are good
// for `negative_s`.
std::string Services(int negative_s) {
  std::string text = absl::StrCat("dns_config { soa { min_ttl = ", negative_s,
                                  " } service_ttl { \"*\" = \"60s\" } }\n");
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

uint32_t TtlOf(const std::string& record) {
  const std::vector<std::string> words = absl::StrSplit(record, ' ');
  uint32_t ttl = 0;
  EXPECT_TRUE(words.size() > 1 && absl::SimpleAtoi(words[1], &ttl)) << record;
  return ttl;
}

class ResolverChainTest : public ::testing::TestWithParam<Resolver> {
 protected:
  static void SetUpTestSuite() { (void)EnterOwnNamespaces(); }

  void SetUp() override {
    const Resolver& resolver = GetParam();
    const std::string program = ResolverProgram(resolver.program);
    if (program.empty()) {
      GTEST_SKIP() << "no " << resolver.program << ": ./dev test fetches it";
    }
    const std::string outside = EnterOwnNamespaces();
    if (resolver.port_53 && !outside.empty()) {
      GTEST_SKIP() << "no port 53 for dnsd: " << outside;
    }
    if (resolver.installed && !InstalledResolverProblem().empty()) {
      GTEST_SKIP() << InstalledResolverProblem();
    }
    dir_.Write("dnsd.hcl", Services(kNegativeSeconds));
    std::vector<std::string> flags = {"-dev", "-node", "n1", "-config-file",
                                      dir_.Path("dnsd.hcl")};
    if (resolver.port_53) flags.insert(flags.end(), {"-dns-port", "53"});
    dnsd_.emplace(flags);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    server_.port = PickConsulPorts(server_.ip).dns;
    StartResolver(program);
    // Before it listens, nobody says so.
    const auto is_up = [this] {
      return AskUdp(server_, {"web.service.consul."}, kTry).rcode == "NOERROR";
    };
    ASSERT_TRUE(WaitUntil(is_up)) << resolver_->output();
  }

  void StartResolver(const std::string& program) {
    std::map<std::string, std::string> files;
    for (const auto& [name, content] : GetParam().files) {
      files[name] += Filled(content);
    }
    for (const auto& [name, content] : files) dir_.Write(name, content);
    std::vector<std::string> args;
    for (const std::string& arg : GetParam().args) args.push_back(Filled(arg));
    resolver_.emplace(GetParam().installed
                          ? InstalledResolverCommand(program, args)
                          : ResolverCommand(program, args));
  }

  [[nodiscard]] std::string Filled(std::string text) const {
    for (const auto& [name, snippet] : ChainSnippets()) {
      text = absl::StrReplaceAll(text, {{"<<" + name + ">>", snippet}});
    }
    return absl::StrReplaceAll(text, {{"DIR", dir_.path()},
                                      {"/etc/powerdns", dir_.path()},
                                      {"SHARE", ResolverProgram("share/dns")},
                                      {"8600", absl::StrCat(dnsd_->dns().port)},
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
  // BIND asks for the name servers of a stub zone over TCP.
  const uint64_t tcp_before = Counted("dnsd_dns_received_total", "tcp");
  EXPECT_LE(tcp_before, GetParam().port_53 ? 1u : 0u);
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
  EXPECT_EQ(Counted("dnsd_dns_received_total", "tcp"), tcp_before);
}

TEST_P(ResolverChainTest, LargeAnswersComeWhole) {
  const DnsReply reply =
      AskTcp(server_, {"large.service.consul.", "A", 1232}, kPatience);
  EXPECT_EQ(reply.rcode, "NOERROR") << reply.error;
  EXPECT_THAT(Data(reply.answer, "A"), SizeIs(kManyInstances));
  EXPECT_EQ(Counted("dnsd_dns_outcomes_total", "formerr"), 0u);
}

TEST_P(ResolverChainTest, NegativeAnswersAreKeptForTheMinimumOfTheSoa) {
  const struct {
    const char* service;
    const char* type;
    const char* rcode;
    const char* outcome;
  } cases[] = {{"nope", "A", "NXDOMAIN", "nxdomain"},
               {"web", "AAAA", "NOERROR", "nodata"}};
  for (const auto& asked : cases) {
    EXPECT_EQ(Ask(asked.service, asked.type).rcode, asked.rcode);
    const uint64_t before = Counted("dnsd_dns_outcomes_total", asked.outcome);
    EXPECT_GT(before, 0u) << asked.outcome;
    for (int i = 0; i < 3; ++i) {
      const DnsReply reply = Ask(asked.service, asked.type);
      EXPECT_EQ(reply.rcode, asked.rcode);
      EXPECT_THAT(reply.answer, SizeIs(0));
      for (const std::string& soa : reply.authority) {
        EXPECT_LE(TtlOf(soa), uint32_t{kNegativeSeconds}) << soa;
      }
    }
    EXPECT_EQ(Counted("dnsd_dns_outcomes_total", asked.outcome), before)
        << asked.outcome;
  }
}

// Some keep whatever it is for the second, or, as Knot Resolver, for 5.
TEST_P(ResolverChainTest, AMinimumOfZeroKeepsNegativeAnswersForMoments) {
  dir_.Write("dnsd.hcl", Services(0));
  ASSERT_EQ(dnsd_->Reload().exit_code, 0);
  EXPECT_EQ(Ask("late").rcode, "NXDOMAIN");
  dir_.Write(
      "dnsd.hcl",
      Services(0) + "services { name = \"late\" address = \"192.0.2.9\" }\n");
  ASSERT_EQ(dnsd_->Reload().exit_code, 0);
  const auto is_seen = [this] {
    return Data(Ask("late").answer, "A") ==
           std::vector<std::string>{"192.0.2.9"};
  };
  EXPECT_TRUE(WaitUntil(is_seen));
}

INSTANTIATE_TEST_SUITE_P(All, ResolverChainTest,
                         ::testing::ValuesIn(kResolvers),
                         [](const auto& chain) {
                           return std::string(chain.param.name);
                         });

TEST(HealthProbe, SaysWhetherDnsdServes) {
  if (RunToEnd({"dig", "-v"}).exit_code != 0) GTEST_SKIP() << "no dig";
  AgentProcess dnsd({"-dev"});
  ASSERT_TRUE(dnsd.WaitUntilServing()) << dnsd.process().output();
  const std::string probe =
      absl::StrReplaceAll(ChainSnippets()["health-probe"],
                          {{"8600", absl::StrCat(dnsd.dns().port)}});
  Finished probed = RunToEnd({"sh", "-c", probe});
  EXPECT_EQ(probed.exit_code, 0) << probe << probed.output;
  EXPECT_EQ(dnsd.Stop(), 0);
  probed = RunToEnd({"sh", "-c", probe});
  EXPECT_EQ(probed.exit_code, 1) << probed.output;
}

// What says "tested" is tested, and what tests want is there.
TEST(Document, EverySnippetIsRun) {
  std::set<std::string> run(std::begin(kOtherSnippets),
                            std::end(kOtherSnippets));
  for (const Resolver& resolver : kResolvers) {
    for (const auto& [file, content] : resolver.files) {
      const absl::string_view text = content;
      const size_t open = text.find("<<");
      if (open == absl::string_view::npos) continue;
      run.emplace(text.substr(open + 2, text.find(">>") - open - 2));
    }
  }
  std::set<std::string> marked;
  for (const auto& [name, snippet] : ChainSnippets()) {
    EXPECT_NE(snippet, "") << name;
    marked.insert(name);
  }
  EXPECT_EQ(marked, run);
}

}  // namespace
}  // namespace dnsd::testing
