#include "tests/testing/lying_server.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr int kTriesMax = 64;  // a port may be taken over TCP alone
constexpr int kLookMs = 10;    // whether to stop
constexpr int kPatienceS = 5;  // with a TCP client
constexpr int kBacklog = 128;
constexpr int kBufferBytes = 4 << 20;

using Packet = std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)>;

void Push(ldns_pkt* packet, ldns_pkt_section section,
          const std::vector<std::string>& records) {
  for (const std::string& text : records) {
    ldns_rr* record = nullptr;
    DNSD_CHECK(ldns_rr_new_frm_str(&record, text.c_str(), 0, nullptr,
                                   nullptr) == LDNS_STATUS_OK);
    ldns_pkt_push_rr(packet, section, record);
  }
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Bind(int fd, uint16_t port) {
  const sockaddr_in address = Loopback(port);
  return bind(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
}

}  // namespace

void Asked::Say(const Bytes& message) const {
  if (!over_tcp_) {
    sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&client_), sizeof(client_));
    return;
  }
  Bytes frame = {static_cast<uint8_t>(message.size() >> 8),
                 static_cast<uint8_t>(message.size() & 0xff)};
  frame.insert(frame.end(), message.begin(), message.end());
  send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL);
}

Bytes MakeReply(const Asked& asked, const Said& said) {
  ldns_pkt* read = nullptr;
  DNSD_CHECK(ldns_wire2pkt(&read, asked.query().wire.data(),
                           asked.query().wire.size()) == LDNS_STATUS_OK);
  const Packet query(read, &ldns_pkt_free);
  const Packet reply(ldns_pkt_new(), &ldns_pkt_free);
  ldns_pkt_set_id(reply.get(), ldns_pkt_id(query.get()));
  ldns_pkt_set_qr(reply.get(), true);
  ldns_pkt_set_rd(reply.get(), ldns_pkt_rd(query.get()));
  ldns_pkt_set_ra(reply.get(), true);
  ldns_pkt_set_tc(reply.get(), said.tc);
  ldns_pkt_set_rcode(reply.get(), static_cast<uint8_t>(said.rcode));
  ldns_pkt_push_rr(
      reply.get(), LDNS_SECTION_QUESTION,
      ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query.get()), 0)));
  Push(reply.get(), LDNS_SECTION_ANSWER, said.answer);
  Push(reply.get(), LDNS_SECTION_AUTHORITY, said.authority);
  Push(reply.get(), LDNS_SECTION_ADDITIONAL, said.additional);
  uint8_t* wire = nullptr;
  size_t size = 0;
  DNSD_CHECK(ldns_pkt2wire(&wire, reply.get(), &size) == LDNS_STATUS_OK);
  Bytes bytes(wire, wire + size);
  free(wire);
  return bytes;
}

Bytes AddressReply(const Asked& asked, const std::string& address) {
  return MakeReply(asked,
                   {.answer = {absl::StrCat(asked.name(), " 60 A ", address)}});
}

LyingServer::LyingServer(Script script) : script_(std::move(script)) {
  bool listens = false;
  for (int i = 0; i < kTriesMax && !listens; ++i) listens = Listen();
  DNSD_CHECK(listens);
  thread_ = std::thread([this] { Run(); });
}

LyingServer::~LyingServer() {
  stop_ = true;
  thread_.join();
  close(udp_);
  close(tcp_);
}

bool LyingServer::Listen() {
  if (udp_ >= 0) close(udp_);
  if (tcp_ >= 0) close(tcp_);
  udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(udp_, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof(kBufferBytes));
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (!Bind(udp_, 0) ||
      getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return false;
  }
  port_ = ntohs(address.sin_port);
  return Bind(tcp_, port_) && listen(tcp_, kBacklog) == 0;
}

void LyingServer::Tell(Script script) {
  const std::lock_guard none_runs(running_);
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

std::string LyingServer::Address() const {
  return absl::StrCat("127.0.0.1:", port_);
}

int LyingServer::Count(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

int LyingServer::TcpCount(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = tcp_counts_.find(name);
  return found == tcp_counts_.end() ? 0 : found->second;
}

void LyingServer::Run() {
  while (!stop_) {
    pollfd ready[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
    if (poll(ready, 2, kLookMs) <= 0) continue;
    if ((ready[0].revents & POLLIN) != 0) ServeUdp();
    if ((ready[1].revents & POLLIN) != 0) ServeTcp();
  }
}

void LyingServer::ServeUdp() {
  Bytes query(UINT16_MAX);
  Asked asked;
  asked.fd_ = udp_;
  socklen_t size = sizeof(asked.client_);
  const ssize_t count =
      recvfrom(udp_, query.data(), query.size(), 0,
               reinterpret_cast<sockaddr*>(&asked.client_), &size);
  if (count <= 0) return;
  query.resize(static_cast<size_t>(count));
  Answer(std::move(asked), query);
}

void LyingServer::ServeTcp() {
  Asked asked;
  asked.over_tcp_ = true;
  asked.fd_ = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (asked.fd_ < 0) return;
  const int fd = asked.fd_;
  const timeval patience{kPatienceS, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  uint8_t length[2];
  if (recv(fd, length, 2, MSG_WAITALL) == 2) {
    Bytes query(static_cast<size_t>(length[0] << 8 | length[1]));
    if (recv(fd, query.data(), query.size(), MSG_WAITALL) ==
        static_cast<ssize_t>(query.size())) {
      Answer(std::move(asked), query);
    }
  }
  close(fd);
}

void LyingServer::Answer(Asked asked, const Bytes& query) {
  asked.query_ = ReadReply(query);
  DNSD_CHECK(asked.query_.error.empty());
  const std::string& question = asked.query_.question;
  asked.name_ = absl::AsciiStrToLower(question.substr(0, question.find(' ')));
  Script script;
  const std::lock_guard runs(running_);
  {
    const std::lock_guard lock(mutex_);
    ++counts_[asked.name_];
    if (asked.over_tcp_) ++tcp_counts_[asked.name_];
    script = script_;
  }
  script(asked);
}

}  // namespace dnsd::testing
