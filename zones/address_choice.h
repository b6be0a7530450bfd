// Which of its addresses a node or instance shows to which question: Consul's
// TranslateAddress (consul.md 1.5).
//
// Threads: plain values and pure functions; cold code.
#ifndef DNSD_ZONES_ADDRESS_CHOICE_H_
#define DNSD_ZONES_ADDRESS_CHOICE_H_

#include <cstdint>
#include <string>

#include "catalog/types.h"

namespace dnsd {

// Which family of address a question takes.
enum Accept : uint8_t { kAcceptA, kAcceptAaaa, kAcceptAny, kAcceptCount };

struct AddressSet {
  std::string plain;
  std::string v4;
  std::string v6;

  [[nodiscard]] const std::string& Pick(Accept accept) const {
    if (accept != kAcceptA && !v6.empty()) return v6;
    if (accept != kAcceptAaaa && !v4.empty()) return v4;
    return plain;
  }
};

// `wan`: seen from another datacenter, with translate_wan_addrs.
[[nodiscard]] AddressSet NodeAddresses(const Node& node, bool wan);
[[nodiscard]] AddressSet InstanceAddresses(const ServiceInstance& instance,
                                           bool wan);

}  // namespace dnsd

#endif  // DNSD_ZONES_ADDRESS_CHOICE_H_
