// What dnsd says with compat = "rfc", worked out from what the newest Consul
// says: one row for each row of the table "Two behaviours" in zones/README.md,
// applied where its condition holds, and nothing else. So any difference to
// Consul is a row here or a mistake of ours. What one answer of Consul does
// not tell is asked of Consul, or known from its catalog (RfcCatalog).
//
// Threads: one owner.
// Cost:    an answer takes some questions to Consul.
#ifndef DNSD_TESTS_TESTING_CONSUL_RFC_H_
#define DNSD_TESTS_TESTING_CONSUL_RFC_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/consul_names.h"
#include "tests/testing/consul_release.h"
#include "tests/testing/consul_rfc_rows.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

// What the configuration of dnsd says.
struct RfcConfig {
  ReleaseConfig release;
  std::optional<uint32_t> min_ttl;  // soa.min_ttl
  uint32_t node_ttl = 0;
  uint16_t edns_udp_size = 1232;
  std::optional<size_t> udp_answer_limit;  // when it is set
  bool has_a_record_limit = false;
};

// What is registered, as Consul's HTTP API says it; names in lower case.
struct RfcCatalog {
  std::map<std::string, std::vector<std::string>> service_tags;
  std::vector<std::string> nodes;
  std::vector<std::string> queries;  // their names
  std::vector<std::string> query_ids;
  std::vector<std::string> datacenters;
};

// What the newest Consul says over TCP, with EDNS, to a name in text.
using AskConsul =
    std::function<Message(const std::string& qname, uint16_t qtype)>;

class RfcOracle {
 public:
  // `soa` is any SOA that Consul gave.
  RfcOracle(const RfcConfig& config, const RfcCatalog& catalog, const Rr& soa,
            AskConsul ask);

  // `newest` is what the newest Consul says over TCP to this question. Returns
  // what dnsd says over TCP.
  [[nodiscard]] Message OverTcp(const std::string& qname, uint16_t qtype,
                                const QueryOptions& options,
                                const Message& newest, RfcCounts* counts);

 private:
  [[nodiscard]] AskedName Read(const std::string& wire) const;
  [[nodiscard]] Message Ask(const std::string& wire, uint16_t qtype) const;
  [[nodiscard]] Rr Soa(const AskedName& name) const;
  void Hit(RfcRow row) { ++(*counts_)[row]; }

  [[nodiscard]] std::optional<RfcRow> RowOf(const AskedName& name) const;
  // Turns the message into a negative answer.
  void Negative(const AskedName& name, uint16_t rcode, Message* message) const;

  // What is said to a question of an ordinary header.
  [[nodiscard]] Message Answer(const std::string& wire, uint16_t qtype,
                               const Message& newest, int level);
  void AnswerApex(const AskedName& name, const std::string& wire,
                  Message* message);
  void AnswerNsName(const AskedName& name, const std::string& wire,
                    Message* message);
  void AnswerName(const AskedName& name, const std::string& wire,
                  uint16_t qtype, int level, Message* message);
  [[nodiscard]] bool AnswerNamedNode(const AskedName& name,
                                     const std::string& wire, uint16_t qtype,
                                     int level, Message* message);
  void AnswerEmpty(const AskedName& name, const std::string& wire,
                   Message* message);
  void AnswerCname(const AskedName& name, const std::string& wire,
                   uint16_t qtype, int level, Message* message);
  void AnswerSrv(Message* message);
  [[nodiscard]] bool IsMadeUp(const std::string& target) const;
  void AnswerReverse(const AskedName& name, uint16_t qtype, Message* message);
  void MendSoas(const AskedName& name, Message* message);
  void MendOpt(const QueryOptions& options, Message* message);
  [[nodiscard]] std::vector<Rr> Follow(const std::string& target,
                                       uint16_t qtype, int level);
  void AddBeyondLimit(const std::string& target, uint16_t qtype,
                      std::vector<Rr>* chain);

  RfcConfig config_;
  RfcCatalog catalog_;
  Rr soa_;
  AskConsul ask_;
  RfcCounts* counts_ = nullptr;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_RFC_H_
