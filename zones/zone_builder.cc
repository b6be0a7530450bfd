#include "zones/zone_builder.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr uint16_t kTypeSig = 24;
constexpr uint16_t kTypeKey = 25;
constexpr uint16_t kTypeNxt = 30;
constexpr uint16_t kTypeDname = 39;
constexpr uint16_t kTypeRrsig = 46;
constexpr uint16_t kTypeNsec = 47;

// serial, refresh, retry, expire, minimum: the end of every SOA.
constexpr size_t kSoaNumbersBytes = 20;

// RFC 2181 10.1 and RFC 4034 3, 4: what DNSSEC needs may stand beside a CNAME.
bool MayStandBesideCname(uint16_t type) {
  return type == kTypeSig || type == kTypeKey || type == kTypeNxt ||
         type == kTypeRrsig || type == kTypeNsec;
}

const std::string& Canonical(const ZoneRecord& record) {
  return record.canonical.empty() ? record.rdata : record.canonical;
}

// The name one label shorter. `name` is not the root.
absl::string_view ParentOf(absl::string_view name) {
  return name.substr(1 + static_cast<uint8_t>(name[0]));
}

bool IsWildcard(absl::string_view name) {
  return absl::StartsWith(name, absl::string_view("\1*", 2));
}

// The part of a sorted list that begins at `begin` and agrees in `key`.
template <typename Key>
absl::Span<const ZoneRecord> Group(const std::vector<ZoneRecord>& records,
                                   size_t begin, Key key) {
  size_t end = begin + 1;
  while (end < records.size() && key(records[end]) == key(records[begin])) {
    ++end;
  }
  return absl::MakeConstSpan(records).subspan(begin, end - begin);
}

}  // namespace

bool IsAtOrBelow(absl::string_view name, absl::string_view ancestor) {
  while (name.size() > ancestor.size()) name = ParentOf(name);
  return name == ancestor;
}

std::string ZoneNameText(absl::string_view wire) {
  return NameToText(
      {reinterpret_cast<const uint8_t*>(wire.data()), wire.size()});
}

ZoneBuilder::ZoneBuilder(std::string apex, std::string file, Problems* problems)
    : file_(std::move(file)),
      problems_(problems),
      zone_(std::make_shared<ZoneData>()) {
  zone_->apex = std::move(apex);
}

void ZoneBuilder::Error(const ZoneRecord& at, absl::string_view message) {
  problems_->Error({file_, at.line, ""},
                   absl::StrCat(ZoneNameText(at.owner), ": ", message));
}

std::shared_ptr<const ZoneData> ZoneBuilder::Finish() {
  // By line last, so that an RRset keeps the order of the file.
  std::sort(records_.begin(), records_.end(),
            [](const ZoneRecord& a, const ZoneRecord& b) {
              return std::tie(a.owner, a.type, a.line) <
                     std::tie(b.owner, b.type, b.line);
            });
  for (size_t i = 0; i < records_.size();) {
    Records owned = Group(records_, i, [](const ZoneRecord& record) {
      return absl::string_view(record.owner);
    });
    AddOwner(owned);
    i += owned.size();
  }
  CheckApex();
  if (!problems_->ok()) return nullptr;
  records_ = {};
  AddEmptyNonTerminals();
  PruneOccluded();
  return std::move(zone_);
}

void ZoneBuilder::AddOwner(Records records) {
  ZoneNode& node = zone_->nodes[records[0].owner];
  for (size_t begin = 0; begin < records.size();) {
    size_t end = begin + 1;
    while (end < records.size() && records[end].type == records[begin].type) {
      ++end;
    }
    AddRrset(records.subspan(begin, end - begin), &node);
    begin = end;
  }
  node.is_cut =
      node.Find(kTypeNs) != nullptr && records[0].owner != zone_->apex;
  CheckOwner(records, node);
}

void ZoneBuilder::AddRrset(Records records, ZoneNode* node) {
  ZoneRrset rrset;
  rrset.type = records[0].type;
  rrset.ttl = records[0].ttl;
  std::vector<size_t> order(records.size());
  for (size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    rrset.ttl = std::min(rrset.ttl, records[i].ttl);
  }
  // One of each: RFC 2181 5. Found by sorting, for the sets of 100,000.
  auto key = [&](size_t i) {
    return std::make_tuple(absl::string_view(Canonical(records[i])), i);
  };
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return key(a) < key(b); });
  auto last = std::unique(order.begin(), order.end(), [&](size_t a, size_t b) {
    return Canonical(records[a]) == Canonical(records[b]);
  });
  order.erase(last, order.end());
  std::sort(order.begin(), order.end());
  rrset.rdata.reserve(order.size());
  for (size_t i : order) rrset.rdata.push_back(records[i].rdata);
  node->rrsets.push_back(std::move(rrset));
}

void ZoneBuilder::CheckOwner(Records records, const ZoneNode& node) {
  auto first_of = [&](uint16_t type) -> const ZoneRecord* {
    for (const ZoneRecord& record : records) {
      if (record.type == type) return &record;
    }
    return nullptr;
  };
  if (first_of(kTypeCname) != nullptr) {
    for (const ZoneRrset& rrset : node.rrsets) {
      if (rrset.type == kTypeCname || MayStandBesideCname(rrset.type)) continue;
      const ZoneRecord& a = *first_of(kTypeCname);
      const ZoneRecord& b = *first_of(rrset.type);
      Error(a.line > b.line ? a : b,
            absl::StrCat("a CNAME and other data at one name (the other is on "
                         "line ",
                         std::min(a.line, b.line), "; RFC 2181 10.1)"));
      break;
    }
  }
  for (const ZoneRrset& rrset : node.rrsets) {
    const char* name = rrset.type == kTypeCname   ? "CNAME"
                       : rrset.type == kTypeDname ? "DNAME"
                       : rrset.type == kTypeSoa   ? "SOA"
                                                  : nullptr;
    if (name == nullptr || rrset.rdata.size() == 1) continue;
    // The line of the first record that differs from the first of all.
    for (const ZoneRecord& record : records) {
      if (record.type == rrset.type && record.rdata == rrset.rdata[1]) {
        Error(record, absl::StrCat("a second ", name, " that differs"));
        break;
      }
    }
  }
  const ZoneRecord* soa = first_of(kTypeSoa);
  if (soa != nullptr && soa->owner != zone_->apex) {
    Error(*soa, "a SOA that is not at the apex");
  }
  const ZoneRecord* ns = first_of(kTypeNs);
  if (ns != nullptr && IsWildcard(ns->owner)) {
    Error(*ns, "NS at a wildcard has no meaning (RFC 4592 4.2)");
  }
}

void ZoneBuilder::CheckApex() {
  const ZoneNode& apex = zone_->nodes[zone_->apex];
  const ZoneRrset* soa = apex.Find(kTypeSoa);
  std::string name = ZoneNameText(zone_->apex);
  if (soa == nullptr) {
    problems_->Error({file_, 0, ""}, absl::StrCat(name, ": has no SOA"));
  } else if (soa->rdata[0].size() >= kSoaNumbersBytes) {
    const std::string& rdata = soa->rdata[0];
    zone_->serial = Load32(reinterpret_cast<const uint8_t*>(rdata.data()) +
                           rdata.size() - kSoaNumbersBytes);
  }
  if (apex.Find(kTypeNs) == nullptr) {
    problems_->Error({file_, 0, ""}, absl::StrCat(name, ": has no NS"));
  }
}

void ZoneBuilder::AddEmptyNonTerminals() {
  std::vector<std::string> owners;
  owners.reserve(zone_->nodes.size());
  for (const auto& [owner, node] : zone_->nodes) owners.push_back(owner);
  for (const std::string& owner : owners) {
    absl::string_view name = owner;
    while (name.size() > zone_->apex.size()) {
      name = ParentOf(name);
      // What is there already has its ancestors, or gets them in its turn.
      if (zone_->nodes.contains(name)) break;
      zone_->nodes.emplace(std::string(name), ZoneNode());
    }
  }
}

void ZoneBuilder::PruneOccluded() {
  bool has_cut = false;
  for (const auto& [owner, node] : zone_->nodes) has_cut |= node.is_cut;
  if (!has_cut) return;
  for (auto& [owner, node] : zone_->nodes) {
    absl::string_view name = owner;
    bool occluded = false;
    while (!occluded && name.size() > zone_->apex.size()) {
      name = ParentOf(name);
      auto above = zone_->nodes.find(name);
      occluded = above != zone_->nodes.end() && above->second.is_cut;
    }
    if (!occluded) continue;
    // Below a delegation nothing is ours but the addresses of its servers.
    node.is_cut = false;
    std::erase_if(node.rrsets, [](const ZoneRrset& rrset) {
      return rrset.type != kTypeA && rrset.type != kTypeAaaa;
    });
  }
}

}  // namespace dnsd
