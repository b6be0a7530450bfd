#include "catalog/base/log.h"

// Its headers use try and catch otherwise, which -fno-exceptions refuses.
#ifndef SPDLOG_NO_EXCEPTIONS
#define SPDLOG_NO_EXCEPTIONS
#endif
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "catalog/base/log_control.h"

namespace dnsd {
namespace {

// Padded as hclog pads: seven characters with the brackets.
absl::string_view TextLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "[TRACE]";
    case LogLevel::kDebug:
      return "[DEBUG]";
    case LogLevel::kInfo:
      return "[INFO] ";
    case LogLevel::kWarn:
      return "[WARN] ";
    case LogLevel::kError:
      return "[ERROR]";
  }
  return "[?????]";
}

absl::string_view JsonLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// "2026-11-21T04:12:11" of a time since 1970 in seconds, and the rest.
std::string UtcSeconds(int64_t unix_us, int64_t* us) {
  int64_t seconds = unix_us / 1'000'000;
  *us = unix_us % 1'000'000;
  if (*us < 0) {
    *us += 1'000'000;
    --seconds;
  }
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                         parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                         parts.tm_min, parts.tm_sec);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

void AppendControl(char c, std::string* out) {
  switch (c) {
    case '\n':
      absl::StrAppend(out, "\\n");
      return;
    case '\r':
      absl::StrAppend(out, "\\r");
      return;
    case '\t':
      absl::StrAppend(out, "\\t");
      return;
    default:
      absl::StrAppendFormat(out, "\\x%02x", static_cast<unsigned char>(c));
  }
}

// Terminals act on control characters, so no text may bring its own.
void AppendMessage(absl::string_view text, std::string* out) {
  for (const char c : text) {
    if (IsControl(c)) {
      AppendControl(c, out);
    } else {
      out->push_back(c);
    }
  }
}

void AppendTextValue(absl::string_view value, std::string* out) {
  const bool quote = std::any_of(value.begin(), value.end(), [](char c) {
    return c == ' ' || c == '"' || IsControl(c);
  });
  if (!quote) {
    out->append(value.data(), value.size());
    return;
  }
  out->push_back('"');
  for (const char c : value) {
    if (IsControl(c)) {
      AppendControl(c, out);
    } else {
      if (c == '"' || c == '\\') out->push_back('\\');
      out->push_back(c);
    }
  }
  out->push_back('"');
}

// The length of the UTF-8 sequence at `text`'s start, or 0 if there is none.
size_t Utf8Length(absl::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  size_t length = 0;
  uint32_t code = 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) {
    length = 2;
    code = first & 0x1fu;
  } else if (first >= 0xe0 && first < 0xf0) {
    length = 3;
    code = first & 0x0fu;
  } else if (first >= 0xf0 && first < 0xf5) {
    length = 4;
    code = first & 0x07u;
  }
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
    code = (code << 6) | (at(i) & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  const bool overlong = (length == 3 && code < 0x800) ||
                        (length == 4 && code < 0x10000) || code > 0x10ffff;
  return surrogate || overlong ? 0 : length;
}

// Escapes as Go's encoding/json does, which writes Consul's lines.
void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const char c = text[0];
    if (length == 0) {
      absl::StrAppend(out, "\\ufffd");
    } else if (length > 1) {
      out->append(text.data(), length);
    } else if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      AppendControl(c, out);
    } else if (IsControl(c) || c == '<' || c == '>' || c == '&') {
      absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      out->push_back(c);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out->push_back('"');
}

int64_t WallUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t MonotonicMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct LevelWord {
  const char* text;
  LogLevel level;
};

// The first of a level is the one to write.
constexpr LevelWord kLevelWords[] = {
    {"trace", LogLevel::kTrace}, {"debug", LogLevel::kDebug},
    {"info", LogLevel::kInfo},   {"warn", LogLevel::kWarn},
    {"error", LogLevel::kError}, {"err", LogLevel::kError},
};

// Lines into a LogFile; spdlog's own rotation names and counts otherwise.
class FileSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(std::unique_ptr<LogFile> file) : file_(std::move(file)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    std::string line(msg.payload.data(), msg.payload.size());
    line.push_back('\n');
    const bool is_written = file_->Write(line);
    if (!is_written && is_well_) {
      std::printf("dnsd: cannot write log file %s: %s\n", file_->path().c_str(),
                  std::strerror(errno));
    }
    is_well_ = is_written;
  }
  void flush_() override {}

 private:
  std::unique_ptr<LogFile> file_;
  bool is_well_ = true;
};

// The one mutable global the house style allows: where lines go.
struct Logger {
  // spdlog's own pattern is off: our lines come formatted, it adds the level
  // gate, the locked write of whole lines and the flush.
  Logger() : sink("dnsd", std::make_shared<spdlog::sinks::stdout_sink_mt>()) {
    sink.set_pattern("%v");
    sink.set_level(spdlog::level::info);
    sink.flush_on(spdlog::level::trace);
  }

  void Write(const LogEvent& event) {
    const std::string line = json.load(std::memory_order_relaxed)
                                 ? FormatLogJson(event)
                                 : FormatLogText(event);
    sink.log(SpdlogLevel(event.level),
             spdlog::string_view_t(line.data(), line.size()));
  }

  void WriteSuppressed(const std::vector<LogRepeats::Suppressed>& suppressed) {
    for (const auto& one : suppressed) {
      Write({one.level,
             one.module,
             "Suppressed repeated messages",
             {{"message", one.message}, {"count", one.count}},
             WallUs()});
    }
  }

  spdlog::logger sink;
  std::atomic<bool> json{false};  // orders nothing: set before threads start
  std::mutex mutex;               // any thread may log; guards repeats
  LogRepeats repeats;
};

// Never destroyed: threads may log until the process is gone.
Logger& TheLogger() {
  static Logger* const logger = std::make_unique<Logger>().release();
  return *logger;
}

}  // namespace

std::string FormatLogText(const LogEvent& event) {
  int64_t us = 0;
  std::string line = UtcSeconds(event.unix_us, &us);
  absl::StrAppendFormat(&line, ".%03dZ ", us / 1000);
  absl::StrAppend(&line, TextLevel(event.level), " ");
  if (!event.module.empty()) {
    AppendMessage(event.module, &line);
    absl::StrAppend(&line, ": ");
  }
  AppendMessage(event.message, &line);
  if (event.fields.size() != 0) line.push_back(':');
  for (const LogField& field : event.fields) {
    line.push_back(' ');
    AppendMessage(field.key, &line);
    line.push_back('=');
    AppendTextValue(field.value, &line);
  }
  return line;
}

std::string FormatLogJson(const LogEvent& event) {
  int64_t us = 0;
  const std::string seconds = UtcSeconds(event.unix_us, &us);
  std::string line = "{\"@level\":";
  AppendJsonString(JsonLevel(event.level), &line);
  absl::StrAppend(&line, ",\"@message\":");
  AppendJsonString(event.message, &line);
  if (!event.module.empty()) {
    absl::StrAppend(&line, ",\"@module\":");
    AppendJsonString(event.module, &line);
  }
  absl::StrAppendFormat(&line, ",\"@timestamp\":\"%s.%06dZ\"", seconds, us);
  for (const LogField& field : event.fields) {
    line.push_back(',');
    AppendJsonString(field.key, &line);
    line.push_back(':');
    if (field.bare) {
      line += field.value;
    } else {
      AppendJsonString(field.value, &line);
    }
  }
  line.push_back('}');
  return line;
}

bool LogRepeats::Admit(LogLevel level, absl::string_view module,
                       absl::string_view message, int64_t now_ms) {
  auto key = std::make_pair(std::string(module), std::string(message));
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= kLogRepeatKeysMax) return true;
    if (entries_.empty()) next_end_ms_ = now_ms + kLogRepeatMs;
    entries_.emplace(std::move(key), Entry{level, now_ms, 1});
    return true;
  }
  return ++found->second.count <= kLogRepeatsMax;
}

std::vector<LogRepeats::Suppressed> LogRepeats::TakeSuppressed(int64_t now_ms,
                                                               bool all) {
  std::vector<Suppressed> suppressed;
  if (entries_.empty() || (!all && now_ms < next_end_ms_)) return suppressed;
  next_end_ms_ = now_ms + kLogRepeatMs;
  for (auto it = entries_.begin(); it != entries_.end();) {
    const int64_t end_ms = it->second.start_ms + kLogRepeatMs;
    if (!all && now_ms < end_ms) {
      next_end_ms_ = std::min(next_end_ms_, end_ms);
      ++it;
      continue;
    }
    if (it->second.count > kLogRepeatsMax) {
      suppressed.push_back({it->second.level, it->first.first, it->first.second,
                            it->second.count - kLogRepeatsMax});
    }
    it = entries_.erase(it);
  }
  return suppressed;
}

void InitLogging(LogLevel level, bool json) {
  TheLogger().json.store(json, std::memory_order_relaxed);
  SetLogLevel(level);
}

absl::Status LogToFile(const LogFileOptions& options) {
  absl::StatusOr<std::unique_ptr<LogFile>> file = LogFile::Open(options);
  if (!file.ok()) return file.status();
  TheLogger().sink.sinks().push_back(
      std::make_shared<FileSink>(*std::move(file)));
  return absl::OkStatus();
}

void SetLogLevel(LogLevel level) {
  TheLogger().sink.set_level(SpdlogLevel(level));
}

LogLevel CurrentLogLevel() {
  const auto level = TheLogger().sink.level();
  for (const LevelWord& word : kLevelWords) {
    if (SpdlogLevel(word.level) == level) return word.level;
  }
  return LogLevel::kInfo;
}

absl::string_view LogLevelText(LogLevel level) { return JsonLevel(level); }

bool ParseLogLevel(absl::string_view text, LogLevel* level) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (const LevelWord& word : kLevelWords) {
    if (lower != word.text) continue;
    *level = word.level;
    return true;
  }
  return false;
}

bool LogEnabled(LogLevel level) {
  return TheLogger().sink.should_log(SpdlogLevel(level));
}

void Log(LogLevel level, absl::string_view module, absl::string_view message,
         std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  Logger& logger = TheLogger();
  const int64_t now_ms = MonotonicMs();
  std::vector<LogRepeats::Suppressed> suppressed;
  bool admitted = false;
  {
    std::lock_guard<std::mutex> lock(logger.mutex);
    suppressed = logger.repeats.TakeSuppressed(now_ms, /*all=*/false);
    admitted = logger.repeats.Admit(level, module, message, now_ms);
  }
  logger.WriteSuppressed(suppressed);
  if (admitted) logger.Write({level, module, message, fields, WallUs()});
}

void LogTrace(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields) {
  Log(LogLevel::kTrace, module, message, fields);
}

void LogDebug(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields) {
  Log(LogLevel::kDebug, module, message, fields);
}

void LogInfo(absl::string_view module, absl::string_view message,
             std::initializer_list<LogField> fields) {
  Log(LogLevel::kInfo, module, message, fields);
}

void LogWarn(absl::string_view module, absl::string_view message,
             std::initializer_list<LogField> fields) {
  Log(LogLevel::kWarn, module, message, fields);
}

void LogError(absl::string_view module, absl::string_view message,
              std::initializer_list<LogField> fields) {
  Log(LogLevel::kError, module, message, fields);
}

void LogLines(absl::string_view lines) {
  if (lines.empty()) return;
  lines.remove_suffix(1);  // the sinks end them
  // Above what any level leaves out.
  TheLogger().sink.log(spdlog::level::critical,
                       spdlog::string_view_t(lines.data(), lines.size()));
}

bool LogsJson() { return TheLogger().json.load(std::memory_order_relaxed); }

void FlushLogging() {
  Logger& logger = TheLogger();
  std::vector<LogRepeats::Suppressed> suppressed;
  {
    std::lock_guard<std::mutex> lock(logger.mutex);
    suppressed = logger.repeats.TakeSuppressed(MonotonicMs(), /*all=*/true);
  }
  logger.WriteSuppressed(suppressed);
}

}  // namespace dnsd
