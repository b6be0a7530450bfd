// Scenarios: cases in text files, each a catalog, a policy, and questions
// with the answers that must come.
//
// A file is read line by line. '#' starts a comment, at the beginning of a
// line or after a blank. Words are separated by blanks; "..." keeps blanks in
// a word, and inside it \" and \\ stand for the character.
//
//   case NAME                  starts a case with an empty catalog; NAME is
//                              the test's name
//   policy KEY=VALUE ...       changes the policy. Keys are ZonePolicy's, and
//                              refresh, retry, expire, min_ttl;
//                              service_ttl=web:5,db*:7
//   node NAME KEY=VALUE ...    address= (needed) dc= id= tag.lan_ipv6= ...
//                              meta.KEY=
//   service NAME KEY=VALUE ... node= (needed) dc= id= port= address=
//                              tags=a,b weight=PASSING/WARNING kind=
//                              connect-proxy|ingress-gateway dest= native=1
//                              gateway=a,b tag.wan=198.18.0.1:80
//   check STATUS KEY=VALUE ... node= (needed) dc= id= service=ID
//   query NAME TYPE [OPTION ...]
//                              OPTION: tcp, +edns=SIZE, +do, +version=N,
//                              +ecs=10.0.0.0/8, +norec, +cd, +ad, +class=CH,
//                              +opcode=N, +raw=HEX (that packet instead)
//   repeat FIRST..LAST LINE    LINE for each number, with {} for the number
//                              and {ip} for NUMBER/250 "." NUMBER%250
//   rcode CODE                 default NOERROR
//   flags WORD ...             qr aa tc rd ra ad cd, all that are set;
//                              default: not compared
//   answer RR                  one line for each record the section may have
//   authority RR               (its SOA's serial may be anything)
//   additional RR
//   count SECTION N[..M]       how many of the lines there are; default: all.
//                              N.. has no upper bound
//   distinct SECTION           the same record may come more than once
//   opt none|SIZE [do] [ecs]   default: as the query had one, not compared
//   dropped                    nothing is sent
//   size N                     the response is at most N bytes
//   bare                       12 bytes without a question
//
// Names in RRs are absolute. A query's expectations follow it; the next
// `node`, `service`, `check` or `policy` line changes the catalog for the
// queries after it.
//
// Threads: plain values.
// Errors:  ReadScenarios() names file and line.
#ifndef DNSD_TESTS_TESTING_SCENARIO_H_
#define DNSD_TESTS_TESTING_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/change.h"
#include "tests/testing/rr_text.h"
#include "zones/policy.h"
#include "zones/responder.h"

namespace dnsd::testing {

struct ExpectedSection {
  std::vector<Rr> rrs;
  std::optional<size_t> count_min;  // not given: all of them
  size_t count_max = 0;
  bool distinct = false;
};

struct ScenarioQuery {
  std::string where;  // "file:line: query ..."
  std::string packet;
  Transport transport = Transport::kUdp;
  // What is asked about when this query comes.
  std::vector<Change> catalog;
  ZonePolicy policy;

  bool dropped = false;
  bool bare = false;
  uint16_t rcode = 0;
  std::optional<uint16_t> flags;  // the ones `flags` can name
  std::map<std::string, ExpectedSection> sections;
  std::optional<std::string> opt;  // the words after `opt`
  size_t size_max = 65535;
};

struct Scenario {
  std::string name;
  std::vector<ScenarioQuery> queries;
};

[[nodiscard]] absl::StatusOr<std::vector<Scenario>> ReadScenarios(
    const std::string& file);

// "" when the message is what the query expects, else the difference.
[[nodiscard]] std::string CheckExpectation(const ScenarioQuery& query,
                                           const Message& message);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_SCENARIO_H_
