// FormatMirror() and ParseMirror(): the text of a mirror's file. See
// mirror_file.h for the format.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_write.h"
#include "catalog/consul/consul_objects.h"
#include "catalog/consul/json_walk.h"
#include "catalog/consul/mirror_file.h"
#include "catalog/object_json.h"

namespace dnsd {
namespace {

using Json = JsonWalk::Json;
using absl::string_view;

constexpr int kVersion = 2;
// The first knew nothing of what only the HTTP API shows.
constexpr int kVersionMin = 1;
constexpr string_view kMagic = "dnsd-mirror ";

// The first line of a file with this body.
std::string HeaderOf(int version, string_view body) {
  return absl::StrCat(
      kMagic, version, " ", body.size(), " ",
      absl::Hex(XXH64(body.data(), body.size(), 0), absl::kZeroPad16), "\n");
}

// Writes members in Consul's shapes. What is empty is left out: it reads as
// empty, and most of a catalog is.
class MirrorWriter {
 public:
  explicit MirrorWriter(std::string* out) : json_(out) {}

  void Image(const MirrorImage& image) {
    json_.BeginObject();
    Member("Version", int64_t{kVersion});
    Member("Datacenter", image.datacenter);
    Member("Local", image.is_local);
    Member("SavedUnixMs", image.saved_unix_ms);
    List("Nodes", image.nodes, [this, &image](const NodeReport& node) {
      NodeObject(node, image.datacenter);
    });
    List("Queries", image.queries,
         [this](const PreparedQuery& query) { QueryObject(query); });
    json_.Key("Gateways");
    json_.BeginObject();
    for (const auto& [gateway, services] : image.gateways) {
      json_.Key(gateway);
      json_.Strings(services);
    }
    json_.EndObject();
    json_.EndObject();
  }

 private:
  void Member(string_view key, const std::string& text) {
    if (text.empty()) return;
    json_.Key(key);
    json_.String(text);
  }
  void Member(string_view key, bool value) {
    if (!value) return;
    json_.Key(key);
    json_.Bool(value);
  }
  void Member(string_view key, int64_t number) {
    if (number == 0) return;
    json_.Key(key);
    json_.Int(number);
  }
  void Raw(string_view key, const std::string& text) {
    if (text.empty()) return;
    json_.Key(key);
    json_.Raw(text);
  }
  void Index(uint64_t index) {
    if (index == 0) return;
    json_.Key("ModifyIndex");
    json_.Uint(index);
  }
  template <typename Item, typename Write>
  void List(string_view key, const std::vector<Item>& items, Write write) {
    json_.Key(key);
    json_.BeginArray();
    for (const Item& item : items) write(item);
    json_.EndArray();
  }
  void Member(string_view key, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    List(key, texts, [this](const std::string& text) { json_.String(text); });
  }
  // {} is not null where the API shows the difference.
  void Member(string_view key, const std::map<std::string, std::string>& map,
              bool is_given = false) {
    if (map.empty() && !is_given) return;
    json_.Key(key);
    json_.BeginObject();
    for (const auto& [name, text] : map) {
      json_.Key(name);
      json_.String(text);
    }
    json_.EndObject();
  }

  void NodeObject(const NodeReport& report, const std::string& datacenter) {
    const Node& node = report.node;
    json_.BeginObject();
    Member("ID", node.id);
    Member("Node", node.name);
    if (node.datacenter != datacenter) Member("Datacenter", node.datacenter);
    Member("Address", node.address);
    Member("TaggedAddresses", node.tagged_addresses, node.has_tagged_addresses);
    Member("Meta", node.meta, node.has_meta);
    Index(report.modify_index);
    List("Services", report.instances,
         [this](const InstanceReport& instance) { InstanceObject(instance); });
    List("Checks", report.checks,
         [this](const CheckReport& check) { CheckObject(check); });
    json_.EndObject();
  }

  void InstanceObject(const InstanceReport& report) {
    const ServiceInstance& instance = report.instance;
    json_.BeginObject();
    Member("Kind", std::string(ServiceKindName(instance.kind)));
    Member("ID", instance.id);
    Member("Service", instance.name);
    Member("Tags", instance.tags);
    Member("Address", instance.address);
    if (!instance.tagged_addresses.empty()) Addresses(instance);
    Member("Meta", instance.meta, instance.has_meta);
    Member("Port", int64_t{instance.port});
    json_.Key("Weights");
    json_.BeginObject();
    json_.Key("Passing");
    json_.Int(instance.weights.passing);
    json_.Key("Warning");
    json_.Int(instance.weights.warning);
    json_.EndObject();
    Member("EnableTagOverride", instance.enable_tag_override);
    Mesh(instance);
    Member("GatewayServices", instance.mesh->gateway_services);
    Index(report.modify_index);
    json_.EndObject();
  }

  void Mesh(const ServiceInstance& instance) {
    if (!instance.mesh->proxy_json.empty()) {
      Raw("Proxy", instance.mesh->proxy_json);
    } else if (!instance.mesh->proxy_destination.empty()) {
      json_.Key("Proxy");
      WritePlainProxy(instance, &json_);
    }
    if (!instance.mesh->connect_json.empty()) {
      Raw("Connect", instance.mesh->connect_json);
    } else if (instance.connect_native) {
      json_.Key("Connect");
      WritePlainConnect(instance, &json_);
    }
  }

  void Addresses(const ServiceInstance& instance) {
    json_.Key("TaggedAddresses");
    json_.BeginObject();
    for (const auto& [tag, tagged] : instance.tagged_addresses) {
      json_.Key(tag);
      json_.BeginObject();
      Member("Address", tagged.address);
      Member("Port", int64_t{tagged.port});
      json_.EndObject();
    }
    json_.EndObject();
  }

  void CheckObject(const CheckReport& report) {
    const Check& check = report.check;
    json_.BeginObject();
    Member("Node", report.node);
    Member("CheckID", check.id);
    Member("Name", check.name);
    Member("Status", std::string(HealthStatusName(check.status)));
    Member("Notes", check.notes);
    Member("Output", check.output);
    Member("ServiceID", check.service_id);
    Member("Type", check.type);
    Raw("Definition", check.definition_json);
    Member("ServiceName", report.service_name);
    Index(report.modify_index);
    json_.EndObject();
  }

  void QueryObject(const PreparedQuery& query) {
    json_.BeginObject();
    Member("ID", query.id);
    Member("Name", query.name);
    json_.Key("Template");
    json_.BeginObject();
    if (query.is_template) Member("Type", std::string("name_prefix_match"));
    Member("Regexp", query.regexp);
    Member("RemoveEmptyTags", query.remove_empty_tags);
    json_.EndObject();
    json_.Key("Service");
    json_.BeginObject();
    Member("Service", query.service);
    json_.Key("Failover");
    json_.BeginObject();
    Member("NearestN", int64_t{query.failover_nearest});
    Member("Datacenters", query.failover_datacenters);
    json_.EndObject();
    Member("OnlyPassing", query.only_passing);
    Member("IgnoreCheckIDs", query.ignore_check_ids);
    Member("Near", query.near);
    Member("Tags", query.tags);
    Member("NodeMeta", query.node_meta);
    Member("ServiceMeta", query.service_meta);
    Member("Connect", query.connect);
    json_.EndObject();
    json_.Key("DNS");
    json_.BeginObject();
    Member("TTL", query.ttl);
    json_.EndObject();
    json_.EndObject();
  }

  JsonWriter json_;
};

bool ReadNodes(JsonWalk* walk, Json json, MirrorImage* image) {
  ObjectReader reader(walk, image->datacenter);
  return walk->Items(json, [&](Json item) {
    std::string peer;
    image->nodes.emplace_back();
    return reader.ReadNodeWithAll(item, &image->nodes.back(), &peer);
  });
}

bool ReadQueries(JsonWalk* walk, Json json, MirrorImage* image) {
  QueryReader reader(walk);
  return walk->Items(json, [&](Json item) {
    image->queries.emplace_back();
    return reader.Read(item, &image->queries.back());
  });
}

// What a file of version 1 does not say is as if it were not given; its Proxy
// and Connect are in short.
void Upgrade(NodeReport* report) {
  Node& node = report->node;
  node.has_meta = !node.meta.empty();
  node.has_tagged_addresses = !node.tagged_addresses.empty();
  for (InstanceReport& instance_report : report->instances) {
    ServiceInstance& instance = instance_report.instance;
    instance.has_meta = !instance.meta.empty();
    if (instance.mesh.empty()) continue;
    MeshPart mesh = instance.mesh;
    mesh.proxy_json.clear();
    mesh.connect_json.clear();
    instance.mesh = std::move(mesh);
  }
}

bool ReadImage(JsonWalk* walk, Json json, MirrorImage* image) {
  int64_t version = 0;
  const bool ok = walk->Members(json, [&](string_view key, Json value) {
    if (key == "Version") return walk->Int(value, &version);
    // It stands before the nodes, which take it from here.
    if (key == "Datacenter") {
      if (!walk->String(value, &image->datacenter)) return false;
      image->datacenter = AsciiLower(image->datacenter);
      return true;
    }
    if (key == "Local") return walk->Bool(value, &image->is_local);
    if (key == "SavedUnixMs") return walk->Int(value, &image->saved_unix_ms);
    if (key == "Nodes") return ReadNodes(walk, value, image);
    if (key == "Queries") return ReadQueries(walk, value, image);
    if (key == "Gateways") {
      return walk->Members(value, [&](string_view gateway, Json services) {
        return walk->Strings(services, &image->gateways[std::string(gateway)]);
      });
    }
    return walk->Skip(value);
  });
  if (!ok) return false;
  if (version < kVersionMin || version > kVersion) {
    return walk->Fail(absl::StrCat("version ", version));
  }
  if (version == 1) {
    for (NodeReport& node : image->nodes) Upgrade(&node);
  }
  return !image->datacenter.empty() || walk->Fail("no datacenter");
}

}  // namespace

std::string FormatMirror(const MirrorImage& image) {
  std::string text;
  MirrorWriter(&text).Image(image);
  text.insert(0, HeaderOf(kVersion, text));
  return text;
}

absl::StatusOr<MirrorImage> ParseMirror(std::string text) {
  const size_t line_end = text.find('\n');
  if (text.rfind(kMagic.data(), 0, kMagic.size()) != 0 ||
      line_end == std::string::npos) {
    return absl::DataLossError("not the mirror of a Consul");
  }
  const std::string header = text.substr(0, line_end + 1);
  text.erase(0, line_end + 1);
  // Compared as text, so that a header has one form only.
  int version = kVersion;
  while (version >= kVersionMin &&
         header.rfind(absl::StrCat(kMagic, version, " "), 0) != 0) {
    --version;
  }
  if (version < kVersionMin) {
    return absl::DataLossError("of another version of dnsd");
  }
  if (header != HeaderOf(version, text)) {
    return absl::DataLossError("damaged: size or checksum differ");
  }
  MirrorImage image;
  JsonWalk walk("content", &text);
  const absl::Status status =
      walk.Document([&](Json json) { return ReadImage(&walk, json, &image); });
  if (!status.ok()) return absl::DataLossError(status.message());
  return image;
}

}  // namespace dnsd
