// PreparedQueryPair is a real Consul beside our State of the same catalog and
// prepared queries, to compare what each makes of a query.
//
// Threads: one owner.
// Errors:  a comparison returns "" or what differs.
#ifndef DNSD_TESTS_INTEGRATION_PREPARED_QUERY_PAIR_H_
#define DNSD_TESTS_INTEGRATION_PREPARED_QUERY_PAIR_H_

#include <string>

#include "catalog/prepared_query.h"
#include "catalog/state.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {

class PreparedQueryPair {
 public:
  // `state` is shared by the pairs of all datacenters.
  PreparedQueryPair(const std::string& binary,
                    const ConsulProcessOptions& options, State* state)
      : consul_(binary, options),
        datacenter_(options.datacenter),
        state_(*state) {}

  [[nodiscard]] ConsulProcess& consul() { return consul_; }

  // To both; false when Consul refuses.
  [[nodiscard]] bool Put(const Node& node);
  [[nodiscard]] bool Put(const Node& node, const ServiceInstance& instance);
  [[nodiscard]] bool Put(const Node& node, const Check& check);

  // To Consul: the query's id, "" when Consul refuses it.
  [[nodiscard]] std::string PutQuery(const PreparedQuery& query);
  void DeleteQueries();
  // From Consul to our State.
  [[nodiscard]] bool ReadQueries();

  // A name by /v1/query/NAME/explain, by /execute, and by DNS over TCP for A
  // and SRV.
  [[nodiscard]] std::string CompareExplain(const std::string& name);
  [[nodiscard]] std::string CompareExecute(const std::string& name);
  [[nodiscard]] std::string CompareDns(const std::string& name);

  // Comparisons in which Consul found something.
  [[nodiscard]] int found_count() const { return found_count_; }
  // And those in which it was in another datacenter.
  [[nodiscard]] int found_elsewhere_count() const {
    return found_elsewhere_count_;
  }

 private:
  [[nodiscard]] bool Register(const Node& node, const std::string& more);

  ConsulProcess consul_;
  std::string datacenter_;
  State& state_;
  int found_count_ = 0;
  int found_elsewhere_count_ = 0;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_PREPARED_QUERY_PAIR_H_
