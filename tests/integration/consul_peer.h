// Peer is one of two servers that are asked the same questions; NewestConsul
// is one that answers like the newest Consul.
//
// Threads: one owner.
// Errors:  Reply::error says why there is no message; it is then empty.
#ifndef DNSD_TESTS_INTEGRATION_CONSUL_PEER_H_
#define DNSD_TESTS_INTEGRATION_CONSUL_PEER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/testing/consul_release.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

struct Reply {
  std::string error;
  Message message;
  Bytes wire;
};

// One server, with a socket for each transport.
class Peer {
 public:
  explicit Peer(const DnsServer& server);

  void SendUdp(const std::string& packet);
  // The reply to what was sent last.
  [[nodiscard]] Reply ReceiveUdp(std::chrono::milliseconds timeout);

  // Servers close a connection after a while or some number of questions;
  // then the question is sent once more on a new one.
  void SendTcp(const std::string& packet);
  [[nodiscard]] Reply ReceiveTcp();
  [[nodiscard]] Reply AskTcp(const std::string& packet);

 private:
  [[nodiscard]] bool SendFrame() const;
  [[nodiscard]] static Reply Read(const DnsReply& raw,
                                  const std::string& packet);

  DnsServer server_;
  DnsSocket udp_;
  std::optional<DnsSocket> tcp_;
  std::string udp_packet_;
  std::string tcp_packet_;
  bool udp_sent_ = false;
};

struct DiffQuestion {
  std::string name;
  uint16_t type = 1;
  QueryOptions options;
  // Even the TCP answer is a random part of what there is: records are
  // counted, and each must be one that Consul has given as well.
  bool sampled = false;

  [[nodiscard]] std::string Text() const;
};

// Consul 1.8.7 over TCP, and what the newest release would say in its place.
class NewestConsul {
 public:
  NewestConsul(const DnsServer& server, const ReleaseConfig& config);

  // Any SOA of its domain; the owner is empty when it gave none.
  [[nodiscard]] const Rr& soa() const { return soa_; }
  [[nodiscard]] Peer& peer() { return peer_; }

  // `reply` is what 1.8.7 said over TCP to this question.
  [[nodiscard]] Message Modern(const DiffQuestion& question,
                               const Message& reply, RowCounts* counts);
  // Asks it, with EDNS, and makes that modern.
  [[nodiscard]] Reply Ask(const DiffQuestion& question);

 private:
  Peer peer_;
  ReleaseConfig config_;
  Rr soa_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CONSUL_PEER_H_
