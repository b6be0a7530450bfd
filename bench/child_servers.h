// Starting the servers that benchmarks compare: plain_server from beside this
// program, and DNS servers of others by a text of configuration.
//
// Threads: one owner.
// Errors:  std::nullopt, having said why on standard error.
#ifndef DNSD_BENCH_CHILD_SERVERS_H_
#define DNSD_BENCH_CHILD_SERVERS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct ChildServer {
  std::unique_ptr<Process> process;
  uint16_t port = 0;
};

// plain_server with these arguments, once it has said its port.
[[nodiscard]] std::optional<ChildServer> StartPlainServer(
    const std::vector<std::string>& args);

// A DNS server of others. In `config` and `args`, DIR is a directory of its
// own, PORT its port, CONFIG the file of `config`, and others what a caller
// gives for them.
struct PeerServer {
  const char* name;
  const char* program;  // below usr/
  const char* config;
  std::vector<std::string> args;
};

// What ResolverProgram() says for it; "": it was not fetched.
[[nodiscard]] std::string ProgramOf(const PeerServer& peer);

// Once `is_up`, which is asked again and again until kPatience is over.
[[nodiscard]] std::optional<ChildServer> StartPeerServer(
    const PeerServer& peer, const TempDir& dir,
    std::vector<std::pair<std::string, std::string>> replacements,
    const std::function<bool(const DnsServer&)>& is_up);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_CHILD_SERVERS_H_
