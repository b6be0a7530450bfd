#include "dnsd/cli/managed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/socket_address.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileBytesMax = 1u << 20;  // a resolv.conf has hundreds
constexpr mode_t kNewFileMode = 0644;
constexpr mode_t kNewDirectoryMode = 0755;

constexpr char kWrittenBy[] =
    "# Written by `dnsd setup-resolver`; `dnsd setup-resolver -undo` takes it "
    "back.\n";

// What the second line says, but for the checksum.
struct Header {
  bool former_saved = false;
  bool directory_made = false;
};

enum class State : uint8_t { kAbsent, kOurs, kOursChanged, kForeign };

struct OnDisk {
  State state = State::kAbsent;
  std::string text;  // of a regular file
  Header header;     // kOurs, kOursChanged
  // Of the file, or of one that is made.
  mode_t mode = kNewFileMode;
  uid_t owner = geteuid();
  gid_t group = getegid();
};

absl::Status Failed(const char* call, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", path));
}

absl::Status Refused(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(path, " ", what));
}

std::string SavedPath(const std::string& path) { return path + kFormerSuffix; }

std::string DirectoryOf(const std::string& path) {
  return fs::path(path).parent_path().string();
}

bool Exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

std::string HeaderText(const Header& header) {
  return absl::StrCat("# former=", header.former_saved ? "saved" : "none",
                      " directory=", header.directory_made ? "made" : "there",
                      " check=");
}

std::string Content(const Header& header, absl::string_view body) {
  const std::string start = HeaderText(header);
  const std::string checked = absl::StrCat(start, body);
  return absl::StrCat(
      kWrittenBy, start,
      absl::Hex(XXH64(checked.data(), checked.size(), 0), absl::kZeroPad16),
      "\n", body);
}

State Judge(const std::string& text, Header* header) {
  if (!absl::StartsWith(text, kWrittenBy)) return State::kForeign;
  const absl::string_view rest =
      absl::string_view(text).substr(sizeof kWrittenBy - 1);
  const size_t end = rest.find('\n');
  for (const bool saved : {false, true}) {
    for (const bool made : {false, true}) {
      *header = {saved, made};
      if (!absl::StartsWith(rest, HeaderText(*header))) continue;
      if (end == absl::string_view::npos) return State::kOursChanged;
      return text == Content(*header, rest.substr(end + 1))
                 ? State::kOurs
                 : State::kOursChanged;
    }
  }
  *header = {};
  return State::kOursChanged;
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return Failed("open", path);
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t count = read(fd.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("read", path);
    if (count == 0) return text;
    text.append(piece, static_cast<size_t>(count));
    if (text.size() > kFileBytesMax) {
      return Refused(path, absl::StrCat("has more than ", kFileBytesMax,
                                        " bytes: it is not what it should be"));
    }
  }
}

absl::StatusOr<OnDisk> Look(const std::string& path) {
  OnDisk found;
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return found;
    return Failed("lstat", path);
  }
  found.state = State::kForeign;
  if (S_ISLNK(status.st_mode)) return found;
  if (!S_ISREG(status.st_mode)) return Refused(path, "is not a regular file");
  absl::StatusOr<std::string> text = ReadAll(path);
  if (!text.ok()) return text.status();
  found.state = Judge(*text, &found.header);
  found.text = *std::move(text);
  found.mode = status.st_mode & 07777;
  found.owner = status.st_uid;
  found.group = status.st_gid;
  return found;
}

absl::Status WriteAll(int fd, absl::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("write", path);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return fsync(fd) == 0 ? absl::OkStatus() : Failed("fsync", path);
}

// So that what was renamed or removed in it survives a loss of power.
void SyncDirectoryOf(const std::string& path) {
  const UniqueFd fd(
      open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) (void)fsync(fd.get());
}

// A new file beside `path`, with the mode and owner of `like`; its path.
absl::StatusOr<std::string> WriteBeside(const std::string& path,
                                        absl::string_view text,
                                        const OnDisk& like) {
  // Programs that read all files of a directory skip those with a dot in front.
  std::string made = absl::StrCat(
      DirectoryOf(path), "/.", fs::path(path).filename().string(), ".XXXXXX");
  const UniqueFd fd(mkostemp(made.data(), O_CLOEXEC));
  if (!fd.valid()) return Failed("write beside", path);
  absl::Status status = WriteAll(fd.get(), text, made);
  if (status.ok() && fchown(fd.get(), like.owner, like.group) != 0) {
    status = Failed("chown", made);
  }
  if (status.ok() && fchmod(fd.get(), like.mode) != 0) {
    status = Failed("chmod", made);
  }
  if (status.ok()) return made;
  (void)unlink(made.c_str());
  return status;
}

absl::Status WriteInPlace(const std::string& path, absl::string_view text) {
  const UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return Failed("open", path);
  return WriteAll(fd.get(), text, path);
}

absl::Status Replace(const std::string& path, const std::string& text,
                     const OnDisk& like) {
  const absl::StatusOr<std::string> made = WriteBeside(path, text, like);
  if (!made.ok()) return made.status();
  absl::Status status;
  if (rename(made->c_str(), path.c_str()) != 0) {
    const bool mounted = errno == EBUSY;
    status = Failed("rename to", path);
    (void)unlink(made->c_str());
    if (mounted) status = WriteInPlace(path, text);
  }
  SyncDirectoryOf(path);
  return status;
}

// What is at `path` becomes the saved one too: the same inode, so that nothing
// of it is lost, and the next rename() takes its place. A mount point has no
// second name: it is copied.
absl::Status SaveFormer(const std::string& path, const OnDisk& found) {
  const std::string saved = SavedPath(path);
  if (linkat(AT_FDCWD, path.c_str(), AT_FDCWD, saved.c_str(), 0) == 0) {
    return absl::OkStatus();
  }
  const absl::Status status = Failed("link", saved);
  if (errno == EEXIST || Exists(saved)) return status;
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  if (!error) {
    return symlink(target.c_str(), saved.c_str()) == 0 ? absl::OkStatus()
                                                       : status;
  }
  return Replace(saved, found.text, found);
}

absl::Status ApplyWrite(const FileChange& change) {
  const std::string directory = DirectoryOf(change.path);
  if (mkdir(directory.c_str(), kNewDirectoryMode) != 0 && errno != EEXIST) {
    return Failed("mkdir", directory);
  }
  const absl::StatusOr<OnDisk> found = Look(change.path);
  if (!found.ok()) return found.status();
  absl::Status status;
  if (change.former) status = SaveFormer(change.path, *found);
  if (!status.ok()) return status;
  status = Replace(change.path, change.text, *found);
  if (!status.ok() && change.former) {
    (void)unlink(SavedPath(change.path).c_str());
  }
  return status;
}

// Brings back what was saved: the file or link itself, or, where a mount point
// is in the way, what stands in it.
absl::Status Restore(const std::string& path) {
  const std::string saved = SavedPath(path);
  if (rename(saved.c_str(), path.c_str()) == 0) return absl::OkStatus();
  if (errno != EBUSY) return Failed("rename to", path);
  const absl::StatusOr<std::string> text = ReadAll(saved);
  if (!text.ok()) return text.status();
  absl::Status status = WriteInPlace(path, *text);
  if (status.ok() && unlink(saved.c_str()) != 0) {
    status = Failed("remove", saved);
  }
  return status;
}

absl::Status ApplyUndo(const FileChange& change) {
  absl::Status status;
  if (change.former) {
    status = Restore(change.path);
  } else if (unlink(change.path.c_str()) != 0 && errno != ENOENT) {
    status = Failed("remove", change.path);
  }
  SyncDirectoryOf(change.path);
  // Others may have files there by now.
  if (change.directory_made) (void)rmdir(DirectoryOf(change.path).c_str());
  return status;
}

void TakeBack(const FileChange& change) {
  if (change.kind != FileChange::Kind::kWrite) return;
  if (change.before) {
    const absl::StatusOr<OnDisk> found = Look(change.path);
    if (found.ok()) (void)Replace(change.path, *change.before, *found);
    return;
  }
  (void)ApplyUndo(change);
}

// `how` it is not any more what dnsd wrote.
absl::Status ChangedSince(const std::string& path, const char* how) {
  const std::string saved = SavedPath(path);
  return Refused(
      path, absl::StrCat("was ", how, " since dnsd wrote it. Look at it, then ",
                         Exists(saved)
                             ? absl::StrCat("`mv ", saved, " ", path,
                                            "` brings back what stood there, "
                                            "`rm ",
                                            saved, "` forgets that")
                             : absl::StrCat("`rm ", path, "`")));
}

}  // namespace

absl::StatusOr<FileChange> PlanWrite(const std::string& path,
                                     absl::string_view body) {
  const absl::StatusOr<OnDisk> found = Look(path);
  if (!found.ok()) return found.status();
  const bool has_saved = Exists(SavedPath(path));
  FileChange change;
  change.path = path;
  Header header = found->header;
  switch (found->state) {
    case State::kOurs:
      change.before = found->text;
      break;
    case State::kOursChanged:
      return ChangedSince(path, "changed");
    case State::kAbsent:
      if (has_saved) return ChangedSince(path, "removed");
      header.directory_made = !Exists(DirectoryOf(path));
      change.directory_made = header.directory_made;
      break;
    case State::kForeign:
      if (has_saved) return ChangedSince(path, "replaced");
      header.former_saved = true;
      change.former = true;
      break;
  }
  change.text = Content(header, body);
  if (change.text != change.before) change.kind = FileChange::Kind::kWrite;
  return change;
}

absl::StatusOr<FileChange> PlanUndo(const std::string& path) {
  const bool has_saved = Exists(SavedPath(path));
  FileChange change;
  change.path = path;
  const absl::StatusOr<OnDisk> found = Look(path);
  if (!found.ok()) {
    // A directory is nothing of ours.
    if (absl::IsFailedPrecondition(found.status()) && !has_saved) return change;
    return found.status();
  }
  switch (found->state) {
    case State::kOurs:
      break;
    case State::kOursChanged:
      return ChangedSince(path, "changed");
    case State::kAbsent:
      if (has_saved) return ChangedSince(path, "removed");
      return change;
    case State::kForeign:
      if (has_saved) return ChangedSince(path, "replaced");
      return change;
  }
  if (found->header.former_saved != has_saved) {
    return Refused(SavedPath(path),
                   has_saved ? "is not from dnsd: move it away"
                             : absl::StrCat("is gone, and with it what stood "
                                            "at ",
                                            path, " before"));
  }
  change.kind = FileChange::Kind::kUndo;
  change.former = has_saved;
  change.directory_made = found->header.directory_made;
  return change;
}

absl::Status ApplyChanges(const std::vector<FileChange>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    const FileChange& change = changes[i];
    absl::Status status;
    if (change.kind == FileChange::Kind::kWrite) status = ApplyWrite(change);
    if (change.kind == FileChange::Kind::kUndo) status = ApplyUndo(change);
    if (status.ok()) continue;
    for (size_t done = i; done-- > 0;) TakeBack(changes[done]);
    return status;
  }
  return absl::OkStatus();
}

bool IsManaged(const std::string& path) {
  const absl::StatusOr<OnDisk> found = Look(path);
  return found.ok() &&
         (found->state == State::kOurs || found->state == State::kOursChanged);
}

}  // namespace dnsd
