#include "dnsd/cli/dns_probe.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/uuid.h"
#include "dnsd/config_addresses.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/socket_address.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kPackets = 3;
constexpr uint16_t kDnsPort = 53;
constexpr uint16_t kClassCh = 3;

void Append16(uint32_t value, std::string* bytes) {
  bytes->push_back(static_cast<char>(value >> 8));
  bytes->push_back(static_cast<char>(value));
}

uint32_t Load16At(const std::string& bytes, size_t at) {
  return Load16(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
}

absl::Status ErrnoError(int error) {
  return absl::UnavailableError(absl::AsciiStrToLower(std::strerror(error)));
}

// No flags, one question. nullopt: it is of no name.
std::optional<std::string> MakeQuery(const std::string& name, uint16_t type,
                                     uint16_t qclass) {
  std::string wire;
  if (!NameToWire(name, &wire)) return std::nullopt;
  std::string query;
  for (const uint32_t word :
       {static_cast<uint32_t>(RandomSeed() & 0xffff), 0u, 1u, 0u, 0u, 0u}) {
    Append16(word, &query);
  }
  query += wire;
  Append16(type, &query);
  Append16(qclass, &query);
  return query;
}

bool IsAnswer(const std::string& reply, const std::string& query) {
  return reply.size() >= kHeaderBytes &&
         Load16At(reply, 0) == Load16At(query, 0) &&
         (Load16At(reply, 2) & kFlagQr) != 0;
}

// One question on one socket.
class Asking {
 public:
  Asking(UniqueFd fd, milliseconds timeout)
      : fd_(std::move(fd)), timeout_(timeout) {}

  absl::Status Connect(const SocketAddress& address) {
    if (connect(fd_.get(), &address.sa, address.size()) == 0) {
      return absl::OkStatus();
    }
    if (errno != EINPROGRESS) return ErrnoError(errno);
    if (!WaitFor(POLLOUT, timeout_)) return NoAnswer();
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? absl::OkStatus() : ErrnoError(error);
  }

  absl::StatusOr<std::string> AskUdp(const std::string& query) {
    for (int sent = 1; sent <= kPackets; ++sent) {
      const absl::Status status = Send(query);
      if (!status.ok()) return status;
      while (WaitFor(POLLIN, timeout_ * sent / kPackets)) {
        absl::StatusOr<std::string> reply = Receive();
        // What is no answer to this question is from somebody else.
        if (!reply.ok() || IsAnswer(*reply, query)) return reply;
      }
    }
    return NoAnswer();
  }

  absl::StatusOr<std::string> AskTcp(const std::string& query) {
    std::string frame;
    Append16(static_cast<uint32_t>(query.size()), &frame);
    const absl::Status status = Send(frame + query);
    if (!status.ok()) return status;
    std::string got;
    while (got.size() < 2 || got.size() < 2 + Load16At(got, 0)) {
      if (!WaitFor(POLLIN, timeout_)) return NoAnswer();
      const absl::StatusOr<std::string> more = Receive();
      if (!more.ok()) return more;
      if (more->empty()) {
        return absl::UnavailableError("the connection was closed");
      }
      got += *more;
    }
    const std::string reply = got.substr(2, Load16At(got, 0));
    if (IsAnswer(reply, query)) return reply;
    return absl::DataLossError("what came back is no answer");
  }

 private:
  // Until so long after the start; false when that is over.
  [[nodiscard]] bool WaitFor(short events, milliseconds until) const {
    const auto left =
        std::chrono::ceil<milliseconds>(start_ + until - Clock::now());
    pollfd wait{fd_.get(), events, 0};
    return left.count() > 0 &&
           poll(&wait, 1, static_cast<int>(left.count())) > 0;
  }

  [[nodiscard]] absl::Status NoAnswer() const {
    return absl::DeadlineExceededError(
        absl::StrCat("no answer in ", timeout_.count(), " ms"));
  }

  [[nodiscard]] absl::Status Send(const std::string& bytes) const {
    const ssize_t sent =
        send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return absl::OkStatus();
    return ErrnoError(sent < 0 ? errno : EIO);
  }

  [[nodiscard]] absl::StatusOr<std::string> Receive() const {
    std::string bytes(UINT16_MAX, '\0');
    const ssize_t got = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    // A datagram with a wrong checksum is seen to come, and is not there.
    if (got < 0 && !WouldBlock(errno)) return ErrnoError(errno);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }

  UniqueFd fd_;
  const milliseconds timeout_;
  const Clock::time_point start_ = Clock::now();
};

absl::StatusOr<std::string> Ask(const Endpoint& server, SocketProtocol protocol,
                                const std::string& query,
                                milliseconds timeout) {
  const absl::StatusOr<SocketAddress> address = ToSocketAddress(server);
  if (!address.ok()) return address.status();
  const bool is_udp = protocol == SocketProtocol::kUdp;
  UniqueFd fd(socket(
      address->sa.sa_family,
      (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoError(errno);
  Asking asking(std::move(fd), timeout);
  const absl::Status connected = asking.Connect(*address);
  if (!connected.ok()) return connected;
  return is_udp ? asking.AskUdp(query) : asking.AskTcp(query);
}

}  // namespace

absl::Status ProbeDns(const std::string& address, milliseconds timeout) {
  const std::optional<Endpoint> endpoint = ParseEndpoint(address, kDnsPort);
  if (!endpoint) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not IP, IP:PORT or [IP]:PORT"));
  }
  const auto query = MakeQuery("version.bind", kTypeTxt, kClassCh);
  const absl::StatusOr<std::string> reply =
      Ask(*endpoint, SocketProtocol::kUdp, *query, timeout);
  if (reply.ok()) return absl::OkStatus();
  return {reply.status().code(),
          absl::StrCat("DNS at ", EndpointText(*endpoint),
                       " over UDP: ", reply.status().message())};
}

absl::Status SoaProbe(const Endpoint& server, SocketProtocol protocol,
                      const std::string& domain) {
  const auto query = MakeQuery(domain, kTypeSoa, kClassIn);
  if (!query) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", domain, "\" is no domain"));
  }
  const absl::StatusOr<std::string> reply =
      Ask(server, protocol, *query, kSoaProbeTimeout);
  if (!reply.ok()) return reply.status();
  const uint32_t rcode = Load16At(*reply, 2) & 0xf;
  if (rcode == kRefused) return absl::UnavailableError("REFUSED");
  if (rcode == kServFail) return absl::UnavailableError("SERVFAIL");
  if (rcode != kNoError || Load16At(*reply, 6) == 0) {
    return absl::UnavailableError(
        absl::StrCat("an answer without SOA, rcode ", rcode));
  }
  return absl::OkStatus();
}

}  // namespace dnsd
