#include "zones/compile.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "zones/address_choice.h"
#include "zones/entry_builder.h"
#include "zones/name.h"
#include "zones/record.h"
#include "zones/served.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

bool UsesWan(const CompileContext& context, const std::string& datacenter) {
  return context.policy.translate_wan_addrs &&
         context.policy.datacenter != datacenter;
}

bool IsUnder(const std::string& wire, const std::string& domain_text) {
  std::string domain;
  if (domain_text.empty() || !NameToWire(domain_text, &domain)) return false;
  std::string lower = AsciiLower(wire);
  size_t at = 0;
  while (at < lower.size()) {
    if (lower.compare(at, std::string::npos, domain) == 0) return true;
    if (lower[at] == 0) break;
    at += 1u + static_cast<uint8_t>(lower[at]);
  }
  return false;
}

std::string PrimaryWire(const ZonePolicy& policy) {
  std::string wire;
  (void)NameToWire(policy.domain, &wire);
  return wire;
}

// Bytes of a record whose name rdata lacks the domain: rdlength counts it.
std::string MakeInDomain(uint16_t type, uint32_t ttl, const std::string& rdata,
                         const std::string& domain_wire) {
  std::string record = MakeRecord(type, ttl, rdata + domain_wire);
  record.resize(record.size() - domain_wire.size());
  return record;
}

const Entry* Seal(const CompileContext& context, const EntryBuilder& builder,
                  EntryKind kind, uint8_t dc, const std::string& key) {
  return builder.Finish(kind, dc, key,
                        EntryHash(context.seed, kind, dc, WireBytes(key)));
}

// One healthy instance with all its choices made.
struct Candidate {
  const Node* node;
  const ServiceInstance* instance;
  uint16_t weight;
  uint16_t port;
  AddressSet service;
  AddressSet node_addresses;
  std::set<std::string> tags;  // as lower-case labels; others cannot be asked
};

// A critical instance is only seen by a query that ignores its checks.
int WeightOf(const InstanceView& view) {
  const Weights& weights = view.instance->weights;
  switch (view.health) {
    case HealthStatus::kPassing:
      return weights.passing;
    case HealthStatus::kWarning:
      return weights.warning;
    case HealthStatus::kCritical:
      break;
  }
  return 0;
}

class ServiceCompiler {
 public:
  ServiceCompiler(const CompileContext& context, uint32_t ttl)
      : context_(context), ttl_(ttl), domain_(PrimaryWire(context.policy)) {}

  // The policy's filter.
  void AddHealthy(const InstanceView& view) {
    if (IsServed(context_.policy, view.health)) Add(view);
  }

  void Add(const InstanceView& view) {
    const ServiceInstance& instance = *view.instance;
    bool wan = UsesWan(context_, view.node->datacenter);
    int weight = WeightOf(view);
    uint16_t port = instance.port;
    auto wan_address = instance.tagged_addresses.find("wan");
    if (wan && wan_address != instance.tagged_addresses.end() &&
        wan_address->second.port != 0) {
      port = wan_address->second.port;
    }
    candidates_.push_back({view.node, view.instance,
                           static_cast<uint16_t>(std::clamp(weight, 0, 65535)),
                           port, InstanceAddresses(instance, wan),
                           NodeAddresses(*view.node, wan),
                           TagLabels(instance)});
  }

  const Entry* Finish(EntryKind kind, uint8_t dc, const std::string& key) {
    if (candidates_.empty()) return Seal(context_, builder_, kind, dc, key);
    std::set<std::string> tags;
    std::set<std::string> selves;
    for (const Candidate& candidate : candidates_) {
      // Mesh names have no tag form.
      if (kind == EntryKind::kService) {
        tags.insert(candidate.tags.begin(), candidate.tags.end());
      }
      ParsedAddress address = ParseAddress(candidate.service.plain);
      if (address.kind == ParsedAddress::Kind::kName && IsOurs(address.bytes)) {
        selves.insert(address.bytes);
      }
    }
    AddSet("", "");
    for (const std::string& tag : tags) AddSet(tag, "");
    for (const std::string& self : selves) {
      AddSet("", self);
      for (const std::string& tag : tags) AddSet(tag, self);
    }
    return Seal(context_, builder_, kind, dc, key);
  }

  [[nodiscard]] bool empty() const { return candidates_.empty(); }

 private:
  using Lists = EntryBuilder::Lists;
  using Ref = EntryBuilder::Ref;

  bool IsOurs(const std::string& wire) const {
    return IsUnder(wire, context_.policy.domain) ||
           IsUnder(wire, context_.policy.alt_domain);
  }

  static std::set<std::string> TagLabels(const ServiceInstance& instance) {
    std::set<std::string> tags;
    for (const std::string& tag : instance.tags) {
      std::string labels;
      if (LabelsToWire(AsciiLower(tag), &labels)) tags.insert(labels);
    }
    return tags;
  }

  // Where an instance is reached by a question of this kind.
  struct Reached {
    ParsedAddress address;
    bool by_node = false;  // the address is the node's
    bool by_self = false;  // because the service's is the question
  };
  Reached Reach(const Candidate& candidate, Accept accept,
                const std::string& self) const {
    const std::string& service = candidate.service.Pick(accept);
    ParsedAddress node = ParseAddress(candidate.node_addresses.Pick(accept));
    if (!service.empty()) {
      ParsedAddress address = ParseAddress(service);
      bool is_self = !self.empty() && node.is_ip() &&
                     address.kind == ParsedAddress::Kind::kName &&
                     address.bytes == self;
      if (!is_self) return {address};
      return {node, true, true};
    }
    return {node, true, false};
  }

  void AddSet(const std::string& tag, const std::string& self) {
    bool rfc = context_.policy.compat == Compat::kRfc;
    Lists lists;
    std::set<std::pair<ListKind, Ref>> listed;
    std::set<std::tuple<std::string, std::string, uint16_t>> seen;
    for (const Candidate& candidate : candidates_) {
      if (!tag.empty() && !candidate.tags.contains(tag)) continue;
      for (auto [accept, addresses, cnames] :
           {std::tuple{kAcceptA, kListA, kListCnameA},
            std::tuple{kAcceptAaaa, kListAaaa, kListCnameAaaa},
            std::tuple{kAcceptAny, kListAny, kListCnameAny}}) {
        ParsedAddress place = Reach(candidate, accept, self).address;
        Ref ref = AddPlace(place, accept);
        ListKind list =
            place.kind == ParsedAddress::Kind::kName ? cnames : addresses;
        if (ref != 0 && listed.insert({list, ref}).second) {
          lists[list].push_back(ref);
        }
      }
      if (!seen.insert({candidate.node->name,
                        candidate.service.Pick(kAcceptAny), candidate.port})
               .second) {
        continue;
      }
      Ref srv = AddSrv(candidate, Reach(candidate, kAcceptAny, self));
      // Consul may list one record twice, by different service addresses.
      bool is_new = listed.insert({kListSrv, srv}).second;
      if (srv != 0 && (is_new || !rfc)) lists[kListSrv].push_back(srv);
    }
    // A CNAME stands alone (RFC 1034 3.6.2). Consul decides per question.
    if (rfc && (!lists[kListA].empty() || !lists[kListAaaa].empty())) {
      lists[kListCnameA].clear();
      lists[kListCnameAaaa].clear();
      lists[kListCnameAny].clear();
    }
    builder_.AddSet(tag, self, std::move(lists));
  }

  // The record an instance gives a question, or 0.
  Ref AddPlace(const ParsedAddress& place, Accept accept) {
    switch (place.kind) {
      case ParsedAddress::Kind::kName:
        return builder_.AddRecord(MakeRecord(kTypeCname, ttl_, place.bytes),
                                  IsOurs(place.bytes) ? RrRecord::kChase : 0);
      case ParsedAddress::Kind::kV4:
        if (accept == kAcceptAaaa) return 0;
        break;
      case ParsedAddress::Kind::kV6:
        if (accept == kAcceptA) return 0;
        break;
      case ParsedAddress::Kind::kNone:
        return 0;
    }
    return builder_.AddRecord(MakeAddressRecord(place, ttl_));
  }

  // TXT of the node's meta, under its name.
  Ref AddNodeTexts(const Node& node) {
    std::string labels;
    if (!context_.policy.enable_additional_node_meta_txt || node.meta.empty() ||
        !LabelsToWire(node.name, &labels)) {
      return 0;
    }
    std::vector<std::string> records;
    for (const std::string& text : MetaTexts(node.meta)) {
      records.push_back(MakeRecord(kTypeTxt, ttl_, TextRdata(text)).substr(2));
    }
    return builder_.AddTexts(labels, records, node.datacenter);
  }

  // The target rules of consul.md 1.4.
  Ref AddSrv(const Candidate& candidate, const Reached& reached) {
    const ParsedAddress& place = reached.address;
    if (place.kind == ParsedAddress::Kind::kNone) return 0;
    std::string rdata(6, '\0');
    auto* fixed = reinterpret_cast<uint8_t*>(rdata.data());
    Store16(fixed, 1);
    Store16(fixed + 2, candidate.weight);
    Store16(fixed + 4, candidate.port);
    Ref texts = AddNodeTexts(*candidate.node);
    if (place.kind == ParsedAddress::Kind::kName) {
      uint8_t flags = IsOurs(place.bytes) ? RrRecord::kChase : 0;
      return builder_.AddSrv(place.bytes,
                             MakeRecord(kTypeSrv, ttl_, rdata + place.bytes),
                             flags, 0, 0, texts);
    }
    // A node reached by a substitute for its address is not named.
    bool is_node =
        reached.by_self ||
        (reached.by_node &&
         candidate.node_addresses.Pick(kAcceptAny) == candidate.node->address);
    std::string labels;
    uint8_t flags = RrRecord::kInDomain | RrRecord::kAddrTarget;
    std::string keyword = Label("addr");
    if (is_node && LabelsToWire(candidate.node->name, &labels) &&
        labels.size() + domain_.size() + 70 <= kNameBytesMax) {
      flags = RrRecord::kInDomain | RrRecord::kNodeTarget;
      keyword = Label("node");
    } else {
      labels = HexLabel(place);
    }
    std::string target = labels + keyword + Label(candidate.node->datacenter);
    rdata += target;
    return builder_.AddSrv(target, MakeInDomain(kTypeSrv, ttl_, rdata, domain_),
                           flags, static_cast<uint8_t>(labels.size()),
                           builder_.AddRecord(MakeAddressRecord(place, ttl_)),
                           texts);
  }

  const CompileContext& context_;
  uint32_t ttl_;
  std::string domain_;
  std::vector<Candidate> candidates_;
  EntryBuilder builder_;
};

void AddNodeAddress(const std::string& text, Accept accept, uint32_t ttl,
                    const ZonePolicy& policy, EntryBuilder* builder,
                    std::vector<EntryBuilder::Ref>* addresses,
                    std::vector<EntryBuilder::Ref>* cnames) {
  ParsedAddress address = ParseAddress(text);
  if (address.kind == ParsedAddress::Kind::kName) {
    bool ours = IsUnder(address.bytes, policy.domain) ||
                IsUnder(address.bytes, policy.alt_domain);
    cnames->push_back(
        builder->AddRecord(MakeRecord(kTypeCname, ttl, address.bytes),
                           ours ? RrRecord::kChase : 0));
    return;
  }
  bool v4 = address.kind == ParsedAddress::Kind::kV4;
  bool v6 = address.kind == ParsedAddress::Kind::kV6;
  if ((v4 && accept != kAcceptAaaa) || (v6 && accept != kAcceptA)) {
    addresses->push_back(builder->AddRecord(MakeAddressRecord(address, ttl)));
  }
}

// Names Consul lists as name servers: consul.md 1.7.
bool IsHostName(const std::string& name) {
  return !name.empty() && name.size() <= kLabelBytesMax &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-';
         });
}

}  // namespace

std::string ServiceKey(const std::string& name_lower) {
  std::string labels;
  if (name_lower.find('.') != std::string::npos ||
      !LabelsToWire(name_lower, &labels)) {
    return "";
  }
  return labels;
}

const Entry* CompileService(const CompileContext& context, EntryKind kind,
                            const NameKey& service) {
  if (ServiceKey(service.second).empty()) return nullptr;
  const CatalogRights* const rights = context.rights.asker.get();
  // Who asks for what stands before a service must see that, too.
  if (kind != EntryKind::kService && !MayReadService(rights, service.second)) {
    return nullptr;
  }
  ServiceCompiler compiler(context, ServiceTtl(context.policy, service.second));
  auto visit = [&](const InstanceView& view) {
    if (!MaySee(rights, view)) return;
    bool is_gateway = view.instance->kind == ServiceKind::kIngressGateway;
    if (kind != EntryKind::kService &&
        is_gateway != (kind == EntryKind::kIngress)) {
      return;
    }
    compiler.AddHealthy(view);
  };
  if (kind == EntryKind::kService) {
    context.state.ForEachInstance(service, visit);
  } else {
    context.state.ForEachMeshInstance(service, visit);
  }
  if (compiler.empty()) return nullptr;
  return compiler.Finish(kind, context.datacenter_index(service.first),
                         ServiceKey(service.second));
}

const Entry* CompileInstances(const CompileContext& context, EntryKind kind,
                              const EntryPlace& place, uint32_t ttl,
                              const std::vector<InstanceView>& instances) {
  ServiceCompiler compiler(context, ttl);
  for (const InstanceView& view : instances) compiler.Add(view);
  return compiler.Finish(kind, place.datacenter, place.key);
}

const Entry* CompileVirtual(const CompileContext& context,
                            const NameKey& service) {
  std::string key = ServiceKey(service.second);
  if (key.empty() ||
      !MayReadService(context.rights.asker.get(), service.second)) {
    return nullptr;
  }
  std::string address;
  context.state.ForEachInstance(service, [&](const InstanceView& view) {
    auto it = view.instance->tagged_addresses.find("consul-virtual");
    if (address.empty() && it != view.instance->tagged_addresses.end()) {
      address = it->second.address;
    }
  });
  ParsedAddress parsed = ParseAddress(address);
  if (!parsed.is_ip()) return nullptr;
  EntryBuilder builder;
  EntryBuilder::Lists lists;
  auto ref =
      builder.AddRecord(MakeAddressRecord(parsed, context.policy.node_ttl));
  bool v4 = parsed.kind == ParsedAddress::Kind::kV4;
  lists[v4 ? kListA : kListAaaa].push_back(ref);
  lists[kListAny].push_back(ref);
  builder.AddSet("", "", std::move(lists));
  return Seal(context, builder, EntryKind::kVirtual,
              context.datacenter_index(service.first), key);
}

const Entry* CompileNode(const CompileContext& context, const Node& node,
                         const std::string& key) {
  uint32_t ttl = context.policy.node_ttl;
  AddressSet addresses = NodeAddresses(node, UsesWan(context, node.datacenter));
  EntryBuilder builder;
  EntryBuilder::Lists lists;
  for (auto [accept, list, cnames] :
       {std::tuple{kAcceptA, kListA, kListCnameA},
        std::tuple{kAcceptAaaa, kListAaaa, kListCnameAaaa},
        std::tuple{kAcceptAny, kListAny, kListCnameAny}}) {
    AddNodeAddress(addresses.Pick(accept), accept, ttl, context.policy,
                   &builder, &lists[list], &lists[cnames]);
  }
  if (context.policy.compat == Compat::kRfc &&
      (!lists[kListA].empty() || !lists[kListAaaa].empty())) {
    lists[kListCnameA].clear();
    lists[kListCnameAaaa].clear();
    lists[kListCnameAny].clear();
  }
  for (const std::string& text : MetaTexts(node.meta)) {
    auto ref = builder.AddRecord(MakeRecord(kTypeTxt, ttl, TextRdata(text)));
    lists[kListTxt].push_back(ref);
    lists[kListAny].push_back(ref);
  }
  builder.AddSet("", "", std::move(lists));
  return Seal(context, builder, EntryKind::kNode,
              context.datacenter_index(node.datacenter), key);
}

const Entry* CompileServers(const CompileContext& context) {
  const ZonePolicy& policy = context.policy;
  const CatalogRights* const rights = context.rights.asker.get();
  bool hidden = false;
  std::map<std::string, const Node*> nodes;
  context.state.ForEachInstance(
      {policy.datacenter, "consul"}, [&](const InstanceView& view) {
        if (!IsServed(policy, view.health) || !IsHostName(view.node->name)) {
          return;
        }
        if (MaySee(rights, view)) {
          nodes.emplace(AsciiLower(view.node->name), view.node);
        } else {
          hidden = true;
        }
      });
  if (nodes.empty()) {
    std::string local = AsciiLower(policy.node_name);
    const Node* node = context.state.FindNode({policy.datacenter, local});
    if (hidden || node == nullptr || !IsHostName(local) ||
        !MayReadNode(rights, node->name)) {
      return nullptr;
    }
    nodes.emplace(local, node);
  }
  std::string domain = PrimaryWire(policy);
  EntryBuilder builder;
  EntryBuilder::Lists lists;
  for (const auto& [name, node] : nodes) {
    AddressSet addresses = NodeAddresses(*node, false);
    std::vector<EntryBuilder::Ref> any;
    std::vector<EntryBuilder::Ref> cnames;
    AddNodeAddress(addresses.Pick(kAcceptAny), kAcceptAny, policy.node_ttl,
                   policy, &builder, &any, &cnames);
    AddNodeAddress(addresses.Pick(kAcceptA), kAcceptA, policy.node_ttl, policy,
                   &builder, &lists[kListA], &cnames);
    AddNodeAddress(addresses.Pick(kAcceptAaaa), kAcceptAaaa, policy.node_ttl,
                   policy, &builder, &lists[kListAaaa], &cnames);
    lists[kListAny].insert(lists[kListAny].end(), any.begin(), any.end());
    // A server with a name for an address brings its CNAME along.
    any.insert(any.end(), cnames.begin(), cnames.end());
    std::string labels = Label(name);
    std::string target = labels + Label("node") + Label(node->datacenter);
    lists[kListSrv].push_back(builder.AddSrv(
        target, MakeInDomain(kTypeNs, policy.node_ttl, target, domain),
        RrRecord::kInDomain | RrRecord::kNodeTarget | RrRecord::kLowerDomain,
        static_cast<uint8_t>(labels.size()), any.empty() ? 0 : any[0], 0));
  }
  // Servers may share an address; ns.<domain> has it once.
  for (ListKind list : {kListA, kListAaaa, kListAny}) {
    std::sort(lists[list].begin(), lists[list].end());
    lists[list].erase(std::unique(lists[list].begin(), lists[list].end()),
                      lists[list].end());
  }
  builder.AddSet("", "", std::move(lists));
  return Seal(context, builder, EntryKind::kServers, 0, "");
}

const Entry* CompileReverse(const CompileContext& context,
                            const std::string& address,
                            const std::string& target) {
  // Consul's PTR has TTL 0, whatever node_ttl says.
  uint32_t ttl =
      context.policy.compat == Compat::kRfc ? context.policy.node_ttl : 0;
  EntryBuilder builder;
  EntryBuilder::Lists lists;
  lists[kListTxt].push_back(builder.AddRecord(
      MakeRecord(kTypePtr, ttl, target + PrimaryWire(context.policy))));
  builder.AddSet("", "", std::move(lists));
  return Seal(context, builder, EntryKind::kReverse, 0, address);
}

}  // namespace dnsd
