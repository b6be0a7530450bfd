#include "tests/testing/catalog_generator.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "tests/testing/query_generator.h"
#include "tests/testing/reference_names.h"
#include "zones/wire.h"

namespace dnsd::testing {
namespace {

template <typename Items>
const auto& Pick(const Items& items, Random* random) {
  return items[random->Below(static_cast<uint32_t>(std::size(items)))];
}

// True once in `one_in`.
bool Rarely(uint32_t one_in, Random* random) {
  return random->Below(one_in) == 0;
}

std::string RandomV4(Random* random) {
  return absl::StrCat("10.", random->Below(3), ".0.", 1 + random->Below(250));
}

std::string RandomV6(Random* random) {
  return absl::StrCat("2001:db8::", absl::Hex(1 + random->Below(0xfffe)));
}

std::string RandomIp(Random* random) {
  return Rarely(3, random) ? RandomV6(random) : RandomV4(random);
}

std::string RandomFqdn(Random* random) {
  constexpr const char* kNames[] = {
      "www.example.com",        "Cdn.Example.NET",
      "web.service.consul",     "db.service.dc1.consul",
      "foo.node.consul",        "v1.x.web.service.consul",
      "0a000001.addr.consul",   "alias.service.consul",
      "web.service.alt.test",   "nothing.service.consul",
      "ext.service.dc2.consul", "_web._tcp.service.consul",
      "any-web.query.consul",   "with.two.dots.query.dc1.consul",
  };
  return Pick(kNames, random);
}

std::string RandomMeta(Random* random) {
  constexpr const char* kParts[] = {
      "value",     "a=b",        "`tick`",          " lead",      "trail ",
      "",          "\"quoted\"", "back\\slash",     "semi;colon", "\xc3\xa9",
      "tab\there", "=",          "long long value",
  };
  std::string text;
  uint32_t count = 1 + random->Below(3);
  for (uint32_t i = 0; i < count; ++i) text += Pick(kParts, random);
  if (Rarely(12, random)) text += std::string(80, 'x');
  return text;
}

HealthStatus RandomStatus(Random* random) {
  constexpr HealthStatus kStatuses[] = {
      HealthStatus::kPassing, HealthStatus::kPassing, HealthStatus::kPassing,
      HealthStatus::kWarning, HealthStatus::kCritical};
  return Pick(kStatuses, random);
}

constexpr const char* kNodeNames[] = {
    "foo",   "Bar",    "node-1",
    "a.b",   "x.y.z",  "odd_name",
    "UPPER", "edge",   "srv-west-3",
    "y.z",   "plus+1", "node",
    "db",    "ext",    "a-rather-long-node-name-0123456789",
    "m1",    "m2",     "m3",
};

constexpr const char* kServiceNames[] = {
    "web", "db",          "Api", "redis", "consul", "alias",
    "ext", "under_score", "six", "big",   "_tcp",   "node",
};

constexpr const char* kTags[] = {
    "primary", "Secondary", "v1.x", "v1.primary",  "a.b.C",
    "udp",     "tcp",       "x",    "under_score", "node",
};

Node RandomNode(const std::string& name, const std::string& datacenter,
                Random* random) {
  Node node;
  node.name = name;
  node.datacenter = datacenter;
  node.address = Rarely(8, random) ? RandomFqdn(random) : RandomIp(random);
  if (Rarely(2, random)) {
    node.id = absl::StrCat("0b7e9c1a-0000-4000-8000-",
                           absl::Hex(random->Next(), absl::kZeroPad12));
    node.id.resize(36);
  }
  struct Tagged {
    const char* key;
    uint32_t one_in;
    bool v6;
  };
  constexpr Tagged kTagged[] = {{"lan", 3, false},      {"lan_ipv4", 6, false},
                                {"lan_ipv6", 8, true},  {"wan", 3, false},
                                {"wan_ipv4", 6, false}, {"wan_ipv6", 8, true}};
  for (const Tagged& tagged : kTagged) {
    if (!Rarely(tagged.one_in, random)) continue;
    node.tagged_addresses[tagged.key] =
        tagged.v6 ? RandomV6(random) : RandomV4(random);
  }
  uint32_t metas = random->Below(4);
  for (uint32_t i = 0; i < metas; ++i) {
    std::string key =
        Rarely(3, random) ? absl::StrCat("rfc1035-0", i) : RandomMeta(random);
    node.meta[key] = RandomMeta(random);
  }
  if (node.meta.empty()) node.meta["zone"] = Rarely(2, random) ? "a" : "b";
  return node;
}

void AddServiceAddresses(ServiceInstance* instance, Random* random) {
  switch (random->Below(8)) {
    case 0:
    case 1:
    case 2:
      break;  // the node's
    case 3:
      if (Rarely(3, random)) instance->address = RandomFqdn(random);
      break;
    case 4:
      if (Rarely(3, random)) {
        instance->address = absl::StrCat(*instance->name, ".service.consul");
      }
      break;
    default:
      instance->address = RandomIp(random);
  }
  if (Rarely(6, random)) {
    instance->tagged_addresses["wan"] = {
        RandomV4(random), static_cast<uint16_t>(Rarely(2, random) ? 0 : 8443)};
  }
  if (Rarely(8, random)) {
    instance->tagged_addresses["lan_ipv6"] = {RandomV6(random), 80};
  }
  if (Rarely(8, random)) {
    instance->tagged_addresses["lan_ipv4"] = {RandomV4(random), 80};
  }
  if (Rarely(10, random)) {
    instance->tagged_addresses["consul-virtual"] = {
        absl::StrCat("240.0.0.", 1 + random->Below(200)), 80};
  }
}

ServiceInstance RandomInstance(const std::string& name, int index,
                               Random* random) {
  ServiceInstance instance;
  instance.name = name;
  instance.id = absl::StrCat(name, "-", index);
  uint32_t tags = random->Below(4);
  for (uint32_t i = 0; i < tags; ++i) {
    instance.tags.push_back(Pick(kTags, random));
  }
  instance.port = static_cast<uint16_t>(
      Rarely(3, random) ? 8000 + random->Below(500) : 8080);
  if (Rarely(3, random)) instance.meta["v"] = Rarely(2, random) ? "1" : "2";
  if (Rarely(3, random)) {
    instance.weights.passing = static_cast<int>(random->Below(100));
    instance.weights.warning = static_cast<int>(random->Below(10));
  }
  AddServiceAddresses(&instance, random);
  if (Rarely(12, random)) {
    instance.kind = ServiceKind::kConnectProxy;
    instance.mesh.Edit().proxy_destination = Pick(kServiceNames, random);
  } else if (Rarely(12, random)) {
    instance.connect_native = true;
  } else if (Rarely(16, random)) {
    instance.kind = ServiceKind::kIngressGateway;
    instance.mesh.Edit().gateway_services = {Pick(kServiceNames, random),
                                             Pick(kServiceNames, random)};
  }
  return instance;
}

void AddInstances(const std::vector<NodeKey>& nodes, const std::string& name,
                  int count, GeneratedCatalog* catalog, Random* random) {
  for (int i = 0; i < count; ++i) {
    const NodeKey& key = Pick(nodes, random);
    ServiceInstance instance = RandomInstance(name, i, random);
    if (count > 50) {
      // Large services: one address each, so that size is what counts.
      instance.address = absl::StrCat("10.9.", i / 200, ".", 1 + i % 200);
      instance.tagged_addresses.clear();
    }
    catalog->changes.push_back(UpsertInstance{key, instance});
    if (!instance.address.empty()) {
      catalog->addresses.push_back(instance.address);
    }
    uint32_t checks = count > 50 ? 0 : random->Below(3);
    for (uint32_t j = 0; j < checks; ++j) {
      Check check;
      check.id = absl::StrCat(instance.id.view(), ":", j);
      check.service_id = instance.id;
      check.status = RandomStatus(random);
      catalog->changes.push_back(UpsertCheck{key, check});
    }
  }
}

std::string MixCase(const std::string& text, Random* random) {
  std::string mixed = text;
  for (char& c : mixed) {
    if (c >= 'a' && c <= 'z' && Rarely(2, random)) {
      c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return mixed;
}

// What stands between the keyword and the domain.
std::string RandomLocality(Random* random) {
  constexpr const char* kLocalities[] = {
      "",
      "",
      "",
      ".dc1",
      ".dc2",
      ".dc1.dc",
      ".dc2.dc",
      ".nowhere",
      ".DC1",
      ".p.peer",
      ".x.y",
      ".a.b.c",
      ".dc1.dc.p.peer",
      ".dc1.dc.dc2.dc",
      ".nowhere.dc",
  };
  return Pick(kLocalities, random);
}

std::string RandomLeftPart(const GeneratedCatalog& catalog, Random* random) {
  std::string service = Pick(catalog.services, random);
  std::string tag = Pick(catalog.tags, random);
  switch (random->Below(11)) {
    case 0:
      return absl::StrCat(tag, ".", service, ".service");
    case 1:
      return absl::StrCat("_", service, "._", Rarely(2, random) ? "tcp" : tag,
                          ".service");
    case 2:
      return absl::StrCat(
          Rarely(2, random) ? "web" : Pick(catalog.nodes, random), ".node");
    case 3:
      return absl::StrCat(service, Rarely(2, random) ? ".connect" : ".ingress");
    case 4:
      return absl::StrCat("_", service, "._", Rarely(2, random) ? "tcp" : tag);
    case 5: {
      // The right part of a dotted tag or node name.
      constexpr const char* kParts[] = {"x", "primary", "b.c", "c", "z", "b"};
      std::string part = Pick(kParts, random);
      return Rarely(2, random) ? absl::StrCat(part, ".", service, ".service")
                               : absl::StrCat(part, ".node");
    }
    case 6:
      return absl::StrCat(Pick(catalog.queries, random), ".query");
    case 7:
      return absl::StrCat("_", Pick(catalog.queries, random), "._",
                          Rarely(2, random) ? "tcp" : "x", ".query");
    default:
      return absl::StrCat(service, ".service");
  }
}

std::string RandomRareName(const GeneratedCatalog& catalog, Random* random) {
  constexpr const char* kNames[] = {
      "",
      "service",
      "node",
      "query",
      "addr",
      "connect",
      "virtual",
      "ingress",
      "dc",
      "dc1",
      "dc1.dc",
      "dc2.dc",
      "nowhere",
      "nowhere.dc",
      "ns",
      "x.ns",
      "service.dc1",
      "node.dc1.dc",
      "service.nowhere",
      "_tcp",
      "_tcp.service",
      "_x.service.dc1",
      "_tcp.query",
      "_x._y.query",
      "q.query",
      "q.query.dc1",
      "dots.query",
      "a.b.query.dc2",
      "query.dc1.dc",
      "_._tcp.query",
      "_.x._tcp.query",
      "_tcp.dc1",
      "_tcp.dc1.dc",
      "7f000001.addr",
      "7F00000A.addr.dc1",
      "7f0001.addr",
      "zz000001.addr",
      "20010db8000000000000000000000005.addr",
      "a.7f000001.addr",
      "foo",
      "a.b.c.d",
      "_a._b._c",
      "node.service",
      "db.node.service",
      "x.web.connect",
      "virtual.dc1",
  };
  if (Rarely(8, random)) {
    return absl::StrCat(Pick(catalog.services, random), ".virtual");
  }
  return Pick(kNames, random);
}

std::string RandomName(const GeneratedCatalog& catalog,
                       const ZonePolicy& policy, Random* random) {
  if (Rarely(12, random)) {
    constexpr const char* kOutside[] = {
        "www.example.com.",         "consul.service.", ".",       "arpa.",
        "99.0.0.127.in-addr.arpa.", "foo.arpa.",       "xconsul."};
    if (Rarely(2, random)) return Pick(kOutside, random);
    std::string reverse = ReverseName(Pick(catalog.addresses, random));
    if (!reverse.empty()) return MixCase(reverse, random);
  }
  std::string name;
  if (Rarely(4, random)) {
    name = RandomRareName(catalog, random);
  } else {
    name =
        absl::StrCat(RandomLeftPart(catalog, random), RandomLocality(random));
  }
  std::string domain = !policy.alt_domain.empty() && Rarely(4, random)
                           ? policy.alt_domain
                           : policy.domain;
  name = name.empty() ? domain : absl::StrCat(name, ".", domain);
  return Rarely(3, random) ? MixCase(name, random) : name;
}

uint16_t RandomType(Random* random) {
  constexpr uint16_t kTypes[] = {
      kTypeA,   kTypeA,   kTypeA,   kTypeAaaa, kTypeAaaa, kTypeSrv,   kTypeSrv,
      kTypeSrv, kTypeTxt, kTypeAny, kTypeAny,  kTypeMx,   kTypeCname, kTypeSoa,
      kTypeNs,  kTypePtr, kTypeDs,  65,        kTypeAxfr, 48};
  return Pick(kTypes, random);
}

}  // namespace

GeneratedCatalog GenerateCatalog(int big_count, Random* random) {
  GeneratedCatalog catalog;
  std::vector<NodeKey> nodes;
  for (const char* name : kNodeNames) {
    for (const char* datacenter : {"dc1", "dc2", "dc3"}) {
      bool local = datacenter[2] == '1';
      if (Rarely(local ? 4 : 2, random) ||
          (datacenter[2] == '3' && nodes.size() > 9))
        continue;
      Node node = RandomNode(name, datacenter, random);
      nodes.push_back({datacenter, name});
      catalog.nodes.push_back(name);
      if (!node.id.empty()) catalog.nodes.push_back(node.id);
      catalog.addresses.push_back(node.address);
      catalog.changes.push_back(UpsertNode{node});
      if (Rarely(6, random)) {
        Check check;
        check.id = "alive";
        check.status = RandomStatus(random);
        catalog.changes.push_back(UpsertCheck{nodes.back(), check});
      }
    }
  }
  constexpr int kCounts[] = {0, 1, 1, 3, 3, 12};
  for (const char* name : kServiceNames) {
    bool big = std::string(name) == "big";
    AddInstances(nodes, name, big ? big_count : Pick(kCounts, random), &catalog,
                 random);
    catalog.services.push_back(name);
  }
  catalog.services.push_back("nothing");
  for (const char* tag : kTags) catalog.tags.push_back(tag);
  GenerateQueries(&catalog, random);
  return catalog;
}

ZonePolicy GeneratePolicy(Compat compat, Random* random) {
  ZonePolicy policy;
  policy.compat = compat;
  if (Rarely(2, random)) policy.alt_domain = "alt.test.";
  if (Rarely(6, random)) policy.alt_domain = "test.consul.";
  policy.node_name = Rarely(2, random) ? "foo" : "edge";
  policy.node_ttl = random->Below(3) * 7;
  if (Rarely(2, random)) {
    policy.service_ttl = {{"web", 11}, {"d*", 12}, {"db", 13}, {"*", 5}};
  }
  if (Rarely(3, random)) policy.soa.min_ttl = random->Below(60);
  policy.only_passing = Rarely(4, random);
  policy.enable_truncate = Rarely(2, random);
  policy.disable_compression = Rarely(8, random);
  if (Rarely(3, random)) {
    policy.udp_answer_limit = 1 + static_cast<int>(random->Below(10));
  }
  if (Rarely(5, random)) {
    policy.a_record_limit = 1 + static_cast<int>(random->Below(5));
  }
  policy.enable_additional_node_meta_txt = !Rarely(3, random);
  policy.translate_wan_addrs = Rarely(3, random);
  constexpr uint16_t kSizes[] = {1232, 1232, 512, 4096};
  policy.edns_udp_size = Pick(kSizes, random);
  return policy;
}

GeneratedQuery GenerateQuery(const GeneratedCatalog& catalog,
                             const ZonePolicy& policy, Random* random) {
  std::string name = RandomName(catalog, policy, random);
  uint16_t type = RandomType(random);
  GeneratedQuery query;
  QueryOptions options;
  options.id = static_cast<uint16_t>(random->Next());
  options.rd = !Rarely(4, random);
  options.cd = Rarely(8, random);
  options.ad = Rarely(8, random);
  if (Rarely(30, random)) options.qclass = Rarely(2, random) ? 3 : 255;
  constexpr uint8_t kOpcodes[] = {1, 2, 4, 5, 15};
  if (Rarely(40, random)) options.opcode = Pick(kOpcodes, random);
  if (!Rarely(3, random)) {
    constexpr uint16_t kSizes[] = {0,    512,  513,  700,  1000, 1232,
                                   1232, 1500, 2048, 4096, 8192, 65535};
    EdnsOptions edns;
    edns.udp_size = Pick(kSizes, random);
    edns.dnssec_ok = Rarely(5, random);
    if (Rarely(20, random)) edns.version = 1;
    if (Rarely(8, random)) {
      edns.options += EdnsOption(10, "01234567");  // a cookie
    }
    if (Rarely(6, random)) edns.options += EcsOption("198.51.100.77", 21, 0);
    options.edns = edns;
  }
  if (Rarely(4, random)) query.transport = Transport::kTcp;
  query.packet = BuildQuery(name, type, options);
  query.text = absl::StrCat(
      name, " ", TypeText(type),
      query.transport == Transport::kTcp ? " tcp" : "", " class ",
      options.qclass, " opcode ", options.opcode,
      options.edns ? absl::StrCat(" edns ", options.edns->udp_size, " version ",
                                  options.edns->version)
                   : "");
  return query;
}

}  // namespace dnsd::testing
