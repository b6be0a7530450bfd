#include <algorithm>

#include "tests/testing/reference_query.h"
#include "tests/testing/reference_records.h"
#include "zones/wire.h"

namespace dnsd::testing {

std::vector<Chain> RefRecords::ResolveService(
    const RefLookup& lookup, const RefQuestion& question) const {
  uint32_t ttl = LookupTtl(policy_, lookup);
  Chain addresses;
  std::vector<Chain> chains;
  bool has_ip = false;
  // Consul asks ANY; kRfc asks the type, and for aliases looks at them all.
  for (uint16_t type :
       {uint16_t{kTypeA}, uint16_t{kTypeAaaa}, uint16_t{kTypeAny}}) {
    RefQuestion typed = question;
    typed.type = type;
    if (policy_.compat == Compat::kConsul && type != kTypeAny) continue;
    for (const InstanceView& view : Instances(lookup)) {
      Made made = MakeInstance(lookup, view, typed, ttl);
      if (!made.any) continue;
      if (made.first.type != kTypeCname) {
        has_ip = true;
        bool again = std::find(addresses.pool.begin(), addresses.pool.end(),
                               made.first) != addresses.pool.end();
        if (type == question.type && !again) {
          addresses.pool.push_back(made.first);
        }
      } else if (type == kTypeAny) {
        for (const Chain& chain : Prepend(made.first, made.more)) {
          chains.push_back(chain);
        }
      }
    }
  }
  if (!has_ip) return chains;
  addresses.pool_count = addresses.pool.size();
  if (policy_.a_record_limit > 0 && policy_.compat == Compat::kConsul) {
    addresses.pool_count = std::min(
        addresses.pool_count, static_cast<size_t>(policy_.a_record_limit));
  }
  return {addresses};
}

std::vector<Chain> RefRecords::ResolveNode(const std::string& datacenter,
                                           const std::string& name,
                                           const RefQuestion& question) const {
  const Node* node = FindNode(datacenter, name);
  if (node == nullptr) return {};
  Made made = MakeNode(*node, question);
  if (!made.any) return {};
  std::vector<Chain> chains = Prepend(made.first, made.more);
  for (Chain& chain : chains) {
    for (const Rr& text : MakeTexts(*node, question.name, policy_.node_ttl)) {
      chain.fixed.push_back(text);
    }
  }
  return chains;
}

std::vector<Chain> RefRecords::Resolve(const std::string& name,
                                       const RefQuestion& asked) const {
  RefName target = ReadName(policy_, name);
  // The apex itself is not followed; nor is anything once the budget is gone.
  if (target.zone != RefZone::kDomain || target.labels.empty() ||
      asked.level < 1) {
    return {};
  }
  RefQuestion question;
  question.name = name;
  question.respdomain = target.domain_as_asked;
  question.type = kTypeAny;
  if (policy_.compat == Compat::kRfc &&
      (asked.type == kTypeA || asked.type == kTypeAaaa)) {
    question.type = asked.type;
  }
  question.level = asked.level - 1;
  RefDispatch dispatch = Dispatch(target.labels, false);
  RefLocality locality = ReadLocality(dispatch.suffixes);
  if (dispatch.parts.empty()) return {};
  std::string datacenter = locality.EffectiveDatacenter(policy_.datacenter);
  switch (dispatch.kind) {
    case RefKind::kService:
    case RefKind::kConnect:
    case RefKind::kIngress: {
      if (!locality.valid || !locality.peer.empty()) return {};
      RefLookup lookup{dispatch.kind, datacenter, dispatch.parts.back(), ""};
      if (dispatch.kind == RefKind::kService) {
        RefServiceName service = ReadServiceName(dispatch.parts);
        lookup.service = service.service;
        lookup.tag = service.tag;
      }
      return ResolveService(lookup, question);
    }
    case RefKind::kQuery:
      if (dispatch.suffixes.size() > 1) return {};
      return ResolveService(
          RunQuery(state_, policy_, datacenter, ReadQueryName(dispatch.parts)),
          question);
    case RefKind::kNode:
      if (!locality.valid || !locality.peer.empty()) return {};
      return ResolveNode(datacenter, JoinLabels(dispatch.parts), question);
    case RefKind::kAddr: {
      std::string bytes = HexAddress(dispatch.parts[0]);
      if (dispatch.parts.size() != 1 || bytes.empty()) return {};
      return {Fixed({MakeAddressRr(name, policy_.node_ttl, bytes)})};
    }
    case RefKind::kVirtual: {
      std::string bytes = VirtualAddress(dispatch.parts.back());
      if (!locality.valid || bytes.size() != 4) return {};
      return {Fixed({MakeAddressRr(name, policy_.node_ttl, bytes)})};
    }
    default:
      return {};
  }
}

}  // namespace dnsd::testing
