// ImageMaker makes random images of a mirror, with every field that a Consul
// could have said.
//
// Threads: one owner.
#ifndef DNSD_TESTS_CATALOG_CONSUL_IMAGE_MAKER_H_
#define DNSD_TESTS_CATALOG_CONSUL_IMAGE_MAKER_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "catalog/consul/mirror_file.h"

namespace dnsd::testing {

class ImageMaker {
 public:
  explicit ImageMaker(uint64_t seed) : random_(seed) {}

  MirrorImage Image();
  NodeReport MakeNode(const std::string& datacenter);

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Coin() { return Below(2) == 0; }

  template <typename Make>
  auto List(Make make) {
    std::vector<decltype(make())> list;
    for (auto count = Below(4); count > 0; --count) list.push_back(make());
    return list;
  }
  // Lower case and not empty.
  std::string Name() {
    std::string name = Text();
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = 'z';
    }
    return name + static_cast<char>('a' + Below(26));
  }
  std::string Text() {
    static const char* const kPieces[] = {
        "",   "a",    "B", "\"",           "\\", "<",   "\xC3\xA9",
        "\n", "\x01", ".", "\xE2\x80\xA8", "{",  "null"};
    std::string text;
    for (auto count = Below(5); count > 0; --count) {
      text += kPieces[Below(std::size(kPieces))];
    }
    return text;
  }
  std::map<std::string, std::string> Map() {
    std::map<std::string, std::string> map;
    for (auto count = Below(4); count > 0; --count) map[Text()] = Text();
    return map;
  }
  std::vector<std::string> Texts() {
    return List([this] { return Text(); });
  }

  InstanceReport MakeInstance() {
    InstanceReport report;
    ServiceInstance& instance = report.instance;
    instance.id = Name();
    instance.name = Name();
    instance.kind = static_cast<ServiceKind>(Below(6));
    instance.tags = Texts();
    instance.meta = Map();
    instance.address = Text();
    instance.port = static_cast<uint16_t>(random_());
    for (auto count = Below(3); count > 0; --count) {
      instance.tagged_addresses[Text()] = {Text(),
                                           static_cast<uint16_t>(random_())};
    }
    instance.weights = {static_cast<int>(Below(65535) + 1),
                        static_cast<int>(Below(65536))};
    instance.enable_tag_override = Coin();
    instance.connect_native = Coin();
    instance.mesh.Edit().proxy_destination = Text();
    instance.mesh.Edit().gateway_services = Texts();
    instance.has_meta = !instance.meta.empty() || Coin();
    if (Coin()) MakeMesh(&instance);
    report.modify_index = random_() >> Below(64);
    return report;
  }
  // Any JSON, with what the members above it stand for.
  void MakeMesh(ServiceInstance* instance) {
    std::string proxy = R"({"Config":)" + Json(3) + ",";
    if (!instance->mesh->proxy_destination.empty()) {
      proxy += R"("DestinationServiceName":)";
      AppendJsonString(instance->mesh->proxy_destination, &proxy);
      proxy += ",";
    }
    instance->mesh.Edit().proxy_json = proxy + R"("MeshGateway":{}})";
    instance->mesh.Edit().connect_json = absl::StrCat(
        instance->connect_native ? R"({"Native":true,"X":)" : R"({"X":)",
        Json(2), "}");
  }
  std::string Json(int depth) {
    std::string json;
    switch (Below(depth > 0 ? 7 : 5)) {
      case 0:
        return "null";
      case 1:
        return Coin() ? "true" : "false";
      case 2:
        return Coin() ? "-1.50e+3" : "18446744073709551616";
      case 3:
        return "{}";
      case 4:
        AppendJsonString(Text(), &json);
        return json;
      case 5:
        return absl::StrCat("[", Json(depth - 1), ",", Json(depth - 1), "]");
      default:
        AppendJsonString(Text(), &json);
        return absl::StrCat("{", json, ":", Json(depth - 1), "}");
    }
  }
  CheckReport MakeCheck() {
    CheckReport report;
    report.node = Name();
    report.check.id = Name();
    report.check.name = Text();
    report.check.service_id = Text();
    report.check.status = static_cast<HealthStatus>(Below(3));
    report.check.notes = Text();
    report.check.output = Text();
    report.check.type = Text();
    if (Coin()) report.check.definition_json = R"({"a":)" + Json(2) + "}";
    report.service_name = Text();
    report.modify_index = random_() >> Below(64);
    return report;
  }
  PreparedQuery MakeQuery() {
    PreparedQuery query;
    query.id = Name();
    query.name = Text();
    query.service = Text();
    query.failover_nearest = static_cast<int>(Below(1u << 31));
    query.failover_datacenters = List([this] { return Name(); });
    query.only_passing = Coin();
    query.ignore_check_ids = Texts();
    query.near = Text();
    query.tags = Texts();
    query.node_meta = Map();
    query.service_meta = Map();
    query.connect = Coin();
    query.ttl = Text();
    query.is_template = Coin();
    query.regexp = Text();
    query.remove_empty_tags = Coin();
    return query;
  }

  std::mt19937_64 random_;
};

inline MirrorImage ImageMaker::Image() {
  MirrorImage image;
  image.datacenter = Name();
  image.is_local = Coin();
  image.saved_unix_ms = static_cast<int64_t>(random_() >> 20);
  image.nodes = List([this, &image] { return MakeNode(image.datacenter); });
  image.queries = List([this] { return MakeQuery(); });
  for (auto count = Below(3); count > 0; --count) {
    image.gateways[Name()] = List([this] { return Name(); });
  }
  return image;
}

inline NodeReport ImageMaker::MakeNode(const std::string& datacenter) {
  NodeReport report;
  Node& node = report.node;
  node = {Text(), Name(), Coin() ? datacenter : Name(), Text(), Map(), Map()};
  node.has_tagged_addresses = !node.tagged_addresses.empty() || Coin();
  node.has_meta = !node.meta.empty() || Coin();
  report.modify_index = random_() >> Below(64);
  report.instances = List([this] { return MakeInstance(); });
  report.checks = List([this] { return MakeCheck(); });
  return report;
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_CONSUL_IMAGE_MAKER_H_
