// Short ways to catalog values and change batches in tests.
//
// Threads: plain functions and values.
#ifndef DNSD_TESTS_TESTING_CATALOG_MAKER_H_
#define DNSD_TESTS_TESTING_CATALOG_MAKER_H_

#include <string>
#include <utility>
#include <vector>

#include "catalog/change.h"
#include "catalog/state.h"
#include "catalog/types.h"

namespace dnsd::testing {

inline Node MakeNode(const std::string& name, const std::string& address,
                     const std::string& datacenter = "dc1") {
  Node node;
  node.name = name;
  node.datacenter = datacenter;
  node.address = address;
  return node;
}

inline ServiceInstance MakeInstance(const std::string& id,
                                    const std::string& name,
                                    const std::string& address = "",
                                    uint16_t port = 80,
                                    std::vector<std::string> tags = {}) {
  ServiceInstance instance;
  instance.id = id;
  instance.name = name;
  instance.address = address;
  instance.port = port;
  instance.tags = std::move(tags);
  return instance;
}

inline Check MakeCheck(const std::string& id, const std::string& service_id,
                       HealthStatus status) {
  Check check;
  check.id = id;
  check.service_id = service_id;
  check.status = status;
  return check;
}

inline PreparedQuery MakePreparedQuery(const std::string& id,
                                       const std::string& name,
                                       const std::string& service) {
  PreparedQuery query;
  query.id = id;
  query.name = name;
  query.service = service;
  return query;
}

inline PreparedQuery MakeQueryTemplate(const std::string& id,
                                       const std::string& prefix,
                                       const std::string& service,
                                       const std::string& regexp = "") {
  PreparedQuery query = MakePreparedQuery(id, prefix, service);
  query.is_template = true;
  query.regexp = regexp;
  return query;
}

// A batch, built by calls in a row.
class BatchMaker {
 public:
  explicit BatchMaker(SourceId source = 0) { batch_.source = source; }

  BatchMaker& Complete() {
    batch_.complete = true;
    return *this;
  }
  BatchMaker& Put(const Node& node) { return Push(UpsertNode{node}); }
  BatchMaker& Put(const NodeKey& key, const ServiceInstance& instance) {
    return Push(UpsertInstance{key, instance});
  }
  BatchMaker& Put(const NodeKey& key, const Check& check) {
    return Push(UpsertCheck{key, check});
  }
  BatchMaker& Put(const PreparedQuery& query,
                  const std::string& datacenter = "dc1") {
    return Push(UpsertQuery{datacenter, query});
  }
  BatchMaker& DropQuery(const std::string& id,
                        const std::string& datacenter = "dc1") {
    return Push(RemoveQuery{datacenter, id});
  }
  BatchMaker& DropNode(const NodeKey& key) { return Push(RemoveNode{key}); }
  BatchMaker& DropInstance(const NodeKey& key, const std::string& id) {
    return Push(RemoveInstance{key, id});
  }
  BatchMaker& DropCheck(const NodeKey& key, const std::string& id) {
    return Push(RemoveCheck{key, id});
  }

  [[nodiscard]] const ChangeBatch& batch() const { return batch_; }
  // Applies the batch; what it dirtied.
  Dirty ApplyTo(State* state) const {
    Dirty dirty;
    state->Apply(batch_, &dirty).IgnoreError();
    return dirty;
  }

 private:
  BatchMaker& Push(Change change) {
    batch_.changes.push_back(std::move(change));
    return *this;
  }

  ChangeBatch batch_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CATALOG_MAKER_H_
