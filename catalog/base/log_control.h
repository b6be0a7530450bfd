// What few need of the log: where it goes besides standard output, its level
// while it runs, and lines that are made elsewhere.
//
// Threads: any, except LogToFile() and LogToSyslog(): before others start.
// Errors:  what cannot be written to the file is told on standard output.
#ifndef DNSD_CATALOG_BASE_LOG_CONTROL_H_
#define DNSD_CATALOG_BASE_LOG_CONTROL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/log.h"
#include "catalog/base/log_file.h"

namespace dnsd {

// Lines go to a file too.
[[nodiscard]] absl::Status LogToFile(const LogFileOptions& options);

// Lines go to the system's log too (log_syslog.h): text without time and level,
// or the whole JSON.
void LogToSyslog(int facility);

// For LogMonitor, which does it itself.
class LogMonitor;
void AddLogMonitor(LogMonitor* monitor);
void RemoveLogMonitor(LogMonitor* monitor);

// Lines of this level and above are written; see SetLogLevel().
[[nodiscard]] LogLevel CurrentLogLevel();
[[nodiscard]] absl::string_view LogLevelText(LogLevel level);
// In any letter case; "err" is "error" too, as for Consul.
[[nodiscard]] bool ParseLogLevel(absl::string_view text, LogLevel* level);

// Writes lines, each with its end, whatever the level is and however often they
// repeat; not to the system's log. They are to be as FormatLogJson() or
// FormatLogText() make them.
void LogLines(absl::string_view lines);
[[nodiscard]] bool LogsJson();

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LOG_CONTROL_H_
