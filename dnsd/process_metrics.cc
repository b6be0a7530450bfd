#include "dnsd/process_metrics.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace dnsd {
namespace {

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// /proc/self/stat from the state on, which is the third field of proc(5): the
// name before it may have anything.
std::vector<std::string> StatFields() {
  const std::string text = ReadAll("/proc/self/stat");
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  return absl::StrSplit(text.substr(end + 2), ' ');
}

double Number(const std::string& text) {
  double number = 0;
  return absl::SimpleAtod(text, &number) ? number : 0;
}

double SecondsOf(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) * 1e-9;
}

// Seconds since 1970 when the machine started. /proc/stat has it too, which the
// unit's ProcSubset=pid hides.
double BootTime() {
  return SecondsOf(CLOCK_REALTIME) - SecondsOf(CLOCK_BOOTTIME);
}

void AddStat(MetricsText* text) {
  const std::vector<std::string> fields = StatFields();
  if (fields.size() < 22) return;
  // proc(5) counts from 1, and the third is our first.
  const auto field = [&](size_t number) { return Number(fields[number - 3]); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  text->Single("process_cpu_seconds_total", MetricType::kCounter,
               "User and system time used.", (field(14) + field(15)) / ticks);
  text->Single("process_start_time_seconds", MetricType::kGauge,
               "When the process started, since 1970.",
               BootTime() + field(22) / ticks);
  text->Single("process_virtual_memory_bytes", MetricType::kGauge,
               "Address space.", field(23));
  text->Single("process_resident_memory_bytes", MetricType::kGauge,
               "Memory in use.",
               field(24) * static_cast<double>(sysconf(_SC_PAGESIZE)));
}

void AddDescriptors(MetricsText* text) {
  std::error_code error;
  std::filesystem::directory_iterator open("/proc/self/fd", error);
  int64_t count = -1;  // not that of this directory
  while (!error && open != std::filesystem::directory_iterator()) {
    ++count;
    open.increment(error);
  }
  if (count > 0) {
    text->Single("process_open_fds", MetricType::kGauge, "Open descriptors.",
                 count);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    text->Single("process_max_fds", MetricType::kGauge,
                 "How many descriptors may be open.", limit.rlim_cur);
  }
}

}  // namespace

void AddProcessMetrics(MetricsText* text) {
  AddStat(text);
  AddDescriptors(text);
  const struct mallinfo2 memory = mallinfo2();
  text->Single("consul.runtime.alloc_bytes", MetricType::kGauge,
               "Memory allocated.", memory.uordblks + memory.hblkhd);
  text->Single("consul.runtime.sys_bytes", MetricType::kGauge,
               "Memory that the allocator has of the system.",
               memory.arena + memory.hblkhd);
}

}  // namespace dnsd
