// The log of the real agent as it is written: over HTTP, by `dnsd monitor`, and
// by the real `consul monitor`, which is skipped without a Consul binary. The
// agent itself writes errors only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/http_wire.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kMonitor[] = "/v1/agent/monitor";
constexpr char kLine[] = " [INFO]  agent: Log level changed: from=error ";

class MonitorTest : public ::testing::Test {
 protected:
  void Start(const std::string& config = "node_name = \"n1\"") {
    agent_.emplace(std::vector<std::string>{
        "-dev", "-node", "n1", "-config-file", dir_.Write("c.hcl", config)});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
    api_.emplace("http://" + agent_->HttpAddress());
  }
  // Logs a line that the agent does not write.
  void LogLine() {
    EXPECT_EQ(api_->Put("/v1/dnsd/log-level?level=error"), 200);
  }
  [[nodiscard]] std::string AddressFlag() const {
    return "-http-addr=" + agent_->HttpAddress();
  }
  // A line is written again and again, for nobody says when a program listens;
  // seldom enough not to be taken for a repeated one.
  bool ShowsLine(Process* monitor, const std::string& line) {
    return WaitUntil([&] {
      LogLine();
      return monitor->WaitForOutput(line, 0, milliseconds(500));
    });
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
  std::optional<ConsulApi> api_;
};

TEST_F(MonitorTest, StreamsWhatTheAgentDoesNotWrite) {
  Start();
  LogLine();
  HttpWire text(agent_->http_port());
  text.Get(kMonitor);
  HttpWire json(agent_->http_port());
  json.Get(absl::StrCat(kMonitor, "?loglevel=trace&logjson"));
  for (HttpWire* wire : {&text, &json}) {
    ASSERT_TRUE(WaitUntil([&] {
      EXPECT_EQ(wire->Read(milliseconds(20)), HttpWire::State::kOpen);
      return absl::StrContains(wire->bytes(), " 200 OK\r\n");
    })) << wire->bytes();
    EXPECT_THAT(wire->bytes(), HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(wire->bytes(), HasSubstr("Content-Type: text/plain"));
  }
  LogLine();
  const auto comes = [](HttpWire* wire, const std::string& line) {
    return WaitUntil([&] {
      EXPECT_EQ(wire->Read(milliseconds(20)), HttpWire::State::kOpen);
      return absl::StrContains(wire->bytes(), line);
    });
  };
  EXPECT_TRUE(comes(&text, absl::StrCat(kLine, "to=error\n"))) << text.bytes();
  EXPECT_TRUE(comes(&json, R"("@message":"Log level changed")"))
      << json.bytes();
  EXPECT_TRUE(comes(&json, "\"from\":\"error\",\"to\":\"error\"}\n"));
  EXPECT_THAT(agent_->process().output(), Not(HasSubstr("from=error")));
  const ConsulReply refused =
      api_->Call("GET", absl::StrCat(kMonitor, "?loglevel=xyz"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "Unknown log level: xyz");
  // They do not hold up the end.
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_NE(text.Read(), HttpWire::State::kOpen);
}

TEST_F(MonitorTest, AsksForTheRightToReadTheAgent) {
  Start(R"(acl { enabled = true default_policy = "deny"
      static_tokens = [
        { secret = "s" rules = "agent \"n1\" { policy = \"read\" }" },
        { secret = "o" rules = "agent \"n2\" { policy = \"read\" }" }] })");
  EXPECT_EQ(api_->Call("GET", kMonitor).status, 403);
  api_->set_token("o");
  EXPECT_EQ(api_->Call("GET", kMonitor).status, 403);
  HttpWire reader(agent_->http_port());
  reader.Send(absl::StrCat(
      "GET ", kMonitor, " HTTP/1.1\r\nHost: h\r\nX-Consul-Token: s\r\n\r\n"));
  EXPECT_TRUE(WaitUntil([&] {
    (void)reader.Read(milliseconds(20));
    return absl::StrContains(reader.bytes(), " 200 OK\r\n");
  })) << reader.bytes();
}

TEST_F(MonitorTest, TheVerbShowsItUntilItIsInterrupted) {
  Start();
  LogLine();
  Process monitor({DnsdBinary(), "monitor", AddressFlag()});
  EXPECT_TRUE(ShowsLine(&monitor, kLine)) << monitor.output();
  monitor.Signal(SIGINT);
  EXPECT_EQ(monitor.Wait(), 0);
  EXPECT_THAT(monitor.output(), Not(HasSubstr("Remote side")));
  Process json({DnsdBinary(), "monitor", "-log-json", "-log-level", "trace",
                AddressFlag()});
  EXPECT_TRUE(ShowsLine(&json, R"({"@level":"info",)")) << json.output();
  json.Signal(SIGTERM);
  EXPECT_EQ(json.Wait(), 0);
}

TEST_F(MonitorTest, TheVerbSaysWhyItEnds) {
  Start();
  LogLine();
  const Finished level = RunDnsd({"monitor", "-log-level=xyz", AddressFlag()});
  EXPECT_EQ(level.exit_code, 1);
  EXPECT_EQ(level.output,
            "Error starting monitor: Unexpected response code: 400 (Unknown "
            "log level: xyz)\n");
  Process monitor({DnsdBinary(), "monitor", AddressFlag()});
  EXPECT_TRUE(ShowsLine(&monitor, kLine)) << monitor.output();
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_EQ(monitor.Wait(), 1);
  EXPECT_THAT(monitor.output(),
              HasSubstr("\n\nRemote side ended the monitor! This usually means "
                        "that the\nremote side has exited or crashed.\n"));
  const Finished nobody = RunDnsd({"monitor", AddressFlag()});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.output,
              HasSubstr("Error starting monitor: Get \"http://"));
}

TEST_F(MonitorTest, ConsulsCommandShowsItToo) {
  const std::optional<std::string> consul = ConsulBinary();
  if (!consul) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  Start();
  LogLine();
  Process text({*consul, "monitor", "-log-level=info", AddressFlag()});
  EXPECT_TRUE(ShowsLine(&text, kLine)) << text.output();
  text.Signal(SIGINT);
  EXPECT_EQ(text.Wait(), 0);
  // 1.8.7 asks for JSON first, then for text, and shows that.
  Process json({*consul, "monitor", "-log-json", AddressFlag()});
  EXPECT_TRUE(ShowsLine(&json, kLine)) << json.output();
  // Both end when the agent does, with the same words.
  Process ours({DnsdBinary(), "monitor", "-log-json", AddressFlag()});
  EXPECT_TRUE(ShowsLine(&ours, R"({"@level":"info",)")) << ours.output();
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_EQ(json.Wait(), 1);
  EXPECT_EQ(ours.Wait(), 1);
  const auto end = [](const std::string& output) {
    const size_t at = output.find("\n\nRemote");
    return at == std::string::npos ? output : output.substr(at);
  };
  EXPECT_EQ(end(ours.output()), end(json.output()));
}

}  // namespace
}  // namespace dnsd::testing
