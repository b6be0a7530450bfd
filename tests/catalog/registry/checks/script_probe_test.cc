#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/catalog/registry/checks/runner_fixture.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

CheckDefinition Script(const std::string& text) {
  CheckDefinition check;
  check.args = {"/bin/sh", "-c", text};
  return check;
}

// Children of this process, dead or alive.
size_t ChildCount() {
  const std::string children =
      ReadFile(absl::StrCat("/proc/self/task/", gettid(), "/children"));
  const std::vector<std::string> pids =
      absl::StrSplit(children, ' ', absl::SkipWhitespace());
  return pids.size();
}

size_t DescriptorCount() {
  size_t count = 0;
  DIR* const dir = opendir("/proc/self/fd");
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

TEST_F(RunnerTest, ScriptsInheritNothing) {
  MakeRunner(Quick());
  const int leak = open("/dev/null", O_RDONLY);  // no O_CLOEXEC
  const CheckFinding report =
      Run(Script("ls /proc/$$/fd; readlink /proc/$$/fd/0; ps -o pgid= -p $$ | "
                 "tr -d ' '; echo $$"));
  close(leak);
  const std::vector<std::string> lines = absl::StrSplit(report.output, '\n');
  ASSERT_GE(lines.size(), 6u) << report.output;
  EXPECT_EQ(lines[0] + lines[1] + lines[2], "012");
  EXPECT_EQ(lines[3], "/dev/null") << report.output;
}

TEST_F(RunnerTest, ScriptsLeadAGroupOfTheirOwn) {
  MakeRunner(Quick());
  // Field 5 of stat is the process group.
  const CheckFinding report =
      Run(Script("cut -d' ' -f5 /proc/$$/stat; echo $$"));
  const std::vector<std::string> lines = absl::StrSplit(report.output, '\n');
  ASSERT_EQ(lines.size(), 3u) << report.output;
  EXPECT_EQ(lines[0], lines[1]);
}

TEST_F(RunnerTest, ATimeoutKillsTheScriptWithItsChildren) {
  MakeRunner(Quick());
  TempDir dir;
  const std::string pids = dir.Path("pids");
  CheckDefinition check = Script(
      absl::StrCat("sleep 1000 & echo $! $$ > ", pids, "; echo part; wait"));
  check.id = "s";
  check.timeout = milliseconds(500);
  check.interval = milliseconds(20);
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  const CheckFinding report = Next("s");
  runner_->Remove("s");
  EXPECT_EQ(report.status, HealthStatus::kCritical);
  EXPECT_EQ(report.output, "Timed out (500ms) running check\n\npart\n");
  const std::vector<std::string> numbers =
      absl::StrSplit(absl::StripSuffix(ReadFile(pids), "\n"), ' ');
  ASSERT_EQ(numbers.size(), 2u);
  for (const std::string& number : numbers) {
    int pid = 0;
    ASSERT_TRUE(absl::SimpleAtoi(number, &pid));
    // A grandchild that was killed is init's to reap; "Z" is dead.
    EXPECT_TRUE(RunUntil([&] {
      const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
      return stat.empty() || stat.find(") Z") != std::string::npos;
    })) << pid;
  }
  EXPECT_TRUE(RunUntil([&] { return ChildCount() == 0; }));
}

TEST_F(RunnerTest, ScriptsLeaveNeitherProcessesNorDescriptors) {
  CheckRunnerOptions options = Quick();
  options.processes_max = 8;
  MakeRunner(options);
  ASSERT_EQ(Run(Script("exit 0")).output, "");
  const size_t descriptors = DescriptorCount();
  const char* const scripts[] = {
      "echo a",
      "exit 3",
      "kill -9 $$",
      "sleep 1000",
      "sleep 1000 & :",
      "yes",
      "exec >&- 2>&-; sleep 1000",
      "sleep 1000 & kill -9 $$",
  };
  int number = 0;
  for (const char* const script : scripts) {
    for (int copy = 0; copy < 4; ++copy) {
      CheckDefinition check = Script(script);
      check.id = absl::StrCat("s", ++number);
      check.timeout = milliseconds(30);
      check.interval = milliseconds(10);
      ASSERT_TRUE(runner_->Add(check, {}).ok());
    }
  }
  for (const char* const nothing : {"/nosuch", "nosuch", "/tmp"}) {
    CheckDefinition check;
    check.id = absl::StrCat("s", ++number);
    check.args = {nothing};
    check.interval = milliseconds(10);
    ASSERT_TRUE(runner_->Add(check, {}).ok());
  }
  size_t processes_max = 0;
  ASSERT_TRUE(RunUntil([&] {
    processes_max = std::max(processes_max, runner_->stats().processes);
    return runner_->stats().runs > 300 &&
           counts_.size() == static_cast<size_t>(number) + 1;
  }));
  EXPECT_LE(processes_max, 8u);
  EXPECT_GT(runner_->stats().timeouts, 0u);
  // Some are on their way now: they are killed.
  for (int i = 1; i <= number; ++i) runner_->Remove(absl::StrCat("s", i));
  EXPECT_TRUE(RunUntil([&] { return runner_->stats().processes == 0; }));
  EXPECT_EQ(ChildCount(), 0u);
  EXPECT_EQ(DescriptorCount(), descriptors);
}

TEST_F(RunnerTest, TheRunnersEndIsItsScriptsEnd) {
  MakeRunner(Quick());
  for (int i = 0; i < 5; ++i) {
    CheckDefinition check = Script("sleep 1000 & sleep 1000");
    check.id = absl::StrCat("s", i);
    check.interval = milliseconds(10);
    ASSERT_TRUE(runner_->Add(check, {}).ok());
  }
  ASSERT_TRUE(RunUntil([&] { return runner_->stats().processes == 5; }));
  runner_.reset();
  EXPECT_EQ(ChildCount(), 0u);
}

}  // namespace
}  // namespace dnsd::testing
