#include "tests/testing/own_namespaces.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

std::string Failed(const std::string& what) {
  return absl::StrCat(what, ": ", strerror(errno));
}

std::string Enter() {
  // Looked for first: without it the network would have no loopback.
  if (RunToEnd({"ip", "-V"}).exit_code != 0) return "no program `ip`";
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return Failed("unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Failed("mount --make-rprivate");
  }
  const Finished up = RunToEnd({"ip", "link", "set", "lo", "up"});
  return up.exit_code == 0 ? "" : "ip link set lo up: " + up.output;
}

std::string MountOverMachine() {
  for (const char* path : {"/mnt", "/run"}) {
    if (mount("none", path, "tmpfs", 0, "mode=755") != 0) {
      return Failed(absl::StrCat("mount tmpfs on ", path));
    }
  }
  (void)mkdir("/mnt/upper", 0755);
  (void)mkdir("/mnt/work", 0755);
  if (mount("none", "/etc", "overlay", 0,
            "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work") != 0) {
    return Failed("mount overlay on /etc");
  }
  return "";
}

}  // namespace

std::string EnterOwnNamespaces() {
  static const std::string error = Enter();
  return error;
}

std::string MakeMachineOwn() {
  static const std::string error = MountOverMachine();
  return error;
}

}  // namespace dnsd::testing
