#include "zones/responder.h"

#include <algorithm>
#include <cstring>

#include "zones/answer.h"
#include "zones/message.h"
#include "zones/query.h"
#include "zones/view.h"

namespace dnsd {
namespace {

// Twelve bytes, for packets whose question cannot be trusted: nothing of a
// broken packet but its id and flags is echoed.
Response HeaderOnly(const Query& query, Rcode rcode, Outcome outcome,
                    uint8_t* out) {
  uint16_t keep = kFlagRd | kFlagAd | kFlagCd;
  // A malformed query is answered as opcode QUERY, as Consul does.
  if (rcode != kFormErr) keep |= kOpcodeMask;
  std::memset(out, 0, kHeaderBytes);
  std::memcpy(out, query.packet, 2);
  Store16(out + 2, kFlagQr | (query.flags & keep) | rcode);
  return {outcome, kHeaderBytes};
}

// An error that echoes the question.
Response ErrorWithQuestion(const Query& query, const View& view, Rcode rcode,
                           Outcome outcome, uint8_t* out) {
  Message message(query, view, out, kResponseBytesMax);
  message.rcode = rcode;
  if (view.policy.recursion_available) message.flags |= kFlagRa;
  if (view.rfc()) {
    message.want_opt = query.has_opt;
    message.opt_udp_size = view.policy.edns_udp_size;
    message.opt_dnssec_ok = query.dnssec_ok;
  }
  return {outcome, message.Finish()};
}

// The most a response may take.
size_t ResponseLimit(const Query& query, Transport transport,
                     const View& view) {
  if (transport == Transport::kTcp) return kResponseBytesMax;
  if (!query.has_opt) return kUdpPlainMax;
  size_t offered = std::max<size_t>(query.udp_size, kUdpPlainMax);
  return std::min<size_t>(offered, view.policy.edns_udp_size);
}

bool IsUnderArpa(const Name& name) {
  return name.label_count > 0 && name.LabelIs(name.label_count - 1u, "arpa", 4);
}

bool IsUnderReverseZone(const Name& name) {
  return name.label_count > 1 && IsUnderArpa(name) &&
         (name.LabelIs(name.label_count - 2u, "in-addr", 7) ||
          name.LabelIs(name.label_count - 2u, "ip6", 3));
}

// Finds who answers the name and lets it; false when nobody does.
bool AnswerName(Answer* answer) {
  const View& view = answer->view;
  const Name& qname = answer->query.qname;
  const Domain* domain = view.FindDomain(qname);
  size_t apex_label = 0;
  const ZoneData* zone = view.FindZone(qname, &apex_label);
  // The longest suffix wins, as in Consul's multiplexer.
  if (zone != nullptr && (domain == nullptr || qname.label_count - apex_label >
                                                   domain->label_count)) {
    AnswerZone(answer, *zone, apex_label);
    return true;
  }
  if (domain != nullptr) {
    answer->message.SetSuffix(*domain);
    AnswerCatalog(answer, *domain);
    if (answer->outcome == Outcome::kNxdomain) answer->FallThrough();
    return true;
  }
  if (view.rfc() ? IsUnderReverseZone(qname) : IsUnderArpa(qname)) {
    answer->message.SetPrimarySuffix();
    AnswerReverse(answer);
    return true;
  }
  return false;
}

// A message that answers the query with authority, and its OPT.
inline void BeginAnswer(const Query& query, const View& view,
                        Message* message) {
  bool rfc = view.rfc();
  message->flags = kFlagAa;
  if (view.policy.recursion_available) message->flags |= kFlagRa;
  if (!query.has_opt) return;
  message->want_opt = true;
  message->opt_udp_size = rfc ? view.policy.edns_udp_size : query.udp_size;
  message->opt_dnssec_ok = rfc && query.dnssec_ok;
  if (query.ecs_offset != 0) message->EchoEcs();
}

// What kRfc refuses before looking at the name; kCount when nothing.
Response RefuseRfc(const Query& query, const View& view, uint8_t* out) {
  if (query.trailing) {
    return HeaderOnly(query, kFormErr, Outcome::kFormErr, out);
  }
  if (query.is_notify) {
    return ErrorWithQuestion(query, view, kNotImp, Outcome::kNotImp, out);
  }
  if (query.has_opt && query.edns_version > 0) {
    return ErrorWithQuestion(query, view, kBadVers, Outcome::kBadVers, out);
  }
  if ((query.qclass != kClassIn && query.qclass != kClassAny) ||
      query.qtype == kTypeAxfr || query.qtype == kTypeIxfr) {
    return ErrorWithQuestion(query, view, kRefused, Outcome::kRefused, out);
  }
  return {Outcome::kCount, 0};
}

}  // namespace

Response Respond(std::span<const uint8_t> packet, Transport transport,
                 const View& view, RespondContext* context, uint8_t* out) {
  Query query;
  context->asked.kind = AskedKey::kNothing;
  switch (ParseQuery(packet, &query)) {
    case ParseResult::kOk:
      break;
    case ParseResult::kDropShort:
      return {Outcome::kDroppedShort, 0};
    case ParseResult::kDropResponse:
      return {Outcome::kDroppedResponse, 0};
    case ParseResult::kFormErr:
      return HeaderOnly(query, kFormErr, Outcome::kFormErr, out);
    case ParseResult::kNotImp:
      if (view.rfc() && query.has_question) {
        return ErrorWithQuestion(query, view, kNotImp, Outcome::kNotImp, out);
      }
      return HeaderOnly(query, kNotImp, Outcome::kNotImp, out);
  }
  if (context->leaves_transfers &&
      (query.has_tsig || query.qtype == kTypeAxfr ||
       query.qtype == kTypeIxfr)) {
    context->asked.kind = AskedKey::kTransfer;
    return {Outcome::kTransfer, 0};
  }
  if (view.rfc()) {
    Response refused = RefuseRfc(query, view, out);
    if (refused.outcome != Outcome::kCount) return refused;
  }

  size_t limit = ResponseLimit(query, transport, view);
  Message message(query, view, out, kResponseBytesMax);
  BeginAnswer(query, view, &message);
  Answer answer{query, view, transport, *context, message, limit};
  if (query.qtype == kTypeAxfr && view.FindDomain(query.qname) != nullptr) {
    message.rcode = kNotImp;
    answer.outcome = Outcome::kNotImp;
  } else if (!AnswerName(&answer)) {
    if (!answer.Forward()) {
      return ErrorWithQuestion(query, view, kRefused, Outcome::kRefused, out);
    }
  }
  static_assert(Outcome::kForward < Outcome::kPending &&
                Outcome::kPending < Outcome::kCount);
  if (answer.outcome >= Outcome::kForward) return {answer.outcome, 0};
  return {answer.outcome, message.Finish()};
}

size_t ServfailResponse(std::span<const uint8_t> packet, const View& view,
                        uint8_t* out) {
  Query query;
  ParseResult parsed = ParseQuery(packet, &query);
  if (parsed == ParseResult::kDropShort ||
      parsed == ParseResult::kDropResponse) {
    return 0;
  }
  if (!query.has_question) {
    return HeaderOnly(query, kServFail, Outcome::kServfail, out).size;
  }
  Message message(query, view, out, kResponseBytesMax);
  BeginAnswer(query, view, &message);
  message.rcode = kServFail;
  return message.Finish();
}

void Answer::FallThrough() {
  if (view.policy.forward_zones == nullptr) return;
  const ForwardZone* zone = view.policy.forward_zones->Find(qname());
  if (zone == nullptr || !zone->is_fallthrough) return;
  static_cast<void>(Forward());
}

bool Answer::Forward() {
  if (query.qclass != kClassIn || query.is_notify || query.qtype == kTypeAxfr ||
      query.qtype == kTypeIxfr || !MayForward(qname())) {
    return false;
  }
  outcome = Outcome::kForward;
  context.asked.kind = AskedKey::kOthers;
  return true;
}

bool Answer::HasCatalogSlow(uint8_t datacenter) {
  switch (view.datacenter_states[datacenter]) {
    case DatacenterState::kReady:
      return true;
    case DatacenterState::kStale:
      message.MarkStale();
      return true;
    case DatacenterState::kAwaited:
      PendingDatacenter(datacenter);
      return false;
    case DatacenterState::kUnavailable:
      Servfail();
      return false;
  }
  return true;
}

}  // namespace dnsd
