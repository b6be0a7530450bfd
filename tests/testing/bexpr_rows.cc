#include "tests/testing/bexpr_rows.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"
#include "dnsd/http/bexpr.h"

namespace dnsd::testing {
namespace {

using absl::string_view;

const Value& At(const Value& object, string_view name) {
  static const Value missing;
  for (const Member& member : object.members) {
    if (string_view(member.key) == name) return member.value;
  }
  return missing;
}

std::string Text(const Value& object, string_view name) {
  return At(object, name).text;
}

std::vector<std::string> Texts(const Value& list) {
  std::vector<std::string> texts;
  for (const Value& item : list.items) texts.push_back(item.text);
  return texts;
}

std::map<std::string, std::string> TextMap(const Value& object) {
  std::map<std::string, std::string> map;
  for (const Member& member : object.members) {
    map[member.key] = member.value.text;
  }
  return map;
}

ServiceKind KindOf(const std::string& kind) {
  if (kind == "connect-proxy") return ServiceKind::kConnectProxy;
  if (kind == "mesh-gateway") return ServiceKind::kMeshGateway;
  if (kind == "terminating-gateway") return ServiceKind::kTerminatingGateway;
  if (kind == "ingress-gateway") return ServiceKind::kIngressGateway;
  return ServiceKind::kTypical;
}

HealthStatus StatusOf(const std::string& status) {
  if (status == "passing") return HealthStatus::kPassing;
  if (status == "warning") return HealthStatus::kWarning;
  return HealthStatus::kCritical;
}

void Write(const Value& value, JsonWriter* writer) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return writer->Null();
    case Value::Kind::kBool:
      return writer->Bool(value.boolean);
    case Value::Kind::kInt:
      return writer->Int(value.integer);
    case Value::Kind::kDouble:
    case Value::Kind::kString:
      return writer->String(value.text);
    case Value::Kind::kList:
      writer->BeginArray();
      for (const Value& item : value.items) Write(item, writer);
      return writer->EndArray();
    case Value::Kind::kObject:
      writer->BeginObject();
      for (const Member& member : value.members) {
        writer->Key(member.key);
        Write(member.value, writer);
      }
      return writer->EndObject();
  }
}

// `prefix` is "Service" in the flat objects of /v1/catalog/service.
ServiceInstance InstanceOf(const Value& value, const std::string& prefix) {
  const auto at = [&](string_view name) -> const Value& {
    return At(value, absl::StrCat(prefix, name));
  };
  ServiceInstance instance;
  instance.id = at("ID").text;
  instance.name = prefix.empty() ? at("Service").text : at("Name").text;
  instance.kind = KindOf(at("Kind").text);
  instance.tags = Texts(at("Tags"));
  instance.meta = TextMap(at("Meta"));
  instance.address = at("Address").text;
  instance.port = static_cast<uint16_t>(at("Port").integer);
  for (const Member& member : at("TaggedAddresses").members) {
    instance.tagged_addresses[member.key] = {
        Text(member.value, "Address"),
        static_cast<uint16_t>(At(member.value, "Port").integer)};
  }
  instance.weights = {static_cast<int>(At(at("Weights"), "Passing").integer),
                      static_cast<int>(At(at("Weights"), "Warning").integer)};
  instance.enable_tag_override = at("EnableTagOverride").boolean;
  instance.connect_native = At(at("Connect"), "Native").boolean;
  instance.mesh.Edit().proxy_destination =
      Text(at("Proxy"), "DestinationServiceName");
  if (at("Proxy").kind == Value::Kind::kObject) {
    JsonWriter writer(&instance.mesh.Edit().proxy_json);
    Write(at("Proxy"), &writer);
  }
  return instance;
}

template <typename Row, typename Rows>
absl::StatusOr<std::vector<std::string>> SelectFrom(
    const std::string& text, const BexprSchema<Row>& schema, const Rows& rows,
    const std::vector<std::string>& keys) {
  const absl::StatusOr<Filter<Row>> filter = Filter<Row>::Compile(text, schema);
  if (!filter.ok()) return filter.status();
  std::vector<std::string> selected;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (filter->Matches(rows[i])) selected.push_back(keys[i]);
  }
  std::sort(selected.begin(), selected.end());
  return selected;
}

}  // namespace

const Node* BexprRows::NodeOf(const Value& value) {
  Node node;
  node.id = Text(value, "ID");
  node.name = Text(value, "Node");
  node.address = Text(value, "Address");
  node.datacenter = Text(value, "Datacenter");
  node.tagged_addresses = TextMap(At(value, "TaggedAddresses"));
  node.meta = TextMap(
      At(value, kind_ == BexprKind::kCatalogService ? "NodeMeta" : "Meta"));
  nodes_.push_back(std::move(node));
  return &nodes_.back();
}

const ServiceInstance* BexprRows::ServiceOf(const Value& value) {
  instances_.push_back(
      InstanceOf(value, kind_ == BexprKind::kCatalogService ? "Service" : ""));
  return &instances_.back();
}

CheckRow BexprRows::CheckOf(const Value& value) {
  CheckRow row;
  Node node;
  node.name = Text(value, "Node");
  nodes_.push_back(node);
  row.node = &nodes_.back();
  Check check;
  check.id = Text(value, "CheckID");
  check.name = Text(value, "Name");
  check.status = StatusOf(Text(value, "Status"));
  check.notes = Text(value, "Notes");
  check.output = Text(value, "Output");
  check.service_id = Text(value, "ServiceID");
  check.type = Text(value, "Type");
  checks_.push_back(check);
  row.check = &checks_.back();
  if (!check.service_id.empty()) {
    ServiceInstance instance;
    instance.name = Text(value, "ServiceName");
    instance.tags = Texts(At(value, "ServiceTags"));
    instances_.push_back(std::move(instance));
    row.instance = &instances_.back();
  }
  return row;
}

void BexprRows::Add(const Value& value) {
  switch (kind_) {
    case BexprKind::kHealthService: {
      check_lists_.emplace_back();
      for (const Value& check : At(value, "Checks").items) {
        check_lists_.back().push_back(CheckOf(check));
      }
      const InstanceRow row = {NodeOf(At(value, "Node")),
                               ServiceOf(At(value, "Service")),
                               check_lists_.back()};
      keys_.push_back(
          absl::StrCat(row.node->name, "/", row.instance->id.view()));
      instance_rows_.push_back(row);
      return;
    }
    case BexprKind::kCatalogService: {
      const InstanceRow row = {NodeOf(value), ServiceOf(value), {}};
      keys_.push_back(
          absl::StrCat(row.node->name, "/", row.instance->id.view()));
      instance_rows_.push_back(row);
      return;
    }
    case BexprKind::kNodes:
      keys_.push_back(NodeOf(value)->name);
      return;
    case BexprKind::kServices:
      keys_.push_back(ServiceOf(value)->id);
      return;
    case BexprKind::kChecks:
      check_rows_.push_back(CheckOf(value));
      keys_.push_back(absl::StrCat(check_rows_.back().node->name, "/",
                                   check_rows_.back().check->id.view()));
      return;
  }
}

bool BexprRows::Read(const std::string& body) {
  const absl::StatusOr<Value> value = ParseJson(body);
  if (!value.ok()) return false;
  for (const Value& item : value->items) Add(item);
  for (const Member& member : value->members) Add(member.value);
  return value->kind == Value::Kind::kList ||
         value->kind == Value::Kind::kObject;
}

std::vector<std::string> BexprRows::SortedKeys() const {
  std::vector<std::string> keys = keys_;
  std::sort(keys.begin(), keys.end());
  return keys;
}

absl::StatusOr<std::vector<std::string>> BexprRows::Select(
    const std::string& filter) const {
  switch (kind_) {
    case BexprKind::kHealthService:
      return SelectFrom(filter, kHealthServiceFilter, instance_rows_, keys_);
    case BexprKind::kCatalogService:
      return SelectFrom(filter, kCatalogServiceFilter, instance_rows_, keys_);
    case BexprKind::kNodes:
      return SelectFrom(filter, kNodeFilter, nodes_, keys_);
    case BexprKind::kServices:
      return SelectFrom(filter, kServiceFilter, instances_, keys_);
    case BexprKind::kChecks:
      return SelectFrom(filter, kCheckFilter, check_rows_, keys_);
  }
  return std::vector<std::string>();
}

}  // namespace dnsd::testing
