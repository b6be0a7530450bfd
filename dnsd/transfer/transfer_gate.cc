#include "dnsd/transfer/transfer_gate.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "zones/catalog_zone.h"
#include "zones/query.h"
#include "zones/wire.h"

namespace dnsd {

// A question that the gate answers, without its TSIG record.
struct TransferGate::Asked {
  std::vector<uint8_t> packet;
  Query query;
  TsigSession tsig;
  Transport transport;
  const SocketAddress& client;
  const View& view;
  RespondContext* context;
  uint8_t* out;

  [[nodiscard]] bool is_transfer() const {
    return query.opcode() == kOpQuery && query.qclass == kClassIn &&
           !query.trailing &&
           (query.qtype == kTypeAxfr || query.qtype == kTypeIxfr);
  }

  // The most an answer may take.
  [[nodiscard]] size_t limit() const {
    if (transport == Transport::kTcp) return kResponseBytesMax;
    if (!query.has_opt) return kUdpPlainMax;
    return std::min<size_t>(std::max<size_t>(query.udp_size, kUdpPlainMax),
                            view.policy.edns_udp_size);
  }

  // Header and question; the size.
  size_t Bare(uint16_t flags, Rcode rcode) const {
    std::memset(out, 0, kHeaderBytes);
    std::memcpy(out, packet.data(), 2);
    Store16(out + 2,
            kFlagQr | flags | (query.flags & (kOpcodeMask | kFlagRd)) | rcode);
    Store16(out + 4, 1);
    std::memcpy(out + kHeaderBytes, packet.data() + kHeaderBytes,
                query.question_size());
    return kHeaderBytes + query.question_size();
  }

  TransferVerdict Error(Rcode rcode) {
    size_t size = Bare(0, rcode);
    if (query.has_opt) {
      uint8_t opt[11] = {0, 0, kTypeOpt};
      Store16(opt + 3, view.policy.edns_udp_size);
      std::memcpy(out + size, opt, sizeof(opt));
      size += sizeof(opt);
      Store16(out + 10, 1);
    }
    return {Sign(size), nullptr};
  }

  // What everybody is answered.
  TransferVerdict Plain() {
    context->leaves_transfers = false;
    const Response response = Respond(packet, transport, view, context, out);
    context->leaves_transfers = true;
    context->asked.kind = AskedKey::kNothing;
    // Who signs asks about zones, and not for what has to be waited for.
    if (response.outcome == Outcome::kPending ||
        response.outcome == Outcome::kForward) {
      return Error(kServFail);
    }
    return {Sign(response.size), nullptr};
  }

  // The SOA alone, to IXFR: nothing is newer, or the rest is to be asked for
  // over TCP (RFC 1995 sections 2 and 4).
  TransferVerdict SoaOnly() {
    const size_t type_at = kHeaderBytes + query.qname.size;
    Store16(&packet[type_at], kTypeSoa);
    context->leaves_transfers = false;
    const Response response = Respond(packet, transport, view, context, out);
    context->leaves_transfers = true;
    context->asked.kind = AskedKey::kNothing;
    Store16(&packet[type_at], query.qtype);
    if (response.size < type_at + 4) return Error(kServFail);
    Store16(out + type_at, query.qtype);
    return {Sign(response.size), nullptr};
  }

 private:
  // Signs what is in `out`; without its records where they leave no room (RFC
  // 8945 section 5.3).
  size_t Sign(size_t size) {
    if (!tsig.is_signed() || size == 0) return size;
    std::vector<uint8_t> message(size + kTsigBytesMax);
    std::memcpy(message.data(), out, size);
    TsigSession session = tsig;
    size_t signed_size =
        AppendTsig(&session, context->unix_time, message.data(), size);
    if (signed_size > limit()) {
      const auto rcode = static_cast<Rcode>(out[3] & 0xf);
      size = Bare(kFlagTc, rcode);
      std::memcpy(message.data(), out, size);
      session = tsig;
      signed_size =
          AppendTsig(&session, context->unix_time, message.data(), size);
    }
    std::memcpy(out, message.data(), signed_size);
    return signed_size;
  }
};

namespace {

// The end of a name that may end in a pointer, or 0.
size_t SkipName(std::span<const uint8_t> packet, size_t at) {
  while (at < packet.size()) {
    const uint8_t size = packet[at];
    if (size == 0) return at + 1;
    if (size >= 0xc0) return at + 2;
    at += 1u + size;
  }
  return 0;
}

// The serial that an IXFR says its client has (RFC 1995 section 3).
bool ReadSerial(const Query& query, std::span<const uint8_t> packet,
                uint32_t* serial) {
  if (Load16(&packet[6]) != 0 || Load16(&packet[8]) != 1) return false;
  size_t at = SkipName(packet, kHeaderBytes + query.question_size());
  if (at == 0 || packet.size() < at + 10) return false;
  if (Load16(&packet[at]) != kTypeSoa) return false;
  const size_t end = at + 10 + Load16(&packet[at + 8]);
  at = SkipName(packet, at + 10);
  if (at == 0) return false;
  at = SkipName(packet, at);
  if (at == 0 || end > packet.size() || at + 20 != end) return false;
  *serial = Load32(&packet[at]);
  return true;
}

// Whether `a` is `b` or newer (RFC 1982).
bool IsCurrent(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) >= 0;
}

}  // namespace

bool FindTransferZone(const View& view, const TransferOptions& options,
                      const std::string& apex, TransferZone* zone) {
  if (!options.Covers(apex)) return false;
  const auto file = view.zone_by_apex.find(apex);
  if (file != view.zone_by_apex.end()) {
    *zone = {file->second, nullptr, file->second->serial};
    return true;
  }
  for (const Domain& domain : view.domains) {
    if (domain.wire != apex) continue;
    *zone = {nullptr, &domain, view.serial, HasCatalogZone(view)};
    return true;
  }
  return false;
}

bool TransferGate::Reserve() {
  if (connections_.fetch_add(1) < connections_max_) return true;
  connections_.fetch_sub(1);
  return false;
}

TransferVerdict TransferGate::Answer(std::span<const uint8_t> packet,
                                     Transport transport,
                                     const SocketAddress& client,
                                     const View& view, bool may_grant,
                                     bool has_slot, RespondContext* context,
                                     uint8_t* out) {
  Asked asked{{packet.begin(), packet.end()},
              {},
              {},
              transport,
              client,
              view,
              context,
              out};
  TsigRecord record;
  const TsigParse parsed = ParseTsig(packet, &record);
  if (parsed == TsigParse::kSigned) {
    VerifyQuestion(options_->keys, packet, record, context->unix_time,
                   &asked.tsig);
    asked.packet = WithoutTsig(packet, record);
    // The answer's id is that of the message, should a forwarder have changed
    // it (RFC 8945 section 5.5); its digest covers what is sent.
    std::memcpy(asked.packet.data(), packet.data(), 2);
  }
  if (ParseQuery(asked.packet, &asked.query) != ParseResult::kOk) {
    return asked.Plain();  // who was asked has read it once: not reached
  }
  if (parsed == TsigParse::kFormErr) return asked.Error(kFormErr);
  if (asked.tsig.error != kTsigOk) {
    bad_signatures_.fetch_add(1);
    return asked.Error(kNotAuth);
  }
  TransferVerdict verdict =
      asked.is_transfer() ? Judge(&asked, may_grant, has_slot) : asked.Plain();
  verdict.is_verified = asked.tsig.key != nullptr;
  return verdict;
}

TransferVerdict TransferGate::Judge(Asked* asked, bool may_grant,
                                    bool has_slot) {
  const Query& query = asked->query;
  const bool is_allowed =
      options_->Allows(asked->client) &&
      (options_->keys.empty() || asked->tsig.key != nullptr);
  if (!is_allowed) {
    refused_.fetch_add(1);
    return asked->Plain();
  }
  const std::string apex(reinterpret_cast<const char*>(query.qname.lower),
                         query.qname.size);
  TransferZone zone;
  if (!FindTransferZone(asked->view, *options_, apex, &zone)) {
    return asked->Error(kNotAuth);
  }
  if (!zone.is_ready) return asked->Error(kServFail);
  if (asked->transport == Transport::kUdp) {
    // AXFR is none over UDP (RFC 5936 section 4.2).
    return query.qtype == kTypeIxfr ? asked->SoaOnly() : asked->Plain();
  }
  uint32_t serial = 0;
  if (query.qtype == kTypeIxfr && ReadSerial(query, asked->packet, &serial) &&
      IsCurrent(serial, zone.serial)) {
    return asked->SoaOnly();
  }
  if (!may_grant || (!has_slot && !Reserve())) return asked->Error(kServFail);
  auto request = std::make_unique<TransferRequest>();
  request->apex = apex;
  request->question.assign(
      asked->packet.begin() + kHeaderBytes,
      asked->packet.begin() +
          static_cast<ptrdiff_t>(kHeaderBytes + query.question_size()));
  request->id = Load16(asked->packet.data());
  request->rd = (query.flags & kFlagRd) != 0;
  request->has_opt = query.has_opt;
  request->tsig = asked->tsig;
  return {0, std::move(request)};
}

}  // namespace dnsd
