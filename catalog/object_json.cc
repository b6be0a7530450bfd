#include "catalog/object_json.h"

#include <map>
#include <string>

namespace dnsd {
namespace {

using StringMap = std::map<std::string, std::string>;

void WriteMap(const StringMap& map, JsonWriter* json) {
  json->BeginObject();
  for (const auto& [key, value] : map) {
    json->Key(key);
    json->String(value);
  }
  json->EndObject();
}

// null for what was never given.
void WriteMap(const StringMap& map, bool is_given, JsonWriter* json) {
  if (map.empty() && !is_given) {
    json->Null();
  } else {
    WriteMap(map, json);
  }
}

void WriteTags(const std::vector<std::string>& tags, EmptyTags empty,
               JsonWriter* json) {
  if (tags.empty() && empty == EmptyTags::kNull) {
    json->Null();
    return;
  }
  json->Strings(tags);
}

void Member(absl::string_view key, absl::string_view value, JsonWriter* json) {
  json->Key(key);
  json->String(value);
}

void WriteStamp(const Stamp& stamp, JsonWriter* json) {
  json->Key("CreateIndex");
  json->Uint(stamp.create_index);
  json->Key("ModifyIndex");
  json->Uint(stamp.modify_index);
}

void WriteWeights(const Weights& weights, JsonWriter* json) {
  json->BeginObject();
  json->Key("Passing");
  json->Int(weights.passing);
  json->Key("Warning");
  json->Int(weights.warning);
  json->EndObject();
}

void WriteTaggedAddresses(const ServiceInstance& instance,
                          absl::string_view key, JsonWriter* json) {
  if (instance.tagged_addresses.empty()) return;
  json->Key(key);
  json->BeginObject();
  for (const auto& [tag, address] : instance.tagged_addresses) {
    json->Key(tag);
    json->BeginObject();
    Member("Address", address.address, json);
    json->Key("Port");
    json->Uint(address.port);
    json->EndObject();
  }
  json->EndObject();
}

void WriteProxy(const ServiceInstance& instance, JsonWriter* json) {
  if (!instance.mesh->proxy_json.empty()) {
    json->Raw(instance.mesh->proxy_json);
  } else {
    WritePlainProxy(instance, json);
  }
}

void WriteConnect(const ServiceInstance& instance, JsonWriter* json) {
  if (!instance.mesh->connect_json.empty()) {
    json->Raw(instance.mesh->connect_json);
  } else {
    WritePlainConnect(instance, json);
  }
}

// What the rows of nodes and of services begin with.
void WriteNodeHead(const Node& node, bool with_datacenter, JsonWriter* json) {
  Member("ID", node.id, json);
  Member("Node", node.name, json);
  Member("Address", node.address, json);
  if (with_datacenter) Member("Datacenter", node.datacenter, json);
  json->Key("TaggedAddresses");
  WriteMap(node.tagged_addresses, node.has_tagged_addresses, json);
}

}  // namespace

absl::string_view ServiceKindName(ServiceKind kind) {
  switch (kind) {
    case ServiceKind::kTypical:
      return "";
    case ServiceKind::kConnectProxy:
      return "connect-proxy";
    case ServiceKind::kMeshGateway:
      return "mesh-gateway";
    case ServiceKind::kTerminatingGateway:
      return "terminating-gateway";
    case ServiceKind::kIngressGateway:
      return "ingress-gateway";
    case ServiceKind::kApiGateway:
      return "api-gateway";
  }
  return "";
}

void WritePlainProxy(const ServiceInstance& instance, JsonWriter* json) {
  json->BeginObject();
  if (!instance.mesh->proxy_destination.empty()) {
    Member("DestinationServiceName", instance.mesh->proxy_destination, json);
  }
  json->Key("MeshGateway");
  json->Raw("{}");
  json->Key("Expose");
  json->Raw("{}");
  json->EndObject();
}

void WritePlainConnect(const ServiceInstance& instance, JsonWriter* json) {
  json->Raw(instance.connect_native ? R"({"Native":true})" : "{}");
}

void WriteNode(const NodeView& view, JsonWriter* json) {
  json->BeginObject();
  WriteNodeHead(*view.node, /*with_datacenter=*/true, json);
  json->Key("Meta");
  WriteMap(view.node->meta, view.node->has_meta, json);
  WriteStamp(view.stamp, json);
  json->EndObject();
}

void WriteNodeService(const InstanceView& view, EmptyTags empty,
                      JsonWriter* json) {
  const ServiceInstance& instance = *view.instance;
  json->BeginObject();
  if (instance.kind != ServiceKind::kTypical) {
    Member("Kind", ServiceKindName(instance.kind), json);
  }
  Member("ID", instance.id, json);
  Member("Service", instance.name, json);
  json->Key("Tags");
  WriteTags(instance.tags, empty, json);
  Member("Address", instance.address, json);
  WriteTaggedAddresses(instance, "TaggedAddresses", json);
  json->Key("Meta");
  WriteMap(instance.meta, instance.has_meta, json);
  json->Key("Port");
  json->Uint(instance.port);
  json->Key("Weights");
  WriteWeights(instance.weights, json);
  json->Key("EnableTagOverride");
  json->Bool(instance.enable_tag_override);
  json->Key("Proxy");
  WriteProxy(instance, json);
  json->Key("Connect");
  WriteConnect(instance, json);
  WriteStamp(view.stamp, json);
  json->EndObject();
}

void WriteServiceNode(const InstanceView& view, JsonWriter* json) {
  const ServiceInstance& instance = *view.instance;
  json->BeginObject();
  WriteNodeHead(*view.node, /*with_datacenter=*/true, json);
  json->Key("NodeMeta");
  WriteMap(view.node->meta, view.node->has_meta, json);
  Member("ServiceKind", ServiceKindName(instance.kind), json);
  Member("ServiceID", instance.id, json);
  Member("ServiceName", instance.name, json);
  json->Key("ServiceTags");
  WriteTags(instance.tags, EmptyTags::kList, json);
  Member("ServiceAddress", instance.address, json);
  WriteTaggedAddresses(instance, "ServiceTaggedAddresses", json);
  json->Key("ServiceWeights");
  WriteWeights(instance.weights, json);
  json->Key("ServiceMeta");
  WriteMap(instance.meta, json);
  json->Key("ServicePort");
  json->Uint(instance.port);
  json->Key("ServiceEnableTagOverride");
  json->Bool(instance.enable_tag_override);
  json->Key("ServiceProxy");
  WriteProxy(instance, json);
  json->Key("ServiceConnect");
  WriteConnect(instance, json);
  WriteStamp(view.stamp, json);
  json->EndObject();
}

void WriteHealthCheck(const CheckView& view, EmptyTags empty,
                      JsonWriter* json) {
  static const std::vector<std::string> kNoTags;
  const Check& check = *view.check;
  json->BeginObject();
  Member("Node", view.node->name, json);
  Member("CheckID", check.id, json);
  Member("Name", check.name, json);
  Member("Status", HealthStatusName(check.status), json);
  Member("Notes", check.notes, json);
  Member("Output", check.output, json);
  Member("ServiceID", check.service_id, json);
  Member("ServiceName",
         view.instance == nullptr ? absl::string_view() : view.instance->name,
         json);
  json->Key("ServiceTags");
  WriteTags(view.instance == nullptr ? kNoTags : *view.instance->tags, empty,
            json);
  Member("Type", check.type, json);
  json->Key("Definition");
  json->Raw(check.definition_json.empty() ? "{}" : check.definition_json);
  WriteStamp(view.stamp, json);
  json->EndObject();
}

void WriteHealthEntry(const InstanceView& view,
                      const std::vector<CheckView>& checks, JsonWriter* json,
                      EmptyTags empty) {
  json->BeginObject();
  json->Key("Node");
  WriteNode({view.node, view.node_stamp}, json);
  json->Key("Service");
  WriteNodeService(view, empty, json);
  json->Key("Checks");
  json->BeginArray();
  for (const CheckView& check : checks) {
    WriteHealthCheck(check, empty, json);
  }
  json->EndArray();
  json->EndObject();
}

void WriteNodeInfo(const NodeView& view,
                   const std::vector<InstanceView>& instances,
                   const std::vector<CheckView>& checks, JsonWriter* json) {
  json->BeginObject();
  WriteNodeHead(*view.node, /*with_datacenter=*/false, json);
  json->Key("Meta");
  WriteMap(view.node->meta, view.node->has_meta, json);
  json->Key("Services");
  json->BeginArray();
  for (const InstanceView& instance : instances) {
    WriteNodeService(instance, EmptyTags::kNull, json);
  }
  json->EndArray();
  json->Key("Checks");
  json->BeginArray();
  for (const CheckView& check : checks) {
    WriteHealthCheck(check, EmptyTags::kNull, json);
  }
  json->EndArray();
  json->EndObject();
}

}  // namespace dnsd
