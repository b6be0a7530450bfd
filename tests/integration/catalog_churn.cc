#include "tests/integration/catalog_churn.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace dnsd::testing {
namespace {

constexpr size_t kInstancesOfNode = 5;
constexpr size_t kChecksOfNode = 6;
constexpr size_t kAgentInstances = 5;
// For the addresses of its instances.
constexpr char kAgentNode[] = "node-20";
constexpr size_t kTransactionMax = 8;

const std::array<std::string, 3> kStatuses = {"passing", "warning", "critical"};
// Of instances, and of no node: reverse names are those of nodes, or of the
// one instance that has an address for itself.
const std::array<std::string, 3> kSharedAddresses = {"10.9.1.1", "10.9.1.2",
                                                     "2001:db8:8::1"};

std::string NodeName(size_t i) { return absl::StrCat("node-", i); }
std::string InstanceId(size_t i) { return absl::StrCat("id-", i); }

size_t NumberOf(const std::string& name) {
  size_t number = 0;
  return absl::SimpleAtoi(name.substr(name.rfind('-') + 1), &number) ? number
                                                                     : 0;
}

// "node-3" and "id-2" have 10.9.3.32, and nobody else has it.
std::string OwnAddress(const std::string& node, const std::string& id) {
  return absl::StrCat("10.9.3.", 10 * NumberOf(node) + NumberOf(id));
}

// "10.9.0.1" to "1.0.9.10.in-addr.arpa.", and the like for IPv6 addresses of
// the form "2001:db8:9::N".
std::string ReverseName(const std::string& address) {
  if (address.find(':') == std::string::npos) {
    std::vector<std::string> parts = absl::StrSplit(address, '.');
    std::reverse(parts.begin(), parts.end());
    return absl::StrJoin(parts, ".") + ".in-addr.arpa.";
  }
  const std::string last = address.substr(address.rfind(':') + 1);
  std::string digits = "20010db80009";
  digits += std::string(32 - digits.size() - last.size(), '0') + last;
  std::reverse(digits.begin(), digits.end());
  std::string name;
  for (const char digit : digits)
    absl::StrAppend(&name, std::string(1, digit), ".");
  return name + "ip6.arpa.";
}

}  // namespace

CatalogChurn::CatalogChurn(ConsulApi* api, uint64_t seed, const Size& size)
    : api_(api), size_(size), random_(seed) {
  for (size_t i = 0; services_.size() < size_.service_names; ++i) {
    const std::string name = absl::StrCat("web", i == 0 ? "" : absl::StrCat(i));
    services_.push_back(name);
    if (i % 4 == 0) services_.push_back(absl::AsciiStrToUpper(name));
    if (i % 8 == 0) services_.push_back("W" + name.substr(1));
  }
  for (size_t i = 1; i <= 6; ++i) {
    addresses_.push_back(absl::StrCat("10.9.0.", i));
  }
  for (size_t i = 1; i <= 3; ++i) {
    addresses_.push_back(absl::StrCat("2001:db8:9::", i));
  }
}

size_t CatalogChurn::Below(size_t bound) { return random_() % bound; }

template <typename Keys>
std::string CatalogChurn::AnyKey(const Keys& keys) {
  if (keys.empty()) return "";
  const auto it =
      std::next(keys.begin(), static_cast<std::ptrdiff_t>(Below(keys.size())));
  if constexpr (requires { it->first; }) {
    return it->first;
  } else {
    return *it;
  }
}

std::string CatalogChurn::AnyStatus() { return OneOf(kStatuses); }

std::string CatalogChurn::Send(const std::string& method,
                               const std::string& path, const Body& body) {
  const ConsulReply reply = api_->Call(method, path, body);
  if (reply.status == 200) return "";
  return absl::StrCat(method, " ", path, " ", body, ": ", reply.status, " ",
                      reply.body);
}

// --- bodies ---

std::string CatalogChurn::NodeMembers() {
  std::string text = Pair("Address", OneOf(addresses_));
  if (Chance(40)) {
    absl::StrAppend(&text, ",\"TaggedAddresses\":{",
                    Pair("lan", OneOf(addresses_)), ",",
                    Pair("wan", OneOf(addresses_)));
    if (Chance(50)) {
      absl::StrAppend(&text, ",", Pair("lan_ipv4", "10.9.7.1"), ",",
                      Pair("lan_ipv6", "2001:db8:9::7"));
    }
    text += "}";
  }
  return text;
}

CatalogChurn::Body CatalogChurn::NodeBody(const std::string& node) {
  std::string text = absl::StrCat(Pair("Node", node), ",", NodeMembers());
  return text;
}

// Which instances of a service are proxies for which other, or speak for
// themselves.
std::string CatalogChurn::KindMembers(const std::string& name) {
  if (Chance(80)) return "";
  if (Chance(50)) return ",\"Connect\":{\"Native\":true}";
  const std::string& destination = Chance(50) ? name : OneOf(services_);
  return absl::StrCat(",\"Kind\":\"connect-proxy\",\"Proxy\":{",
                      Pair("DestinationServiceName", destination), "}");
}

std::string CatalogChurn::PlainInstanceMembers(const std::string& own_address) {
  std::string text = absl::StrCat(",\"Port\":", 8000 + Below(4));
  if (Chance(50)) {
    const std::string& address =
        Chance(40) ? own_address : OneOf(kSharedAddresses);
    absl::StrAppend(&text, ",", Pair("Address", address));
  }
  std::set<std::string> tags;
  for (size_t i = Below(4); i > 0; --i) tags.insert(JsonQuoted(OneOf(kTags)));
  absl::StrAppend(&text, ",\"Tags\":[", absl::StrJoin(tags, ","), "]");
  if (Chance(40)) {
    absl::StrAppend(&text, ",\"Weights\":{\"Passing\":", 1 + Below(3),
                    ",\"Warning\":", Below(3), "}");
  }
  if (Chance(30)) {
    absl::StrAppend(&text, ",\"Meta\":{",
                    Pair("version", absl::StrCat(Below(3))), "}");
  }
  if (Chance(20)) {
    absl::StrAppend(&text, ",\"TaggedAddresses\":{\"lan_ipv4\":{",
                    Pair("Address", "10.9.8.1"), ",\"Port\":99}}");
  }
  return text;
}

CatalogChurn::Body CatalogChurn::InstanceBody(const std::string& node,
                                              const std::string& id,
                                              const std::string& name) {
  const auto [known, is_new] = nodes_.at(node).instances.try_emplace(id, name);
  if (!is_new && known->second != name) renamed_.insert({node, id});
  known->second = name;
  return absl::StrCat("{", Pair("ID", id), ",", Pair("Service", name),
                      PlainInstanceMembers(OwnAddress(node, id)),
                      KindMembers(name), "}");
}

CatalogChurn::Body CatalogChurn::CheckBody(const std::string& node,
                                           const std::string& id,
                                           const std::string& instance) {
  nodes_.at(node).checks[id] = instance;
  return absl::StrCat("{", Pair("Node", node), ",", Pair("CheckID", id), ",",
                      Pair("Name", "a check"), ",", Pair("ServiceID", instance),
                      ",", Pair("Status", AnyStatus()), ",",
                      Pair("Output", absl::StrCat(Below(3))), "}");
}

// Of the node or one of its instances; it may have been another's before.
CatalogChurn::Body CatalogChurn::PutCheck(const std::string& node) {
  const std::string id = absl::StrCat("check-", Below(kChecksOfNode));
  const std::string instance =
      Chance(25) ? "" : AnyKey(nodes_.at(node).instances);
  return CheckBody(node, id, instance);
}

bool CatalogChurn::MayRemove(const std::string& node,
                             const std::string& id) const {
  return !id.empty() && !renamed_.contains({node, id});
}

bool CatalogChurn::MayRemoveNode(const std::string& node) const {
  return !node.empty() &&
         std::none_of(renamed_.begin(), renamed_.end(),
                      [&](const auto& item) { return item.first == node; });
}

void CatalogChurn::ForgetInstance(const std::string& node,
                                  const std::string& id) {
  Node& model = nodes_.at(node);
  model.instances.erase(id);
  std::erase_if(model.checks,
                [&](const auto& item) { return item.second == id; });
}

// --- /v1/catalog ---

std::string CatalogChurn::ChangeNode() {
  const std::string node = NodeName(Below(size_.nodes));
  nodes_[node];
  Body body = "{" + NodeBody(node);
  if (Chance(50)) {
    absl::StrAppend(&body, ",\"NodeMeta\":{",
                    Pair("zone", absl::StrCat("z", Below(3))), "}");
  }
  return Send("PUT", "/v1/catalog/register", body + "}");
}

std::string CatalogChurn::RemoveNode() {
  const std::string node = AnyNode();
  if (!MayRemoveNode(node)) return "";
  nodes_.erase(node);
  return Send("PUT", "/v1/catalog/deregister", "{" + Pair("Node", node) + "}");
}

std::string CatalogChurn::ChangeInstance() {
  const std::string node = NodeName(Below(size_.nodes));
  const bool skips_node = nodes_.contains(node) && Chance(80);
  const std::string id = InstanceId(Below(kInstancesOfNode));
  Node& model = nodes_[node];
  std::vector<Body> checks;
  const std::string& name = OneOf(services_);
  if (model.instances.contains(id) && model.instances.at(id) != name) {
    // Consul keeps the old name with the checks of an instance that was given
    // another one, and then heeds them by halves. Registered again, they have
    // the new one.
    for (const auto& [check, instance] : model.checks) {
      if (instance == id) checks.push_back(CheckBody(node, check, id));
    }
  }
  const Body instance = InstanceBody(node, id, name);
  if (Chance(40)) checks.push_back(PutCheck(node));
  return Send(
      "PUT", "/v1/catalog/register",
      absl::StrCat("{", NodeBody(node), ",\"SkipNodeUpdate\":",
                   skips_node ? "true" : "false", ",\"Service\":", instance,
                   ",\"Checks\":[", absl::StrJoin(checks, ","), "]}"));
}

std::string CatalogChurn::RemoveInstance() {
  const std::string node = AnyNode();
  if (node.empty()) return "";
  const std::string id = AnyKey(nodes_.at(node).instances);
  if (!MayRemove(node, id)) return "";
  ForgetInstance(node, id);
  return Send(
      "PUT", "/v1/catalog/deregister",
      absl::StrCat("{", Pair("Node", node), ",", Pair("ServiceID", id), "}"));
}

std::string CatalogChurn::ChangeCheck() {
  const std::string node = AnyNode();
  if (node.empty()) return "";
  return Send(
      "PUT", "/v1/catalog/register",
      absl::StrCat("{", NodeBody(node),
                   ",\"SkipNodeUpdate\":true,\"Check\":", PutCheck(node), "}"));
}

std::string CatalogChurn::RemoveCheck() {
  const std::string node = AnyNode();
  if (node.empty()) return "";
  const std::string id = AnyKey(nodes_.at(node).checks);
  if (id.empty()) return "";
  nodes_.at(node).checks.erase(id);
  return Send(
      "PUT", "/v1/catalog/deregister",
      absl::StrCat("{", Pair("Node", node), ",", Pair("CheckID", id), "}"));
}

// --- /v1/txn ---

std::string CatalogChurn::Transact() {
  std::vector<Body> steps;
  for (size_t i = 1 + Below(kTransactionMax); i > 0; --i) {
    steps.push_back(TransactOne());
  }
  return Send("PUT", "/v1/txn",
              absl::StrCat("[", absl::StrJoin(steps, ","), "]"));
}

CatalogChurn::Body CatalogChurn::TransactOne() {
  const auto step = [](const char* what, const char* verb, const Body& body) {
    return absl::StrCat("{\"", what, "\":{\"Verb\":\"", verb, "\",", body,
                        "}}");
  };
  const std::string node = NodeName(Below(size_.nodes));
  if (!nodes_.contains(node) || Chance(10)) {
    nodes_[node];
    return step("Node", "set", "\"Node\":{" + NodeBody(node) + "}");
  }
  Node& model = nodes_.at(node);
  const std::string of_node = Pair("Node", node);
  switch (Below(10)) {
    case 0: {
      const std::string id = AnyKey(model.instances);
      if (!MayRemove(node, id)) break;
      ForgetInstance(node, id);
      return step("Service", "delete",
                  absl::StrCat(of_node, ",\"Service\":{", Pair("ID", id), ",",
                               Pair("Service", "of any name"), "}"));
    }
    case 1: {
      const std::string id = AnyKey(model.checks);
      if (id.empty()) break;
      model.checks.erase(id);
      return step(
          "Check", "delete",
          absl::StrCat("\"Check\":{", of_node, ",", Pair("CheckID", id), "}"));
    }
    case 2:
      if (Chance(70) || !MayRemoveNode(node)) break;
      nodes_.erase(node);
      return step("Node", "delete", "\"Node\":{" + of_node + "}");
    case 3:
    case 4:
    case 5:
      return step("Check", "set", "\"Check\":" + PutCheck(node));
    default:
      break;
  }
  const std::string id = InstanceId(Below(kInstancesOfNode));
  // See ChangeInstance().
  const bool has_checks =
      std::any_of(model.checks.begin(), model.checks.end(),
                  [&](const auto& item) { return item.second == id; });
  const std::string name =
      has_checks ? model.instances.at(id) : OneOf(services_);
  return step(
      "Service", "set",
      absl::StrCat(of_node, ",\"Service\":", InstanceBody(node, id, name)));
}

// --- /v1/agent ---

std::string CatalogChurn::RegisterWithAgent() {
  const std::string id = absl::StrCat("agent-", Below(kAgentInstances));
  // An agent tells Consul of the last of several changes only: an instance
  // that goes and comes with another name was renamed, see MayRemove().
  const std::string& name = services_[NumberOf(id)];
  agent_instances_[id] = name;
  Body body = absl::StrCat("{", Pair("ID", id), ",", Pair("Name", name),
                           PlainInstanceMembers(OwnAddress(kAgentNode, id)));
  if (Chance(50)) {
    agent_checks_["service:" + id] = id;
    absl::StrAppend(&body, ",\"Check\":{", Pair("TTL", "10h"), ",",
                    Pair("Status", AnyStatus()), "}");
  }
  return Send("PUT", "/v1/agent/service/register", body + "}");
}

std::string CatalogChurn::CheckWithAgent() {
  if (Chance(30)) {
    const std::string id = absl::StrCat("agent-check-", Below(3));
    const std::string instance = Chance(40) ? "" : AnyKey(agent_instances_);
    // An agent does not move a check to another instance.
    if (agent_checks_.contains(id)) return "";
    agent_checks_[id] = instance;
    return Send(
        "PUT", "/v1/agent/check/register",
        absl::StrCat("{", Pair("ID", id), ",", Pair("Name", "ttl"), ",",
                     Pair("ServiceID", instance), ",", Pair("TTL", "10h"), ",",
                     Pair("Status", AnyStatus()), "}"));
  }
  const std::string id = AnyKey(agent_checks_);
  if (id.empty()) return "";
  if (Chance(15)) {
    agent_checks_.erase(id);
    return Send("PUT", "/v1/agent/check/deregister/" + id, "");
  }
  static constexpr std::array<const char*, 3> kVerbs = {"pass", "warn", "fail"};
  return Send(
      "PUT",
      absl::StrCat("/v1/agent/check/", kVerbs[Below(kVerbs.size())], "/", id),
      "");
}

std::string CatalogChurn::Maintain() {
  const std::string how = Chance(40) ? "?enable=true" : "?enable=false";
  if (Chance(30)) return Send("PUT", "/v1/agent/maintenance" + how, "");
  const std::string id = AnyKey(agent_instances_);
  if (id.empty()) return "";
  return Send("PUT", "/v1/agent/service/maintenance/" + id + how, "");
}

std::string CatalogChurn::ChangeOfAgent() {
  const size_t which = Below(100);
  if (which < 40) return RegisterWithAgent();
  if (which < 70) return CheckWithAgent();
  if (which < 85) return Maintain();
  const std::string id = AnyKey(agent_instances_);
  if (id.empty()) return "";
  agent_instances_.erase(id);
  std::erase_if(agent_checks_,
                [&](const auto& item) { return item.second == id; });
  return Send("PUT", "/v1/agent/service/deregister/" + id, "");
}

// --- all of it ---

std::string CatalogChurn::Change() {
  struct Kind {
    size_t percent;
    std::string (CatalogChurn::*change)();
  };
  static constexpr std::array<Kind, 9> kKinds = {
      {{8, &CatalogChurn::ChangeNode},
       {3, &CatalogChurn::RemoveNode},
       {25, &CatalogChurn::ChangeInstance},
       {12, &CatalogChurn::RemoveInstance},
       {17, &CatalogChurn::ChangeCheck},
       {5, &CatalogChurn::RemoveCheck},
       {10, &CatalogChurn::Transact},
       {16, &CatalogChurn::ChangeOfAgent},
       {4, &CatalogChurn::ChangeQuery}}};
  size_t which = Below(100);
  for (const Kind& kind : kKinds) {
    if (which < kind.percent) return (this->*kind.change)();
    which -= kind.percent;
  }
  return "the percentages are not 100";
}

std::vector<std::string> CatalogChurn::QuestionNames() const {
  std::vector<std::string> names = {"consul.",
                                    "service.consul.",
                                    "nope.service.consul.",
                                    "nope.consul.",
                                    "blue.nope.service.consul.",
                                    "nope.connect.consul.",
                                    "nope.node.consul.",
                                    "nope.query.consul.",
                                    "agent-node.node.consul.",
                                    "web.service.nodc.consul."};
  const auto add = [&](const std::string& left, const char* kind) {
    names.push_back(absl::StrCat(left, ".", kind, ".consul."));
  };
  for (const std::string& service : services_) {
    add(service, "service");
    add(service, "connect");
    add(service, "service.dc1");
    add("pfx-" + service, "query");
    add(absl::StrCat("_", service, "._tcp"), "service");
    for (const char* tag : {"blue", "v1.2"}) {
      add(absl::StrCat(tag, ".", service), "service");
    }
    add(absl::StrCat("_", service, "._green"), "service");
  }
  for (size_t i = 0; i < size_.nodes; ++i) add(NodeName(i), "node");
  for (const std::string& name : kQueryNames) add(name, "query");
  for (const auto& [id, name] : queries_) add(id, "query");
  for (const std::string& id : old_query_ids_) add(id, "query");
  for (const std::string& address : addresses_) {
    names.push_back(ReverseName(address));
  }
  for (size_t node = 0; node < size_.nodes; ++node) {
    names.push_back(ReverseName(OwnAddress(NodeName(node), InstanceId(1))));
  }
  names.push_back(ReverseName("10.9.9.9"));
  return names;
}

}  // namespace dnsd::testing
