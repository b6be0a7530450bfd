// A plain DNS client for tests: one socket, one question, bounded waits.
//
// Messages are built and read by ldns, so an answer that it cannot read is a
// failure. Records come as text in one form:
//   "web.service.consul. 5 IN A 192.0.2.11"
//
// Threads:   one owner per socket; the free functions may run on any thread.
// Ownership: sockets close themselves.
// Errors:    DnsReply::error says why there is no reply; it is then empty.
#ifndef DNSD_TESTS_TESTING_DNS_CLIENT_H_
#define DNSD_TESTS_TESTING_DNS_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dnsd::testing {

using Bytes = std::vector<uint8_t>;

inline constexpr std::chrono::milliseconds kReplyPatience{10'000};

struct DnsServer {
  std::string ip = "127.0.0.1";
  uint16_t port = 0;
};

struct DnsQuestion {
  std::string name;  // as typed: letter case is kept
  std::string type = "A";
  int edns_bytes = 0;  // payload size to announce; 0: no OPT record
  bool rd = true;
};

struct DnsReply {
  std::string error;  // "timeout", "connection closed", "malformed: ..."
  Bytes wire;
  std::string from;  // the address that a UDP reply came from

  uint16_t id = 0;
  std::string rcode;     // "NOERROR"
  std::string flags;     // "qr aa tc rd ra", those that are set
  std::string question;  // "web.service.consul. IN A"
  std::vector<std::string> answer;
  std::vector<std::string> authority;
  std::vector<std::string> additional;  // without OPT
  bool opt = false;
  int edns_bytes = 0;
};

[[nodiscard]] Bytes MakeQuery(const DnsQuestion& question, uint16_t id);
[[nodiscard]] DnsReply ReadReply(std::span<const uint8_t> message);

// Whether this machine has the address; one without IPv6 lacks ::1.
[[nodiscard]] bool HasAddress(const std::string& ip);

// The data of records of one type: {"192.0.2.11", "192.0.2.12"}.
[[nodiscard]] std::vector<std::string> Data(
    const std::vector<std::string>& records, const std::string& type);

// Ask and wait. A reply with another id than the question's is an error.
[[nodiscard]] DnsReply AskUdp(
    const DnsServer& server, const DnsQuestion& question,
    std::chrono::milliseconds timeout = kReplyPatience);
[[nodiscard]] DnsReply AskTcp(
    const DnsServer& server, const DnsQuestion& question,
    std::chrono::milliseconds timeout = kReplyPatience);

// A socket for what the functions above do not say: raw bytes, pipelining,
// half-sent frames, silence.
class DnsSocket {
 public:
  // A UDP socket is not connected, so that a reply from a wrong address is
  // seen and not filtered by the kernel.
  [[nodiscard]] static DnsSocket Udp(const DnsServer& server);
  [[nodiscard]] static DnsSocket Tcp(const DnsServer& server);
  ~DnsSocket();
  DnsSocket(DnsSocket&& other) noexcept;
  DnsSocket& operator=(DnsSocket&&) = delete;

  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  // All of it, as it is; false when the socket refuses.
  [[nodiscard]] bool Send(std::span<const uint8_t> bytes) const;
  // TCP: a message behind its two bytes of length.
  [[nodiscard]] bool SendFrame(std::span<const uint8_t> message) const;

  // The next datagram, or the next message of a TCP stream.
  [[nodiscard]] DnsReply Receive(
      std::chrono::milliseconds timeout = kReplyPatience);
  // TCP: whether the server closed the connection in time, having sent
  // nothing more.
  [[nodiscard]] bool WaitForClose(
      std::chrono::milliseconds timeout = kReplyPatience) const;

 private:
  DnsSocket(const DnsServer& server, int type);

  [[nodiscard]] std::optional<Bytes> ReadExactly(
      size_t count, std::chrono::steady_clock::time_point deadline,
      std::string* error) const;

  DnsServer server_;
  bool stream_ = false;
  int fd_ = -1;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_DNS_CLIENT_H_
