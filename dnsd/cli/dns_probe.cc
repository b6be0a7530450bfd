#include "dnsd/cli/dns_probe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/uuid.h"
#include "dnsd/config_addresses.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/socket_address.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kPackets = 3;
constexpr uint16_t kDnsPort = 53;

// id, no flags, one question: version.bind. TXT CH.
using ProbeQuery = std::array<uint8_t, 30>;
ProbeQuery MakeQuery(uint16_t id) {
  return {static_cast<uint8_t>(id >> 8),
          static_cast<uint8_t>(id & 0xff),
          0,
          0,
          0,
          1,
          0,
          0,
          0,
          0,
          0,
          0,
          7,
          'v',
          'e',
          'r',
          's',
          'i',
          'o',
          'n',
          4,
          'b',
          'i',
          'n',
          'd',
          0,
          0,
          16,
          0,
          3};
}

bool Answers(const uint8_t* packet, ssize_t size, const ProbeQuery& query) {
  return size >= 12 && packet[0] == query[0] && packet[1] == query[1] &&
         (packet[2] & 0x80) != 0;
}

// Waits for an answer until `end`; false when there is none.
absl::StatusOr<bool> Receive(int fd, const ProbeQuery& query,
                             steady_clock::time_point end) {
  for (;;) {
    const auto left =
        std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd readable{fd, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) continue;
    std::array<uint8_t, 512> packet;
    const ssize_t size = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && errno == ECONNREFUSED) {
      return absl::UnavailableError("connection refused");
    }
    // What is no answer to this question is from somebody else.
    if (Answers(packet.data(), size, query)) return true;
  }
}

}  // namespace

absl::Status ProbeDns(const std::string& address, milliseconds timeout) {
  const std::optional<Endpoint> endpoint = ParseEndpoint(address, kDnsPort);
  if (!endpoint) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not IP, IP:PORT or [IP]:PORT"));
  }
  const std::string what =
      absl::StrCat("DNS at ", EndpointText(*endpoint), " over UDP: ");
  const absl::StatusOr<SocketAddress> to = ToSocketAddress(*endpoint);
  if (!to.ok()) return to.status();
  const UniqueFd fd(socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect(fd.get(), &to->sa, to->size()) != 0) {
    return absl::UnavailableError(absl::StrCat(what, strerrordesc_np(errno)));
  }
  const ProbeQuery query = MakeQuery(static_cast<uint16_t>(RandomSeed()));
  const auto start = steady_clock::now();
  for (int sent = 1; sent <= kPackets; ++sent) {
    if (send(fd.get(), query.data(), query.size(), MSG_NOSIGNAL) < 0 &&
        errno != ECONNREFUSED) {
      return absl::UnavailableError(absl::StrCat(what, strerrordesc_np(errno)));
    }
    const absl::StatusOr<bool> answered =
        Receive(fd.get(), query, start + timeout * sent / kPackets);
    if (!answered.ok()) {
      return absl::UnavailableError(
          absl::StrCat(what, answered.status().message()));
    }
    if (*answered) return absl::OkStatus();
  }
  return absl::DeadlineExceededError(
      absl::StrCat(what, "no answer in ", timeout.count(), " ms"));
}

}  // namespace dnsd
