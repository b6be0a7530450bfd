// Images of a mirror for tests, and their comparison field by field.
//
// Threads: any.
#ifndef DNSD_TESTS_CATALOG_CONSUL_MIRROR_IMAGES_H_
#define DNSD_TESTS_CATALOG_CONSUL_MIRROR_IMAGES_H_

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "catalog/consul/mirror_file.h"

namespace dnsd::testing {

inline bool Same(const InstanceReport& a, const InstanceReport& b) {
  return a.instance == b.instance && a.modify_index == b.modify_index;
}

inline bool Same(const CheckReport& a, const CheckReport& b) {
  return std::tie(a.node, a.check, a.service_name, a.modify_index) ==
         std::tie(b.node, b.check, b.service_name, b.modify_index);
}

inline bool Same(const NodeReport& a, const NodeReport& b);

template <typename T>
bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return Same(x, y); });
}

inline bool Same(const NodeReport& a, const NodeReport& b) {
  return a.node == b.node && a.modify_index == b.modify_index &&
         Same(a.instances, b.instances) && Same(a.checks, b.checks);
}

inline bool Same(const MirrorImage& a, const MirrorImage& b) {
  return std::tie(a.datacenter, a.is_local, a.saved_unix_ms, a.queries,
                  a.gateways) == std::tie(b.datacenter, b.is_local,
                                          b.saved_unix_ms, b.queries,
                                          b.gateways) &&
         Same(a.nodes, b.nodes);
}

// Small, with something of everything.
inline MirrorImage SmallImage(const std::string& datacenter) {
  MirrorImage image;
  image.datacenter = datacenter;
  image.saved_unix_ms = 1'700'000'000'000;
  NodeReport node;
  node.node.name = "n1";
  node.node.datacenter = datacenter;
  node.node.address = "10.0.0.1";
  InstanceReport instance;
  instance.instance.id = "w1";
  instance.instance.name = "web";
  instance.instance.port = 80;
  instance.modify_index = 7;
  node.instances.push_back(instance);
  image.nodes.push_back(node);
  image.gateways["gw"] = {"web"};
  return image;
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_CONSUL_MIRROR_IMAGES_H_
