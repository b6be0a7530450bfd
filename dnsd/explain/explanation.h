// Explanation is what DNS would answer to a question and why: plain values that
// Explain() makes and the HTTP API writes.
//
// Threads: plain values.
// Names:   text with the final dot, unless a field says wire.
#ifndef DNSD_DNSD_EXPLAIN_EXPLANATION_H_
#define DNSD_DNSD_EXPLAIN_EXPLANATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "zones/responder.h"
#include "zones/wire.h"

namespace dnsd {

struct ExplainQuestion {
  std::string name;  // wire, as asked
  uint16_t type = kTypeA;
  Transport transport = Transport::kUdp;
  uint16_t edns_bytes = 1232;  // that the client announces; 0: no EDNS
};

struct ExplainedRecord {
  std::string name;
  uint32_t ttl = 0;
  std::string type;
  std::string data;
  // The same as they were on the wire, names uncompressed.
  std::string owner;
  uint16_t type_number = 0;
  std::string rdata;
};

struct ExplainedCheck {
  std::string id;
  std::string name;
  std::string status;
  std::string output;
};

struct ExplainedInstance {
  std::string node;
  std::string datacenter;
  std::string service_id;
  std::string address;  // where this question finds it; may be a name
  uint16_t port = 0;
  std::vector<std::string> tags;
  std::string status;  // the worst of its checks
  // Its record is in this answer. If not, `reason` says why.
  bool included = false;
  std::string reason;
  std::vector<ExplainedCheck> checks;
};

struct Explanation {
  std::string name;
  std::string type;
  std::string rcode;  // empty: others or a datacenter to be loaded decide
  // "catalog", "zone", "forward", "refused", "pending".
  std::string source;
  // "service", "connect", "ingress", "virtual", "node", "query", "addr", "ptr",
  // "apex", "ns", "empty", "unknown", "zone", "other".
  std::string kind;
  bool is_truncated = false;
  std::vector<ExplainedRecord> answer;
  std::vector<ExplainedRecord> authority;
  std::vector<ExplainedRecord> additional;

  std::string service;
  std::string tag;
  std::string datacenter;
  std::string query;  // the prepared query's name
  std::string zone;   // of a file, or of a rule of `forward`
  std::vector<ExplainedInstance> instances;
  size_t instance_count = 0;  // there may be more than are listed
  std::vector<std::string> steps;
  std::vector<std::string> suggestions;  // names that exist

  // What the responder waits for, when `source` is "pending".
  AskedKey asked;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_EXPLANATION_H_
