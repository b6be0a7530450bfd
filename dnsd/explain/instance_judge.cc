#include "dnsd/explain/instance_judge.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/types.h"
#include "zones/address_choice.h"
#include "zones/name.h"
#include "zones/served.h"

namespace dnsd {
namespace {

constexpr size_t kChecksNamed = 3;

// Consul's ids of the checks that maintenance mode makes.
constexpr char kNodeMaintenance[] = "_node_maintenance";
constexpr char kServiceMaintenance[] = "_service_maintenance:";

Accept AcceptOf(uint16_t type) {
  return type == kTypeA      ? kAcceptA
         : type == kTypeAaaa ? kAcceptAaaa
                             : kAcceptAny;
}

bool AsksPlaces(uint16_t type, bool rfc) {
  return type == kTypeA || type == kTypeAaaa || type == kTypeAny ||
         type == kTypeSrv || (type == kTypeTxt && !rfc);
}

std::string CheckText(const CheckView& view) {
  const Check& check = *view.check;
  if (check.id == kNodeMaintenance) {
    return absl::StrCat("the node is in maintenance mode",
                        check.notes.empty() ? "" : ": ", *check.notes);
  }
  if (absl::StartsWith(check.id, kServiceMaintenance)) {
    return absl::StrCat("it is in maintenance mode",
                        check.notes.empty() ? "" : ": ", *check.notes);
  }
  return absl::StrCat("the check \"", check.id.view(), "\" of ",
                      check.service_id.empty() ? "its node" : "the service",
                      " is ", HealthStatusName(check.status));
}

void Append16(uint16_t value, std::string* key) {
  key->push_back(static_cast<char>(value >> 8));
  key->push_back(static_cast<char>(value));
}

std::string KeyOf(uint16_t type, const std::string& data) {
  std::string key;
  Append16(type, &key);
  return key + data;
}

// `target` is in lower case, as that of a CNAME.
std::string SrvKey(uint16_t port, const std::string& target) {
  std::string key;
  Append16(kTypeSrv, &key);
  Append16(port, &key);
  return key + target;
}

std::string KeyOf(const ExplainedRecord& record) {
  const std::string& data = record.rdata;
  if (record.type_number == kTypeCname) {
    return KeyOf(kTypeCname, AsciiLower(data));
  }
  if (record.type_number == kTypeSrv && data.size() > 6) {
    return SrvKey(Load16(WireBytes(data).data() + 4),
                  AsciiLower(data.substr(6)));
  }
  return KeyOf(record.type_number, data);
}

}  // namespace

InstanceJudge::InstanceJudge(const ExplainContext& context, const Asked& asked,
                             const Explanation& answered)
    : context_(context), asked_(asked), answered_(answered) {
  for (const ExplainedRecord& record : answered.answer) {
    // What a CNAME leads to has the spelling of its target.
    if (record.owner != asked.question.name) continue;
    own_.push_back(KeyOf(record));
  }
  std::sort(own_.begin(), own_.end());
}

bool InstanceJudge::UsesWan(const InstanceView& view) const {
  const ZonePolicy& policy = context_.view.policy;
  return policy.translate_wan_addrs &&
         policy.datacenter != view.node->datacenter;
}

// Of the instance, else of its node; of the node too where the service's is the
// very name that is asked for.
InstanceJudge::Reached InstanceJudge::Reach(const InstanceView& view) const {
  const bool wan = UsesWan(view);
  const Accept accept = AcceptOf(asked_.question.type);
  const AddressSet nodes = NodeAddresses(*view.node, wan);
  const std::string own = InstanceAddresses(*view.instance, wan).Pick(accept);
  const ParsedAddress address = ParseAddress(own);
  const bool is_self = address.kind == ParsedAddress::Kind::kName &&
                       address.bytes == asked_.question.name &&
                       ParseAddress(nodes.Pick(accept)).is_ip();
  if (!own.empty() && !is_self) return {own, address, false};
  // A node reached by a substitute for its address is not named.
  const bool is_named = is_self || nodes.Pick(kAcceptAny) == view.node->address;
  return {nodes.Pick(accept), ParseAddress(nodes.Pick(accept)), is_named};
}

uint16_t InstanceJudge::PortOf(const InstanceView& view) const {
  const auto& tagged = view.instance->tagged_addresses;
  const auto wan = tagged.find("wan");
  const bool has_wan =
      UsesWan(view) && wan != tagged.end() && wan->second.port != 0;
  return has_wan ? wan->second.port : view.instance->port;
}

std::string InstanceJudge::Hidden(const InstanceView& view) const {
  if (MaySee(asked_.rights, view)) return "";
  const bool by_node = !MayReadNode(asked_.rights, view.node->name);
  return absl::StrCat("the token of DNS (acl.tokens.dns) may not read the ",
                      by_node ? "node \"" : "service \"",
                      by_node ? view.node->name : *view.instance->name, "\"");
}

std::string InstanceJudge::Unhealthy(const InstanceView& view,
                                     const char* only_passing) const {
  std::vector<std::string> texts;
  size_t count = 0;
  context_.state.ForEachCheckOf(view, [&](const CheckView& check) {
    if (check.check->status != view.health || ++count > kChecksNamed) return;
    texts.push_back(CheckText(check));
  });
  std::string text = absl::StrJoin(texts, "; ");
  if (count > kChecksNamed) {
    absl::StrAppend(&text, "; and ", count - kChecksNamed, " more");
  }
  if (view.health == HealthStatus::kWarning) {
    absl::StrAppend(&text, ", and ", only_passing,
                    " leaves only what is passing");
  }
  return text;
}

std::string InstanceJudge::Untagged(const InstanceView& view) const {
  if (!asked_.tag) return "";
  for (const std::string& tag : view.instance->tags) {
    std::string labels;
    if (LabelsToWire(AsciiLower(tag), &labels) && labels == *asked_.tag) {
      return "";
    }
  }
  if (view.instance->tags.empty()) return "it has no tags";
  return absl::StrCat("it does not have the tag \"", answered_.tag,
                      "\"; it has: ", absl::StrJoin(view.instance->tags, ", "));
}

std::string InstanceJudge::Filtered(const InstanceView& view) const {
  std::string reason = Hidden(view);
  if (reason.empty() && !IsServed(context_.view.policy, view.health)) {
    reason = Unhealthy(view, "dns_config.only_passing");
  }
  if (reason.empty()) reason = Untagged(view);
  return reason;
}

bool InstanceJudge::HasAnswer(const std::string& begin) const {
  const auto found = std::lower_bound(own_.begin(), own_.end(), begin);
  return found != own_.end() && absl::StartsWith(*found, begin);
}

// An SRV record names the node, or spells the address, or is the address that
// is a name.
bool InstanceJudge::HasSrv(const InstanceView& view,
                           const Reached& reached) const {
  const std::string dc = Label(view.node->datacenter);
  std::string node;
  if (reached.address.kind == ParsedAddress::Kind::kName) {
    return HasAnswer(SrvKey(PortOf(view), AsciiLower(reached.address.bytes)));
  }
  if (reached.is_node && LabelsToWire(AsciiLower(view.node->name), &node)) {
    return HasAnswer(SrvKey(PortOf(view), node + Label("node") + dc));
  }
  return HasAnswer(
      SrvKey(PortOf(view), HexLabel(reached.address) + Label("addr") + dc));
}

// Why an address is no record of this type.
std::string InstanceJudge::Unreached(const Reached& reached) const {
  const uint16_t type = asked_.question.type;
  const std::string& text = reached.text;
  if (asked_.is_short_srv && type != kTypeSrv) {
    return "this short form is a name for SRV only";
  }
  const ParsedAddress::Kind kind = reached.address.kind;
  if (kind == ParsedAddress::Kind::kName) return "";
  if (!AsksPlaces(type, context_.view.rfc())) {
    return absl::StrCat("a service has no records of type ", answered_.type);
  }
  if (kind == ParsedAddress::Kind::kNone && text.empty()) {
    return "it has no address, and its node has none";
  }
  if (kind == ParsedAddress::Kind::kNone) {
    return absl::StrCat("its address \"", text,
                        "\" is neither an IP address nor a DNS name");
  }
  if (kind == ParsedAddress::Kind::kV4 && type == kTypeAaaa) {
    return absl::StrCat("its address ", text, " is IPv4: ask for A");
  }
  if (kind == ParsedAddress::Kind::kV6 && type == kTypeA) {
    return absl::StrCat("its address ", text, " is IPv6: ask for AAAA");
  }
  return "";
}

// It passed all filters, and the answer has not its record.
std::string InstanceJudge::CutOff() const {
  const ZonePolicy& policy = context_.view.policy;
  const size_t count = own_.size();
  const ExplainQuestion& question = asked_.question;
  if (question.type != kTypeSrv && policy.a_record_limit > 0 &&
      count >= static_cast<size_t>(policy.a_record_limit)) {
    return absl::StrCat("dns_config.a_record_limit = ", policy.a_record_limit,
                        ": each answer has others");
  }
  const bool is_udp = question.transport == Transport::kUdp;
  const bool is_limited =
      context_.view.rfc()
          ? question.edns_bytes == 0 && policy.udp_answer_limit.has_value()
          : question.edns_bytes <= kUdpPlainMax;
  if (is_udp && is_limited && count >= ConsulUdpAnswersMax(policy)) {
    return absl::StrCat(
        "dns_config.udp_answer_limit: without EDNS, an answer over UDP has ",
        count, " at most; each has others");
  }
  return absl::StrCat("the answer is full with ", count, " records over ",
                      is_udp ? "UDP: the client asks again over TCP" : "TCP",
                      answered_.is_truncated || !is_udp
                          ? ""
                          : " only if TC is set, see "
                            "dns_config.enable_truncate");
}

void InstanceJudge::Settle(const InstanceView& view, const Reached& reached,
                           ExplainedInstance* instance) const {
  instance->reason = Unreached(reached);
  if (!instance->reason.empty()) return;
  const ParsedAddress& place = reached.address;
  if (asked_.question.type == kTypeSrv) {
    instance->included = HasSrv(view, reached);
  } else if (place.is_ip()) {
    const bool is_v4 = place.kind == ParsedAddress::Kind::kV4;
    instance->included =
        HasAnswer(KeyOf(is_v4 ? kTypeA : kTypeAaaa, place.bytes));
  } else {
    instance->included = HasAnswer(KeyOf(kTypeCname, AsciiLower(place.bytes)));
    if (!instance->included) {
      instance->reason = absl::StrCat(
          "its address is the name ", reached.text,
          ": a CNAME stands alone (RFC 1034 3.6.2), and another instance has ",
          own_.empty() ? "an address of the other family"
                       : "another record here");
    }
  }
  if (!instance->included && instance->reason.empty()) {
    instance->reason = CutOff();
  }
}

ExplainedInstance InstanceJudge::Begin(const InstanceView& view,
                                       const Reached& reached) const {
  ExplainedInstance instance;
  instance.node = view.node->name;
  instance.datacenter = view.node->datacenter;
  instance.service_id = view.instance->id;
  instance.address = reached.text;
  instance.port = PortOf(view);
  instance.tags = view.instance->tags;
  instance.status = HealthStatusName(view.health);
  context_.state.ForEachCheckOf(view, [&](const CheckView& check) {
    std::string output = check.check->output;
    if (output.size() > kExplainOutputBytesMax) {
      output.resize(kExplainOutputBytesMax);
    }
    instance.checks.push_back({check.check->id, check.check->name,
                               HealthStatusName(check.check->status),
                               context_.shows_outputs ? output : ""});
  });
  return instance;
}

ExplainedInstance InstanceJudge::OfService(const InstanceView& view) const {
  const Reached reached = Reach(view);
  ExplainedInstance instance = Begin(view, reached);
  instance.reason = Filtered(view);
  if (instance.reason.empty()) Settle(view, reached, &instance);
  return instance;
}

ExplainedInstance InstanceJudge::OfQuery(const InstanceView& view,
                                         const PreparedQuery& query,
                                         QueryVerdict verdict) const {
  const Reached reached = Reach(view);
  ExplainedInstance instance = Begin(view, reached);
  switch (verdict) {
    case QueryVerdict::kTaken:
      Settle(view, reached, &instance);
      break;
    case QueryVerdict::kCritical:
    case QueryVerdict::kNotPassing:
      instance.reason = Unhealthy(view, "the query's OnlyPassing");
      break;
    case QueryVerdict::kHidden:
      instance.reason =
          query.token.empty()
              ? Hidden(view)
              : "the query's own token may not read it or its node";
      break;
    case QueryVerdict::kNodeMeta:
      instance.reason = "its node has not the query's NodeMeta";
      break;
    case QueryVerdict::kServiceMeta:
      instance.reason = "it has not the query's ServiceMeta";
      break;
    case QueryVerdict::kTags:
      instance.reason =
          absl::StrCat("its tags (", absl::StrJoin(view.instance->tags, ", "),
                       ") are not what the query wants (",
                       absl::StrJoin(query.tags, ", "), ")");
      break;
  }
  return instance;
}

}  // namespace dnsd
