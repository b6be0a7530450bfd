// Names of nodes, addresses and the domain itself.
#include <optional>

#include "catalog/types.h"
#include "dnsd/explain/explain_run.h"

namespace dnsd {
namespace {

// The node of that name, else of that id.
const Node* FindNode(const ExplainRun& run, const std::string& text) {
  const State& state = run.context.state;
  const std::string& datacenter = run.out.datacenter;
  const Node* found = state.FindNode({datacenter, text});
  if (found != nullptr || state.node_count() > kExplainScanMax) return found;
  state.ForEachNode(datacenter, [&](const NodeView& view) {
    if (found == nullptr && AsciiLower(view.node->id) == text) {
      found = view.node;
    }
  });
  return found;
}

void TellAddress(ExplainRun* run) {
  run->out.kind = "addr";
  run->Step(run->is_nxdomain()
                ? "Left of \"addr\" there is no address in hexadecimal digits "
                  "(8 for IPv4, 32 for IPv6)."
                : "The address is spelled in the name; the catalog is not "
                  "asked.");
}

void TellApex(const Domain& domain, ExplainRun* run) {
  run->out.kind = "apex";
  run->Step("The name is our domain ", NameToText(WireBytes(domain.wire)),
            ": it has SOA and NS",
            run->policy().compat == Compat::kRfc
                ? "."
                : ", and is NXDOMAIN for other types, as with Consul.");
}

}  // namespace

void ExplainCatalog(const Domain& domain, ExplainRun* run) {
  const View& view = run->context.view;
  run->out.source = "catalog";
  CatalogName name;
  ParseCatalogName(run->name, domain, view, run->question.type, &name);
  run->out.datacenter = view.datacenters[name.datacenter];
  switch (name.kind) {
    case NameKind::kService:
    case NameKind::kConnect:
    case NameKind::kIngress:
      return ExplainService(domain, name, run);
    case NameKind::kQuery:
      return ExplainQuery(name, run);
    case NameKind::kNode:
      return ExplainNode(domain, name, run);
    case NameKind::kVirtual:
      return ExplainVirtual(name, run);
    case NameKind::kAddr:
      return TellAddress(run);
    case NameKind::kApex:
      return TellApex(domain, run);
    case NameKind::kNameserver:
      run->out.kind = "ns";
      run->Step("The name stands for the name servers of the domain.");
      return;
    case NameKind::kEmptyNonTerminal:
      run->out.kind = "empty";
      run->Step("Nothing has this name, but names below it may exist.");
      return HintKeyword(domain, run);
    case NameKind::kUnnamedService:
      run->out.kind = "unknown";
      run->Step("Between \"_\" and the dot there is no service's name.");
      return;
    case NameKind::kNoSuchDatacenter:
      run->out.kind = "unknown";
      run->out.datacenter.clear();
      return HintDatacenter(run);
    case NameKind::kUnknown:
      run->out.datacenter.clear();
      return ExplainUnknown(domain, run);
  }
}

void ExplainNode(const Domain& domain, const CatalogName& name,
                 ExplainRun* run) {
  run->out.kind = "node";
  const std::string text = CatalogText(name.key);
  run->Step("The name stands for the node ", run->Quoted(text),
            " in datacenter ", run->out.datacenter,
            ". Health does not matter for it.");
  const Node* const node = FindNode(*run, text);
  if (node == nullptr || !MayReadNode(run->context.reader, node->name)) {
    if (run->out.answer.empty()) HintNode(domain, name, run);
    return;
  }
  if (!MayReadNode(run->context.rights.asker.get(), node->name)) {
    run->Step(
        "There is such a node, but the token of DNS (acl.tokens.dns) may "
        "not read it.");
    return;
  }
  run->Step("The node's address is ", node->address, ", and it has ",
            node->meta.size(), " metadata, which are TXT records.");
}

void ExplainVirtual(const CatalogName& name, ExplainRun* run) {
  run->out.kind = "virtual";
  run->out.service = CatalogText(name.key);
  run->Step("The name stands for the virtual address of the service ",
            run->Quoted(run->out.service), ".");
  if (!run->out.answer.empty()) return;
  if (!MayReadService(run->context.rights.asker.get(), run->out.service)) {
    run->Step("The token of DNS (acl.tokens.dns) may not read that service.");
    return;
  }
  run->Step(
      "No instance of it has the tagged address \"consul-virtual\" of "
      "this family.");
}

void ExplainReverse(ExplainRun* run) {
  run->out.source = "catalog";
  run->out.kind = "ptr";
  run->out.datacenter = run->policy().datacenter;
  if (!run->out.answer.empty()) {
    run->Step("The address is a node's or an instance's of datacenter ",
              run->out.datacenter, "; a node goes before a service.");
  } else if (run->is_nxdomain()) {
    run->Step("No node and no instance of datacenter ", run->out.datacenter,
              " that DNS may show has this address, or it is none.");
  } else if (run->out.rcode == "REFUSED") {
    run->out.kind = "other";
    ExplainRefused(run);
  } else {
    run->Step("It is above addresses, or the type is not PTR.");
  }
}

void ExplainUnknown(const Domain& domain, ExplainRun* run) {
  run->out.kind = "unknown";
  run->Step("The name is below our domain ", NameToText(WireBytes(domain.wire)),
            ", but is none of: <service>.service, <tag>.<service>.service, "
            "_<service>._<tag>.service, <node>.node, <query>.query, "
            "<service>.connect, .ingress or .virtual, <hex>.addr, each with "
            "a datacenter behind it or not.");
  HintKeyword(domain, run);
}

}  // namespace dnsd
