// The real binary and clients that it does not trust: cookies by dig, a flood
// against the rate limit, TCP limits; all of them changed by a reload.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kName[] = "web.service.consul";
constexpr char kClientCookie[] = "2464c4abcf10c957";

std::string Config(const std::string& dns_config) {
  return absl::StrCat(
      "service { name = \"web\" address = \"192.0.2.1\" port = 80 }\n"
      "dns_config {\n",
      dns_config, "\n}\n");
}

class ClientsTest : public ::testing::Test {
 protected:
  void Start(const std::string& dns_config, const std::string& more = "") {
    dir_.Write("agent.hcl", absl::StrCat(Config(dns_config), more));
    agent_.emplace(std::vector<std::string>{"-config-dir", dir_.path(), "-node",
                                            "n1", "-workers", "1"});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }
  void Reload(const std::string& dns_config) {
    dir_.Write("agent.hcl", Config(dns_config));
    const Finished reload = agent_->Reload();
    ASSERT_EQ(reload.exit_code, 0) << reload.output;
  }

  std::string Dig(std::vector<std::string> args,
                  const std::string& name = kName) {
    args.insert(args.begin(),
                {"dig", "@127.0.0.1", "-p", std::to_string(agent_->dns().port),
                 name, "+noall", "+comments", "+ignore"});
    const Finished finished = RunToEnd(args);
    EXPECT_EQ(finished.exit_code, 0) << finished.output;
    return finished.output;
  }
  // The 48 digits of the cookie that dig prints.
  static std::string CookieIn(const std::string& output) {
    const std::vector<std::string> parts =
        absl::StrSplit(output, absl::MaxSplits("COOKIE: ", 1));
    return parts.size() < 2 ? "" : parts[1].substr(0, 48);
  }

  // One number of /metrics, by its name with labels.
  uint64_t Metric(const std::string& name) {
    const std::optional<uint64_t> value =
        ConsulApi("http://" + agent_->HttpAddress()).Metric(name);
    EXPECT_TRUE(value) << name;
    return value.value_or(0);
  }
  uint64_t Cookies(const std::string& kind) {
    return Metric("dnsd_dns_cookies_total{cookie=\"" + kind + "\"}");
  }
  uint64_t Limited(const std::string& action) {
    return Metric("dnsd_dns_rate_limited_total{action=\"" + action + "\"}");
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
};

TEST_F(ClientsTest, DigLikesOurCookies) {
  Start("");
  const std::string first = Dig({"+cookie"});
  EXPECT_THAT(first, HasSubstr("(good)"));
  EXPECT_THAT(first, HasSubstr("ANSWER: 1"));
  const std::string cookie = CookieIn(first);
  EXPECT_THAT(Dig({"+cookie=" + cookie}), HasSubstr(cookie + " (good)"));
  EXPECT_THAT(Dig({"+cookie=" + cookie, "+tcp", "+keepalive"}),
              HasSubstr("TCP KEEPALIVE: 10.0 secs"));
  EXPECT_EQ(Cookies("client_only"), 1u);
  EXPECT_EQ(Cookies("good"), 2u);
  EXPECT_THAT(Dig({"+cookie=2464c4abcf10c95701"}), HasSubstr("FORMERR"));
  EXPECT_EQ(Cookies("malformed"), 1u);
}

TEST_F(ClientsTest, ConsulKnowsNoCookies) {
  Start("compat = \"consul\"");
  EXPECT_THAT(Dig({"+cookie"}), Not(HasSubstr("COOKIE")));
}

// dig asks again with the cookie that BADCOOKIE brings.
TEST_F(ClientsTest, RequiredCookiesCostOneMoreRoundTrip) {
  Start("cookies = \"required\"");
  EXPECT_THAT(Dig({"+cookie", "+nobadcookie"}), HasSubstr("BADCOOKIE"));
  const std::string output = Dig({"+cookie", "+badcookie"});
  EXPECT_THAT(output, HasSubstr("ANSWER: 1"));
  EXPECT_EQ(Cookies("good"), 1u);
  EXPECT_THAT(Dig({"+nocookie"}), HasSubstr("ANSWER: 1"));
}

TEST_F(ClientsTest, WhatARecursorSaysComesWithOurCookie) {
  TempDir dir;
  dir.Write("agent.hcl",
            absl::StrCat("domain = \"other\"\n",
                         Config("service_ttl { \"*\" = \"60s\" }")));
  AgentProcess recursor({"-config-dir", dir.path(), "-node", "n2"});
  ASSERT_TRUE(recursor.WaitUntilServing()) << recursor.process().output();
  Start("cookies = \"required\"",
        absl::StrCat("recursors = [\"127.0.0.1:", recursor.dns().port, "\"]"));
  const std::string name = "web.service.other";
  EXPECT_THAT(Dig({"+cookie", "+nobadcookie"}, name), HasSubstr("BADCOOKIE"));
  EXPECT_EQ(Metric("dnsd_forward_queries_total"), 0u);
  for (const char* from : {"the recursor", "the cache"}) {
    const std::string output = Dig({"+cookie", "+badcookie"}, name);
    EXPECT_THAT(output, HasSubstr("ANSWER: 1")) << from;
    EXPECT_THAT(output, HasSubstr("(good)")) << from;
  }
  EXPECT_EQ(Metric("dnsd_forward_cache_hits_total"), 1u);
  const std::string nothing = Dig({"+cookie"}, "nothing.other");
  EXPECT_THAT(nothing, HasSubstr("NXDOMAIN"));
  EXPECT_THAT(nothing, HasSubstr("(good)"));
}

TEST_F(ClientsTest, TheSecretBeforeIsGoodAfterAReload) {
  const std::string a = "cookie_secret = \"000102030405060708090a0b0c0d0e0f\"";
  const std::string b = "cookie_secret = \"ff0102030405060708090a0b0c0d0e0f\"";
  Start(a);
  const std::string old =
      CookieIn(Dig({absl::StrCat("+cookie=", kClientCookie)}));
  Reload(b);
  const std::string renewed = CookieIn(Dig({"+cookie=" + old}));
  EXPECT_EQ(Cookies("good"), 1u);
  EXPECT_NE(renewed, old);
  Reload(b);  // nothing new
  Dig({"+cookie=" + old});
  EXPECT_EQ(Cookies("good"), 2u);
  Reload("");  // another one, at random
  Dig({"+cookie=" + renewed});
  EXPECT_EQ(Cookies("good"), 3u);
  Dig({"+cookie=" + old});
  EXPECT_EQ(Cookies("good"), 3u);
  EXPECT_EQ(Cookies("bad"), 1u);
}

TEST_F(ClientsTest, AFloodIsSlippedAndDroppedButNotForWhoHasACookie) {
  Start("rate_limit { responses_per_second = 1 }");
  constexpr uint64_t kQueries = 200;
  DnsSocket socket = DnsSocket::Udp(agent_->dns());
  ASSERT_TRUE(socket.ok());
  for (uint16_t id = 1; id <= kQueries; ++id) {
    ASSERT_TRUE(socket.Send(MakeQuery({kName, "A"}, id)));
  }
  // TCP behind UDP does not prove that UDP is through.
  uint64_t dropped = 0;
  for (int i = 0; i < 200; ++i) {
    dropped = Limited("dropped");
    if (Metric("dnsd_dns_received_total{proto=\"udp\"}") == kQueries) break;
  }
  dropped = Limited("dropped");
  uint64_t answered = 0;
  uint64_t truncated = 0;
  for (uint64_t i = 0; i < kQueries - dropped; ++i) {
    const DnsReply reply = socket.Receive();
    ASSERT_EQ(reply.error, "");
    EXPECT_EQ(reply.rcode, "NOERROR");
    EXPECT_EQ(reply.answer.empty(), reply.flags.find("tc") != std::string::npos)
        << reply.flags;
    ++(reply.answer.empty() ? truncated : answered);
  }
  EXPECT_EQ(truncated, Limited("slipped"));
  EXPECT_EQ(answered + truncated + dropped, kQueries);
  EXPECT_GE(answered, 1u);
  EXPECT_GT(dropped, 10u);
  // Every second one of those too many, however the seconds cut them.
  EXPECT_LE(truncated, dropped);
  EXPECT_GE(2 * truncated + 2 * answered, dropped);

  // By TCP, which is not limited, a client gets its cookie and is known.
  const std::string cookie =
      CookieIn(Dig({absl::StrCat("+cookie=", kClientCookie), "+tcp"}));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Dig({"+cookie=" + cookie}), HasSubstr("ANSWER: 1"));
  }
  EXPECT_EQ(Limited("dropped"), dropped);
}

TEST_F(ClientsTest, LimitsChangeWithAReload) {
  Start("");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(AskUdp(agent_->dns(), {kName, "A"}).error, "");
  }
  Reload("rate_limit { responses_per_second = 1 slip = 1 }");
  uint64_t truncated = 0;
  for (int i = 0; i < 20; ++i) {
    const DnsReply reply = AskUdp(agent_->dns(), {kName, "A"});
    EXPECT_EQ(reply.error, "");
    if (reply.answer.empty()) ++truncated;
  }
  EXPECT_GT(truncated, 0u);
  Reload(
      "rate_limit { responses_per_second = 1 exempt = [\"127.0.0.0/8\"] }\n"
      "tcp { max_conns_per_client = 1 max_queries_per_conn = 2 }");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(AskUdp(agent_->dns(), {kName, "A"}).answer.size(), 1u);
  }
  DnsSocket first = DnsSocket::Tcp(agent_->dns());
  ASSERT_TRUE(first.SendFrame(MakeQuery({kName, "A"}, 1)));
  EXPECT_EQ(first.Receive().error, "");
  // One too many, which is reset: whether on its connect or after it.
  EXPECT_NE(AskTcp(agent_->dns(), {kName, "A"}).error, "");
  EXPECT_EQ(Metric("dnsd_tcp_closed_total{reason=\"client_cap\"}"), 1u);
  ASSERT_TRUE(first.SendFrame(MakeQuery({kName, "A"}, 2)));
  EXPECT_EQ(first.Receive().error, "");
  EXPECT_TRUE(first.WaitForClose());
}

}  // namespace
}  // namespace dnsd::testing
