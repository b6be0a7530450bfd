// The CPU time of another process, all its threads together; and which core a
// process has.
//
// Threads: any.
#ifndef DNSD_BENCH_PROCESS_CPU_H_
#define DNSD_BENCH_PROCESS_CPU_H_

#include <sched.h>
#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct ProcessCpu {
  double seconds = 0;  // to the nanosecond
  // The same in the kernel's ticks of 10 ms, for how it divides.
  double user_ticks = 0;
  double system_ticks = 0;
};

// All zero when there is no such process.
[[nodiscard]] inline ProcessCpu CpuOf(pid_t pid) {
  ProcessCpu cpu;
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    return cpu;
  }
  cpu.seconds = static_cast<double>(time.tv_sec) +
                static_cast<double>(time.tv_nsec) * 1e-9;
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  // The name may have blanks; behind its bracket come fields 3 and on.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return cpu;
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 2), ' ');
  if (fields.size() > 12) {
    static_cast<void>(absl::SimpleAtod(fields[11], &cpu.user_ticks));
    static_cast<void>(absl::SimpleAtod(fields[12], &cpu.system_ticks));
  }
  return cpu;
}

// The process and all that it started and that still run, and those of theirs.
[[nodiscard]] inline std::vector<pid_t> ProcessesOf(pid_t pid) {
  std::vector<pid_t> pids = {pid};
  for (size_t i = 0; i < pids.size(); ++i) {
    const std::string children = ReadFile(
        absl::StrCat("/proc/", pids[i], "/task/", pids[i], "/children"));
    for (const absl::string_view word :
         absl::StrSplit(children, ' ', absl::SkipWhitespace())) {
      pid_t child = 0;
      if (absl::SimpleAtoi(word, &child)) pids.push_back(child);
    }
  }
  return pids;
}

[[nodiscard]] inline ProcessCpu CpuOf(const std::vector<pid_t>& pids) {
  ProcessCpu sum;
  for (const pid_t pid : pids) {
    const ProcessCpu one = CpuOf(pid);
    sum.seconds += one.seconds;
    sum.user_ticks += one.user_ticks;
    sum.system_ticks += one.system_ticks;
  }
  return sum;
}

// The cores that this process may run on.
[[nodiscard]] inline std::vector<int> AllowedCores() {
  cpu_set_t set;
  DNSD_CHECK(sched_getaffinity(0, sizeof(set), &set) == 0);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

// The calling thread, and whatever it starts from now on.
inline void PinTo(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  DNSD_CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_PROCESS_CPU_H_
