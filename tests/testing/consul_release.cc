#include "tests/testing/consul_release.h"

#include <algorithm>
#include <utility>

#include "tests/testing/consul_names.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// What a Consul agent adds to the meta data of its node.
const char kOwnMeta[] =
    "\x17"
    "consul-network-segment=";

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), std::string::npos, end) == 0;
}

AskedName ReadName(const ReleaseConfig& config, const std::string& wire) {
  return ReadAskedName(config.domain, config.alt_domain, wire);
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

// Of a reverse name: 32 digits, "ip6", "arpa".
constexpr size_t kLabelsOfIp6Address = 34;

// The types that Consul looks nodes up for.
bool IsNodeType(uint16_t type) {
  return type == kTypeA || type == kTypeAaaa || type == kTypeTxt ||
         type == kTypeAny;
}

// Consul finds a node by the start of its id as well, we by all of it.
bool IsNodeIdPrefix(const ReleaseConfig& config, const AskedName& name) {
  constexpr size_t kPrefixMin = 2;
  if (!IsKind(name, "node") || KeywordIndex(name.labels) != 1) return false;
  const std::string& asked = name.labels[0];
  return asked.size() >= kPrefixMin && asked.size() < config.node_id.size() &&
         config.node_id.starts_with(asked);
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
// In front of the target in an SRV's rdata: priority, weight, port.
constexpr size_t kSrvNumbersBytes = 6;
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

// What comes with a CNAME, or an SRV, to `target`.
std::vector<Rr> ChainOf(const ReleaseConfig& config, const std::string& target,
                        const Rr& head, bool has_edns, const AskAny& ask_any) {
  std::vector<Rr> chain = FollowName(config, target, kChainLevels, ask_any);
  if (!has_edns && chain.size() > kChainRecordsMax) {
    chain.resize(kChainRecordsMax);
  }
  // Not of nodes.
  const bool overwrites = !IsKind(ReadName(config, head.owner), "node");
  for (Rr& rr : chain) {
    if (overwrites) rr.ttl = head.ttl;
  }
  return chain;
}

// ADDITIONAL of SRV answers: for each what its target leads to, then the texts
// of its node. 1.8.7 has those of a target that it makes up itself right.
std::vector<Rr> SrvAdditional(const ReleaseConfig& config,
                              const AskAny& ask_any, const Message& reply) {
  std::vector<Rr> whole;
  std::vector<Rr> addresses;
  std::vector<Rr> texts;
  for (const Rr& rr : reply.additional) {
    (rr.type == kTypeTxt ? texts : addresses).push_back(rr);
  }
  const bool all_made_up = std::all_of(
      reply.answer.begin(), reply.answer.end(), [&](const Rr& head) {
        std::string target = head.rdata.substr(kSrvNumbersBytes);
        return Respell(config, "", &target, 0);
      });
  if (all_made_up) return reply.additional;
  size_t texts_used = 0;
  for (const Rr& head : reply.answer) {
    const std::string target = head.rdata.substr(kSrvNumbersBytes);
    std::string made_up = target;
    if (Respell(config, "", &made_up, 0)) {
      const auto own =
          std::find_if(addresses.begin(), addresses.end(),
                       [&](const Rr& rr) { return rr.owner == target; });
      if (own != addresses.end()) {
        whole.push_back(*own);
        addresses.erase(own);
      }
    } else {
      const std::vector<Rr> chain =
          ChainOf(config, target, head, reply.opt.has_value(), ask_any);
      whole.insert(whole.end(), chain.begin(), chain.end());
    }
    for (size_t i = 0; i < config.node_text_count; ++i) {
      if (texts_used < texts.size()) whole.push_back(texts[texts_used++]);
    }
  }
  // Of nodes with more of them than ours.
  while (texts_used < texts.size()) whole.push_back(texts[texts_used++]);
  return whole;
}

void ModernizeChain(const ReleaseConfig& config, const AskAny& ask_any,
                    Message* reply, RowCounts* counts) {
  if (reply->answer.empty()) return;
  const Rr head = reply->answer[0];
  std::vector<Rr>* section = nullptr;
  std::vector<Rr> whole;
  if (head.type == kTypeSrv) {
    section = &reply->additional;
    whole = SrvAdditional(config, ask_any, *reply);
  } else if (head.type == kTypeCname) {
    section = &reply->answer;
    whole = ChainOf(config, head.rdata, head, reply->opt.has_value(), ask_any);
    whole.insert(whole.begin(), head);
    for (const Rr& rr : reply->answer) {
      if (rr.type == kTypeTxt) whole.push_back(rr);
    }
  } else {
    return;
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

// <service>.virtual, perhaps with what may name a peer: one label or a pair.
bool IsVirtualName(const AskedName& name) {
  const std::vector<std::string>& labels = name.labels;
  const size_t at = static_cast<size_t>(
      std::find(labels.begin(), labels.end(), "virtual") - labels.begin());
  const size_t behind = labels.size() - at - 1;
  return at > 0 && (behind < 2 || (behind == 2 && (labels.back() == "dc" ||
                                                   labels.back() == "peer")));
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
    case ReleaseRow::kNodeIdPrefix:
      return "nodes by the start of their id (ours)";
    case ReleaseRow::kReverseTooLong:
      return "digits too many in a reverse name (ours)";
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

Message Modernize(const ReleaseConfig& config, const std::string& qname,
                  const Rr& soa, const Message& reply, const AskAny& ask_any,
                  RowCounts* counts) {
  Message message = reply;
  if (!config.mirrored) {
    message.answer = WithoutOwnMeta(reply.answer);
    message.additional = WithoutOwnMeta(reply.additional);
  }
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
    } else if (arpa && name.labels.size() > kLabelsOfIp6Address) {
      message = Nxdomain(message, soa);
      ++(*counts)[ReleaseRow::kReverseTooLong];
    }
    return message;
  }
  if (IsKind(name, "addr")) {
    ModernizeAddr(name, soa, &message, counts);
  } else if (IsNodeIdPrefix(config, name) && IsNodeType(message.qtype) &&
             message.rcode() == kNoError) {
    message = Nxdomain(message, soa);
    ++(*counts)[ReleaseRow::kNodeIdPrefix];
  } else if (IsKind(name, "virtual") && message.rcode() == kNxDomain &&
             IsVirtualName(name)) {
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
         IsKind(name, "connect") || IsKind(name, "ingress") ||
         IsKind(name, "query");
}

}  // namespace dnsd::testing
