// A Change is one fact a source tells the catalog; a ChangeBatch is applied
// and published as one, so that no reader sees a half state.
//
// Threads: plain values; made by a source, consumed on the sync thread.
#ifndef DNSD_CATALOG_CHANGE_H_
#define DNSD_CATALOG_CHANGE_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "catalog/prepared_query.h"
#include "catalog/types.h"

namespace dnsd {

// Which source said it. When two sources know the same node or instance, the
// one with the smaller id is believed: own registrations before mirrors.
using SourceId = uint8_t;

// When a thing was first known, and when it last changed: Consul's CreateIndex
// and ModifyIndex.
struct Stamp {
  uint64_t create_index = 0;
  uint64_t modify_index = 0;

  bool operator==(const Stamp&) const = default;
};

// A node, by the two names that identify it.
struct NodeKey {
  std::string datacenter;  // lower case
  std::string node;        // as registered; compared without case

  bool operator==(const NodeKey&) const = default;
};

// A `stamp` other than zero is that of a thing which was known before the
// process began; else State gives it one.
struct UpsertNode {
  Node node;
  Stamp stamp = {};
};
struct RemoveNode {  // with its instances and checks
  NodeKey key;
};
struct UpsertInstance {  // the node must be known to the same source
  NodeKey key;
  ServiceInstance instance;
  Stamp stamp = {};
};
struct RemoveInstance {  // with its checks
  NodeKey key;
  std::string service_id;
};
struct UpsertCheck {
  NodeKey key;
  Check check;
  Stamp stamp = {};
};
struct RemoveCheck {
  NodeKey key;
  std::string check_id;
};

// A prepared query; belongs to a datacenter, not to a node.
struct UpsertQuery {
  std::string datacenter;  // lower case
  PreparedQuery query;
};
struct RemoveQuery {
  std::string datacenter;
  std::string id;
};

using Change =
    std::variant<UpsertNode, RemoveNode, UpsertInstance, RemoveInstance,
                 UpsertCheck, RemoveCheck, UpsertQuery, RemoveQuery>;

struct ChangeBatch {
  SourceId source = 0;
  // True: `changes` are upserts and all the source knows; whatever else it
  // said before is withdrawn.
  bool complete = false;
  std::vector<Change> changes;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CHANGE_H_
