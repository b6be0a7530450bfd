// ExplainRun is one explanation while it is made: the question, who answers it,
// and what was found out so far.
//
// Threads: one owner, on its stack.
#ifndef DNSD_DNSD_EXPLAIN_EXPLAIN_RUN_H_
#define DNSD_DNSD_EXPLAIN_EXPLAIN_RUN_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "dnsd/explain/explain.h"
#include "dnsd/explain/explanation.h"
#include "zones/name.h"
#include "zones/responder.h"
#include "zones/service_names.h"
#include "zones/view.h"

namespace dnsd {

struct ExplainRun {
  const ExplainContext& context;
  const ExplainQuestion& question;
  Explanation out;
  Name name;  // the question's, lower case
  Outcome outcome = Outcome::kAnswered;

  [[nodiscard]] const ZonePolicy& policy() const { return context.view.policy; }
  [[nodiscard]] bool is_nxdomain() const { return out.rcode == "NXDOMAIN"; }
  [[nodiscard]] std::string Quoted(absl::string_view text) const {
    return absl::StrCat("\"", text, "\"");
  }
  template <typename... Parts>
  void Step(const Parts&... parts) {
    out.steps.push_back(absl::StrCat(parts...));
  }
  // A name to ask for instead, once.
  void Suggest(const std::string& suggestion);
};

// Labels of wire form with dots between, as DNS writes them.
[[nodiscard]] std::string LabelsText(std::span<const uint8_t> labels);
// The same as the catalog writes names: no byte is escaped. A dot inside of a
// label is, for there it separates; so no name of the catalog is found by it.
[[nodiscard]] std::string CatalogText(std::span<const uint8_t> labels);

// A name under one of our domains.
void ExplainCatalog(const Domain& domain, ExplainRun* run);
// One of a service, or of what stands before one (explain_service.cc).
void ExplainService(const Domain& domain, const CatalogName& name,
                    ExplainRun* run);
void ExplainQuery(const CatalogName& name, ExplainRun* run);
// The other kinds (explain_names.cc).
void ExplainNode(const Domain& domain, const CatalogName& name,
                 ExplainRun* run);
void ExplainVirtual(const CatalogName& name, ExplainRun* run);
void ExplainReverse(ExplainRun* run);
void ExplainUnknown(const Domain& domain, ExplainRun* run);
// Zones from files, and names of others (explain_elsewhere.cc).
void ExplainZone(const ZoneData& zone, ExplainRun* run);
void ExplainForwarded(ExplainRun* run);
void ExplainRefused(ExplainRun* run);

// What may have been meant, where there is nothing (explain_hints.cc).
void HintService(const Domain& domain, const CatalogName& name,
                 ExplainRun* run);
void HintNode(const Domain& domain, const CatalogName& name, ExplainRun* run);
void HintDatacenter(ExplainRun* run);
void HintKeyword(const Domain& domain, ExplainRun* run);

}  // namespace dnsd

#endif  // DNSD_DNSD_EXPLAIN_EXPLAIN_RUN_H_
