#include "dnsd/explain/explain.h"

#include <algorithm>
#include <utility>

#include "dnsd/explain/explain_answer.h"
#include "dnsd/explain/explain_run.h"
#include "zones/zone_lookup.h"

namespace dnsd {
namespace {

bool IsArpa(const Name& name) {
  return name.label_count > 0 && name.LabelIs(name.label_count - 1u, "arpa", 4);
}

// Who answers, by the responder's rule: the longest suffix of the catalog's
// domains and the zones from files. DS at an apex is the parent's.
void ExplainByZone(ExplainRun* run) {
  const View& view = run->context.view;
  const Domain* const domain = view.FindDomain(run->name);
  size_t apex_label = 0;
  const size_t skip =
      run->question.type == kTypeDs && run->name.label_count > 0 ? 1 : 0;
  const ZoneData* zone = view.FindZone(run->name, 0, &apex_label);
  if (skip == 1 && (zone != nullptr || domain != nullptr)) {
    size_t parent_label = 0;
    const ZoneData* const parent = view.FindZone(run->name, 1, &parent_label);
    if (parent != nullptr) {
      const ZoneResult found = LookupZone(*parent, run->name.lower,
                                          run->name.size, run->question.type);
      if (found.node != nullptr && found.node->is_cut) {
        return ExplainZone(*parent, run);
      }
    }
  }
  if (zone != nullptr &&
      (domain == nullptr ||
       run->name.label_count - apex_label > domain->label_count)) {
    return ExplainZone(*zone, run);
  }
  if (domain != nullptr) return ExplainCatalog(*domain, run);
  if (IsArpa(run->name)) return ExplainReverse(run);
  ExplainRefused(run);
}

const char* RcodeMeans(const std::string& rcode, bool is_empty) {
  if (rcode == "NXDOMAIN") {
    return "NXDOMAIN: the name does not exist, and resolvers remember that.";
  }
  if (rcode == "NOERROR" && is_empty) {
    return "NOERROR without an answer (NODATA): the name exists, records of "
           "this type do not.";
  }
  if (rcode == "SERVFAIL") {
    return "SERVFAIL: there is nothing to answer from.";
  }
  return nullptr;
}

void AddResult(ExplainRun* run) {
  Explanation& out = run->out;
  const char* const means = RcodeMeans(out.rcode, out.answer.empty());
  if (means != nullptr) run->Step(means);
  if (out.rcode != "NOERROR" || out.answer.empty()) return;
  run->Step("The answer has ", out.answer.size(),
            out.answer.size() == 1 ? " record" : " records", " and ",
            out.additional.size(), " in ADDITIONAL.");
  if (out.is_truncated) {
    run->Step("It is truncated (TC): clients ask again over TCP.");
  }
}

// What the catalog of the datacenter is worth.
void AddDatacenterState(ExplainRun* run) {
  const View& view = run->context.view;
  for (size_t i = 0; i < view.datacenters.size(); ++i) {
    if (view.datacenters[i] != run->out.datacenter) continue;
    if (view.datacenter_states[i] == DatacenterState::kStale) {
      run->Step("The source of datacenter ", run->out.datacenter,
                " is away: answers are from what was known, and say so (EDE 3, "
                "\"Stale Answer\").");
    } else if (view.datacenter_states[i] == DatacenterState::kUnavailable) {
      run->Step("Datacenter ", run->out.datacenter,
                " was never loaded, and its source is away.");
    }
  }
}

void ExplainPending(ExplainRun* run) {
  run->out.source = "pending";
  const AskedKey& asked = run->out.asked;
  const View& view = run->context.view;
  if (asked.kind == AskedKey::kDatacenter &&
      asked.datacenter < view.datacenters.size()) {
    run->out.datacenter = view.datacenters[asked.datacenter];
    run->Step("Datacenter ", run->out.datacenter,
              " is not loaded yet: a client's question waits until it is.");
    return;
  }
  run->Step(
      "It is the name of a prepared query that a template may match: it "
      "is looked up when it is first asked for.");
}

}  // namespace

void ExplainRun::Suggest(const std::string& suggestion) {
  auto& all = out.suggestions;
  if (std::find(all.begin(), all.end(), suggestion) == all.end()) {
    all.push_back(suggestion);
  }
}

std::string LabelsText(std::span<const uint8_t> labels) {
  std::string wire(labels.begin(), labels.end());
  wire.push_back('\0');
  std::string text = NameToText(WireBytes(wire));
  if (!text.empty()) text.pop_back();
  return text;
}

std::string CatalogText(std::span<const uint8_t> labels) {
  std::string text;
  for (size_t at = 0; at < labels.size();) {
    const size_t size = labels[at++];
    if (!text.empty()) text.push_back('.');
    const size_t begin = text.size();
    for (const size_t end = at + size; at < end; ++at) {
      text.push_back(static_cast<char>(labels[at]));
    }
    if (text.find('.', begin) != std::string::npos) return LabelsText(labels);
  }
  return text;
}

Explanation Explain(const ExplainContext& context,
                    const ExplainQuestion& question) {
  ExplainRun run{context, question, {}, {}};
  if (ParseName(WireBytes(question.name), &run.name) == 0) return run.out;
  run.outcome = AskResponder(context, question, &run.out);
  if (run.outcome == Outcome::kForward) {
    ExplainForwarded(&run);
  } else if (run.outcome == Outcome::kPending) {
    ExplainPending(&run);
  } else {
    ExplainByZone(&run);
    AddDatacenterState(&run);
    AddResult(&run);
  }
  return std::move(run.out);
}

}  // namespace dnsd
