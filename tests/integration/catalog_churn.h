// CatalogChurn changes what is registered with a Consul, at random but
// repeatably: nodes, instances, checks and prepared queries come, change and
// go. Names, ids and addresses are few, so that they collide much.
//
// It goes every way there is to change a catalog: /v1/catalog/register and
// /deregister, transactions, the agent (maintenance too) and /v1/query.
//
// Threads:   one owner.
// Ownership: borrows the API. Nobody else may write to this Consul, for it
//            keeps a model of what is there.
#ifndef DNSD_TESTS_INTEGRATION_CATALOG_CHURN_H_
#define DNSD_TESTS_INTEGRATION_CATALOG_CHURN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_api.h"

namespace dnsd::testing {

// What CatalogChurn chooses from.
inline const std::array<std::string, 4> kTags = {"blue", "green", "Blue",
                                                 "v1.2"};
inline const std::array<std::string, 5> kQueryNames = {
    "q-one", "q-two", "Q-Three", "q.dotted", "pfx-"};

// "key":"text", escaped.
[[nodiscard]] inline std::string Pair(const std::string& key,
                                      const std::string& text) {
  return absl::StrCat(JsonQuoted(key), ":", JsonQuoted(text));
}

class CatalogChurn {
 public:
  // There are so many at most, names of services that differ in letter case
  // only included.
  struct Size {
    size_t service_names = 24;
    size_t nodes = 12;  // at most 20
  };

  CatalogChurn(ConsulApi* api, uint64_t seed, const Size& size);

  // One change; "" or what Consul had against it, which is a mistake of ours.
  [[nodiscard]] std::string Change();
  // Everybody who watches has seen what there is.
  void Settle() { renamed_.clear(); }

  // As they are spelled in registrations.
  [[nodiscard]] const std::vector<std::string>& services() const {
    return services_;
  }
  // Names under "consul." and reverse ones that may exist now, may have
  // existed, or never will.
  [[nodiscard]] std::vector<std::string> QuestionNames() const;

 private:
  struct Node {
    std::map<std::string, std::string> instances;  // ids; names
    std::map<std::string, std::string> checks;     // ids; of which instance
  };
  using Body = std::string;  // JSON

  size_t Below(size_t bound);
  bool Chance(size_t percent) { return Below(100) < percent; }
  template <typename List>
  const std::string& OneOf(const List& list);
  // A key of a map or an element of a set; "" when there is none.
  template <typename Keys>
  std::string AnyKey(const Keys& keys);
  std::string AnyNode() { return AnyKey(nodes_); }
  std::string AnyStatus();

  std::string NodeMembers();
  Body NodeBody(const std::string& node);
  Body InstanceBody(const std::string& node, const std::string& id,
                    const std::string& name);
  std::string PlainInstanceMembers(const std::string& own_address);
  std::string KindMembers(const std::string& name);

  // These keep the model.
  void ForgetInstance(const std::string& node, const std::string& id);
  // Consul wakes nobody who watches the old name of an instance that is given
  // another. Whoever misses the new name for it is gone already, misses all.
  [[nodiscard]] bool MayRemove(const std::string& node,
                               const std::string& id) const;
  [[nodiscard]] bool MayRemoveNode(const std::string& node) const;
  Body PutCheck(const std::string& node);
  Body CheckBody(const std::string& node, const std::string& id,
                 const std::string& instance);

  std::string Send(const std::string& method, const std::string& path,
                   const Body& body);
  std::string ChangeNode();
  std::string RemoveNode();
  std::string ChangeInstance();
  std::string RemoveInstance();
  std::string ChangeCheck();
  std::string RemoveCheck();
  std::string Transact();
  Body TransactOne();
  std::string ChangeOfAgent();
  std::string RegisterWithAgent();
  std::string CheckWithAgent();
  std::string Maintain();
  std::string ChangeQuery();
  Body QueryBody(const std::string& name);

  ConsulApi* api_;
  const Size size_;
  std::mt19937_64 random_;
  std::vector<std::string> services_;
  std::vector<std::string> addresses_;
  std::map<std::string, Node> nodes_;  // without the agent's own
  std::set<std::pair<std::string, std::string>> renamed_;  // node, instance
  std::map<std::string, std::string> agent_instances_;     // ids; names
  std::map<std::string, std::string> agent_checks_;        // as Node::checks
  std::map<std::string, std::string> queries_;             // ids; names
  std::vector<std::string> old_query_ids_;
};

template <typename List>
const std::string& CatalogChurn::OneOf(const List& list) {
  return list[Below(list.size())];
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CATALOG_CHURN_H_
