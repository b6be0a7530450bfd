#include "catalog/base/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/unix_time.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "dnsd";

// Whether a name is "dnsd-", a time, and ".log".
bool IsOneOf(const std::string& name, const std::string& begin,
             const std::string& end) {
  if (name.size() <= begin.size() + end.size() ||
      !absl::StartsWith(name, begin) || !absl::EndsWith(name, end)) {
    return false;
  }
  return std::all_of(
      name.begin() + static_cast<ptrdiff_t>(begin.size()),
      name.end() - static_cast<ptrdiff_t>(end.size()), [](char c) {
        return absl::ascii_isdigit(static_cast<unsigned char>(c));
      });
}

}  // namespace

LogFile::LogFile(LogFileOptions options) : options_(std::move(options)) {
  fs::path path = options_.path;
  if (!path.has_filename()) path /= kName;
  extension_ = path.has_extension() ? path.extension().string() : ".log";
  path.replace_extension();
  stem_ = absl::StrCat(path.string(), "-");
}

LogFile::~LogFile() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(
    const LogFileOptions& options) {
  auto file = std::unique_ptr<LogFile>(new LogFile(options));
  const absl::Status status = file->Begin();
  if (!status.ok()) return status;
  return file;
}

bool LogFile::HaveSameNames(const LogFileOptions& a, const LogFileOptions& b) {
  const LogFile first(a);
  const LogFile second(b);
  return fs::path(first.stem_).lexically_normal() ==
             fs::path(second.stem_).lexically_normal() &&
         first.extension_ == second.extension_;
}

absl::Status LogFile::Begin() {
  std::string path = absl::StrCat(stem_, UnixNs(), extension_);
  // As Consul's: readable to the group.
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("cannot open log file ", path,
                                               ": ", std::strerror(errno)));
  }
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  path_ = std::move(path);
  written_bytes_ = 0;
  begun_ = std::chrono::steady_clock::now();
  RemoveOld();
  return absl::OkStatus();
}

bool LogFile::IsFull() const {
  return (options_.rotate_bytes > 0 &&
          written_bytes_ >= options_.rotate_bytes) ||
         std::chrono::steady_clock::now() - begun_ >= options_.rotate_after;
}

void LogFile::BeginAnew() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return;
  const absl::Status status = Begin();
  if (!status.ok()) next_try_ = now + options_.retry_after;
  if (!status.ok() && !was_told_) {
    std::printf("dnsd: %s; %s goes on\n", std::string(status.message()).c_str(),
                path_.c_str());
  }
  was_told_ = !status.ok();
}

bool LogFile::Write(absl::string_view lines) {
  if (IsFull()) BeginAnew();
  while (!lines.empty()) {
    const ssize_t count = write(fd_, lines.data(), lines.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    written_bytes_ += count;
    lines.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Their names have as many digits until the year 2286, so the order of names
// is that of times.
void LogFile::RemoveOld() const {
  if (options_.files_max == 0) return;
  const fs::path stem = stem_;
  std::vector<fs::path> files;
  std::error_code error;
  const fs::path folder = stem.has_parent_path() ? stem.parent_path() : ".";
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename() != fs::path(path_).filename() &&
        IsOneOf(path.filename().string(), stem.filename().string(),
                extension_)) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  const auto kept = static_cast<size_t>(std::max(options_.files_max, 0));
  const size_t removed = files.size() - std::min(kept, files.size());
  for (size_t i = 0; i < removed; ++i) fs::remove(files[i], error);
}

}  // namespace dnsd
