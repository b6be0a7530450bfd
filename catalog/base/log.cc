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
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>

#include "absl/strings/ascii.h"
#include "catalog/base/log_control.h"
#include "catalog/base/log_monitor.h"
#include "catalog/base/log_syslog.h"
#include "catalog/base/monotonic_time.h"
#include "catalog/base/unix_time.h"

namespace dnsd {
namespace {

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

int64_t MonotonicMs() {
  return static_cast<int64_t>(MonotonicNs() / 1'000'000);
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

  // Whoever wants it.
  void Write(const LogEvent& event) {
    if (sink.should_log(SpdlogLevel(event.level))) WriteOut(event);
    monitors.Offer(event);
  }

  void WriteOut(const LogEvent& event) {
    const bool is_json = json.load(std::memory_order_relaxed);
    const std::string line =
        is_json ? FormatLogJson(event) : FormatLogText(event);
    sink.log(SpdlogLevel(event.level),
             spdlog::string_view_t(line.data(), line.size()));
    if (!to_syslog) return;
    WriteSyslog(event.level, is_json ? line : FormatLogMessage(event));
  }

  // After a change of our level or of the monitors.
  void SetGate() {
    std::lock_guard<std::mutex> lock(gate_mutex);
    gate.store(monitors.Lowest(CurrentLogLevel()), std::memory_order_relaxed);
  }

  void WriteSuppressed(const std::vector<LogRepeats::Suppressed>& suppressed) {
    for (const auto& one : suppressed) {
      Write({one.level,
             one.module,
             "Suppressed repeated messages",
             {{"message", one.message}, {"count", one.count}},
             UnixNs() / 1000});
    }
  }

  spdlog::logger sink;
  std::atomic<bool> json{false};  // orders nothing: set before threads start
  bool to_syslog = false;         // set before threads start
  // What is below nobody wants. Orders nothing: a line or two more or less.
  std::atomic<LogLevel> gate{LogLevel::kInfo};
  // Two that change what it is made of come one after the other.
  std::mutex gate_mutex;
  LogMonitors monitors;
  std::mutex mutex;  // any thread may log; guards repeats
  LogRepeats repeats;
};

// Never destroyed: threads may log until the process is gone.
Logger& TheLogger() {
  static Logger* const logger = std::make_unique<Logger>().release();
  return *logger;
}

}  // namespace

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

void LogToSyslog(int facility) {
  OpenSyslog(facility);
  TheLogger().to_syslog = true;
}

void SetLogLevel(LogLevel level) {
  TheLogger().sink.set_level(SpdlogLevel(level));
  TheLogger().SetGate();
}

void AddLogMonitor(LogMonitor* monitor) {
  TheLogger().monitors.Add(monitor);
  TheLogger().SetGate();
}

void RemoveLogMonitor(LogMonitor* monitor) {
  TheLogger().monitors.Remove(monitor);
  TheLogger().SetGate();
}

LogLevel CurrentLogLevel() {
  const auto level = TheLogger().sink.level();
  for (const LevelWord& word : kLevelWords) {
    if (SpdlogLevel(word.level) == level) return word.level;
  }
  return LogLevel::kInfo;
}

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
  return level >= TheLogger().gate.load(std::memory_order_relaxed);
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
  if (admitted) logger.Write({level, module, message, fields, UnixNs() / 1000});
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
