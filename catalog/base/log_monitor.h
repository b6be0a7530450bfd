// LogMonitor hears the log from when it is made until it goes: lines of its
// level and above, whatever the log's own level is.
//
// Threads:   one owner; lines come from any thread.
// Caller:    `wake` is called on the thread that logs when there is something
//            to take where there was nothing. It neither blocks nor logs, and
//            is not called any more once the monitor is gone.
// Limits:    kLogMonitorBytesMax wait to be taken. What finds no room is lost,
//            counted, and told of in one line behind those that found some.
// Not heard: LogLines(), and what LogRepeats suppresses.
#ifndef DNSD_CATALOG_BASE_LOG_MONITOR_H_
#define DNSD_CATALOG_BASE_LOG_MONITOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/log.h"

namespace dnsd {

// Twice what Consul's 512 lines usually are.
inline constexpr size_t kLogMonitorBytesMax = 128u << 10;

class LogMonitor {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    bool json = false;
    std::function<void()> wake = [] {};
  };

  explicit LogMonitor(Options options);
  ~LogMonitor();
  LogMonitor(const LogMonitor&) = delete;
  LogMonitor& operator=(const LogMonitor&) = delete;

  // The lines since the last call, each with its end.
  [[nodiscard]] std::string Take();

 private:
  friend class LogMonitors;

  void Offer(const LogEvent& event);  // any thread

  const Options options_;
  std::mutex mutex_;  // any thread may log; guards what follows
  std::string lines_;
  uint64_t lost_count_ = 0;
};

// Those that there are, for the log.
//
// Threads: any.
class LogMonitors {
 public:
  void Add(LogMonitor* monitor);
  void Remove(LogMonitor* monitor);
  // To all that want it.
  void Offer(const LogEvent& event);
  // The lowest level that one of them wants, or `otherwise` when that is lower.
  [[nodiscard]] LogLevel Lowest(LogLevel otherwise);

 private:
  std::mutex mutex_;  // any thread may log; no monitor goes while one is told
  std::vector<LogMonitor*> monitors_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LOG_MONITOR_H_
