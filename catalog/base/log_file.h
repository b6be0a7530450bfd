// LogFile is a file of lines that begins anew when it is large or old enough,
// named as Consul names them: "/var/log/dnsd.log" becomes
// "/var/log/dnsd-1732165931044000000.log", the time in nanoseconds.
//
// Threads: one owner.
// Errors:  Open() says what cannot be opened; a line that cannot be written is
//          lost, and Write() says so. It tries again with the next one. Where
//          no new file can be begun, the present one goes on, and the next try
//          is retry_after later. Standard output is told of the first that
//          fails: whoever writes a log cannot be told by a line of it.
// Limits:  as the options say; older files of this name are removed when there
//          are too many, when one is begun.
#ifndef DNSD_CATALOG_BASE_LOG_FILE_H_
#define DNSD_CATALOG_BASE_LOG_FILE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

struct LogFileOptions {
  // A prefix of the files' names; empty: no file. One that ends with '/' is a
  // folder, and the name is "dnsd". Without an extension ".log" is added.
  std::string path;
  int64_t rotate_bytes = 0;  // 0: never for its size
  std::chrono::nanoseconds rotate_after = std::chrono::hours(24);
  int files_max = 0;  // older ones that are kept; 0: all; below: none
  // How long a file goes on after the next one could not be begun.
  std::chrono::nanoseconds retry_after = std::chrono::minutes(1);

  bool operator==(const LogFileOptions&) const = default;
};

class LogFile {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<LogFile>> Open(
      const LogFileOptions& options);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Whether the two would write, and remove, files of the same names.
  [[nodiscard]] static bool HaveSameNames(const LogFileOptions& a,
                                          const LogFileOptions& b);

  // Whole lines, each with its end.
  [[nodiscard]] bool Write(absl::string_view lines);
  // The file that is written now.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit LogFile(LogFileOptions options);

  [[nodiscard]] absl::Status Begin();
  [[nodiscard]] bool IsFull() const;
  void BeginAnew();
  void RemoveOld() const;

  const LogFileOptions options_;
  std::string stem_;       // of the names, with the folder
  std::string extension_;  // ".log"
  std::string path_;
  int fd_ = -1;
  int64_t written_bytes_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point next_try_{};  // to begin anew
  bool was_told_ = false;                             // that it failed
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LOG_FILE_H_
