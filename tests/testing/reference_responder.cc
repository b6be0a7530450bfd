#include "tests/testing/reference_responder.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

bool IsHostLabel(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-';
  });
}

void AddOnce(const Rr& rr, std::vector<Rr>* rrs) {
  if (std::find(rrs->begin(), rrs->end(), rr) == rrs->end()) {
    rrs->push_back(rr);
  }
}

void Reject(uint16_t rcode, ReferenceAnswer* answer) {
  answer->rcodes = {rcode};
  answer->loose_header = true;
  answer->bare_allowed = true;
  answer->opt = RefOpt::kOptional;
}

// Reads what ldns could not: opcode and question count rule first.
bool RejectedByHeader(std::span<const uint8_t> packet, bool consul,
                      ReferenceAnswer* answer) {
  auto opcode = (answer->query.flags & kOpcodeMask) >> kOpcodeShift;
  bool known = opcode == kOpQuery || (consul && opcode == kOpNotify);
  if (!known) {
    Reject(kNotImp, answer);
    return true;
  }
  if (Load16(packet.data() + 4) != 1) {
    Reject(kFormErr, answer);
    return true;
  }
  return false;
}

}  // namespace

RefQuestion QuestionOf(const ReferenceAnswer& answer) {
  RefQuestion question;
  question.name = answer.name.text;
  question.respdomain = answer.name.domain_as_asked;
  question.type = answer.query.qtype;
  question.edns = answer.query.opt.has_value();
  return question;
}

std::vector<RefSlot> NameServers(const RefRecords& records,
                                 const ZonePolicy& policy,
                                 const ReferenceAnswer& answer,
                                 std::vector<const Node*>* nodes) {
  RefLookup lookup{RefKind::kService, policy.datacenter, "consul", ""};
  nodes->clear();
  for (const InstanceView& view : records.Instances(lookup)) {
    bool again =
        std::find(nodes->begin(), nodes->end(), view.node) != nodes->end();
    if (!again && IsHostLabel(view.node->name)) nodes->push_back(view.node);
  }
  if (nodes->empty()) {
    // Ours, not Consul's: a zone without a name server helps nobody.
    const Node* own =
        records.FindNode(policy.datacenter, AsciiLower(policy.node_name));
    if (own != nullptr && IsHostLabel(own->name)) nodes->push_back(own);
  }
  std::vector<RefSlot> slots;
  for (const Node* node : *nodes) {
    std::string target = AsciiLower(
        records.NodeName(*node, node->datacenter, answer.name.domain_as_asked));
    RefQuestion glue = QuestionOf(answer);
    glue.name = target;
    glue.type = kTypeAny;
    RefSlot slot;
    slot.records = {MakeNameRr(answer.name.domain_as_asked, kTypeNs,
                               policy.node_ttl, target)};
    Made made = records.MakeNode(*node, glue);
    if (made.any) slot.extras = Prepend(made.first, made.more);
    slots.push_back(slot);
  }
  return slots;
}

std::vector<RefSlot> SrvSlots(const RefRecords& records,
                              const ZonePolicy& policy, const RefLookup& lookup,
                              const RefQuestion& question) {
  uint32_t ttl = LookupTtl(policy, lookup);
  std::vector<RefSlot> slots;
  std::map<std::string, size_t> seen;
  for (const InstanceView& view : records.Instances(lookup)) {
    Made made = records.MakeInstance(lookup, view, question, ttl);
    if (!made.any) continue;
    auto [at, is_new] =
        seen.emplace(records.SrvTuple(lookup, view), slots.size());
    if (!is_new) {
      AddOnce(made.first, &slots[at->second].records);
      continue;
    }
    RefSlot slot;
    slot.records = {made.first};
    slot.extras = made.more;
    if (policy.enable_additional_node_meta_txt) {
      slot.texts = records.MakeTexts(
          *view.node,
          records.NodeName(*view.node, lookup.datacenter, question.respdomain),
          ttl);
    }
    slots.push_back(slot);
  }
  return slots;
}

void AddressSlots(const RefRecords& records, const ZonePolicy& policy,
                  const RefLookup& lookup, const RefQuestion& question,
                  std::vector<RefSlot>* slots, std::vector<Chain>* chains) {
  uint32_t ttl = LookupTtl(policy, lookup);
  std::vector<Rr> addresses;
  for (const InstanceView& view : records.Instances(lookup)) {
    Made made = records.MakeInstance(lookup, view, question, ttl);
    if (!made.any) continue;
    if (made.first.type == kTypeCname) {
      for (const Chain& chain : Prepend(made.first, made.more)) {
        chains->push_back(chain);
      }
    } else {
      AddOnce(made.first, &addresses);
    }
  }
  for (const Rr& address : addresses) {
    RefSlot slot;
    slot.records = {address};
    slots->push_back(slot);
  }
}

std::vector<RefSlot> PtrSlots(const RefRecords& records,
                              const ZonePolicy& policy,
                              const ReferenceAnswer& answer, uint32_t ttl) {
  std::string reverse = AsciiLower(answer.name.text);
  RefSlot slot;
  for (const Node* node : records.AllNodes()) {
    // Consul asks its own datacenter only.
    if (node->datacenter != policy.datacenter ||
        ReverseName(node->address) != reverse) {
      continue;
    }
    AddOnce(
        MakeNameRr(answer.name.text, kTypePtr, ttl,
                   records.NodeName(*node, node->datacenter, policy.domain)),
        &slot.records);
  }
  if (slot.records.empty()) {
    for (const InstanceView& view : records.AllInstances()) {
      const ServiceInstance& instance = *view.instance;
      if (view.node->datacenter != policy.datacenter ||
          ReverseName(instance.address) != reverse) {
        continue;
      }
      AddOnce(
          MakeNameRr(answer.name.text, kTypePtr, ttl,
                     absl::StrCat(*instance.name, ".service.",
                                  view.node->datacenter, ".", policy.domain)),
          &slot.records);
    }
  }
  if (slot.records.empty()) return {};
  return {slot};
}

ReferenceAnswer AskReference(const State& state, const ZonePolicy& policy,
                             std::span<const uint8_t> packet,
                             Transport transport) {
  ReferenceAnswer answer;
  answer.transport = transport;
  bool consul = policy.compat == Compat::kConsul;
  if (packet.size() < kHeaderBytes ||
      (Load16(packet.data() + 2) & kFlagQr) != 0) {
    answer.dropped = true;
    return answer;
  }
  std::string error = ParseMessage(packet, &answer.query);
  answer.query.id = Load16(packet.data());
  answer.query.flags = Load16(packet.data() + 2);
  answer.parsed = answer.query.has_question;
  if (RejectedByHeader(packet, consul, &answer)) return answer;
  if (!error.empty() || !answer.parsed) {
    Reject(kFormErr, &answer);
    return answer;
  }
  answer.name = ReadName(policy, NameText(answer.query.qname));
  if (consul) {
    AnswerLikeConsul(state, policy, &answer);
  } else {
    AnswerByRfc(state, policy, &answer);
  }
  return answer;
}

}  // namespace dnsd::testing
