// InstanceJudge says of one instance whether this question's answer has it, and
// if not, which check, filter or limit left it out.
//
// Threads:   the sync thread's.
// Ownership: borrows all it is given; the answer must be there already.
// Cost:      a search in the answer's records for each instance.
#ifndef DNSD_DNSD_EXPLAIN_INSTANCE_JUDGE_H_
#define DNSD_DNSD_EXPLAIN_INSTANCE_JUDGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/query_execute.h"
#include "dnsd/explain/explain.h"
#include "dnsd/explain/explanation.h"
#include "zones/record.h"

namespace dnsd {

class InstanceJudge {
 public:
  struct Asked {
    const ExplainQuestion& question;
    const CatalogRights* rights;  // of DNS, or of the query's token
    std::optional<std::string> tag = std::nullopt;  // lower case labels
    bool is_short_srv = false;                      // a name for SRV only
  };

  InstanceJudge(const ExplainContext& context, const Asked& asked,
                const Explanation& answered);

  // An instance of a service, or what stands before one.
  [[nodiscard]] ExplainedInstance OfService(const InstanceView& view) const;
  // One that a prepared query looked at.
  [[nodiscard]] ExplainedInstance OfQuery(const InstanceView& view,
                                          const PreparedQuery& query,
                                          QueryVerdict verdict) const;

 private:
  // Where a question of this type finds an instance.
  struct Reached {
    std::string text;
    ParsedAddress address;
    bool is_node = false;  // SRV names the node, not the address
  };

  [[nodiscard]] ExplainedInstance Begin(const InstanceView& view,
                                        const Reached& reached) const;
  // Settles what passed all filters by the records of the answer.
  void Settle(const InstanceView& view, const Reached& reached,
              ExplainedInstance* instance) const;

  [[nodiscard]] std::string Filtered(const InstanceView& view) const;
  [[nodiscard]] std::string Hidden(const InstanceView& view) const;
  [[nodiscard]] std::string Unhealthy(const InstanceView& view,
                                      const char* only_passing) const;
  [[nodiscard]] std::string Untagged(const InstanceView& view) const;
  [[nodiscard]] std::string Unreached(const Reached& reached) const;
  [[nodiscard]] std::string CutOff() const;

  [[nodiscard]] bool UsesWan(const InstanceView& view) const;
  [[nodiscard]] Reached Reach(const InstanceView& view) const;
  [[nodiscard]] uint16_t PortOf(const InstanceView& view) const;
  // Whether one of own_ begins with this.
  [[nodiscard]] bool HasAnswer(const std::string& begin) const;
  [[nodiscard]] bool HasSrv(const InstanceView& view,
                            const Reached& reached) const;

  const ExplainContext& context_;
  const Asked asked_;
  const Explanation& answered_;
  // The answer's records of the very name that was asked for: type, port of an
  // SRV record, and data or target; sorted.
  std::vector<std::string> own_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_INSTANCE_JUDGE_H_
