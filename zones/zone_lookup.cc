// HOT PATH
#include "zones/zone_lookup.h"

#include <cstring>

#include "zones/wire.h"

namespace dnsd {
namespace {

const ZoneNode* FindNode(const ZoneData& zone, absl::string_view name) {
  auto found = zone.nodes.find(name);
  return found == zone.nodes.end() ? nullptr : &found->second;
}

// The "*" child of a name (RFC 4592 2.1.1).
const ZoneNode* FindWildcard(const ZoneData& zone, absl::string_view encloser) {
  char name[2 + kNameBytesMax] = {1, '*'};
  // A longer encloser has no room for a label above it.
  if (encloser.size() > kNameBytesMax - 2) return nullptr;
  std::memcpy(name + 2, encloser.data(), encloser.size());
  return FindNode(zone, {name, encloser.size() + 2});
}

// What an existing name has of the type.
void AnswerFrom(const ZoneNode& node, uint16_t qtype, ZoneResult* result) {
  result->node = &node;
  if (qtype == kTypeAny) {
    result->kind =
        node.rrsets.empty() ? ZoneAnswer::kNodata : ZoneAnswer::kAnswer;
    return;
  }
  result->kind = ZoneAnswer::kAnswer;
  result->rrset = node.Find(qtype);
  if (result->rrset != nullptr) return;
  result->rrset = node.Find(kTypeCname);
  result->kind =
      result->rrset != nullptr ? ZoneAnswer::kCname : ZoneAnswer::kNodata;
}

}  // namespace

ZoneResult LookupZone(const ZoneData& zone, const uint8_t* qname,
                      size_t qname_size, uint16_t qtype) {
  absl::string_view name(reinterpret_cast<const char*>(qname), qname_size);
  // Where each label below the apex begins, the qname's own first.
  uint8_t offset[kLabelsMax + 1];
  size_t below = 0;
  size_t at = 0;
  while (qname_size - at > zone.apex.size() && below < kLabelsMax) {
    offset[below++] = static_cast<uint8_t>(at);
    at += 1u + qname[at];
  }

  ZoneResult result;
  const ZoneNode* node = FindNode(zone, zone.apex);
  if (node == nullptr) return result;  // never: the apex has a SOA
  size_t encloser = at;
  while (below > 0) {
    size_t next = offset[below - 1];
    const ZoneNode* child = FindNode(zone, name.substr(next));
    if (child == nullptr) break;
    --below;
    node = child;
    encloser = next;
    if (node->is_cut && !(next == 0 && qtype == kTypeDs)) {
      result.kind = ZoneAnswer::kDelegation;
      result.node = node;
      result.cut_offset = next;
      result.rrset = node->Find(kTypeNs);
      return result;
    }
  }
  if (below == 0) {
    AnswerFrom(*node, qtype, &result);
    return result;
  }
  // `node` is the closest encloser; nothing between it and the name exists.
  const ZoneNode* wildcard = FindWildcard(zone, name.substr(encloser));
  if (wildcard == nullptr) return result;
  result.wildcard = true;
  AnswerFrom(*wildcard, qtype, &result);
  return result;
}

const ZoneRrset* FindGlue(const ZoneData& zone, absl::string_view name,
                          uint16_t type) {
  const ZoneNode* node = FindNode(zone, name);
  return node == nullptr ? nullptr : node->Find(type);
}

}  // namespace dnsd
