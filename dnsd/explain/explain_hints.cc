// What somebody may have meant who asked for a name that does not exist.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "catalog/base/edit_distance.h"
#include "catalog/types.h"
#include "dnsd/explain/explain_run.h"
#include "zones/compile.h"

namespace dnsd {
namespace {

constexpr size_t kSimilarMax = 3;
constexpr size_t kTagsShown = 20;

// Those most like `word`, which is in lower case.
std::vector<std::string> Similar(const std::string& word,
                                 const std::set<std::string>& words) {
  const size_t limit = word.size() < 4 ? 1 : 2;
  std::set<std::pair<size_t, std::string>> found;
  for (const std::string& other : words) {
    const size_t distance = EditDistance(word, AsciiLower(other), limit);
    if (distance <= limit) found.insert({distance, other});
  }
  std::vector<std::string> best;
  for (const auto& [distance, other] : found) {
    if (best.size() < kSimilarMax) best.push_back(other);
  }
  return best;
}

// `labels` are the catalog's names, with dots between.
std::string Under(const Domain& domain, const std::string& labels) {
  std::string wire;
  return absl::StrCat(
      LabelsToWire(labels, &wire) ? LabelsText(WireBytes(wire)) : labels, ".",
      NameToText(WireBytes(domain.wire)));
}

void SuggestAll(const Domain& domain, const std::vector<std::string>& words,
                const char* keyword, ExplainRun* run) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    names.push_back(Under(domain, absl::StrCat(word, keyword)));
    run->Suggest(names.back());
  }
  if (!names.empty()) {
    run->Step("Did you mean ", absl::StrJoin(names, " or "), "?");
  }
}

// Of an instance that both DNS and the reader may see.
bool IsShown(const ExplainRun& run, const InstanceView& view) {
  return MaySee(run.context.reader, view) &&
         MaySee(run.context.rights.asker.get(), view);
}

bool HasService(const ExplainRun& run, const std::string& datacenter,
                const std::string& service) {
  return run.context.state.AnyInstance(
      {datacenter, service},
      [&](const InstanceView& view) { return IsShown(run, view); });
}

bool HasNode(const ExplainRun& run, const std::string& name) {
  const Node* const node =
      run.context.state.FindNode({run.policy().datacenter, name});
  return node != nullptr && MayReadNode(run.context.reader, node->name) &&
         MayReadNode(run.context.rights.asker.get(), node->name);
}

// Names of services that DNS can spell.
std::set<std::string> ServiceNames(const ExplainRun& run,
                                   const std::string& datacenter) {
  std::set<std::string> names;
  const State& state = run.context.state;
  if (state.instance_count() > kExplainScanMax) return names;
  state.ForEachService(
      datacenter, [&](const std::string& name, const std::set<std::string>&) {
        if (!ServiceKey(AsciiLower(name)).empty() &&
            MayReadService(run.context.reader, name) &&
            MayReadService(run.context.rights.asker.get(), name)) {
          names.insert(name);
        }
      });
  return names;
}

// The service is there; with other tags, it may be.
void HintTags(ExplainRun* run) {
  std::set<std::string> tags;
  size_t left = kExplainScanMax;  // beyond it nothing is said
  const bool is_known = run->context.state.AnyInstance(
      {run->out.datacenter, run->out.service}, [&](const InstanceView& view) {
        const std::vector<std::string>& own = view.instance->tags;
        if (--left == 0) return true;
        if (!IsShown(*run, view)) return false;
        tags.insert(own.begin(), own.end());
        return std::any_of(own.begin(), own.end(), [&](const auto& tag) {
          return absl::EqualsIgnoreCase(tag, run->out.tag);
        });
      });
  if (is_known) return;
  if (tags.empty()) {
    run->Step("The service exists, but has no tags: ask without one.");
    return;
  }
  const size_t count = tags.size();
  while (tags.size() > kTagsShown) tags.erase(std::prev(tags.end()));
  run->Step("The service exists; its tags are ", absl::StrJoin(tags, ", "),
            count > kTagsShown ? ", and more." : ".");
}

}  // namespace

void HintService(const Domain& domain, const CatalogName& name,
                 ExplainRun* run) {
  const Explanation& out = run->out;
  const std::string service = out.service;
  if (HasService(*run, out.datacenter, service)) {
    if (!name.has_tag) return;
    HintTags(run);
    run->Suggest(Under(domain, service + ".service"));
    return;
  }
  run->Step("There is no such service in datacenter ", out.datacenter,
            " that DNS may show.");
  std::vector<std::string> elsewhere;
  for (const std::string& datacenter : run->context.state.Datacenters()) {
    if (datacenter == out.datacenter) continue;
    if (!HasService(*run, datacenter, service)) continue;
    elsewhere.push_back(absl::StrCat(service, ".service.", datacenter));
  }
  if (!elsewhere.empty()) {
    run->Step("Other datacenters have it.");
    SuggestAll(domain, elsewhere, "", run);
  }
  if (name.has_tag && HasService(*run, out.datacenter, out.tag)) {
    run->Step("There is a service ", run->Quoted(out.tag),
              ": the tag stands left of the service.");
    SuggestAll(domain, {absl::StrCat(service, ".", out.tag)}, ".service", run);
  }
  if (HasNode(*run, service)) {
    run->Step("There is a node of that name.");
    SuggestAll(domain, {service}, ".node", run);
  }
  SuggestAll(domain, Similar(service, ServiceNames(*run, out.datacenter)),
             ".service", run);
}

void HintNode(const Domain& domain, const CatalogName& name, ExplainRun* run) {
  const std::string text = CatalogText(name.key);
  run->Step("There is no such node in datacenter ", run->out.datacenter,
            " that DNS may show.");
  if (HasService(*run, run->out.datacenter, text)) {
    run->Step("There is a service of that name.");
    SuggestAll(domain, {text}, ".service", run);
  }
  if (run->context.state.node_count() > kExplainScanMax) return;
  std::set<std::string> names;
  run->context.state.ForEachNode(
      run->out.datacenter, [&](const NodeView& view) {
        if (MayReadNode(run->context.reader, view.node->name) &&
            MayReadNode(run->context.rights.asker.get(), view.node->name)) {
          names.insert(view.node->name);
        }
      });
  SuggestAll(domain, Similar(text, names), ".node", run);
}

void HintDatacenter(ExplainRun* run) {
  std::vector<std::string> known = run->context.view.datacenters;
  std::erase(known, "");  // places that are free
  run->Step(
      "The datacenter in the name is not known, or it is a cluster "
      "peer, which dnsd does not mirror. Known datacenters: ",
      absl::StrJoin(known, ", "), ".");
}

void HintKeyword(const Domain& domain, ExplainRun* run) {
  const size_t count = run->name.label_count - domain.label_count;
  if (count == 0) return;
  const std::string& datacenter = run->policy().datacenter;
  const std::string last = CatalogText(run->name.Labels(count - 1, count));
  if (count == 1) {
    if (HasService(*run, datacenter, last)) {
      SuggestAll(domain, {last}, ".service", run);
    }
    if (HasNode(*run, last)) SuggestAll(domain, {last}, ".node", run);
    return;
  }
  // A keyword that is misspelled.
  const std::string rest = CatalogText(run->name.Labels(0, count - 1));
  const std::string service =
      CatalogText(run->name.Labels(count - 2, count - 1));
  if (!Similar(last, {"service"}).empty() &&
      HasService(*run, datacenter, service)) {
    SuggestAll(domain, {rest}, ".service", run);
  }
  if (!Similar(last, {"node"}).empty() && HasNode(*run, rest)) {
    SuggestAll(domain, {rest}, ".node", run);
  }
}

}  // namespace dnsd
