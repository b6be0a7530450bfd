#include "zones/query.h"

namespace dnsd {
namespace {

// The size of an owner name at `at`, which may end in a pointer; 0 if bad.
size_t SkipName(std::span<const uint8_t> packet, size_t at) {
  size_t begin = at;
  while (at < packet.size()) {
    uint8_t size = packet[at];
    if (size == 0) return at + 1 - begin;
    if (size >= 0xc0) return at + 2 <= packet.size() ? at + 2 - begin : 0;
    if (size > kLabelBytesMax) return 0;
    at += 1u + size;
    if (at - begin >= kNameBytesMax) return 0;
  }
  return 0;
}

// Checks the ECS option's own structure (RFC 7871 section 6).
bool EcsIsSound(const uint8_t* data, size_t size) {
  if (size < 4) return false;
  uint16_t family = Load16(data);
  size_t source = data[2];
  if (family == 0) return source == 0 && size == 4;
  size_t bits_max = family == 1 ? 32 : family == 2 ? 128 : 0;
  return source <= bits_max && size - 4 <= bits_max / 8 &&
         size - 4 >= (source + 7) / 8;
}

bool ParseOptions(std::span<const uint8_t> packet, size_t at, size_t end,
                  Query* query) {
  while (at < end) {
    if (end - at < 4) return false;
    size_t size = Load16(&packet[at + 2]);
    if (end - at - 4 < size) return false;
    uint16_t code = Load16(&packet[at]);
    if (code == kOptionEcs && query->ecs_offset == 0) {
      if (!EcsIsSound(&packet[at] + 4, size)) return false;
      query->ecs_offset = static_cast<uint16_t>(at);
      query->ecs_size = static_cast<uint16_t>(size + 4);
    } else if (code == kOptionCookie && query->cookie_at == 0) {
      query->cookie_at = static_cast<uint16_t>(at + 4);
      query->cookie_size = static_cast<uint16_t>(size);
    } else if (code == kOptionKeepalive && size == 0) {
      query->asks_keepalive = true;
    }
    at += 4 + size;
  }
  return true;
}

// Walks one record; reads it if it is the OPT. Returns its end, or 0.
size_t ParseRecord(std::span<const uint8_t> packet, size_t at,
                   bool in_additional, Query* query) {
  size_t name_size = SkipName(packet, at);
  if (name_size == 0) return 0;
  size_t fixed = at + name_size;
  if (packet.size() - fixed < 10) return 0;
  size_t rdata = fixed + 10;
  size_t end = rdata + Load16(&packet[fixed + 8]);
  if (end > packet.size()) return 0;
  if (!in_additional) return end;
  const uint16_t type = Load16(&packet[fixed]);
  if (type == kTypeTsig) query->has_tsig = true;
  if (type != kTypeOpt) return end;
  // RFC 6891 6.1.1: one OPT, owned by the root.
  if (query->has_opt || name_size != 1) return 0;
  query->has_opt = true;
  query->udp_size = Load16(&packet[fixed + 2]);
  query->edns_version = packet[fixed + 5];
  query->dnssec_ok = (packet[fixed + 6] & 0x80) != 0;
  return ParseOptions(packet, rdata, end, query) ? end : 0;
}

}  // namespace

ParseResult ParseQuery(std::span<const uint8_t> packet, Query* query) {
  query->packet = packet.data();
  query->packet_size = packet.size();
  if (packet.size() < kHeaderBytes) return ParseResult::kDropShort;
  query->flags = Load16(&packet[2]);
  if ((query->flags & kFlagQr) != 0) return ParseResult::kDropResponse;
  uint8_t opcode = query->opcode();
  query->is_notify = opcode == kOpNotify;

  size_t at = kHeaderBytes;
  uint16_t question_count = Load16(&packet[4]);
  if (question_count == 1) {
    size_t size = ParseName(packet.subspan(at), &query->qname);
    at += size;
    if (size != 0 && packet.size() - at >= 4) {
      query->qtype = Load16(&packet[at]);
      query->qclass = Load16(&packet[at + 2]);
      query->has_question = true;
      at += 4;
    }
  }
  if (opcode != kOpQuery && opcode != kOpNotify) return ParseResult::kNotImp;
  bool is_bare = question_count == 0 && opcode == kOpQuery;
  if (!query->has_question && !is_bare) return ParseResult::kFormErr;

  uint32_t before = Load16(&packet[6]) + uint32_t{Load16(&packet[8])};
  uint32_t records = before + Load16(&packet[10]);
  // More than a SOA each (IXFR, NOTIFY), an OPT and a TSIG is no query.
  if (Load16(&packet[6]) > 1 || Load16(&packet[8]) > 1 ||
      Load16(&packet[10]) > 2) {
    return ParseResult::kFormErr;
  }
  for (uint32_t i = 0; i < records; ++i) {
    at = ParseRecord(packet, at, i >= before, query);
    if (at == 0) return ParseResult::kFormErr;
  }
  query->trailing = at != packet.size();
  if (is_bare) {  // RFC 7873 5.4
    bool asks = query->cookie_at != 0 && records == 1 && !query->trailing;
    return asks ? ParseResult::kCookieOnly : ParseResult::kFormErr;
  }
  return ParseResult::kOk;
}

}  // namespace dnsd
