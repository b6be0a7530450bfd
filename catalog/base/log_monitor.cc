#include "catalog/base/log_monitor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/log_control.h"
#include "catalog/base/unix_time.h"

namespace dnsd {
namespace {

std::string Format(const LogEvent& event, bool json) {
  return json ? FormatLogJson(event) : FormatLogText(event);
}

// Told as Consul tells it.
std::string LossLine(uint64_t count, bool json) {
  const std::string message =
      absl::StrCat("Monitor dropped ", count, " logs during monitor request");
  return Format({LogLevel::kWarn, "agent", message, {}, UnixNs() / 1000}, json);
}

}  // namespace

LogMonitor::LogMonitor(Options options) : options_(std::move(options)) {
  AddLogMonitor(this);
}

LogMonitor::~LogMonitor() { RemoveLogMonitor(this); }

std::string LogMonitor::Take() {
  std::string lines;
  uint64_t lost_count = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    lines.swap(lines_);
    std::swap(lost_count, lost_count_);
  }
  if (lost_count != 0) {
    absl::StrAppend(&lines, LossLine(lost_count, options_.json), "\n");
  }
  return lines;
}

void LogMonitor::Offer(const LogEvent& event) {
  const std::string line = Format(event, options_.json);
  bool is_first = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_first = lines_.empty() && lost_count_ == 0;
    // Once one is lost, so are those behind it: the line that says so stands
    // where they would.
    if (lost_count_ != 0 ||
        lines_.size() + line.size() + 1 > kLogMonitorBytesMax) {
      ++lost_count_;
    } else {
      absl::StrAppend(&lines_, line, "\n");
    }
  }
  if (is_first) options_.wake();
}

void LogMonitors::Add(LogMonitor* monitor) {
  std::lock_guard<std::mutex> lock(mutex_);
  monitors_.push_back(monitor);
}

void LogMonitors::Remove(LogMonitor* monitor) {
  std::lock_guard<std::mutex> lock(mutex_);
  monitors_.erase(std::remove(monitors_.begin(), monitors_.end(), monitor),
                  monitors_.end());
}

void LogMonitors::Offer(const LogEvent& event) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (LogMonitor* const monitor : monitors_) {
    if (event.level >= monitor->options_.level) monitor->Offer(event);
  }
}

LogLevel LogMonitors::Lowest(LogLevel otherwise) {
  std::lock_guard<std::mutex> lock(mutex_);
  LogLevel lowest = otherwise;
  for (const LogMonitor* const monitor : monitors_) {
    lowest = std::min(lowest, monitor->options_.level);
  }
  return lowest;
}

}  // namespace dnsd
