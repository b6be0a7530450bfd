// The real binary, asked over real sockets: every name form over UDP and TCP,
// by our own client and by dig, drill and nslookup.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

constexpr char kConfig[] = R"(
node_name      = "n1"
datacenter     = "dc1"
alt_domain     = "alt.test"
advertise_addr = "192.0.2.1"
node_meta { rack = "r1" }
dns_config {
  node_ttl = "7s"
  service_ttl { "*" = "5s" }
}
services = [
  { id = "web-1" name = "web" address = "192.0.2.11" port = 8080
    tags = ["v1", "a.b"] weights { passing = 10 warning = 1 } },
  { id = "web-2" name = "web" address = "192.0.2.12" port = 8081
    tags = ["v2"] weights { passing = 10 warning = 2 }
    check { name = "slow" ttl = "87600h" status = "warning" } },
  { id = "web-3" name = "web" address = "192.0.2.13" port = 8081
    tags = ["v2"]
    check { name = "down" ttl = "87600h" status = "critical" } },
  { name = "down" address = "192.0.2.14" port = 1
    check { name = "down" ttl = "87600h" status = "critical" } },
  { name = "here" port = 9000 },
  { name = "cache" address = "2001:db8::31" port = 6379 },
  { name = "billing" address = "www.example.com" port = 443 }
]
)";

// One service of many instances, for answers that do not fit.
std::string ManyInstances(int count) {
  std::string text = "services = [\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "{ id = \"many-", i,
                    "\" name = \"many\" port = ", 1000 + i,
                    " address = \"198.51.100.", i, "\" },\n");
  }
  return text + "]\n";
}

class ServeTest : public ::testing::Test {
 protected:
  // Starts an agent on `config` and waits for it.
  void Start(const std::string& config, std::vector<std::string> args = {}) {
    dir_.Write("agent.hcl", config);
    args.insert(args.begin(), {"-config-dir", dir_.path()});
    agent_.emplace(args);
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }

  // `tool ARGS...`, which must succeed; its output.
  std::string Tool(const std::vector<std::string>& argv) {
    const Finished finished = RunToEnd(argv);
    EXPECT_EQ(finished.exit_code, 0)
        << argv[0] << " (is it installed?): " << finished.output;
    return finished.output;
  }

  std::string Port() const { return std::to_string(agent_->dns().port); }

  // What dig +short prints, line by line.
  std::vector<std::string> DigShort(std::vector<std::string> args) {
    args.insert(args.begin(), {"dig", "@127.0.0.1", "-p", Port(), "+short",
                               "+time=5", "+tries=1"});
    return absl::StrSplit(Tool(args), '\n', absl::SkipEmpty());
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
};

struct NameCase {
  const char* name;
  const char* type;
  const char* rcode;
  std::vector<std::string> data;  // of the answer's records of `type`
};

const NameCase kNames[] = {
    {"web.service.consul.", "A", "NOERROR", {"192.0.2.11", "192.0.2.12"}},
    {"web.service.dc1.consul.", "A", "NOERROR", {"192.0.2.11", "192.0.2.12"}},
    {"web.service.dc1.dc.consul.",
     "A",
     "NOERROR",
     {"192.0.2.11", "192.0.2.12"}},
    {"web.service.dc9.consul.", "A", "NXDOMAIN", {}},
    {"v1.web.service.consul.", "A", "NOERROR", {"192.0.2.11"}},
    {"V2.web.service.consul.", "A", "NOERROR", {"192.0.2.12"}},
    {"a.b.web.service.consul.", "A", "NOERROR", {"192.0.2.11"}},
    {"v9.web.service.consul.", "A", "NXDOMAIN", {}},
    {"web.service.consul.",
     "SRV",
     "NOERROR",
     {"1 10 8080 c000020b.addr.dc1.consul.",
      "1 2 8081 c000020c.addr.dc1.consul."}},
    {"_web._tcp.service.consul.",
     "SRV",
     "NOERROR",
     {"1 10 8080 c000020b.addr.dc1.consul.",
      "1 2 8081 c000020c.addr.dc1.consul."}},
    {"_web._v1.service.dc1.consul.",
     "SRV",
     "NOERROR",
     {"1 10 8080 c000020b.addr.dc1.consul."}},
    {"_web._tcp.consul.",
     "SRV",
     "NOERROR",
     {"1 10 8080 c000020b.addr.dc1.consul.",
      "1 2 8081 c000020c.addr.dc1.consul."}},
    {"_web._udp.service.consul.", "SRV", "NXDOMAIN", {}},
    {"web.service.alt.test.", "A", "NOERROR", {"192.0.2.11", "192.0.2.12"}},
    {"web.service.alt.test.",
     "SRV",
     "NOERROR",
     {"1 10 8080 c000020b.addr.dc1.alt.test.",
      "1 2 8081 c000020c.addr.dc1.alt.test."}},
    {"down.service.consul.", "A", "NXDOMAIN", {}},
    {"none.service.consul.", "SRV", "NXDOMAIN", {}},
    {"here.service.consul.", "A", "NOERROR", {"192.0.2.1"}},
    {"here.service.consul.",
     "SRV",
     "NOERROR",
     {"1 1 9000 n1.node.dc1.consul."}},
    {"cache.service.consul.", "AAAA", "NOERROR", {"2001:db8::31"}},
    {"cache.service.consul.", "A", "NOERROR", {}},
    {"cache.service.consul.",
     "SRV",
     "NOERROR",
     {"1 1 6379 20010db8000000000000000000000031.addr.dc1.consul."}},
    {"billing.service.consul.", "CNAME", "NOERROR", {"www.example.com."}},
    {"billing.service.consul.", "SRV", "NOERROR", {"1 1 443 www.example.com."}},
    {"n1.node.consul.", "A", "NOERROR", {"192.0.2.1"}},
    {"N1.node.dc1.consul.", "A", "NOERROR", {"192.0.2.1"}},
    {"n9.node.consul.", "A", "NXDOMAIN", {}},
    {"c000020b.addr.consul.", "A", "NOERROR", {"192.0.2.11"}},
    {"c000020b.addr.dc1.consul.", "A", "NOERROR", {"192.0.2.11"}},
    {"20010db8000000000000000000000031.addr.consul.",
     "AAAA",
     "NOERROR",
     {"2001:db8::31"}},
    {"11.2.0.192.in-addr.arpa.", "PTR", "NOERROR", {"web.service.dc1.consul."}},
    {"1.2.0.192.in-addr.arpa.", "PTR", "NOERROR", {"n1.node.dc1.consul."}},
    {"1.3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6."
     "arpa.",
     "PTR",
     "NOERROR",
     {"cache.service.dc1.consul."}},
    // Empty non-terminals are not "no such name" (compat = "rfc").
    {"service.consul.", "A", "NOERROR", {}},
    {"consul.", "A", "NOERROR", {}},
    {"www.example.org.", "A", "REFUSED", {}},
};

TEST_F(ServeTest, EveryNameFormOverUdpAndTcp) {
  Start(kConfig);
  for (const NameCase& want : kNames) {
    for (const bool tcp : {false, true}) {
      for (const int edns_bytes : {0, 1232}) {
        SCOPED_TRACE(absl::StrCat(want.name, " ", want.type,
                                  tcp ? " tcp" : " udp", " edns=", edns_bytes));
        const DnsQuestion question = {want.name, want.type, edns_bytes};
        const DnsReply reply = tcp ? AskTcp(agent_->dns(), question)
                                   : AskUdp(agent_->dns(), question);
        ASSERT_EQ(reply.error, "");
        EXPECT_EQ(reply.rcode, want.rcode);
        EXPECT_EQ(reply.question, absl::StrCat(want.name, " IN ", want.type));
        EXPECT_THAT(Data(reply.answer, want.type),
                    UnorderedElementsAreArray(want.data));
        // Whoever announced a size hears ours; nobody else gets an OPT.
        EXPECT_EQ(reply.opt, edns_bytes != 0);
        const bool ours = std::string(want.rcode) != "REFUSED";
        EXPECT_EQ(reply.flags, ours ? "qr aa rd" : "qr rd");
        // RFC 2308: a negative answer carries the zone's SOA.
        const bool negative = reply.answer.empty() && ours;
        EXPECT_THAT(Data(reply.authority, "SOA"), SizeIs(negative ? 1 : 0));
      }
    }
  }
}

TEST_F(ServeTest, TheApexHasSoaAndNs) {
  Start(kConfig);
  for (const char* apex : {"consul.", "alt.test."}) {
    const DnsReply soa = AskUdp(agent_->dns(), {apex, "SOA"});
    ASSERT_EQ(soa.error, "");
    ASSERT_THAT(Data(soa.answer, "SOA"), SizeIs(1));
    EXPECT_THAT(Data(soa.answer, "SOA")[0], HasSubstr(absl::StrCat(".", apex)));
    const DnsReply ns = AskUdp(agent_->dns(), {apex, "NS"});
    ASSERT_EQ(ns.error, "");
    EXPECT_THAT(Data(ns.answer, "NS"), Not(IsEmpty()));
  }
}

TEST_F(ServeTest, SrvTargetsComeWithTheirAddresses) {
  Start(kConfig);
  const DnsReply reply = AskUdp(agent_->dns(), {"web.service.consul.", "SRV"});
  ASSERT_EQ(reply.error, "");
  EXPECT_THAT(reply.additional,
              Contains("c000020b.addr.dc1.consul. 5 IN A 192.0.2.11"));
  EXPECT_THAT(reply.additional,
              Contains("c000020c.addr.dc1.consul. 5 IN A 192.0.2.12"));
}

TEST_F(ServeTest, TtlsAreThoseOfTheConfiguration) {
  Start(kConfig);
  EXPECT_THAT(AskUdp(agent_->dns(), {"here.service.consul."}).answer,
              UnorderedElementsAre("here.service.consul. 5 IN A 192.0.2.1"));
  EXPECT_THAT(AskUdp(agent_->dns(), {"n1.node.consul."}).answer,
              UnorderedElementsAre("n1.node.consul. 7 IN A 192.0.2.1"));
}

TEST_F(ServeTest, NodeMetaIsTxt) {
  Start(kConfig);
  const DnsReply reply = AskUdp(agent_->dns(), {"n1.node.consul.", "TXT"});
  EXPECT_THAT(Data(reply.answer, "TXT"), Contains("\"rack=r1\""));
}

// RFC 4343; resolvers randomise the case and compare the echo.
TEST_F(ServeTest, LetterCaseIsEchoed) {
  Start(kConfig);
  const DnsReply reply = AskUdp(agent_->dns(), {"wEb.SerVice.CoNSul."});
  ASSERT_EQ(reply.error, "");
  EXPECT_EQ(reply.question, "wEb.SerVice.CoNSul. IN A");
  EXPECT_THAT(reply.answer, SizeIs(2));
  EXPECT_THAT(reply.answer, Each(HasSubstr("wEb.SerVice.CoNSul. 5 IN A ")));
}

TEST_F(ServeTest, WhatDoesNotFitIsTruncatedOverUdpAndWholeOverTcp) {
  constexpr int kCount = 200;
  Start(ManyInstances(kCount));
  for (const int edns_bytes : {0, 1232}) {
    const DnsReply udp =
        AskUdp(agent_->dns(), {"many.service.consul.", "SRV", edns_bytes});
    ASSERT_EQ(udp.error, "");
    EXPECT_EQ(udp.flags, "qr aa tc rd");
    EXPECT_LE(udp.wire.size(), edns_bytes == 0 ? 512u : 1232u);
    EXPECT_EQ(udp.opt, edns_bytes != 0);
  }
  const DnsReply tcp = AskTcp(agent_->dns(), {"many.service.consul.", "SRV"});
  ASSERT_EQ(tcp.error, "");
  EXPECT_EQ(tcp.flags, "qr aa rd");
  EXPECT_THAT(tcp.answer, SizeIs(kCount));
  // dig comes back over TCP by itself.
  EXPECT_THAT(DigShort({"many.service.consul", "SRV"}), SizeIs(kCount));
}

TEST_F(ServeTest, DigDrillAndNslookupUnderstandTheAnswers) {
  Start(kConfig);
  for (const char* tcp : {"+notcp", "+tcp"}) {
    EXPECT_THAT(DigShort({tcp, "web.service.consul"}),
                UnorderedElementsAre("192.0.2.11", "192.0.2.12"));
    EXPECT_THAT(DigShort({tcp, "_web._tcp.service.consul", "SRV"}),
                UnorderedElementsAre("1 10 8080 c000020b.addr.dc1.consul.",
                                     "1 2 8081 c000020c.addr.dc1.consul."));
    EXPECT_THAT(DigShort({tcp, "-x", "192.0.2.11"}),
                UnorderedElementsAre("web.service.dc1.consul."));
    EXPECT_THAT(DigShort({tcp, "cache.service.consul", "AAAA"}),
                UnorderedElementsAre("2001:db8::31"));
    EXPECT_THAT(DigShort({tcp, "none.service.consul"}), IsEmpty());
  }
  const std::string dig =
      Tool({"dig", "@127.0.0.1", "-p", Port(), "web.service.consul", "SRV"});
  EXPECT_THAT(dig, HasSubstr("status: NOERROR"));
  EXPECT_THAT(dig, Not(HasSubstr("WARNING: Message parser")));
  EXPECT_THAT(dig, HasSubstr("ADDITIONAL SECTION"));

  for (const char* transport : {"-u", "-t"}) {
    const std::string srv = Tool({"drill", transport, "-p", Port(),
                                  "web.service.consul", "@127.0.0.1", "SRV"});
    EXPECT_THAT(srv, HasSubstr("rcode: NOERROR"));
    EXPECT_THAT(srv, HasSubstr("c000020b.addr.dc1.consul."));
    EXPECT_THAT(srv, HasSubstr("192.0.2.12"));
    EXPECT_THAT(Tool({"drill", transport, "-p", Port(), "none.service.consul",
                      "@127.0.0.1"}),
                HasSubstr("rcode: NXDOMAIN"));
  }

  const std::string a = Tool({"nslookup", absl::StrCat("-port=", Port()),
                              "web.service.consul", "127.0.0.1"});
  EXPECT_THAT(a, HasSubstr("Address: 192.0.2.11"));
  EXPECT_THAT(a, HasSubstr("Address: 192.0.2.12"));
  EXPECT_THAT(Tool({"nslookup", absl::StrCat("-port=", Port()), "-type=SRV",
                    "web.service.consul", "127.0.0.1"}),
              HasSubstr("service = 1 10 8080 c000020b.addr.dc1.consul."));
  EXPECT_THAT(Tool({"nslookup", absl::StrCat("-port=", Port()), "192.0.2.11",
                    "127.0.0.1"}),
              HasSubstr("name = web.service.dc1.consul."));
}

TEST_F(ServeTest, OneTcpConnectionTakesManyQueriesAtOnce) {
  constexpr uint16_t kCount = 100;
  Start(kConfig);
  DnsSocket socket = DnsSocket::Tcp(agent_->dns());
  ASSERT_TRUE(socket.ok());
  for (uint16_t id = 0; id < kCount; ++id) {
    ASSERT_TRUE(socket.SendFrame(MakeQuery({"web.service.consul."}, id)));
  }
  std::vector<uint16_t> ids;
  for (uint16_t i = 0; i < kCount; ++i) {
    const DnsReply reply = socket.Receive();
    ASSERT_EQ(reply.error, "") << "after " << i << " replies";
    EXPECT_THAT(reply.answer, SizeIs(2));
    ids.push_back(reply.id);
  }
  // RFC 7766 allows any order.
  std::sort(ids.begin(), ids.end());
  for (uint16_t id = 0; id < kCount; ++id) EXPECT_EQ(ids[id], id);
}

// A client that starts a message and falls silent must not keep its place.
TEST_F(ServeTest, AHalfSentFrameIsClosed) {
  Start(kConfig);
  DnsSocket socket = DnsSocket::Tcp(agent_->dns());
  ASSERT_TRUE(socket.ok());
  const Bytes query = MakeQuery({"web.service.consul."}, 1);
  ASSERT_TRUE(socket.Send(Bytes{0, static_cast<uint8_t>(query.size()), 0}));
  EXPECT_TRUE(socket.WaitForClose());
}

// The first reply on the socket is that to the good query, so the bad packets
// before it were not answered.
TEST_F(ServeTest, ResponsesAndFragmentsOfPacketsAreNotAnswered) {
  Start(kConfig);
  DnsSocket socket = DnsSocket::Udp(agent_->dns());
  const Bytes query = MakeQuery({"web.service.consul."}, 1);
  Bytes response = query;
  response[2] |= 0x80;
  ASSERT_TRUE(socket.Send(response));
  for (size_t bytes = 1; bytes < 12; ++bytes) {
    ASSERT_TRUE(socket.Send(
        Bytes(query.begin(), query.begin() + static_cast<ptrdiff_t>(bytes))));
  }
  ASSERT_TRUE(socket.Send(MakeQuery({"web.service.consul."}, 2)));
  const DnsReply reply = socket.Receive();
  ASSERT_EQ(reply.error, "");
  EXPECT_EQ(reply.id, 2);
  EXPECT_EQ(reply.rcode, "NOERROR");
}

TEST_F(ServeTest, AWildcardBindRepliesFromTheAddressThatWasAsked) {
  Start(kConfig, {"-client", "0.0.0.0"});
  for (const char* ip : {"127.0.0.1", "127.0.0.2", "127.8.9.10"}) {
    const DnsServer server = {ip, agent_->dns().port};
    const DnsReply udp = AskUdp(server, {"web.service.consul."});
    ASSERT_EQ(udp.error, "") << ip;
    EXPECT_EQ(udp.from, ip);
    EXPECT_THAT(udp.answer, SizeIs(2));
    EXPECT_EQ(AskTcp(server, {"web.service.consul."}).error, "") << ip;
  }
}

TEST_F(ServeTest, ServesOverIpv6) {
  if (!HasAddress("::1")) GTEST_SKIP() << "no ::1 on this machine";
  Start(kConfig, {"-client", "::1"});
  const DnsServer server = {"::1", agent_->dns().port};
  EXPECT_THAT(AskUdp(server, {"web.service.consul."}).answer, SizeIs(2));
  EXPECT_THAT(AskTcp(server, {"web.service.consul."}).answer, SizeIs(2));
}

TEST_F(ServeTest, SigtermEndsItWithZeroAndRemovesThePidFile) {
  const std::string pid_file = dir_.Path("dnsd.pid");
  Start(kConfig, {"-pid-file", pid_file});
  EXPECT_EQ(absl::StripAsciiWhitespace(ReadFile(pid_file)),
            std::to_string(agent_->process().pid()));
  EXPECT_EQ(agent_->Stop(), 0) << agent_->process().output();
  EXPECT_EQ(ReadFile(pid_file), "");
}

TEST_F(ServeTest, JsonLogLinesAreJson) {
  dir_.Write("agent.hcl", kConfig);
  AgentProcess agent({"-config-dir", dir_.path(), "-log-json"});
  ASSERT_TRUE(agent.process().WaitForOutput("agent running"))
      << agent.process().output();
  EXPECT_EQ(agent.Stop(), 0);
  const std::vector<std::string> lines =
      absl::StrSplit(agent.process().output(), '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, Contains(HasSubstr("\"@level\":\"info\"")));
  EXPECT_THAT(lines, Each(::testing::StartsWith("{")));
}

// The catalog that ./dev run serves. The expected answers were compared with
// those of Consul 1.8.7 on the same files.
TEST_F(ServeTest, TheDemoCatalog) {
  AgentProcess agent(
      {"-config-dir", absl::StrCat(DNSD_SOURCE_DIR, "/docker/demo")});
  ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
  const auto ask = [&agent](const char* name, const char* type) {
    const DnsReply reply = AskTcp(agent.dns(), {name, type});
    EXPECT_EQ(reply.error, "");
    return Data(reply.answer, type);
  };
  EXPECT_THAT(ask("web.service.consul.", "SRV"),
              UnorderedElementsAre("1 10 8080 c000020b.addr.dc1.consul.",
                                   "1 1 8080 c000020c.addr.dc1.consul.",
                                   "1 5 8081 c000020d.addr.dc1.consul."));
  EXPECT_THAT(ask("v2.web.service.consul.", "A"),
              UnorderedElementsAre("192.0.2.13"));
  EXPECT_THAT(ask("primary.postgres.service.consul.", "A"),
              UnorderedElementsAre("198.51.100.21"));
  EXPECT_THAT(ask("cache.service.consul.", "AAAA"),
              UnorderedElementsAre("2001:db8::31", "2001:db8::32"));
  EXPECT_THAT(ask("cache.service.consul.", "A"),
              UnorderedElementsAre("198.51.100.32"));
  EXPECT_THAT(ask("billing.service.consul.", "CNAME"),
              UnorderedElementsAre("www.example.com."));
  EXPECT_THAT(ask("demo.node.consul.", "A"), UnorderedElementsAre("192.0.2.1"));
  EXPECT_EQ(agent.Stop(), 0);
}

}  // namespace
}  // namespace dnsd::testing
