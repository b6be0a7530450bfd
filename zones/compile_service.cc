// Entries of services: CompileService(), CompileInstances(), CompileVirtual().
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "zones/address_choice.h"
#include "zones/compile.h"
#include "zones/compile_parts.h"
#include "zones/entry_builder.h"
#include "zones/name.h"
#include "zones/record.h"
#include "zones/served.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

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

// Compiles the instances of one entry. Everything about an instance that is
// the same in all sets is found once.
class ServiceCompiler {
 public:
  ServiceCompiler(const CompileContext& context, uint32_t ttl)
      : context_(context), ttl_(ttl), builder_(*context.builder) {
    builder_.Clear();
  }

  // The policy's filter.
  void AddHealthy(const InstanceView& view) {
    if (IsServed(context_.policy, view.health)) Add(view);
  }

  void Add(const InstanceView& view) {
    const ServiceInstance& instance = *view.instance;
    bool wan = UsesWan(context_, view.node->datacenter);
    int weight = WeightOf(view);
    Candidate& candidate = candidates_.emplace_back();
    candidate.node = view.node;
    candidate.instance = &instance;
    candidate.weight = static_cast<uint16_t>(std::clamp(weight, 0, 65535));
    candidate.port = instance.port;
    auto wan_address = instance.tagged_addresses.find("wan");
    if (wan && wan_address != instance.tagged_addresses.end() &&
        wan_address->second.port != 0) {
      candidate.port = wan_address->second.port;
    }
    candidate.service = InstanceAddresses(instance, wan);
    candidate.node_addresses = NodeAddresses(*view.node, wan);
  }

  const Entry* Finish(EntryKind kind, uint8_t dc, const std::string& key) {
    if (candidates_.empty()) return Seal(context_, builder_, kind, dc, key);
    std::set<std::string> selves;
    for (Candidate& candidate : candidates_) {
      candidate.places = PlacesOf(candidate, "");
      ParsedAddress address = ParseAddress(candidate.service.plain);
      if (address.kind == ParsedAddress::Kind::kName && IsOurs(address.bytes)) {
        selves.insert(address.bytes);
      }
    }
    NumberAlike();
    std::vector<uint32_t> all(candidates_.size());
    std::iota(all.begin(), all.end(), 0u);
    // Mesh names have no tag form.
    TagMembers tags;
    if (kind == EntryKind::kService) tags = MembersOfTags();
    AddSet("", "", all);
    for (const auto& [tag, members] : tags) AddSet(tag, "", members);
    for (const std::string& self : selves) {
      for (Candidate& candidate : candidates_) {
        candidate.places = PlacesOf(candidate, self);
      }
      AddSet("", self, all);
      for (const auto& [tag, members] : tags) AddSet(tag, self, members);
    }
    return Seal(context_, builder_, kind, dc, key);
  }

  [[nodiscard]] bool empty() const { return candidates_.empty(); }

 private:
  using Lists = EntryBuilder::Lists;
  using Ref = EntryBuilder::Ref;

  // Where an instance is reached by a question of some kind.
  struct Reached {
    ParsedAddress address;
    bool by_node = false;  // the address is the node's
    bool by_self = false;  // because the service's is the question
  };
  // The records an instance gives questions; 0: none.
  struct Places {
    Ref addresses[kAcceptCount] = {};
    bool is_name[kAcceptCount] = {};
    Reached any;             // by kAcceptAny
    std::optional<Ref> srv;  // once a set has it
  };
  // One healthy instance with all its choices made.
  struct Candidate {
    const Node* node;
    const ServiceInstance* instance;
    uint16_t weight;
    uint16_t port;
    AddressSet service;
    AddressSet node_addresses;
    Places places;
    // Of those with the same node, address and port: only the first of a set
    // gives it an SRV record.
    uint32_t alike = 0;
  };
  // By labels in lower case, the candidates that have the tag.
  using TagMembers = std::map<std::string, std::vector<uint32_t>>;

  [[nodiscard]] bool IsOurs(const std::string& wire) const {
    return dnsd::IsOurs(context_.policy, wire);
  }

  void NumberAlike() {
    std::map<std::tuple<absl::string_view, absl::string_view, uint16_t>,
             uint32_t>
        numbers;
    for (Candidate& candidate : candidates_) {
      const auto next = static_cast<uint32_t>(numbers.size());
      candidate.alike =
          numbers
              .try_emplace({candidate.node->name,
                            candidate.service.Pick(kAcceptAny), candidate.port},
                           next)
              .first->second;
    }
    alike_in_.assign(numbers.size(), 0);
  }

  // Tags that are no names cannot be asked for.
  [[nodiscard]] TagMembers MembersOfTags() const {
    std::map<absl::string_view, std::vector<uint32_t>> spelled;
    for (uint32_t i = 0; i < candidates_.size(); ++i) {
      for (const std::string& tag : candidates_[i].instance->tags) {
        spelled[tag].push_back(i);
      }
    }
    TagMembers tags;
    std::string labels;
    for (const auto& [tag, members] : spelled) {
      if (!LabelsToWire(AsciiLower(std::string(tag)), &labels)) continue;
      std::vector<uint32_t>& all = tags[labels];
      all.insert(all.end(), members.begin(), members.end());
    }
    for (auto& [tag, members] : tags) {
      std::sort(members.begin(), members.end());
      members.erase(std::unique(members.begin(), members.end()), members.end());
    }
    return tags;
  }

  Reached Reach(const Candidate& candidate, Accept accept,
                const std::string& self) const {
    const std::string& service = candidate.service.Pick(accept);
    if (service.empty()) {
      return {ParseAddress(candidate.node_addresses.Pick(accept)), true, false};
    }
    ParsedAddress address = ParseAddress(service);
    if (self.empty() || address.kind != ParsedAddress::Kind::kName ||
        address.bytes != self) {
      return {std::move(address)};
    }
    ParsedAddress node = ParseAddress(candidate.node_addresses.Pick(accept));
    if (!node.is_ip()) return {std::move(address)};
    return {std::move(node), true, true};
  }

  Places PlacesOf(const Candidate& candidate, const std::string& self) {
    Places places;
    Reached reached;
    // Most have one address, for every question.
    std::pair<const std::string*, const std::string*> before;
    for (const auto& [accept, addresses, cnames] : kQuestions) {
      const std::pair picked{&candidate.service.Pick(accept),
                             &candidate.node_addresses.Pick(accept)};
      if (picked != before) reached = Reach(candidate, accept, self);
      before = picked;
      places.addresses[accept] = AddPlace(reached.address, accept);
      places.is_name[accept] =
          reached.address.kind == ParsedAddress::Kind::kName;
    }
    places.any = std::move(reached);
    return places;
  }

  void AddSet(absl::string_view tag, absl::string_view self,
              const std::vector<uint32_t>& members) {
    bool rfc = context_.policy.compat == Compat::kRfc;
    for (auto& list : lists_) list.clear();
    listed_.clear();
    ++set_;
    for (const uint32_t member : members) {
      Candidate& candidate = candidates_[member];
      for (const auto& [accept, addresses, cnames] : kQuestions) {
        const Ref ref = candidate.places.addresses[accept];
        const bool is_name = candidate.places.is_name[accept];
        const ListKind list = is_name ? cnames : addresses;
        if (ref != 0 && listed_.insert({list, ref}).second) {
          lists_[list].push_back(ref);
        }
      }
      if (std::exchange(alike_in_[candidate.alike], set_) == set_) continue;
      if (!candidate.places.srv.has_value()) {
        candidate.places.srv = AddSrv(candidate, candidate.places.any);
      }
      const Ref srv = *candidate.places.srv;
      if (srv == 0) continue;
      // Consul may list one record twice, by different service addresses.
      bool is_new = listed_.insert({kListSrv, srv}).second;
      if (is_new || !rfc) lists_[kListSrv].push_back(srv);
    }
    DropCnamesBesideAddresses(context_.policy, &lists_);
    builder_.AddSet(tag, self, lists_);
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
    const std::string& domain = context_.domain;
    std::string target;
    uint8_t flags = RrRecord::kInDomain | RrRecord::kAddrTarget;
    absl::string_view keyword = "\4addr";
    if (is_node && LabelsToWire(candidate.node->name, &target) &&
        target.size() + domain.size() + 70 <= kNameBytesMax) {
      flags = RrRecord::kInDomain | RrRecord::kNodeTarget;
      keyword = "\4node";
    } else {
      target = HexLabel(place);
    }
    const auto split = static_cast<uint8_t>(target.size());
    target.append(keyword.data(), keyword.size());
    target += Label(candidate.node->datacenter);
    rdata += target;
    return builder_.AddSrv(
        target, MakeInDomain(kTypeSrv, ttl_, std::move(rdata), domain), flags,
        split, builder_.AddRecord(MakeAddressRecord(place, ttl_)), texts);
  }

  const CompileContext& context_;
  uint32_t ttl_;
  EntryBuilder& builder_;
  std::vector<Candidate> candidates_;
  std::vector<uint32_t> alike_in_;  // by Candidate::alike: the last set
  uint32_t set_ = 0;                // counts from 1
  // Of the set that is made.
  Lists lists_;
  absl::flat_hash_set<std::pair<ListKind, Ref>> listed_;
};

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
                            const NameKey& service, const EntryPlace& place,
                            std::span<const InstanceView> instances) {
  if (instances.empty()) return nullptr;
  const CatalogRights* const rights = context.rights.asker.get();
  // Who asks for what stands before a service must see that, too.
  if (kind != EntryKind::kService && !MayReadService(rights, service.second)) {
    return nullptr;
  }
  ServiceCompiler compiler(context, ServiceTtl(context.policy, service.second));
  for (const InstanceView& view : instances) {
    if (!MaySee(rights, view)) continue;
    bool is_gateway = view.instance->kind == ServiceKind::kIngressGateway;
    if (kind != EntryKind::kService &&
        is_gateway != (kind == EntryKind::kIngress)) {
      continue;
    }
    compiler.AddHealthy(view);
  }
  if (compiler.empty()) return nullptr;
  return compiler.Finish(kind, place.datacenter, place.key);
}

const Entry* CompileInstances(const CompileContext& context, EntryKind kind,
                              const EntryPlace& place, uint32_t ttl,
                              const std::vector<InstanceView>& instances) {
  ServiceCompiler compiler(context, ttl);
  for (const InstanceView& view : instances) compiler.Add(view);
  return compiler.Finish(kind, place.datacenter, place.key);
}

const Entry* CompileVirtual(const CompileContext& context,
                            const NameKey& service, const EntryPlace& place,
                            std::span<const InstanceView> instances) {
  if (!MayReadService(context.rights.asker.get(), service.second)) {
    return nullptr;
  }
  std::string address;
  for (const InstanceView& view : instances) {
    const auto& tagged = view.instance->tagged_addresses;
    if (tagged.empty()) continue;
    auto it = tagged.find("consul-virtual");
    if (address.empty() && it != tagged.end()) address = it->second.address;
  }
  ParsedAddress parsed = ParseAddress(address);
  if (!parsed.is_ip()) return nullptr;
  EntryBuilder& builder = *context.builder;
  builder.Clear();
  EntryBuilder::Lists lists;
  auto ref =
      builder.AddRecord(MakeAddressRecord(parsed, context.policy.node_ttl));
  bool v4 = parsed.kind == ParsedAddress::Kind::kV4;
  lists[v4 ? kListA : kListAaaa].push_back(ref);
  lists[kListAny].push_back(ref);
  builder.AddSet("", "", lists);
  return Seal(context, builder, EntryKind::kVirtual, place.datacenter,
              place.key);
}

}  // namespace dnsd
