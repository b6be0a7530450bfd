// ReverseNames holds where the catalog's nodes and services are, so that an
// address leads back to a name: of nodes the first by name, or else of services
// the first, as Consul has them.
//
// Threads:   one owner; the sync thread in the server.
// Cost:      some 70 bytes for each address of a service's instance. A change
//            costs what its service claims.
#ifndef DNSD_ZONES_REVERSE_NAMES_H_
#define DNSD_ZONES_REVERSE_NAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "catalog/state.h"
#include "zones/record.h"

namespace dnsd {

// An IPv4 address stands as the IPv4-mapped one, which ParseAddress() takes
// for the same.
using AddressKey = std::array<uint64_t, 2>;

// `address` must be one.
[[nodiscard]] AddressKey ToAddressKey(const ParsedAddress& address);
// Its 4 or 16 bytes.
[[nodiscard]] std::string AddressBytes(const AddressKey& key);

class ReverseNames {
 public:
  struct Claim {
    AddressKey address;
    const std::string* target;  // labels without the domain
  };
  // `name` is the node's in lower case.
  void AddNode(const AddressKey& address, const std::string& name,
               const std::string& target);
  void RemoveNode(const AddressKey& address, const std::string& name);

  // What the service's instances claim now, instead of what they did before.
  // Targets are copied.
  void SetService(const NameKey& service, std::vector<Claim> claims);
  // The services that claim something.
  void ForEachService(const std::function<void(const NameKey&)>& visit) const;

  // Everything is to be told again.
  void TellAll() { tells_all_ = true; }
  // Every address that leads elsewhere, or may, since the last call; the target
  // is null when it leads nowhere any more. Valid until the next change.
  [[nodiscard]] std::vector<Claim> TakeChanged();

 private:
  struct Before {
    bool operator()(const Claim& a, const Claim& b) const {
      if (a.address != b.address) return a.address < b.address;
      return a.target != b.target && *a.target < *b.target;
    }
  };

  // The copy of a target, which many claims share.
  [[nodiscard]] const std::string* Shared(const std::string& target);
  void Add(const Claim& claim);
  void Remove(const Claim& claim);
  void Insert();
  void TellAllThereIs(std::vector<Claim>* told) const;
  [[nodiscard]] const std::string* TargetOf(const AddressKey& address) const;

  // By address, then name in lower case.
  std::map<AddressKey, std::map<std::string, std::string>> nodes_;
  absl::btree_multiset<Claim, Before> claims_;
  absl::flat_hash_map<NameKey, std::vector<Claim>> services_;
  absl::node_hash_map<std::string, size_t> targets_;  // how many claims
  std::vector<Claim> added_;  // not in claims_ yet: many are better sorted
  // What leads elsewhere; only removals while everything is to be told.
  std::vector<AddressKey> changed_;
  bool tells_all_ = true;  // nothing was told yet
};

}  // namespace dnsd

#endif  // DNSD_ZONES_REVERSE_NAMES_H_
