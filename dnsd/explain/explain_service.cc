// Names of services, of what stands before them, and of prepared queries.
#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_join.h"
#include "catalog/query_execute.h"
#include "catalog/types.h"
#include "dnsd/explain/explain_run.h"
#include "dnsd/explain/instance_judge.h"
#include "zones/query_compile.h"

namespace dnsd {
namespace {

// Counts what is listed, and what is not.
struct Listing {
  ExplainRun* run;
  size_t hidden_count = 0;
  size_t critical_count = 0;

  // False: who reads may not see it.
  bool Counts(const InstanceView& view) {
    if (!MaySee(run->context.reader, view)) {
      ++hidden_count;
      return false;
    }
    ++run->out.instance_count;
    return run->out.instances.size() < kExplainInstancesMax;
  }
  void Add(ExplainedInstance instance) {
    run->out.instances.push_back(std::move(instance));
  }
  [[nodiscard]] size_t IncludedCount() const {
    const auto& all = run->out.instances;
    return static_cast<size_t>(
        std::count_if(all.begin(), all.end(),
                      [](const ExplainedInstance& i) { return i.included; }));
  }
};

void TellCounts(const Listing& listing, ExplainRun* run) {
  const Explanation& out = run->out;
  if (listing.hidden_count > 0) {
    run->Step(
        "Some instances are not shown here: your token may not read them.");
  }
  if (out.instance_count > out.instances.size()) {
    run->Step("Of ", out.instance_count, " instances the first ",
              out.instances.size(), " are shown.");
  }
  if (out.instances.empty()) return;
  run->Step(listing.IncludedCount(), " of ", out.instances.size(),
            out.instances.size() == 1 ? " instance is" : " instances are",
            " in the answer.");
  if (run->is_nxdomain() && listing.critical_count > 0 &&
      listing.critical_count == out.instance_count &&
      listing.hidden_count == 0) {
    run->Step(
        "All of them are critical, so the name does not exist, as with "
        "Consul.");
  }
}

const char* KindWord(NameKind kind) {
  switch (kind) {
    case NameKind::kConnect:
      return "connect";
    case NameKind::kIngress:
      return "ingress";
    default:
      return "service";
  }
}

void TellName(const Domain& domain, const CatalogName& name, ExplainRun* run) {
  const Explanation& out = run->out;
  const char* const what = name.kind == NameKind::kConnect
                               ? "the proxies of the service "
                           : name.kind == NameKind::kIngress
                               ? "the ingress gateways before the service "
                               : "the service ";
  run->Step(
      "The name is below our domain ", NameToText(WireBytes(domain.wire)),
      " and stands for ", what, run->Quoted(out.service),
      out.tag.empty() ? "" : absl::StrCat(" with the tag \"", out.tag, "\""),
      " in datacenter ", out.datacenter, ".");
  if (run->policy().only_passing) {
    run->Step("dns_config.only_passing: only passing instances are answered.");
  } else {
    run->Step(
        "Critical instances are not answered; passing and warning ones "
        "are.");
  }
}

}  // namespace

void ExplainService(const Domain& domain, const CatalogName& name,
                    ExplainRun* run) {
  Explanation& out = run->out;
  out.kind = KindWord(name.kind);
  out.service = CatalogText(name.key);
  if (name.has_tag) out.tag = CatalogText(name.tag);
  TellName(domain, name, run);
  const ExplainContext& context = run->context;
  const CatalogRights* const dns = context.rights.asker.get();
  InstanceJudge::Asked asked{run->question, dns, std::nullopt,
                             name.is_short_srv};
  if (name.has_tag) asked.tag.emplace(name.tag.begin(), name.tag.end());
  const InstanceJudge judge(context, asked, out);
  Listing listing{run};
  const bool is_mesh = name.kind != NameKind::kService;
  const bool may_ask = !is_mesh || MayReadService(dns, out.service);
  if (!may_ask) {
    run->Step(
        "The token of DNS (acl.tokens.dns) may not read the service, so "
        "nothing of what stands before it is answered.");
  }
  const auto visit = [&](const InstanceView& view) {
    const bool is_ingress = view.instance->kind == ServiceKind::kIngressGateway;
    if (is_mesh && is_ingress != (name.kind == NameKind::kIngress)) return;
    if (view.health == HealthStatus::kCritical) ++listing.critical_count;
    if (!listing.Counts(view)) return;
    ExplainedInstance instance = judge.OfService(view);
    if (!may_ask) {
      instance.reason = "the token of DNS may not read the service asked for";
    }
    listing.Add(std::move(instance));
  };
  const NameKey key{out.datacenter, out.service};
  if (is_mesh) {
    context.state.ForEachMeshInstance(key, visit);
  } else {
    context.state.ForEachInstance(key, visit);
  }
  TellCounts(listing, run);
  if (out.answer.empty()) HintService(domain, name, run);
}

namespace {

void TellQuery(const PreparedQuery& query, ExplainRun* run) {
  run->Step("It stands for the prepared query ",
            run->Quoted(query.name.empty() ? query.id : query.name),
            query.is_template ? " (a template)" : "", ", which asks for ",
            query.connect ? "the proxies of the service " : "the service ",
            run->Quoted(query.service), ".");
  std::vector<std::string> filters;
  if (query.only_passing) filters.push_back("only passing instances");
  if (!query.tags.empty()) {
    filters.push_back(absl::StrCat("tags ", absl::StrJoin(query.tags, ", ")));
  }
  if (!query.node_meta.empty()) filters.push_back("its NodeMeta");
  if (!query.service_meta.empty()) filters.push_back("its ServiceMeta");
  if (!query.ignore_check_ids.empty()) {
    filters.push_back(absl::StrCat(
        "without the checks ", absl::StrJoin(query.ignore_check_ids, ", ")));
  }
  if (!filters.empty()) {
    run->Step("It filters by: ", absl::StrJoin(filters, "; "), ".");
  }
}

// What ExecuteQuery() looks at, where it does: as long as nothing is taken.
void ListJudged(const PreparedQuery& query, const CatalogRights* rights,
                ExplainRun* run) {
  const State& state = run->context.state;
  const std::string datacenter = run->out.datacenter;
  const InstanceJudge judge(run->context, {run->question, rights}, run->out);
  Listing listing{run};
  std::string place;
  size_t taken_count = 0;
  for (const std::string& next : QueryDatacenters(state, datacenter, query)) {
    if (taken_count > 0) break;
    if (!place.empty()) {
      run->Step("It finds nothing in datacenter ", place,
                ": its failover goes on.");
    }
    place = next;
    ForEachJudged(state, place, query, rights,
                  [&](const InstanceView& view, QueryVerdict verdict) {
                    if (verdict == QueryVerdict::kTaken) ++taken_count;
                    if (!listing.Counts(view)) return;
                    listing.Add(judge.OfQuery(view, query, verdict));
                  });
  }
  if (taken_count == 0) {
    run->Step("It finds no instance, so the name does not exist.");
  } else {
    run->Step("It finds ", taken_count, " in datacenter ", place, ".");
  }
  TellCounts(listing, run);
}

}  // namespace

void ExplainQuery(const CatalogName& name, ExplainRun* run) {
  Explanation& out = run->out;
  const ExplainContext& context = run->context;
  out.kind = "query";
  out.query = QueryNameText(name.key);
  const auto query = context.state.FindQuery(out.datacenter, out.query);
  if (!query) {
    run->Step("There is no prepared query ", run->Quoted(out.query),
              " in datacenter ", out.datacenter, ", by name, id or template.");
    return;
  }
  if (context.may_read_query && !context.may_read_query(*query)) {
    run->Step("It stands for a prepared query, and your token may not read ",
              "the query.");
    return;
  }
  TellQuery(*query, run);
  out.service = query->service;
  std::shared_ptr<const CatalogRights> rights = context.rights.asker;
  if (!query->token.empty() && context.rights.of_token) {
    rights = context.rights.of_token(query->token);
    if (rights == nullptr) {
      run->Step("Its own token is none of ours, so it finds nothing.");
      return;
    }
  }
  ListJudged(*query, rights.get(), run);
}

}  // namespace dnsd
