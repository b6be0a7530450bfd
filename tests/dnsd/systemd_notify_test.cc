#include "dnsd/systemd_notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using ::testing::MatchesRegex;
using ::testing::Optional;

SystemdNotify FromVariables(const std::string& socket,
                            const std::string& watchdog_us,
                            const std::string& watchdog_pid) {
  setenv("NOTIFY_SOCKET", socket.c_str(), 1);
  setenv("WATCHDOG_USEC", watchdog_us.c_str(), 1);
  setenv("WATCHDOG_PID", watchdog_pid.c_str(), 1);
  return SystemdNotify::FromEnvironment();
}

TEST(SystemdNotify, SaysWhatSystemdKnows) {
  const testing::TempDir dir;
  testing::NotifySocket manager(dir.Path("notify"));
  const SystemdNotify notify =
      FromVariables(dir.Path("notify"), "30000000", absl::StrCat(getpid()));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    EXPECT_EQ(getenv(name), nullptr) << name;
  }
  EXPECT_TRUE(notify.enabled());
  EXPECT_EQ(notify.watchdog_ms(), 30'000u);
  notify.Ready();
  EXPECT_EQ(manager.Receive(), "READY=1");
  notify.Reloading();
  EXPECT_THAT(
      manager.Receive(),
      Optional(MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*")));
  notify.Status("one\nline");
  EXPECT_EQ(manager.Receive(), "STATUS=one line");
  notify.Alive();
  EXPECT_EQ(manager.Receive(), "WATCHDOG=1");
  notify.Stopping();
  EXPECT_EQ(manager.Receive(), "STOPPING=1");
}

TEST(SystemdNotify, TheWatchdogOfAnotherProcessIsNotOurs) {
  const testing::TempDir dir;
  testing::NotifySocket manager(dir.Path("notify"));
  EXPECT_EQ(FromVariables(dir.Path("notify"), "30000000", "1").watchdog_ms(),
            0u);
  EXPECT_EQ(FromVariables(dir.Path("notify"), "soon", "").watchdog_ms(), 0u);
}

// Nor does anybody wait for a manager that has gone.
TEST(SystemdNotify, WithoutAManagerNothingIsSaid) {
  EXPECT_FALSE(SystemdNotify::FromEnvironment().enabled());
  EXPECT_FALSE(FromVariables("vsock:2:1", "30000000", "").enabled());
  EXPECT_FALSE(FromVariables(std::string(200, '/'), "1", "").enabled());
  FromVariables("/nonexistent/notify", "30000000", "").Ready();
  SystemdNotify().Ready();
}

}  // namespace
}  // namespace dnsd
