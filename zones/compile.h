// Compiles what the catalog says about one name to an Entry: the health
// filter, TTLs, address choice and SRV targets are decided here, once per
// change, and not per query.
//
// Threads:   where State may be read: its thread, or others while it waits;
//            each with a context of its own.
// Ownership: an Entry returned is the caller's to Free(); nullptr means the
//            name has no records, e.g. no healthy instance.
// Consul:    consul.md 1.4 (SRV), 1.5 (addresses), 1.6 (CNAME), 1.12 (TXT).
#ifndef DNSD_ZONES_COMPILE_H_
#define DNSD_ZONES_COMPILE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog_rights.h"
#include "catalog/state.h"
#include "zones/entry.h"
#include "zones/entry_builder.h"
#include "zones/policy.h"

namespace dnsd {

// The policy's domain in wire form.
[[nodiscard]] std::string PrimaryDomain(const ZonePolicy& policy);

struct CompileContext {
  const State& state;
  const ZonePolicy& policy;
  uint64_t seed;
  // The View's index of a datacenter.
  std::function<uint8_t(const std::string&)> datacenter_index;
  // Each entry is laid out in it.
  EntryBuilder* builder;
  // What answers may show.
  AskerRights rights = {};
  std::string domain = PrimaryDomain(policy);  // wire form
};

// Where an entry goes: the View's index of a datacenter, and wire bytes.
struct EntryPlace {
  uint8_t datacenter = 0;
  std::string key;
};

// `kind` is kService, of the service's own instances; or kConnect or kIngress,
// of those that stand for it. In State's order.
[[nodiscard]] const Entry* CompileService(
    const CompileContext& context, EntryKind kind, const NameKey& service,
    const EntryPlace& place, std::span<const InstanceView> instances);
// Of these instances, healthy or not; an Entry without sets when there are
// none.
[[nodiscard]] const Entry* CompileInstances(
    const CompileContext& context, EntryKind kind, const EntryPlace& place,
    uint32_t ttl, const std::vector<InstanceView>& instances);
// `instances` are the service's own.
[[nodiscard]] const Entry* CompileVirtual(
    const CompileContext& context, const NameKey& service,
    const EntryPlace& place, std::span<const InstanceView> instances);
// `key` is the node's name, or its id, as labels.
[[nodiscard]] const Entry* CompileNode(const CompileContext& context,
                                       const Node& node,
                                       const std::string& key);
// The NS set of the domain: Consul's servers, or the local node.
[[nodiscard]] const Entry* CompileServers(const CompileContext& context);

// A PTR record: `address` is 4 or 16 bytes, `target` labels without domain.
[[nodiscard]] const Entry* CompileReverse(const CompileContext& context,
                                          const std::string& address,
                                          const std::string& target);

// The key of a one-label name, lower case; empty when it cannot be asked for
// by DNS (a dot, too long).
[[nodiscard]] std::string ServiceKey(const std::string& name_lower);

}  // namespace dnsd

#endif  // DNSD_ZONES_COMPILE_H_
