#include "zones/message.h"

namespace dnsd {
namespace {

// The wire size of the uncompressed name at `name`, root label included.
size_t NameSize(const uint8_t* name) {
  size_t size = 0;
  while (name[size] != 0) size += 1u + name[size];
  return size + 1;
}

}  // namespace

Message::Message(const Query& query, const View& view, uint8_t* out,
                 size_t limit)
    : query_(query),
      view_(view),
      out_(out),
      at_(kHeaderBytes),
      limit_(limit),
      compress_(!view.policy.disable_compression),
      primary_size_(view.domains[view.primary_domain].wire.size()) {
  Put({query.packet + kHeaderBytes, query.question_size()});
}

void Message::Rewind() {
  at_ = kHeaderBytes + query_.question_size();
  saved_ = 0;
  overflowed_ = false;
  counts_[kAnswer] = counts_[kAuthority] = counts_[kAdditional] = 0;
  node_at_ = addr_at_ = dc_at_ = 0;
  text_owners_known_ = false;
}

void Message::SetSuffix(const Domain& domain) {
  domain_ = &domain;
  size_t skip = query_.qname.size - domain.wire.size();
  suffix_ = query_.packet + kHeaderBytes + skip;
  suffix_size_ = domain.wire.size();
  suffix_at_ = kHeaderBytes + skip;
}

void Message::SetPrimarySuffix() {
  domain_ = &view_.domains[view_.primary_domain];
  suffix_ = WireBytes(domain_->wire).data();
  suffix_size_ = domain_->wire.size();
  suffix_at_ = 0;
}

std::span<const uint8_t> Message::NameAt(size_t at) const {
  return {out_ + at, NameSize(out_ + at)};
}

size_t Message::OwnerSize(size_t owner) const {
  if (owner == 0) return compress_ ? 2 : query_.qname.size;
  return CanPoint(owner) ? 2 : NameSize(out_ + owner);
}

void Message::PutOwner(size_t owner) {
  if (owner == 0) owner = kHeaderBytes;
  if (CanPoint(owner)) {
    PutPointer(owner);
  } else {
    // Names are written uncompressed wherever an owner may point, so this
    // copies plain labels.
    Put(NameAt(owner));
  }
}

void Message::Begin(Section section, size_t owner) {
  last_record_ = at_;
  PutOwner(owner);
  last_owner_size_ = at_ - last_record_;
  saved_ += owner == 0 ? query_.qname.size - last_owner_size_
                       : NameSize(out_ + owner) - last_owner_size_;
  ++counts_[section];
}

bool Message::Add(Section section, const RrRecord& record, size_t owner) {
  bool in_domain = (record.flags & RrRecord::kInDomain) != 0;
  size_t size = record.size - 2u + (in_domain ? suffix_size_ : 0);
  if (!Fits(OwnerSize(owner) + size)) return false;
  Begin(section, owner);
  size_t head = at_;
  Put({record.bytes() + 2, record.size - 2u});
  if (in_domain) {
    bool lower = (record.flags & RrRecord::kLowerDomain) != 0;
    Put(lower ? WireBytes(domain_->wire)
              : std::span<const uint8_t>(suffix_, suffix_size_));
    if (suffix_size_ != primary_size_) {
      uint32_t rdlength = Load16(out_ + head + 8);
      Store16(out_ + head + 8,
              static_cast<uint32_t>(rdlength + suffix_size_ - primary_size_));
    }
  }
  if (override_ttl_) Store32(out_ + head + 4, ttl_);
  return true;
}

bool Message::AddTargetAddress(const RrRecord& target, size_t target_at,
                               const RrRecord& address) {
  size_t tail = (target.flags & RrRecord::kNodeTarget) != 0   ? node_at_
                : (target.flags & RrRecord::kAddrTarget) != 0 ? addr_at_
                                                              : 0;
  if (target_at != 0 && (CanPoint(target_at) || !CanPoint(tail))) {
    return Add(kAdditional, address, target_at);
  }
  // The target is too far for a pointer, or not there, but what it ends in is.
  if (!CanPoint(tail) || !Fits(target.split + address.size)) return false;
  Put({target.bytes() + kSrvTargetOffset, target.split});
  PutPointer(tail);
  Put({address.bytes() + 2, address.size - 2u});
  ++counts_[kAdditional];
  return true;
}

bool Message::AddRaw(Section section, size_t owner, uint16_t type, uint32_t ttl,
                     std::span<const uint8_t> rdata) {
  size_t size = kRecordHeadBytes + rdata.size();
  if (!Fits(OwnerSize(owner) + size)) return false;
  Begin(section, owner);
  PutHead(type, ttl, rdata.size());
  Put(rdata);
  return true;
}

void Message::PutHead(uint16_t type, uint32_t ttl, size_t rdata_size) {
  Store16(out_ + at_, type);
  Store16(out_ + at_ + 2, kClassIn);
  Store32(out_ + at_ + 4, override_ttl_ ? ttl_ : ttl);
  Store16(out_ + at_ + 8, static_cast<uint32_t>(rdata_size));
  at_ += kRecordHeadBytes;
}

bool Message::AddLowered(Section section, uint16_t type, uint32_t ttl,
                         std::span<const uint8_t> rdata) {
  size_t left = query_.qname.size - suffix_size_;
  bool same =
      std::memcmp(query_.packet + kHeaderBytes, query_.qname.lower, left) == 0;
  if (view_.rfc() || same) return AddRaw(section, 0, type, ttl, rdata);
  if (!Fits(query_.qname.size + kRecordHeadBytes + rdata.size())) return false;
  Put({query_.qname.lower, left});
  if (CanPoint(suffix_at_)) {
    PutPointer(suffix_at_);
  } else {
    Put({suffix_, suffix_size_});
  }
  PutHead(type, ttl, rdata.size());
  Put(rdata);
  ++counts_[section];
  return true;
}

bool Message::AddSoa(Section section, uint32_t serial, uint32_t ttl) {
  static constexpr uint8_t kMname[] = {2, 'n', 's'};
  static constexpr uint8_t kRname[] = {10,  'h', 'o', 's', 't', 'm',
                                       'a', 's', 't', 'e', 'r'};
  const Domain& primary = view_.domains[view_.primary_domain];
  // Consul names its primary domain unless the question ends in "." and the
  // alt domain, letter for letter.
  const Domain* domain = domain_;
  if (!view_.rfc() && domain != &primary &&
      (suffix_at_ == kHeaderBytes ||
       std::memcmp(suffix_, domain->wire.data(), suffix_size_) != 0)) {
    domain = &primary;
  }
  bool as_asked = domain == domain_ && CanPoint(suffix_at_) &&
                  (view_.rfc() || std::memcmp(suffix_, domain->wire.data(),
                                              suffix_size_) == 0);
  size_t full = domain->wire.size();
  size_t name = compress_ ? 2 : full;
  size_t size = (as_asked ? 2 : full) + kRecordHeadBytes + sizeof(kMname) +
                name + sizeof(kRname) + name + 20;
  if (!Fits(size)) return false;
  std::span<const uint8_t> wire = WireBytes(domain->wire);

  size_t owner = as_asked ? suffix_at_ : at_;
  if (as_asked) {
    PutPointer(owner);
  } else {
    Put(wire);
  }
  size_t head = at_;
  at_ += kRecordHeadBytes;
  for (std::span<const uint8_t> label :
       {std::span<const uint8_t>(kMname), std::span<const uint8_t>(kRname)}) {
    Put(label);
    if (compress_) {
      PutPointer(owner);
    } else {
      Put(wire);
    }
  }
  const SoaPolicy& soa = view_.policy.soa;
  for (uint32_t number :
       {serial, soa.refresh, soa.retry, soa.expire, view_.negative_ttl}) {
    Store32(out_ + at_, number);
    at_ += 4;
  }
  Store16(out_ + head, kTypeSoa);
  Store16(out_ + head + 2, kClassIn);
  Store32(out_ + head + 4, ttl);
  Store16(out_ + head + 8,
          static_cast<uint32_t>(at_ - head - kRecordHeadBytes));
  ++counts_[section];
  return true;
}

void Message::NoteTarget(const RrRecord& record, size_t target_at) {
  static constexpr size_t kKeywordBytes = 5;  // \4node, \4addr
  size_t keyword = target_at + record.split;
  if ((record.flags & RrRecord::kNodeTarget) != 0) {
    if (node_at_ == 0) node_at_ = keyword;
  } else if ((record.flags & RrRecord::kAddrTarget) != 0) {
    if (addr_at_ == 0) addr_at_ = keyword;
  } else {
    return;
  }
  if (dc_at_ == 0) dc_at_ = keyword + kKeywordBytes;
}

void Message::PutNodeName(const TextBlock& block,
                          std::span<const uint8_t> datacenter) {
  static constexpr uint8_t kNode[] = {4, 'n', 'o', 'd', 'e'};
  Put({block.owner(), block.owner_size});
  if (CanPoint(node_at_)) return PutPointer(node_at_);
  if (node_at_ == 0) node_at_ = at_;
  Put(kNode);
  if (CanPoint(dc_at_)) return PutPointer(dc_at_);
  if (dc_at_ == 0) dc_at_ = at_;
  out_[at_++] = static_cast<uint8_t>(datacenter.size());
  Put(datacenter);
  if (CanPoint(suffix_at_)) return PutPointer(suffix_at_);
  Put({suffix_, suffix_size_});
}

void Message::AddTexts(const TextBlock& block,
                       std::span<const uint8_t> datacenter, size_t owner) {
  const uint8_t* record = block.records();
  if (!text_owners_known_) {
    std::memset(text_owner_at_, 0, sizeof(text_owner_at_));
    text_owners_known_ = true;
  }
  if (block.id < kTextOwnersMax) {
    uint16_t& known = text_owner_at_[block.id];
    if (owner == 0) owner = known;
    if (known == 0) known = static_cast<uint16_t>(owner == 0 ? at_ : owner);
  }
  // The most the owner can take: written in full.
  size_t owner_max =
      block.owner_size + 5u + 1u + datacenter.size() + suffix_size_;
  for (uint16_t i = 0; i < block.count; ++i) {
    uint16_t size;
    std::memcpy(&size, record, sizeof(size));
    record += sizeof(size);
    bool point = CanPoint(owner);
    if (!Fits((point ? 2 : owner_max) + size)) return;
    size_t owner_at = at_;
    if (point) {
      PutPointer(owner);
    } else {
      PutNodeName(block, datacenter);
      owner = owner_at;
    }
    saved_ += owner_max - (at_ - owner_at);
    Put({record, size});
    record += size;
    ++counts_[kAdditional];
  }
}

// Split off: most clients send no options, and little is stale.
void Message::PutOptionsSlow() {
  if (echo_ecs_) {
    Put({query_.packet + query_.ecs_offset, query_.ecs_size});
    out_[at_ - query_.ecs_size + 7] = 0;  // scope prefix length
  }
  if (query_.cookie_reply != nullptr) {
    Store16(out_ + at_, kOptionCookie);
    Store16(out_ + at_ + 2, kCookieBytes);
    at_ += 4;
    Put({query_.cookie_reply, kCookieBytes});
  }
  if (keepalive_ != 0) {
    Store16(out_ + at_, kOptionKeepalive);
    Store16(out_ + at_ + 2, 2);
    Store16(out_ + at_ + 4, keepalive_);
    at_ += kKeepaliveOptionBytes;
  }
  if (mark_stale_) {
    static constexpr uint8_t kStaleOption[kStaleOptionBytes] = {
        0, kOptionEde, 0, 2, 0, kEdeStaleAnswer};
    Put(kStaleOption);
  }
}

size_t Message::Finish() {
  if (want_opt) {
    uint8_t* opt = out_ + at_;
    opt[0] = 0;
    Store16(opt + 1, kTypeOpt);
    Store16(opt + 3, opt_udp_size);
    opt[5] = static_cast<uint8_t>(rcode >> 4);
    opt[6] = 0;  // version
    Store16(opt + 7, opt_dnssec_ok ? 0x8000 : 0);
    Store16(opt + 9, static_cast<uint32_t>(opt_options_size_));
    at_ += kOptBytes;
    if (opt_options_size_ != 0) PutOptionsSlow();
    ++counts_[kAdditional];
  }
  std::memcpy(out_, query_.packet, 2);
  // RD and CD are QUERY's (RFC 1035 4.1.1); Consul clears them for NOTIFY.
  uint32_t copied = query_.opcode() == kOpQuery ? kFlagRd | kFlagCd : 0;
  uint32_t word = kFlagQr | flags | (rcode & 0xfu) |
                  (query_.flags & (kOpcodeMask | copied));
  Store16(out_ + 2, word);
  Store16(out_ + 4, 1);
  Store16(out_ + 6, counts_[kAnswer]);
  Store16(out_ + 8, counts_[kAuthority]);
  Store16(out_ + 10, counts_[kAdditional]);
  return at_;
}

}  // namespace dnsd
