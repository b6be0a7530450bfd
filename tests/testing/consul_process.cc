#include "tests/testing/consul_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr char kDefaultBinary[] = "build/consul/usr/bin/consul";
constexpr int kAttempts = 100;

int BindLoopback(int type, uint16_t port) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
      0) {
    return fd;
  }
  close(fd);
  return -1;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t bytes = sizeof(address);
  DNSD_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) ==
             0);
  return ntohs(address.sin_port);
}

// Ports that are free for TCP and for UDP, all different.
template <size_t kCount>
std::array<uint16_t, kCount> FreePorts() {
  std::array<uint16_t, kCount> ports{};
  std::vector<int> held;
  size_t found = 0;
  for (int i = 0; i < kAttempts && found < kCount; ++i) {
    const int tcp = BindLoopback(SOCK_STREAM, 0);
    DNSD_CHECK(tcp >= 0);
    held.push_back(tcp);
    const int udp = BindLoopback(SOCK_DGRAM, PortOf(tcp));
    if (udp < 0) continue;
    held.push_back(udp);
    ports[found++] = PortOf(tcp);
  }
  for (const int fd : held) close(fd);
  DNSD_CHECK(found == kCount);
  return ports;
}

}  // namespace

std::optional<std::string> ConsulBinary() {
  const char* variable = std::getenv("DNSD_CONSUL");
  const std::string path = variable != nullptr ? variable : kDefaultBinary;
  if (access(path.c_str(), X_OK) != 0) return std::nullopt;
  return path;
}

ConsulProcess::ConsulProcess(const std::string& binary,
                             const std::vector<std::string>& args) {
  const auto [dns, server, serf] = FreePorts<3>();
  dns_.port = dns;
  server_port_ = server;
  const std::string ports = dir_.Write(
      "ports.hcl", absl::StrCat("ports { dns = ", dns, " server = ", server,
                                " serf_lan = ", serf,
                                " serf_wan = -1 http = -1 grpc = -1 }\n"));
  std::vector<std::string> command = {binary, "agent", "-dev", "-config-file",
                                      ports};
  command.insert(command.end(), args.begin(), args.end());
  process_.emplace(command);
}

bool ConsulProcess::WaitUntilSynced(const std::string& node_check_id) {
  return process_->WaitForOutput("Synced check: check=" + node_check_id);
}

}  // namespace dnsd::testing
