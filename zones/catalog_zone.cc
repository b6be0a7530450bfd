#include "zones/catalog_zone.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstring>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/types.h"
#include "zones/answer.h"
#include "zones/name.h"
#include "zones/record.h"
#include "zones/service_names.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr uint8_t kLocal = 0;  // index of the datacenter

std::string Text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A label with '_' in front, if it is one label that leaves room for it.
std::string Underscored(std::span<const uint8_t> label) {
  if (label.empty() || label[0] + 1u != label.size() ||
      label[0] >= kLabelBytesMax) {
    return "";
  }
  return Label(absl::StrCat("_", Text(label.subspan(1))));
}

const char* KeywordOf(EntryKind kind) {
  switch (kind) {
    case EntryKind::kService:
      return "service";
    case EntryKind::kConnect:
      return "connect";
    case EntryKind::kIngress:
      return "ingress";
    case EntryKind::kVirtual:
      return "virtual";
    case EntryKind::kNode:
      return "node";
    default:
      return nullptr;
  }
}

bool HasAddress(const Entry& entry, const EntrySet& set) {
  return entry.List(set, kListA).count > 0 ||
         entry.List(set, kListAaaa).count > 0;
}

class CatalogZone {
 public:
  CatalogZone(const View& view, const Domain& domain,
              const RecordVisitor& visit)
      : view_(view), domain_(domain), visit_(visit) {
    // What may stand right of a keyword.
    suffixes_ = {domain.wire, Label(view.datacenters[kLocal]) + domain.wire};
  }

  void Visit() {
    view_.table.ForEach([this](const Entry& entry) {
      if (entry.datacenter == kLocal) VisitEntry(entry);
    });
    VisitServers();
  }

 private:
  void VisitEntry(const Entry& entry) {
    switch (entry.kind) {
      case EntryKind::kService:
      case EntryKind::kConnect:
      case EntryKind::kIngress:
        return VisitService(entry);
      case EntryKind::kVirtual:
        return VisitVirtual(entry);
      case EntryKind::kNode:
        return VisitNode(entry);
      default:
        return;
    }
  }

  // Every name of a service's sets.
  void VisitService(const Entry& entry) {
    const std::span<const uint8_t> key(entry.key(), entry.key_size);
    const std::string keyword = Label(KeywordOf(entry.kind));
    const std::string underscored = Underscored(key);
    for (const EntrySet& set : entry.sets()) {
      if (set.self_size != 0) continue;
      const std::span<const uint8_t> tag = entry.Tag(set);
      const std::string pair =
          underscored +
          (tag.empty() ? Label("_tcp") : Underscored(tag));  // RFC 2782
      const bool has_pair = entry.kind == EntryKind::kService &&
                            !underscored.empty() &&
                            pair.size() > underscored.size();
      for (const std::string& suffix : suffixes_) {
        VisitName(entry, tag, Text(tag) + Text(key) + keyword + suffix);
        if (!has_pair) continue;
        VisitName(entry, tag, pair + keyword + suffix);
        VisitName(entry, tag, pair + suffix);
      }
    }
  }

  // Reads a name back as a question would be: what does not lead to this tag
  // of this entry is not its name, or is somebody else's.
  void VisitName(const Entry& entry, std::span<const uint8_t> tag,
                 const std::string& owner) {
    Name name;
    CatalogName read;
    if (ParseName(WireBytes(owner), &name) == 0) return;
    ParseCatalogName(name, domain_, view_, kTypeSrv, &read);
    if (read.datacenter != kLocal || read.has_tag == tag.empty() ||
        (read.has_tag &&
         (read.tag.size() != tag.size() ||
          std::memcmp(read.tag.data(), tag.data(), tag.size()) != 0))) {
      return;
    }
    switch (read.kind) {
      case NameKind::kService:
      case NameKind::kConnect:
      case NameKind::kIngress:
        break;
      default:
        return;
    }
    const Found found = FindName(view_, read, WireBytes(owner));
    if (found.entry != &entry || found.set == nullptr) return;
    VisitSet(owner, entry, *found.set, read.is_short_srv);
  }

  // A CNAME stands alone (RFC 1034 3.6.2): RFC 2782 names keep their SRV
  // records instead, and other names their CNAME.
  void VisitSet(const std::string& owner, const Entry& entry,
                const EntrySet& set, bool is_short_srv) {
    const bool has_address = HasAddress(entry, set);
    const bool is_pair = owner[1] == '_';
    if (!has_address && !is_pair && VisitCname(owner, entry, set)) return;
    if (has_address && !is_short_srv) {
      VisitList(owner, entry, entry.List(set, kListA));
      VisitList(owner, entry, entry.List(set, kListAaaa));
    }
    const RrList list = entry.List(set, kListSrv);
    std::set<std::string> seen;  // Consul may list a record twice
    for (uint32_t i = 0; i < list.count; ++i) {
      const auto* srv = entry.At<SrvRecord>(entry.Index(list)[i]);
      const std::string rdata = Rdata(srv->rr);
      if (!seen.insert(rdata).second) continue;
      VisitRecord(owner, srv->rr, rdata);
      if ((srv->rr.flags & RrRecord::kAddrTarget) != 0 && srv->address != 0) {
        VisitAddress(rdata.substr(kSrvTargetOffset - kRdataOffset),
                     *entry.At<RrRecord>(srv->address));
      }
    }
  }

  // <hex>.addr.<dc>, the target of an SRV record.
  void VisitAddress(const std::string& target, const RrRecord& address) {
    const std::string owner = AsciiLower(target);
    if (!addresses_.insert(owner).second) return;
    Visit(owner, Load16(address.bytes() + 2), view_.policy.node_ttl,
          Rdata(address));
  }

  // The first of several, of which an answer has any one.
  bool VisitCname(const std::string& owner, const Entry& entry,
                  const EntrySet& set) {
    for (const ListKind kind : {kListCnameAny, kListCnameA, kListCnameAaaa}) {
      const RrList list = entry.List(set, kind);
      if (list.count == 0) continue;
      const auto& record = *entry.At<RrRecord>(*entry.Index(list));
      VisitRecord(owner, record, Rdata(record));
      return true;
    }
    return false;
  }

  void VisitNode(const Entry& entry) {
    const std::string key = Text({entry.key(), entry.key_size});
    for (const std::string& suffix : suffixes_) {
      const std::string owner = key + Label("node") + suffix;
      Name name;
      CatalogName read;
      if (ParseName(WireBytes(owner), &name) == 0) continue;
      ParseCatalogName(name, domain_, view_, kTypeA, &read);
      if (read.kind != NameKind::kNode || read.datacenter != kLocal ||
          Text(read.key) != key) {
        continue;
      }
      const EntrySet& set = entry.sets()[0];
      const bool has_address = HasAddress(entry, set);
      if (!has_address && VisitCname(owner, entry, set)) continue;
      VisitList(owner, entry, entry.List(set, kListA));
      VisitList(owner, entry, entry.List(set, kListAaaa));
      VisitList(owner, entry, entry.List(set, kListTxt));
    }
  }

  // What stands right of "virtual" would be a peer.
  void VisitVirtual(const Entry& entry) {
    const std::string owner =
        Text({entry.key(), entry.key_size}) + Label("virtual") + domain_.wire;
    if (owner.size() > kNameBytesMax) return;
    VisitList(owner, entry, entry.List(kListAny));
  }

  // NS at the apex and the addresses of "ns", the SOA's MNAME.
  void VisitServers() {
    const Entry* entry = view_.Find(EntryKind::kServers, kLocal, {});
    const std::string mname = Label("ns") + domain_.wire;
    if (entry == nullptr || entry->List(kListSrv).count == 0) {
      // No zone is without.
      return Visit(domain_.wire, kTypeNs, view_.policy.node_ttl, mname);
    }
    const RrList servers = entry->List(kListSrv);
    for (uint32_t i = 0; i < servers.count; ++i) {
      const auto* server = entry->At<SrvRecord>(entry->Index(servers)[i]);
      VisitRecord(domain_.wire, server->rr, Rdata(server->rr));
    }
    if (!view_.rfc()) return;
    VisitList(mname, *entry, entry->List(kListA));
    VisitList(mname, *entry, entry->List(kListAaaa));
  }

  void VisitList(const std::string& owner, const Entry& entry, RrList list) {
    for (uint32_t i = 0; i < list.count; ++i) {
      const auto& record = *entry.At<RrRecord>(entry.Index(list)[i]);
      VisitRecord(owner, record, Rdata(record));
    }
  }

  std::string Rdata(const RrRecord& record) const {
    std::string rdata =
        Text({record.bytes() + kRdataOffset, record.size - kRdataOffset});
    if ((record.flags & RrRecord::kInDomain) != 0) rdata += domain_.wire;
    return rdata;
  }

  void VisitRecord(const std::string& owner, const RrRecord& record,
                   const std::string& rdata) {
    // Behind the owner's pointer: type, class, TTL.
    Visit(owner, Load16(record.bytes() + 2), Load32(record.bytes() + 6), rdata);
  }

  void Visit(const std::string& owner, uint16_t type, uint32_t ttl,
             const std::string& rdata) {
    visit_({WireBytes(owner), type, ttl, WireBytes(rdata)});
  }

  const View& view_;
  const Domain& domain_;
  const RecordVisitor& visit_;
  std::array<std::string, 2> suffixes_;
  std::set<std::string> addresses_;  // owners that have been visited
};

}  // namespace

bool HasCatalogZone(const View& view) {
  const DatacenterState state = view.datacenter_states[kLocal];
  return state == DatacenterState::kReady || state == DatacenterState::kStale;
}

std::string CatalogSoa(const View& view, const Domain& domain) {
  std::string rdata = Label("ns") + domain.wire;
  rdata += Label("hostmaster") + domain.wire;
  const SoaPolicy& soa = view.policy.soa;
  for (const uint32_t number :
       {view.serial, soa.refresh, soa.retry, soa.expire, view.negative_ttl}) {
    uint8_t bytes[4];
    Store32(bytes, number);
    rdata += Text(bytes);
  }
  return rdata;
}

void ForEachCatalogRecord(const View& view, const Domain& domain,
                          const RecordVisitor& visit) {
  CatalogZone(view, domain, visit).Visit();
}

uint64_t ZoneContent(const Entry& entry) {
  if (entry.datacenter != kLocal) return 0;
  if (KeywordOf(entry.kind) == nullptr && entry.kind != EntryKind::kServers) {
    return 0;
  }
  // All but the hash, which is seeded; equal entries have equal bytes.
  return XXH3_64bits(
      reinterpret_cast<const uint8_t*>(&entry) + sizeof(entry.hash),
      entry.size - sizeof(entry.hash));
}

uint64_t ZoneContent(const ZonePolicy& policy, uint32_t negative_ttl) {
  const std::string text = absl::StrCat(
      policy.domain, " ", policy.alt_domain, " ", policy.datacenter, " ",
      policy.node_ttl, " ", policy.soa.refresh, " ", policy.soa.retry, " ",
      policy.soa.expire, " ", negative_ttl, " ",
      static_cast<int>(policy.compat));
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace dnsd
