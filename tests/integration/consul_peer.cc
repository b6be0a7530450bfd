#include "tests/integration/consul_peer.h"

#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

std::span<const uint8_t> Bytes8(const std::string& packet) {
  return {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()};
}

DnsReply NotSent() {
  DnsReply reply;
  reply.error = "not sent";
  return reply;
}

}  // namespace

Peer::Peer(const DnsServer& server)
    : server_(server), udp_(DnsSocket::Udp(server)) {}

void Peer::SendUdp(const std::string& packet) {
  udp_packet_ = packet;
  udp_sent_ = udp_.Send(Bytes8(packet));
}

Reply Peer::ReceiveUdp(std::chrono::milliseconds timeout) {
  return Read(udp_sent_ ? udp_.Receive(timeout) : NotSent(), udp_packet_);
}

void Peer::SendTcp(const std::string& packet) {
  tcp_packet_ = packet;
  if (!tcp_) tcp_.emplace(DnsSocket::Tcp(server_));
  if (!SendFrame()) tcp_.reset();
}

Reply Peer::ReceiveTcp() {
  DnsReply reply = tcp_ ? tcp_->Receive() : NotSent();
  if (!reply.error.empty()) {
    tcp_.reset();
    tcp_.emplace(DnsSocket::Tcp(server_));
    reply = SendFrame() ? tcp_->Receive() : NotSent();
  }
  if (!reply.error.empty()) tcp_.reset();
  return Read(reply, tcp_packet_);
}

Reply Peer::AskTcp(const std::string& packet) {
  SendTcp(packet);
  return ReceiveTcp();
}

bool Peer::SendFrame() const { return tcp_->SendFrame(Bytes8(tcp_packet_)); }

Reply Peer::Read(const DnsReply& raw, const std::string& packet) {
  Reply reply;
  reply.error = raw.error;
  if (!reply.error.empty()) return reply;
  reply.wire = raw.wire;
  reply.error = ParseMessage(raw.wire, &reply.message);
  if (reply.error.empty() &&
      packet.compare(0, 2,
                     {static_cast<char>(raw.wire[0]),
                      static_cast<char>(raw.wire[1])}) != 0) {
    reply.error = "a reply to another question";
  }
  return reply;
}

std::string DiffQuestion::Text() const {
  std::string text = absl::StrCat(name, " ", TypeText(type));
  if (!options.rd) text += " +nord";
  if (options.cd) text += " +cd";
  if (options.ad) text += " +ad";
  if (options.opcode != 0) absl::StrAppend(&text, " opcode=", options.opcode);
  if (options.qclass != 1) absl::StrAppend(&text, " class=", options.qclass);
  if (!options.edns) return text;
  absl::StrAppend(&text, " edns=", options.edns->udp_size,
                  " version=", options.edns->version,
                  options.edns->dnssec_ok ? " do" : "",
                  options.edns->options.empty() ? "" : " with options");
  return text;
}

NewestConsul::NewestConsul(const DnsServer& server, const ReleaseConfig& config)
    : peer_(server), config_(config) {
  const Reply reply =
      peer_.AskTcp(BuildQuery(config.domain, kTypeSoa, QueryOptions()));
  if (!reply.message.answer.empty()) soa_ = reply.message.answer[0];
}

Message NewestConsul::Modern(const DiffQuestion& question, const Message& reply,
                             RowCounts* counts) {
  const AskAny ask_any = [this](const std::string& qname) {
    QueryOptions options;
    options.edns.emplace();
    const Reply any = peer_.AskTcp(BuildQuery(qname, kTypeAny, options));
    return any.error.empty() ? any.message.answer : std::vector<Rr>();
  };
  const std::optional<std::string> name =
      NameIn187(config_, question.name, question.type);
  if (!name) {
    return Modernize(config_, question.name, soa_, reply, ask_any, counts);
  }
  const Reply other =
      peer_.AskTcp(BuildQuery(*name, question.type, question.options));
  if (!other.error.empty()) return reply;  // which does not fit
  return Modernize(config_, question.name, soa_, other.message, ask_any,
                   counts);
}

Reply NewestConsul::Ask(const DiffQuestion& question) {
  DiffQuestion asked = question;
  asked.options = QueryOptions();
  asked.options.edns.emplace();
  Reply reply = peer_.AskTcp(BuildQuery(asked.name, asked.type, asked.options));
  if (!reply.error.empty()) return reply;
  RowCounts counts;
  reply.message = Modern(asked, reply.message, &counts);
  return reply;
}

}  // namespace dnsd::testing
