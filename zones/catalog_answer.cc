// Which records a catalog name answers with. HOT PATH
#include <cstring>

#include "zones/answer.h"
#include "zones/service_names.h"

namespace dnsd {
namespace {

std::span<const uint8_t> RawQname(const Query& query) {
  return {query.packet + kHeaderBytes, query.qname.size};
}

bool TagIs(const Entry& entry, const EntrySet& set,
           std::span<const uint8_t> tag, uint32_t hash) {
  return set.tag_hash == hash && set.tag_size == tag.size() &&
         std::memcmp(entry.Tag(set).data(), tag.data(), tag.size()) == 0;
}

// Whether a tag of the service ends in the labels asked: then the name is an
// empty non-terminal (RFC 8020).
bool IsTagSuffix(const Entry& entry, std::span<const uint8_t> asked) {
  for (const EntrySet& set : entry.sets()) {
    const uint8_t* tag = entry.Tag(set).data();
    size_t at = 0;
    while (set.tag_size - at > asked.size()) {
      at += 1u + tag[at];
      if (set.tag_size - at == asked.size() &&
          std::memcmp(tag + at, asked.data(), asked.size()) == 0) {
        return true;
      }
    }
  }
  return false;
}

ListKind CnameList(uint16_t qtype) {
  return qtype == kTypeA      ? kListCnameA
         : qtype == kTypeAaaa ? kListCnameAaaa
                              : kListCnameAny;
}

// A service's records of the asked type.
void AnswerInstances(Answer* answer, const Found& found) {
  uint16_t qtype = answer->query.qtype;
  if (qtype == kTypeSrv) {
    return AnswerRecords(answer, *found.entry, found.List(kListSrv),
                         AnswerKind::kSrv);
  }
  if (AsksAddresses(qtype) || (qtype == kTypeTxt && !answer->view.rfc())) {
    const RrList list = found.List(AddressList(qtype));
    if (list.count > 0) {
      return AnswerRecords(answer, *found.entry, list, AnswerKind::kAddresses);
    }
  }
  const RrList cname = found.List(CnameList(qtype));
  if (cname.count == 0) return answer->Nodata();
  AnswerCname(answer, *found.entry, cname, false);
}

// A service, or what stands for one.
void AnswerService(Answer* answer, const CatalogName& name) {
  const View& view = answer->view;
  Found found = FindName(view, name, RawQname(answer->query));
  if (view.wants_asked_names && found.entry != nullptr) {
    answer->context.asked.kind = AskedKey::kService;
    answer->context.asked.entry = found.entry;
  }
  if (found.set == nullptr) {
    bool is_empty_non_terminal =
        view.rfc() &&
        (name.is_underscored || (found.entry != nullptr && name.has_tag &&
                                 IsTagSuffix(*found.entry, name.tag)));
    answer->counts_for_zone = true;
    return is_empty_non_terminal ? answer->Nodata() : answer->Nxdomain();
  }
  // The short form is a name for SRV only.
  if (name.is_short_srv && answer->query.qtype != kTypeSrv) {
    return answer->Nodata();
  }
  AnswerInstances(answer, found);
}

// Whether the dotted text of `labels` begins with `prefix`.
bool BeginsWith(std::span<const uint8_t> labels, const std::string& prefix) {
  if (prefix.size() >= labels.size()) return false;
  size_t label_end = 1u + labels[0];
  for (size_t i = 0; i < prefix.size(); ++i) {
    uint8_t byte = labels[i + 1];
    if (i + 1 == label_end) {
      label_end += 1u + byte;
      byte = '.';
    }
    if (byte != static_cast<uint8_t>(prefix[i])) return false;
  }
  return true;
}

// A prepared query's name that has no records: unknown, or never asked for.
void AnswerQuerySlow(Answer* answer, const CatalogName& name,
                     const Entry* entry) {
  const View& view = answer->view;
  // Consul fails to run a template by its id.
  if (view.Find(EntryKind::kQueryTemplate, name.datacenter, name.key) !=
      nullptr) {
    return view.rfc() ? answer->Nxdomain() : answer->Servfail();
  }
  if (entry == nullptr && MayBeTemplate(view, name)) {
    return answer->PendingQuery(name.datacenter, name.key);
  }
  bool is_empty_non_terminal =
      view.rfc() &&
      (name.is_underscored || view.Find(EntryKind::kQuerySuffix,
                                        name.datacenter, name.key) != nullptr);
  answer->counts_for_zone = true;
  return is_empty_non_terminal ? answer->Nodata() : answer->Nxdomain();
}

void AnswerQuery(Answer* answer, const CatalogName& name) {
  Found found = FindName(answer->view, name, RawQname(answer->query));
  if (found.set == nullptr) return AnswerQuerySlow(answer, name, found.entry);
  AnswerInstances(answer, found);
}

void AddNodeTexts(Answer* answer, const Entry& entry) {
  const RrList list = entry.List(kListTxt);
  const uint32_t* index = entry.Index(list);
  for (uint32_t i = 0; i < list.count; ++i) {
    const auto& record = *entry.At<RrRecord>(index[i]);
    if (!answer->message.Add(Message::kAdditional, record)) return;
  }
}

// The list a node answers a type with. A node's kListAny is its addresses and
// texts.
RrList NodeList(const Entry& entry, uint16_t qtype) {
  switch (qtype) {
    case kTypeA:
      return entry.List(kListA);
    case kTypeAaaa:
      return entry.List(kListAaaa);
    case kTypeTxt:
      return entry.List(kListTxt);
    case kTypeAny:
      return entry.List(kListAny);
    default:
      return {};
  }
}

// Consul looks a node up for these types only.
bool IsNodeType(uint16_t qtype) {
  return AsksAddresses(qtype) || qtype == kTypeTxt;
}

// A datacenter or peer nobody knows: NXDOMAIN, but where Consul does not come
// to look for it.
void AnswerElsewhere(Answer* answer, const CatalogName& name) {
  bool is_unlooked =
      name.sought == NameKind::kVirtual ||
      (name.sought == NameKind::kNode && !IsNodeType(answer->query.qtype));
  return is_unlooked && !answer->view.rfc() ? answer->Empty()
                                            : answer->Nxdomain();
}

void AnswerNode(Answer* answer, const CatalogName& name) {
  const View& view = answer->view;
  uint16_t qtype = answer->query.qtype;
  if (!IsNodeType(qtype) && !view.rfc()) return answer->Empty();
  const Entry* entry = view.Find(EntryKind::kNode, name.datacenter, name.key);
  if (entry == nullptr) {
    bool below = view.rfc() && view.Find(EntryKind::kNodeSuffix,
                                         name.datacenter, name.key) != nullptr;
    return below ? answer->Nodata() : answer->Nxdomain();
  }
  const RrList list = NodeList(*entry, qtype);
  const RrList cname = entry->List(CnameList(qtype));
  // A CNAME stands alone (RFC 1034 3.6.2); Consul puts TXT beside it.
  bool use_cname =
      cname.count > 0 && (view.rfc() || (qtype != kTypeTxt && list.count == 0));
  if (use_cname || (qtype == kTypeAny && cname.count > 0)) {
    AnswerCname(answer, *entry, cname, true);
  } else if (list.count > 0) {
    AnswerRecords(answer, *entry, list, AnswerKind::kNode);
  } else {
    answer->Empty();
  }
  bool is_address = qtype == kTypeA || qtype == kTypeAaaa;
  if (is_address && view.policy.enable_additional_node_meta_txt &&
      // Consul loses ADDITIONAL when it trims.
      answer->outcome !=
          (view.rfc() ? Outcome::kNodata : Outcome::kTruncated)) {
    AddNodeTexts(answer, *entry);
  }
}

// <hex>.addr: the address is in the name.
void AnswerAddress(Answer* answer, const CatalogName& name) {
  answer->counts_for_zone = true;
  HexAddress address = ParseHexAddress(name.key);
  if (address.size == 0) return answer->Nxdomain();
  uint16_t qtype = answer->query.qtype;
  bool matches = qtype == address.type() || qtype == kTypeAny;
  if (!matches && answer->view.rfc()) return answer->Nodata();
  answer->message.AddLowered(matches ? Message::kAnswer : Message::kAdditional,
                             address.type(), answer->view.policy.node_ttl,
                             {address.bytes, address.size});
  if (!matches) answer->outcome = Outcome::kNodata;
}

void AnswerVirtual(Answer* answer, const CatalogName& name) {
  const View& view = answer->view;
  uint16_t qtype = answer->query.qtype;
  const Entry* entry =
      view.Find(EntryKind::kVirtual, name.datacenter, name.key);
  if (entry == nullptr) {
    if (!view.rfc()) return answer->Empty();
    bool has_service =
        view.Find(EntryKind::kService, name.datacenter, name.key) != nullptr;
    return has_service ? answer->Nodata() : answer->Nxdomain();
  }
  // Consul answers every type with the address.
  const RrList list = entry->List(view.rfc() ? AddressList(qtype) : kListAny);
  if (list.count == 0 || (view.rfc() && !AsksAddresses(qtype))) {
    return answer->Nodata();
  }
  const auto* record = entry->At<RrRecord>(*entry->Index(list));
  answer->message.AddLowered(
      Message::kAnswer, Load16(record->bytes() + 2), view.policy.node_ttl,
      {record->bytes() + kRdataOffset, record->size - kRdataOffset});
}

// NS records of the domain with their addresses, at most three as Consul.
void AddServers(Answer* answer, Message::Section section, size_t owner) {
  constexpr uint32_t kServersMax = 3;
  const Entry* entry = answer->view.Find(EntryKind::kServers, 0, {});
  if (entry == nullptr) return;
  const RrList list = entry->List(kListSrv);
  const uint32_t* index = entry->Index(list);
  uint32_t count = list.count < kServersMax ? list.count : kServersMax;
  // Consul cuts NS answers as any others, and their glue with them.
  ConsulLimits limits = ConsulLimitsOf(*answer);
  bool cut = !answer->view.rfc() && section == Message::kAnswer &&
             count > limits.answers_max;
  if (cut) {
    count = limits.answers_max;
    answer->message.want_opt = false;
    answer->Truncated();
  }
  uint32_t start =
      list.count > 1 ? answer->context.random.Below(list.count) : 0;
  size_t target_at[kServersMax] = {};
  for (uint32_t i = 0; i < count; ++i) {
    const auto* server = entry->At<SrvRecord>(index[(start + i) % list.count]);
    if (!answer->message.Add(section, server->rr, owner)) return;
    target_at[i] = answer->message.last_name_at(kRdataOffset);
  }
  if (cut) return;
  for (uint32_t i = 0; i < count; ++i) {
    const auto* server = entry->At<SrvRecord>(index[(start + i) % list.count]);
    AddTarget(answer, *entry, *server, target_at[i], {.addresses = true});
  }
}

void AnswerServers(Answer* answer) {
  const Entry* entry = answer->view.Find(EntryKind::kServers, 0, {});
  uint16_t qtype = answer->query.qtype;
  if (entry == nullptr || !AsksAddresses(qtype)) return answer->Nodata();
  const RrList list = entry->List(AddressList(qtype));
  if (list.count == 0) return answer->Nodata();
  AnswerRecords(answer, *entry, list, AnswerKind::kNode);
}

// SOA and NS: Consul answers them for every name, we for the apex only.
bool AnswerApexTypes(Answer* answer, const Domain& domain, bool is_apex) {
  uint16_t qtype = answer->query.qtype;
  bool rfc = answer->view.rfc();
  if (rfc && !is_apex) return false;
  // Where the question's domain begins, as an owner name.
  size_t apex = kHeaderBytes + answer->query.qname.size - domain.wire.size();
  if (qtype == kTypeSoa || (rfc && qtype == kTypeAny)) {
    answer->message.AddSoa(Message::kAnswer, answer->soa_serial(),
                           answer->view.negative_ttl);
    if (!rfc) AddServers(answer, Message::kAuthority, apex);
    if (qtype == kTypeSoa) return true;
  }
  if (qtype == kTypeNs || (rfc && qtype == kTypeAny)) {
    AddServers(answer, Message::kAnswer, apex);
    if (answer->message.count(Message::kAnswer) == 0) answer->Nodata();
    return true;
  }
  return false;
}

// The datacenter whose catalog a question needs, or View::kNoDatacenter.
int NeededDatacenter(const Answer& answer, const Domain& domain,
                     const CatalogName& name) {
  constexpr int kLocal = 0;
  uint16_t qtype = answer.query.qtype;
  bool rfc = answer.view.rfc();
  bool is_apex = name.kind == NameKind::kApex;
  // The name servers are members of the local catalog.
  if (qtype == kTypeNs && (is_apex || !rfc)) return kLocal;
  if (qtype == kTypeSoa && (is_apex || !rfc)) return View::kNoDatacenter;
  switch (name.kind) {
    case NameKind::kService:
    case NameKind::kConnect:
    case NameKind::kIngress:
    case NameKind::kVirtual:
    case NameKind::kQuery:
      return name.datacenter;
    case NameKind::kNode:
      return rfc || IsNodeType(qtype) ? name.datacenter : View::kNoDatacenter;
    case NameKind::kNameserver:
      return AsksAddresses(qtype) ? kLocal : View::kNoDatacenter;
    case NameKind::kApex:
      return rfc && qtype == kTypeAny ? kLocal : View::kNoDatacenter;
    case NameKind::kNoSuchDatacenter:
      // Other datacenters get known with the local one.
      return kLocal;
    case NameKind::kUnknown:
      // "dc2.<domain>": may be such a one, with names below it.
      return rfc && answer.query.qname.label_count == domain.label_count + 1
                 ? kLocal
                 : View::kNoDatacenter;
    case NameKind::kEmptyNonTerminal:
    case NameKind::kUnnamedService:
    case NameKind::kAddr:
      return View::kNoDatacenter;
  }
  return View::kNoDatacenter;
}

// Whether the question can be answered with what is loaded; `answer` says it
// if not. Split off: all datacenters are kReady as a rule.
[[gnu::noinline]] bool HasItsCatalogSlow(Answer* answer, const Domain& domain,
                                         const CatalogName& name) {
  int datacenter = NeededDatacenter(*answer, domain, name);
  return datacenter == View::kNoDatacenter ||
         answer->HasCatalog(static_cast<uint8_t>(datacenter));
}

}  // namespace

HexAddress ParseHexAddress(std::span<const uint8_t> label) {
  HexAddress address;
  size_t digits = label.size() - 1;
  if (digits != 8 && digits != 32) return address;
  for (size_t i = 0; i < digits; ++i) {
    uint8_t c = label[i + 1];
    int value;
    if (c >= '0' && c <= '9') {
      value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      value = c - 'a' + 10;
    } else {
      return address;
    }
    uint8_t& byte = address.bytes[i / 2];
    byte = static_cast<uint8_t>(i % 2 == 0 ? value << 4 : byte | value);
  }
  address.size = digits / 2;
  return address;
}

bool MayBeTemplate(const View& view, const CatalogName& name) {
  for (const QueryTemplate& query : view.query_templates) {
    if (query.datacenter == name.datacenter &&
        BeginsWith(name.key, query.prefix)) {
      return true;
    }
  }
  return false;
}

Found FindName(const View& view, const CatalogName& name,
               std::span<const uint8_t> qname) {
  EntryKind kind = name.kind == NameKind::kConnect   ? EntryKind::kConnect
                   : name.kind == NameKind::kIngress ? EntryKind::kIngress
                   : name.kind == NameKind::kQuery   ? EntryKind::kQuery
                                                     : EntryKind::kService;
  Found found;
  found.entry = view.Find(kind, name.datacenter, name.key);
  if (found.entry == nullptr) return found;
  std::span<const EntrySet> sets = found.entry->sets();
  if (sets.empty()) return found;  // a prepared query without instances
  uint32_t hash = name.has_tag ? TagHash(name.tag) : 0;
  if (found.entry->has_self_sets) {
    for (const EntrySet& set : sets) {
      if (set.self_size != qname.size() ||
          std::memcmp(found.entry->Self(set).data(), qname.data(),
                      qname.size()) != 0) {
        continue;
      }
      if (name.has_tag ? TagIs(*found.entry, set, name.tag, hash)
                       : set.tag_size == 0) {
        found.set = &set;
        return found;
      }
    }
  }
  if (!name.has_tag) {
    found.set = &sets[0];
    return found;
  }
  for (const EntrySet& set : sets) {
    if (set.self_size == 0 && set.tag_size != 0 &&
        TagIs(*found.entry, set, name.tag, hash)) {
      found.set = &set;
      return found;
    }
  }
  return found;
}

void AnswerCatalog(Answer* answer, const Domain& domain) {
  CatalogName name;
  ParseCatalogName(answer->query.qname, domain, answer->view,
                   answer->query.qtype, &name);
  uint16_t qtype = answer->query.qtype;
  if (!answer->view.all_ready && !HasItsCatalogSlow(answer, domain, name)) {
    return;
  }
  if ((qtype == kTypeSoa || qtype == kTypeNs || qtype == kTypeAny) &&
      AnswerApexTypes(answer, domain, name.kind == NameKind::kApex)) {
    return;
  }
  switch (name.kind) {
    case NameKind::kService:
    case NameKind::kConnect:
    case NameKind::kIngress:
      return AnswerService(answer, name);
    case NameKind::kNode:
      return AnswerNode(answer, name);
    case NameKind::kNoSuchDatacenter:
      return AnswerElsewhere(answer, name);
    case NameKind::kAddr:
      return AnswerAddress(answer, name);
    case NameKind::kVirtual:
      return AnswerVirtual(answer, name);
    case NameKind::kNameserver:
      return AnswerServers(answer);
    case NameKind::kEmptyNonTerminal:
      answer->counts_for_zone = true;
      return answer->Nodata();
    case NameKind::kApex:
      return answer->view.rfc() ? answer->Nodata() : answer->Nxdomain();
    case NameKind::kQuery:
      return AnswerQuery(answer, name);
    case NameKind::kUnnamedService:
      if (answer->view.rfc()) return answer->Nxdomain();
      // Consul's catalog refuses to look for no name.
      return answer->Servfail();
    case NameKind::kUnknown:
      return answer->Nxdomain();
  }
}

}  // namespace dnsd
