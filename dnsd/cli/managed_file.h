// Files of other programs that dnsd writes and takes back exactly. Two comment
// lines on top have a checksum of the rest, so that what somebody changed since
// is seen, and neither overwritten nor removed:
//
//   # Written by `dnsd setup-resolver`; `dnsd setup-resolver -undo` ...
//   # former=saved directory=there check=0123456789abcdef
//
// former=saved: what stood there, a file or a link, is beside it as
// PATH.before-dnsd. directory=made: the directory was made for it.
//
// Threads: one.
// Errors:  kFailedPrecondition, with what to do, when a file is not as it
//          should be, else what the kernel says, with the path. Plan...()
//          change nothing. Of its writes, ApplyChanges() does all or none.
// Safety:  a file is replaced by rename(), with the mode and owner it had. One
//          that cannot be, because it is a mount point as a container's
//          resolv.conf is, is written in place.
// Limits:  files of 1 MiB; the directory is made, the one above it is not.
#ifndef DNSD_DNSD_CLI_MANAGED_FILE_H_
#define DNSD_DNSD_CLI_MANAGED_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

inline constexpr char kFormerSuffix[] = ".before-dnsd";

struct FileChange {
  enum class Kind : uint8_t { kNone, kWrite, kUndo };
  Kind kind = Kind::kNone;
  std::string path;
  std::string text;                   // kWrite: all of it
  std::optional<std::string> before;  // kWrite: our own that it replaces
  bool former = false;  // kWrite: save what is there; kUndo: bring it back
  bool directory_made = false;  // for the file, or when it was written
};

// `body` at `path`; kNone when it stands there.
[[nodiscard]] absl::StatusOr<FileChange> PlanWrite(const std::string& path,
                                                   absl::string_view body);
// kNone when there is nothing of ours.
[[nodiscard]] absl::StatusOr<FileChange> PlanUndo(const std::string& path);
[[nodiscard]] absl::Status ApplyChanges(const std::vector<FileChange>& changes);

// Whether we wrote what is at `path`, be it changed since or not.
[[nodiscard]] bool IsManaged(const std::string& path);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_MANAGED_FILE_H_
