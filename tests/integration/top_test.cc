// `dnsd top` against the real agent: as text, and in a terminal of its own
// (a pseudo-terminal), where it is resized and ended by a key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A program in a terminal of its own.
class PtyProcess {
 public:
  PtyProcess(const std::vector<std::string>& argv, winsize size) {
    std::vector<char*> words;
    for (const std::string& word : argv) {
      words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    int master = -1;
    pid_ = forkpty(&master, nullptr, nullptr, &size);
    if (pid_ == 0) {
      execv(words[0], words.data());
      _exit(127);
    }
    master_ = UniqueFd(master);
  }
  ~PtyProcess() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  PtyProcess(const PtyProcess&) = delete;
  PtyProcess& operator=(const PtyProcess&) = delete;

  // All it has drawn so far, escapes and all.
  const std::string& output() const { return output_; }
  bool WaitForOutput(const std::string& text, size_t from = 0) {
    return WaitUntil([&] {
      Read();
      return output_.find(text, from) != std::string::npos;
    });
  }
  void Type(const std::string& keys) const {
    EXPECT_EQ(write(master_.get(), keys.data(), keys.size()),
              static_cast<ssize_t>(keys.size()));
  }
  void Resize(winsize size) const {
    EXPECT_EQ(ioctl(master_.get(), TIOCSWINSZ, &size), 0);
  }
  void Signal(int signal) const { kill(pid_, signal); }
  // The exit code; nothing if it does not end.
  std::optional<int> Wait() {
    int status = 0;
    if (!WaitUntil([&] {
          Read();
          return waitpid(pid_, &status, WNOHANG) == pid_;
        })) {
      return std::nullopt;
    }
    pid_ = -1;
    Read();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  void Read() {
    for (;;) {
      pollfd wait{master_.get(), POLLIN, 0};
      char bytes[4096];
      if (poll(&wait, 1, 0) <= 0) return;
      const ssize_t count = read(master_.get(), bytes, sizeof(bytes));
      if (count <= 0) return;
      output_.append(bytes, static_cast<size_t>(count));
    }
  }

  pid_t pid_ = -1;
  UniqueFd master_;
  std::string output_;
};

class TopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    agent_.emplace(std::vector<std::string>{
        "-node", "n1", "-hcl",
        "service { name = \"web\" address = \"192.0.2.1\" port = 80 } "
        "top_names { sample = 1 }"});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
  }
  void Ask(int count) {
    for (int i = 0; i < count; ++i) {
      EXPECT_EQ(AskUdp(agent_->dns(), {"Web.service.consul.", "A"}).error, "");
    }
  }
  std::string Address() const {
    return absl::StrCat("-http-addr=", agent_->HttpAddress());
  }
  // Top names are told once a second.
  void WaitForTopName() {
    ConsulApi api(absl::StrCat("http://", agent_->HttpAddress()));
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(
          api.Get("/v1/dnsd/stats"),
          "\"TopNames\":[{\"Name\":\"web.service.consul.\",\"Count\":7}]");
    })) << api.Get("/v1/dnsd/stats");
  }

  std::optional<AgentProcess> agent_;
};

TEST_F(TopTest, PrintsOneScreenWhereThereIsNoTerminal) {
  Ask(7);
  EXPECT_EQ(AskTcp(agent_->dns(), {"none.service.consul.", "SRV"}).rcode,
            "NXDOMAIN");
  Ask(0);
  const Finished top = RunDnsd({"top", "-n", "1", Address()});
  EXPECT_EQ(top.exit_code, 0) << top.output;
  EXPECT_THAT(top.output, HasSubstr("n1 (dc1)  up 00:00:0"));
  EXPECT_THAT(top.output, HasSubstr("source registry ok"));
  EXPECT_THAT(top.output, HasSubstr("udp "));
  EXPECT_THAT(top.output, HasSubstr("tcp "));
  EXPECT_THAT(top.output, HasSubstr("NXDOMAIN"));
  EXPECT_THAT(top.output, HasSubstr("88%")) << "7 of 8 are A";
  EXPECT_THAT(top.output, Not(HasSubstr("\x1b")));
  const Finished two =
      RunDnsd({"top", "-n", "2", "-interval", "100ms", Address()});
  EXPECT_EQ(two.exit_code, 0);
  EXPECT_THAT(two.output, HasSubstr("\n\ndnsd "));
}

TEST_F(TopTest, ShowsTheNamesAskedForMost) {
  Ask(7);
  WaitForTopName();
  const Finished top = RunDnsd({"top", "-n=1", Address()});
  EXPECT_THAT(top.output, HasSubstr("NAME"));
  EXPECT_THAT(top.output, HasSubstr("web.service.consul."));
}

TEST_F(TopTest, DrawsInATerminalUntilQIsPressed) {
  PtyProcess top({DnsdBinary(), "top", "-interval", "100ms", Address()},
                 {24, 80, 0, 0});
  ASSERT_TRUE(top.WaitForOutput("queries/s")) << top.output();
  EXPECT_TRUE(absl::StartsWith(top.output(), "\x1b[?1049h"))
      << "the screen of the shell stays as it was";
  const size_t before = top.output().size();
  Ask(5);
  ASSERT_TRUE(top.WaitForOutput("NOERROR", before)) << top.output();
  // Narrower: no line is longer than the terminal is wide.
  top.Resize({5, 30, 0, 0});
  const size_t narrow = top.output().size();
  ASSERT_TRUE(top.WaitForOutput("\x1b[J", narrow + 200)) << top.output();
  const size_t begin = top.output().rfind("\x1b[H");
  const std::string last = top.output().substr(begin + 3);
  const std::vector<std::string> lines = absl::StrSplit(last, "\r\n");
  EXPECT_LE(lines.size(), 5u);
  for (const std::string& line : lines) {
    EXPECT_LE(line.substr(0, line.find('\x1b')).size(), 30u) << line;
  }
  top.Type("q");
  EXPECT_EQ(top.Wait(), 0);
  EXPECT_TRUE(absl::EndsWith(top.output(), "\x1b[?25h\x1b[?1049l"))
      << "the terminal is given back";
}

TEST_F(TopTest, EndsWellBySignalsAndCtrlC) {
  for (const int how : {SIGTERM, SIGINT, 0}) {
    PtyProcess top({DnsdBinary(), "top", Address()}, {24, 80, 0, 0});
    ASSERT_TRUE(top.WaitForOutput("queries/s")) << top.output();
    how == 0 ? top.Type("\x03") : top.Signal(how);
    EXPECT_EQ(top.Wait(), 0) << how;
    EXPECT_TRUE(absl::EndsWith(top.output(), "\x1b[?1049l")) << how;
  }
}

TEST_F(TopTest, GoesOnWhileTheAgentIsAway) {
  PtyProcess top({DnsdBinary(), "top", "-interval", "100ms", Address()},
                 {24, 80, 0, 0});
  ASSERT_TRUE(top.WaitForOutput("queries/s")) << top.output();
  EXPECT_EQ(agent_->Stop(), 0);
  ASSERT_TRUE(top.WaitForOutput("No answer: ")) << top.output();
  top.Type("q");
  EXPECT_EQ(top.Wait(), 0);
}

TEST_F(TopTest, EndsByAKeyWhileTheAgentHangs) {
  PtyProcess top({DnsdBinary(), "top", "-interval", "100ms", Address()},
                 {24, 80, 0, 0});
  ASSERT_TRUE(top.WaitForOutput("queries/s")) << top.output();
  agent_->process().Pause();
  ASSERT_TRUE(top.WaitForOutput("No answer: ")) << top.output();
  top.Type("q");
  EXPECT_EQ(top.Wait(), 0);
  agent_->process().Signal(SIGCONT);
}

TEST_F(TopTest, SaysWhatIsWrong) {
  EXPECT_EQ(RunDnsd({"top", "-n", "-1", Address()}).exit_code, 1);
  const Finished interval = RunDnsd({"top", "-interval", "1ms", Address()});
  EXPECT_EQ(interval.exit_code, 1);
  EXPECT_THAT(interval.output, HasSubstr("is no duration of at least 100ms"));
  EXPECT_EQ(RunDnsd({"top", "word", Address()}).exit_code, 1);
  EXPECT_EQ(agent_->Stop(), 0);
  const Finished away = RunDnsd({"top", "-n", "1", Address()});
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_THAT(away.output, HasSubstr("Error querying agent: "));
}

}  // namespace
}  // namespace dnsd::testing
