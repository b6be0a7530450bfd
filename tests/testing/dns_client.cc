#include "tests/testing/dns_client.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr int kReceiveBufferBytes = 4 << 20;

using Clock = std::chrono::steady_clock;
using Packet = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

struct Free {
  void operator()(void* memory) const { free(memory); }
};

// A string that ldns allocated, with every run of blanks as one.
std::string TakeText(char* text) {
  const std::unique_ptr<char, Free> owner(text);
  if (text == nullptr) return "";
  return absl::StrJoin(
      absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty()), " ");
}

std::vector<std::string> RecordTexts(const ldns_rr_list* list) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    texts.push_back(TakeText(ldns_rr2str(ldns_rr_list_rr(list, i))));
  }
  return texts;
}

std::string QuestionText(const ldns_pkt& packet) {
  const ldns_rr_list* questions = ldns_pkt_question(&packet);
  if (ldns_rr_list_rr_count(questions) == 0) return "";
  const ldns_rr* question = ldns_rr_list_rr(questions, 0);
  return absl::StrCat(TakeText(ldns_rdf2str(ldns_rr_owner(question))), " ",
                      TakeText(ldns_rr_class2str(ldns_rr_get_class(question))),
                      " ",
                      TakeText(ldns_rr_type2str(ldns_rr_get_type(question))));
}

std::string FlagsText(const ldns_pkt& packet) {
  std::vector<std::string> flags;
  if (ldns_pkt_qr(&packet)) flags.push_back("qr");
  if (ldns_pkt_aa(&packet)) flags.push_back("aa");
  if (ldns_pkt_tc(&packet)) flags.push_back("tc");
  if (ldns_pkt_rd(&packet)) flags.push_back("rd");
  if (ldns_pkt_ra(&packet)) flags.push_back("ra");
  return absl::StrJoin(flags, " ");
}

// Room for an address of either family.
union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  Address() : v6{} {}
};

socklen_t Encode(const DnsServer& server, Address* address) {
  if (inet_pton(AF_INET, server.ip.c_str(), &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(server.port);
    return sizeof(sockaddr_in);
  }
  DNSD_CHECK(inet_pton(AF_INET6, server.ip.c_str(), &address->v6.sin6_addr) ==
             1);
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons(server.port);
  return sizeof(sockaddr_in6);
}

std::string IpText(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = address.any.sa_family == AF_INET6;
  const void* ip = v6 ? static_cast<const void*>(&address.v6.sin6_addr)
                      : static_cast<const void*>(&address.v4.sin_addr);
  inet_ntop(address.any.sa_family, ip, text.data(), text.size());
  return text.data();
}

bool WaitReadable(int fd, Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - Clock::now());
  pollfd readable{fd, POLLIN, 0};
  return poll(&readable, 1, std::max(0, static_cast<int>(left.count()))) == 1;
}

DnsReply Failure(std::string error) {
  DnsReply reply;
  reply.error = std::move(error);
  return reply;
}

DnsReply CheckId(DnsReply reply, uint16_t id) {
  if (reply.error.empty() && reply.id != id) {
    return Failure(absl::StrCat("reply to ", reply.id, ", not to ", id));
  }
  return reply;
}

}  // namespace

Bytes MakeQuery(const DnsQuestion& question, uint16_t id) {
  const ldns_rr_type type = ldns_get_rr_type_by_name(question.type.c_str());
  DNSD_CHECK(type != 0);
  ldns_rdf* name = ldns_dname_new_frm_str(question.name.c_str());
  DNSD_CHECK(name != nullptr);
  const Packet packet(
      ldns_pkt_query_new(name, type, LDNS_RR_CLASS_IN,
                         static_cast<uint16_t>(question.rd ? LDNS_RD : 0)),
      &ldns_pkt_free);
  DNSD_CHECK(packet != nullptr);
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_edns_udp_size(packet.get(),
                             static_cast<uint16_t>(question.edns_bytes));
  uint8_t* wire = nullptr;
  size_t bytes = 0;
  DNSD_CHECK(ldns_pkt2wire(&wire, packet.get(), &bytes) == LDNS_STATUS_OK);
  const std::unique_ptr<uint8_t, Free> owner(wire);
  return {wire, wire + bytes};
}

DnsReply ReadReply(std::span<const uint8_t> message) {
  ldns_pkt* read = nullptr;
  const ldns_status status =
      ldns_wire2pkt(&read, message.data(), message.size());
  if (status != LDNS_STATUS_OK) {
    return Failure(
        absl::StrCat("malformed: ", ldns_get_errorstr_by_id(status)));
  }
  const Packet packet(read, &ldns_pkt_free);
  DnsReply reply;
  reply.wire.assign(message.begin(), message.end());
  reply.id = ldns_pkt_id(read);
  reply.rcode = TakeText(ldns_pkt_rcode2str(ldns_pkt_get_rcode(read)));
  reply.flags = FlagsText(*read);
  reply.question = QuestionText(*read);
  reply.answer = RecordTexts(ldns_pkt_answer(read));
  reply.authority = RecordTexts(ldns_pkt_authority(read));
  reply.additional = RecordTexts(ldns_pkt_additional(read));
  reply.opt = ldns_pkt_edns(read);
  reply.edns_bytes = reply.opt ? ldns_pkt_edns_udp_size(read) : 0;
  return reply;
}

bool HasAddress(const std::string& ip) {
  Address address;
  const socklen_t bytes = Encode({ip, 0}, &address);
  const int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool bound = bind(fd, &address.any, bytes) == 0;
  close(fd);
  return bound;
}

std::vector<std::string> Data(const std::vector<std::string>& records,
                              const std::string& type) {
  std::vector<std::string> data;
  for (const std::string& record : records) {
    // Owner, TTL, class, type, data.
    const std::vector<std::string> parts =
        absl::StrSplit(record, absl::MaxSplits(' ', 4));
    if (parts.size() == 5 && parts[3] == type) data.push_back(parts[4]);
  }
  return data;
}

DnsReply AskUdp(const DnsServer& server, const DnsQuestion& question,
                std::chrono::milliseconds timeout) {
  constexpr uint16_t kId = 0x4d55;
  DnsSocket socket = DnsSocket::Udp(server);
  if (!socket.ok() || !socket.Send(MakeQuery(question, kId))) {
    return Failure("cannot send");
  }
  return CheckId(socket.Receive(timeout), kId);
}

DnsReply AskTcp(const DnsServer& server, const DnsQuestion& question,
                std::chrono::milliseconds timeout) {
  constexpr uint16_t kId = 0x5443;
  DnsSocket socket = DnsSocket::Tcp(server);
  if (!socket.ok()) return Failure("cannot connect");
  if (!socket.SendFrame(MakeQuery(question, kId))) {
    return Failure("cannot send");
  }
  return CheckId(socket.Receive(timeout), kId);
}

DnsSocket DnsSocket::Udp(const DnsServer& server) {
  return DnsSocket(server, SOCK_DGRAM);
}

DnsSocket DnsSocket::Tcp(const DnsServer& server) {
  return DnsSocket(server, SOCK_STREAM);
}

DnsSocket::DnsSocket(const DnsServer& server, int type)
    : server_(server), stream_(type == SOCK_STREAM) {
  Address address;
  const socklen_t bytes = Encode(server, &address);
  fd_ = socket(address.any.sa_family, type | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd_ >= 0);
  // A client that is not scheduled for a while loses nothing.
  if (!stream_) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes,
               sizeof(kReceiveBufferBytes));
  }
  if (stream_ && connect(fd_, &address.any, bytes) != 0) {
    close(fd_);
    fd_ = -1;
  }
}

DnsSocket::~DnsSocket() {
  if (fd_ >= 0) close(fd_);
}

DnsSocket::DnsSocket(DnsSocket&& other) noexcept
    : server_(std::move(other.server_)),
      stream_(other.stream_),
      fd_(std::exchange(other.fd_, -1)) {}

bool DnsSocket::Send(std::span<const uint8_t> bytes) const {
  Address address;
  const socklen_t address_bytes = Encode(server_, &address);
  size_t sent = 0;
  do {
    const ssize_t count =
        sendto(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL,
               stream_ ? nullptr : &address.any, stream_ ? 0 : address_bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    sent += static_cast<size_t>(count);
  } while (sent < bytes.size());
  return true;
}

bool DnsSocket::SendFrame(std::span<const uint8_t> message) const {
  DNSD_CHECK(stream_ && message.size() <= UINT16_MAX);
  Bytes frame = {static_cast<uint8_t>(message.size() >> 8),
                 static_cast<uint8_t>(message.size() & 0xff)};
  frame.insert(frame.end(), message.begin(), message.end());
  return Send(frame);
}

std::optional<Bytes> DnsSocket::ReadExactly(size_t count,
                                            Clock::time_point deadline,
                                            std::string* error) const {
  Bytes bytes(count);
  size_t filled = 0;
  while (filled < count) {
    if (!WaitReadable(fd_, deadline)) {
      *error = "timeout";
      return std::nullopt;
    }
    const ssize_t read = recv(fd_, bytes.data() + filled, count - filled, 0);
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) {
      *error = "connection closed";
      return std::nullopt;
    }
    filled += static_cast<size_t>(read);
  }
  return bytes;
}

DnsReply DnsSocket::Receive(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  if (stream_) {
    std::string error;
    const std::optional<Bytes> length = ReadExactly(2, deadline, &error);
    if (!length.has_value()) return Failure(error);
    const size_t bytes = static_cast<size_t>((*length)[0] << 8 | (*length)[1]);
    const std::optional<Bytes> message = ReadExactly(bytes, deadline, &error);
    return message.has_value() ? ReadReply(*message) : Failure(error);
  }
  if (!WaitReadable(fd_, deadline)) return Failure("timeout");
  Bytes message(UINT16_MAX);
  Address from;
  socklen_t from_bytes = sizeof(from);
  const ssize_t bytes =
      recvfrom(fd_, message.data(), message.size(), 0, &from.any, &from_bytes);
  if (bytes < 0) return Failure(strerrordesc_np(errno));
  message.resize(static_cast<size_t>(bytes));
  DnsReply reply = ReadReply(message);
  reply.from = IpText(from);
  return reply;
}

bool DnsSocket::WaitForClose(std::chrono::milliseconds timeout) const {
  if (!WaitReadable(fd_, Clock::now() + timeout)) return false;
  uint8_t byte = 0;
  return recv(fd_, &byte, 1, 0) <= 0;
}

}  // namespace dnsd::testing
