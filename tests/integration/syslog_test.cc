// The agent's lines in the system's log: the real binary in a mount namespace
// of its own, where /dev is a directory of the test with a socket of the test's
// in it.
//
// Skipped where there are no such namespaces, as without root.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// Time, ident and process id, as syslog(3) writes them. POSIX: no \d.
constexpr char kHead[] =
    "[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]+ dnsd\\[[0-9]+\\]: ";

class SyslogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Finished namespaces = RunToEnd({"unshare", "-m", "true"});
    if (namespaces.exit_code != 0) {
      GTEST_SKIP() << "no mount namespace: " << namespaces.output;
    }
    for (const char* device : {"null", "urandom"}) {
      dir_.Write(absl::StrCat("dev/", device), "");
    }
  }

  // From now on somebody listens at the agent's /dev/log.
  void Listen() {
    socket_ = std::make_unique<NotifySocket>(dir_.Path("dev/log"));
  }
  // And now nobody does.
  void StopListening() {
    socket_.reset();
    dir_.Remove("dev/log");
  }

  void Start(const std::string& config, const std::vector<std::string>& args,
             const char* last_line = "dnsd agent running") {
    std::vector<std::string> all = {
        "-config-file", dir_.Write("dnsd.hcl", config), "-workers", "1"};
    all.insert(all.end(), args.begin(), args.end());
    std::string script = "set -e\n";
    for (const char* device : {"null", "urandom"}) {
      absl::StrAppend(&script, "mount --bind /dev/", device, " ",
                      dir_.Path("dev/"), device, "\n");
    }
    absl::StrAppend(&script, "mount --rbind ", dir_.Path("dev"),
                    " /dev\nexec \"$@\"\n");
    agent_.emplace(all, std::vector<std::string>{"unshare", "-m", "sh", "-c",
                                                 script, "sh"});
    ASSERT_TRUE(agent_->process().WaitForOutput(last_line))
        << agent_->process().output();
  }

  // The next line with `part` in it, or "".
  std::string Logged(const std::string& part) {
    for (;;) {
      const std::optional<std::string> line = socket_->Receive();
      if (!line || absl::StrContains(*line, part)) return line.value_or("");
    }
  }

  TempDir dir_;
  std::unique_ptr<NotifySocket> socket_;
  std::optional<AgentProcess> agent_;
};

TEST_F(SyslogTest, GetsLinesAtThePriorityOfTheirLevel) {
  Listen();
  Start("node_name = \"n1\"", {"-syslog"});
  ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  // 8 times the facility, 16 for LOCAL0, and the priority.
  const std::string line = Logged("dnsd agent running");
  EXPECT_THAT(line, MatchesRegex(absl::StrCat(
                        "<134>", kHead, "agent: dnsd agent running: .*")));
  EXPECT_THAT(line,
              HasSubstr(absl::StrCat("[", agent_->process().pid(), "]: ")));
  EXPECT_THAT(agent_->process().output(),
              HasSubstr("Z [INFO]  agent: dnsd agent running"))
      << "as ever on standard output";

  dir_.Write("dnsd.hcl",
             "node_name = \"n1\" enable_syslog = false "
             "syslog_facility = \"USER\"");
  EXPECT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_THAT(Logged("setting=syslog_facility"),
              MatchesRegex(absl::StrCat(
                  "<132>", kHead,
                  "agent: A change of this setting needs a restart: .*")));

  dir_.Write("dnsd.hcl", "syslog_facility = \"LOCAL9\"");
  EXPECT_EQ(agent_->Reload().exit_code, 1);
  EXPECT_THAT(
      Logged("Reload failed"),
      MatchesRegex(absl::StrCat("<131>", kHead, "agent: Reload failed, .*",
                                "syslog_facility: .*LOCAL9.*")));
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_THAT(Logged("Stopped"),
              MatchesRegex(absl::StrCat("<134>", kHead, "agent: Stopped")));
}

TEST_F(SyslogTest, OnlyWhenItIsAskedFor) {
  Listen();
  Start("syslog_facility = \"DAEMON\"", {});
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_EQ(socket_->Receive(std::chrono::milliseconds(0)), std::nullopt);
}

TEST_F(SyslogTest, GetsJsonAsAnotherFacility) {
  Listen();
  Start("enable_syslog = true syslog_facility = \"daemon\"", {"-log-json"});
  EXPECT_THAT(
      Logged("dnsd agent running"),
      MatchesRegex(absl::StrCat("<30>", kHead,
                                "\\{\"@level\":\"info\",\"@message\":\"dnsd "
                                "agent running\",.*\\}")));
}

// Whoever listens there may come late, and come back.
TEST_F(SyslogTest, IsNotMissedWhereItIsNot) {
  Start("node_name = \"n1\"", {"-syslog"});
  ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  ConsulApi api("http://" + agent_->HttpAddress());
  for (const char* level : {"debug", "trace"}) {
    EXPECT_EQ(api.Put("/v1/dnsd/log-level?level=info"), 200) << "nobody hears";
    Listen();
    EXPECT_EQ(api.Put(absl::StrCat("/v1/dnsd/log-level?level=", level)), 200);
    EXPECT_THAT(Logged("Log level changed"),
                MatchesRegex(absl::StrCat(
                    "<134>", kHead,
                    "agent: Log level changed: ", "from=info to=", level)));
    StopListening();
  }
  EXPECT_EQ(agent_->Stop(), 0);
}

}  // namespace
}  // namespace dnsd::testing
