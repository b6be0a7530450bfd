#include "catalog/base/log.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

// 2026-11-21T04:12:11.044321Z.
constexpr int64_t kUnixUs = 1'795'234'331'044'321;

std::string Text(LogLevel level, absl::string_view module,
                 absl::string_view message,
                 std::initializer_list<LogField> fields = {}) {
  return FormatLogText({level, module, message, fields, kUnixUs});
}

std::string Json(absl::string_view message,
                 std::initializer_list<LogField> fields = {}) {
  return FormatLogJson({LogLevel::kWarn, "agent", message, fields, kUnixUs});
}

TEST(LogText, IsConsulsLine) {
  EXPECT_EQ(Text(LogLevel::kInfo, "agent", "Started DNS server",
                 {{"address", "127.0.0.1:53"}, {"network", "udp"}}),
            "2026-11-21T04:12:11.044Z [INFO]  agent: Started DNS server: "
            "address=127.0.0.1:53 network=udp");
  EXPECT_EQ(Text(LogLevel::kInfo, "agent", "started state syncer"),
            "2026-11-21T04:12:11.044Z [INFO]  agent: started state syncer");
  EXPECT_EQ(Text(LogLevel::kError, "", "no module"),
            "2026-11-21T04:12:11.044Z [ERROR] no module");
}

TEST(LogText, PadsEveryLevelToSevenCharacters) {
  const std::vector<std::pair<LogLevel, std::string>> cases = {
      {LogLevel::kTrace, "[TRACE] "}, {LogLevel::kDebug, "[DEBUG] "},
      {LogLevel::kInfo, "[INFO]  "},  {LogLevel::kWarn, "[WARN]  "},
      {LogLevel::kError, "[ERROR] "},
  };
  for (const auto& [level, tag] : cases) {
    EXPECT_EQ(Text(level, "m", "x"),
              "2026-11-21T04:12:11.044Z " + tag + "m: x");
  }
}

TEST(LogText, QuotesValuesThatNeedIt) {
  EXPECT_TRUE(absl::EndsWith(
      Text(LogLevel::kInfo, "a", "m",
           {{"spaced", "two words"},
            {"quoted", "say \"hi\" C:\\x"},
            {"path", "C:\\x"},
            {"empty", ""},
            {"count", 3},
            {"yes", true}}),
      "a: m: spaced=\"two words\" quoted=\"say \\\"hi\\\" C:\\\\x\" "
      "path=C:\\x empty= count=3 yes=true"));
}

TEST(LogText, IsOneLineWhateverItIsTold) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::string line =
      FormatLogText({LogLevel::kInfo, all, all, {{all, all}}, kUnixUs});
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(byte >= 0x20 && byte != 0x7f) << static_cast<int>(byte);
  }
  EXPECT_TRUE(absl::EndsWith(
      Text(LogLevel::kInfo, "a", "one\ntwo", {{"k", "a\r\nb\tc\x1b[2J"}}),
      "a: one\\ntwo: k=\"a\\r\\nb\\tc\\x1b[2J\""));
}

TEST(LogText, WritesTimesBefore1970) {
  EXPECT_EQ(FormatLogText({LogLevel::kInfo, "", "x", {}, -1}),
            "1969-12-31T23:59:59.999Z [INFO]  x");
}

TEST(LogText, EndsWithItsMessage) {
  const LogEvent event = {
      LogLevel::kInfo, "agent", "one\ntwo", {{"k", "two words"}}, kUnixUs};
  EXPECT_EQ(FormatLogMessage(event), "agent: one\\ntwo: k=\"two words\"");
  EXPECT_EQ(FormatLogText(event),
            "2026-11-21T04:12:11.044Z [INFO]  " + FormatLogMessage(event));
}

TEST(LogJson, IsConsulsObject) {
  EXPECT_EQ(Json("Started DNS server",
                 {{"address", "127.0.0.1:53"}, {"port", 53}, {"tls", false}}),
            "{\"@level\":\"warn\",\"@message\":\"Started DNS server\","
            "\"@module\":\"agent\","
            "\"@timestamp\":\"2026-11-21T04:12:11.044321Z\","
            "\"address\":\"127.0.0.1:53\",\"port\":53,\"tls\":false}");
}

TEST(LogJson, EscapesAsGoDoes) {
  EXPECT_TRUE(absl::StrContains(Json("a\"b\\c\nd<e>&\x01\x7f"),
                                "\"a\\\"b\\\\c\\nd\\u003ce\\u003e\\u0026"
                                "\\u0001\\u007f\""));
  // Valid UTF-8 stays; a lone byte, a surrogate and an overlong form do not.
  EXPECT_TRUE(absl::StrContains(Json("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                                "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""));
  EXPECT_TRUE(absl::StrContains(Json("a\xff"), "\"a\\ufffd\""));
  EXPECT_TRUE(
      absl::StrContains(Json("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""));
  EXPECT_TRUE(absl::StrContains(Json("\xc0\xaf"), "\"\\ufffd\\ufffd\""));
  EXPECT_TRUE(absl::StrContains(Json("\xe2\x82"), "\"\\ufffd\\ufffd\""));
}

TEST(LogRepeats, SuppressesTheEleventhAndTellsAfterThePeriod) {
  LogRepeats repeats;
  int admitted = 0;
  for (int i = 0; i < 25; ++i) {
    if (repeats.Admit(LogLevel::kWarn, "dns", "bad", i)) ++admitted;
  }
  EXPECT_EQ(admitted, 10);
  EXPECT_TRUE(repeats.Admit(LogLevel::kWarn, "dns", "another", 30));
  EXPECT_TRUE(repeats.Admit(LogLevel::kWarn, "http", "bad", 30));
  EXPECT_TRUE(repeats.TakeSuppressed(9'999, false).empty());

  const auto suppressed = repeats.TakeSuppressed(10'000, false);
  ASSERT_EQ(suppressed.size(), 1u);
  EXPECT_EQ(suppressed[0].level, LogLevel::kWarn);
  EXPECT_EQ(suppressed[0].module, "dns");
  EXPECT_EQ(suppressed[0].message, "bad");
  EXPECT_EQ(suppressed[0].count, 15u);
  // Told once; the next period starts with a full allowance.
  EXPECT_TRUE(repeats.TakeSuppressed(10'000, false).empty());
  EXPECT_TRUE(repeats.Admit(LogLevel::kWarn, "dns", "bad", 10'001));
}

TEST(LogRepeats, EachMessageHasItsOwnPeriod) {
  LogRepeats repeats;
  for (int i = 0; i < 12; ++i) {
    (void)repeats.Admit(LogLevel::kInfo, "m", "early", 0);
    (void)repeats.Admit(LogLevel::kInfo, "m", "late", 6'000);
  }
  auto suppressed = repeats.TakeSuppressed(10'000, false);
  ASSERT_EQ(suppressed.size(), 1u);
  EXPECT_EQ(suppressed[0].message, "early");
  EXPECT_TRUE(repeats.TakeSuppressed(15'999, false).empty());
  suppressed = repeats.TakeSuppressed(16'000, false);
  ASSERT_EQ(suppressed.size(), 1u);
  EXPECT_EQ(suppressed[0].message, "late");
}

TEST(LogRepeats, FlushTellsBeforeThePeriodIsOver) {
  LogRepeats repeats;
  for (int i = 0; i < 11; ++i)
    (void)repeats.Admit(LogLevel::kInfo, "m", "x", 0);
  const auto suppressed = repeats.TakeSuppressed(1, true);
  ASSERT_EQ(suppressed.size(), 1u);
  EXPECT_EQ(suppressed[0].count, 1u);
}

TEST(LogRepeats, MemoryIsBoundedAndNewcomersPass) {
  LogRepeats repeats;
  for (size_t i = 0; i < 2 * kLogRepeatKeysMax; ++i) {
    EXPECT_TRUE(repeats.Admit(LogLevel::kInfo, "m", absl::StrCat(i), 0));
  }
  const std::string newcomer = absl::StrCat(2 * kLogRepeatKeysMax - 1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(repeats.Admit(LogLevel::kInfo, "m", newcomer, 0));
  }
}

// What a test's code writes to standard output, line by line.
template <typename Function>
std::vector<std::string> Lines(Function function) {
  testing::internal::CaptureStdout();
  function();
  const std::string text = testing::internal::GetCapturedStdout();
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_EQ(lines.back(), "");
  lines.pop_back();
  return lines;
}

TEST(Log, WritesToStandardOutputFromItsLevelOn) {
  InitLogging(LogLevel::kInfo, /*json=*/false);
  const auto lines = Lines([] {
    LogDebug("agent", "too low");
    LogInfo("agent", "hello", {{"who", "you"}});
    SetLogLevel(LogLevel::kError);
    EXPECT_FALSE(LogEnabled(LogLevel::kWarn));
    LogWarn("agent", "too low now");
    LogError("agent", "bad {} %s");  // no format string of anybody's
    SetLogLevel(LogLevel::kTrace);
    LogTrace("agent", "all");
  });
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(absl::EndsWith(lines[0], "Z [INFO]  agent: hello: who=you"));
  EXPECT_TRUE(absl::EndsWith(lines[1], "Z [ERROR] agent: bad {} %s"));
  EXPECT_TRUE(absl::EndsWith(lines[2], "Z [TRACE] agent: all"));
}

TEST(Log, WritesJsonWhenTold) {
  InitLogging(LogLevel::kInfo, /*json=*/true);
  const auto lines = Lines([] { LogInfo("agent", "json"); });
  InitLogging(LogLevel::kInfo, /*json=*/false);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(
      lines[0], "{\"@level\":\"info\",\"@message\":\"json\",\"@module\":"))
      << lines[0];
}

TEST(Log, SumsUpRepeats) {
  InitLogging(LogLevel::kInfo, /*json=*/false);
  const auto lines = Lines([] {
    for (int i = 0; i < 30; ++i) LogWarn("repeats", "again", {{"i", i}});
    FlushLogging();
  });
  ASSERT_EQ(lines.size(), 11u);
  EXPECT_TRUE(absl::EndsWith(lines[9], "repeats: again: i=9"));
  EXPECT_TRUE(absl::EndsWith(
      lines[10],
      "[WARN]  repeats: Suppressed repeated messages: message=again count=20"))
      << lines[10];
}

// Lines of many threads come whole; TSan watches the rest.
TEST(Log, ThreadsDoNotMixTheirLines) {
  InitLogging(LogLevel::kInfo, /*json=*/false);
  const auto lines = Lines([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 50; ++i) {
          LogInfo("threads", absl::StrCat("t", t, "i", i), {{"end", "."}});
          SetLogLevel(i % 2 == 0 ? LogLevel::kInfo : LogLevel::kDebug);
        }
      });
    }
    for (auto& thread : threads) thread.join();
  });
  EXPECT_EQ(lines.size(), 200u);
  for (const auto& line : lines) {
    EXPECT_TRUE(absl::EndsWith(line, ": end=.")) << line;
  }
}

}  // namespace
}  // namespace dnsd
