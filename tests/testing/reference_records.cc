#include "tests/testing/reference_records.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

// Consul: without EDNS no more than this of a CNAME's chain.
constexpr size_t kChainRecordsMax = 5;

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (char c : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<uint8_t>(c));
    hex += digits;
  }
  return hex;
}

std::string Fqdn(const std::string& name) {
  return absl::EndsWith(name, ".") ? name : name + ".";
}

// Which of its addresses a node or service shows, by Consul's
// TranslateAddress; `tagged` gives "" for what is not there.
template <typename Tagged>
std::string ChooseAddress(const std::string& own, bool use_wan, uint16_t type,
                          const Tagged& tagged) {
  std::string address = own;
  std::string v4 = tagged("lan_ipv4");
  std::string v6 = tagged("lan_ipv6");
  if (use_wan) {
    if (!tagged("wan").empty()) address = tagged("wan");
    if (!tagged("wan_ipv4").empty()) v4 = tagged("wan_ipv4");
    if (!tagged("wan_ipv6").empty()) v6 = tagged("wan_ipv6");
  }
  if (type != kTypeA && !v6.empty()) return v6;
  if (type != kTypeAaaa && !v4.empty()) return v4;
  return address;
}

std::string NodeAddress(const ZonePolicy& policy, const Node& node,
                        uint16_t type) {
  bool use_wan =
      policy.translate_wan_addrs && node.datacenter != policy.datacenter;
  return ChooseAddress(node.address, use_wan, type, [&](const char* tag) {
    auto found = node.tagged_addresses.find(tag);
    return found == node.tagged_addresses.end() ? "" : found->second;
  });
}

bool ServiceUsesWan(const ZonePolicy& policy, const std::string& datacenter) {
  return policy.translate_wan_addrs && datacenter != policy.datacenter;
}

std::string ServiceAddress(const ZonePolicy& policy,
                           const std::string& datacenter,
                           const ServiceInstance& instance, uint16_t type) {
  return ChooseAddress(instance.address, ServiceUsesWan(policy, datacenter),
                       type, [&](const char* tag) {
                         auto found = instance.tagged_addresses.find(tag);
                         return found == instance.tagged_addresses.end()
                                    ? ""
                                    : found->second.address;
                       });
}

uint16_t ServicePort(const ZonePolicy& policy, const std::string& datacenter,
                     const ServiceInstance& instance) {
  auto wan = instance.tagged_addresses.find("wan");
  if (ServiceUsesWan(policy, datacenter) &&
      wan != instance.tagged_addresses.end() && wan->second.port != 0) {
    return wan->second.port;
  }
  return instance.port;
}

// Consul's makeARecord: which address records a question type may show.
bool TypeShowsAddress(uint16_t type, size_t address_size) {
  if (type == kTypeSrv || type == kTypeAny || type == kTypeNs ||
      type == kTypeTxt) {
    return true;
  }
  return address_size == 4 ? type == kTypeA : type == kTypeAaaa;
}

std::vector<Rr> AddressesAndAliases(const std::vector<Rr>& rrs) {
  std::vector<Rr> kept;
  for (const Rr& rr : rrs) {
    if (rr.type == kTypeCname || rr.type == kTypeA || rr.type == kTypeAaaa) {
      kept.push_back(rr);
    }
  }
  return kept;
}

// What service answers take of a chain: Consul gives it the service's TTL and
// without EDNS only a few records; kRfc leaves it as it is.
Chain ForService(const Chain& chain, Compat compat, uint32_t ttl, bool edns) {
  Chain result;
  result.fixed = AddressesAndAliases(chain.fixed);
  result.pool = AddressesAndAliases(chain.pool);
  result.pool_count = std::min(chain.pool_count, result.pool.size());
  if (compat == Compat::kRfc) return result;
  for (Rr& rr : result.fixed) rr.ttl = ttl;
  for (Rr& rr : result.pool) rr.ttl = ttl;
  if (edns) return result;
  if (result.fixed.size() > kChainRecordsMax) {
    result.fixed.resize(kChainRecordsMax);
  }
  result.pool_count =
      std::min(result.pool_count, kChainRecordsMax - result.fixed.size());
  return result;
}

void Append16(std::string* out, uint32_t value) {
  out->push_back(static_cast<char>(value >> 8 & 0xff));
  out->push_back(static_cast<char>(value & 0xff));
}

void Append32(std::string* out, uint32_t value) {
  Append16(out, value >> 16);
  Append16(out, value & 0xffff);
}

Rr MakeSrv(const std::string& owner, uint32_t ttl, int weight, uint16_t port,
           const std::string& target) {
  Rr rr = MakeNameRr(owner, kTypeSrv, ttl, target);
  std::string numbers;
  Append16(&numbers, 1);  // Consul's priority is always 1
  Append16(&numbers, static_cast<uint16_t>(weight));
  Append16(&numbers, port);
  rr.rdata = numbers + rr.rdata;
  return rr;
}

int WeightOf(const InstanceView& view) {
  switch (view.health) {
    case HealthStatus::kPassing:
      return view.instance->weights.passing;
    case HealthStatus::kWarning:
      return view.instance->weights.warning;
    case HealthStatus::kCritical:
      return 0;
  }
  return 1;
}

bool HasTag(const ServiceInstance& instance, const std::string& tag_lower) {
  return std::any_of(
      instance.tags.begin(), instance.tags.end(),
      [&](const std::string& tag) { return AsciiLower(tag) == tag_lower; });
}

bool Matches(const ServiceInstance& instance, const RefLookup& lookup) {
  auto is = [&](const std::string& name) {
    return AsciiLower(name) == lookup.service;
  };
  switch (lookup.kind) {
    case RefKind::kConnect:
      return instance.kind == ServiceKind::kConnectProxy
                 ? is(instance.mesh->proxy_destination)
                 : instance.connect_native && is(instance.name);
    case RefKind::kIngress:
      return instance.kind == ServiceKind::kIngressGateway &&
             std::any_of(instance.mesh->gateway_services.begin(),
                         instance.mesh->gateway_services.end(), is);
    default:
      return is(instance.name) &&
             (lookup.tag.empty() || HasTag(instance, lookup.tag));
  }
}

}  // namespace

Rr MakeAddressRr(const std::string& owner, uint32_t ttl,
                 const std::string& bytes) {
  Rr rr;
  rr.owner = WireName(owner);
  rr.type = bytes.size() == 4 ? kTypeA : kTypeAaaa;
  rr.ttl = ttl;
  rr.rdata = bytes;
  return rr;
}

Chain Fixed(const std::vector<Rr>& rrs) {
  Chain chain;
  chain.fixed = rrs;
  return chain;
}

std::vector<Chain> Prepend(const Rr& first, const std::vector<Chain>& more) {
  std::vector<Chain> chains = more;
  if (chains.empty()) chains.emplace_back();
  for (Chain& chain : chains) {
    chain.fixed.insert(chain.fixed.begin(), first);
  }
  return chains;
}

Rr MakeNameRr(const std::string& owner, uint16_t type, uint32_t ttl,
              const std::string& target) {
  Rr rr;
  rr.owner = WireName(owner);
  rr.type = type;
  rr.ttl = ttl;
  rr.rdata = WireName(target);
  return rr;
}

std::string MetaText(const std::string& key, const std::string& value) {
  if (absl::StartsWith(AsciiLower(key), "rfc1035-")) return value;
  std::string name = absl::StrReplaceAll(key, {{"`", "``"}, {"=", "`="}});
  size_t leading = name.find_first_not_of(' ');
  if (leading == std::string::npos) {
    // All blanks: each is leading; quoting them leaves no trailing run but
    // the last blank, which is quoted once more.
    std::string quoted;
    for (size_t i = 0; i < name.size(); ++i) quoted += "` ";
    if (!quoted.empty()) quoted.insert(quoted.size() - 1, "`");
    name = quoted;
  } else {
    size_t trailing = name.size() - 1 - name.find_last_not_of(' ');
    std::string middle = name.substr(leading, name.size() - leading - trailing);
    name.clear();
    for (size_t i = 0; i < leading; ++i) name += "` ";
    name += middle;
    for (size_t i = 0; i < trailing; ++i) name += "` ";
  }
  return absl::StrCat(name, "=", absl::StrReplaceAll(value, {{"`", "``"}}));
}

bool RefRecords::Passes(HealthStatus health) const {
  if (policy_.only_passing) return health == HealthStatus::kPassing;
  return health != HealthStatus::kCritical;
}

std::vector<const Node*> RefRecords::AllNodes() const {
  std::vector<const Node*> nodes;
  for (const NameKey& key : state_.Everything().nodes) {
    const Node* node = state_.FindNode(key);
    if (node != nullptr) nodes.push_back(node);
  }
  return nodes;
}

std::vector<InstanceView> RefRecords::AllInstances() const {
  std::vector<InstanceView> views;
  for (const NameKey& key : state_.Everything().nodes) {
    state_.ForEachInstanceOnNode(
        key, [&](const InstanceView& view) { views.push_back(view); });
  }
  return views;
}

uint32_t LookupTtl(const ZonePolicy& policy, const RefLookup& lookup) {
  return lookup.ttl ? *lookup.ttl : ServiceTtl(policy, lookup.service);
}

std::vector<InstanceView> RefRecords::Instances(const RefLookup& lookup) const {
  if (lookup.kind == RefKind::kQuery) return lookup.chosen;
  std::vector<InstanceView> views;
  for (const InstanceView& view : AllInstances()) {
    if (view.node->datacenter == lookup.datacenter && Passes(view.health) &&
        Matches(*view.instance, lookup)) {
      views.push_back(view);
    }
  }
  return views;
}

const Node* RefRecords::FindNode(const std::string& datacenter,
                                 const std::string& name_or_id) const {
  for (const Node* node : AllNodes()) {
    if (node->datacenter == datacenter &&
        AsciiLower(node->name) == name_or_id) {
      return node;
    }
  }
  for (const Node* node : AllNodes()) {
    if (node->datacenter == datacenter && !node->id.empty() &&
        AsciiLower(node->id) == name_or_id) {
      return node;
    }
  }
  return nullptr;
}

bool RefRecords::KnownDatacenter(const std::string& datacenter) const {
  if (datacenter == policy_.datacenter) return true;
  for (const Node* node : AllNodes()) {
    if (node->datacenter == datacenter) return true;
  }
  return false;
}

std::string RefRecords::NodeName(const Node& node,
                                 const std::string& datacenter,
                                 const std::string& domain) const {
  return absl::StrCat(node.name, ".node.", datacenter, ".", domain);
}

std::string RefRecords::SrvTuple(const RefLookup& lookup,
                                 const InstanceView& view) const {
  return absl::StrCat(
      view.node->name, ":",
      ServiceAddress(policy_, lookup.datacenter, *view.instance, kTypeSrv), ":",
      ServicePort(policy_, lookup.datacenter, *view.instance));
}

Made RefRecords::FromAddress(const InstanceView& view, uint16_t port,
                             const std::string& address,
                             const std::string& target,
                             const RefQuestion& question, uint32_t ttl) const {
  Made made;
  if (!TypeShowsAddress(question.type, address.size())) return made;
  made.any = true;
  if (question.type != kTypeSrv) {
    made.first = MakeAddressRr(question.name, ttl, address);
    return made;
  }
  made.first = MakeSrv(question.name, ttl, WeightOf(view), port, target);
  made.more.push_back(Fixed({MakeAddressRr(target, ttl, address)}));
  return made;
}

Made RefRecords::FromFqdn(const InstanceView& view, uint16_t port,
                          const std::string& fqdn, const RefQuestion& question,
                          uint32_t ttl) const {
  Made made;
  made.any = true;
  made.first = question.type == kTypeSrv
                   ? MakeSrv(question.name, ttl, WeightOf(view), port, fqdn)
                   : MakeNameRr(question.name, kTypeCname, ttl, fqdn);
  for (const Chain& chain : Resolve(fqdn, question)) {
    made.more.push_back(ForService(chain, policy_.compat, ttl, question.edns));
  }
  return made;
}

Made RefRecords::MakeInstance(const RefLookup& lookup, const InstanceView& view,
                              const RefQuestion& question, uint32_t ttl) const {
  const Node& node = *view.node;
  std::string service =
      ServiceAddress(policy_, lookup.datacenter, *view.instance, question.type);
  std::string shown = NodeAddress(policy_, node, question.type);
  if (service.empty() && shown.empty()) return {};
  uint16_t port = ServicePort(policy_, lookup.datacenter, *view.instance);
  std::string service_ip = AddressBytes(service);
  std::string node_ip = AddressBytes(shown);
  std::string node_target =
      NodeName(node, lookup.datacenter, question.respdomain);
  auto address_target = [&](const std::string& ip) {
    return absl::StrCat(Hex(ip), ".addr.", lookup.datacenter, ".",
                        question.respdomain);
  };
  if (service.empty() && !node_ip.empty()) {
    bool translated = shown != node.address;
    return FromAddress(view, port, node_ip,
                       translated ? address_target(node_ip) : node_target,
                       question, ttl);
  }
  if (service.empty()) {
    return FromFqdn(view, port, Fqdn(shown), question, ttl);
  }
  if (!service_ip.empty()) {
    return FromAddress(view, port, service_ip, address_target(service_ip),
                       question, ttl);
  }
  if (Fqdn(service) == question.name && !node_ip.empty()) {
    return FromAddress(view, port, node_ip, node_target, question, ttl);
  }
  return FromFqdn(view, port, Fqdn(service), question, ttl);
}

Made RefRecords::MakeNode(const Node& node, const RefQuestion& question) const {
  Made made;
  std::string shown = NodeAddress(policy_, node, question.type);
  std::string ip = AddressBytes(shown);
  if (ip.empty()) {
    // Consul shows the untranslated name here.
    std::string target = Fqdn(node.address);
    made.any = true;
    made.first =
        MakeNameRr(question.name, kTypeCname, policy_.node_ttl, target);
    made.more = Resolve(target, question);
    return made;
  }
  if (!TypeShowsAddress(question.type, ip.size())) return made;
  made.any = true;
  made.first = MakeAddressRr(question.name, policy_.node_ttl, ip);
  return made;
}

std::vector<Rr> RefRecords::MakeTexts(const Node& node,
                                      const std::string& owner,
                                      uint32_t ttl) const {
  std::vector<Rr> texts;
  for (const auto& [key, value] : node.meta) {
    std::string text = MetaText(key, value);
    Rr rr;
    rr.owner = WireName(owner);
    rr.type = kTypeTxt;
    rr.ttl = ttl;
    rr.rdata.push_back(static_cast<char>(text.size()));
    rr.rdata += text;
    texts.push_back(rr);
  }
  return texts;
}

Rr RefRecords::MakeSoa(const std::string& domain, uint32_t min_ttl) const {
  Rr rr = MakeNameRr(domain, kTypeSoa, min_ttl, "ns." + domain);
  rr.rdata += WireName("hostmaster." + domain);
  Append32(&rr.rdata, 0);  // the serial is masked wherever it is compared
  Append32(&rr.rdata, policy_.soa.refresh);
  Append32(&rr.rdata, policy_.soa.retry);
  Append32(&rr.rdata, policy_.soa.expire);
  Append32(&rr.rdata, min_ttl);
  return rr;
}

std::string RefRecords::HexAddress(const std::string& hex) {
  if (hex.size() != 8 && hex.size() != 32) return "";
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    auto digit = [](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      return -1;
    };
    int high = digit(hex[i]);
    int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return "";
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string RefRecords::VirtualAddress(const std::string& service) const {
  for (const InstanceView& view : AllInstances()) {
    if (view.node->datacenter != policy_.datacenter ||
        AsciiLower(view.instance->name) != service) {
      continue;
    }
    auto vip = view.instance->tagged_addresses.find("consul-virtual");
    if (vip != view.instance->tagged_addresses.end()) {
      return AddressBytes(vip->second.address);
    }
  }
  return "";
}

}  // namespace dnsd::testing
