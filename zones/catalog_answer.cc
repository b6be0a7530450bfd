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
         std::memcmp(entry.At<uint8_t>(set.tag_offset), tag.data(),
                     tag.size()) == 0;
}

// Whether a tag of the service ends in the labels asked: then the name is an
// empty non-terminal (RFC 8020).
bool IsTagSuffix(const Entry& entry, std::span<const uint8_t> asked) {
  for (const EntrySet& set : entry.sets()) {
    const uint8_t* tag = entry.At<uint8_t>(set.tag_offset);
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

ListKind AddressList(uint16_t qtype) {
  return qtype == kTypeA ? kListA : qtype == kTypeAaaa ? kListAaaa : kListAny;
}

ListKind CnameList(uint16_t qtype) {
  return qtype == kTypeA      ? kListCnameA
         : qtype == kTypeAaaa ? kListCnameAaaa
                              : kListCnameAny;
}

// A service, or what stands for one.
void AnswerService(Answer* answer, const CatalogName& name) {
  const View& view = answer->view;
  uint16_t qtype = answer->query.qtype;
  Found found = FindName(view, name, RawQname(answer->query));
  if (found.set == nullptr) {
    bool is_empty_non_terminal =
        view.rfc() &&
        (name.is_underscored || (found.entry != nullptr && name.has_tag &&
                                 IsTagSuffix(*found.entry, name.tag)));
    return is_empty_non_terminal ? answer->Nodata() : answer->Nxdomain();
  }
  const RrList* lists = found.set->lists;
  if (qtype == kTypeSrv) {
    return AnswerRecords(answer, *found.entry, lists[kListSrv], true);
  }
  // The short form is a name for SRV only.
  if (name.is_short_srv) return answer->Nodata();
  bool has_addresses = qtype == kTypeA || qtype == kTypeAaaa ||
                       qtype == kTypeAny || (qtype == kTypeTxt && !view.rfc());
  if (has_addresses) {
    const RrList& list = lists[AddressList(qtype)];
    if (list.count > 0) {
      return AnswerRecords(answer, *found.entry, list, false);
    }
  }
  const RrList& cname = lists[CnameList(qtype)];
  if (cname.count == 0) return answer->Nodata();
  AnswerCname(answer, *found.entry, cname, view.rfc());
}

void AddNodeTexts(Answer* answer, const Entry& entry,
                  Message::Section section) {
  const RrList& list = entry.sets()[0].lists[kListTxt];
  const uint32_t* index = entry.Index(list);
  for (uint32_t i = 0; i < list.count; ++i) {
    if (!answer->message.Add(section, *entry.At<RrRecord>(index[i])) &&
        section == Message::kAnswer) {
      answer->message.flags |= kFlagTc;
      answer->outcome = Outcome::kTruncated;
      return;
    }
  }
}

void AnswerNode(Answer* answer, const CatalogName& name) {
  const View& view = answer->view;
  uint16_t qtype = answer->query.qtype;
  bool known_type = qtype == kTypeA || qtype == kTypeAaaa ||
                    qtype == kTypeTxt || qtype == kTypeAny;
  // Consul does not look the node up for other types.
  if (!known_type && !view.rfc()) return answer->Empty();
  const Entry* entry = view.Find(EntryKind::kNode, name.datacenter, name.key);
  if (entry == nullptr) {
    bool below = view.rfc() && view.Find(EntryKind::kNodeSuffix,
                                         name.datacenter, name.key) != nullptr;
    return below ? answer->Nodata() : answer->Nxdomain();
  }
  const RrList* lists = entry->sets()[0].lists;
  answer->message.set_limit(answer->limit - answer->message.opt_size());
  if (known_type && qtype != kTypeTxt) {
    const RrList& list = lists[AddressList(qtype)];
    const uint32_t* index = entry->Index(list);
    for (uint32_t i = 0; i < list.count; ++i) {
      answer->message.Add(Message::kAnswer, *entry->At<RrRecord>(index[i]));
    }
  }
  if (answer->message.count(Message::kAnswer) == 0 &&
      (qtype != kTypeTxt || view.rfc())) {
    const RrList& cname = lists[CnameList(qtype)];
    if (cname.count > 0) AnswerCname(answer, *entry, cname, true);
  }
  if (qtype == kTypeTxt || qtype == kTypeAny) {
    // A CNAME stands alone (RFC 1034 3.6.2); Consul puts TXT beside it.
    bool alone = view.rfc() && lists[kListCnameAny].count > 0;
    if (!alone) AddNodeTexts(answer, *entry, Message::kAnswer);
  } else if (known_type && view.policy.enable_additional_node_meta_txt) {
    AddNodeTexts(answer, *entry, Message::kAdditional);
  }
  if (answer->message.count(Message::kAnswer) > 0) return;
  if (view.rfc()) {
    answer->message.Rewind();
    answer->Nodata();
  } else {
    answer->outcome = Outcome::kNodata;
  }
}

// <hex>.addr: the address is in the name.
void AnswerAddress(Answer* answer, const CatalogName& name) {
  uint8_t address[16];
  size_t digits = name.key.size() - 1;
  if (digits != 8 && digits != 32) return answer->Nxdomain();
  for (size_t i = 0; i < digits; ++i) {
    uint8_t c = name.key[i + 1];
    uint8_t value;
    if (c >= '0' && c <= '9') {
      value = static_cast<uint8_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = static_cast<uint8_t>(c - 'a' + 10);
    } else {
      return answer->Nxdomain();
    }
    address[i / 2] =
        static_cast<uint8_t>(i % 2 == 0 ? value << 4 : address[i / 2] | value);
  }
  uint16_t type = digits == 8 ? kTypeA : kTypeAaaa;
  uint16_t qtype = answer->query.qtype;
  bool matches = qtype == type || qtype == kTypeAny;
  if (!matches && answer->view.rfc()) return answer->Nodata();
  answer->message.AddRaw(matches ? Message::kAnswer : Message::kAdditional, 0,
                         type, answer->view.policy.node_ttl,
                         {address, digits / 2});
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
  const RrList& list =
      entry->sets()[0].lists[view.rfc() ? AddressList(qtype) : kListAny];
  bool has_addresses =
      qtype == kTypeA || qtype == kTypeAaaa || qtype == kTypeAny;
  if (list.count == 0 || (view.rfc() && !has_addresses)) {
    return answer->Nodata();
  }
  answer->message.Add(Message::kAnswer,
                      *entry->At<RrRecord>(*entry->Index(list)));
}

// NS records of the domain with their addresses, at most three as Consul.
void AddServers(Answer* answer, Message::Section section, size_t owner) {
  constexpr uint32_t kServersMax = 3;
  const Entry* entry = answer->view.Find(EntryKind::kServers, 0, {});
  if (entry == nullptr) return;
  const RrList& list = entry->sets()[0].lists[kListSrv];
  const uint32_t* index = entry->Index(list);
  uint32_t count = list.count < kServersMax ? list.count : kServersMax;
  uint32_t start =
      list.count > 1 ? answer->context.random.Below(list.count) : 0;
  size_t target_at[kServersMax] = {};
  for (uint32_t i = 0; i < count; ++i) {
    const auto* server = entry->At<SrvRecord>(index[(start + i) % list.count]);
    if (!answer->message.Add(section, server->rr, owner)) return;
    target_at[i] = answer->message.last_name_at(kRdataOffset);
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto* server = entry->At<SrvRecord>(index[(start + i) % list.count]);
    AddTarget(answer, *entry, *server, target_at[i], true, false);
  }
}

void AnswerServers(Answer* answer) {
  const Entry* entry = answer->view.Find(EntryKind::kServers, 0, {});
  uint16_t qtype = answer->query.qtype;
  bool has_addresses =
      qtype == kTypeA || qtype == kTypeAaaa || qtype == kTypeAny;
  if (entry == nullptr || !has_addresses) return answer->Nodata();
  const RrList& list = entry->sets()[0].lists[AddressList(qtype)];
  if (list.count == 0) return answer->Nodata();
  AnswerRecords(answer, *entry, list, false);
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

}  // namespace

Found FindName(const View& view, const CatalogName& name,
               std::span<const uint8_t> qname) {
  EntryKind kind = name.kind == NameKind::kConnect   ? EntryKind::kConnect
                   : name.kind == NameKind::kIngress ? EntryKind::kIngress
                                                     : EntryKind::kService;
  Found found;
  found.entry = view.Find(kind, name.datacenter, name.key);
  if (found.entry == nullptr) return found;
  std::span<const EntrySet> sets = found.entry->sets();
  uint32_t hash = name.has_tag ? TagHash(name.tag) : 0;
  if (found.entry->has_self_sets) {
    for (const EntrySet& set : sets) {
      if (set.self_size != qname.size() ||
          std::memcmp(found.entry->At<uint8_t>(set.self_offset), qname.data(),
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
    case NameKind::kAddr:
      return AnswerAddress(answer, name);
    case NameKind::kVirtual:
      return AnswerVirtual(answer, name);
    case NameKind::kNameserver:
      return AnswerServers(answer);
    case NameKind::kEmptyNonTerminal:
      return answer->Nodata();
    case NameKind::kApex:
      return answer->view.rfc() ? answer->Nodata() : answer->Nxdomain();
    case NameKind::kQuery:
      return answer->view.rfc() && name.is_underscored ? answer->Nodata()
                                                       : answer->Nxdomain();
    case NameKind::kUnknown:
    case NameKind::kNoSuchDatacenter:
      return answer->Nxdomain();
  }
}

}  // namespace dnsd
