// Log writes lines as Consul does, to standard output: text in hclog's form
//
//   2026-11-21T04:12:11.044Z [INFO]  agent: Started: address=127.0.0.1:53
//
// or, with -log-json, one JSON object a line with @level, @message, @module,
// @timestamp and the fields. Never on the query path: a full pipe blocks.
//
// Threads:   any, except InitLogging(): once, before other threads start.
//            Before it, lines are text at level info.
// Lines:     an event is always one line. Line ends and control characters in
//            messages and values are escaped; values with spaces, quotes or
//            such characters are quoted.
// Limits:    a message that one module repeats is written kLogRepeatsMax times
//            in kLogRepeatMs; what follows is counted, and told in one line
//            when that time is over (at the next line of anybody, or at
//            FlushLogging()). Fields do not make a message another one.
#ifndef DNSD_CATALOG_BASE_LOG_H_
#define DNSD_CATALOG_BASE_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

// One key=value of a line. `bare` is a number or boolean in JSON.
struct LogField {
  LogField(absl::string_view field_key, absl::string_view text)
      : key(field_key), value(text), bare(false) {}
  LogField(absl::string_view field_key, const std::string& text)
      : LogField(field_key, absl::string_view(text)) {}
  LogField(absl::string_view field_key, const char* text)
      : LogField(field_key, absl::string_view(text)) {}
  // Numbers and booleans. A template, so that no pointer becomes a boolean.
  template <std::integral Bare>
  LogField(absl::string_view field_key, Bare number)
      : key(field_key), bare(true) {
    if constexpr (std::same_as<Bare, bool>) {
      value = number ? "true" : "false";
    } else {
      value = absl::StrCat(number);
    }
  }

  std::string key;
  std::string value;
  bool bare;
};

void InitLogging(LogLevel level, bool json);
void SetLogLevel(LogLevel level);
[[nodiscard]] bool LogEnabled(LogLevel level);

void Log(LogLevel level, absl::string_view module, absl::string_view message,
         std::initializer_list<LogField> fields = {});
void LogTrace(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields = {});
void LogDebug(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields = {});
void LogInfo(absl::string_view module, absl::string_view message,
             std::initializer_list<LogField> fields = {});
void LogWarn(absl::string_view module, absl::string_view message,
             std::initializer_list<LogField> fields = {});
void LogError(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields = {});

// Tells what was suppressed so far. Call it before the process ends.
void FlushLogging();

// End of what callers need; below are the parts, for tests.

// One event; the strings live as long as the call it is passed to.
struct LogEvent {
  LogLevel level;
  absl::string_view module;
  absl::string_view message;
  std::initializer_list<LogField> fields;
  int64_t unix_us;
};

// The line, without its end.
[[nodiscard]] std::string FormatLogText(const LogEvent& event);
[[nodiscard]] std::string FormatLogJson(const LogEvent& event);
// The text's part behind time and level.
[[nodiscard]] std::string FormatLogMessage(const LogEvent& event);

inline constexpr uint64_t kLogRepeatsMax = 10;
inline constexpr int64_t kLogRepeatMs = 10'000;
// Different messages remembered at a time. When more come within one period,
// the newcomers are not limited.
inline constexpr size_t kLogRepeatKeysMax = 1024;

// Counts repeats. Not thread-safe; time is any clock that does not go back.
class LogRepeats {
 public:
  struct Suppressed {
    LogLevel level;
    std::string module;
    std::string message;
    uint64_t count;
  };

  // Whether to write a line with this level, module and message now.
  [[nodiscard]] bool Admit(LogLevel level, absl::string_view module,
                           absl::string_view message, int64_t now_ms);
  // What was suppressed in periods that are over by `now_ms`, or `all`.
  [[nodiscard]] std::vector<Suppressed> TakeSuppressed(int64_t now_ms,
                                                       bool all);

 private:
  struct Entry {
    LogLevel level;
    int64_t start_ms;
    uint64_t count;
  };

  std::map<std::pair<std::string, std::string>, Entry> entries_;
  int64_t next_end_ms_ = 0;  // no period ends earlier
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LOG_H_
