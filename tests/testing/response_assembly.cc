#include "tests/testing/response_assembly.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr int kUdpAnswerLimitDefault = 3;

bool Contains(const std::vector<Rr>& rrs, const Rr& rr) {
  return std::find(rrs.begin(), rrs.end(), rr) != rrs.end();
}

// The chain's records: fixed ones, then those of the pool that `like` has,
// then others, as many as appear.
std::vector<Rr> DrawChain(const Chain& chain, const std::vector<Rr>& like) {
  std::vector<Rr> drawn = chain.fixed;
  std::vector<Rr> pool;
  for (const Rr& rr : like) {
    if (Contains(chain.pool, rr) && !Contains(pool, rr)) pool.push_back(rr);
  }
  for (const Rr& rr : chain.pool) {
    if (!Contains(pool, rr)) pool.push_back(rr);
  }
  pool.resize(std::min(pool.size(), chain.pool_count));
  drawn.insert(drawn.end(), pool.begin(), pool.end());
  return drawn;
}

// The alternative that `like` seems to have chosen.
const Chain& ChooseChain(const std::vector<Chain>& chains,
                         const std::vector<Rr>& like) {
  for (const Chain& chain : chains) {
    bool all = std::all_of(chain.fixed.begin(), chain.fixed.end(),
                           [&](const Rr& rr) { return Contains(like, rr); });
    if (all) return chain;
  }
  return chains.front();
}

// Assigns records to slots, each slot once.
class SlotMatcher {
 public:
  explicit SlotMatcher(const std::vector<RefSlot>& slots)
      : slots_(slots), used_(slots.size(), false) {}

  // The slot's index, or nothing when no free slot has this record.
  std::optional<size_t> Take(const Rr& rr) {
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (!used_[i] && Contains(slots_[i].records, rr)) {
        used_[i] = true;
        return i;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<size_t> Rest(HiddenOrder order) const {
    std::vector<size_t> rest;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (!used_[i]) rest.push_back(i);
    }
    auto size = [&](size_t i) { return slots_[i].records[0].rdata.size(); };
    std::stable_sort(rest.begin(), rest.end(), [&](size_t a, size_t b) {
      return order.large_first ? size(a) > size(b) : size(a) < size(b);
    });
    return rest;
  }

 private:
  const std::vector<RefSlot>& slots_;
  std::vector<bool> used_;
};

void AddExtras(const RefSlot& slot, const Message& like, Assembly* assembly) {
  RefPacket& packet = assembly->packet;
  if (!slot.extras.empty()) {
    const Chain& chain = ChooseChain(slot.extras, like.additional);
    for (const Rr& rr : DrawChain(chain, like.additional)) {
      packet.additional.push_back(rr);
      assembly->addresses.push_back(rr);
    }
    if (chain.pool_count < chain.pool.size() || slot.extras.size() > 1) {
      assembly->additional_is_drawn = true;
    }
  }
  for (const Chain& chain : slot.extras) {
    for (const auto* rrs : {&chain.fixed, &chain.pool}) {
      assembly->possible.insert(assembly->possible.end(), rrs->begin(),
                                rrs->end());
    }
  }
  for (const Rr& rr : slot.texts) {
    packet.additional.push_back(rr);
    assembly->texts.push_back(rr);
  }
}

// Fills one section from slots: those of `like` first.
std::vector<Rr> FillSection(const std::vector<RefSlot>& slots, size_t slots_max,
                            const std::vector<Rr>& wanted, const Message& like,
                            HiddenOrder order, Assembly* assembly) {
  std::vector<Rr> section;
  SlotMatcher matcher(slots);
  for (const Rr& rr : wanted) {
    std::optional<size_t> slot = matcher.Take(rr);
    if (!slot) {
      assembly->error = absl::StrCat("unexpected record: ", RrText(rr));
      return section;
    }
    section.push_back(rr);
    AddExtras(slots[*slot], like, assembly);
  }
  if (section.size() > slots_max) {
    assembly->error = absl::StrCat(section.size(), " records where at most ",
                                   slots_max, " belong");
    return section;
  }
  for (size_t i : matcher.Rest(order)) {
    if (section.size() >= slots_max) break;
    section.push_back(slots[i].records[0]);
    AddExtras(slots[i], like, assembly);
  }
  return section;
}

std::string EcsEcho(const std::string& options) {
  for (size_t at = 0; at + 4 <= options.size();) {
    auto byte = [&](size_t i) { return static_cast<uint8_t>(options[i]); };
    size_t code = static_cast<size_t>(byte(at) << 8 | byte(at + 1));
    size_t size = static_cast<size_t>(byte(at + 2) << 8 | byte(at + 3));
    if (code == kOptionEcs && size >= 4) {
      std::string echo = options.substr(at, size + 4);
      echo[7] = '\0';  // scope
      return echo;
    }
    at += 4 + size;
  }
  return "";
}

void CutLikeRfc(const ZonePolicy& policy, const ReferenceAnswer& reference,
                RefPacket* packet, bool* truncated) {
  size_t bytes_max = RfcBytesMax(policy, reference);
  std::vector<Rr> additional = std::exchange(packet->additional, {});
  std::vector<Rr> opt;
  for (const Rr& rr : additional) {
    if (rr.type == kTypeOpt) opt = {rr};
  }
  packet->additional = opt;
  size_t answers_max = packet->answer.size();
  if (reference.transport == Transport::kUdp && !reference.query.opt &&
      policy.udp_answer_limit) {
    answers_max =
        std::min(answers_max, static_cast<size_t>(*policy.udp_answer_limit));
  }
  *truncated = false;
  while (packet->answer.size() > answers_max ||
         PacketLength(*packet) > bytes_max) {
    packet->answer.pop_back();
    *truncated = true;
  }
  // Addresses go before texts.
  std::stable_partition(additional.begin(), additional.end(),
                        [](const Rr& rr) { return rr.type != kTypeTxt; });
  for (const Rr& rr : additional) {
    if (rr.type == kTypeOpt) continue;
    packet->additional.insert(packet->additional.begin(), rr);
    if (*truncated || PacketLength(*packet) > bytes_max) {
      packet->additional.erase(packet->additional.begin());
    }
  }
}

}  // namespace

Rr ExpectedOpt(const ZonePolicy& policy, const ReferenceAnswer& reference) {
  const Opt& asked = *reference.query.opt;
  Rr rr;
  rr.owner = std::string(1, '\0');
  rr.type = kTypeOpt;
  rr.rdata = EcsEcho(asked.options);
  if (policy.compat == Compat::kConsul) {
    rr.rclass = asked.udp_size;
  } else {
    rr.rclass = policy.edns_udp_size;
    rr.ttl = asked.dnssec_ok ? 0x8000 : 0;
    uint32_t rcode = *reference.rcodes.begin();
    rr.ttl |= rcode >> 4 << 24;
  }
  return rr;
}

Assembly Assemble(const ZonePolicy& policy, const ReferenceAnswer& reference,
                  const Message& like, size_t chain, HiddenOrder order) {
  Assembly assembly;
  RefPacket& packet = assembly.packet;
  packet.qname = reference.query.qname;
  packet.compress = !policy.disable_compression;
  std::vector<Rr> wanted;
  if (chain < reference.chains.size()) {
    packet.answer = DrawChain(reference.chains[chain], like.answer);
    assembly.chain_size = packet.answer.size();
  }
  for (const Rr& rr : MaskSerials(like.answer)) {
    if (!Contains(packet.answer, rr)) wanted.push_back(rr);
  }
  std::vector<RefSlot> slots = reference.slots;
  for (const RefSlot& slot : reference.any_subset) {
    if (Contains(wanted, slot.records[0])) slots.push_back(slot);
  }
  size_t slots_max =
      std::max(reference.slots_max,
               reference.any_subset.empty() ? size_t{0} : slots.size());
  std::vector<Rr> answers =
      FillSection(slots, slots_max, wanted, like, order, &assembly);
  assembly.matched_count = wanted.size();
  packet.answer.insert(packet.answer.end(), answers.begin(), answers.end());
  if (!assembly.error.empty()) return assembly;
  std::vector<Rr> name_servers;
  for (const Rr& rr : like.authority) {
    if (rr.type == kTypeNs) name_servers.push_back(rr);
  }
  packet.authority = FillSection(reference.name_servers, 3, name_servers, like,
                                 order, &assembly);
  if (reference.soa == RefSoa::kRequired) {
    packet.authority.push_back(reference.soa_record);
  }
  packet.additional.insert(packet.additional.end(), reference.extras.begin(),
                           reference.extras.end());
  assembly.possible.insert(assembly.possible.end(), packet.additional.begin(),
                           packet.additional.end());
  if (order.addresses_first) {
    std::stable_partition(packet.additional.begin(), packet.additional.end(),
                          [](const Rr& rr) { return rr.type != kTypeTxt; });
  }
  if (reference.opt == RefOpt::kRequired) {
    packet.additional.push_back(ExpectedOpt(policy, reference));
  }
  return assembly;
}

TrimResult CutLikeConsul(const ZonePolicy& policy,
                         const ReferenceAnswer& reference, RefPacket* packet) {
  if (!reference.cut_like_consul) return {};
  if (reference.transport == Transport::kTcp) {
    return ConsulTrimTcp(reference.query.qtype, packet);
  }
  std::optional<uint16_t> edns_size;
  if (reference.query.opt) edns_size = reference.query.opt->udp_size;
  return ConsulTrimUdp(edns_size,
                       policy.udp_answer_limit.value_or(kUdpAnswerLimitDefault),
                       packet);
}

size_t RfcBytesMax(const ZonePolicy& policy, const ReferenceAnswer& reference) {
  if (reference.transport == Transport::kTcp) return kResponseBytesMax;
  if (!reference.query.opt) return kUdpPlainMax;
  size_t offered =
      std::max<size_t>(reference.query.opt->udp_size, kUdpPlainMax);
  return std::min<size_t>(offered, policy.edns_udp_size);
}

Message Realize(const ZonePolicy& policy, const ReferenceAnswer& reference) {
  Message message = reference.query;
  message.answer.clear();
  message.authority.clear();
  message.additional.clear();
  message.opt.reset();
  if (reference.dropped) return message;
  uint16_t rcode = *reference.rcodes.begin();
  // miekg/dns echoes RD and CD for QUERY only.
  uint16_t echoed = kOpcodeMask;
  if ((reference.query.flags & kOpcodeMask) == 0) echoed |= kFlagRd | kFlagCd;
  message.flags = static_cast<uint16_t>(
      (reference.query.flags & echoed) | kFlagQr | (rcode & 0xf) |
      (reference.aa ? kFlagAa : 0) |
      (policy.recursion_available && reference.aa ? kFlagRa : 0));
  if (reference.loose_header) return message;
  Assembly assembly = Assemble(policy, reference, Message(), 0, HiddenOrder());
  bool truncated = false;
  if (policy.compat == Compat::kConsul) {
    truncated = CutLikeConsul(policy, reference, &assembly.packet).trimmed &&
                policy.enable_truncate;
  } else {
    CutLikeRfc(policy, reference, &assembly.packet, &truncated);
  }
  if (truncated) message.flags |= kFlagTc;
  message.answer = assembly.packet.answer;
  message.authority = assembly.packet.authority;
  for (const Rr& rr : assembly.packet.additional) {
    if (rr.type != kTypeOpt) {
      message.additional.push_back(rr);
      continue;
    }
    Opt opt;
    opt.udp_size = rr.rclass;
    opt.extended_rcode = static_cast<uint8_t>(rr.ttl >> 24);
    opt.dnssec_ok = (rr.ttl & 0x8000) != 0;
    opt.options = rr.rdata;
    message.opt = opt;
    message.opt_is_last = true;
  }
  message.size = PacketLength(assembly.packet);
  RefPacket head = assembly.packet;
  head.authority.clear();
  head.additional.clear();
  message.answer_end = PacketLength(head);
  return message;
}

}  // namespace dnsd::testing
