#include "dnsd/http/bexpr_schemas.h"

#include <string>

#include "absl/strings/string_view.h"
#include "catalog/object_json.h"

namespace dnsd {
namespace {

using absl::string_view;
using bexpr::Computed;
using bexpr::Json;
using bexpr::Leaf;
using bexpr::List;
using bexpr::Struct;
using bexpr::StructMap;
using bexpr::Within;

// --- of a service ---

string_view ProxyJson(const void* object) {
  return static_cast<const ServiceInstance*>(object)->mesh->proxy_json;
}

constexpr BexprField Below(string_view name, BexprType type,
                           std::span<const BexprField> fields = {}) {
  return Json(name, type, nullptr, fields);
}

constexpr BexprField kMeshGateway[] = {
    Below("Mode", BexprType::kString),
};

constexpr BexprField kUpstreams[] = {
    Below("DestinationType", BexprType::kString),
    Below("DestinationNamespace", BexprType::kString),
    Below("DestinationName", BexprType::kString),
    Below("Datacenter", BexprType::kString),
    Below("LocalBindAddress", BexprType::kString),
    Below("LocalBindPort", BexprType::kInt),
    Below("MeshGateway", BexprType::kStruct, kMeshGateway),
};

constexpr BexprField kExposePaths[] = {
    Below("ListenerPort", BexprType::kInt),
    Below("Path", BexprType::kString),
    Below("LocalPathPort", BexprType::kInt),
    Below("Protocol", BexprType::kString),
    Below("ParsedFromCheck", BexprType::kBool),
};

constexpr BexprField kExpose[] = {
    Below("Checks", BexprType::kBool),
    Below("Paths", BexprType::kStructList, kExposePaths),
};

constexpr BexprField kProxy[] = {
    Leaf<&ServiceInstance::mesh, &MeshPart::proxy_destination>(
        "DestinationServiceName"),
    Json("DestinationServiceID", BexprType::kString, ProxyJson),
    Json("LocalServiceAddress", BexprType::kString, ProxyJson),
    Json("LocalServicePort", BexprType::kInt, ProxyJson),
    Json("Upstreams", BexprType::kStructList, ProxyJson, kUpstreams),
    Json("MeshGateway", BexprType::kStruct, ProxyJson, kMeshGateway),
    Json("Expose", BexprType::kStruct, ProxyJson, kExpose),
};

constexpr BexprField kConnect[] = {
    Leaf<&ServiceInstance::connect_native>("Native"),
};

constexpr BexprField kWeights[] = {
    Leaf<&Weights::passing>("Passing"),
    Leaf<&Weights::warning>("Warning"),
};

constexpr BexprField kTaggedAddress[] = {
    Leaf<&TaggedAddress::address>("Address"),
    Leaf<&TaggedAddress::port>("Port"),
};

constexpr BexprField kService[] = {
    Computed("Kind",
             [](const void* object) {
               return ServiceKindName(
                   static_cast<const ServiceInstance*>(object)->kind);
             }),
    Leaf<&ServiceInstance::id>("ID"),
    Leaf<&ServiceInstance::name>("Service"),
    Leaf<&ServiceInstance::tags>("Tags"),
    Leaf<&ServiceInstance::address>("Address"),
    StructMap<&ServiceInstance::tagged_addresses>("TaggedAddresses",
                                                  kTaggedAddress),
    Leaf<&ServiceInstance::meta>("Meta"),
    Leaf<&ServiceInstance::port>("Port"),
    Struct<&ServiceInstance::weights>("Weights", kWeights),
    Leaf<&ServiceInstance::enable_tag_override>("EnableTagOverride"),
    Within("Proxy", kProxy),
    Within("Connect", kConnect),
};

// --- of a node ---

constexpr BexprField kNode[] = {
    Leaf<&Node::id>("ID"),
    Leaf<&Node::name>("Node"),
    Leaf<&Node::address>("Address"),
    Leaf<&Node::datacenter>("Datacenter"),
    Leaf<&Node::tagged_addresses>("TaggedAddresses"),
    Leaf<&Node::meta>("Meta"),
};

// --- of a check ---

constexpr BexprField ServiceTags() {
  BexprField field;
  field.name = "ServiceTags";
  field.type = BexprType::kStrings;
  field.strings = [](const void* object) -> const BexprField::Strings* {
    const auto* row = static_cast<const CheckRow*>(object);
    return row->instance == nullptr ? nullptr : &*row->instance->tags;
  };
  return field;
}

constexpr BexprField kCheck[] = {
    Leaf<&CheckRow::node, &Node::name>("Node"),
    Leaf<&CheckRow::check, &Check::id>("CheckID"),
    Leaf<&CheckRow::check, &Check::name>("Name"),
    Computed("Status",
             [](const void* object) -> string_view {
               return HealthStatusName(
                   static_cast<const CheckRow*>(object)->check->status);
             }),
    Leaf<&CheckRow::check, &Check::notes>("Notes"),
    Leaf<&CheckRow::check, &Check::output>("Output"),
    Leaf<&CheckRow::check, &Check::service_id>("ServiceID"),
    Computed("ServiceName",
             [](const void* object) -> string_view {
               const auto* row = static_cast<const CheckRow*>(object);
               return row->instance == nullptr
                          ? string_view()
                          : string_view(row->instance->name);
             }),
    ServiceTags(),
    Leaf<&CheckRow::check, &Check::type>("Type"),
};

// --- of an instance on its node ---

constexpr BexprField kHealthService[] = {
    Struct<&InstanceRow::node>("Node", kNode),
    Struct<&InstanceRow::instance>("Service", kService),
    List<&InstanceRow::checks>("Checks", kCheck),
};

constexpr auto kOfNode = &InstanceRow::node;
constexpr auto kOfService = &InstanceRow::instance;

constexpr BexprField kCatalogService[] = {
    Leaf<kOfNode, &Node::id>("ID"),
    Leaf<kOfNode, &Node::name>("Node"),
    Leaf<kOfNode, &Node::address>("Address"),
    Leaf<kOfNode, &Node::datacenter>("Datacenter"),
    Leaf<kOfNode, &Node::tagged_addresses>("TaggedAddresses"),
    Leaf<kOfNode, &Node::meta>("NodeMeta"),
    Computed("ServiceKind",
             [](const void* object) {
               return ServiceKindName(
                   static_cast<const InstanceRow*>(object)->instance->kind);
             }),
    Leaf<kOfService, &ServiceInstance::id>("ServiceID"),
    Leaf<kOfService, &ServiceInstance::name>("ServiceName"),
    Leaf<kOfService, &ServiceInstance::tags>("ServiceTags"),
    Leaf<kOfService, &ServiceInstance::address>("ServiceAddress"),
    StructMap<kOfService, &ServiceInstance::tagged_addresses>(
        "ServiceTaggedAddresses", kTaggedAddress),
    Leaf<kOfService, &ServiceInstance::meta>("ServiceMeta"),
    Leaf<kOfService, &ServiceInstance::port>("ServicePort"),
    Struct<kOfService, &ServiceInstance::weights>("ServiceWeights", kWeights),
    Leaf<kOfService, &ServiceInstance::enable_tag_override>(
        "ServiceEnableTagOverride"),
    Struct<kOfService>("ServiceProxy", kProxy),
    Struct<kOfService>("ServiceConnect", kConnect),
};

}  // namespace

constinit const BexprSchema<Node> kNodeFilter = {kNode};
constinit const BexprSchema<ServiceInstance> kServiceFilter = {kService};
constinit const BexprSchema<InstanceRow> kCatalogServiceFilter = {
    kCatalogService};
constinit const BexprSchema<InstanceRow> kHealthServiceFilter = {
    kHealthService};
constinit const BexprSchema<CheckRow> kCheckFilter = {kCheck};

}  // namespace dnsd
