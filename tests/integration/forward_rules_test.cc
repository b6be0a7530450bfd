// Rules by suffix in the real binary, with another dnsd as the upstream: who is
// asked for what, what falls through, reloads under queries, the API of the
// cache, and a loop by way of a real dnsmasq.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
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
using ::testing::Not;

constexpr char kHead[] = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n";

// A dnsd whose zones are the others' names.
class Upstream {
 public:
  // All its addresses are `address`.
  explicit Upstream(const std::string& address) {
    dir_.Write("corp", absl::StrCat(kHead, "@ NS ns\nns A 192.0.2.53\na A ",
                                    address, "\n"));
    dir_.Write("reverse",
               absl::StrCat(kHead, "@ NS ns.corp.test.\n9 PTR host.test.\n"));
    dir_.Write("legacy", absl::StrCat(kHead, "@ NS ns.corp.test.\nold A ",
                                      address, "\n"));
    std::string zones = "domain = \"upstream\"\n";
    for (const auto& [name, file] :
         {std::pair{"corp.test", "corp"},
          std::pair{"2.168.192.in-addr.arpa", "reverse"},
          std::pair{"service.consul", "legacy"}}) {
      absl::StrAppend(&zones, "zones = [{ name = \"", name, "\" file = \"",
                      dir_.Path(file), "\" }]\n");
    }
    dir_.Write("dnsd.hcl", zones);
    agent_.emplace(std::vector<std::string>{"-dev", "-config-file",
                                            dir_.Path("dnsd.hcl")});
  }
  [[nodiscard]] bool WaitUntilServing() { return agent_->WaitUntilServing(); }
  [[nodiscard]] std::string To() const {
    return absl::StrCat("to = [\"", agent_->dns().ip, ":", agent_->dns().port,
                        "\"]");
  }

 private:
  TempDir dir_;
  std::optional<AgentProcess> agent_;
};

class ForwardRulesTest : public ::testing::Test {
 protected:
  void Start(const std::string& config, std::vector<std::string> args = {}) {
    dir_.Write("dnsd.hcl", config);
    args.insert(args.begin(),
                {"-dev", "-node", "n1", "-config-file", dir_.Path("dnsd.hcl")});
    dnsd_.emplace(args);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }
  void Reload(const std::string& config) {
    dir_.Write("dnsd.hcl", config);
    const Finished reload = dnsd_->Reload();
    ASSERT_EQ(reload.exit_code, 0) << reload.output;
  }
  [[nodiscard]] DnsReply Ask(const std::string& name,
                             const std::string& type = "A") const {
    return AskUdp(dnsd_->dns(), {name, type, 1232});
  }
  [[nodiscard]] ConsulApi Api() const {
    return ConsulApi("http://" + dnsd_->HttpAddress());
  }

  TempDir dir_;
  std::optional<AgentProcess> dnsd_;
};

std::string Rule(const std::string& zone, const std::string& rest) {
  return absl::StrCat("forward { zone = \"", zone, "\" ", rest, " }\n");
}

constexpr char kWeb[] =
    "service { name = \"web\" address = \"192.0.2.80\" port = 80 }\n";

TEST_F(ForwardRulesTest, NamesGoWhereTheirRuleSays) {
  Upstream upstream("192.0.2.1");
  ASSERT_TRUE(upstream.WaitUntilServing());
  ASSERT_NO_FATAL_FAILURE(
      Start(kWeb + Rule("corp.test", upstream.To()) +
            Rule("168.192.in-addr.arpa", upstream.To()) +
            Rule("service.consul", upstream.To() + " fallthrough = true") +
            Rule("ads.corp.test", "refuse = true")));
  EXPECT_THAT(Data(Ask("a.corp.test.").answer, "A"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(Ask("x.ads.corp.test.").rcode, "REFUSED");
  EXPECT_EQ(Ask("a.other.test.").rcode, "REFUSED");
  EXPECT_THAT(Data(Ask("9.2.168.192.in-addr.arpa.", "PTR").answer, "PTR"),
              ElementsAre("host.test."));
  // No rule is about these, so we know best.
  const DnsReply unknown = Ask("9.0.0.10.in-addr.arpa.", "PTR");
  EXPECT_EQ(unknown.rcode, "NXDOMAIN");
  EXPECT_THAT(unknown.flags, HasSubstr("aa"));

  // What is ours is ours; what we lack may be others'.
  EXPECT_THAT(Data(Ask("web.service.consul.").answer, "A"),
              ElementsAre("192.0.2.80"));
  const DnsReply old = Ask("old.service.consul.");
  EXPECT_THAT(Data(old.answer, "A"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(old.flags, Not(HasSubstr("aa")));
  EXPECT_THAT(Ask("nope.service.consul.").flags, Not(HasSubstr("aa")));
  EXPECT_THAT(Ask("nope.node.consul.").flags, HasSubstr("aa"));
}

// Two threads ask all the time: of what is ours, and of what is forwarded both
// before and after. Every question has its answer.
TEST_F(ForwardRulesTest, ReloadsLoseNoQueryAndForgetWhatOthersSaid) {
  Upstream one("192.0.2.1");
  Upstream two("192.0.2.2");
  ASSERT_TRUE(one.WaitUntilServing());
  ASSERT_TRUE(two.WaitUntilServing());
  ASSERT_NO_FATAL_FAILURE(Start(kWeb));
  EXPECT_EQ(Ask("a.corp.test.").rcode, "REFUSED");
  ASSERT_NO_FATAL_FAILURE(Reload(kWeb + Rule("corp.test", one.To())));
  EXPECT_THAT(Data(Ask("a.corp.test.").answer, "A"), ElementsAre("192.0.2.1"));

  std::atomic<bool> stop{false};
  std::atomic<int> lost{0};
  std::atomic<int> asked{0};
  const auto ask = [&](const std::string& name) {
    for (int i = 0; !stop; ++i) {
      // Names that nobody has asked for yet, too.
      const std::string prefix = i % 2 == 0 ? "" : absl::StrCat("x", i, ".");
      const DnsReply reply = Ask(absl::StrCat(prefix, name));
      if (!reply.error.empty() || reply.rcode == "SERVFAIL" ||
          reply.rcode == "REFUSED") {
        ++lost;
      }
      ++asked;
    }
  };
  std::thread ours(ask, "web.service.consul.");
  std::thread theirs(ask, "a.corp.test.");
  for (int i = 0; i < 10; ++i) {
    const int before = asked;
    ASSERT_NO_FATAL_FAILURE(
        Reload(kWeb + Rule("corp.test", (i % 2 == 0 ? two : one).To())));
    EXPECT_TRUE(WaitUntil([&] { return asked > before + 20; }));
  }
  stop = true;
  ours.join();
  theirs.join();
  EXPECT_EQ(lost, 0);

  // Workers take new rules a moment after the reload has answered.
  ASSERT_NO_FATAL_FAILURE(Reload(kWeb + Rule("corp.test", two.To())));
  EXPECT_TRUE(WaitUntil([&] {
    for (int i = 0; i < 8; ++i) {
      if (Data(Ask("a.corp.test.").answer, "A") !=
          std::vector<std::string>{"192.0.2.2"}) {
        return false;
      }
    }
    return true;
  }));
  dir_.Write("dnsd.hcl", "forward { zone = \"corp.test\" }");
  const Finished refused = dnsd_->Reload();
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.output, HasSubstr("needs to, or refuse = true"));
  EXPECT_THAT(Data(Ask("a.corp.test.").answer, "A"), ElementsAre("192.0.2.2"));
}

TEST_F(ForwardRulesTest, TheCacheIsShownAndFlushed) {
  Upstream upstream("192.0.2.1");
  ASSERT_TRUE(upstream.WaitUntilServing());
  ASSERT_NO_FATAL_FAILURE(
      Start(kWeb + Rule("corp.test", upstream.To()), {"-workers", "2"}));
  ConsulApi api = Api();
  const auto ask_all = [&] {
    for (const char* name :
         {"a.corp.test.", "ns.corp.test.", "nx.corp.test."}) {
      EXPECT_EQ(Ask(name).error, "");
    }
  };
  ask_all();
  std::string dump = api.Get("/v1/dnsd/cache");
  EXPECT_THAT(dump, HasSubstr("{\"Name\":\"a.corp.test.\",\"Type\":\"A\","
                              "\"Rcode\":\"NOERROR\",\"TTL\":"));
  EXPECT_THAT(dump, HasSubstr("\"Name\":\"nx.corp.test.\",\"Type\":\"A\","
                              "\"Rcode\":\"NXDOMAIN\""));
  EXPECT_THAT(dump, HasSubstr("\"Entries\":3,"));
  EXPECT_THAT(dump, HasSubstr("\"Truncated\":false"));
  dump = api.Get("/v1/dnsd/cache?limit=1");
  EXPECT_THAT(dump, HasSubstr("\"Truncated\":true"));
  EXPECT_EQ(dump.find("\"Name\""), dump.rfind("\"Name\""));
  dump = api.Get("/v1/dnsd/cache?name=NS.corp.test");
  EXPECT_THAT(dump, HasSubstr("ns.corp.test."));
  EXPECT_THAT(dump, Not(HasSubstr("a.corp.test.\"")));
  EXPECT_THAT(api.Get("/v1/dnsd/cache?suffix=test"), HasSubstr("nx.corp.test"));
  EXPECT_THAT(api.Get("/v1/dnsd/cache?suffix=est"),
              HasSubstr("\"Answers\":[]"));

  const auto flush = [&](const std::string& query) {
    return api.Call("PUT", "/v1/dnsd/cache/flush" + query).body;
  };
  EXPECT_THAT(flush("?name=corp.test"), HasSubstr("{\"Flushed\":0}"));
  EXPECT_THAT(flush("?name=a.corp.test"), HasSubstr("{\"Flushed\":1}"));
  EXPECT_THAT(flush("?suffix=corp.test"), HasSubstr("{\"Flushed\":2}"));
  ask_all();
  EXPECT_THAT(flush(""), HasSubstr("{\"Flushed\":3}"));
  for (const char* bad : {"?name=", "?name=a..b", "?name=a&suffix=b"}) {
    EXPECT_EQ(api.Put(absl::StrCat("/v1/dnsd/cache/flush", bad)), 400) << bad;
  }
  EXPECT_EQ(api.Call("GET", "/v1/dnsd/cache?limit=10001").status, 400);
  EXPECT_EQ(api.Call("GET", "/v1/dnsd/cache?limit=x").status, 400);
}

TEST_F(ForwardRulesTest, TheCacheIsForWhoMayReadOrWriteTheAgent) {
  ASSERT_NO_FATAL_FAILURE(Start(R"(
    acl {
      enabled = true
      default_policy = "deny"
      static_tokens = [
        { secret = "reader"
          rules = "agent_prefix \"\" { policy = \"read\" }" },
        { secret = "writer" rules = "agent \"n1\" { policy = \"write\" }" }
      ]
    }
  )"));
  struct Case {
    const char* token;
    int dump;
    int flush;
  };
  for (const Case& c : {Case{"", 403, 403}, Case{"reader", 200, 403},
                        Case{"writer", 200, 200}}) {
    ConsulApi api = Api();
    api.set_token(c.token);
    EXPECT_EQ(api.Call("GET", "/v1/dnsd/cache").status, c.dump) << c.token;
    EXPECT_EQ(api.Put("/v1/dnsd/cache/flush"), c.flush) << c.token;
  }
}

// dnsd asks dnsmasq, which asks dnsd. It says so once, and goes on.
TEST_F(ForwardRulesTest, ALoopIsNoticed) {
  const std::string dnsmasq = ResolverProgram("sbin/dnsmasq");
  if (dnsmasq.empty()) GTEST_SKIP() << "no dnsmasq: ./dev test fetches it";
  const uint16_t port = PickConsulPorts("127.0.0.1").dns;
  ASSERT_NO_FATAL_FAILURE(
      Start(absl::StrCat(kWeb, "recursors = [\"127.0.0.1:", port, "\"]\n",
                         "dns_config { recursor_timeout = \"300ms\" }\n")));
  dir_.Write("dnsmasq", "");
  Process forwarder(ResolverCommand(
      dnsmasq,
      {"-k", absl::StrCat("--port=", port), "--listen-address=127.0.0.1",
       "--bind-interfaces", "--conf-file=" + dir_.Path("dnsmasq"),
       "--no-resolv", "--no-hosts", "--pid-file=", "--log-facility=-",
       absl::StrCat("--server=127.0.0.1#", dnsd_->dns().port)}));
  // Through the other, which knows how to ask us for what is ours.
  ASSERT_TRUE(WaitUntil([&] {
    return AskUdp({"127.0.0.1", port}, {"web.service.consul."},
                  std::chrono::milliseconds(500))
               .rcode == "NOERROR";
  })) << forwarder.output();
  ConsulApi api = Api();
  EXPECT_TRUE(WaitUntil([&] {
    EXPECT_EQ(Ask("www.example.").rcode, "SERVFAIL");
    return api.Get("/metrics").find("dnsd_forward_loops_total 0\n") ==
           std::string::npos;
  })) << dnsd_->process().output();
  EXPECT_TRUE(dnsd_->process().WaitForOutput("goes round in a circle", 0));
  EXPECT_THAT(dnsd_->process().output(), HasSubstr("zone=. from=127.0.0.1"));
  EXPECT_EQ(Ask("web.service.consul.").rcode, "NOERROR");
}

}  // namespace
}  // namespace dnsd::testing
