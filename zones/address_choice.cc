#include "zones/address_choice.h"

#include <utility>

namespace dnsd {
namespace {

template <typename Tagged, typename Get>
AddressSet Translate(const std::string& plain, const Tagged& tagged, bool wan,
                     Get get) {
  auto find = [&](const char* name) {
    auto it = tagged.find(name);
    return it == tagged.end() ? std::string() : std::string(get(it->second));
  };
  AddressSet set{plain, find("lan_ipv4"), find("lan_ipv6")};
  if (!wan) return set;
  for (auto [name, field] :
       {std::pair{"wan", &set.plain}, std::pair{"wan_ipv4", &set.v4},
        std::pair{"wan_ipv6", &set.v6}}) {
    std::string value = find(name);
    if (!value.empty()) *field = value;
  }
  return set;
}

}  // namespace

AddressSet NodeAddresses(const Node& node, bool wan) {
  return Translate(node.address, node.tagged_addresses, wan,
                   [](const std::string& s) { return s; });
}

AddressSet InstanceAddresses(const ServiceInstance& instance, bool wan) {
  return Translate(instance.address, instance.tagged_addresses, wan,
                   [](const TaggedAddress& t) { return t.address; });
}

}  // namespace dnsd
