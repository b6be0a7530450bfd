// Answers from a zone file: RFC 1034 4.3.2 without recursion. HOT PATH
#include <algorithm>

#include "zones/answer.h"
#include "zones/rr_order.h"
#include "zones/zone_lookup.h"

namespace dnsd {
namespace {

constexpr int kCnamesMax = 8;       // steps of a chain inside the zone
constexpr size_t kTargetsMax = 64;  // names that bring addresses along

// Where the host name begins in rdata that has one, else SIZE_MAX.
size_t TargetOffset(uint16_t type) {
  switch (type) {
    case kTypeNs:
      return 0;
    case kTypeMx:
      return 2;
    case kTypeSrv:
      return 6;
    default:
      return SIZE_MAX;
  }
}

class ZoneResponder {
 public:
  ZoneResponder(Answer* answer, const ZoneData& zone, size_t apex_label)
      : answer_(*answer),
        message_(answer->message),
        zone_(zone),
        apex_at_(kHeaderBytes + answer->query.qname.label[apex_label]) {
    message_.set_limit(answer_.limit - message_.opt_size());
  }

  void Run() {
    Name name = answer_.query.qname;
    size_t owner = 0;  // of the name looked up, in the message
    for (int step = 0; step <= kCnamesMax; ++step) {
      ZoneResult found =
          LookupZone(zone_, name.lower, name.size, answer_.query.qtype);
      if (found.wildcard || found.kind == ZoneAnswer::kDelegation) {
        answer_.counts_for_zone = true;
      }
      if (found.kind != ZoneAnswer::kCname) return Finish(found, owner);
      if (!AddRrset(Message::kAnswer, *found.rrset, owner)) return;
      owner = message_.last_name_at(kRdataOffset);
      if (ParseName(message_.NameAt(owner), &name) == 0) return;
      if (!IsInZone(name)) return FollowOut(&answer_, owner);
    }
  }

 private:
  bool IsInZone(const Name& name) const {
    if (name.size < zone_.apex.size()) return false;
    size_t at = name.size - zone_.apex.size();
    bool at_label = std::find(name.label, name.label + name.label_count + 1,
                              at) != name.label + name.label_count + 1;
    return at_label && std::memcmp(name.lower + at, zone_.apex.data(),
                                   zone_.apex.size()) == 0;
  }

  void Finish(const ZoneResult& found, size_t owner) {
    switch (found.kind) {
      case ZoneAnswer::kAnswer:
        if (found.rrset != nullptr) {
          AddRrset(Message::kAnswer, *found.rrset, owner);
        } else if (answer_.view.policy.minimal_any &&
                   answer_.transport == Transport::kUdp) {
          AddRrset(Message::kAnswer, Smallest(*found.node), owner);
          return;
        } else {
          for (const ZoneRrset& rrset : found.node->rrsets) {
            if (!AddRrset(Message::kAnswer, rrset, owner)) return;
          }
        }
        return AddTargets();
      case ZoneAnswer::kCname:
        return;
      case ZoneAnswer::kNodata:
        return Negative(Outcome::kNodata);
      case ZoneAnswer::kNxdomain:
        message_.rcode = kNxDomain;
        return Negative(Outcome::kNxdomain);
      case ZoneAnswer::kDelegation:
        // The child's data is not ours (RFC 1034 4.2.1).
        if (message_.count(Message::kAnswer) == 0) {
          message_.flags &= static_cast<uint16_t>(~kFlagAa);
        }
        AddRrset(Message::kAuthority, *found.rrset,
                 (owner == 0 ? kHeaderBytes : owner) + found.cut_offset);
        return AddTargets();
    }
  }

  // RFC 8482 section 4.1: one of them will do.
  static const ZoneRrset& Smallest(const ZoneNode& node) {
    const auto size = [](const ZoneRrset& rrset) {
      size_t bytes = 0;
      for (const std::string& rdata : rrset.rdata) {
        bytes += kRdataOffset + rdata.size();
      }
      return bytes;
    };
    return *std::min_element(node.rrsets.begin(), node.rrsets.end(),
                             [&](const ZoneRrset& a, const ZoneRrset& b) {
                               return size(a) < size(b);
                             });
  }

  void Negative(Outcome outcome) {
    answer_.outcome = outcome;
    const ZoneNode& apex = zone_.nodes.find(zone_.apex)->second;
    const ZoneRrset* soa = apex.Find(kTypeSoa);
    const std::string& rdata = soa->rdata[0];
    // RFC 2308 section 3: the smaller of the SOA's TTL and its minimum.
    uint32_t minimum = Load32(WireBytes(rdata).data() + rdata.size() - 4);
    message_.AddRaw(Message::kAuthority, apex_at_, kTypeSoa,
                    std::min(minimum, soa->ttl), WireBytes(rdata));
  }

  // False, with TC, when not all of it fitted.
  bool AddRrset(Message::Section section, const ZoneRrset& rrset,
                size_t owner) {
    auto count = static_cast<uint32_t>(rrset.rdata.size());
    size_t offset = TargetOffset(rrset.type);
    RrOrder order(count, &answer_.context.random);
    uint32_t at = order.First();
    for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) {
      if (!message_.AddRaw(section, owner, rrset.type, rrset.ttl,
                           WireBytes(rrset.rdata[at]))) {
        message_.flags |= kFlagTc;
        answer_.outcome = Outcome::kTruncated;
        return false;
      }
      if (offset != SIZE_MAX && target_count_ < kTargetsMax) {
        targets_[target_count_++] =
            message_.last_name_at(kRdataOffset + offset);
      }
    }
    return true;
  }

  // Addresses of the names written, as far as they fit; a referral's are its
  // glue, without which it may be useless: TC then (RFC 9471).
  void AddTargets() {
    bool is_referral = message_.count(Message::kAnswer) == 0;
    for (size_t i = 0; i < target_count_; ++i) {
      Name name;
      if (ParseName(message_.NameAt(targets_[i]), &name) == 0) continue;
      if (!IsInZone(name)) continue;
      for (uint16_t type : {kTypeA, kTypeAaaa}) {
        absl::string_view key(reinterpret_cast<const char*>(name.lower),
                              name.size);
        const ZoneRrset* glue = FindGlue(zone_, key, type);
        if (glue == nullptr) continue;
        for (const std::string& rdata : glue->rdata) {
          if (message_.AddRaw(Message::kAdditional, targets_[i], type,
                              glue->ttl, WireBytes(rdata))) {
            continue;
          }
          if (is_referral) message_.flags |= kFlagTc;
          return;
        }
      }
    }
  }

  Answer& answer_;
  Message& message_;
  const ZoneData& zone_;
  size_t apex_at_;
  size_t targets_[kTargetsMax];
  size_t target_count_ = 0;
};

}  // namespace

void AnswerZone(Answer* answer, const ZoneData& zone, size_t apex_label) {
  uint16_t qtype = answer->query.qtype;
  if (qtype == kTypeAxfr || qtype == kTypeIxfr) {
    answer->message.rcode = kRefused;
    answer->message.flags &= static_cast<uint16_t>(~kFlagAa);
    answer->outcome = Outcome::kRefused;
    return;
  }
  ZoneResponder(answer, zone, apex_label).Run();
}

}  // namespace dnsd
