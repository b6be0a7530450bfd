// Names outside our zones, asked through a real dnsd of a real BIND that has
// them: whole and cut answers, aliases, negative ones, a recursor that is dead
// or dies, who may ask, and the same questions to a Consul 1.8.7 with the same
// recursor.
//
// Skipped without BIND, which `./dev` fetches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr size_t kManyAddresses = 95;  // not in 1232 bytes
constexpr std::chrono::milliseconds kTry{500};

constexpr char kBindConfig[] = R"(options {
  directory "DIR";
  listen-on port PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  recursion no;
};
controls {};
zone "example" { type primary; file "zone"; };
)";

// Of the zone "example".
std::string Zone() {
  std::string text = R"($TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
www A 192.0.2.81
www TXT "some text"
alias CNAME other
other CNAME www
six AAAA 2001:db8::1
)";
  for (size_t i = 1; i <= kManyAddresses; ++i) {
    absl::StrAppend(&text, "large A 198.51.100.", i, "\n");
  }
  return text;
}

class ForwardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string named = ResolverProgram("sbin/named");
    if (named.empty()) GTEST_SKIP() << "no BIND: ./dev test fetches it";
    upstream_.port = PickConsulPorts(upstream_.ip).dns;
    dir_.Write("zone", Zone());
    dir_.Write("named.conf",
               absl::StrReplaceAll(kBindConfig,
                                   {{"DIR", dir_.Path("")},
                                    {"PORT", absl::StrCat(upstream_.port)}}));
    bind_.emplace(
        ResolverCommand(named, {"-g", "-c", dir_.Path("named.conf")}));
    const auto is_up = [this] {
      return AskUdp(upstream_, {"www.example."}, kTry).rcode == "NOERROR";
    };
    ASSERT_TRUE(WaitUntil(is_up)) << bind_->output();
  }

  [[nodiscard]] std::string Recursor() const {
    return absl::StrCat(upstream_.ip, ":", upstream_.port);
  }

  void Start(std::vector<std::string> args) {
    args.insert(args.begin(), "-dev");
    dnsd_.emplace(args);
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
  }

  [[nodiscard]] DnsReply Ask(const std::string& name,
                             const std::string& type = "A") const {
    return AskUdp(dnsd_->dns(), {name, type, 1232});
  }

  TempDir dir_;
  DnsServer upstream_;
  std::optional<Process> bind_;
  std::optional<AgentProcess> dnsd_;
};

TEST_F(ForwardTest, AnswersAreTheUpstreams) {
  ASSERT_NO_FATAL_FAILURE(Start({"-recursor", Recursor()}));
  DnsReply reply = Ask("WWW.Example.");
  EXPECT_EQ(reply.question, "WWW.Example. IN A");
  EXPECT_THAT(Data(reply.answer, "A"),
              ::testing::UnorderedElementsAre("192.0.2.80", "192.0.2.81"));
  EXPECT_THAT(reply.flags, HasSubstr("ra"));
  EXPECT_THAT(reply.flags, Not(HasSubstr("aa")));

  EXPECT_THAT(Data(Ask("www.example.", "TXT").answer, "TXT"),
              ElementsAre("\"some text\""));
  EXPECT_THAT(Data(Ask("six.example.", "AAAA").answer, "AAAA"),
              ElementsAre("2001:db8::1"));

  reply = Ask("alias.example.");
  EXPECT_THAT(Data(reply.answer, "CNAME"), SizeIs(2));
  EXPECT_THAT(Data(reply.answer, "A"), SizeIs(2));

  reply = Ask("nope.example.");
  EXPECT_EQ(reply.rcode, "NXDOMAIN");
  EXPECT_THAT(Data(reply.authority, "SOA"), SizeIs(1));
  reply = Ask("www.example.", "MX");
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_THAT(reply.answer, IsEmpty());
  EXPECT_THAT(Data(reply.authority, "SOA"), SizeIs(1));

  // What is ours is not asked for, and who wants no recursion gets none.
  EXPECT_EQ(Ask("nope.service.consul.").rcode, "NXDOMAIN");
  EXPECT_EQ(
      AskUdp(dnsd_->dns(), {"ns.example.", "A", 1232, /*rd=*/false}).rcode,
      "REFUSED");
}

TEST_F(ForwardTest, LargeAnswersAreCutOverUdpAndWholeOverTcp) {
  ASSERT_NO_FATAL_FAILURE(Start({"-recursor", Recursor()}));
  EXPECT_THAT(Ask("large.example.").flags, HasSubstr("tc"));
  const DnsReply whole = AskTcp(dnsd_->dns(), {"large.example.", "A", 1232});
  EXPECT_THAT(Data(whole.answer, "A"), SizeIs(kManyAddresses));
}

TEST_F(ForwardTest, AnotherTakesOverFromOneThatIsDead) {
  const DnsServer dead{"127.0.0.1", PickConsulPorts("127.0.0.1").dns};
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", absl::StrCat(dead.ip, ":", dead.port), "-recursor",
             Recursor(), "-hcl",
             "dns_config { recursor_strategy = \"sequential\" }"}));
  EXPECT_THAT(Data(Ask("ns.example.").answer, "A"), ElementsAre("192.0.2.53"));
  EXPECT_THAT(Data(Ask("www.example.").answer, "A"), SizeIs(2));
}

TEST_F(ForwardTest, WhatIsKnownOutlivesTheUpstream) {
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", Recursor(), "-hcl",
             "dns_config { recursor_timeout = \"300ms\" }"}));
  // Each worker has a cache of its own, and a socket's port chooses one.
  DnsSocket client = DnsSocket::Udp(dnsd_->dns());
  const auto ask = [&client](const std::string& name, uint16_t id) {
    EXPECT_TRUE(client.Send(MakeQuery({name, "A", 1232}, id)));
    return client.Receive();
  };
  EXPECT_THAT(Data(ask("www.example.", 1).answer, "A"), SizeIs(2));
  bind_->Signal(SIGKILL);
  ASSERT_TRUE(bind_->Wait());
  EXPECT_THAT(Data(ask("www.example.", 2).answer, "A"), SizeIs(2));
  EXPECT_EQ(ask("ns.example.", 3).rcode, "SERVFAIL");
}

TEST_F(ForwardTest, OnlyThoseWhoMayAreAnswered) {
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", Recursor(), "-hcl",
             "dns_config { recursion_allow = [\"192.0.2.0/24\"] }"}));
  EXPECT_EQ(Ask("www.example.").rcode, "REFUSED");
  EXPECT_EQ(AskTcp(dnsd_->dns(), {"www.example.", "A", 1232}).rcode, "REFUSED");
  EXPECT_EQ(Ask("nope.service.consul.").rcode, "NXDOMAIN");
}

// In order, and with the zone's TTL: what dnsd has cached grows older, Consul
// asks again.
void SortUnaged(std::vector<std::string>* records) {
  constexpr int kTtl = 300;
  constexpr int kAgeMax = 20;
  const std::string fresh = absl::StrCat(". ", kTtl, " IN ");
  for (std::string& record : *records) {
    for (int age = 1; age <= kAgeMax; ++age) {
      record = absl::StrReplaceAll(
          record, {{absl::StrCat(". ", kTtl - age, " IN "), fresh}});
    }
  }
  std::sort(records->begin(), records->end());
}

TEST_F(ForwardTest, ConsulSaysTheSame) {
  const auto binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul";
  ConsulProcessOptions options;
  options.config = absl::StrCat("recursors = [\"", Recursor(), "\"]");
  ConsulProcess consul(*binary, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  ASSERT_NO_FATAL_FAILURE(Start(
      {"-recursor", Recursor(), "-hcl", "dns_config { compat = \"consul\" }"}));
  for (const std::string name : {"www.example.", "alias.example.",
                                 "nope.example.", "4.3.2.1.in-addr.arpa."}) {
    for (const std::string type : {"A", "AAAA", "TXT", "PTR"}) {
      for (const bool tcp : {false, true}) {
        const auto ask = [&](const DnsServer& server) {
          const DnsQuestion question{name, type, 1232};
          return tcp ? AskTcp(server, question) : AskUdp(server, question);
        };
        DnsReply ours = ask(dnsd_->dns());
        DnsReply theirs = ask(consul.dns());
        SCOPED_TRACE(absl::StrCat(name, " ", type, tcp ? " TCP" : " UDP"));
        EXPECT_EQ(ours.rcode, theirs.rcode) << ours.error << theirs.error;
        SortUnaged(&ours.answer);
        SortUnaged(&theirs.answer);
        EXPECT_EQ(ours.answer, theirs.answer);
      }
    }
  }
}

// Services and a node whose addresses are names of others.
void RegisterExternals(const std::string& url) {
  ConsulApi api(url);
  const auto put = [&](const std::string& node, const std::string& address,
                       const std::string& service) {
    std::string body =
        absl::StrCat(R"({"Node":")", node, R"(","Address":")", address, R"(")");
    if (!service.empty()) {
      absl::StrAppend(&body, R"(,"Service":{"Service":")", service,
                      R"(","Port":80})");
    }
    ASSERT_EQ(api.Put("/v1/catalog/register", body + "}"), 200);
  };
  put("n1", "www.example", "ext");
  put("n2", "alias.example", "far");
  put("n3", "six.example", "six");
  put("n4", "nope.example", "none");
  put("n5", "ns.example", "one");
  put("n6", "one.service.consul", "inner");
}

TEST_F(ForwardTest, ConsulSaysTheSameOfExternalServices) {
  const auto binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul";
  ConsulProcessOptions options;
  options.config =
      absl::StrCat("recursors = [\"", Recursor(),
                   "\"] dns_config { service_ttl { \"*\" = \"77s\" } }");
  ConsulProcess consul(*binary, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", Recursor(), "-hcl",
             "dns_config { compat = \"consul\" service_ttl { \"*\" = "
             "\"77s\" } }"}));
  ASSERT_NO_FATAL_FAILURE(RegisterExternals(consul.HttpUrl()));
  ASSERT_NO_FATAL_FAILURE(
      RegisterExternals(absl::StrCat("http://", dnsd_->HttpAddress())));
  for (const std::string name :
       {"ext.service", "far.service", "six.service", "none.service",
        "inner.service", "n1.node", "n2.node", "n4.node", "n6.node"}) {
    for (const std::string type : {"A", "AAAA", "SRV", "ANY", "TXT", "MX"}) {
      for (const uint16_t edns : {uint16_t{0}, uint16_t{1232}}) {
        const DnsQuestion question{name + ".consul.", type, edns};
        SCOPED_TRACE(absl::StrCat(name, " ", type, " ", edns));
        DnsReply ours = AskUdp(dnsd_->dns(), question);
        DnsReply theirs = AskUdp(consul.dns(), question);
        EXPECT_EQ(ours.rcode, theirs.rcode) << ours.error << theirs.error;
        for (DnsReply* reply : {&ours, &theirs}) {
          SortUnaged(&reply->answer);
          SortUnaged(&reply->additional);
        }
        EXPECT_EQ(ours.answer, theirs.answer);
        EXPECT_EQ(ours.additional, theirs.additional);
      }
    }
  }
}

TEST_F(ForwardTest, ExternalServicesAreResolvedToTheTypeAsked) {
  dir_.Write("corp", R"($TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
in CNAME one.service.consul.
out CNAME www.example.
)");
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", Recursor(), "-hcl",
             "dns_config { service_ttl { \"*\" = \"77s\" } node_ttl = "
             "\"1h\" recursor_timeout = \"300ms\" }",
             "-hcl",
             absl::StrCat("zones = [{ name = \"corp.test\", file = \"",
                          dir_.Path("corp"), "\" }]")}));
  ASSERT_NO_FATAL_FAILURE(
      RegisterExternals(absl::StrCat("http://", dnsd_->HttpAddress())));
  DnsReply reply = Ask("ext.service.consul.");
  EXPECT_EQ(Data(reply.answer, "CNAME"),
            std::vector<std::string>{"www.example."});
  EXPECT_THAT(Data(reply.answer, "A"),
              ::testing::UnorderedElementsAre("192.0.2.80", "192.0.2.81"));
  // The smaller TTL of both: 77 s here, 300 s there.
  EXPECT_THAT(reply.answer, ::testing::Contains(HasSubstr(". 77 IN A")));
  EXPECT_THAT(Ask("n1.node.consul.").answer,
              ::testing::Contains(HasSubstr(". 300 IN A")));

  reply = Ask("six.service.consul.", "AAAA");
  EXPECT_THAT(Data(reply.answer, "AAAA"), ElementsAre("2001:db8::1"));
  EXPECT_THAT(Data(Ask("six.service.consul.").answer, "A"), IsEmpty());
  reply = Ask("far.service.consul.");
  EXPECT_THAT(Data(reply.answer, "CNAME"), SizeIs(3));
  EXPECT_THAT(Data(reply.answer, "A"), SizeIs(2));
  reply = Ask("inner.service.consul.");
  EXPECT_THAT(Data(reply.answer, "CNAME"), SizeIs(2));
  EXPECT_THAT(Data(reply.answer, "A"), ElementsAre("192.0.2.53"));
  EXPECT_THAT(Data(Ask("ext.service.consul.", "SRV").additional, "A"),
              SizeIs(2));
  reply = AskTcp(dnsd_->dns(), {"ext.service.consul.", "A", 1232});
  EXPECT_THAT(Data(reply.answer, "A"), SizeIs(2));

  // A zone file may lead to the catalog and to others as well.
  reply = Ask("in.corp.test.");
  EXPECT_EQ(Data(reply.answer, "CNAME"),
            (std::vector<std::string>{"one.service.consul.", "ns.example."}));
  EXPECT_THAT(Data(reply.answer, "A"), ElementsAre("192.0.2.53"));
  EXPECT_THAT(Data(Ask("out.corp.test.").answer, "A"), SizeIs(2));
  EXPECT_THAT(Ask("out.corp.test.", "TXT").answer, SizeIs(1));

  // Who wants no recursion follows the alias himself.
  reply = AskUdp(dnsd_->dns(), {"ext.service.consul.", "A", 1232, false});
  EXPECT_EQ(reply.rcode, "NOERROR");
  EXPECT_THAT(reply.answer, SizeIs(1));
  EXPECT_EQ(Ask("none.service.consul.").rcode, "NOERROR");

  // A name that is not known, and nobody to ask.
  bind_->Signal(SIGKILL);
  ASSERT_TRUE(bind_->Wait());
  ConsulApi api(absl::StrCat("http://", dnsd_->HttpAddress()));
  ASSERT_EQ(api.Put("/v1/catalog/register",
                    R"({"Node":"n7","Address":"lost.example",)"
                    R"("Service":{"Service":"lost"}})"),
            200);
  EXPECT_EQ(Ask("lost.service.consul.").rcode, "SERVFAIL");
  EXPECT_EQ(Ask("lost.service.consul.", "SRV").rcode, "NOERROR");
}

TEST_F(ForwardTest, ExternalServicesOutliveTheUpstream) {
  ASSERT_NO_FATAL_FAILURE(
      Start({"-recursor", Recursor(), "-workers", "1", "-hcl",
             "dns_config { recursor_timeout = \"300ms\" service_ttl { \"*\" "
             "= \"77s\" } cache { max_ttl = \"1s\" } }"}));
  ASSERT_NO_FATAL_FAILURE(
      RegisterExternals(absl::StrCat("http://", dnsd_->HttpAddress())));
  EXPECT_THAT(Data(Ask("ext.service.consul.").answer, "A"), SizeIs(2));
  bind_->Signal(SIGKILL);
  ASSERT_TRUE(bind_->Wait());
  // Past its time, which the TTL tells (RFC 8767 section 4).
  const auto is_stale = [this] {
    const DnsReply reply = Ask("ext.service.consul.");
    EXPECT_THAT(Data(reply.answer, "A"), SizeIs(2)) << reply.rcode;
    return std::count_if(reply.answer.begin(), reply.answer.end(),
                         [](const std::string& record) {
                           return absl::StrContains(record, ". 30 IN A");
                         }) == 2;
  };
  EXPECT_TRUE(WaitUntil(is_stale));
}

}  // namespace
}  // namespace dnsd::testing
