// The sockets of this network namespace and whose they are, as /proc shows
// them.
//
// Threads: any; blocks on file I/O.
// Errors:  what cannot be read is not there: the processes of others, without
//          root's rights.
#ifndef DNSD_DNSD_CLI_PROC_SOCKETS_H_
#define DNSD_DNSD_CLI_PROC_SOCKETS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/config.h"

namespace dnsd {

enum class SocketProtocol : uint8_t { kUdp, kTcp };

// Bound by UDP, or listening by TCP.
struct ProcSocket {
  Endpoint local;
  uint64_t inode = 0;
  uint64_t drops = 0;  // UDP: packets that found its buffer full
};

[[nodiscard]] std::vector<ProcSocket> ReadProcSockets(SocketProtocol protocol);
// Of the text of /proc/net/udp, udp6, tcp or tcp6.
[[nodiscard]] std::vector<ProcSocket> ParseProcSockets(absl::string_view text,
                                                       SocketProtocol protocol);

// Those that may stand in the way of a listener there.
[[nodiscard]] std::vector<ProcSocket> SocketsAt(SocketProtocol protocol,
                                                const Endpoint& endpoint);

struct SocketOwner {
  int pid = 0;
  std::string name;  // of the program, as in `ps`
};
// All that have it: one that is passed on is had by several.
[[nodiscard]] std::vector<SocketOwner> SocketOwners(uint64_t inode);

// The value of "Name:" of /proc/PID/status ("self" for 0), or "".
[[nodiscard]] std::string ProcStatusField(int pid, absl::string_view field);
// Whether the process has the capability of that number in effect.
[[nodiscard]] bool HasCapability(int pid, int capability);

// The first line of a file, or "".
[[nodiscard]] std::string FirstLineOf(const std::string& path);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_PROC_SOCKETS_H_
