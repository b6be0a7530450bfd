// How the reference makes records from catalog values: Consul's address
// choice, SRV targets, TXT text and CNAME chains (reference/consul.md 1.3 to
// 1.7 and 1.12).
//
// Tested by: reference_responder_test, scenario_test.
// Threads:   one; it keeps a reference to the State and the policy.
// Cost:      every question walks the whole catalog.
#ifndef DNSD_TESTS_TESTING_REFERENCE_RECORDS_H_
#define DNSD_TESTS_TESTING_REFERENCE_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/state.h"
#include "tests/testing/reference_names.h"
#include "tests/testing/rr_text.h"
#include "zones/policy.h"

namespace dnsd::testing {

// Records of which some are fixed and some are drawn at random.
struct Chain {
  std::vector<Rr> fixed;
  std::vector<Rr> pool;
  size_t pool_count = 0;  // how many of the pool appear

  bool operator==(const Chain&) const = default;
};

// What a record is made for.
struct RefQuestion {
  std::string name;        // as asked
  std::string respdomain;  // as asked
  uint16_t type = 0;
  bool edns = false;
  int level = 3;  // how many more in-domain CNAMEs are followed
};

struct RefLookup {
  RefKind kind = RefKind::kService;  // or kConnect, kIngress
  std::string datacenter;
  std::string service;  // lower case
  std::string tag;      // lower case, or empty
  // kQuery: what the query found, and its own TTL.
  std::vector<InstanceView> chosen = {};
  std::optional<uint32_t> ttl = {};
};

[[nodiscard]] uint32_t LookupTtl(const ZonePolicy& policy,
                                 const RefLookup& lookup);

// The records of one instance for one question.
struct Made {
  bool any = false;
  Rr first;                 // A, AAAA, SRV or CNAME
  std::vector<Chain> more;  // what goes with it: one of these, if any
};

class RefRecords {
 public:
  RefRecords(const State& state, const ZonePolicy& policy)
      : state_(state), policy_(policy) {}

  // Healthy instances, by node, then instance id.
  [[nodiscard]] std::vector<InstanceView> Instances(
      const RefLookup& lookup) const;
  // All instances in all datacenters, healthy or not.
  [[nodiscard]] std::vector<InstanceView> AllInstances() const;
  // By name, then by node id; nullptr when there is none.
  [[nodiscard]] const Node* FindNode(const std::string& datacenter,
                                     const std::string& name_or_id) const;
  [[nodiscard]] std::vector<const Node*> AllNodes() const;
  [[nodiscard]] bool KnownDatacenter(const std::string& datacenter) const;

  [[nodiscard]] Made MakeInstance(const RefLookup& lookup,
                                  const InstanceView& view,
                                  const RefQuestion& question,
                                  uint32_t ttl) const;
  // What makes two instances the same SRV record for Consul.
  [[nodiscard]] std::string SrvTuple(const RefLookup& lookup,
                                     const InstanceView& view) const;
  // A, AAAA or CNAME with its chain for a node.
  [[nodiscard]] Made MakeNode(const Node& node,
                              const RefQuestion& question) const;
  [[nodiscard]] std::vector<Rr> MakeTexts(const Node& node,
                                          const std::string& owner,
                                          uint32_t ttl) const;
  [[nodiscard]] Rr MakeSoa(const std::string& domain, uint32_t min_ttl) const;
  // What an address name says: empty bytes when it is malformed.
  [[nodiscard]] static std::string HexAddress(const std::string& hex);
  // The VIP of a service, "" when it has none.
  [[nodiscard]] std::string VirtualAddress(const std::string& service) const;

  [[nodiscard]] std::string NodeName(const Node& node,
                                     const std::string& datacenter,
                                     const std::string& domain) const;

 private:
  [[nodiscard]] bool Passes(HealthStatus health) const;
  [[nodiscard]] std::vector<Chain> Resolve(const std::string& name,
                                           const RefQuestion& asked) const;
  [[nodiscard]] std::vector<Chain> ResolveService(
      const RefLookup& lookup, const RefQuestion& question) const;
  [[nodiscard]] std::vector<Chain> ResolveNode(
      const std::string& datacenter, const std::string& name,
      const RefQuestion& question) const;
  [[nodiscard]] Made FromFqdn(const InstanceView& view, uint16_t port,
                              const std::string& fqdn,
                              const RefQuestion& question, uint32_t ttl) const;
  [[nodiscard]] Made FromAddress(const InstanceView& view, uint16_t port,
                                 const std::string& address,
                                 const std::string& target,
                                 const RefQuestion& question,
                                 uint32_t ttl) const;

  const State& state_;
  const ZonePolicy& policy_;
};

// A chain of nothing but `rrs`.
[[nodiscard]] Chain Fixed(const std::vector<Rr>& rrs);
// Puts `first` before every alternative; a dead end is an alternative too.
[[nodiscard]] std::vector<Chain> Prepend(const Rr& first,
                                         const std::vector<Chain>& more);

// Rdata makers, shared with the reference's other files.
[[nodiscard]] Rr MakeAddressRr(const std::string& owner, uint32_t ttl,
                               const std::string& bytes);
[[nodiscard]] Rr MakeNameRr(const std::string& owner, uint16_t type,
                            uint32_t ttl, const std::string& target);
// RFC 1464 text of a meta pair, or the bare value for rfc1035- keys.
[[nodiscard]] std::string MetaText(const std::string& key,
                                   const std::string& value);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_REFERENCE_RECORDS_H_
