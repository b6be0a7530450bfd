#include "zones/responder.h"

#include <algorithm>
#include <cstring>

#include "zones/answer.h"
#include "zones/message.h"
#include "zones/query.h"
#include "zones/view.h"
#include "zones/zone_lookup.h"

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
  if (query.cookie_reply != nullptr) {
    message.want_opt = true;
    message.opt_udp_size = view.policy.edns_udp_size;
    message.AddCookie();
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

// Where a label of the question's name is in the packet.
uint16_t AtLabel(const Name& qname, size_t label) {
  return static_cast<uint16_t>(kHeaderBytes + qname.label[label]);
}

// The zone from a file in which the name is a delegation, where we may serve
// its child too: DS is the parent's to answer (RFC 4035 3.1.4.1). nullptr:
// none, so the child says NODATA.
const ZoneData* ParentSlow(const View& view, const Name& qname,
                           size_t* apex_label) {
  if (qname.label_count == 0) return nullptr;
  const ZoneData* zone = view.FindZone(qname, 1, apex_label);
  if (zone == nullptr) return nullptr;
  const ZoneResult found = LookupZone(*zone, qname.lower, qname.size, kTypeDs);
  bool is_cut = found.node != nullptr && found.node->is_cut &&
                found.kind != ZoneAnswer::kDelegation;
  return is_cut ? zone : nullptr;
}

// Finds who answers the name and lets it; false when nobody does.
bool AnswerName(Answer* answer) {
  const View& view = answer->view;
  const Name& qname = answer->query.qname;
  const Domain* domain = view.FindDomain(qname);
  size_t apex_label = 0;
  const ZoneData* zone = view.FindZone(qname, 0, &apex_label);
  if (answer->query.qtype == kTypeDs) {
    size_t parent_label = 0;
    const ZoneData* parent = ParentSlow(view, qname, &parent_label);
    if (parent != nullptr) {
      domain = nullptr;
      zone = parent;
      apex_label = parent_label;
    }
  }
  // The longest suffix wins, as in Consul's multiplexer.
  if (zone != nullptr && (domain == nullptr || qname.label_count - apex_label >
                                                   domain->label_count)) {
    answer->zone_at = AtLabel(qname, apex_label);
    AnswerZone(answer, *zone, apex_label);
    return true;
  }
  if (domain != nullptr) {
    answer->zone_at = AtLabel(qname, qname.label_count - domain->label_count);
    answer->message.SetSuffix(*domain);
    AnswerCatalog(answer, *domain);
    if (answer->outcome == Outcome::kNxdomain) answer->FallThrough();
    return true;
  }
  if (view.rfc() ? IsUnderReverseZone(qname) : IsUnderArpa(qname)) {
    answer->zone_at =
        AtLabel(qname, qname.label_count > 2 ? qname.label_count - 2u : 0);
    answer->message.SetPrimarySuffix();
    AnswerReverse(answer);
    return true;
  }
  return false;
}

// A message that answers the query with authority, and its OPT.
inline void BeginAnswer(const Query& query, const View& view,
                        Transport transport, const RespondContext& context,
                        Message* message) {
  bool rfc = view.rfc();
  message->flags = kFlagAa;
  if (view.policy.recursion_available) message->flags |= kFlagRa;
  if (!query.has_opt) return;
  message->want_opt = true;
  message->opt_udp_size = rfc ? view.policy.edns_udp_size : query.udp_size;
  message->opt_dnssec_ok = rfc && query.dnssec_ok;
  if (query.ecs_offset != 0) message->EchoEcs();
  message->AddCookie();
  if (query.asks_keepalive && rfc && transport == Transport::kTcp &&
      context.tcp_keepalive != 0) {
    message->AddKeepalive(context.tcp_keepalive);
  }
}

// Looks at the query's cookie and puts what it gets in return into `reply`.
CookieState TakeCookie(const View& view, const RespondContext& context,
                       uint8_t reply[kCookieBytes], Query* query) {
  return TakeCookie(view.policy.cookies, context.client, context.unix_time,
                    reply, query);
}

// Who asks for nothing but a server cookie gets one (RFC 7873 5.4).
Response CookieOnly(const View& view, RespondContext* context, Query* query,
                    uint8_t* out) {
  uint8_t cookie[kCookieBytes];
  context->cookie = TakeCookie(view, *context, cookie, query);
  if (query->cookie_reply == nullptr || query->edns_version > 0) {
    return HeaderOnly(*query, kFormErr, Outcome::kFormErr, out);
  }
  Response response = HeaderOnly(*query, kNoError, Outcome::kNodata, out);
  Store16(out + 2, Load16(out + 2) & ~uint32_t{kFlagAd});
  Store16(out + 10, 1);
  uint8_t* opt = out + response.size;
  std::memset(opt, 0, 11);
  Store16(opt + 1, kTypeOpt);
  Store16(opt + 3, view.policy.edns_udp_size);
  Store16(opt + 9, 4 + kCookieBytes);
  Store16(opt + 11, kOptionCookie);
  Store16(opt + 13, kCookieBytes);
  std::memcpy(opt + 15, cookie, kCookieBytes);
  response.size += 15 + kCookieBytes;
  return response;
}

// What a response is counted for (RespondContext::counted).
CountedName CountedFor(const Answer& answer) {
  uint16_t at = answer.counts_for_zone || answer.outcome == Outcome::kNxdomain
                    ? answer.zone_at
                    : uint16_t{kHeaderBytes};
  return {at,
          static_cast<uint16_t>(kHeaderBytes + answer.query.qname.size - at)};
}

// A response without records to a query that Respond() looked at before.
size_t EmptyResponse(std::span<const uint8_t> packet, const View& view,
                     const RespondContext& context, Rcode rcode, uint16_t flags,
                     uint8_t* out) {
  Query query;
  ParseResult parsed = ParseQuery(packet, &query);
  if (parsed == ParseResult::kDropShort ||
      parsed == ParseResult::kDropResponse) {
    return 0;
  }
  if (!query.has_question) {
    return HeaderOnly(query, rcode, Outcome::kServfail, out).size;
  }
  uint8_t cookie[kCookieBytes];
  static_cast<void>(TakeCookie(view, context, cookie, &query));
  Message message(query, view, out, kResponseBytesMax);
  BeginAnswer(query, view, Transport::kUdp, context, &message);
  message.flags |= flags;
  message.rcode = rcode;
  return message.Finish();
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
  context->cookie = CookieState::kNone;
  context->counted = {};
  const ParseResult parsed = ParseQuery(packet, &query);
  context->qtype = query.qtype;
  switch (parsed) {
    case ParseResult::kOk:
      break;
    case ParseResult::kDropShort:
      return {Outcome::kDroppedShort, 0};
    case ParseResult::kDropResponse:
      return {Outcome::kDroppedResponse, 0};
    case ParseResult::kFormErr:
      return HeaderOnly(query, kFormErr, Outcome::kFormErr, out);
    case ParseResult::kCookieOnly:
      return CookieOnly(view, context, &query, out);
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
  uint8_t cookie[kCookieBytes];
  if (query.cookie_at != 0) {
    context->cookie = TakeCookie(view, *context, cookie, &query);
    if (context->cookie == CookieState::kMalformed) {
      return HeaderOnly(query, kFormErr, Outcome::kFormErr, out);
    }
  }
  if (view.rfc()) {
    Response refused = RefuseRfc(query, view, out);
    if (refused.outcome != Outcome::kCount) return refused;
  }

  if (query.cookie_reply != nullptr && transport == Transport::kUdp &&
      context->cookie != CookieState::kGood &&
      view.policy.cookies.use == Cookies::kRequired) {
    return ErrorWithQuestion(query, view, kBadCookie, Outcome::kBadCookie, out);
  }

  size_t limit = ResponseLimit(query, transport, view);
  Message message(query, view, out, kResponseBytesMax);
  BeginAnswer(query, view, transport, *context, &message);
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
  // What an error says does not depend on the name.
  if (answer.outcome <= Outcome::kTruncated) {
    context->counted = CountedFor(answer);
  }
  return {answer.outcome, message.Finish()};
}

size_t ServfailResponse(std::span<const uint8_t> packet, const View& view,
                        const RespondContext& context, uint8_t* out) {
  return EmptyResponse(packet, view, context, kServFail, 0, out);
}

size_t TruncatedResponse(std::span<const uint8_t> packet, const View& view,
                         const RespondContext& context, uint8_t* out) {
  return EmptyResponse(packet, view, context, kNoError, kFlagTc, out);
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
