#include "tests/testing/consul_rfc.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/testing/consul_rfc_existence.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

constexpr uint32_t kMinTtlDefault = 5;
// TTL and numbers at the end of a SOA's rdata: serial, refresh, retry, expire,
// minimum.
constexpr size_t kSoaNumbersBytes = 20;
constexpr size_t kSoaMinimumBytes = 4;
// In front of the target in an SRV's rdata: priority, weight, port.
constexpr size_t kSrvNumbersBytes = 6;
// How many names of ours Consul follows.
constexpr int kChainLevels = 3;

bool IsAddress(const Rr& rr) {
  return rr.type == kTypeA || rr.type == kTypeAaaa;
}

void SetRcode(uint16_t rcode, Message* message) {
  message->flags = static_cast<uint16_t>((message->flags & ~0xf) | rcode);
}

void Clear(Message* message) {
  message->answer.clear();
  message->authority.clear();
  message->additional.clear();
}

std::vector<Rr> OfType(const std::vector<Rr>& rrs, uint16_t qtype) {
  std::vector<Rr> found;
  for (const Rr& rr : rrs) {
    if (rr.type == qtype || (qtype == kTypeAny && IsAddress(rr))) {
      found.push_back(rr);
    }
  }
  return found;
}

bool RemoveRepeated(std::vector<Rr>* rrs) {
  std::vector<Rr> once;
  for (const Rr& rr : *rrs) {
    if (std::find(once.begin(), once.end(), rr) == once.end()) {
      once.push_back(rr);
    }
  }
  const bool removed = once.size() != rrs->size();
  *rrs = std::move(once);
  return removed;
}

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

void Append(const std::vector<Rr>& more, std::vector<Rr>* rrs) {
  rrs->insert(rrs->end(), more.begin(), more.end());
}

// Names that Consul looks instances up for.
bool IsServiceLike(const AskedName& name) {
  return KeywordIndex(name.labels) == name.labels.size() ||
         IsKind(name, "service") || IsKind(name, "connect") ||
         IsKind(name, "ingress") || IsKind(name, "query");
}

}  // namespace

RfcOracle::RfcOracle(const RfcConfig& config, const RfcCatalog& catalog,
                     const Rr& soa, AskConsul ask)
    : config_(config), catalog_(catalog), soa_(soa), ask_(std::move(ask)) {}

AskedName RfcOracle::Read(const std::string& wire) const {
  return ReadAskedName(config_.release.domain, config_.release.alt_domain,
                       wire);
}

Message RfcOracle::Ask(const std::string& wire, uint16_t qtype) const {
  return ask_(NameText(wire), qtype);
}

// Of the primary domain; MendSoas() makes another of it.
Rr RfcOracle::Soa(const AskedName& name) const {
  (void)name;
  return soa_;
}

void RfcOracle::Negative(const AskedName& name, uint16_t rcode,
                         Message* message) const {
  Clear(message);
  SetRcode(rcode, message);
  message->authority = {Soa(name)};
}

Message RfcOracle::OverTcp(const std::string& qname, uint16_t qtype,
                           const QueryOptions& options, const Message& newest,
                           RfcCounts* counts) {
  counts_ = counts;
  const std::string wire = WireName(qname);
  const AskedName name = Read(wire);
  const auto error = [&](uint16_t rcode, RfcRow row) {
    Hit(row);
    Message message = newest;
    Clear(&message);
    message.flags = static_cast<uint16_t>(message.flags & ~kFlagAa);
    message.opt.reset();
    SetRcode(rcode, &message);
    message.has_question = true;
    message.qname = wire;
    message.qtype = qtype;
    message.qclass = options.qclass;
    MendOpt(options, &message);
    return message;
  };
  if (options.opcode == kOpNotify) return error(kNotImp, RfcRow::kNotify);
  if (options.opcode != kOpQuery) {
    Message message = error(kNotImp, RfcRow::kOpcode);
    if ((message.flags & kFlagRd) != 0) Hit(RfcRow::kOpcodeRd);
    message.flags = static_cast<uint16_t>(message.flags & ~kFlagRd);
    return message;
  }
  if (options.edns && options.edns->version > 0) {
    Message message = error(kNoError, RfcRow::kBadVers);
    message.opt->extended_rcode = kBadVers >> 4;
    return message;
  }
  if (options.qclass != kClassIn && options.qclass != kClassAny) {
    if (newest.rcode() != kRefused) return error(kRefused, RfcRow::kClass);
  } else if (qtype == kTypeAxfr || qtype == kTypeIxfr) {
    if (newest.rcode() != kRefused) return error(kRefused, RfcRow::kTransfer);
  } else {
    Message message = Answer(wire, qtype, newest, kChainLevels);
    MendOpt(options, &message);
    return message;
  }
  Message message = newest;
  MendOpt(options, &message);
  return message;
}

Message RfcOracle::Answer(const std::string& wire, uint16_t qtype,
                          const Message& newest, int level) {
  const AskedName name = Read(wire);
  Message message = newest;
  if (!name.in_domain) {
    AnswerReverse(name, qtype, &message);
  } else if (name.labels.empty()) {
    AnswerApex(name, wire, &message);
  } else if (name.labels == std::vector<std::string>{"ns"}) {
    AnswerNsName(name, wire, &message);
  } else if (qtype == kTypeSoa || qtype == kTypeNs) {
    // As any type that the name has no records of.
    Hit(RfcRow::kSoaNsBelowApex);
    const Message other = Ask(wire, kTypeMx);
    message.answer = other.answer;
    message.authority = other.authority;
    message.additional = other.additional;
    SetRcode(other.rcode(), &message);
    AnswerName(name, wire, qtype, level, &message);
  } else {
    AnswerName(name, wire, qtype, level, &message);
  }
  MendSoas(name, &message);
  return message;
}

void RfcOracle::AnswerApex(const AskedName& name, const std::string& wire,
                           Message* message) {
  if (message->qtype == kTypeSoa) {
    Hit(RfcRow::kSoaAlone);
    message->authority.clear();
    message->additional.clear();
  } else if (message->qtype == kTypeAny) {
    Hit(RfcRow::kAnyAtApex);
    const Message soa = Ask(wire, kTypeSoa);
    Clear(message);
    SetRcode(kNoError, message);
    message->answer = soa.answer;
    Append(soa.authority, &message->answer);
    message->additional = soa.additional;
  } else if (message->qtype != kTypeNs) {
    Hit(RfcRow::kEmptyNonTerminal);
    Negative(name, kNoError, message);
  }
}

void RfcOracle::AnswerNsName(const AskedName& name, const std::string& wire,
                             Message* message) {
  Hit(RfcRow::kNsName);
  const std::string apex = wire.substr(LabelOffsets(wire)[1]);
  std::vector<Rr> addresses =
      OfType(Ask(apex, kTypeNs).additional, message->qtype);
  for (Rr& rr : addresses) rr.owner = wire;
  if (addresses.empty()) return Negative(name, kNoError, message);
  Clear(message);
  SetRcode(kNoError, message);
  message->answer = addresses;
}

// The row by which a name exists that Consul does not know.
std::optional<RfcRow> RfcOracle::RowOf(const AskedName& name) const {
  const HasAnswers has = [&](const std::vector<std::string>& labels,
                             uint16_t type) {
    const std::string left = TryWireName(absl::StrJoin(labels, ".") + ".");
    if (left.empty()) return false;
    return Ask(left.substr(0, left.size() - 1) + name.suffix, type).rcode() ==
           kNoError;
  };
  return ExistsBy(catalog_, name, has);
}

void RfcOracle::AnswerName(const AskedName& name, const std::string& wire,
                           uint16_t qtype, int level, Message* message) {
  if (AnswerNamedNode(name, wire, qtype, level, message)) return;
  if (message->rcode() == kNxDomain) {
    const std::optional<RfcRow> row = RowOf(name);
    if (!row) return;
    Hit(*row);
    return Negative(name, kNoError, message);
  }
  if (message->rcode() == kServFail) {
    Hit(RfcRow::kNamelessService);
    return Negative(name, kNxDomain, message);
  }
  if (message->answer.empty()) return AnswerEmpty(name, wire, message);
  if (message->answer[0].type == kTypeCname) {
    return AnswerCname(name, wire, qtype, level, message);
  }
  if (qtype == kTypeTxt && IsServiceLike(name)) {
    Hit(RfcRow::kServiceTxt);
    return Negative(name, kNoError, message);
  }
  if (qtype == kTypeSrv) AnswerSrv(message);
  if (!IsKind(name, "addr")) return;
  for (Rr& rr : message->answer) {
    if (rr.owner != wire) Hit(RfcRow::kAddrSpelling);
    rr.owner = wire;
  }
}

// A node with a name as address, and what Consul has for it beside the CNAME.
bool RfcOracle::AnswerNamedNode(const AskedName& name, const std::string& wire,
                                uint16_t qtype, int level, Message* message) {
  if (!IsKind(name, "node") || qtype == kTypeA || qtype == kTypeAaaa) {
    return false;
  }
  const std::vector<Rr> answer = Ask(wire, kTypeA).answer;
  if (answer.empty() || answer[0].type != kTypeCname) return false;
  Hit(RfcRow::kNodeCname);
  Clear(message);
  message->answer = {answer[0]};
  Append(Follow(answer[0].rdata, qtype, level), &message->answer);
  return true;
}

void RfcOracle::AnswerEmpty(const AskedName& name, const std::string& wire,
                            Message* message) {
  if (!message->authority.empty()) return;
  if (IsKind(name, "addr")) {
    Hit(RfcRow::kAddrFamily);
    return Negative(name, kNoError, message);
  }
  Hit(RfcRow::kNegativeSoa);
  if (IsKind(name, "virtual")) {
    const size_t keyword = KeywordIndex(name.labels);
    const bool known = keyword + 1 == name.labels.size() &&
                       catalog_.service_tags.contains(name.labels[keyword - 1]);
    return Negative(name, known ? kNoError : kNxDomain, message);
  }
  const bool known = Ask(wire, kTypeAny).rcode() == kNoError;
  Negative(name, known || RowOf(name) ? kNoError : kNxDomain, message);
}

void RfcOracle::AnswerCname(const AskedName& name, const std::string& wire,
                            uint16_t qtype, int level, Message* message) {
  const auto has_own_address = [&](uint16_t type) {
    const std::vector<Rr> answer = Ask(wire, type).answer;
    return std::any_of(answer.begin(), answer.end(), [&](const Rr& rr) {
      return IsAddress(rr) && rr.owner == wire;
    });
  };
  if (IsServiceLike(name) &&
      (has_own_address(kTypeA) || has_own_address(kTypeAaaa))) {
    Hit(RfcRow::kCnameBesideAddress);
    return Negative(name, kNoError, message);
  }
  const Rr cname = message->answer[0];
  std::vector<Rr> answer = {cname};
  Append(Follow(cname.rdata, qtype, level), &answer);
  if (answer != message->answer) Hit(RfcRow::kChain);
  message->answer = answer;
}

// Consul adds nothing but addresses, so types that cannot have one end here.
std::vector<Rr> RfcOracle::Follow(const std::string& target, uint16_t qtype,
                                  int level) {
  const bool followed =
      qtype == kTypeA || qtype == kTypeAaaa || qtype == kTypeAny;
  const AskedName name = Read(target);
  if (!name.in_domain || level < 1 || !followed) return {};
  RfcCounts ignored;
  RfcCounts* const counts = std::exchange(counts_, &ignored);
  const Message message = Answer(target, qtype, Ask(target, qtype), level - 1);
  counts_ = counts;
  std::vector<Rr> chain;
  for (const Rr& rr : message.answer) {
    if (IsAddress(rr) || rr.type == kTypeCname) chain.push_back(rr);
  }
  if (config_.has_a_record_limit) AddBeyondLimit(target, qtype, &chain);
  return chain;
}

// The limit does not hold for SRV, which has all addresses in ADDITIONAL.
void RfcOracle::AddBeyondLimit(const std::string& target, uint16_t qtype,
                               std::vector<Rr>* chain) {
  if (chain->empty() || !IsAddress((*chain)[0])) return;
  std::vector<Rr> all = OfType(Ask(target, kTypeSrv).additional, qtype);
  for (Rr& rr : all) rr.owner = target;
  RemoveRepeated(&all);
  if (all.size() <= chain->size()) return;
  Hit(RfcRow::kChainLimit);
  *chain = all;
}

void RfcOracle::AnswerSrv(Message* message) {
  // Consul makes up the other targets; what they lead to stays as it is.
  std::vector<std::string> made_up;
  std::vector<std::string> followed;
  std::vector<Rr> chains;
  for (const Rr& rr : message->answer) {
    const std::string target = rr.rdata.substr(kSrvNumbersBytes);
    if (IsMadeUp(target)) {
      made_up.push_back(target);
    } else if (!Contains(followed, target)) {
      followed.push_back(target);
      Append(Follow(target, kTypeAny, kChainLevels), &chains);
    }
  }
  std::vector<Rr> kept;
  std::vector<Rr> theirs;
  for (const Rr& rr : message->additional) {
    const bool keep = rr.type == kTypeTxt || Contains(made_up, rr.owner);
    (keep ? kept : theirs).push_back(rr);
  }
  if (SortedTexts(chains) != SortedTexts(theirs)) Hit(RfcRow::kChain);
  if (RemoveRepeated(&kept)) Hit(RfcRow::kAdditionalOnce);
  Append(chains, &kept);
  message->additional = kept;
}

// Whether Consul has made this target of an SRV up from a node or an address.
bool RfcOracle::IsMadeUp(const std::string& target) const {
  const AskedName name = Read(target);
  return name.in_domain && !name.labels.empty() &&
         name.labels.back() == config_.release.datacenter &&
         (IsKind(name, "node") || IsKind(name, "addr"));
}

void RfcOracle::AnswerReverse(const AskedName& name, uint16_t qtype,
                              Message* message) {
  const std::vector<std::string>& labels = name.labels;
  if (labels.empty() || labels.back() != "arpa") return;
  const bool ours =
      labels.size() > 1 && (labels[labels.size() - 2] == "in-addr" ||
                            labels[labels.size() - 2] == "ip6");
  if (!ours) {
    Hit(RfcRow::kForeignArpa);
    Clear(message);
    message->flags = static_cast<uint16_t>(message->flags & ~kFlagAa);
    return SetRcode(kRefused, message);
  }
  if (message->rcode() == kNxDomain) {
    if (!IsShortReverse(labels)) return;
    Hit(RfcRow::kShortReverse);
    return Negative(name, kNoError, message);
  }
  if (qtype != kTypePtr && qtype != kTypeAny) {
    Hit(RfcRow::kPtrType);
    return Negative(name, kNoError, message);
  }
  for (Rr& rr : message->answer) {
    if (rr.ttl != config_.node_ttl) Hit(RfcRow::kPtrTtl);
    rr.ttl = config_.node_ttl;
  }
}

void RfcOracle::MendSoas(const AskedName& name, Message* message) {
  const std::string domain = WireName(name.in_alt ? config_.release.alt_domain
                                                  : config_.release.domain);
  for (auto* section : {&message->answer, &message->authority}) {
    for (Rr& rr : *section) {
      if (rr.type != kTypeSoa) continue;
      std::string numbers = rr.rdata.substr(rr.rdata.size() - kSoaNumbersBytes);
      if (!config_.min_ttl) {
        Hit(RfcRow::kNegativeTtl);
        rr.ttl = kMinTtlDefault;
        numbers.replace(kSoaNumbersBytes - kSoaMinimumBytes, kSoaMinimumBytes,
                        std::string("\0\0\0\5", 4));
      }
      if (LowerName(rr.owner) != domain) Hit(RfcRow::kAltSoa);
      rr.owner = domain;
      rr.rdata = Label("ns") + domain + Label("hostmaster") + domain + numbers;
    }
  }
}

void RfcOracle::MendOpt(const QueryOptions& options, Message* message) {
  if (!options.edns) return;
  if (!message->opt) {
    message->opt.emplace();
    message->opt->udp_size = options.edns->udp_size;
    if (message->rcode() == kRefused) Hit(RfcRow::kOptOfRefused);
  }
  if (message->opt->udp_size != config_.edns_udp_size) Hit(RfcRow::kOptSize);
  message->opt->udp_size = config_.edns_udp_size;
  if (options.edns->dnssec_ok) Hit(RfcRow::kDo);
  message->opt->dnssec_ok = options.edns->dnssec_ok;
}

}  // namespace dnsd::testing
