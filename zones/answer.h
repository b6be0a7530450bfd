// Answer is the state of one response while it is made: what was asked, of
// what, for whom. HOT PATH
//
// Threads: one owner, on its stack.
#ifndef DNSD_ZONES_ANSWER_H_
#define DNSD_ZONES_ANSWER_H_

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

  [[nodiscard]] uint32_t soa_serial() const {
    return view.rfc() ? view.serial : context.unix_time;
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
  // What Consul says where a negative answer should carry its SOA.
  void Empty() {
    if (view.rfc()) return Nodata();
    outcome = Outcome::kNodata;
  }
};

// Answers a name under `domain` from the catalog (catalog_answer.cc).
void AnswerCatalog(Answer* answer, const Domain& domain);

// Answers a name under in-addr.arpa or ip6.arpa (reverse_answer.cc).
void AnswerReverse(Answer* answer);

// Answers from a zone file whose apex is at label `apex_label` of the qname
// (zone_answer.cc).
void AnswerZone(Answer* answer, const ZoneData& zone, size_t apex_label);

// Adds the records of `list` in a random order as ANSWER, with what belongs
// to them in ADDITIONAL, within the limits of transport and policy; truncates
// by the rules of the view's mode (catalog_fit.cc). `is_srv` lists hold
// SrvRecords.
void AnswerRecords(Answer* answer, const Entry& entry, const RrList& list,
                   bool is_srv);

// Adds the ADDITIONAL records of one SRV whose target is at `target_at`: the
// target's address, from the record or by looking up a target of ours, and,
// if `texts`, the node's TXT records (catalog_chase.cc).
void AddTarget(Answer* answer, const Entry& entry, const SrvRecord& srv,
               size_t target_at, bool addresses, bool texts);

// Adds a CNAME and, when its target is a name of ours, what that leads to, at
// most kChaseMax steps (catalog_chase.cc). `keep_ttls`: the records of the
// target keep their own TTLs.
void AnswerCname(Answer* answer, const Entry& entry, const RrList& list,
                 bool keep_ttls);

// Consul's maxRecursionLevelDefault.
inline constexpr int kChaseMax = 3;

// Finds the entry and set a catalog name stands for; nullptr when there is
// none. `qname` is the name's wire form as asked, for self-aliases.
struct Found {
  const Entry* entry = nullptr;
  const EntrySet* set = nullptr;
};
struct CatalogName;
[[nodiscard]] Found FindName(const View& view, const CatalogName& name,
                             std::span<const uint8_t> qname);

}  // namespace dnsd

#endif  // DNSD_ZONES_ANSWER_H_
