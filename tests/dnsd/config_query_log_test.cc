// What is said about logs of the agent and of queries.
#include <gtest/gtest.h>
#include <syslog.h>

#include <string>
#include <vector>

#include "dnsd/config.h"
#include "tests/dnsd/config_testing.h"

namespace dnsd {
namespace {

TEST(ConfigQueryLog, IsOffUnlessItIsSaid) {
  const Loaded loaded = LoadHcl("node_name = \"n1\"");
  ASSERT_TRUE(loaded.problems.ok()) << Join(loaded.problems.errors());
  const QueryLogOptions& options = loaded.config.query_log;
  EXPECT_EQ(options.rule(SampleUse::kLog).every, 0u);
  EXPECT_EQ(options.rule(SampleUse::kTap).every, 0u);
  EXPECT_EQ(options.rule(SampleUse::kTop).every, kTopNamesEvery);
  EXPECT_TRUE(loaded.config.log_file.path.empty());
  const Loaded half = LoadHcl("query_log { sample = 5 } dnstap { sample = 5 }");
  EXPECT_EQ(Join(half.problems.warnings()),
            "query_log: is off without enabled = true\n"
            "dnstap: is off without dnstap.socket\n");
  EXPECT_EQ(half.config.query_log.rule(SampleUse::kLog).every, 0u);
}

TEST(ConfigQueryLog, SaysWhichQueries) {
  const Loaded loaded = LoadHcl(R"(
    node_name = "n1"
    query_log {
      enabled = true
      file = "/tmp/q.log"
      sample = 10
      names = ["Web.Service.Consul", "example.org."]
      clients = ["10.0.0.0/8", "::1"]
      rcodes = ["nxdomain", "SERVFAIL", "16"]
    }
    dnstap { socket = "/run/tap.sock" responses = false version = "v" }
    top_names { sample = 0 }
    log_rotate_bytes = 1000)");
  ASSERT_TRUE(loaded.problems.ok()) << Join(loaded.problems.errors());
  const QueryLogOptions& options = loaded.config.query_log;
  const SampleRule& log = options.rule(SampleUse::kLog);
  EXPECT_EQ(log.every, 10u);
  const std::vector<std::string> names = {
      std::string("\3web\7service\6consul\0", 20),
      std::string("\7example\3org\0", 13)};
  EXPECT_EQ(log.names, names);
  EXPECT_EQ(log.clients.size(), 2u);
  EXPECT_EQ(log.rcodes, 1u << 3 | 1u << 2 | 1u << 16);
  EXPECT_EQ(options.file.path, "/tmp/q.log");
  EXPECT_EQ(options.file.rotate_bytes, 1000);
  EXPECT_EQ(options.rule(SampleUse::kTap).every, 1u);
  EXPECT_EQ(options.dnstap.socket, "/run/tap.sock");
  EXPECT_EQ(options.dnstap.identity, "n1");
  EXPECT_EQ(options.dnstap.version, "v");
  EXPECT_TRUE(options.dnstap.queries);
  EXPECT_FALSE(options.dnstap.responses);
  EXPECT_EQ(options.rule(SampleUse::kTop).every, 0u);
}

TEST(ConfigQueryLog, TakesConsulsFlagsForItsFile) {
  const Loaded loaded =
      Load({"-log-file", "/var/log/", "-log-rotate-bytes", "5",
            "-log-rotate-duration", "1h", "-log-rotate-max-files", "-1"});
  ASSERT_TRUE(loaded.problems.ok()) << Join(loaded.problems.errors());
  EXPECT_EQ(Join(loaded.problems.warnings()), "");
  const LogFileOptions& file = loaded.config.log_file;
  EXPECT_EQ(file.path, "/var/log/");
  EXPECT_EQ(file.rotate_bytes, 5);
  EXPECT_EQ(file.rotate_after, std::chrono::hours(1));
  EXPECT_EQ(file.files_max, -1);
}

TEST(ConfigQueryLog, TakesConsulsKeysForSyslog) {
  const Loaded off = LoadHcl("node_name = \"n1\"");
  EXPECT_FALSE(off.config.enable_syslog);
  EXPECT_EQ(off.config.syslog_facility, LOG_LOCAL0);
  const Loaded file =
      LoadHcl("enable_syslog = true syslog_facility = \"daemon\"");
  EXPECT_TRUE(file.problems.ok()) << Join(file.problems.errors());
  EXPECT_EQ(Join(file.problems.warnings()), "");
  EXPECT_TRUE(file.config.enable_syslog);
  EXPECT_EQ(file.config.syslog_facility, LOG_DAEMON);
  const Loaded flag = Load({"-syslog"});
  EXPECT_EQ(Join(flag.problems.warnings()), "");
  EXPECT_TRUE(flag.config.enable_syslog);
  EXPECT_EQ(flag.config.syslog_facility, LOG_LOCAL0);
}

TEST(ConfigQueryLog, ReportsWhatMakesNoSense) {
  const std::string long_path(200, 'x');
  const std::string long_socket = "dnstap { socket = \"" + long_path + "\" }";
  const BadSetting cases[] = {
      {"query_log { enabled = true sample = 0 }",
       "query_log.sample: 0 is not between 1 and"},
      {"query_log { enabled = true names = [\"a..b\"] }",
       "\"a..b\" is not a domain name"},
      {"query_log { enabled = true clients = [\"10.0.0.0/99\"] }",
       "\"10.0.0.0/99\" is not a network"},
      {"query_log { enabled = true rcodes = [\"MAYBE\"] }",
       "\"MAYBE\" is no rcode"},
      {"query_log { enabled = true rcodes = [\"32\"] }", "\"32\" is no rcode"},
      {"query_log { level = 1 }", "level"},
      {long_socket.c_str(), "longer than a path of a socket may be"},
      {"dnstap { socket = \"/x\" queries = false responses = false }",
       "dnstap.responses: is false, and dnstap.queries too"},
      {"top_names { sample = -1 }", "top_names.sample: -1 is not between 0"},
      // Also where it is off.
      {"syslog_facility = \"LOCAL8\"",
       "syslog_facility: \"LOCAL8\" is no facility of syslog: one of AUTH, "},
      {"enable_syslog = true syslog_facility = \"kern\"", "\"kern\" is no"},
      {"enable_syslog = \"maybe\"", "enable_syslog"},
      {"log_rotate_bytes = -1", "log_rotate_bytes: -1 is not between 0"},
      {"log_rotate_max_files = -2", "-2 is not between -1"},
      {"log_rotate_duration = \"-1s\"", "\"-1s\" is negative"},
      {"log_rotate_duration = \"soon\"", "invalid duration"},
  };
  ExpectOneError(cases);
}

TEST(ConfigQueryLog, HasNoFileOfTheAgentsLog) {
  const Loaded loaded = Load({"-log-file", "/var/log/dnsd.log", "-hcl",
                              "query_log { enabled = true file = "
                              "\"/var/log/\" }"});
  EXPECT_NE(Join(loaded.problems.errors())
                .find("\"/var/log/\" has the names of log_file"),
            std::string::npos);
}

}  // namespace
}  // namespace dnsd
