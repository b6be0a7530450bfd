// Explain() says what DNS answers to a question, and which instances are left
// out by what.
//
// The answer is the responder's: a query packet goes through Respond() on the
// view that is being served. The reasons come from the catalog's State, by the
// functions that compiled that view (IsServed, MaySee, ForEachJudged).
//
// Threads: the sync thread; the view is that of the state.
// Rights:  instances, nodes and services that the reader may not see are left
//          out, and it says that there are such. The answer is what anybody
//          gets who asks the DNS port. Of a prepared query that the reader
//          may not read there is the answer only: its instances and their
//          reasons would tell what it is.
// Cost:    one look at what the service has of instances, as publishing a
//          change of it costs; for a name that does not exist, what the
//          datacenter has of them, up to kExplainScanMax.
// Limits:  kExplainInstancesMax instances are listed, with reasons; the others
//          are counted.
#ifndef DNSD_DNSD_EXPLAIN_EXPLAIN_H_
#define DNSD_DNSD_EXPLAIN_EXPLAIN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog_rights.h"
#include "catalog/prepared_query.h"
#include "catalog/state.h"
#include "dnsd/explain/explanation.h"
#include "zones/view.h"

namespace dnsd {

// A page of JSON that a browser takes; what counts is said in words.
inline constexpr size_t kExplainInstancesMax = 1000;
// Looking for a similar name in more instances would hold up publication for
// tens of milliseconds.
inline constexpr size_t kExplainScanMax = 20'000;
// Of a check's output.
inline constexpr size_t kExplainOutputBytesMax = 1024;

// A rule about other people's names; `recursors` are that of the root.
struct ExplainForward {
  std::string zone;  // lower case, wire form
  std::vector<std::string> to;
  std::string strategy;
  bool is_refused = false;
  bool is_fallthrough = false;
};

struct ExplainContext {
  const State& state;
  const View& view;
  // What DNS may show.
  AskerRights rights = {};
  // What who reads this may see.
  const CatalogRights* reader = nullptr;
  // Whether that is so of a prepared query's definition; empty: of all.
  std::function<bool(const PreparedQuery&)> may_read_query = {};
  std::vector<ExplainForward> forward = {};
  uint32_t unix_time = 0;
  uint64_t seed = 0;
  bool shows_outputs = true;  // of checks
};

[[nodiscard]] Explanation Explain(const ExplainContext& context,
                                  const ExplainQuestion& question);

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_EXPLAIN_H_
