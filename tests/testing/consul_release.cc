#include "tests/testing/consul_release.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/testing/reference_truncation.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// What a Consul agent adds to the meta data of its node.
const char kOwnMeta[] =
    "\x17"
    "consul-network-segment=";

// What 1.8.7 takes off the client's UDP size, found by asking it.
constexpr size_t kUdpHeaderBytes187 = 7;

std::string Label(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), std::string::npos, end) == 0;
}

// A name of a domain, taken apart.
struct AskedName {
  bool in_domain = false;
  bool in_alt = false;
  std::string suffix;               // the domain as it was spelt, wire
  std::vector<std::string> labels;  // left of the domain, lower case
};

// Offsets of the labels of a wire name, with that of the root.
std::vector<size_t> LabelOffsets(const std::string& wire) {
  std::vector<size_t> offsets = {0};
  size_t at = 0;
  while (wire[at] != '\0') {
    at += 1 + static_cast<uint8_t>(wire[at]);
    offsets.push_back(at);
  }
  return offsets;
}

AskedName ReadName(const ReleaseConfig& config, const std::string& wire) {
  AskedName name;
  const std::string lower = LowerName(wire);
  const std::vector<size_t> offsets = LabelOffsets(lower);
  // From the left, so that the longer of two domains is found first.
  for (const size_t at : offsets) {
    const std::string rest = lower.substr(at);
    name.in_alt =
        !config.alt_domain.empty() && rest == WireName(config.alt_domain);
    if (name.in_alt || rest == WireName(config.domain)) {
      name.in_domain = true;
      name.suffix = wire.substr(at);
      return name;
    }
    if (at + 1 < lower.size()) {
      const size_t size = static_cast<uint8_t>(lower[at]);
      name.labels.push_back(lower.substr(at + 1, size));
    }
  }
  return name;
}

// The keyword from the right, as Consul looks for it; labels.size() if none.
size_t KeywordIndex(const std::vector<std::string>& labels) {
  constexpr std::array<const char*, 7> kKeywords = {
      "service", "connect", "virtual", "ingress", "node", "query", "addr"};
  for (size_t i = labels.size(); i-- > 0;) {
    if (std::find(kKeywords.begin(), kKeywords.end(), labels[i]) !=
        kKeywords.end()) {
      return i;
    }
  }
  return labels.size();
}

bool IsKind(const AskedName& name, const char* keyword) {
  const size_t at = KeywordIndex(name.labels);
  return at < name.labels.size() && name.labels[at] == keyword;
}

Message Nxdomain(const Message& reply, const Rr& soa) {
  Message message = reply;
  message.flags = static_cast<uint16_t>((message.flags & ~(0xf | kFlagRa)) |
                                        kFlagAa | kNxDomain);
  message.answer.clear();
  message.additional.clear();
  message.authority = {soa};
  return message;
}

// Consul makes these names up; others are as the configuration has them.
bool Respell(const ReleaseConfig& config, const std::string& suffix,
             std::string* wire, size_t from) {
  const std::string domain = WireName(config.domain);
  const std::string name = wire->substr(from);
  for (const char* keyword : {"node", "addr"}) {
    if (EndsWith(name, Label(keyword) + Label(config.datacenter) + domain)) {
      wire->resize(wire->size() - domain.size());
      *wire += suffix;
      return true;
    }
  }
  return false;
}

bool RespellAll(const ReleaseConfig& config, const std::string& suffix,
                bool is_ns, std::vector<Rr>* section) {
  bool changed = false;
  // Targets of NS are in lower case as a whole.
  const std::string end = is_ns ? LowerName(suffix) : suffix;
  for (Rr& rr : *section) {
    const std::string before = rr.owner + rr.rdata;
    if (rr.type == kTypeNs) rr.owner = suffix;
    Respell(config, end, &rr.owner, 0);
    if (rr.type == kTypeSrv) Respell(config, end, &rr.rdata, 6);
    if (rr.type == kTypeNs) Respell(config, end, &rr.rdata, 0);
    changed |= rr.owner + rr.rdata != before;
  }
  return changed;
}

void MoveSoaToAlt(const ReleaseConfig& config, std::vector<Rr>* section,
                  RowCounts* counts) {
  const std::string alt = WireName(config.alt_domain);
  for (Rr& rr : *section) {
    if (rr.type != kTypeSoa) continue;
    rr.owner = alt;
    rr.rdata = Label("ns") + alt + Label("hostmaster") + alt +
               rr.rdata.substr(rr.rdata.size() - 20);
    ++(*counts)[ReleaseRow::kAltSoa];
  }
}

// Records of <hex>.addr are spelt in lower case, but for the domain.
std::string AddrOwner(const std::string& wire, const AskedName& name) {
  return LowerName(wire.substr(0, wire.size() - name.suffix.size())) +
         name.suffix;
}

void ModernizeAddr(const AskedName& name, const Rr& soa, Message* reply,
                   RowCounts* counts) {
  if (reply->rcode() != kNoError || (reply->qtype == kTypeSoa) ||
      reply->qtype == kTypeNs) {
    return;
  }
  const std::string owner = AddrOwner(reply->qname, name);
  for (Rr& rr : reply->answer) {
    if (rr.owner == owner) continue;
    rr.owner = owner;
    ++(*counts)[name.in_alt ? ReleaseRow::kAltNames : ReleaseRow::kSuffixCase];
  }
  const size_t size = name.labels[0].size();
  if (size != 8 && size != 32) {
    *reply = Nxdomain(*reply, soa);
    ++(*counts)[ReleaseRow::kAddrLength];
    return;
  }
  if (reply->answer.empty() || reply->answer[0].type == reply->qtype ||
      reply->qtype == kTypeAny) {
    return;
  }
  reply->additional = std::exchange(reply->answer, {});
  ++(*counts)[ReleaseRow::kAddrType];
}

// Without EDNS, a CNAME brings at most so many records along.
constexpr size_t kChainRecordsMax = 5;
// How many names of ours are followed.
constexpr int kChainLevels = 3;

// What `name` leads to, as the newest release follows it.
std::vector<Rr> FollowName(const ReleaseConfig& config, const std::string& name,
                           int level, const AskAny& ask_any) {
  const AskedName asked = ReadName(config, name);
  if (level < 1 || !asked.in_domain || asked.labels.empty()) return {};
  std::vector<Rr> chain;
  std::vector<Rr> answers = ask_any(NameText(name));
  for (Rr& rr : answers) {
    // 1.8.7 spells it in the primary domain.
    if (IsKind(asked, "addr")) rr.owner = AddrOwner(name, asked);
    const bool follows = rr.type == kTypeCname && rr.owner == name;
    if (follows || rr.type == kTypeA || rr.type == kTypeAaaa) {
      chain.push_back(rr);
    }
    if (!follows) continue;
    std::vector<Rr> more = FollowName(config, rr.rdata, level - 1, ask_any);
    if (more.size() > kChainRecordsMax) more.resize(kChainRecordsMax);
    chain.insert(chain.end(), more.begin(), more.end());
    break;
  }
  return chain;
}

void ModernizeChain(const ReleaseConfig& config, const AskAny& ask_any,
                    Message* reply, RowCounts* counts) {
  if (reply->answer.empty()) return;
  const Rr& head = reply->answer[0];
  const bool is_cname = head.type == kTypeCname;
  const bool is_srv = head.type == kTypeSrv && reply->answer.size() == 1;
  if (!is_cname && !is_srv) return;
  const std::string target = head.rdata.substr(is_srv ? 6 : 0);
  std::string made_up = target;
  if (Respell(config, "", &made_up, 0)) return;
  std::vector<Rr> chain = FollowName(config, target, kChainLevels, ask_any);
  if (!reply->opt && chain.size() > kChainRecordsMax) {
    chain.resize(kChainRecordsMax);
  }
  for (Rr& rr : chain) rr.ttl = head.ttl;
  std::vector<Rr> whole;
  if (is_cname) whole.push_back(head);
  whole.insert(whole.end(), chain.begin(), chain.end());
  std::vector<Rr>* section = is_cname ? &reply->answer : &reply->additional;
  if (is_srv) {
    for (const Rr& rr : *section) {
      if (rr.type == kTypeTxt) whole.push_back(rr);
    }
  }
  if (whole.size() != section->size()) ++(*counts)[ReleaseRow::kWholeChain];
  *section = whole;
}

std::vector<Rr> WithoutOwnMeta(const std::vector<Rr>& rrs) {
  std::vector<Rr> kept;
  for (const Rr& rr : rrs) {
    if (rr.type != kTypeTxt || rr.rdata != kOwnMeta) kept.push_back(rr);
  }
  return kept;
}

Rr OptRecord(const Opt& opt) {
  Rr rr;
  rr.owner = std::string(1, '\0');
  rr.type = kTypeOpt;
  rr.rclass = opt.udp_size;
  rr.ttl = static_cast<uint32_t>(opt.extended_rcode) << 24;
  rr.rdata = opt.options;
  return rr;
}

// The records that come into ADDITIONAL with each SRV answer: addresses, then
// the texts of its node. Empty when the two sections do not fit together.
std::vector<std::vector<Rr>> ExtrasOfAnswers(const Message& full,
                                             size_t text_count) {
  std::vector<std::vector<Rr>> groups;
  size_t at = 0;
  for (size_t i = 0; i < full.answer.size(); ++i) {
    std::vector<Rr> group;
    size_t texts = 0;
    const bool last = i + 1 == full.answer.size();
    while (at < full.additional.size()) {
      const Rr& rr = full.additional[at];
      if (text_count == 0 && !last && !group.empty()) break;
      if (texts == text_count && texts > 0) break;
      if (rr.type == kTypeTxt) ++texts;
      group.push_back(rr);
      ++at;
    }
    groups.push_back(group);
  }
  if (at != full.additional.size()) groups.clear();
  return groups;
}

// `full` with the answers of `like` first.
std::optional<RefPacket> Reorder(const Message& full, const Message& like,
                                 size_t text_count, bool large_first) {
  std::vector<std::vector<Rr>> extras;
  if (full.qtype == kTypeSrv) extras = ExtrasOfAnswers(full, text_count);
  std::vector<size_t> order;
  std::vector<bool> used(full.answer.size());
  for (const Rr& rr : MaskSerials(like.answer)) {
    size_t i = 0;
    while (i < full.answer.size() &&
           (used[i] || MaskSerial(full.answer[i]) != rr)) {
      ++i;
    }
    if (i == full.answer.size()) return std::nullopt;
    used[i] = true;
    order.push_back(i);
  }
  const auto rest = static_cast<std::ptrdiff_t>(order.size());
  for (size_t i = 0; i < full.answer.size(); ++i) {
    if (!used[i]) order.push_back(i);
  }
  std::stable_sort(order.begin() + rest, order.end(), [&](size_t a, size_t b) {
    const size_t a_size = full.answer[a].rdata.size();
    const size_t b_size = full.answer[b].rdata.size();
    return large_first ? a_size > b_size : a_size < b_size;
  });
  RefPacket packet;
  packet.qname = full.qname;
  packet.authority = full.authority;
  if (extras.empty()) packet.additional = full.additional;
  for (const size_t i : order) {
    packet.answer.push_back(full.answer[i]);
    if (extras.empty()) continue;
    packet.additional.insert(packet.additional.end(), extras[i].begin(),
                             extras[i].end());
  }
  return packet;
}

// Consul keeps the first record of each target's name, which may be a TXT that
// came with another instance of the node. We always keep the address.
void PreferAddresses(const Message& full, std::vector<Rr>* additional) {
  for (Rr& rr : *additional) {
    if (rr.type != kTypeTxt) continue;
    const auto address = std::find_if(
        full.additional.begin(), full.additional.end(), [&](const Rr& other) {
          return other.owner == rr.owner && other.type != kTypeTxt;
        });
    if (address != full.additional.end()) rr = *address;
  }
}

// Not Rr::operator<: the order means nothing.
std::vector<Rr> Sorted(const std::vector<Rr>& rrs) {
  std::vector<Rr> sorted = MaskSerials(rrs);
  const auto key = [](const Rr& rr) {
    return std::tie(rr.owner, rr.type, rr.rclass, rr.ttl, rr.rdata);
  };
  std::sort(sorted.begin(), sorted.end(),
            [&](const Rr& a, const Rr& b) { return key(a) < key(b); });
  return sorted;
}

}  // namespace

const char* RowName(ReleaseRow row) {
  switch (row) {
    case ReleaseRow::kAddrType:
      return "addr of the other family";
    case ReleaseRow::kAddrLength:
      return "addr of a bad length";
    case ReleaseRow::kAltNames:
      return "names under the alt domain";
    case ReleaseRow::kSuffixCase:
      return "letter case of the domain of targets";
    case ReleaseRow::kReverseNotFound:
      return "reverse name not found";
    case ReleaseRow::kDatacenterPair:
      return "<dc>.dc";
    case ReleaseRow::kVirtual:
      return "virtual names";
    case ReleaseRow::kOptLost:
      return "OPT of trimmed answers";
    case ReleaseRow::kUdpHeader:
      return "UDP size less 8";
    case ReleaseRow::kAltSoa:
      return "SOA of the alt domain";
    case ReleaseRow::kTrimAll:
      return "trimming of all answers";
    case ReleaseRow::kWholeChain:
      return "chains that are not trimmed by themselves";
    case ReleaseRow::kAddressKept:
      return "addresses kept in trimmed answers (ours)";
    case ReleaseRow::kCount:
      break;
  }
  return "";
}

std::optional<std::string> NameIn187(const ReleaseConfig& config,
                                     const std::string& qname, uint16_t qtype) {
  // The same for every name of the domain.
  if (qtype == kTypeSoa || qtype == kTypeNs) return std::nullopt;
  const std::string wire = WireName(qname);
  const AskedName name = ReadName(config, wire);
  const size_t count = name.labels.size();
  if (!name.in_domain || count < 3 || name.labels[count - 1] != "dc") {
    return std::nullopt;
  }
  const size_t keyword = KeywordIndex(name.labels);
  const bool has_kind = keyword == count - 3 || keyword == count;
  if (!has_kind || IsKind(name, "query") || IsKind(name, "addr") ||
      IsKind(name, "virtual")) {
    return std::nullopt;
  }
  const size_t cut = LabelOffsets(wire)[count - 1];
  return NameText(wire.substr(0, cut) + wire.substr(cut + 3));
}

Message WithoutOwnMeta(const Message& reply) {
  Message message = reply;
  message.answer = WithoutOwnMeta(reply.answer);
  message.additional = WithoutOwnMeta(reply.additional);
  return message;
}

Message Modernize(const ReleaseConfig& config, const std::string& qname,
                  const Rr& soa, const Message& reply, const AskAny& ask_any,
                  RowCounts* counts) {
  Message message = WithoutOwnMeta(reply);
  const std::string wire = WireName(qname);
  if (message.has_question && message.qname != wire) {
    for (auto* section : {&message.answer, &message.additional}) {
      for (Rr& rr : *section) {
        if (rr.owner == message.qname) rr.owner = wire;
      }
    }
    message.qname = wire;
    ++(*counts)[ReleaseRow::kDatacenterPair];
  }
  const AskedName name = ReadName(config, wire);
  if (!name.in_domain) {
    const bool arpa = !name.labels.empty() && name.labels.back() == "arpa";
    if (arpa && message.rcode() == kServFail) {
      message = Nxdomain(message, soa);
      ++(*counts)[ReleaseRow::kReverseNotFound];
    }
    return message;
  }
  if (IsKind(name, "addr")) {
    ModernizeAddr(name, soa, &message, counts);
  } else if (IsKind(name, "virtual") && message.rcode() == kNxDomain &&
             name.labels.size() > 1 && name.labels.back() == "virtual") {
    message.flags = static_cast<uint16_t>(message.flags & ~0xf);
    message.authority.clear();
    ++(*counts)[ReleaseRow::kVirtual];
  }
  ModernizeChain(config, ask_any, &message, counts);
  bool changed = false;
  for (auto* section :
       {&message.answer, &message.authority, &message.additional}) {
    const bool is_ns = message.qtype == kTypeSoa || message.qtype == kTypeNs;
    changed |= RespellAll(config, name.suffix, is_ns, section);
  }
  if (changed) {
    ++(*counts)[name.in_alt ? ReleaseRow::kAltNames : ReleaseRow::kSuffixCase];
  }
  // The spelling counts here, and the apex does not end in ".alt.".
  if (name.in_alt && !name.labels.empty() &&
      EndsWith(wire, WireName(config.alt_domain))) {
    MoveSoaToAlt(config, &message.answer, counts);
    MoveSoaToAlt(config, &message.authority, counts);
  }
  return message;
}

bool IsTrimmedBy187(const ReleaseConfig& config, const Message& question) {
  const AskedName name = ReadName(config, question.qname);
  const size_t keyword = KeywordIndex(name.labels);
  if (!name.in_domain) return false;
  if (question.qtype == kTypeSoa || question.qtype == kTypeNs) return false;
  return keyword == name.labels.size() || IsKind(name, "service") ||
         IsKind(name, "connect") || IsKind(name, "ingress");
}

std::optional<Message> TrimForUdp(const ReleaseConfig& config, Release release,
                                  const Message& full, const Message& like,
                                  bool large_first) {
  const bool newest = release != Release::k187;
  size_t text_count = config.node_text_count;
  if (text_count > 0 && !newest) ++text_count;
  std::optional<RefPacket> packet =
      Reorder(full, like, text_count, large_first);
  if (!packet) return std::nullopt;
  packet->compress = config.compress;
  std::optional<uint16_t> edns_size;
  if (full.opt) {
    edns_size = full.opt->udp_size;
    if (newest) packet->additional.push_back(OptRecord(*full.opt));
  }
  TrimResult trim;
  if (newest || IsTrimmedBy187(config, full)) {
    trim = ConsulTrimUdp(edns_size, config.udp_answer_limit, &*packet,
                         release == Release::kNewest ? kConsulUdpHeaderBytes
                                                     : kUdpHeaderBytes187);
  }
  Message message = full;
  message.answer = packet->answer;
  message.authority = packet->authority;
  message.additional.clear();
  if (newest) message.opt.reset();
  for (const Rr& rr : packet->additional) {
    if (rr.type == kTypeOpt) {
      message.opt = full.opt;
    } else {
      message.additional.push_back(rr);
    }
  }
  if (trim.synced && newest) PreferAddresses(full, &message.additional);
  if (trim.trimmed && config.enable_truncate) message.flags |= kFlagTc;
  return message;
}

std::string Compare(const Message& expected, const Message& got) {
  std::vector<std::string> differences;
  if (expected.flags != got.flags) {
    differences.push_back(absl::StrCat("flags 0x", absl::Hex(expected.flags),
                                       " / 0x", absl::Hex(got.flags)));
  }
  if (expected.has_question != got.has_question ||
      expected.qname != got.qname || expected.qtype != got.qtype ||
      expected.qclass != got.qclass) {
    differences.push_back("question");
  }
  if (Sorted(expected.answer) != Sorted(got.answer)) {
    differences.push_back("answer");
  }
  if (Sorted(expected.authority) != Sorted(got.authority)) {
    differences.push_back("authority");
  }
  if (Sorted(expected.additional) != Sorted(got.additional)) {
    differences.push_back("additional");
  }
  if (expected.opt != got.opt) differences.push_back("OPT");
  return absl::StrJoin(differences, ", ");
}

}  // namespace dnsd::testing
