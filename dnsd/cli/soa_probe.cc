#include "dnsd/cli/soa_probe.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/socket_address.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using Clock = std::chrono::steady_clock;

absl::Status ErrnoError(int error) {
  return absl::UnavailableError(absl::AsciiStrToLower(std::strerror(error)));
}

absl::Status NoAnswer() {
  return absl::DeadlineExceededError(
      absl::StrCat("no answer in ", kSoaProbeMs / 1000, " s"));
}

std::string MakeQuery(const std::string& wire, uint16_t id) {
  std::string query(kHeaderBytes, '\0');
  auto* head = reinterpret_cast<uint8_t*>(query.data());
  Store16(head, id);
  Store16(head + 4, 1);
  query += wire;
  std::string tail(4, '\0');
  Store16(reinterpret_cast<uint8_t*>(tail.data()), kTypeSoa);
  Store16(reinterpret_cast<uint8_t*>(tail.data()) + 2, kClassIn);
  return query + tail;
}

absl::Status Judge(const std::string& reply) {
  const auto* const head = reinterpret_cast<const uint8_t*>(reply.data());
  if (reply.size() < kHeaderBytes || (Load16(head + 2) & kFlagQr) == 0) {
    return absl::DataLossError("what came back is no answer");
  }
  const int rcode = Load16(head + 2) & 0xf;
  if (rcode == kRefused) return absl::UnavailableError("REFUSED");
  if (rcode == kServFail) return absl::UnavailableError("SERVFAIL");
  if (rcode != kNoError || Load16(head + 6) == 0) {
    return absl::UnavailableError(
        absl::StrCat("an answer without SOA, rcode ", rcode));
  }
  return absl::OkStatus();
}

class Probe {
 public:
  explicit Probe(UniqueFd fd) : fd_(std::move(fd)) {}

  // Waits until the socket can do that; false when the time is over.
  [[nodiscard]] bool WaitFor(short events) const {
    pollfd wait{fd_.get(), events, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - Clock::now());
    return left.count() > 0 &&
           poll(&wait, 1, static_cast<int>(left.count())) > 0;
  }

  absl::Status Connect(const SocketAddress& address) {
    if (connect(fd_.get(), &address.sa, address.size()) == 0) {
      return absl::OkStatus();
    }
    if (errno != EINPROGRESS) return ErrnoError(errno);
    if (!WaitFor(POLLOUT)) return NoAnswer();
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? absl::OkStatus() : ErrnoError(error);
  }

  absl::Status Send(const std::string& bytes) {
    const ssize_t sent =
        send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return absl::OkStatus();
    return ErrnoError(sent < 0 ? errno : EIO);
  }

  // At most so many bytes of what comes next.
  absl::Status Receive(size_t bytes_max, std::string* bytes) {
    if (!WaitFor(POLLIN)) return NoAnswer();
    bytes->resize(bytes_max);
    const ssize_t got = recv(fd_.get(), bytes->data(), bytes->size(), 0);
    if (got < 0) return ErrnoError(errno);
    bytes->resize(static_cast<size_t>(got));
    return got > 0 ? absl::OkStatus()
                   : absl::UnavailableError("the connection was closed");
  }

 private:
  UniqueFd fd_;
  Clock::time_point deadline_ =
      Clock::now() + std::chrono::milliseconds(kSoaProbeMs);
};

absl::Status AskUdp(const std::string& query, Probe* probe) {
  absl::Status status = probe->Send(query);
  std::string reply;
  while (status.ok()) {
    status = probe->Receive(kUdpPlainMax, &reply);
    if (!status.ok()) break;
    // Another's id is an answer to somebody else.
    if (reply.size() >= 2 && reply.substr(0, 2) == query.substr(0, 2)) {
      return Judge(reply);
    }
  }
  return status;
}

absl::Status AskTcp(const std::string& query, Probe* probe) {
  std::string size(2, '\0');
  Store16(reinterpret_cast<uint8_t*>(size.data()),
          static_cast<uint32_t>(query.size()));
  absl::Status status = probe->Send(size + query);
  std::string got;
  while (status.ok()) {
    std::string more;
    status = probe->Receive(UINT16_MAX, &more);
    got += more;
    if (got.size() < 2) continue;
    const size_t wanted = Load16(reinterpret_cast<const uint8_t*>(got.data()));
    if (got.size() >= 2 + wanted) return Judge(got.substr(2, wanted));
  }
  return status;
}

}  // namespace

absl::Status SoaProbe(const Endpoint& server, SocketProtocol protocol,
                      const std::string& domain) {
  const absl::StatusOr<SocketAddress> address = ToSocketAddress(server);
  if (!address.ok()) return address.status();
  std::string wire;
  if (!NameToWire(domain, &wire)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", domain, "\" is no domain"));
  }
  const bool is_udp = protocol == SocketProtocol::kUdp;
  UniqueFd fd(socket(
      address->sa.sa_family,
      (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError(errno);
  Probe probe(std::move(fd));
  const absl::Status connected = probe.Connect(*address);
  if (!connected.ok()) return connected;
  std::random_device random;
  const std::string query = MakeQuery(wire, static_cast<uint16_t>(random()));
  return is_udp ? AskUdp(query, &probe) : AskTcp(query, &probe);
}

}  // namespace dnsd
