#include "tests/testing/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

TEST(Process, CollectsBothOutputsInOrderAndTheExitCode) {
  const Finished finished =
      RunToEnd({"sh", "-c", "echo one; echo two >&2; echo three; exit 7"});
  EXPECT_EQ(finished.exit_code, 7);
  EXPECT_EQ(finished.output, "one\ntwo\nthree\n");
}

TEST(Process, LongOutputDoesNotStopTheChild) {
  const Finished finished =
      RunToEnd({"sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.output, std::string(1'000'000, 'x'));
}

TEST(Process, WaitsForTextThatComesLater) {
  Process process({"sh", "-c", "echo ready; read line; echo never"});
  // Its input is empty, so that it ends; but only "ready" came before.
  EXPECT_TRUE(process.WaitForOutput("ready\n"));
  EXPECT_TRUE(process.WaitForOutput("never", 6));
  EXPECT_FALSE(process.WaitForOutput("ready", 1));
  EXPECT_EQ(process.Wait(), 0);
}

TEST(Process, WaitingHasAnEnd) {
  Process process({"sleep", "1000"});
  EXPECT_FALSE(process.WaitForOutput("text", 0, milliseconds(20)));
  EXPECT_EQ(process.Wait(milliseconds(20)), std::nullopt);
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 128 + SIGTERM);
}

TEST(Process, AChildThatStillRunsIsKilled) {
  pid_t pid = 0;
  {
    const Process process({"sleep", "1000"});
    pid = process.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Process, AProgramThatIsNotThereSaysSo) {
  const Finished finished = RunToEnd({"/nonexistent/program"});
  EXPECT_EQ(finished.exit_code, 127);
  EXPECT_EQ(finished.output, "No such file or directory");
}

}  // namespace
}  // namespace dnsd::testing
