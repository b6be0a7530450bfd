// ExplainLink ties explanations to the rest of the agent: the catalog and the
// view that is served from it, the rules about other people's names, and what
// the caches hold of them.
//
// Threads:   the sync thread.
// Ownership: borrows all of Parts, which outlive it.
#ifndef DNSD_DNSD_EXPLAIN_LINK_H_
#define DNSD_DNSD_EXPLAIN_LINK_H_

#include <functional>
#include <memory>
#include <utility>

#include "catalog/sync.h"
#include "dnsd/acl/authorizer.h"
#include "dnsd/config.h"
#include "dnsd/explain/explain.h"
#include "dnsd/forward_link.h"
#include "dnsd/publisher.h"

namespace dnsd {

class ExplainLink {
 public:
  struct Parts {
    const Config* config;
    CatalogSync* sync;
    Publisher* publisher;
    ForwardLink* forward;
    // A question waits for a datacenter that is not loaded.
    std::function<void(const std::string& datacenter)> load;
  };
  using Done = std::function<void(const Explanation&)>;

  explicit ExplainLink(Parts parts) : parts_(std::move(parts)) {}

  // Fits ExplainHooks.
  void Explain(const ExplainQuestion& question,
               std::shared_ptr<const Authorizer> reader, Done done) const;

 private:
  [[nodiscard]] Explanation Ask(const ExplainQuestion& question,
                                const Authorizer& reader) const;
  void AddCached(const ExplainQuestion& question, Explanation explanation,
                 Done done) const;

  Parts parts_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_LINK_H_
