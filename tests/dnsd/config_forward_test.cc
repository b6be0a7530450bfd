// `forward`, and what stands in dns_config about names that are not ours.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "dnsd/config.h"
#include "dnsd/forward/tls_trust.h"
#include "tests/dnsd/config_testing.h"
#include "tests/testing/authority.h"
#include "tests/testing/temp_dir.h"
#include "zones/name.h"

namespace dnsd {
namespace {

// The rule that a name has, as the policy sees it: "", "forward" or
// "fallthrough".
std::string RuleOf(const Config& config, const std::string& name) {
  std::string wire;
  EXPECT_TRUE(NameToWire(name, &wire));
  if (config.policy.forward_zones == nullptr) return "forward";
  const ForwardZone* zone = config.policy.forward_zones->Find(WireBytes(wire));
  return zone == nullptr        ? ""
         : zone->is_fallthrough ? "fallthrough"
                                : "forward";
}

TEST(ConfigForward, ReadsRulesAsBlocksAndAsAList) {
  constexpr const char* kTexts[] = {
      R"(forward { zone = "Corp.Example" to = ["10.0.0.2", "10.0.0.3:5353"]
                   strategy = "random" timeout = "300ms" }
         forward { zone = "ads.example." refuse = true }
         forward { zone = "." to = "[::1]:54" })",
      R"(forward = [{ zone = "Corp.Example" to = ["10.0.0.2", "10.0.0.3:5353"]
                      strategy = "random" timeout = "300ms" },
                    { zone = "ads.example." refuse = true },
                    { zone = "." to = ["[::1]:54"] }])"};
  for (const char* text : kTexts) {
    const Loaded loaded = LoadHcl(text);
    EXPECT_EQ(Join(loaded.problems.errors()), "");
    EXPECT_EQ(ShowForward(loaded.config),
              "corp.example. 10.0.0.2 53;10.0.0.3 5353;\n"
              "ads.example. \n"
              ". ::1 54;\n");
    EXPECT_EQ(loaded.config.forward[0].strategy, ForwardStrategy::kRandom);
    EXPECT_EQ(loaded.config.forward[0].timeout, std::chrono::milliseconds(300));
    EXPECT_EQ(loaded.config.forward[2].timeout, std::chrono::seconds(2));
    EXPECT_TRUE(loaded.config.policy.recursion_available);
    // All names have a rule: none is looked for.
    EXPECT_EQ(loaded.config.policy.forward_zones, nullptr);
  }
}

TEST(ConfigForward, RulesHaveWhatDnsConfigSaysOfRecursors) {
  const Loaded loaded = LoadHcl(R"(
    dns_config { recursor_strategy = "sequential" recursor_timeout = "1s" }
    recursors = ["10.0.0.1"]
    forward { zone = "168.192.in-addr.arpa" to = ["10.0.0.1"] })");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(ShowForward(loaded.config),
            "168.192.in-addr.arpa. 10.0.0.1 53;\n. 10.0.0.1 53;\n");
  for (const ForwardRuleConfig& rule : loaded.config.forward) {
    EXPECT_EQ(rule.strategy, ForwardStrategy::kSequential);
    EXPECT_EQ(rule.timeout, std::chrono::seconds(1));
  }
}

TEST(ConfigForward, OnlyNamesWithARuleAreForwarded) {
  const Loaded loaded = LoadHcl(R"(
    forward { zone = "corp.example" to = ["10.0.0.1"] }
    forward { zone = "old.consul" to = ["10.0.0.1"] fallthrough = true })");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(Join(loaded.problems.warnings()), "");
  EXPECT_EQ(RuleOf(loaded.config, "a.corp.example."), "forward");
  EXPECT_EQ(RuleOf(loaded.config, "acorp.example."), "");
  EXPECT_EQ(RuleOf(loaded.config, "web.old.consul."), "fallthrough");
  EXPECT_EQ(RuleOf(loaded.config, "web.service.consul."), "");
  // Refusing is no forwarding.
  EXPECT_FALSE(LoadHcl("forward { zone = \"x\" refuse = true }")
                   .config.policy.recursion_available);
}

TEST(ConfigForward, ReadsUpstreamsOverTls) {
  const testing::Authority authority;
  const std::string ca = absl::StrCat("dns_config { recursor_ca_file = \"",
                                      authority.ca_file(), "\" }\n");
  const Loaded loaded = LoadHcl(ca + R"(
    recursors = ["tls://10.0.0.1", "tls://10.0.0.1:853", "10.0.0.1",
                 "tls://10.0.0.1#Dns.Example.", "tls://[::1]:8853#a.example"]
    forward { zone = "x" to = "tls://::1#b" })");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(ShowForward(loaded.config),
            "x. ::1 853 tls b;\n"
            ". 10.0.0.1 853 tls ;10.0.0.1 53;10.0.0.1 853 tls dns.example;"
            "::1 8853 tls a.example;\n");
  ASSERT_NE(loaded.config.recursor_trust, nullptr);
  const std::string other = absl::StrCat("dns_config { recursor_ca_path = \"",
                                         authority.dir().path(), "\" }\n");
  // Nobody is asked over TLS: its files are not read.
  EXPECT_EQ(LoadHcl(other + "recursors = [\"10.0.0.1\"]").config.recursor_trust,
            nullptr);
  EXPECT_EQ(
      *LoadHcl(ca + "recursors = [\"tls://10.0.0.2\"]").config.recursor_trust,
      *loaded.config.recursor_trust);
}

TEST(ConfigForward, ReportsWhatMakesNoSenseOverTls) {
  const testing::TempDir dir;
  const std::string empty = dir.Write("empty.pem", "");
  const std::string empty_file =
      absl::StrCat("dns_config { recursor_ca_file = \"", empty,
                   "\" } recursors = [\"tls://10.0.0.1\"]");
  const BadSetting cases[] = {
      {"recursors = [\"tls://ns.example\"]",
       "recursors: recursor \"tls://ns.example\" is not like tls://IP"},
      {"recursors = [\"tls://\"]", "recursor \"tls://\" is not like tls://IP"},
      {"recursors = [\"tls://10.0.0.1#\"]", "what is behind # is not a host"},
      {"recursors = [\"tls://10.0.0.1#10.0.0.2\"]", "is not a host name"},
      {"recursors = [\"tls://10.0.0.1#a/b\"]", "is not a host name"},
      {"recursors = [\"tls://10.0.0.1#a#b\"]", "is not a host name"},
      {"recursors = [\"10.0.0.1#a\"]",
       "recursor \"10.0.0.1#a\" is not an IP address"},
      {"recursors = [\"https://10.0.0.1\"]", "is not an IP address"},
      {"recursors = [\"tls://0.0.0.0\"]", "cannot be 0.0.0.0"},
      {"forward { zone = \"x\" to = [\"tls://10.0.0.1:0\"] }",
       "forward[0].to: upstream \"tls://10.0.0.1:0\" is not like"},
      {"recursors = [\"tls://10.0.0.1\"] dns_config { recursor_ca_file = "
       "\"/none.pem\" }",
       "dns_config.recursor_ca_file: \"/none.pem\""},
      {"recursors = [\"tls://10.0.0.1\"] dns_config { recursor_ca_path = "
       "\"/none\" }",
       "dns_config.recursor_ca_path: \"/none\""},
      {empty_file.c_str(), "has no certificate in PEM"},
  };
  ExpectOneError(cases);
}

TEST(ConfigForward, ReportsWhatMakesNoSense) {
  constexpr BadSetting kCases[] = {
      {"forward { to = [\"10.0.0.1\"] }", "forward[0]: a rule needs a zone"},
      {"forward { zone = \"a..b\" refuse = true }",
       "forward[0].zone: \"a..b\" is not a domain name"},
      {"forward { zone = \"x\" }", "forward[0]: needs to, or refuse = true"},
      {"forward { zone = \"x\" to = [] }", "needs to, or refuse"},
      {"forward { zone = \"x\" to = [\"10.0.0.1\"] refuse = true }",
       "both to and refuse"},
      {"forward { zone = \"x\" to = [\"ns.example\"] }",
       "forward[0].to: upstream \"ns.example\" is not an IP address"},
      {"forward { zone = \"x\" to = [\"0.0.0.0\"] }", "cannot be 0.0.0.0"},
      {"forward { zone = \"x\" to = [\"127.0.0.1:8600\"] }",
       "is an address that this agent listens on"},
      {"forward { zone = \"X\" refuse = true } "
       "forward { zone = \"x.\" refuse = true }",
       "duplicate zone \"x.\", first defined at -hcl:1: forward[0]"},
      {"forward { zone = \"x\" to = [\"10.0.0.1\"] strategy = \"best\" }",
       "forward[0].strategy: \"best\" is neither"},
      {"forward { zone = \"x\" to = [\"10.0.0.1\"] timeout = \"-1s\" }",
       "forward[0].timeout: \"-1s\" is negative"},
      {"forward { zone = \"x\" to = [\"10.0.0.1\"] fallthrough = true }",
       "forward[0].fallthrough: is for zones in consul. only"},
      {"forward { zone = \"consul\" refuse = true fallthrough = true }",
       "there is nobody to ask"},
      {"forward { zon = \"x\" zone = \"x\" refuse = true }",
       "invalid config key forward[0].zon"},
      {"dns_config { cache { size = \"lots\" } }",
       "dns_config.cache.size: \"lots\" is not a size like 32MB"},
      {"dns_config { cache { size = \"-1\" } }", "is not a size"},
      {"dns_config { cache { size = \"2048GB\" } }", "is not a size"},
      {"dns_config { cache { max_ttl = \"x\" } }",
       "dns_config.cache.max_ttl: invalid duration"},
      {"dns_config { cache { min_ttl = \"2s\" max_ttl = \"1s\" } }",
       "dns_config.cache.min_ttl: is longer than max_ttl"},
      {"dns_config { cache { ttl = \"1s\" } }",
       "invalid config key dns_config.cache.ttl"},
  };
  ExpectOneError(kCases);
}

TEST(ConfigForward, WarnsOfRulesWithoutEffect) {
  struct Case {
    const char* hcl;
    const char* warning;
  };
  constexpr Case kCases[] = {
      {"forward { zone = \"dc2.consul\" to = [\"10.0.0.1\"] }",
       "\"dc2.consul.\" is ours: without fallthrough nothing is forwarded"},
      {"zones = [{ name = \"a.test\" file = \"f\" }] "
       "forward { zone = \"b.a.test\" to = [\"10.0.0.1\"] }",
       "has no effect: \"b.a.test.\" is in our zone \"a.test.\""},
      {"recursors = [\"10.0.0.1\"] forward { zone = \".\" refuse = true }",
       "recursors: has no effect beside the rule for \".\" at -hcl:1: "
       "forward[0]"},
  };
  for (const Case& c : kCases) {
    const Loaded loaded = LoadHcl(c.hcl);
    EXPECT_EQ(Join(loaded.problems.errors()), "") << c.hcl;
    EXPECT_NE(Join(loaded.problems.warnings()).find(c.warning),
              std::string::npos)
        << Join(loaded.problems.warnings());
  }
}

TEST(ConfigForward, ReadsTheLimitsOfTheCache) {
  const ForwardCacheLimits limits =
      LoadHcl(R"(dns_config { cache { size = "2MB" max_ttl = "1h" min_ttl = "5s"
                                      max_negative_ttl = "10s"
                                      max_stale = "0s" } })")
          .config.forward_cache;
  EXPECT_EQ(limits.bytes_max, 2u << 20);
  EXPECT_EQ(limits.ttl_max_s, 3600u);
  EXPECT_EQ(limits.ttl_min_s, 5u);
  EXPECT_EQ(limits.negative_ttl_max_s, 10u);
  EXPECT_EQ(limits.stale_max_s, 0u);
  EXPECT_EQ(LoadHcl("dns_config { cache { size = \"4096\" } }")
                .config.forward_cache.bytes_max,
            4096u);
}

}  // namespace
}  // namespace dnsd
