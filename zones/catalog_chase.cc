// Following names of ours: SRV targets and CNAMEs. HOT PATH
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
  int records_left;
};

bool Add(Chase* chase, const RrRecord& record, size_t owner) {
  if (chase->records_left == 0) return false;
  if (!chase->answer->message.Add(chase->section, record, owner)) return false;
  --chase->records_left;
  return true;
}

void AddAll(Chase* chase, const Entry& entry, const RrList& list,
            size_t owner) {
  RrOrder order(list.count, &chase->answer->context.random);
  const uint32_t* index = entry.Index(list);
  uint32_t at = order.First();
  for (uint32_t i = 0; i < list.count; ++i, at = order.Next(at)) {
    if (!Add(chase, *entry.At<RrRecord>(index[at]), owner)) return;
  }
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
  if (domain == nullptr) return;
  CatalogName parsed;
  ParseCatalogName(name, *domain, view, qtype, &parsed);
  Found found;
  if (parsed.kind == NameKind::kNode) {
    found.entry = view.Find(EntryKind::kNode, parsed.datacenter, parsed.key);
    if (found.entry != nullptr) found.set = &found.entry->sets()[0];
  } else if (parsed.kind == NameKind::kService ||
             parsed.kind == NameKind::kConnect ||
             parsed.kind == NameKind::kIngress) {
    found = FindName(view, parsed, raw);
  }
  if (found.set == nullptr || parsed.is_short_srv) return;
  const RrList* lists = found.set->lists;
  // Consul asks itself for ANY, whatever the client asked.
  bool any = !view.rfc() || (qtype != kTypeA && qtype != kTypeAaaa);
  const RrList& addresses = lists[any               ? kListAny
                                  : qtype == kTypeA ? kListA
                                                    : kListAaaa];
  if (addresses.count > 0) {
    return AddAll(chase, *found.entry, addresses, name_at);
  }
  const RrList& cname = lists[kListCnameAny];
  if (cname.count == 0) return;
  uint32_t pick = answer->context.random.Below(cname.count);
  const auto* record =
      found.entry->At<RrRecord>(found.entry->Index(cname)[pick]);
  if (!Add(chase, *record, name_at)) return;
  if ((record->flags & RrRecord::kChase) == 0) return;
  Follow(chase, answer->message.last_name_at(kRdataOffset), qtype, depth - 1);
}

int RecordsMax(const Answer& answer) {
  return answer.view.rfc() || answer.query.has_opt ? INT32_MAX
                                                   : kChainRecordsMax;
}

// The TTL of a record: Consul gives a chain the TTL of its head.
uint32_t TtlOf(const RrRecord& record) { return Load32(record.bytes() + 6); }

}  // namespace

void AddTarget(Answer* answer, const Entry& entry, const SrvRecord& srv,
               size_t target_at, bool addresses, bool texts) {
  Message& message = answer->message;
  if (addresses) {
    if (srv.address != 0) {
      message.Add(Message::kAdditional, *entry.At<RrRecord>(srv.address),
                  target_at);
    } else if ((srv.rr.flags & RrRecord::kChase) != 0) {
      message.set_ttl_override(!answer->view.rfc(), TtlOf(srv.rr));
      Chase chase{answer, Message::kAdditional, RecordsMax(*answer)};
      Follow(&chase, target_at, kTypeAny, kChaseMax);
      message.set_ttl_override(false, 0);
    }
  }
  if (texts && srv.texts != 0) {
    const auto& dc = answer->view.datacenters[entry.datacenter];
    bool is_owner = (srv.rr.flags & RrRecord::kNodeTarget) != 0;
    message.AddTexts(*entry.At<TextBlock>(srv.texts),
                     {reinterpret_cast<const uint8_t*>(dc.data()), dc.size()},
                     is_owner ? target_at : 0);
  }
}

void AnswerCname(Answer* answer, const Entry& entry, const RrList& list,
                 bool keep_ttls) {
  Message& message = answer->message;
  message.set_limit(answer->limit - message.opt_size());
  uint32_t pick = answer->context.random.Below(list.count);
  const auto* record = entry.At<RrRecord>(entry.Index(list)[pick]);
  if (!message.Add(Message::kAnswer, *record)) {
    message.flags |= kFlagTc;
    answer->outcome = Outcome::kTruncated;
    return;
  }
  if ((record->flags & RrRecord::kChase) == 0) return;
  if (answer->query.qtype == kTypeCname && answer->view.rfc()) return;
  message.set_ttl_override(!keep_ttls, TtlOf(*record));
  Chase chase{answer, Message::kAnswer, RecordsMax(*answer)};
  Follow(&chase, message.last_name_at(kRdataOffset), answer->query.qtype,
         kChaseMax);
  message.set_ttl_override(false, 0);
}

}  // namespace dnsd
