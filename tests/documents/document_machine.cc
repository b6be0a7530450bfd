#include "tests/documents/document_machine.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/prometheus.h"
#include "tests/testing/resolvers.h"

namespace dnsd::testing {
namespace {

// Over what the real machine has. $0 is the directory of fetched programs, or
// "".
constexpr char kMakeMachine[] = R"(
mount -t tmpfs none /mnt
mkdir /mnt/etc-upper /mnt/etc-work
mount -t overlay none /etc \
  -o lowerdir=/etc,upperdir=/mnt/etc-upper,workdir=/mnt/etc-work
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mount -t tmpfs none /var/log
mkdir -p /var/lib/dnsd /var/lib/nginx /var/log/nginx
[ -z "$0" ] || mount -t overlay none /usr -o "lowerdir=$0/usr:/usr"
[ ! -d "$0/etc/nginx" ] || cp -r "$0/etc/nginx" /etc/nginx
)";

std::string FetchedPrograms() {
  const std::string haproxy = ResolverProgram("sbin/haproxy");
  constexpr char kPath[] = "/usr/sbin/haproxy";
  if (!absl::EndsWith(haproxy, kPath)) return "";
  return haproxy.substr(0, haproxy.size() + 1 - sizeof(kPath));
}

}  // namespace

std::string DocumentMachine::WhyNot() {
  if (geteuid() != 0) return "needs root";
  return NetworkNamespace::WhyNot();
}

DocumentMachine::DocumentMachine() {
  std::filesystem::create_directories(dir_.Path("bin"));
  std::filesystem::create_directories(dir_.Path("work"));
  std::filesystem::create_symlink(DnsdBinary(), dir_.Path("bin/dnsd"));
  if (const std::optional<std::string> consul = ConsulBinary()) {
    std::filesystem::create_symlink(std::filesystem::absolute(*consul),
                                    dir_.Path("bin/consul"));
  }
  if (const std::optional<std::string> prometheus = PrometheusBinary()) {
    const std::filesystem::path path = std::filesystem::absolute(*prometheus);
    std::filesystem::create_symlink(path.parent_path() / "promtool",
                                    dir_.Path("bin/promtool"));
  }
  const Finished made =
      machine_.Run({"sh", "-ec", kMakeMachine, FetchedPrograms()});
  if (made.exit_code != 0) error_ = made.output;
}

std::vector<std::string> DocumentMachine::Shell(
    const std::string& script) const {
  return machine_.Command(
      {"env", "-i", absl::StrCat("--chdir=", dir_.Path("work")),
       absl::StrCat("PATH=", dir_.Path("bin"),
                    ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
                    "/bin"),
       "LC_ALL=C.UTF-8", absl::StrCat("SOURCE=", DNSD_SOURCE_DIR), "bash",
       "-ec", script});
}

bool DocumentMachine::HasProgram(const std::string& name) const {
  return RunToEnd(Shell("command -v " + name)).exit_code == 0;
}

Finished DocumentMachine::Run(const std::string& script) const {
  return RunToEnd(Shell(script));
}

std::string DocumentMachine::Start(const std::string& command,
                                   const std::string& until) {
  started_.push_back(
      {command, std::make_unique<Process>(Shell("exec " + command))});
  Process& process = *started_.back().process;
  if (process.WaitForOutput(until)) return "";
  return absl::StrCat("no \"", until, "\" in: ", process.output());
}

bool DocumentMachine::Stop(const std::string& program) {
  bool any = false;
  for (const Started& started : started_) {
    if (!absl::StartsWith(started.command, program + " ")) continue;
    any = true;
    started.process->Signal(SIGTERM);
    if (!started.process->Wait(std::chrono::seconds(10))) return false;
  }
  return any;
}

void DocumentMachine::Write(const std::string& path,
                            const std::string& text) const {
  if (path.front() != '/') {
    (void)dir_.Write(absl::StrCat("work/", path), text);
    return;
  }
  // Its /etc is nobody's but the machine's.
  const std::string copy = dir_.Write("copied", text);
  (void)RunToEnd(Shell(absl::StrCat("install -D -m 0644 ", copy, " ", path)));
}

std::string DocumentMachine::Output() const {
  std::string all;
  for (const Started& started : started_) {
    absl::StrAppend(&all, started.process->output());
  }
  return all;
}

}  // namespace dnsd::testing
