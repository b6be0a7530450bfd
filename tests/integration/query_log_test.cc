// What the real binary tells of queries: its query log, and dnstap as the real
// fstrm_capture takes it and BIND's dnstap-read reads it. And the agent's own
// log: its file, and its level while it runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dnsd/socket_address.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kServices[] = R"(
  node_name = "n1"
  services = [
    { name = "web" address = "192.0.2.11" port = 80 },
    { name = "db" address = "192.0.2.12" port = 81 }
  ]
)";

class QueryLogTest : public ::testing::Test {
 protected:
  void Start(const std::string& config,
             const std::vector<std::string>& args = {}) {
    dir_.Write("conf/agent.hcl", kServices + config);
    // One worker: what two tell of may come in another order.
    std::vector<std::string> all = {"-config-dir", dir_.Path("conf"),
                                    "-workers", "1"};
    all.insert(all.end(), args.begin(), args.end());
    agent_.emplace(all);
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }
  void Ask(const std::string& name, const std::string& rcode,
           const std::string& type = "A") {
    EXPECT_EQ(AskUdp(agent_->dns(), {name, type}).rcode, rcode) << name;
  }
  // The lines of the query log in the agent's own.
  std::vector<std::string> Lines() {
    return LinesOf(agent_->process().output());
  }
  static std::vector<std::string> LinesOf(const std::string& text) {
    std::vector<std::string> lines;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StrContains(line, "request served from client")) {
        lines.emplace_back(line);
      }
    }
    return lines;
  }
  // Waits until what was asked before has been told of: for the line of a
  // query that comes after it.
  void WaitForLine(const std::string& part) {
    ASSERT_TRUE(agent_->process().WaitForOutput(part))
        << agent_->process().output();
  }
  uint64_t Metric(const std::string& name) {
    return ConsulApi(absl::StrCat("http://", agent_->HttpAddress()))
        .Metric(name)
        .value_or(UINT64_MAX);
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
};

TEST_F(QueryLogTest, TellsOfEveryAnsweredQuery) {
  Start("query_log { enabled = true }");
  Ask("Web.service.consul.", "NOERROR");
  Ask("none.service.consul.", "NXDOMAIN", "AAAA");
  EXPECT_EQ(AskTcp(agent_->dns(), {"db.service.consul.", "SRV"}).rcode,
            "NOERROR");
  WaitForLine("name=db.service.consul.");
  const std::vector<std::string> lines = Lines();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[0], HasSubstr("Z [INFO]  dns: request served from client: "
                                  "name=Web.service.consul. type=A class=IN "
                                  "rcode=NOERROR flags=\"qr aa rd\" size="));
  EXPECT_THAT(lines[0], HasSubstr(" client=127.0.0.1:"));
  EXPECT_THAT(lines[0], HasSubstr(" client_network=udp"));
  EXPECT_THAT(lines[1], HasSubstr("name=none.service.consul. type=AAAA "
                                  "class=IN rcode=NXDOMAIN"));
  EXPECT_THAT(lines[2], HasSubstr("type=SRV"));
  EXPECT_THAT(lines[2], HasSubstr("client_network=tcp"));
  // A line is counted once it is written.
  EXPECT_TRUE(
      WaitUntil([&] { return Metric("dnsd_query_log_lines_total") == 3; }));
  EXPECT_EQ(Metric("dnsd_query_samples_dropped_total"), 0u);
}

TEST_F(QueryLogTest, IsWrittenWhateverTheLevelAndNotLimitedAsRepeats) {
  Start("query_log { enabled = true } log_level = \"info\"");
  ConsulApi api(absl::StrCat("http://", agent_->HttpAddress()));
  EXPECT_EQ(api.Put("/v1/dnsd/log-level?level=error"), 200);
  for (int i = 0; i < 100; ++i) Ask("web.service.consul.", "NOERROR");
  Ask("db.service.consul.", "NOERROR");
  WaitForLine("name=db.service.consul.");
  EXPECT_THAT(Lines(), SizeIs(101));
}

TEST_F(QueryLogTest, FiltersAndAReloadChangesThem) {
  Start(R"(query_log { enabled = true names = ["db.service.consul"]
           rcodes = ["NOERROR"] })");
  Ask("web.service.consul.", "NOERROR");
  Ask("x.db.service.consul.", "NXDOMAIN");
  Ask("DB.service.consul.", "NOERROR");
  WaitForLine("name=DB.service.consul.");
  EXPECT_THAT(Lines(), SizeIs(1));

  const std::string file = dir_.Path("queries.log");
  dir_.Write("conf/agent.hcl",
             absl::StrCat(kServices, "query_log { enabled = true file = \"",
                          file, "\" clients = [\"127.0.0.0/8\"] }"));
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  const auto written = [&] {
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      const std::string name = entry.path().filename().string();
      if (absl::StartsWith(name, "queries-")) {
        return LinesOf(ReadFile(entry.path().string()));
      }
    }
    return std::vector<std::string>();
  };
  // The rules reach the workers soon, not at once.
  ASSERT_TRUE(WaitUntil([&] {
    Ask("web.service.consul.", "NOERROR");
    return !written().empty();
  }));
  EXPECT_THAT(written()[0], HasSubstr("name=web.service.consul."));
  const size_t in_log = Lines().size();
  const size_t in_file = written().size();
  Ask("web.service.consul.", "NOERROR");
  ASSERT_TRUE(WaitUntil([&] { return written().size() > in_file; }));
  EXPECT_THAT(Lines(), SizeIs(in_log)) << "the log has no more of them";

  dir_.Write("conf/agent.hcl", absl::StrCat(kServices,
                                            "query_log { enabled = true "
                                            "clients = [\"192.0.2.0/24\"] }"));
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  dir_.Write("conf/agent.hcl", kServices);
  ASSERT_EQ(agent_->Reload().exit_code, 0);
  const size_t before = agent_->process().OutputBytes();
  Ask("db.service.consul.", "NOERROR");
  EXPECT_EQ(agent_->Stop(), 0);
  EXPECT_THAT(LinesOf(agent_->process().output().substr(before)), IsEmpty());
}

TEST_F(QueryLogTest, SamplesOneOfSoMany) {
  Start("query_log { enabled = true sample = 10 }");
  for (int i = 0; i < 1000; ++i) Ask("web.service.consul.", "NOERROR");
  ASSERT_EQ(agent_->Stop(), 0);  // tells what it still has
  const size_t count = Lines().size();
  EXPECT_GE(count, 50u);
  EXPECT_LE(count, 200u);
}

TEST_F(QueryLogTest, ABadFileStopsTheStart) {
  dir_.Write("conf/agent.hcl", absl::StrCat(kServices,
                                            "query_log { enabled = true file = "
                                            "\"/nowhere/q.log\" }"));
  AgentProcess agent({"-config-dir", dir_.Path("conf")});
  EXPECT_EQ(agent.process().Wait(), 1);
  EXPECT_THAT(agent.process().output(),
              HasSubstr("cannot open log file /nowhere/q-"));
}

class DnstapTest : public QueryLogTest {
 protected:
  // fstrm_capture, listening.
  void Capture(const std::string& file) {
    capture_.emplace(std::vector<std::string>{
        "fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", socket_, "-w",
        file, "-d", "-d", "-d", "-d"});
    ASSERT_TRUE(WaitUntil([&] { return fs::exists(socket_); }))
        << capture_->output();
  }
  // What it took, as dnstap-read tells it: a line for each message.
  std::vector<std::string> EndCapture(const std::string& file) {
    capture_->Signal(SIGTERM);
    EXPECT_EQ(capture_->Wait(), 0) << capture_->output();
    capture_.reset();
    const Finished read = RunToEnd({"dnstap-read", file});
    EXPECT_EQ(read.exit_code, 0) << read.output;
    std::vector<std::string> lines =
        absl::StrSplit(read.output, '\n', absl::SkipEmpty());
    return lines;
  }
  std::string Config(const std::string& more = "") const {
    return absl::StrCat("dnstap { socket = \"", socket_, "\" ", more, " }");
  }

  const std::string socket_ = dir_.Path("tap.sock");
  std::optional<Process> capture_;
};

TEST_F(DnstapTest, IsReadBackByOthers) {
  const std::string file = dir_.Path("taken.dnstap");
  Capture(file);
  Start(Config("identity = \"here\" version = \"that\""));
  Ask("web.service.consul.", "NOERROR");
  EXPECT_EQ(AskTcp(agent_->dns(), {"none.service.consul.", "AAAA"}).rcode,
            "NXDOMAIN");
  Ask("elsewhere.example.", "REFUSED");
  ASSERT_EQ(agent_->Stop(), 0);
  const Finished yaml = [&] {
    const std::vector<std::string> lines = EndCapture(file);
    EXPECT_THAT(lines, SizeIs(6)) << agent_->process().output();
    if (lines.size() == 6) {
      EXPECT_THAT(lines[0], HasSubstr(" AQ 127.0.0.1:"));
      EXPECT_THAT(lines[0], HasSubstr(" UDP "));
      EXPECT_THAT(lines[0], HasSubstr("web.service.consul/IN/A"));
      EXPECT_THAT(lines[1], HasSubstr(" AR "));
      EXPECT_THAT(lines[2], HasSubstr(" AQ "));
      EXPECT_THAT(lines[2], HasSubstr(" TCP "));
      EXPECT_THAT(lines[3], HasSubstr("none.service.consul/IN/AAAA"));
      EXPECT_THAT(lines[4], HasSubstr(" CQ ")) << "it is not ours";
      EXPECT_THAT(lines[5], HasSubstr(" CR "));
    }
    return RunToEnd({"dnstap-read", "-y", file});
  }();
  // With its messages in full.
  EXPECT_EQ(yaml.exit_code, 0);
  EXPECT_THAT(yaml.output, HasSubstr("identity: here"));
  EXPECT_THAT(yaml.output, HasSubstr("version: that"));
  EXPECT_THAT(yaml.output, HasSubstr("web.service.consul. 0 IN A 192.0.2.11"));
  EXPECT_THAT(yaml.output, HasSubstr("status: NXDOMAIN"));
}

// Nobody listens, then somebody does, goes, and comes again.
TEST_F(DnstapTest, ComesBackByItself) {
  Start(Config("queries = false"));
  Ask("web.service.consul.", "NOERROR");
  WaitForLine("[WARN]  dnstap: Cannot connect to dnstap socket: socket=" +
              socket_);
  for (const char* name : {"first.dnstap", "second.dnstap"}) {
    const size_t before = agent_->process().OutputBytes();
    const std::string file = dir_.Path(name);
    Capture(file);
    ASSERT_TRUE(WaitUntil([&] {
      Ask("db.service.consul.", "NOERROR");
      return absl::StrContains(agent_->process().output().substr(before),
                               "[INFO]  dnstap: Connected: socket=" + socket_);
    })) << agent_->process().output();
    const uint64_t frames = Metric("dnsd_dnstap_frames_total");
    ASSERT_TRUE(WaitUntil([&] {
      Ask("web.service.consul.", "NOERROR");
      return Metric("dnsd_dnstap_frames_total") > frames;
    }));
    const std::vector<std::string> lines = EndCapture(file);
    EXPECT_THAT(lines, Not(IsEmpty()));
    for (const std::string& line : lines) {
      EXPECT_THAT(line, HasSubstr(" AR ")) << "responses only";
    }
    fs::remove(socket_);
  }
  EXPECT_GT(Metric("dnsd_dnstap_frames_dropped_total"), 0u);
  EXPECT_EQ(agent_->Stop(), 0);
}

// Somebody who accepts and never says a word. Queries are answered as ever,
// what is dropped is counted, a reload and the end are not held up.
TEST_F(DnstapTest, ASilentReaderHoldsUpNobody) {
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(socket_.size(), sizeof(address.sun_path));
  std::copy(socket_.begin(), socket_.end(), address.sun_path);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  ASSERT_EQ(listen(listener.get(), 5), 0);
  Start(Config());
  for (int i = 0; i < 500; ++i) Ask("web.service.consul.", "NOERROR");
  WaitForLine("Cannot connect to dnstap socket");
  ASSERT_TRUE(WaitUntil(
      [&] { return Metric("dnsd_dnstap_frames_dropped_total") > 0; }));
  EXPECT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_EQ(agent_->Stop(), 0);
}

class AgentLogTest : public QueryLogTest {};

TEST_F(AgentLogTest, GoesToAFileToo) {
  Start("", {"-log-file", dir_.Path("logs.txt"), "-log-rotate-bytes", "200",
             "-log-rotate-max-files", "2"});
  ASSERT_EQ(agent_->Stop(), 0);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir_.path())) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "logs-")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  ASSERT_THAT(names, SizeIs(3)) << "two older ones and the one being written";
  EXPECT_TRUE(absl::EndsWith(names[0], ".txt"));
  const std::string last = ReadFile(dir_.Path(names[2]));
  const std::string line = "[INFO]  agent: Stopped\n";
  EXPECT_THAT(last, HasSubstr(line));
  EXPECT_THAT(agent_->process().output(), HasSubstr(line))
      << "as ever on standard output";
  AgentProcess bad({"-log-file", "/nowhere/x.log"});
  EXPECT_EQ(bad.process().Wait(), 1);
  EXPECT_THAT(bad.process().output(),
              HasSubstr("cannot open log file /nowhere/x-"));
}

TEST_F(AgentLogTest, ChangesItsLevelWhileItRuns) {
  Start("");
  ConsulApi api(absl::StrCat("http://", agent_->HttpAddress()));
  EXPECT_THAT(api.Get("/v1/dnsd/log-level"), HasSubstr("\"info\""));
  const ConsulReply set = api.Call("PUT", "/v1/dnsd/log-level?level=Debug");
  EXPECT_THAT(set.body, HasSubstr("{\"Level\":\"debug\"}"));
  EXPECT_TRUE(agent_->process().WaitForOutput(
      "agent: Log level changed: from=info to=debug"));
  EXPECT_EQ(api.Put("/v1/dnsd/log-level?level=loud"), 400);
  EXPECT_EQ(api.Put("/v1/dnsd/log-level"), 400);
  EXPECT_EQ(api.Put("/v1/dnsd/log-level?level=err"), 200);
  const size_t before = agent_->process().OutputBytes();
  EXPECT_EQ(agent_->Reload().exit_code, 0);
  EXPECT_THAT(api.Get("/v1/dnsd/log-level"), HasSubstr("\"info\""))
      << "after a reload it is what the configuration says";
  const std::string since = agent_->process().output().substr(before);
  EXPECT_THAT(since, Not(HasSubstr("Reloading configuration")));
  EXPECT_THAT(since, HasSubstr("Configuration reloaded"));
}

}  // namespace
}  // namespace dnsd::testing
