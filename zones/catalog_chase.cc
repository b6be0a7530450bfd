// Following names of ours: SRV targets and CNAMEs. HOT PATH
#include <algorithm>

#include "zones/answer.h"
#include "zones/rr_order.h"
#include "zones/service_names.h"

namespace dnsd {
namespace {

// Consul's maxRecurseRecords: without EDNS a chain brings at most so many.
constexpr int kChainRecordsMax = 5;

struct Chase {
  Answer* answer;
  Message::Section section;
  int records_left;         // of a chain, which is just that long
  uint32_t answers_max;     // of the section, which is truncated there
  bool texts;               // the head is a node, whose chain is copied whole
  bool first_only = false;  // stop at the first record that is no CNAME
  uint32_t ttl_max = UINT32_MAX;  // of what others say
  bool truncated = false;
};

uint16_t TypeOf(const RrRecord& record) { return Load16(record.bytes() + 2); }
// Consul gives a chain the TTL of its head.
uint32_t TtlOf(const RrRecord& record) { return Load32(record.bytes() + 6); }

// Whether there is room left in a chain for one more record, which `add` adds.
template <typename AddTo>
bool AddOne(Chase* chase, uint16_t type, AddTo add) {
  if (chase->records_left == 0) return false;
  Message& message = chase->answer->message;
  if (message.count(chase->section) >= chase->answers_max || !add(&message)) {
    chase->truncated = true;
    return false;
  }
  --chase->records_left;
  if (chase->first_only && type != kTypeCname) chase->records_left = 0;
  return true;
}

bool Add(Chase* chase, const RrRecord& record, size_t owner) {
  if (TypeOf(record) == kTypeTxt && !chase->texts) return true;
  return AddOne(chase, TypeOf(record), [&](Message* message) {
    return message->Add(chase->section, record, owner);
  });
}

void AddAll(Chase* chase, const Entry& entry, RrList list, size_t owner,
            bool is_service) {
  const View& view = chase->answer->view;
  // Consul asks itself, with its own cap on the addresses of a service.
  uint32_t count = list.count;
  if (!view.rfc() && is_service) count = CapAddresses(view.policy, count);
  RrOrder order(list.count, &chase->answer->context.random);
  const uint32_t* index = entry.Index(list);
  uint32_t at = order.First();
  for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) {
    if (!Add(chase, *entry.At<RrRecord>(index[at]), owner)) return;
  }
}

// Consul asks itself for ANY, whatever the client asked; we for the type.
ListKind ChainList(const View& view, uint16_t qtype) {
  return view.rfc() ? AddressList(qtype) : kListAny;
}

void AddHexAddress(Chase* chase, std::span<const uint8_t> label, size_t name_at,
                   uint16_t qtype) {
  const View& view = chase->answer->view;
  HexAddress address = ParseHexAddress(label);
  ListKind list = ChainList(view, qtype);
  bool wanted = address.size != 0 &&
                (list == kListAny || list == AddressList(address.type()));
  if (!wanted || chase->records_left == 0) return;
  if (chase->answer->message.count(chase->section) >= chase->answers_max) {
    chase->truncated = true;
    return;
  }
  chase->answer->message.AddRaw(chase->section, name_at, address.type(),
                                view.policy.node_ttl,
                                {address.bytes, address.size});
}

// Whether a chain goes on in a datacenter that is not loaded yet. In one that
// is unavailable it ends, as Consul's does.
bool IsAwaitedSlow(const View& view, const CatalogName& name) {
  switch (name.kind) {
    case NameKind::kService:
    case NameKind::kConnect:
    case NameKind::kIngress:
    case NameKind::kVirtual:
    case NameKind::kNode:
    case NameKind::kQuery:
      return view.datacenter_states[name.datacenter] ==
             DatacenterState::kAwaited;
    default:
      return false;
  }
}

using ExternalRecords = std::span<const ExternalNames::Record>;

// Adds the CNAMEs from the name at `owner` on, and the addresses of the last
// name in a random order. Returns where that name is.
size_t AddExternal(Chase* chase, ExternalRecords records, size_t owner) {
  Message& message = chase->answer->message;
  const auto add = [&](const ExternalNames::Record& record) {
    return AddOne(chase, record.type, [&](Message* to) {
      return to->AddRaw(chase->section, owner, record.type,
                        std::min(record.ttl, chase->ttl_max), record.rdata);
    });
  };
  while (!records.empty() && records[0].type == kTypeCname) {
    if (!add(records[0])) return owner;
    owner = message.last_name_at(kRdataOffset);
    records = records.subspan(1);
  }
  RrOrder order(static_cast<uint32_t>(records.size()),
                &chase->answer->context.random);
  uint32_t at = order.First();
  for (size_t i = 0; i < records.size(); ++i, at = order.Next(at)) {
    if (!add(records[at])) break;
  }
  return owner;
}

// Adds what others say about a name outside our domain. Consul asks for A
// whatever it was asked, and whether or not the client wants recursion.
void FollowExternal(Chase* chase, const Name& name, size_t name_at,
                    uint16_t qtype) {
  Answer* answer = chase->answer;
  ExternalNames* external = answer->context.external;
  const bool rfc = answer->view.rfc();
  size_t apex;
  if (!answer->resolves_others() || answer->outcome == Outcome::kPending ||
      !answer->MayForward({name.lower, name.size}) ||
      (rfc && (answer->query.flags & kFlagRd) == 0) ||
      answer->view.FindZone(name, 0, &apex) != nullptr) {
    return;
  }
  // What a node leads to Consul cuts only where it is its own.
  if (chase->texts) chase->answers_max = UINT32_MAX;
  size_t owner = name_at;
  for (uint16_t type : {kTypeA, kTypeAaaa}) {
    if (rfc ? qtype != type && qtype != kTypeAny : type != kTypeA) continue;
    ExternalRecords records;
    const ExternalNames::Known known =
        external->Find({name.lower, name.size}, type, &records);
    if (known == ExternalNames::Known::kNotYet) {
      return answer->PendingExternal(name, type);
    }
    if (known == ExternalNames::Known::kNobody) {
      // In ADDITIONAL nobody misses it; Consul never says so.
      if (rfc && chase->section == Message::kAnswer) answer->Servfail();
      return;
    }
    if (owner != name_at) {  // by the same CNAMEs, which are there
      while (!records.empty() && records[0].type == kTypeCname) {
        records = records.subspan(1);
      }
    }
    owner = AddExternal(chase, records, owner);
  }
}

// Whether a record's name leads to more: a name of ours, or others' that
// somebody can be asked for.
bool LeadsOn(const Chase& chase, const RrRecord& record) {
  if ((record.flags & RrRecord::kChase) != 0) return true;
  return chase.answer->resolves_others() && TypeOf(record) == kTypeCname;
}

// Adds what the name at `name_at` of the message leads to.
void Follow(Chase* chase, size_t name_at, uint16_t qtype, int depth) {
  if (depth == 0) return;
  Answer* answer = chase->answer;
  const View& view = answer->view;
  std::span<const uint8_t> raw = answer->message.NameAt(name_at);
  Name name;
  if (ParseName(raw, &name) == 0) return;
  const Domain* domain = view.FindDomain(name);
  if (domain == nullptr) return FollowExternal(chase, name, name_at, qtype);
  CatalogName parsed;
  ParseCatalogName(name, *domain, view, qtype, &parsed);
  if (parsed.kind == NameKind::kAddr) {
    return AddHexAddress(chase, parsed.key, name_at, qtype);
  }
  if (!view.all_ready && IsAwaitedSlow(view, parsed)) {
    return answer->PendingDatacenter(parsed.datacenter);
  }
  Found found;
  if (parsed.kind == NameKind::kVirtual || parsed.kind == NameKind::kNode) {
    EntryKind kind =
        parsed.kind == NameKind::kNode ? EntryKind::kNode : EntryKind::kVirtual;
    found.entry = view.Find(kind, parsed.datacenter, parsed.key);
    if (found.entry != nullptr) found.set = &found.entry->sets()[0];
  } else if (parsed.kind == NameKind::kService ||
             parsed.kind == NameKind::kConnect ||
             parsed.kind == NameKind::kIngress ||
             parsed.kind == NameKind::kQuery) {
    found = FindName(view, parsed, raw);
  }
  if (found.entry == nullptr && parsed.kind == NameKind::kQuery &&
      MayBeTemplate(view, parsed)) {
    return answer->PendingQuery(parsed.datacenter, parsed.key);
  }
  if (found.set == nullptr || parsed.is_short_srv) return;
  const RrList addresses = found.List(ChainList(view, qtype));
  const RrList cname = found.List(kListCnameAny);
  bool is_node = parsed.kind == NameKind::kNode;
  if (cname.count > 0 && (is_node || addresses.count == 0)) {
    uint32_t pick = answer->context.random.Below(cname.count);
    const auto* record =
        found.entry->At<RrRecord>(found.entry->Index(cname)[pick]);
    if (!Add(chase, *record, name_at)) return;
    if (LeadsOn(*chase, *record)) {
      // Consul follows an alias by a question of its own, which has no EDNS.
      if (!view.rfc() && !is_node) {
        chase->records_left = std::min(chase->records_left, kChainRecordsMax);
      }
      // And gives what it leads to the TTL of that service.
      const bool overrides = !view.rfc() && !is_node && chase->texts;
      if (overrides) answer->message.set_ttl_override(true, TtlOf(*record));
      Follow(chase, answer->message.last_name_at(kRdataOffset), qtype,
             depth - 1);
      if (overrides) answer->message.set_ttl_override(false, 0);
    }
  }
  bool is_service = !is_node && parsed.kind != NameKind::kVirtual;
  AddAll(chase, *found.entry, addresses, name_at, is_service);
}

int RecordsMax(const Answer& answer) {
  return answer.view.rfc() || answer.query.has_opt ? INT32_MAX
                                                   : kChainRecordsMax;
}

}  // namespace

void AddTarget(Answer* answer, const Entry& entry, const SrvRecord& srv,
               size_t target_at, TargetWish wish) {
  Message& message = answer->message;
  if (wish.addresses) {
    if (srv.address != 0) {
      const auto* address = entry.At<RrRecord>(srv.address);
      bool added = message.AddTargetAddress(srv.rr, target_at, *address);
      Chase chase{answer, Message::kAdditional, RecordsMax(*answer), UINT32_MAX,
                  true};
      if (added && LeadsOn(chase, *address)) {
        if (answer->view.rfc()) chase.ttl_max = TtlOf(*address);
        Follow(&chase, message.last_name_at(kRdataOffset), kTypeAny, kChaseMax);
      }
    } else if ((srv.rr.flags & RrRecord::kChase) != 0 ||
               answer->resolves_others()) {
      message.set_ttl_override(!answer->view.rfc(), TtlOf(srv.rr));
      Chase chase{answer, Message::kAdditional, RecordsMax(*answer), UINT32_MAX,
                  false,  wish.first_only};
      if (answer->view.rfc()) chase.ttl_max = TtlOf(srv.rr);
      Follow(&chase, target_at, kTypeAny, kChaseMax);
      message.set_ttl_override(false, 0);
    }
  }
  if (wish.texts && srv.texts != 0) {
    bool is_owner = (srv.rr.flags & RrRecord::kNodeTarget) != 0;
    const auto* texts = entry.At<TextBlock>(srv.texts);
    message.AddTexts(*texts, texts->datacenter(), is_owner ? target_at : 0);
  }
}

void AnswerCname(Answer* answer, const Entry& entry, RrList list,
                 bool is_node) {
  Message& message = answer->message;
  bool rfc = answer->view.rfc();
  ConsulLimits limits = ConsulLimitsOf(*answer);
  message.set_limit((rfc ? answer->limit : limits.bytes_max) -
                    message.opt_size());
  uint32_t pick = answer->context.random.Below(list.count);
  const auto* record = entry.At<RrRecord>(entry.Index(list)[pick]);
  Chase chase{answer, Message::kAnswer, INT32_MAX,
              rfc ? UINT32_MAX : limits.answers_max, is_node};
  bool added = Add(&chase, *record, 0);
  uint16_t qtype = answer->query.qtype;
  bool is_end = rfc && !AsksAddresses(qtype);
  if (added && LeadsOn(chase, *record) && !is_end) {
    if (rfc) chase.ttl_max = TtlOf(*record);
    // Consul gives a service's chain the TTL of its head, and cuts it.
    message.set_ttl_override(!rfc && !is_node, TtlOf(*record));
    if (!is_node) chase.records_left = RecordsMax(*answer);
    Follow(&chase, message.last_name_at(kRdataOffset), qtype, kChaseMax);
    message.set_ttl_override(false, 0);
  }
  // Consul answers ANY of a node with its texts beside the CNAME.
  if (!rfc && is_node && qtype == kTypeAny) {
    const RrList texts = entry.List(kListTxt);
    for (uint32_t i = 0; i < texts.count; ++i) {
      Add(&chase, *entry.At<RrRecord>(entry.Index(texts)[i]), 0);
    }
  }
  if (!chase.truncated) return;
  answer->Truncated();
  if (!rfc) message.want_opt = false;
}

void FollowOut(Answer* answer, size_t target_at) {
  uint16_t qtype = answer->query.qtype;
  if (!answer->resolves_others() || !AsksAddresses(qtype) ||
      (answer->query.flags & kFlagRd) == 0) {
    return;
  }
  answer->message.SetPrimarySuffix();
  Chase chase{answer, Message::kAnswer, INT32_MAX, UINT32_MAX, false};
  Follow(&chase, target_at, qtype, kChaseMax);
  if (chase.truncated) answer->Truncated();
}

}  // namespace dnsd
