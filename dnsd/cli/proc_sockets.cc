#include "dnsd/cli/proc_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kListening = "0A";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string PidPath(int pid, absl::string_view name) {
  return absl::StrCat("/proc/", pid == 0 ? "self" : absl::StrCat(pid), "/",
                      name);
}

// "0100007F:0035": words of four bytes as this machine has them in memory.
bool ParseLocal(absl::string_view text, Endpoint* local) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  uint32_t port = 0;
  if (parts.size() != 2 || !absl::SimpleHexAtoi(parts[1], &port)) return false;
  const absl::string_view digits = parts[0];
  if (digits.size() != 8 && digits.size() != 32) return false;
  uint8_t bytes[16];
  for (size_t at = 0; at < digits.size(); at += 8) {
    uint32_t word = 0;
    if (!absl::SimpleHexAtoi(digits.substr(at, 8), &word)) return false;
    std::memcpy(bytes + at / 2, &word, sizeof(word));
  }
  char ip[INET6_ADDRSTRLEN];
  const int family = digits.size() == 8 ? AF_INET : AF_INET6;
  if (inet_ntop(family, bytes, ip, sizeof(ip)) == nullptr) return false;
  *local = {ip, static_cast<uint16_t>(port)};
  return true;
}

// Those that can be read. A loop over the iterator itself throws when the
// process ends meanwhile.
std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    entries.push_back(entry->path());
    entry.increment(error);
  }
  return entries;
}

bool IsWildcard(const std::string& ip) { return ip == "0.0.0.0" || ip == "::"; }

// A socket of [::] takes IPv4 too, unless it says otherwise, which cannot be
// seen here.
bool IsInTheWay(const Endpoint& has, const Endpoint& wants) {
  if (has.port != wants.port) return false;
  if (has.ip == wants.ip || has.ip == "::") return true;
  const bool is_same_family = (has.ip.find(':') == std::string::npos) ==
                              (wants.ip.find(':') == std::string::npos);
  return is_same_family && (IsWildcard(has.ip) || IsWildcard(wants.ip));
}

}  // namespace

std::vector<ProcSocket> ParseProcSockets(absl::string_view text,
                                         SocketProtocol protocol) {
  constexpr size_t kLocal = 1, kState = 3, kInode = 9, kDrops = 12;
  std::vector<ProcSocket> sockets;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    ProcSocket socket;
    if (words.size() <= kInode || !ParseLocal(words[kLocal], &socket.local) ||
        !absl::SimpleAtoi(words[kInode], &socket.inode)) {
      continue;
    }
    const bool is_udp = protocol == SocketProtocol::kUdp;
    if (!is_udp && words[kState] != kListening) continue;
    if (is_udp && words.size() > kDrops &&
        !absl::SimpleAtoi(words[kDrops], &socket.drops)) {
      socket.drops = 0;
    }
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::vector<ProcSocket> ReadProcSockets(SocketProtocol protocol) {
  const char* const name = protocol == SocketProtocol::kUdp ? "udp" : "tcp";
  std::vector<ProcSocket> all;
  for (const char* suffix : {"", "6"}) {
    const std::string text = ReadAll(absl::StrCat("/proc/net/", name, suffix));
    for (ProcSocket& socket : ParseProcSockets(text, protocol)) {
      all.push_back(std::move(socket));
    }
  }
  return all;
}

std::vector<ProcSocket> SocketsAt(SocketProtocol protocol,
                                  const Endpoint& endpoint) {
  std::vector<ProcSocket> there;
  for (ProcSocket& socket : ReadProcSockets(protocol)) {
    if (IsInTheWay(socket.local, endpoint)) there.push_back(std::move(socket));
  }
  return there;
}

std::vector<SocketOwner> SocketOwners(uint64_t inode) {
  const std::string wanted = absl::StrCat("socket:[", inode, "]");
  std::vector<SocketOwner> owners;
  for (const fs::path& process : EntriesOf("/proc")) {
    SocketOwner owner;
    if (!absl::SimpleAtoi(process.filename().string(), &owner.pid)) continue;
    for (const fs::path& fd : EntriesOf(process / "fd")) {
      std::error_code gone;
      if (fs::read_symlink(fd, gone) != wanted) continue;
      owner.name = FirstLineOf((process / "comm").string());
      owners.push_back(std::move(owner));
      break;
    }
  }
  return owners;
}

std::string ProcStatusField(int pid, absl::string_view field) {
  const std::string text = ReadAll(PidPath(pid, "status"));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, field) && absl::ConsumePrefix(&line, ":")) {
      return std::string(absl::StripAsciiWhitespace(line));
    }
  }
  return "";
}

bool HasCapability(int pid, int capability) {
  uint64_t effective = 0;
  return absl::SimpleHexAtoi(ProcStatusField(pid, "CapEff"), &effective) &&
         (effective >> capability & 1) != 0;
}

std::string FirstLineOf(const std::string& path) {
  const std::string text = ReadAll(path);
  return text.substr(0, text.find('\n'));
}

}  // namespace dnsd
