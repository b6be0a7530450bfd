// What the machine has for an agent: ports, rights, buffers, descriptors, a
// clock, a directory, certificates.
#include <linux/capability.h>
#include <openssl/asn1.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "dnsd/cli/doctor.h"
#include "dnsd/cli/proc_sockets.h"
#include "dnsd/http/tls_context.h"
#include "dnsd/limits.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;
using enum DoctorVerdict;

constexpr uint64_t kSpaceFailBytes = 10u << 20;
constexpr uint64_t kSpaceWarnBytes = 100u << 20;
constexpr int kCertificateWarnDays = 14;
// Of files, HTTP, forwarding and all else, beside DNS over TCP.
constexpr uint64_t kOtherDescriptors = 2048;

constexpr char kAskAsRoot[] = "`dnsd doctor` as root, or as its user, does";
constexpr char kUnseen[] = "a process of another user";
constexpr char kSystemd[] = "systemd";

// What to do about who has the port that we want.
std::string MakeRoom(const std::string& program) {
  if (absl::StartsWith(program, "systemd-resolve")) {
    return "give dnsd another port and run `dnsd setup-resolver`, or set "
           "DNSStubListener=no in /etc/systemd/resolved.conf";
  }
  if (absl::StartsWith(program, "consul ")) {
    return "set ports { dns = -1 } in Consul, or another -dns-port here";
  }
  if (absl::StartsWith(program, kUnseen)) {
    return "`dnsd doctor` as root says whose it is; it may be dnsd";
  }
  return "stop it, or give dnsd another port and let it forward to dnsd "
         "(dnsd/docs/resolvers.md)";
}

struct PortOwners {
  std::set<std::string> others;  // beside dnsd
  int dnsd_pid = 0;              // 0: it is none of them
  bool is_systemds = false;      // some are kept for a socket unit
};

// One socket's: who took it over from systemd counts, else systemd that keeps
// it for whom it will start.
void AddOwners(const ProcSocket& socket, const char* protocol,
               PortOwners* all) {
  const std::vector<SocketOwner> owners = SocketOwners(socket.inode);
  const auto dnsd =
      std::find_if(owners.begin(), owners.end(),
                   [](const SocketOwner& o) { return o.name == "dnsd"; });
  if (dnsd != owners.end()) {
    all->dnsd_pid = dnsd->pid;
    return;
  }
  if (owners.empty()) {
    all->others.insert(
        absl::StrCat(kUnseen, " (", protocol, "; root sees which)"));
  }
  for (const SocketOwner& owner : owners) {
    if (owner.pid == 1 && owner.name == kSystemd) {
      all->is_systemds = all->is_systemds || owners.size() == 1;
    } else {
      all->others.insert(absl::StrCat(owner.name, " (process ", owner.pid, ", ",
                                      protocol, ")"));
    }
  }
}

PortOwners OwnersOf(const Endpoint& endpoint) {
  PortOwners owners;
  for (const auto& [protocol, name] :
       {std::pair{SocketProtocol::kUdp, "UDP"},
        std::pair{SocketProtocol::kTcp, "TCP"}}) {
    for (const ProcSocket& socket : SocketsAt(protocol, endpoint)) {
      AddOwners(socket, name, &owners);
    }
  }
  return owners;
}

// A capability of the agent, or of the user who asks.
bool MayBindLow(uint16_t port) {
  uint32_t first_free = 1024;
  static_cast<void>(absl::SimpleAtoi(
      FirstLineOf("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
      &first_free));
  return port >= first_free || HasCapability(0, CAP_NET_BIND_SERVICE);
}

int CoreCount() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores)
                                                          : 1;
}

// What a socket gets that asks for as much as a listener does, without the
// right to pass the system's limit.
int ReceiveBufferBytes() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int bytes = kUdpReceiveBufferBytes;
  socklen_t size = sizeof(bytes);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, size);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size) != 0) return 0;
  return bytes / 2;  // the kernel doubles it, for its own records
}

// The limit of open files of the agent, else the most that one started here
// gives itself.
std::optional<uint64_t> DescriptorLimit(int pid) {
  rlimit limit{};
  const int result = pid > 0 ? prlimit(pid, RLIMIT_NOFILE, nullptr, &limit)
                             : getrlimit(RLIMIT_NOFILE, &limit);
  if (result != 0) return std::nullopt;
  return pid > 0 ? limit.rlim_cur : limit.rlim_max;
}

}  // namespace

void Doctor::CheckPort(const Endpoint& endpoint) {
  const std::string where = EndpointText(endpoint);
  const absl::StatusOr<uint16_t> probed = ProbePort(endpoint);
  if (probed.ok() && !agent_.is_there) {
    return Ok("port", absl::StrCat(where, " is free"));
  }
  const PortOwners owners = OwnersOf(endpoint);
  const std::set<std::string>& others = owners.others;
  if (owners.dnsd_pid != 0) agent_.pid = owners.dnsd_pid;
  const bool is_nobodys =
      others.empty() && owners.dnsd_pid == 0 && !owners.is_systemds;
  // Who may not take a low port sees only that nobody has it.
  const bool is_free =
      probed.ok() || (is_nobodys && !MayBindLow(endpoint.port));
  if (agent_.is_there && is_free) {
    return Add(
        kFail, "port",
        absl::StrCat("the agent says it has ", where, ", and nobody has"),
        "is it in another network namespace or container?");
  }
  if (others.empty() && owners.dnsd_pid != 0) {
    Ok("port",
       absl::StrCat("dnsd (process ", owners.dnsd_pid, ") has ", where));
  } else if (others.empty() && owners.is_systemds) {
    Add(kWarn, "port",
        absl::StrCat("systemd (process 1) keeps ", where,
                     " for a socket unit, and nobody has taken it over"),
        "`systemctl list-sockets` names it: dnsd.socket is right, and starts "
        "dnsd when it is asked");
  } else if (is_free) {
    // CheckLowPort() says it.
  } else if (others.empty()) {
    Add(kFail, "port", std::string(probed.status().message()));
  } else if (agent_.is_there && agent_.pid == 0) {
    Ok("port", absl::StrCat(where, " is taken, as the agent says"));
  } else {
    const std::string& first = *others.begin();
    Add(kFail, "port", absl::StrCat(where, " is taken by ", first),
        MakeRoom(first));
  }
}

void Doctor::CheckLowPort(uint16_t port) {
  if (port >= 1024) return;
  // A running one has it, whatever this user may.
  if (agent_.is_there || agent_.pid != 0 || MayBindLow(port)) {
    return Ok("capability", absl::StrCat("port ", port, " may be taken"));
  }
  Add(kFail, "capability", absl::StrCat("this user may not take port ", port),
      "setcap cap_net_bind_service=+ep on the binary, AmbientCapabilities="
      "CAP_NET_BIND_SERVICE in the unit, or sysctl "
      "net.ipv4.ip_unprivileged_port_start=53");
}

void Doctor::CheckPorts() {
  if (Listeners().empty()) {
    return Add(kWarn, "port", "DNS is off", "set ports { dns = 8600 }");
  }
  if (agent_.is_there && !agent_.is_local) return;
  std::set<uint16_t> ports;
  for (const Endpoint& endpoint : Listeners()) {
    if (endpoint.port == 0) continue;
    ports.insert(endpoint.port);
    CheckPort(endpoint);
  }
  for (const uint16_t port : ports) CheckLowPort(port);
}

bool Doctor::IsUnseen() const {
  return agent_.is_there && agent_.is_local && agent_.pid == 0 &&
         geteuid() != 0;
}

void Doctor::CheckBuffers() {
  const int given = ReceiveBufferBytes();
  if (given >= kUdpReceiveBufferBytes) {
    Ok("buffers", absl::StrCat("a UDP socket gets the ", kUdpReceiveBufferBytes,
                               " bytes it wants"));
  } else if (agent_.pid != 0 && HasCapability(agent_.pid, CAP_NET_ADMIN)) {
    Ok("buffers", "the agent may pass net.core.rmem_max (CAP_NET_ADMIN)");
  } else if (IsUnseen()) {
    Add(kWarn, "buffers",
        absl::StrCat("net.core.rmem_max gives a UDP socket ", given,
                     " bytes; whether the agent may pass it, this user does "
                     "not see"),
        kAskAsRoot);
  } else {
    Add(kWarn, "buffers",
        absl::StrCat("a UDP socket gets ", given, " bytes of the ",
                     kUdpReceiveBufferBytes,
                     " it wants: bursts of queries are lost"),
        absl::StrCat("sysctl -w net.core.rmem_max=", kUdpReceiveBufferBytes));
  }
  if (!agent_.is_there || !agent_.is_local) return;
  uint64_t drops = 0;
  for (const Endpoint& endpoint : Listeners()) {
    for (const ProcSocket& socket : SocketsAt(SocketProtocol::kUdp, endpoint)) {
      drops += socket.drops;
    }
  }
  if (drops == 0) return Ok("drops", "no query found a full buffer");
  Add(kWarn, "drops",
      absl::StrCat(drops, " queries found a full buffer and were lost"),
      "more -workers, a larger net.core.rmem_max, or more machines");
}

void Doctor::CheckDescriptors() {
  if (IsUnseen()) {
    return Add(kWarn, "descriptors",
               "how many files the agent may open, this user does not see",
               kAskAsRoot);
  }
  const std::optional<uint64_t> limit = DescriptorLimit(agent_.pid);
  if (!limit) return;
  const auto workers = static_cast<uint64_t>(
      config_.workers > 0 ? config_.workers : CoreCount());
  const uint64_t wanted =
      workers * config_.client_limits.tcp.connections_max + kOtherDescriptors;
  if (*limit >= wanted) {
    return Ok("descriptors", absl::StrCat("open files are limited to ", *limit,
                                          ", ", wanted, " are wanted"));
  }
  Add(kWarn, "descriptors",
      absl::StrCat("open files are limited to ", *limit, ", but ", workers,
                   " workers may have ",
                   config_.client_limits.tcp.connections_max,
                   " connections each"),
      absl::StrCat("LimitNOFILE=", wanted,
                   " in the unit, or a smaller dns_config.tcp.max_conns"));
}

void Doctor::CheckClock() {
  timex time{};
  const int state = adjtimex(&time);
  if (state < 0) {
    return Add(kWarn, "clock",
               absl::StrCat("the kernel does not tell whether the clock is "
                            "right: ",
                            absl::AsciiStrToLower(std::strerror(errno))));
  }
  if (state != TIME_ERROR && (time.status & STA_UNSYNC) == 0) {
    return Ok("clock", "it is synchronised");
  }
  Add(kWarn, "clock", "it is not synchronised",
      "run systemd-timesyncd or chrony: TSIG, cookies and certificates need "
      "the time");
}

void Doctor::CheckDataDir() {
  const std::string& dir = config_.data_dir;
  if (dir.empty()) return;
  std::error_code error;
  // One that is not there is made, as deep as need be.
  fs::path existing = fs::absolute(dir, error);
  while (!fs::exists(existing, error) && !error &&
         existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (error) {
    return Add(error == std::errc::permission_denied ? kWarn : kFail,
               "data_dir",
               absl::StrCat("user ", geteuid(), " cannot look at ",
                            existing.string(), ": ", error.message()),
               kAskAsRoot);
  }
  if (!fs::is_directory(existing, error)) {
    return Add(kFail, "data_dir",
               absl::StrCat(existing.string(), " is no directory"));
  }
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    // Root may write what anybody may, and of other users none but root sees
    // the process.
    const bool is_known = agent_.pid != 0 || geteuid() == 0;
    return Add(is_known ? kFail : kWarn, "data_dir",
               absl::StrCat(existing.string(), " cannot be written by user ",
                            geteuid(),
                            is_known ? ""
                                     : ", as whom dnsd need "
                                       "not run"),
               is_known ? "chown it to the user that runs dnsd"
                        : "`dnsd doctor` as the user that runs dnsd says "
                          "whether that one may");
  }
  struct statvfs space {};
  if (statvfs(existing.c_str(), &space) != 0) return;
  const uint64_t bytes = uint64_t{space.f_bavail} * space.f_frsize;
  const std::string left = absl::StrCat(dir, " has ", bytes >> 20, " MiB left");
  if (bytes < kSpaceFailBytes) {
    Add(kFail, "data_dir", left, "make room: registrations are refused else");
  } else if (bytes < kSpaceWarnBytes) {
    Add(kWarn, "data_dir", left, "make room");
  } else {
    Ok("data_dir", left);
  }
}

void Doctor::CheckCertificate() {
  if (config_.https_tls == nullptr) return;
  const X509* const shown = SSL_CTX_get0_certificate(config_.https_tls->ssl());
  int days = 0;
  int seconds = 0;
  if (shown == nullptr || ASN1_TIME_diff(&days, &seconds, nullptr,
                                         X509_get0_notAfter(shown)) != 1) {
    return;
  }
  if (days < 0 || seconds < 0) {
    Add(kFail, "certificate",
        absl::StrCat("cert_file expired ", -days, " days ago"),
        "put another in place and `dnsd reload`");
  } else if (days < kCertificateWarnDays) {
    Add(kWarn, "certificate",
        absl::StrCat("cert_file expires in ", days, " days"),
        "put another in place and `dnsd reload`");
  } else {
    Ok("certificate", absl::StrCat("cert_file is good for ", days, " days"));
  }
}

}  // namespace dnsd
