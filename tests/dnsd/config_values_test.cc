// What single settings mean and which values are refused.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "dnsd/config.h"
#include "tests/dnsd/config_testing.h"

namespace dnsd {
namespace {

TEST(Config, ReportsSettingsThatMakeNoSense) {
  constexpr BadSetting kCases[] = {
      {"workers = 1000", "workers: 1000 is not between 0 and 256"},
      {"datacenter = \"\"", "datacenter cannot be empty"},
      {"datacenter = \"a b\"", "datacenter cannot be \"a b\""},
      {"domain = \"a..b\"", "domain: \"a..b\" is not a domain name"},
      {"domain = \".\"", "domain: \".\" is not a domain name"},
      {"alt_domain = \"a b\"", "alt_domain: \"a b\" is not a domain name"},
      {"alt_domain = \"Node.x\"", "cannot start with"},
      {"alt_domain = \"dc2.x\" datacenter = \"DC2\"", "query,addr,dc2}"},
      {"node_id = \"x\"", "node_id: \"x\" is not a UUID"},
      {"node_meta { \"consul-x\" = \"\" }", "is reserved"},
      {"dns_config { compat = \"v1\" }", "neither \"rfc\" nor \"consul\""},
      {"dns_config { edns_udp_size = 511 }", "511 is not between 512 and 4096"},
      {"dns_config { node_ttl = \"-1s\" }", "a TTL cannot be \"-1s\""},
      {"dns_config { node_ttl = \"2147483648s\" }", "a TTL cannot be"},
      {"dns_config { service_ttl { \"a*b\" = \"1s\" } }",
       "\"a*b\" is not a name, a prefix* or *"},
      {"dns_config { service_ttl { web = \"x\" } }",
       "dns_config.service_ttl[web]: invalid duration"},
      {"dns_config { soa { min_ttl = 4294967295 } }", "is not between 0 and"},
      {"dns_config { recursor_strategy = \"best\" }",
       "neither \"sequential\" nor \"random\""},
      {"dns_config { recursor_timeout = \"-1s\" }", "is negative"},
      {"dns_config { a_record_limit = -1 }", "-1 is not between 0"},
      {"dns_config { cookies = \"yes\" }",
       "dns_config.cookies: \"yes\" is neither \"off\" nor \"on\" nor"},
      {"dns_config { cookie_secret = \"0123\" }",
       "dns_config.cookie_secret: must be 32 hexadecimal digits"},
      {"dns_config { rate_limit { responses_per_second = -1 } }",
       "responses_per_second: -1 is not between 0 and 1000000"},
      {"dns_config { rate_limit { slip = 101 } }", "slip: 101 is not between"},
      {"dns_config { rate_limit { ipv4_prefix = 33 } }", "33 is not between"},
      {"dns_config { rate_limit { window = \"0s\" } }",
       "window: \"0s\" is not between 1000ms and 3600s"},
      {"dns_config { rate_limit { exempt = [\"10.0.0.1/40\"] } }",
       "exempt: \"10.0.0.1/40\" is not a network"},
      {"dns_config { rate_limit { rate = 5 } }", "rate"},
      {"dns_config { tcp { max_conns = 0 } }", "max_conns: 0 is not between 1"},
      {"dns_config { tcp { idle_timeout = \"1ms\" } }", "\"1ms\" is not"},
      {"dns_config { a = 1 } dns_config { b = 1 }", "must be one map"},
  };
  ExpectOneError(kCases);
}

TEST(Config, ReportsBadAddresses) {
  constexpr BadSetting kCases[] = {
      {"client_addr = \"foo\"", "client_addr: invalid ip address: \"foo\""},
      {"client_addr = \"{{ Foo }}\"", "unsupported template {{ Foo }}"},
      {"client_addr = \"{{ GetInterfaceIP \\\"none0\\\" }}\"",
       "finds no address"},
      {"client_addr = \"{{ GetPrivateIP\"", "\"{{\" without \"}}\""},
      {"addresses { dns = \"unix:///x\" }", "unix sockets are not supported"},
      {"addresses { http = \"unix:///x\" }", "unix sockets are not supported"},
      {"bind_addr = \"1.1.1.1 2.2.2.2\"", "cannot contain multiple"},
      {"advertise_addr = \"::\"", "cannot be 0.0.0.0 or ::"},
      {"ports { dns = 53 http = 53 }", "already configured for DNS"},
      {"recursors = [\"0.0.0.0\"]", "cannot be 0.0.0.0"},
      {"recursors = [\"unix:///x\"]", "is not an IP address"},
      {"recursors = [\"8.8.8.8:0\"]", "is not an IP address"},
      {"recursors = [\"8.8.8.8:65536\"]", "is not an IP address"},
      {"recursors = [\"::1:x\"]", "is not an IP address"},
  };
  ExpectOneError(kCases);
}

TEST(Config, ReportsBadDefinitions) {
  constexpr BadSetting kCases[] = {
      {"zones = [{ name = \"x\" }]", "zones[0]: a zone needs a file"},
      {"zones = [{ file = \"x\" }]", "zones[0]: a zone needs a name"},
      {"zones = [{ name = \"x y\" file = \"f\" }]", "is not a domain name"},
      {"zones = [{ name = \"Consul.\" file = \"f\" }]",
       "is the catalog's own domain"},
      {"zones = [{ name = \"X\" file = \"f\" }, "
       "{ name = \"x.\" file = \"f\" }]",
       "duplicate zone \"x.\", first defined at -hcl:1: zones[0]"},
      {"check_output_max_size = 0", "0 is not between 1"},
      {"services { name = \"a\" } services { name = \"b\" id = \"a\" }",
       "duplicate service id \"a\", first defined at -hcl:1: services[0]"},
      {"check { ttl = \"1s\" }", "a check needs a name or an id"},
      {"check { id = \"c\" ttl = \"1s\" service_id = \"x\" }",
       "check.service_id: no service has the id \"x\""},
      {"service { name = \"a\" check { args = [\"x\"] interval = \"1s\" } }",
       "set enable_local_script_checks = true"},
      {"service { name = \"a\" } service { name = \"b\" }",
       "service: expected one map, got 2, use services for several"},
      {"node_name = ", "-hcl:"},
  };
  ExpectOneError(kCases);
}

TEST(Config, ReadsListenAddresses) {
  struct Case {
    const char* hcl;
    const char* dns;
    const char* http;
  };
  const Case cases[] = {
      {"client_addr = \"127.0.0.1 127.0.0.2 127.0.0.1\"",
       "127.0.0.1 8600;127.0.0.2 8600;", "127.0.0.1 8500;127.0.0.2 8500;"},
      {"client_addr = \"[::1]\"", "::1 8600;", "::1 8500;"},
      {"client_addr = \"0:0::1\"", "::1 8600;", "::1 8500;"},
      {"client_addr = \"{{ GetInterfaceIP \\\"lo\\\" }} ::1\"",
       "127.0.0.1 8600;::1 8600;", "127.0.0.1 8500;::1 8500;"},
      {"client_addr = \"\"", "127.0.0.1 8600;", "127.0.0.1 8500;"},
      {"addresses { dns = \"0.0.0.0 ::\" }", "0.0.0.0 8600;:: 8600;",
       "127.0.0.1 8500;"},
      {"ports { dns = -1 http = 0 }", "", "127.0.0.1 0;"},
      {"ports { dns = 0 http = 0 }", "127.0.0.1 0;", "127.0.0.1 0;"},
  };
  for (const Case& c : cases) {
    const Loaded loaded = LoadHcl(c.hcl);
    EXPECT_EQ(Join(loaded.problems.errors()), "") << c.hcl;
    EXPECT_EQ(Show(loaded.config.dns_listen), c.dns) << c.hcl;
    EXPECT_EQ(Show(loaded.config.http_listen), c.http) << c.hcl;
  }
}

TEST(Config, ReadsRecursors) {
  const Loaded loaded = LoadHcl(
      "recursors = [\"8.8.8.8\", \"8.8.8.8:53\", \"8.8.8.8:54\", \"::1\", "
      "\"[::1]\", \"[::1]:55\", \"{{ GetInterfaceIP \\\"lo\\\" }}\"]\n"
      "dns_config { recursor_strategy = \"random\" recursor_timeout = \"0s\" "
      "}");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(ShowForward(loaded.config),
            ". 8.8.8.8 53;8.8.8.8 54;::1 53;::1 55;127.0.0.1 53;\n");
  EXPECT_EQ(loaded.config.forward.at(0).strategy, ForwardStrategy::kRandom);
  EXPECT_EQ(loaded.config.forward.at(0).timeout, std::chrono::seconds(2));
}

// As Consul 1.8.7 shows them under /v1/agent/self.
TEST(Config, FillsTaggedAddressesAsConsul) {
  const Loaded loaded = LoadHcl(
      "bind_addr = \"127.0.0.1\" advertise_addr_ipv6 = \"::7\"\n"
      "tagged_addresses { wan = \"9.9.9.9\" foo = \"1.1.1.1\" }");
  EXPECT_EQ(loaded.config.node.tagged_addresses,
            (std::map<std::string, std::string>{{"foo", "1.1.1.1"},
                                                {"lan", "127.0.0.1"},
                                                {"lan_ipv4", "127.0.0.1"},
                                                {"lan_ipv6", "::7"},
                                                {"wan", "127.0.0.1"},
                                                {"wan_ipv4", "127.0.0.1"},
                                                {"wan_ipv6", "::7"}}));
  EXPECT_EQ(LoadHcl("advertise_addr_ipv6 = \"::7\" bind_addr = \"::\"")
                .config.node.address,
            "::7");
}

TEST(Config, WarnsOfNodeNamesThatDnsCannotFind) {
  const Loaded bad = Load({"-node", "a_b"});
  ASSERT_EQ(bad.problems.warnings().size(), 1u);
  EXPECT_NE(bad.problems.warnings()[0].find(
                "Node name \"a_b\" will not be discoverable via DNS due to "
                "invalid characters. Valid characters include all "
                "alpha-numerics and dashes."),
            std::string::npos);
  const Loaded longer = Load({"-node", std::string(64, 'a')});
  ASSERT_EQ(longer.problems.warnings().size(), 1u);
  EXPECT_NE(longer.problems.warnings()[0].find("too long"), std::string::npos);
  EXPECT_TRUE(
      Load({"-node", std::string(63, 'a')}).problems.warnings().empty());
}

// Ids, names, ports and checks are those that Consul 1.8.7 registers.
TEST(Config, RegistersSidecarsAsConsul) {
  const Loaded loaded = LoadHcl(R"(
    services { name = "web" id = "w1" port = 21000 tags = ["t"]
               meta { a = "b" } connect { sidecar_service {} } }
    services { name = "db" connect { sidecar_service { port = 21002 } } }
    services { name = "api" connect { sidecar_service {
                 tags = ["own"] check { ttl = "1s" } } } }
    services { name = "q" connect { sidecar_service {} } })");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  const std::vector<ServiceDefinition>& services = loaded.config.services;
  ASSERT_EQ(services.size(), 8u);
  const ServiceDefinition& web = services[1];
  EXPECT_EQ(web.instance.id, "w1-sidecar-proxy");
  EXPECT_EQ(web.instance.name, "web-sidecar-proxy");
  EXPECT_EQ(web.instance.kind, ServiceKind::kConnectProxy);
  EXPECT_EQ(web.instance.mesh->proxy_destination, "web");
  EXPECT_EQ(web.instance.port, 21001);  // 21000 is the service's own
  EXPECT_EQ(web.instance.tags, std::vector<std::string>{"t"});
  EXPECT_EQ(web.instance.meta->at("a"), "b");
  ASSERT_EQ(web.checks.size(), 2u);
  EXPECT_EQ(web.checks[0].id, "service:w1-sidecar-proxy:1");
  EXPECT_EQ(web.checks[0].name, "Connect Sidecar Listening");
  EXPECT_EQ(web.checks[0].tcp, "127.0.0.1:21001");
  EXPECT_EQ(web.checks[1].name, "Connect Sidecar Aliasing w1");
  EXPECT_EQ(web.checks[1].alias_service, "w1");
  EXPECT_EQ(services[3].instance.port, 21002);
  EXPECT_EQ(services[5].instance.tags, std::vector<std::string>{"own"});
  ASSERT_EQ(services[5].checks.size(), 1u);
  EXPECT_EQ(services[5].checks[0].id, "service:api-sidecar-proxy");
  EXPECT_EQ(services[7].instance.port, 21004);
  for (const ServiceDefinition& service : services) {
    EXPECT_TRUE(service.sidecars.empty());
  }

  const Loaded full = LoadHcl(R"(
    ports { sidecar_min_port = 30000 sidecar_max_port = 30000 }
    services { name = "a" connect { sidecar_service {} } }
    services { name = "b" connect { sidecar_service {} } })");
  ASSERT_EQ(full.problems.errors().size(), 1u);
  EXPECT_NE(full.problems.errors()[0].find("services[1].connect"),
            std::string::npos);
}

TEST(Config, KeepsChecksOfTheNodeAndOfServices) {
  const Loaded loaded = LoadHcl(R"(
    enable_local_script_checks = true check_output_max_size = 1000
    service { name = "web" }
    checks = [{ name = "mem" ttl = "1s" },
              { id = "x" service_id = "web" args = ["a"] interval = "1s"
                output_max_size = 2000 }])");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  ASSERT_EQ(loaded.config.checks.size(), 2u);
  EXPECT_EQ(loaded.config.checks[0].id, "mem");
  EXPECT_EQ(loaded.config.checks[0].output_max_size, 1000);
  EXPECT_EQ(loaded.config.checks[1].name, "x");
  EXPECT_EQ(loaded.config.checks[1].service_id, "web");
  EXPECT_EQ(loaded.config.checks[1].output_max_size, 1000);
}

TEST(Config, ReadsZonesAndOurOwnSettings) {
  const Loaded loaded = LoadHcl(R"(
    workers = 3
    dns_config { compat = "consul" edns_udp_size = 4096 }
    zones = [{ name = "Example.COM" file = "zones/e" },
             { name = "0/25.2.0.192.in-addr.arpa." file = "r" }])");
  EXPECT_EQ(Join(loaded.problems.errors()), "");
  EXPECT_EQ(loaded.config.workers, 3);
  EXPECT_EQ(loaded.config.policy.compat, Compat::kConsul);
  EXPECT_EQ(loaded.config.policy.edns_udp_size, 4096);
  ASSERT_EQ(loaded.config.zones.size(), 2u);
  EXPECT_EQ(loaded.config.zones[0].name, "example.com.");
  EXPECT_EQ(loaded.config.zones[0].file, "zones/e");
}

TEST(Config, ReadsWhatDnsClientsMayDo) {
  const Loaded loaded = LoadHcl(R"(dns_config {
    cookies = "required"
    cookie_secret = "000102030405060708090A0b0c0d0e0f"
    minimal_any = false
    rate_limit {
      responses_per_second = 20
      window = "5s"
      slip = 3
      ipv4_prefix = 32
      ipv6_prefix = 64
      log_only = true
      exempt = ["127.0.0.0/8", "::1"]
      table_size = 1000
    }
    tcp {
      max_conns = 10
      max_conns_per_client = 5
      max_queries_per_conn = 100
      idle_timeout = "2500ms"
    }
  })");
  ASSERT_TRUE(loaded.problems.ok()) << Join(loaded.problems.errors());
  const Config& config = loaded.config;
  EXPECT_EQ(config.policy.cookies.use, Cookies::kRequired);
  EXPECT_FALSE(config.policy.minimal_any);
  ASSERT_TRUE(config.cookie_secret.has_value());
  EXPECT_EQ(config.cookie_secret->bytes[10], 10);
  const RateLimitOptions& rate = config.client_limits.rate;
  EXPECT_EQ(rate.responses_per_second, 20u);
  EXPECT_EQ(rate.window_s, 5u);
  EXPECT_EQ(rate.slip, 3u);
  EXPECT_EQ(rate.ipv4_prefix, 32);
  EXPECT_EQ(rate.ipv6_prefix, 64);
  EXPECT_TRUE(rate.log_only);
  EXPECT_EQ(rate.exempt.size(), 2u);
  EXPECT_EQ(rate.table_size, 1000u);
  const TcpLimits& tcp = config.client_limits.tcp;
  EXPECT_EQ(tcp.connections_max, 10u);
  EXPECT_EQ(tcp.connections_per_client_max, 5u);
  EXPECT_EQ(tcp.queries_max, 100u);
  EXPECT_EQ(tcp.idle_ms, 2500u);
}

// Consul's answers know neither cookies nor minimal ANY.
TEST(Config, CookiesAndMinimalAnyFollowCompat) {
  const Loaded rfc = LoadHcl("");
  EXPECT_EQ(rfc.config.policy.cookies.use, Cookies::kOn);
  EXPECT_TRUE(rfc.config.policy.minimal_any);
  EXPECT_EQ(rfc.config.client_limits, ClientLimits());
  const Loaded consul = LoadHcl("dns_config { compat = \"consul\" }");
  EXPECT_EQ(consul.config.policy.cookies.use, Cookies::kOff);
  EXPECT_FALSE(consul.config.policy.minimal_any);
  const Loaded asked =
      LoadHcl("dns_config { compat = \"consul\" cookies = \"on\" }");
  EXPECT_EQ(asked.config.policy.cookies.use, Cookies::kOn);
}

}  // namespace
}  // namespace dnsd
