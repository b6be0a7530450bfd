// What is written: queries to upstreams, and their answers to clients.
// HOT PATH: WriteForClient(), WriteFailure()
#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "dnsd/forward/upstream_answer.h"
#include "zones/cookie.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kOptBytes = 11;
constexpr size_t kStaleOptionBytes = 6;

constexpr uint16_t kOptionPadding = 12;  // RFC 7830
constexpr size_t kOptionHeadBytes = 4;
constexpr size_t kPaddingBlockBytes = 128;

// Writes an OPT of ours, without options.
void PutOpt(uint8_t* at, uint16_t udp_size, bool dnssec_ok) {
  std::memset(at, 0, kOptBytes);
  Store16(at + 1, kTypeOpt);
  Store16(at + 3, udp_size);
  Store16(at + 7, dnssec_ok ? 0x8000 : 0);
}

// What the OPT of a response takes, apart from "Stale Answer".
size_t ClientOptBytes(const Query& query) {
  if (!query.has_opt) return 0;
  return query.cookie_reply == nullptr ? kOptBytes
                                       : kOptBytes + 4 + kCookieBytes;
}

// Writes the OPT of a response, and says so in its header. Returns its size.
size_t PutClientOpt(const Query& query, const ClientAnswerOptions& options,
                    bool say_stale, uint8_t* at, uint8_t* header) {
  if (!query.has_opt) return 0;
  PutOpt(at, options.udp_size_max, query.dnssec_ok);
  Store16(header + 10, 1);
  size_t size = ClientOptBytes(query);
  if (query.cookie_reply != nullptr) {
    Store16(at + kOptBytes, kOptionCookie);
    Store16(at + kOptBytes + 2, kCookieBytes);
    std::memcpy(at + kOptBytes + 4, query.cookie_reply, kCookieBytes);
  }
  if (say_stale) {
    static constexpr uint8_t kStaleOption[kStaleOptionBytes] = {
        0, kOptionEde, 0, 2, 0, kEdeStaleAnswer};
    std::memcpy(at + size, kStaleOption, kStaleOptionBytes);
    size += kStaleOptionBytes;
  }
  Store16(at + 9, static_cast<uint32_t>(size - kOptBytes));
  return size;
}

// Header and question of a response to the query. Returns their size.
size_t PutHead(const Query& query, uint32_t flags, uint8_t* out) {
  const uint32_t copied = kOpcodeMask | kFlagRd | kFlagCd;
  std::memcpy(out, query.packet, 2);
  Store16(out + 2, kFlagQr | kFlagRa | flags | (query.flags & copied));
  std::memset(out + 4, 0, kHeaderBytes - 4);
  if (!query.has_question) return kHeaderBytes;
  Store16(out + 4, 1);
  std::memcpy(out + kHeaderBytes, query.packet + kHeaderBytes,
              query.question_size());
  return kHeaderBytes + query.question_size();
}

size_t LimitOf(const Query& query, Transport transport,
               const ClientAnswerOptions& options) {
  if (transport == Transport::kTcp) return kResponseBytesMax;
  // RFC 6891 6.2.3: below 512 means 512.
  const size_t client =
      std::max<size_t>(query.has_opt ? query.udp_size : 0, kUdpPlainMax);
  return std::min(client, std::max<size_t>(options.udp_size_max, kUdpPlainMax));
}

void Rotate(const UpstreamAnswer& answer, uint32_t start, uint8_t* out) {
  const UpstreamAnswer::Rotation& set = answer.rotation;
  const char* from = answer.bytes.data() + set.first_rdata_at;
  uint8_t* to = out + set.first_rdata_at;
  for (uint32_t i = 0; i < set.count; ++i) {
    uint32_t other = start + i < set.count ? start + i : start + i - set.count;
    std::memcpy(to + size_t{i} * set.stride, from + size_t{other} * set.stride,
                set.rdata_size);
  }
}

}  // namespace

ForwardKey::ForwardKey(const ForwardQuestion& question)
    : name(WireBytes(question.name)),
      qtype(question.qtype),
      qclass(question.qclass),
      dnssec_ok(question.dnssec_ok),
      checking_disabled(question.checking_disabled) {}

ForwardKey::ForwardKey(const Query& query)
    : name(query.qname.lower, query.qname.size),
      qtype(query.qtype),
      qclass(query.qclass),
      dnssec_ok(query.has_opt && query.dnssec_ok),
      checking_disabled((query.flags & kFlagCd) != 0) {}

ForwardKey::ForwardKey(std::span<const uint8_t> own_name, uint16_t own_qtype)
    : name(own_name),
      qtype(own_qtype),
      qclass(kClassIn),
      dnssec_ok(false),
      checking_disabled(false) {}

ForwardQuestion ForwardKey::Kept() const {
  return {{reinterpret_cast<const char*>(name.data()), name.size()},
          qtype,
          qclass,
          dnssec_ok,
          checking_disabled};
}

std::string WriteUpstreamQuery(const SentQuery& sent) {
  const ForwardQuestion& question = sent.question;
  const uint16_t udp_size = sent.udp_size;
  const std::span<const uint8_t> name =
      WireBytes(sent.spelled_name.empty() ? question.name : sent.spelled_name);
  std::string packet(
      kHeaderBytes + name.size() + 4 + (udp_size != 0 ? kOptBytes : 0), '\0');
  auto* out = reinterpret_cast<uint8_t*>(packet.data());
  Store16(out, sent.id);
  Store16(out + 2,
          kFlagRd | kFlagAd | (question.checking_disabled ? kFlagCd : 0u));
  Store16(out + 4, 1);
  uint8_t* at = out + kHeaderBytes;
  std::memcpy(at, name.data(), name.size());
  at += name.size();
  Store16(at, question.qtype);
  Store16(at + 2, question.qclass);
  if (udp_size == 0) return packet;
  PutOpt(at + 4, udp_size, question.dnssec_ok);
  Store16(out + 10, 1);
  if (!sent.is_padded) return packet;
  const size_t bare = packet.size() + kOptionHeadBytes;
  const size_t size =
      (bare + kPaddingBlockBytes - 1) / kPaddingBlockBytes * kPaddingBlockBytes;
  const size_t opt_at = packet.size() - kOptBytes;
  packet.resize(size);
  out = reinterpret_cast<uint8_t*>(packet.data()) + opt_at;
  const size_t padding = size - bare;
  Store16(out + 9, static_cast<uint16_t>(kOptionHeadBytes + padding));
  Store16(out + kOptBytes, kOptionPadding);
  Store16(out + kOptBytes + 2, static_cast<uint16_t>(padding));
  return packet;
}

size_t WriteForClient(const UpstreamAnswer& answer, const Query& query,
                      Transport transport, const ClientAnswerOptions& options,
                      Random* random, uint8_t* out) {
  const std::span<const uint8_t> bytes = WireBytes(answer.bytes);
  size_t size = bytes.size();
  const size_t limit = LimitOf(query, transport, options);
  const size_t opt_size = ClientOptBytes(query);
  if (size + opt_size > limit) {
    const uint32_t flags = kFlagTc | answer.rcode;
    size = PutHead(query, flags, out);
    return size + PutClientOpt(query, options, false, out + size, out);
  }
  std::memcpy(out, bytes.data(), size);
  const uint32_t counts[] = {Load16(out + 6), Load16(out + 8)};
  const bool wants_ad = (query.flags & kFlagAd) != 0 || query.dnssec_ok;
  const uint32_t ad = wants_ad ? Load16(out + 2) & kFlagAd : 0u;
  PutHead(query, ad | answer.rcode, out);
  Store16(out + 6, counts[0]);
  Store16(out + 8, counts[1]);

  for (uint16_t at : answer.ttl_at) {
    const uint32_t left =
        TtlLeft(Load32(out + at), options.age_s, options.is_stale);
    Store32(out + at, std::min(left, options.ttl_cap));
  }
  if (answer.rotation.count > 1) {
    const uint32_t start = random->Below(answer.rotation.count);
    if (start != 0) Rotate(answer, start, out);
  }
  const bool say_stale =
      options.is_stale && size + opt_size + kStaleOptionBytes <= limit;
  return size + PutClientOpt(query, options, say_stale, out + size, out);
}

size_t WriteFailure(const Query& query, uint8_t rcode,
                    const ClientAnswerOptions& options, uint8_t* out) {
  const size_t size = PutHead(query, rcode & 0xfu, out);
  return size + PutClientOpt(query, options, false, out + size, out);
}

}  // namespace dnsd
