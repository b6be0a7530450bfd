// Answer is the state of one response while it is made: what was asked, of
// what, for whom. HOT PATH
//
// Threads: one owner, on its stack.
#ifndef DNSD_ZONES_ANSWER_H_
#define DNSD_ZONES_ANSWER_H_

#include <cstring>
#include <span>

#include "zones/message.h"
#include "zones/query.h"
#include "zones/responder.h"
#include "zones/view.h"

namespace dnsd {

struct Answer {
  const Query& query;
  const View& view;
  Transport transport;
  RespondContext& context;
  Message& message;
  size_t limit;  // the most the whole response may take, its OPT included
  Outcome outcome = Outcome::kAnswered;
  uint16_t zone_at = kHeaderBytes;  // where the zone's name is in the packet
  // The name is one of as many as a client can think of.
  bool counts_for_zone = false;

  // In lower case, wire form.
  [[nodiscard]] std::span<const uint8_t> qname() const {
    return {query.qname.lower, query.qname.size};
  }
  [[nodiscard]] uint32_t soa_serial() const {
    return view.rfc() || view.policy.has_secondaries ? view.serial
                                                     : context.unix_time;
  }

  // NOERROR without an answer, or NXDOMAIN, with the SOA (RFC 2308).
  void Nodata() {
    outcome = Outcome::kNodata;
    message.AddSoa(Message::kAuthority, soa_serial(), view.negative_ttl);
  }
  void Nxdomain() {
    outcome = Outcome::kNxdomain;
    message.rcode = kNxDomain;
    message.AddSoa(Message::kAuthority, soa_serial(), view.negative_ttl);
  }
  // Not all of the answer fitted.
  void Truncated() {
    if (outcome == Outcome::kPending) return;  // a chain of CNAMEs is
    outcome = Outcome::kTruncated;
    if (view.rfc() || view.policy.enable_truncate) message.flags |= kFlagTc;
  }
  // What Consul says where a negative answer should carry its SOA.
  void Empty() {
    if (view.rfc()) return Nodata();
    outcome = Outcome::kNodata;
  }

  // Whether the datacenter's catalog is there to answer from. If not, this
  // says so; what is stale gets its mark. To be asked before anything is
  // written.
  [[nodiscard]] bool HasCatalog(uint8_t datacenter) {
    return view.all_ready || HasCatalogSlow(datacenter);
  }
  // Nothing can be said before this datacenter is loaded.
  void PendingDatacenter(uint8_t datacenter) {
    outcome = Outcome::kPending;
    context.asked.kind = AskedKey::kDatacenter;
    context.asked.datacenter = datacenter;
  }
  // Nor before somebody has asked for this prepared query. `labels`: its name
  // in lower case, in wire form without the root; of the question's name.
  void PendingQuery(uint8_t datacenter, std::span<const uint8_t> labels) {
    outcome = Outcome::kPending;
    AskedKey& asked = context.asked;
    asked.kind = AskedKey::kQuery;
    asked.datacenter = datacenter;
    asked.name_size = static_cast<uint8_t>(labels.size());
    std::memcpy(asked.name, labels.data(), labels.size());
  }

  // Nor before others were asked for this name, in wire form.
  void PendingExternal(const Name& name, uint16_t qtype) {
    outcome = Outcome::kPending;
    AskedKey& asked = context.asked;
    asked.kind = AskedKey::kExternal;
    asked.qtype = qtype;
    asked.name_size = static_cast<uint8_t>(name.size);
    std::memcpy(asked.name, name.lower, name.size);
  }

  // Whether a rule says whom to ask for a name, lower case in wire form.
  [[nodiscard]] bool MayForward(std::span<const uint8_t> name) const {
    return view.policy.recursion_available &&
           (view.policy.forward_zones == nullptr ||
            view.policy.forward_zones->Find(name) != nullptr);
  }
  // Whether names of others that ours lead to are resolved.
  [[nodiscard]] bool resolves_others() const {
    return context.external != nullptr && view.policy.recursion_available;
  }
  // Lets others be asked for the name, if it may be forwarded.
  [[nodiscard]] bool Forward();
  // The same for a name of ours that our catalog lacks.
  void FallThrough();

  // Split off HasCatalog(): rare (responder.cc).
  [[nodiscard]] bool HasCatalogSlow(uint8_t datacenter);
  // What Consul says without its catalog; with AA, but no SOA.
  void Servfail() {
    message.rcode = kServFail;
    outcome = Outcome::kServfail;
  }
};

// Whether a type asks for addresses.
inline bool AsksAddresses(uint16_t qtype) {
  return qtype == kTypeA || qtype == kTypeAaaa || qtype == kTypeAny;
}

// The addresses a type is answered with.
inline ListKind AddressList(uint16_t qtype) {
  return qtype == kTypeA ? kListA : qtype == kTypeAaaa ? kListAaaa : kListAny;
}

// How many of a service's addresses a_record_limit leaves.
[[nodiscard]] uint32_t CapAddresses(const ZonePolicy& policy, uint32_t count);

// Answers a name under `domain` from the catalog (catalog_answer.cc).
void AnswerCatalog(Answer* answer, const Domain& domain);

// Answers a name under in-addr.arpa or ip6.arpa (reverse_answer.cc).
void AnswerReverse(Answer* answer);

// Answers from a zone file whose apex is at label `apex_label` of the qname
// (zone_answer.cc).
void AnswerZone(Answer* answer, const ZoneData& zone, size_t apex_label);

enum class AnswerKind : uint8_t {
  kAddresses,  // in a random order, capped by a_record_limit
  kSrv,        // SrvRecords, in a random order
  kNode,       // a node's records, in their order
};

// Adds the records of `list` as ANSWER, with what belongs to them in
// ADDITIONAL, within the limits of transport and policy; truncates by the
// rules of the view's mode (catalog_fit.cc).
void AnswerRecords(Answer* answer, const Entry& entry, RrList list,
                   AnswerKind kind);

// Consul's limits for a response (consul.md 1.9).
struct ConsulLimits {
  size_t bytes_max;
  size_t search_bytes_max;  // what its search for a count aims at
  // Without EDNS, more answers than this are cut to so many.
  uint32_t answers_max;
};
[[nodiscard]] ConsulLimits ConsulLimitsOf(const Answer& answer);

// What AddTarget() is to add.
struct TargetWish {
  bool addresses = false;   // of the target, from the record or looked up
  bool first_only = false;  // and of those one, past any CNAMEs
  bool texts = false;       // of the node
};

// Adds the ADDITIONAL records of one SRV or NS record whose target is at
// `target_at` (catalog_chase.cc).
void AddTarget(Answer* answer, const Entry& entry, const SrvRecord& srv,
               size_t target_at, TargetWish wish);

// Adds a CNAME and, when its target is a name of ours, what that leads to, at
// most kChaseMax steps (catalog_chase.cc). `is_node`: the entry is a node.
void AnswerCname(Answer* answer, const Entry& entry, RrList list, bool is_node);

// Adds what a CNAME of a zone file leads to outside of that zone, where there
// is somebody to ask for other names: its target, a name of the message, may be
// in the catalog or others' (catalog_chase.cc).
void FollowOut(Answer* answer, size_t target_at);

// Consul's maxRecursionLevelDefault.
inline constexpr int kChaseMax = 3;

// The address that an .addr. label spells; size 0 when it spells none.
struct HexAddress {
  uint8_t bytes[16];
  size_t size = 0;  // 4 or 16

  [[nodiscard]] uint16_t type() const { return size == 4 ? kTypeA : kTypeAaaa; }
};
[[nodiscard]] HexAddress ParseHexAddress(std::span<const uint8_t> label);

// Finds the entry and set a catalog name stands for; nullptr when there is
// none. `qname` is the name's wire form as asked, for self-aliases.
struct Found {
  const Entry* entry = nullptr;
  const EntrySet* set = nullptr;

  [[nodiscard]] RrList List(ListKind kind) const {
    return entry->List(*set, kind);
  }
};
struct CatalogName;
[[nodiscard]] Found FindName(const View& view, const CatalogName& name,
                             std::span<const uint8_t> qname);

// Whether a prepared query's name that has no entry may be a template's.
[[nodiscard]] bool MayBeTemplate(const View& view, const CatalogName& name);

}  // namespace dnsd

#endif  // DNSD_ZONES_ANSWER_H_
