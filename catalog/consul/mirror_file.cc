#include "catalog/consul/mirror_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

constexpr char kFolder[] = "/consul-mirror";
constexpr absl::string_view kSuffix = ".json";
// What mkostemp() puts in place of the X's is unique.
constexpr absl::string_view kAsideSuffix = ".new-XXXXXX";

std::string Reason(int error) {
  return std::error_code(error, std::generic_category()).message();
}

// Of a system call that failed with `error`.
absl::Status FileError(int error, absl::string_view what,
                       const std::string& path) {
  const std::string message =
      absl::StrCat("cannot ", what, " ", path, ": ", Reason(error));
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  return absl::UnavailableError(message);
}

// An open file, closed in the end.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // 0 or the error: on some file systems a failed write shows only here.
  int Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || close(fd) == 0 ? 0 : errno;
  }

 private:
  int fd_;
};

// 0 or the error.
int WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written == 0) return ENOSPC;
    if (written > 0) text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// Until the end of the file; 0 or the error. A file that grows past `bytes`
// meanwhile is read to there.
int ReadAll(int fd, size_t bytes, std::string* text) {
  // What the parser adds fits, too, without another copy.
  constexpr size_t kParserBytes = 128;
  text->reserve(bytes + kParserBytes);
  text->resize(bytes);
  size_t filled = 0;
  while (filled < bytes) {
    const ssize_t got = read(fd, text->data() + filled, bytes - filled);
    if (got < 0 && errno != EINTR) return errno;
    if (got == 0) break;
    if (got > 0) filled += static_cast<size_t>(got);
  }
  text->resize(filled);
  return 0;
}

absl::Status MakeFolder(const std::string& folder) {
  constexpr mode_t kOwnerOnly = 0700;
  if (mkdir(folder.c_str(), kOwnerOnly) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  return FileError(errno, "make", folder);
}

absl::Status SyncFolder(const std::string& folder) {
  File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0) return FileError(errno, "open", folder);
  if (fsync(file.fd()) != 0) return FileError(errno, "sync", folder);
  return absl::OkStatus();
}

// Writes `text` beside `path` and renames it.
absl::Status Replace(const std::string& path, const std::string& text) {
  std::string aside = absl::StrCat(path, kAsideSuffix);
  File file(mkostemp(aside.data(), O_CLOEXEC));
  if (file.fd() < 0) return FileError(errno, "make", aside);
  absl::Status status;
  int error = WriteAll(file.fd(), text);
  if (error == 0 && fsync(file.fd()) != 0) error = errno;
  // Closed in any case, and the first error counts.
  const int close_error = file.Close();
  if (error == 0) error = close_error;
  if (error != 0) {
    status = FileError(error, "write", aside);
  } else if (rename(aside.c_str(), path.c_str()) != 0) {
    status = FileError(errno, "replace", path);
  }
  if (!status.ok()) unlink(aside.c_str());
  return status;
}

// Reads and checks one file. *damaged: it is of no use and to be put aside.
absl::StatusOr<MirrorImage> ReadMirror(const std::string& data_dir,
                                       const std::string& path, bool* damaged) {
  *damaged = false;
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return FileError(errno, "open", path);
  struct stat info = {};
  if (fstat(file.fd(), &info) != 0) return FileError(errno, "read", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError(absl::StrCat(path, ": not a file"));
  }
  const auto bytes = static_cast<size_t>(info.st_size);
  if (bytes > kMirrorFileBytesMax) {
    *damaged = true;
    return absl::DataLossError(absl::StrCat(path, ": ", bytes,
                                            " bytes, more than the ",
                                            kMirrorFileBytesMax, " allowed"));
  }
  std::string text;
  const int error = ReadAll(file.fd(), bytes, &text);
  if (error != 0) return FileError(error, "read", path);
  absl::StatusOr<MirrorImage> image = ParseMirror(std::move(text));
  *damaged = !image.ok();
  if (!image.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, ": ", image.status().message()));
  }
  if (MirrorPath(data_dir, image->datacenter) != path) {
    *damaged = true;
    return absl::DataLossError(absl::StrCat(
        path, ": is of another datacenter, '", image->datacenter, "'"));
  }
  return image;
}

// The names in a folder, sorted. No folder: none.
std::set<std::string> NamesIn(const std::string& folder,
                              std::vector<std::string>* errors) {
  std::set<std::string> names;
  const auto close_folder = [](DIR* open_folder) { closedir(open_folder); };
  const std::unique_ptr<DIR, decltype(close_folder)> entries(
      opendir(folder.c_str()), close_folder);
  if (entries == nullptr) {
    if (errno != ENOENT) {
      errors->emplace_back(FileError(errno, "read", folder).message());
    }
    return names;
  }
  while (const dirent* entry = readdir(entries.get())) {
    names.insert(entry->d_name);
  }
  return names;
}

// Whether a name is that of a file written aside by a dnsd that ended before
// it could rename it.
bool IsAside(absl::string_view name) {
  const size_t random = kAsideSuffix.size() - kAsideSuffix.find('X');
  const absl::string_view fixed =
      kAsideSuffix.substr(0, kAsideSuffix.size() - random);
  return name.size() > kAsideSuffix.size() &&
         absl::EndsWith(name.substr(0, name.size() - random),
                        absl::StrCat(kSuffix, fixed));
}

}  // namespace

std::string MirrorPath(const std::string& data_dir,
                       const std::string& datacenter) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string path = absl::StrCat(data_dir, kFolder, "/");
  for (const char c : datacenter) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_') {
      path.push_back(c);
    } else {
      path.push_back('%');
      path.push_back(kHex[byte >> 4]);
      path.push_back(kHex[byte & 0xF]);
    }
  }
  return absl::StrCat(path, kSuffix);
}

absl::Status WriteMirror(const std::string& data_dir,
                         const MirrorImage& image) {
  const std::string folder = absl::StrCat(data_dir, kFolder);
  const std::string path = MirrorPath(data_dir, image.datacenter);
  absl::Status status = MakeFolder(folder);
  if (!status.ok()) return status;
  const std::string text = FormatMirror(image);
  // It would be refused when it is needed.
  if (text.size() > kMirrorFileBytesMax) {
    return absl::UnavailableError(absl::StrCat(
        "cannot write ", path, ": the mirror has ", text.size(),
        " bytes, more than the ", kMirrorFileBytesMax, " allowed"));
  }
  status = Replace(path, text);
  if (!status.ok()) return status;
  return SyncFolder(folder);
}

std::vector<MirrorImage> ReadMirrors(const std::string& data_dir,
                                     std::vector<std::string>* errors) {
  std::vector<MirrorImage> images;
  const std::string folder = absl::StrCat(data_dir, kFolder);
  for (const std::string& name : NamesIn(folder, errors)) {
    const std::string path = absl::StrCat(folder, "/", name);
    if (IsAside(name)) unlink(path.c_str());
    if (!absl::EndsWith(name, kSuffix)) continue;
    bool damaged = false;
    absl::StatusOr<MirrorImage> image = ReadMirror(data_dir, path, &damaged);
    if (image.ok()) {
      images.push_back(*std::move(image));
      continue;
    }
    std::string message(image.status().message());
    const std::string kept = absl::StrCat(path, ".damaged");
    if (damaged) {
      if (rename(path.c_str(), kept.c_str()) == 0) {
        absl::StrAppend(&message, "; kept as ", kept);
      } else {
        absl::StrAppend(&message, "; cannot be renamed: ", Reason(errno));
      }
    }
    errors->push_back(std::move(message));
  }
  return images;
}

}  // namespace dnsd
