// Which Consul is mirrored and how: the block `consul`, its flags, and the
// environment of Consul's own commands. That those read the environment as we
// do was seen with `consul members` of 1.8.7.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/config.h"
#include "dnsd/config_consul_address.h"
#include "tests/dnsd/config_testing.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Variables = std::map<std::string, std::string>;

constexpr char kElsewhere[] = "10.0.0.1:8500";

std::string Show(const ConsulOptions& options) {
  std::string all;
  for (const ConsulAddress& address : options.addresses) {
    absl::StrAppend(&all, address.url, address.unix_socket.empty() ? "" : " ",
                    address.unix_socket, ";");
  }
  return all;
}

std::string All(const Problems& problems) {
  return Join(problems.errors()) + Join(problems.warnings());
}

TEST(ConfigConsul, MirrorsNothingUnlessTold) {
  const Loaded loaded = Load({});
  EXPECT_EQ(loaded.config.consul, ConsulOptions());
  EXPECT_FALSE(loaded.config.datacenter_given);
  EXPECT_EQ(All(loaded.problems), "");
}

TEST(ConfigConsul, ReadsTheWholeBlock) {
  const testing::TempDir dir;
  const std::string ca = dir.Write("ca.pem", "ca");
  const std::string cert = dir.Write("cert.pem", "cert");
  const std::string key = dir.Write("key.pem", "key");
  const std::string token_file = dir.Write("token", "\n from-file \n");
  const Loaded loaded = LoadHcl(absl::StrCat(R"(
    data_dir = "/var/lib/x"
    datacenter = "DC9"
    consul {
      address = ["10.0.0.1:8501", "https://[2001:DB8::1]:8501/",
                 "http://consul.example:80/prefix/", "unix:///run/c.sock",
                 "10.0.0.1:8501"]
      token_file = ")",
                                             token_file, R"("
      ssl = true
      tls_skip_verify = true
      ca_file = ")",
                                             ca, R"("
      ca_path = ")",
                                             dir.path(), R"("
      cert_file = ")",
                                             cert, R"("
      key_file = ")",
                                             key, R"("
      datacenters = ["DC1", "dc2", "dc1"]
      stale = false
      connections = 8
      watches = 77
      wait = "10m"
      stale_after = "1500ms"
      hold_shrunken = "0s"
    })"));
  EXPECT_EQ(All(loaded.problems), "");
  EXPECT_TRUE(loaded.config.datacenter_given);
  const ConsulOptions& options = loaded.config.consul;
  EXPECT_EQ(Show(options),
            "https://10.0.0.1:8501;https://[2001:db8::1]:8501;"
            "http://consul.example:80/prefix;https://localhost /run/c.sock;");
  EXPECT_EQ(options.token, "from-file");
  EXPECT_EQ(options.token_file, token_file);
  EXPECT_EQ(options.tls.ca_file, ca);
  EXPECT_EQ(options.tls.ca_path, dir.path());
  EXPECT_EQ(options.tls.cert_file, cert);
  EXPECT_EQ(options.tls.key_file, key);
  EXPECT_FALSE(options.tls.verify);
  EXPECT_THAT(options.datacenters, ElementsAre("dc1", "dc2"));
  EXPECT_FALSE(options.stale);
  EXPECT_EQ(options.connections_max, 8u);
  EXPECT_EQ(options.watches_max, 77u);
  EXPECT_EQ(options.wait_ms, 600'000);
  EXPECT_EQ(options.stale_after_ms, 1500);
  EXPECT_EQ(options.hold_ms, 0);
  EXPECT_EQ(options.data_dir, "/var/lib/x");
}

TEST(ConfigConsul, ReadsFilesAndFlagsTogether) {
  const testing::TempDir dir;
  const std::string file =
      dir.Write("c.json", R"({"consul": {"address": "10.0.0.3:1, 10.0.0.4:1",
                    "datacenters": "*", "token": "in-file", "wait": "1s"}})");
  const Loaded loaded =
      Load({"-config-file", file, "-consul-http-addr", "10.0.0.1:1,10.0.0.2:1",
            "-consul-http-addr=10.0.0.5:1", "-consul-token", "in-flag",
            "-consul-datacenter", "dc2", "-consul-datacenter=dc3"});
  EXPECT_EQ(All(loaded.problems), "");
  EXPECT_EQ(Show(loaded.config.consul),
            "http://10.0.0.1:1;http://10.0.0.2:1;http://10.0.0.5:1;"
            "http://10.0.0.3:1;http://10.0.0.4:1;");
  EXPECT_EQ(loaded.config.consul.token, "in-flag");
  EXPECT_EQ(loaded.config.consul.wait_ms, 1000);
  EXPECT_THAT(loaded.config.consul.datacenters, ElementsAre("dc2", "dc3", "*"));
}

TEST(ConfigConsul, NamesFileAndLineOfWhatItDoesNotKnow) {
  const testing::TempDir dir;
  const std::string file =
      dir.Write("c.hcl",
                "consul {\n  address = \"10.0.0.1:1\"\n  adress = 1\n"
                "  token = 4711\n  stale = \"yes\"\n}\n");
  const Loaded loaded = Load({"-config-file", file});
  EXPECT_THAT(loaded.problems.errors(),
              ::testing::UnorderedElementsAre(
                  absl::StrCat(file,
                               ":3: consul.adress: invalid config key "
                               "consul.adress, did you mean address?"),
                  absl::StrCat(file, ":4: consul.token: must be a string"),
                  HasSubstr(absl::StrCat(file, ":5: consul.stale: "))));
  EXPECT_THAT(All(loaded.problems), Not(HasSubstr("4711")));
}

TEST(ConfigConsul, RefusesWhatMakesNoSense) {
  const std::pair<const char*, const char*> cases[] = {
      {R"(address = "")", R"(consul.address: "" is not HOST:PORT)"},
      {R"(address = ["10.0.0.1:1,,10.0.0.2:1"])", R"("" is not HOST:PORT)"},
      {R"(address = 7)", "consul.address: must be a list of strings"},
      {R"(address = "ftp://h:1")", "must begin with http://, https:// or"},
      {R"(address = "HTTP://h:1")", "must begin with http://, https:// or"},
      {R"(address = "h:0")", "has no port between 1 and 65535"},
      {R"(address = "h:65536")", "has no port between 1 and 65535"},
      {R"(address = "h: 80")", "has no port between 1 and 65535"},
      {R"(address = "h:")", "has no port between 1 and 65535"},
      {R"(address = "::1")", "in brackets: [::1]:8500"},
      {R"(address = "[::g]:1")", "is not HOST:PORT"},
      {R"(address = "[::1:8500")", "is not HOST:PORT"},
      {R"(address = "h:1/a?b")", "a query"},
      {R"(address = "h:1/a b")", "is not HOST:PORT"},
      {R"(address = "unix://")", "names no socket"},
      {R"(ca_file = "/nowhere/ca.pem")",
       R"(consul.ca_file: "/nowhere/ca.pem" cannot be read: No such file)"},
      {R"(ca_path = "/dev/null")", "is no directory"},
      {R"(ca_file = "/")", R"("/" is a directory)"},
      {R"(cert_file = "/dev/null")", "consul.cert_file: a client certificate"},
      {R"(key_file = "/dev/null")", "consul.key_file: a client certificate"},
      {R"(token_file = "/nowhere/t")",
       R"(consul.token_file: the token's file "/nowhere/t" cannot be read: )"},
      {R"(token_file = "/dev/null")", R"("/dev/null" is not a file)"},
      {R"(datacenters = ["a b"])", R"("a b" is neither a datacenter's name)"},
      {R"(datacenters = [""])", "is neither"},
      {R"(connections = 7)", "consul.connections: 7 is not between 8 and 200"},
      {R"(connections = 201)", "201 is not between"},
      {R"(watches = -1)", "-1 is not between"},
      {R"(wait = "999ms")", R"("999ms" is not between 1s and 600s)"},
      {R"(wait = "601s")", "is not between"},
      {R"(wait = "5")", "has no unit"},
      {R"(stale_after = "0s")", "consul.stale_after: "},
      {R"(hold_shrunken = "-1ns")", "consul.hold_shrunken: "},
  };
  for (const auto& [inner, error] : cases) {
    // The address is checked with each of the others, so that they stand
    // alone.
    const std::string address =
        absl::StartsWith(inner, "address") ? "" : R"(address = "10.0.0.1:1" )";
    const Loaded loaded =
        LoadHcl(absl::StrCat("consul { ", address, inner, " }"));
    ASSERT_EQ(loaded.problems.errors().size(), 1u) << inner << "\n"
                                                   << All(loaded.problems);
    EXPECT_THAT(loaded.problems.errors()[0], HasSubstr(error)) << inner;
  }
}

TEST(ConfigConsul, SaysNoSecret) {
  const testing::TempDir dir;
  const std::string file = dir.Write("token", "sesame open");
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{
           {"-consul-http-addr", "http://user:sesame@10.0.0.1:1"},
           {"-consul-http-addr", "http://10.0.0.1:1?token=sesame"},
           {"-consul-http-addr", kElsewhere, "-consul-token", "sesame open"},
           {"-consul-http-addr", kElsewhere, "-consul-token", "sesame\r\nX: y"},
           {"-consul-http-addr", kElsewhere, "-consul-token-file", file},
           {"-consul-http-addr", kElsewhere, "-hcl",
            "consul { token = [\"sesame\", \"open\"] }"},
           {"-consul-http-addr", kElsewhere, "-hcl",
            "consul { token = \"sesame\" token { } }"}}) {
    const Loaded loaded = Load(args);
    EXPECT_FALSE(loaded.problems.ok()) << Join(args);
    EXPECT_THAT(All(loaded.problems), Not(HasSubstr("sesame")));
  }
}

TEST(ConfigConsul, TakesTheTokenOfTheFileAsConsulDoes) {
  const testing::TempDir dir;
  const std::string full = dir.Write("full", "of-file\n");
  const std::string empty = dir.Write("empty", "\n");
  const std::string at = "consul { address = \"10.0.0.1:1\" ";
  Loaded loaded =
      LoadHcl(absl::StrCat(at, "token = \"x\" token_file = \"", full, "\" }"));
  EXPECT_EQ(loaded.config.consul.token, "of-file");
  EXPECT_THAT(Join(loaded.problems.warnings()), HasSubstr("a token is given"));
  loaded =
      LoadHcl(absl::StrCat(at, "token = \"x\" token_file = \"", empty, "\" }"));
  EXPECT_EQ(loaded.config.consul.token, "x");
  EXPECT_THAT(Join(loaded.problems.warnings()), HasSubstr("is empty"));
  // A flag says it later than a file does.
  const std::string file =
      dir.Write("c.hcl", absl::StrCat(at, "token_file = \"", full, "\" }"));
  loaded = Load({"-config-file", file, "-consul-token", "of-flag"});
  EXPECT_EQ(loaded.config.consul.token, "of-flag");
  EXPECT_EQ(loaded.config.consul.token_file, "");
  EXPECT_EQ(All(loaded.problems), "");
}

TEST(ConfigConsul, TakesWhatIsNotGivenFromTheEnvironment) {
  const testing::TempDir dir;
  const std::string pem = dir.Write("x.pem", "x");
  const Variables variables = {
      {"CONSUL_HTTP_ADDR", "http://10.0.0.1:8501"},
      {"CONSUL_HTTP_TOKEN", "of-variable"},
      {"CONSUL_HTTP_TOKEN_FILE", dir.Write("token", "of-file")},
      {"CONSUL_HTTP_SSL", "T"},
      {"CONSUL_HTTP_SSL_VERIFY", "0"},
      {"CONSUL_CACERT", pem},
      {"CONSUL_CAPATH", dir.path()},
      {"CONSUL_CLIENT_CERT", pem},
      {"CONSUL_CLIENT_KEY", pem},
  };
  Loaded loaded = LoadIn(variables, {});
  const ConsulOptions& options = loaded.config.consul;
  EXPECT_THAT(loaded.problems.errors(), IsEmpty());
  EXPECT_THAT(
      loaded.problems.warnings(),
      ElementsAre("CONSUL_HTTP_ADDR: is set, and no file or flag names a "
                  "Consul: this agent mirrors \"http://10.0.0.1:8501\""));
  EXPECT_EQ(Show(options), "https://10.0.0.1:8501;");
  EXPECT_EQ(options.token, "of-file");
  EXPECT_FALSE(options.tls.verify);
  EXPECT_EQ(options.tls.ca_file, pem);
  EXPECT_EQ(options.tls.ca_path, dir.path());
  EXPECT_EQ(options.tls.cert_file, pem);
  EXPECT_EQ(options.tls.key_file, pem);

  // Each of what is given stands for its like.
  loaded = LoadIn(variables,
                  {"-consul-http-addr", "http://10.0.0.2:1,10.0.0.3:1",
                   "-consul-token", "of-flag", "-consul-ca-path", dir.path(),
                   "-hcl", "consul { tls_skip_verify = false }"});
  EXPECT_EQ(All(loaded.problems), "");
  EXPECT_EQ(Show(options), "http://10.0.0.2:1;https://10.0.0.3:1;");
  EXPECT_EQ(options.token, "of-flag");
  EXPECT_EQ(options.token_file, "");
  EXPECT_TRUE(options.tls.verify);
  EXPECT_EQ(options.tls.ca_file, "");
  EXPECT_EQ(options.tls.cert_file, pem);
  loaded = LoadIn(variables, {"-hcl", "consul { ssl = false }"});
  EXPECT_EQ(Show(options), "http://10.0.0.1:8501;");
  // A list of none is a word, too.
  loaded = LoadIn(variables, {"-hcl", "consul { address = [] }"});
  EXPECT_EQ(options, ConsulOptions());
  EXPECT_EQ(All(loaded.problems), "");
}

TEST(ConfigConsul, LeavesTheEnvironmentAloneWhenNothingIsMirrored) {
  std::vector<std::string> asked;
  Problems problems;
  bool help = false;
  const Config config =
      LoadConfig({}, &help, &problems, [&asked](const char* name) {
        asked.push_back(name);
        return std::string();
      });
  EXPECT_EQ(config.consul, ConsulOptions());
  EXPECT_THAT(asked, ElementsAre("CONSUL_HTTP_ADDR"));
}

TEST(ConfigConsul, NamesTheVariableThatIsWrong) {
  const Loaded loaded = LoadIn({{"CONSUL_HTTP_ADDR", "ssh://h"},
                                {"CONSUL_HTTP_SSL", "maybe"},
                                {"CONSUL_HTTP_TOKEN_FILE", "/nowhere/t"},
                                {"CONSUL_CACERT", "/nowhere/ca"},
                                {"CONSUL_CLIENT_KEY", "/dev/null"}},
                               {});
  EXPECT_THAT(loaded.problems.errors(),
              ElementsAre(HasSubstr("CONSUL_HTTP_ADDR: \"ssh://h\" must begin"),
                          HasSubstr("CONSUL_HTTP_TOKEN_FILE: the token's file"),
                          HasSubstr("CONSUL_CACERT: \"/nowhere/ca\" cannot"),
                          HasSubstr("CONSUL_CLIENT_KEY: a client")));
  EXPECT_THAT(loaded.problems.warnings(),
              ElementsAre("CONSUL_HTTP_SSL: \"maybe\" is neither true nor "
                          "false, and is ignored"));
}

TEST(ConfigConsul, SaysWhenAnAddressIsMissingOrHasNoPort) {
  EXPECT_THAT(LoadHcl("consul { token = \"x\" }").problems.warnings(),
              ElementsAre(HasSubstr("consul.address: is not given")));
  const Loaded loaded =
      LoadHcl("consul { address = [\"10.0.0.1\", \"https://[::2]\"] }");
  EXPECT_EQ(Show(loaded.config.consul), "http://10.0.0.1;https://[::2];");
  EXPECT_THAT(loaded.problems.warnings(),
              ElementsAre(HasSubstr("\"10.0.0.1\" has no port: it is 80"),
                          HasSubstr("has no port: it is 443")));
}

TEST(ConfigConsul, RefusesToMirrorItself) {
  const std::string ports = "ports { http = 8500 dns = 8600 } ";
  for (const char* address :
       {"127.0.0.1:8500", "localhost:8500", "http://LOCALHOST:8500",
        "0.0.0.0:8500", "https://127.0.0.1:8500"}) {
    const Loaded loaded =
        LoadHcl(absl::StrCat(ports, "consul { address = \"", address, "\" }"));
    ASSERT_EQ(loaded.problems.errors().size(), 1u) << address;
    EXPECT_THAT(loaded.problems.errors()[0],
                HasSubstr("it would mirror itself"));
  }
  for (const char* address :
       {"127.0.0.1:8501", "127.0.0.2:8500", "10.255.255.1:8500", "unix:///x"}) {
    EXPECT_EQ(All(LoadHcl(absl::StrCat(ports, "consul { address = \"", address,
                                       "\" }"))
                      .problems),
              "")
        << address;
  }
  // All addresses of this machine are its own then.
  const Loaded any = LoadHcl(absl::StrCat(
      ports,
      "client_addr = \"0.0.0.0\" consul { address = \"127.0.0.2:8500\" }"));
  EXPECT_EQ(any.problems.errors().size(), 1u);
  // A variable may be meant for the clients of this agent.
  const Loaded variable =
      LoadIn({{"CONSUL_HTTP_ADDR", "http://127.0.0.1:8500"}}, {});
  ASSERT_EQ(variable.problems.errors().size(), 1u);
  EXPECT_THAT(variable.problems.errors()[0],
              HasSubstr("CONSUL_HTTP_ADDR: \"http://127.0.0.1:8500\" is this "
                        "agent's own HTTP address"));
}

TEST(ConfigConsul, MakesRoomForTheConsulOfThisMachine) {
  Loaded loaded = Load({"-consul-http-addr", "http://127.0.0.1:8500"});
  EXPECT_THAT(loaded.problems.errors(), IsEmpty());
  EXPECT_THAT(loaded.problems.warnings(),
              ElementsAre(HasSubstr("so that HTTP listens on 8510")));
  EXPECT_EQ(Show(loaded.config.http_listen), "127.0.0.1 8510;");
  loaded = Load({"-consul-http-addr", "127.0.0.1:8500,127.0.0.1:8510"});
  EXPECT_EQ(loaded.problems.errors().size(), 1u);
  loaded = Load({"-consul-http-addr", "127.0.0.1:8500", "-http-port", "8501"});
  EXPECT_EQ(All(loaded.problems), "");
  EXPECT_EQ(Show(loaded.config.http_listen), "127.0.0.1 8501;");
  loaded = Load({"-consul-http-addr", "127.0.0.1:8500", "-http-port", "-1"});
  EXPECT_EQ(All(loaded.problems), "");
}

TEST(ConfigConsul, ValidatesFilesWithoutTheEnvironment) {
  const testing::TempDir dir;
  const std::string file =
      dir.Write("c.hcl", "consul { address = \"10.0.0.1:1\" }\n");
  Problems problems;
  const Config config = LoadConfigFiles({file}, &problems);
  EXPECT_EQ(All(problems), "");
  EXPECT_EQ(Show(config.consul), "http://10.0.0.1:1;");
}

TEST(ConfigConsul, HelpNamesFlagsAndVariables) {
  const std::string usage = AgentUsage();
  for (const char* word :
       {"-consul-http-addr=<value>", "-consul-token=<value>",
        "-consul-token-file", "-consul-ca-file", "-consul-ca-path",
        "-consul-client-cert", "-consul-client-key", "-consul-datacenter",
        "CONSUL_HTTP_ADDR", "CONSUL_HTTP_SSL_VERIFY", "CONSUL_CLIENT_KEY"}) {
    EXPECT_THAT(usage, HasSubstr(word));
  }
}

}  // namespace
}  // namespace dnsd
