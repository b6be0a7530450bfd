#include "tests/testing/process_usage.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

size_t OpenFiles(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator files(
      absl::StrCat("/proc/", pid, "/fd"), error);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

size_t ResidentBytes(pid_t pid) {
  const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status"));
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    size_t kib = 0;
    if (words.size() == 3 && words[0] == "VmRSS:" &&
        absl::SimpleAtoi(words[1], &kib)) {
      return kib * 1024;
    }
  }
  return 0;
}

}  // namespace dnsd::testing
