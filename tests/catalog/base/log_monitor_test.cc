// What monitors hear of the log, and what the log's own output shows beside it.
#include "catalog/base/log_monitor.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/log_control.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_EQ(lines.back(), "");
  lines.pop_back();
  return lines;
}

class LogMonitorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InitLogging(LogLevel::kWarn, /*json=*/false);
    testing::internal::CaptureStdout();
  }
  // What the log itself has written.
  std::vector<std::string> Written() {
    is_captured_ = false;
    return Lines(testing::internal::GetCapturedStdout());
  }
  void TearDown() override {
    FlushLogging();  // what was counted is no other test's
    if (is_captured_) (void)testing::internal::GetCapturedStdout();
    InitLogging(LogLevel::kInfo, /*json=*/false);
  }

 private:
  bool is_captured_ = true;
};

TEST_F(LogMonitorTest, HearsWhatTheLogDoesNotWrite) {
  LogInfo("monitor", "before");
  {
    LogMonitor debug({.level = LogLevel::kDebug});
    LogMonitor error({.level = LogLevel::kError, .json = true});
    LogTrace("monitor", "too low for all");
    LogDebug("monitor", "low", {{"key", "two words"}});
    LogWarn("monitor", "warning");
    LogError("monitor", "bad", {{"count", 3}});
    const auto heard = Lines(debug.Take());
    ASSERT_EQ(heard.size(), 3u);
    EXPECT_TRUE(
        absl::EndsWith(heard[0], "Z [DEBUG] monitor: low: key=\"two words\""));
    EXPECT_TRUE(absl::EndsWith(heard[1], "Z [WARN]  monitor: warning"));
    EXPECT_TRUE(absl::EndsWith(heard[2], "Z [ERROR] monitor: bad: count=3"));
    EXPECT_EQ(debug.Take(), "");
    const auto json = Lines(error.Take());
    ASSERT_EQ(json.size(), 1u);
    EXPECT_TRUE(absl::StartsWith(
        json[0], "{\"@level\":\"error\",\"@message\":\"bad\",\"@module\":"))
        << json[0];
    EXPECT_TRUE(absl::EndsWith(json[0], ",\"count\":3}")) << json[0];
  }
  const auto written = Written();
  ASSERT_EQ(written.size(), 2u);
  EXPECT_TRUE(absl::EndsWith(written[0], "monitor: warning"));
  EXPECT_TRUE(absl::EndsWith(written[1], "monitor: bad: count=3"));
}

TEST_F(LogMonitorTest, OpensAndClosesTheGateOfItsLevel) {
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  {
    LogMonitor info({.level = LogLevel::kInfo});
    EXPECT_TRUE(LogEnabled(LogLevel::kInfo));
    EXPECT_FALSE(LogEnabled(LogLevel::kDebug));
    {
      LogMonitor trace({.level = LogLevel::kTrace});
      EXPECT_TRUE(LogEnabled(LogLevel::kTrace));
    }
    EXPECT_FALSE(LogEnabled(LogLevel::kDebug));
    // It is not the log's level, which is told and set as before.
    EXPECT_EQ(CurrentLogLevel(), LogLevel::kWarn);
    SetLogLevel(LogLevel::kDebug);
    EXPECT_TRUE(LogEnabled(LogLevel::kDebug));
    SetLogLevel(LogLevel::kError);
    EXPECT_TRUE(LogEnabled(LogLevel::kInfo));
  }
  EXPECT_FALSE(LogEnabled(LogLevel::kWarn));
  EXPECT_TRUE(LogEnabled(LogLevel::kError));
}

// The log limits repeats before anybody gets them.
TEST_F(LogMonitorTest, HearsOfRepeatsAsTheLogDoes) {
  LogMonitor monitor({.level = LogLevel::kDebug});
  for (int i = 0; i < 30; ++i) LogDebug("monitor", "again and again");
  FlushLogging();
  const auto heard = Lines(monitor.Take());
  ASSERT_EQ(heard.size(), kLogRepeatsMax + 1);
  EXPECT_TRUE(absl::StrContains(heard.back(), "count=20")) << heard.back();
  EXPECT_TRUE(Written().empty());
}

TEST_F(LogMonitorTest, LosesWhatFindsNoRoomAndSaysHowMuch) {
  std::atomic<int> woken{0};
  LogMonitor monitor({.wake = [&woken] { ++woken; }});
  const std::string kilobyte(1024, 'x');
  constexpr size_t kSent = 300;
  for (size_t i = 0; i < kSent; ++i) {
    LogInfo("monitor", absl::StrCat("line ", i), {{"long", kilobyte}});
  }
  EXPECT_EQ(woken, 1);
  const std::string text = monitor.Take();
  EXPECT_LE(text.size(), kLogMonitorBytesMax + 200);
  const auto heard = Lines(text);
  const size_t kept = heard.size() - 1;
  EXPECT_GT(kept, 100u);
  EXPECT_LT(kept, 128u);
  for (size_t i = 0; i < kept; ++i) {
    EXPECT_TRUE(absl::StrContains(heard[i], absl::StrCat("line ", i, ":")));
  }
  EXPECT_TRUE(absl::EndsWith(
      heard.back(), absl::StrCat("Z [WARN]  agent: Monitor dropped ",
                                 kSent - kept, " logs during monitor request")))
      << heard.back();
  // There is room again, and the loss is told of once.
  LogInfo("monitor", "later");
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(Lines(monitor.Take()).size(), 1u);
}

TEST_F(LogMonitorTest, ALineLongerThanAllRoomIsLostOnly) {
  std::atomic<int> woken{0};
  LogMonitor monitor({.json = true, .wake = [&woken] { ++woken; }});
  LogInfo("monitor", std::string(2 * kLogMonitorBytesMax, 'x'));
  EXPECT_EQ(woken, 1);
  const auto heard = Lines(monitor.Take());
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(absl::StrContains(
      heard[0], "\"Monitor dropped 1 logs during monitor request\""))
      << heard[0];
}

// Each line is heard or counted; TSan watches the rest.
TEST_F(LogMonitorTest, ThreadsLogWhileMonitorsComeAndGo) {
  constexpr size_t kThreads = 4;
  constexpr size_t kLines = 500;
  std::atomic<bool> is_over{false};
  LogMonitor monitor({});
  std::string text;
  std::thread comes_and_goes([&is_over] {
    while (!is_over) {
      LogMonitor other({.level = LogLevel::kTrace});
      (void)other.Take();
    }
  });
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (size_t i = 0; i < kLines; ++i) {
        LogInfo("threads", absl::StrCat("t", t, "i", i), {{"end", "."}});
        LogTrace("threads", absl::StrCat("low t", t, "i", i));
      }
    });
  }
  for (int i = 0; i < 100; ++i) text += monitor.Take();
  for (auto& thread : threads) thread.join();
  is_over = true;
  comes_and_goes.join();
  text += monitor.Take();
  size_t count = 0;
  for (const std::string& line : Lines(text)) {
    const size_t lost = line.find("Monitor dropped ");
    if (lost == std::string::npos) {
      EXPECT_TRUE(absl::EndsWith(line, ": end=.")) << line;
      ++count;
      continue;
    }
    const std::vector<std::string> words =
        absl::StrSplit(line.substr(lost), ' ');
    size_t some = 0;
    EXPECT_TRUE(absl::SimpleAtoi(words[2], &some)) << line;
    count += some;
  }
  EXPECT_EQ(count, kThreads * kLines);
}

}  // namespace
}  // namespace dnsd
