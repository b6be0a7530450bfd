// The real binary while its configuration changes: by SIGHUP and by
// `dnsd reload`, under queries, with good files and with bad ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string Service(const std::string& name, const std::string& address) {
  return absl::StrCat("service { name = \"", name, "\" address = \"", address,
                      "\" port = 80 }\n");
}

class ReloadTest : public ::testing::Test {
 protected:
  // Starts an agent on what dir_ holds.
  void Start() {
    agent_.emplace(
        std::vector<std::string>{"-config-dir", dir_.path(), "-node", "n1"});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }

  std::vector<std::string> Addresses(const std::string& name) {
    const DnsReply reply = AskUdp(agent_->dns(), {name, "A"});
    EXPECT_EQ(reply.error, "") << name;
    return Data(reply.answer, "A");
  }

  // SIGHUP, and the line that says how it went.
  void Hangup(const std::string& verdict) {
    const size_t before = agent_->process().OutputBytes();
    agent_->process().Signal(SIGHUP);
    ASSERT_TRUE(agent_->process().WaitForOutput(verdict, before))
        << agent_->process().output();
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
};

constexpr char kReloaded[] = "Configuration reloaded";
constexpr char kRefused[] = "Reload failed";

TEST_F(ReloadTest, SighupAddsChangesAndRemoves) {
  dir_.Write("kept.hcl", Service("kept", "192.0.2.1"));
  dir_.Write("changed.hcl", Service("changed", "192.0.2.2"));
  dir_.Write("removed.hcl", Service("removed", "192.0.2.3"));
  Start();
  EXPECT_THAT(Addresses("removed.service.consul."), ElementsAre("192.0.2.3"));

  dir_.Write("changed.hcl", Service("changed", "192.0.2.22"));
  dir_.Write("added.json", R"({"service":
      {"name": "added", "address": "192.0.2.4", "port": 80}})");
  dir_.Remove("removed.hcl");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));

  EXPECT_THAT(Addresses("kept.service.consul."), ElementsAre("192.0.2.1"));
  EXPECT_THAT(Addresses("changed.service.consul."), ElementsAre("192.0.2.22"));
  EXPECT_THAT(Addresses("added.service.consul."), ElementsAre("192.0.2.4"));
  EXPECT_EQ(AskUdp(agent_->dns(), {"removed.service.consul."}).rcode,
            "NXDOMAIN");
  EXPECT_EQ(agent_->Stop(), 0);
}

// The command returns when the answers are new: no waiting in scripts.
TEST_F(ReloadTest, TheReloadCommandReturnsWhenTheAnswersAreNew) {
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  for (int i = 2; i < 12; ++i) {
    const std::string address = absl::StrCat("192.0.2.", i);
    dir_.Write("web.hcl", Service("web", address));
    const Finished reload = agent_->Reload();
    ASSERT_EQ(reload.exit_code, 0) << reload.output;
    EXPECT_THAT(reload.output, HasSubstr("Configuration reload triggered"));
    EXPECT_THAT(Addresses("web.service.consul."), ElementsAre(address));
  }
}

TEST_F(ReloadTest, DnsConfigIsReloaded) {
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  EXPECT_THAT(AskUdp(agent_->dns(), {"web.service.consul."}).answer,
              ElementsAre("web.service.consul. 0 IN A 192.0.2.1"));
  dir_.Write("dns.hcl", "dns_config { service_ttl { \"*\" = \"9s\" } }\n");
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_THAT(AskUdp(agent_->dns(), {"web.service.consul."}).answer,
              ElementsAre("web.service.consul. 9 IN A 192.0.2.1"));
}

TEST_F(ReloadTest, WhatNeedsARestartIsNamed) {
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  dir_.Write("more.hcl",
             "enable_script_checks = true\n"
             "check_update_interval = \"1s\"\n"
             "ports { server = 8301 }\n"
             "log_json = true\n");
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  for (const char* setting : {"enable_script_checks", "check_update_interval",
                              "ports.server", "log_json"}) {
    EXPECT_TRUE(agent_->process().WaitForOutput(
        absl::StrCat("needs a restart: setting=", setting)))
        << setting << agent_->process().output();
  }
}

TEST_F(ReloadTest, RulesOfTheDnsTokenAreReloaded) {
  const auto write_rules = [this](const std::string& rules) {
    dir_.Write("acl.hcl",
               absl::StrCat("acl { enabled = true default_policy = \"deny\"\n"
                            "tokens { dns = \"s\" }\n",
                            "static_tokens = [{ secret = \"s\" rules = <<EOF\n",
                            rules, "\nEOF\n}] }\n"));
  };
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  write_rules("");
  Start();
  const auto rcode = [this](const char* name) {
    return AskUdp(agent_->dns(), {name, "ANY"}).rcode;
  };
  EXPECT_EQ(rcode("web.service.consul."), "NXDOMAIN");
  EXPECT_EQ(rcode("n1.node.consul."), "NXDOMAIN");

  write_rules("node \"n1\" { policy = \"read\" }");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));
  EXPECT_EQ(rcode("web.service.consul."), "NXDOMAIN");
  EXPECT_EQ(rcode("n1.node.consul."), "NOERROR");

  write_rules(
      "node_prefix \"\" { policy = \"read\" }\n"
      "service \"web\" { policy = \"read\" }");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));

  // What is bad changes no right.
  write_rules("service \"web\" { policy = \"dney\" }");
  ASSERT_NO_FATAL_FAILURE(Hangup(kRefused));
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));

  dir_.Write("acl.hcl", "acl { enabled = true default_policy = \"deny\" }");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));
  EXPECT_EQ(rcode("web.service.consul."), "NXDOMAIN");
  dir_.Remove("acl.hcl");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));
}

TEST_F(ReloadTest, TheAclApiSaysWhetherRightsAreChecked) {
  dir_.Write("acl.hcl", "acl { enabled = true default_policy = \"allow\" }");
  Start();
  ConsulApi api(absl::StrCat("http://", agent_->HttpAddress()));
  ConsulReply reply = api.Call("GET", "/v1/acl/tokens");
  EXPECT_EQ(reply.status, 501);
  EXPECT_THAT(reply.body, HasSubstr("stand in its configuration: acl"));
  dir_.Remove("acl.hcl");
  ASSERT_NO_FATAL_FAILURE(Hangup(kReloaded));
  reply = api.Call("GET", "/v1/acl/tokens");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body, "ACL support disabled");
}

TEST_F(ReloadTest, ABadConfigurationLeavesTheOldOneServingAndSaysWhy) {
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  dir_.Write("web.hcl", Service("web", "192.0.2.9"));
  dir_.Write("bad.hcl", "service {\n  name = \"db\"\n  port = \"many\"\n}\n");

  const Finished reload = agent_->Reload();
  EXPECT_EQ(reload.exit_code, 1) << reload.output;
  EXPECT_THAT(reload.output, HasSubstr("bad.hcl:3"));
  EXPECT_THAT(agent_->process().output(), HasSubstr("bad.hcl:3"));
  // Nothing of it was applied, not even the file that is right.
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));

  ASSERT_NO_FATAL_FAILURE(Hangup(kRefused));
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));

  dir_.Remove("bad.hcl");
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.9"));
  EXPECT_EQ(agent_->Stop(), 0);
}

TEST_F(ReloadTest, WithoutAnAgentTheReloadCommandFails) {
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  const std::string address = agent_->HttpAddress();
  ASSERT_EQ(agent_->Stop(), 0);
  const Finished reload = RunDnsd({"reload", "-http-addr=" + address});
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.output, HasSubstr(address));
}

// Asks one question after the other until told to stop; over TCP on a new
// connection each time.
struct Asker {
  explicit Asker(const DnsServer& server, bool tcp)
      : thread([this, server, tcp] {
          while (!stop.load(std::memory_order_relaxed)) {
            const DnsQuestion question = {"stable.service.consul."};
            const DnsReply reply =
                tcp ? AskTcp(server, question) : AskUdp(server, question);
            ++asked;
            if (reply.error.empty() && reply.rcode == "NOERROR" &&
                Data(reply.answer, "A").size() == 1) {
              continue;
            }
            ++failed;
            last_error = absl::StrCat(reply.error, " ", reply.rcode);
          }
        }) {}
  ~Asker() { Join(); }

  void Join() {
    stop.store(true, std::memory_order_relaxed);
    if (thread.joinable()) thread.join();
  }

  std::atomic<bool> stop{false};
  int asked = 0;  // these are read after Join()
  int failed = 0;
  std::string last_error;
  std::thread thread;  // last: it uses the others
};

TEST_F(ReloadTest, NoQueryIsLostWhileReloading) {
  const int round_count = Scaled(100);
  dir_.Write("stable.hcl", Service("stable", "192.0.2.1"));
  Start();
  Asker udp(agent_->dns(), false);
  Asker tcp(agent_->dns(), true);
  for (int i = 0; i < round_count; ++i) {
    const std::string address = absl::StrCat("198.51.100.", i % 250);
    dir_.Write("moving.hcl", Service("moving", address));
    // Every fifth round has a file that must be refused.
    const bool bad = i % 5 == 4;
    if (bad) dir_.Write("bad.hcl", "service {");
    // A signal whose reload may still run when the command asks for another.
    agent_->process().Signal(SIGHUP);
    ASSERT_EQ(agent_->Reload().exit_code, bad ? 1 : 0) << "round " << i;
    dir_.Remove("bad.hcl");
    if (!bad) {
      EXPECT_THAT(Addresses("moving.service.consul."), ElementsAre(address));
    }
  }
  udp.Join();
  tcp.Join();
  EXPECT_GT(udp.asked, round_count);
  EXPECT_GT(tcp.asked, 0);
  EXPECT_EQ(udp.failed, 0) << "of " << udp.asked << ": " << udp.last_error;
  EXPECT_EQ(tcp.failed, 0) << "of " << tcp.asked << ": " << tcp.last_error;
  EXPECT_EQ(agent_->Stop(), 0);
}

std::string Zone(const std::string& records) {
  return absl::StrCat(
      "$ORIGIN example.org.\n"
      "$TTL 300\n"
      "@ IN SOA ns hostmaster 1 3600 600 86400 60\n"
      "@ IN NS ns\n"
      "ns IN A 192.0.2.53\n",
      records);
}

TEST_F(ReloadTest, ZonesFromFilesAreServedAndReloaded) {
  const std::string file =
      dir_.Write("zones/example.org.zone", Zone("www IN A 192.0.2.80\n"
                                                "*.wild IN TXT \"any\"\n"
                                                "alias IN CNAME www\n"
                                                "sub IN NS ns.sub\n"
                                                "ns.sub IN A 192.0.2.54\n"));
  dir_.Write("agent.hcl", absl::StrCat("zones = [{ name = \"example.org\" ",
                                       "file = \"", file, "\" }]\n"));
  dir_.Write("web.hcl", Service("web", "192.0.2.1"));
  Start();
  EXPECT_THAT(Addresses("www.example.org."), ElementsAre("192.0.2.80"));
  EXPECT_THAT(Addresses("web.service.consul."), ElementsAre("192.0.2.1"));
  EXPECT_THAT(AskUdp(agent_->dns(), {"a.wild.example.org.", "TXT"}).answer,
              ElementsAre("a.wild.example.org. 300 IN TXT \"any\""));
  EXPECT_THAT(
      AskUdp(agent_->dns(), {"alias.example.org."}).answer,
      UnorderedElementsAre("alias.example.org. 300 IN CNAME www.example.org.",
                           "www.example.org. 300 IN A 192.0.2.80"));
  const DnsReply referral = AskTcp(agent_->dns(), {"x.sub.example.org."});
  EXPECT_THAT(referral.answer, IsEmpty());
  EXPECT_EQ(referral.flags, "qr rd");
  EXPECT_THAT(referral.authority,
              ElementsAre("sub.example.org. 300 IN NS ns.sub.example.org."));
  EXPECT_THAT(referral.additional,
              ElementsAre("ns.sub.example.org. 300 IN A 192.0.2.54"));
  EXPECT_EQ(AskUdp(agent_->dns(), {"none.example.org."}).rcode, "NXDOMAIN");

  dir_.Write("zones/example.org.zone", Zone("www IN A 192.0.2.81\n"));
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_THAT(Addresses("www.example.org."), ElementsAre("192.0.2.81"));
  EXPECT_EQ(AskUdp(agent_->dns(), {"alias.example.org."}).rcode, "NXDOMAIN");

  // Line 6 is no record: the zone stays as it was.
  dir_.Write("zones/example.org.zone", Zone("www IN A 192.0.2.300\n"));
  const Finished reload = agent_->Reload();
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.output, HasSubstr("example.org.zone:6"));
  EXPECT_TRUE(agent_->process().WaitForOutput("example.org.zone:6"));
  EXPECT_THAT(Addresses("www.example.org."), ElementsAre("192.0.2.81"));
  EXPECT_EQ(agent_->Stop(), 0);
}

}  // namespace
}  // namespace dnsd::testing
