// The real binary with what it cannot use: exit 1, every mistake named at
// once, and the same verdict from `dnsd validate`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// `dnsd agent` with ports of the kernel's choice; must end by itself.
Finished RunAgent(const std::vector<std::string>& args) {
  AgentProcess agent(args);
  const std::optional<int> code = agent.process().Wait();
  EXPECT_TRUE(code.has_value()) << "it runs: " << agent.process().output();
  return {code.value_or(-1), agent.process().output()};
}

struct BadFile {
  const char* what;
  const char* name;
  const char* content;
  std::vector<std::string> named;  // in the errors
};

const BadFile kBadFiles[] = {
    {"a brace left open", "a.hcl", "service {\n  name = \"web\"\n", {"a.hcl:"}},
    {"two equal signs", "a.hcl", "\nnode_name = = \"n1\"\n", {"a.hcl:2"}},
    {"broken JSON", "a.json", "{\"node_name\": }", {"a.json"}},
    {"an unknown key",
     "a.hcl",
     "\n\nnode_nmae = \"n1\"\n",
     {"a.hcl:3", "node_nmae"}},
    {"an unknown key in a service",
     "a.hcl",
     "service {\n  name = \"web\"\n  prot = 80\n}\n",
     {"a.hcl:3", "prot"}},
    {"a port too large",
     "a.hcl",
     "service {\n  name = \"web\"\n  port = 70000\n}\n",
     {"a.hcl:3", "port", "70000"}},
    {"text for a number",
     "a.hcl",
     "service {\n  name = \"web\"\n  port = \"eighty\"\n}\n",
     {"a.hcl:3", "port", "eighty"}},
    {"a service without a name",
     "a.hcl",
     "service {\n  port = 80\n}\n",
     {"a.hcl:1", "name"}},
    {"a status that is none",
     "a.hcl",
     "service {\n  name = \"web\"\n"
     "  check {\n    ttl = \"1m\"\n    status = \"fine\"\n  }\n}\n",
     {"a.hcl:5", "status", "fine"}},
    {"a bad duration",
     "a.hcl",
     "dns_config {\n  node_ttl = \"soon\"\n}\n",
     {"a.hcl:2", "node_ttl", "soon"}},
    {"a compat that is none",
     "a.hcl",
     "dns_config {\n  compat = \"bind\"\n}\n",
     {"a.hcl:2", "compat", "bind"}},
    {"a bad address",
     "a.hcl",
     "advertise_addr = \"192.0.2.256\"\n",
     {"a.hcl:1", "advertise_addr", "192.0.2.256"}},
    {"two services of one id",
     "a.hcl",
     "services = [\n  { id = \"web-1\" name = \"web\" },\n"
     "  { id = \"web-1\" name = \"db\" }\n]\n",
     {"a.hcl:3", "web-1"}},
    {"a zone file that is not there",
     "a.hcl",
     "zones = [{ name = \"example.org\" file = \"/nonexistent.zone\" }]\n",
     {"/nonexistent.zone"}},
};

TEST(Errors, ABadFileIsNamedWithLineAndKeyAndByValidateToo) {
  for (const BadFile& bad : kBadFiles) {
    SCOPED_TRACE(bad.what);
    TempDir dir;
    dir.Write(bad.name, bad.content);
    const Finished agent = RunAgent({"-config-dir", dir.path()});
    const Finished validate = RunDnsd({"validate", dir.path()});
    EXPECT_EQ(agent.exit_code, 1);
    EXPECT_EQ(validate.exit_code, 1);
    for (const std::string& named : bad.named) {
      EXPECT_THAT(agent.output, HasSubstr(named));
      EXPECT_THAT(validate.output, HasSubstr(named));
    }
    EXPECT_THAT(validate.output, Not(HasSubstr("Configuration is valid!")));
  }
}

TEST(Errors, AllMistakesOfAllFilesAreShownAtOnce) {
  TempDir dir;
  dir.Write("a.hcl", "service {\n  name = \"a\"\n  port = 70000\n}\n");
  dir.Write("b.hcl", "no_such_key = 1\nadvertise_addr = \"nowhere at all\"\n");
  dir.Write("c.json", "{\"service\": {\"port\": 1}}");
  dir.Write("d.hcl", "service {");
  for (const Finished& run : {RunAgent({"-config-dir", dir.path()}),
                              RunDnsd({"validate", dir.path()})}) {
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_THAT(run.output, HasSubstr("a.hcl:3"));
    EXPECT_THAT(run.output, HasSubstr("b.hcl:1"));
    EXPECT_THAT(run.output, HasSubstr("b.hcl:2"));
    EXPECT_THAT(run.output, HasSubstr("c.json:1"));
    EXPECT_THAT(run.output, HasSubstr("d.hcl:"));
  }
}

TEST(Errors, MissingFilesAreNamed) {
  for (const char* flag : {"-config-file", "-config-dir"}) {
    const Finished agent = RunAgent({flag, "/nonexistent/config.hcl"});
    EXPECT_EQ(agent.exit_code, 1) << flag;
    EXPECT_THAT(agent.output, HasSubstr("/nonexistent/config.hcl"));
  }
  const Finished validate = RunDnsd({"validate", "/nonexistent/config.hcl"});
  EXPECT_EQ(validate.exit_code, 1);
  EXPECT_THAT(validate.output, HasSubstr("/nonexistent/config.hcl"));
}

TEST(Errors, BadFlagsAreNamed) {
  const std::vector<std::vector<std::string>> bad = {
      {"-no-such-flag"},
      {"-dns-port", "70000"},
      {"-dns-port", "many"},
      {"-client", "192.0.2.256"},
      {"-workers", "-3"},
      {"-log-level", "chatty"},
      {"-node"},
  };
  for (const std::vector<std::string>& args : bad) {
    const Finished agent = RunAgent(args);
    EXPECT_EQ(agent.exit_code, 1) << args[0];
    EXPECT_THAT(agent.output, HasSubstr(args[0].substr(1)));
  }
}

TEST(Errors, AnAddressThatIsNotOursIsNamed) {
  const Finished agent = RunAgent({"-client", "192.0.2.1"});
  EXPECT_EQ(agent.exit_code, 1);
  EXPECT_THAT(agent.output, HasSubstr("192.0.2.1"));
}

TEST(Errors, ASecondAgentOnTheSamePortsIsRefused) {
  AgentProcess first({});
  ASSERT_TRUE(first.WaitUntilServing()) << first.process().output();
  const std::string dns = std::to_string(first.dns().port);
  const Finished second = RunAgent({"-dns-port", dns});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output,
              AllOf(HasSubstr("127.0.0.1:" + dns), HasSubstr("in use")));

  const std::string http = std::to_string(first.http_port());
  const Finished third = RunAgent({"-http-port", http});
  EXPECT_EQ(third.exit_code, 1);
  EXPECT_THAT(third.output,
              AllOf(HasSubstr("127.0.0.1:" + http), HasSubstr("in use")));

  // The first one did not notice.
  EXPECT_EQ(AskUdp(first.dns(), {"consul.", "SOA"}).rcode, "NOERROR");
  EXPECT_EQ(first.Stop(), 0);
}

// Root may bind any port, so the agent is started as nobody then.
TEST(Errors, NoPermissionForPort53SaysHowToGrantIt) {
  int first_free = 0;
  if (absl::SimpleAtoi(
          ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
          &first_free) &&
      first_free <= 53) {
    GTEST_SKIP() << "everybody may bind port 53 here";
  }
  // 127.0.0.53 and such may be taken; this address is nobody's.
  std::vector<std::string> command = {DnsdBinary(), "agent",     "-client",
                                      "127.8.9.53", "-dns-port", "53",
                                      "-http-port", "0"};
  if (geteuid() == 0) {
    command.insert(command.begin(), {"setpriv", "--reuid=65534",
                                     "--regid=65534", "--clear-groups"});
    if (RunToEnd({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                  DnsdBinary(), "version"})
            .exit_code != 0) {
      GTEST_SKIP() << "nobody cannot reach " << DnsdBinary();
    }
  }
  const Finished agent = RunToEnd(command);
  EXPECT_EQ(agent.exit_code, 1);
  EXPECT_THAT(agent.output,
              AllOf(HasSubstr("127.8.9.53:53"), HasSubstr("ermission denied"),
                    HasSubstr("CAP_NET_BIND_SERVICE")));
}

TEST(Errors, APidFileThatCannotBeWrittenIsNamed) {
  const Finished agent = RunAgent({"-pid-file", "/nonexistent/dnsd.pid"});
  EXPECT_EQ(agent.exit_code, 1);
  EXPECT_THAT(agent.output, HasSubstr("/nonexistent/dnsd.pid"));
}

TEST(Commands, UnknownOnesExitWith127) {
  const Finished unknown = RunDnsd({"serve"});
  EXPECT_EQ(unknown.exit_code, 127);
  EXPECT_THAT(unknown.output, AllOf(HasSubstr("serve"), HasSubstr("agent"),
                                    HasSubstr("validate")));
  EXPECT_EQ(RunDnsd({}).exit_code, 127);
}

TEST(Commands, HelpAndVersionExitWithZero) {
  EXPECT_EQ(RunDnsd({"--help"}).exit_code, 0);
  const Finished agent = RunDnsd({"agent", "-help"});
  EXPECT_EQ(agent.exit_code, 0);
  for (const char* flag :
       {"-config-dir", "-config-file", "-node", "-datacenter", "-domain",
        "-alt-domain", "-bind", "-client", "-dns-port", "-http-port",
        "-recursor", "-data-dir", "-log-level", "-log-json", "-pid-file",
        "-dev", "-workers"}) {
    EXPECT_THAT(agent.output, HasSubstr(flag));
  }
  const Finished version = RunDnsd({"version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.output, HasSubstr("dnsd v"));
}

// The forms of flags that Go's flag package knows.
TEST(Commands, OneDashOrTwoWithASpaceOrAnEqualSign) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-node", "n7"},
        {"--node", "n7"},
        {"-node=n7"},
        {"--node=n7"}}) {
    AgentProcess agent(args);
    ASSERT_TRUE(agent.WaitUntilServing()) << agent.process().output();
    EXPECT_EQ(AskUdp(agent.dns(), {"n7.node.consul."}).rcode, "NOERROR");
    EXPECT_EQ(agent.Stop(), 0);
  }
}

// What the tutorials and section 4 of the reference show, as they write it.
TEST(Validate, AcceptsConsulsOwnExamples) {
  TempDir dir;
  dir.Write("web.json", R"({"service": {
    "name": "web", "tags": ["rails"], "port": 80,
    "check": {"args": ["curl", "localhost"], "interval": "10s"}}})");
  dir.Write("full.hcl", R"(
service {
  name = "api"
  id   = "api-1"
  address = "10.0.0.5"
  port = 8080
  tags = ["v1","primary"]
  meta = { version = "1.2" }
  tagged_addresses = {
    lan = { address = "10.0.0.5" port = 8080 }
    wan = { address = "198.51.100.5" port = 80 }
  }
  weights = { passing = 10  warning = 1 }
  enable_tag_override = false
  token = ""
  checks = [
    { id = "http" http = "http://127.0.0.1:8080/health" interval = "10s"
      timeout = "1s" failures_before_critical = 3
      deregister_critical_service_after = "90m" },
    { name = "tcp" tcp = "127.0.0.1:8080" interval = "10s" },
    { name = "alive" ttl = "30s" notes = "reported by the job" }
  ]
}
)");
  // Settings of Consul's that mean nothing here: accepted.
  dir.Write("agent.hcl", R"(
datacenter = "dc1"
data_dir   = "/tmp/consul"
log_level  = "INFO"
enable_local_script_checks = true
server     = true
bootstrap_expect = 1
encrypt    = "cg8StVXbQJ0gPvMd9o7yrg=="
retry_join = ["192.0.2.10"]
performance { raft_multiplier = 1 }
ports { dns = 8600 http = 8500 }
dns_config {
  enable_truncate = true
  only_passing = true
  udp_answer_limit = 3
  service_ttl { "*" = "5s" }
}
)");
  const Finished validate = RunDnsd({"validate", dir.path()});
  EXPECT_EQ(validate.exit_code, 0) << validate.output;
  EXPECT_THAT(validate.output, HasSubstr("Configuration is valid!"));
  // One warning for each.
  for (const char* key :
       {"server", "bootstrap_expect", "encrypt", "retry_join", "performance"}) {
    const size_t first = validate.output.find(absl::StrCat(": ", key, ": "));
    ASSERT_NE(first, std::string::npos) << key;
    EXPECT_EQ(validate.output.find(absl::StrCat(": ", key, ": "), first + 1),
              std::string::npos)
        << key;
  }
  EXPECT_EQ(RunDnsd({"validate"}).exit_code, 1);
}

}  // namespace
}  // namespace dnsd::testing
